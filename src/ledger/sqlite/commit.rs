//! One batch, one transaction: read, judge, apply, commit.

use sqlx::SqliteConnection;

use super::{
    Sqlite,
    apply::apply,
    pool::{fault, is_busy, run},
    read::read,
};
use crate::{
    base::Timestamp,
    ledger::{
        entry::Entry,
        judge::judge,
        outcome::BatchReply,
        store::{CommitFault, LedgerFault},
        world::Ask,
    },
};

impl Sqlite {
    pub(super) async fn commit_batch(
        &self,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, CommitFault> {
        let mut lane = self.writer.take().await?;
        let judged = tokio::time::timeout(self.deadline, judge_alone(lane.conn(), batch, now));
        let (reply, writes) = match judged.await {
            Ok(Ok(judged)) => judged,
            Ok(Err(error)) => {
                let undone = run(lane.conn(), "rollback");
                if matches!(tokio::time::timeout(self.deadline, undone).await, Ok(Ok(()))) {
                    lane.keep();
                }
                return Err(met(&error).unwrap_or_else(|| fault(&error).into()));
            }
            Err(_) => {
                let why = "the batch passed its deadline and was not committed".to_owned();
                return Err(LedgerFault::Unreachable(why).into());
            }
        };
        let end = if writes { "commit" } else { "rollback" };
        match tokio::time::timeout(self.deadline, run(lane.conn(), end)).await {
            Ok(Ok(())) => {
                lane.keep();
                Ok(reply)
            }
            Ok(Err(error)) => {
                Err(met(&error).unwrap_or_else(|| CommitFault::Unknown(error.to_string())))
            }
            Err(_) => Err(CommitFault::Unknown("no answer within the deadline".to_owned())),
        }
    }
}

/// Reads, judges and applies. Returns whether there is anything to commit.
async fn judge_alone(
    conn: &mut SqliteConnection,
    batch: &[Entry],
    now: Timestamp,
) -> Result<(BatchReply, bool), sqlx::Error> {
    run(conn, "begin immediate").await?;
    let world = read(&mut *conn, &Ask::of(batch, now)).await?;
    let (reply, changes) = judge(world, batch, now);
    if changes.is_empty() {
        return Ok((reply, false));
    }
    apply(conn, &changes).await?;
    Ok((reply, true))
}

/// The database was busy: another tool has the file open.
fn met(error: &sqlx::Error) -> Option<CommitFault> {
    is_busy(error).then(|| CommitFault::Again(error.to_string()))
}

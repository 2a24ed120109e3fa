//! One batch, one transaction: lock and read, judge, apply, commit.

use sqlx::{Executor, PgConnection};

use super::{
    Postgres,
    pool::{fault, is_broken},
};
use crate::{
    base::Timestamp,
    ledger::{
        changes::Changes,
        entry::Entry,
        judge::judge,
        outcome::BatchReply,
        store::{CommitFault, LedgerFault},
        world::{Ask, World},
    },
};

/// Rows that two batches may insert at once; whoever comes second judges again.
const MET: [&str; 6] = [
    "entries_pkey",
    "sessions_pkey",
    "idempotency_keys_pkey",
    "holds_pkey",
    "stock_pkey",
    "payment_attempts_one_pending",
];

/// Where a transaction stood when it failed.
enum Failed {
    /// `commit` was not sent: nothing happened.
    Before(sqlx::Error),
    /// `commit` was not answered in time, or not in words that say it failed.
    After(String),
    /// What the database said did not read.
    Unread(String),
    /// The deadline passed before `commit` was sent.
    Late,
}

impl Postgres {
    pub(super) async fn commit_batch(
        &self,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, CommitFault> {
        loop {
            let mut lane = self.writers.take().await?;
            let fresh = lane.fresh;
            match self.transact(lane.conn(), batch, now).await {
                Ok(reply) => {
                    lane.keep();
                    return Ok(reply);
                }
                Err(Failed::Before(error)) if is_broken(&error) => {
                    drop(lane);
                    self.writers.sweep();
                    if fresh {
                        return Err(fault(&error).into());
                    }
                    // It died on the shelf; nothing was sent that could have been committed.
                }
                Err(Failed::Before(error)) => {
                    let undone = lane.conn().execute("rollback");
                    if matches!(tokio::time::timeout(self.deadline, undone).await, Ok(Ok(_))) {
                        lane.keep();
                    }
                    return Err(met(&error).unwrap_or_else(|| fault(&error).into()));
                }
                Err(Failed::After(why)) => return Err(CommitFault::Unknown(why)),
                Err(Failed::Unread(why)) => return Err(LedgerFault::Broken(why).into()),
                Err(Failed::Late) => {
                    let why = "the batch passed its deadline and was not committed".to_owned();
                    return Err(LedgerFault::Unreachable(why).into());
                }
            }
        }
    }

    async fn transact(
        &self,
        conn: &mut PgConnection,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, Failed> {
        let (reply, writes) =
            tokio::time::timeout(self.deadline, judge_locked(&mut *conn, batch, now))
                .await
                .map_err(|_| Failed::Late)??;
        let end = if writes { "commit" } else { "rollback" };
        match tokio::time::timeout(self.deadline, conn.execute(end)).await {
            Ok(Ok(_)) => Ok(reply),
            Ok(Err(error)) if !writes || met(&error).is_some() => Err(Failed::Before(error)),
            Ok(Err(error)) => Err(Failed::After(error.to_string())),
            Err(_) if !writes => Err(Failed::Late),
            Err(_) => Err(Failed::After("no answer within the deadline".to_owned())),
        }
    }
}

/// Locks, judges and applies. Returns whether there is anything to commit.
async fn judge_locked(
    conn: &mut PgConnection,
    batch: &[Entry],
    now: Timestamp,
) -> Result<(BatchReply, bool), Failed> {
    let ask = text(&Ask::of(batch, now))?;
    conn.execute("begin isolation level read committed read write").await?;
    let seen: String =
        sqlx::query_scalar("select ledger_lock($1::jsonb)").bind(ask).fetch_one(&mut *conn).await?;
    let world: World = serde_json::from_str(&seen)
        .map_err(|error| Failed::Unread(format!("what was locked does not read: {error}")))?;
    let keys: Vec<_> =
        world.keys.iter().map(|seen| (seen.caller.clone(), seen.key.clone())).collect();
    let (reply, changes) = judge(world, batch, now);
    if changes.is_empty() {
        return Ok((reply, false));
    }
    apply(conn, &changes, &keys).await?;
    Ok((reply, true))
}

async fn apply(
    conn: &mut PgConnection,
    changes: &Changes,
    seen_keys: &[(String, String)],
) -> Result<(), Failed> {
    sqlx::query("select ledger_apply($1::jsonb, $2::jsonb)")
        .bind(text(changes)?)
        .bind(text(seen_keys)?)
        .execute(conn)
        .await?;
    Ok(())
}

fn text(value: &(impl serde::Serialize + ?Sized)) -> Result<String, Failed> {
    serde_json::to_string(value).map_err(|error| Failed::Unread(error.to_string()))
}

/// Serialization failure, deadlock, or a row that another batch inserted first.
fn met(error: &sqlx::Error) -> Option<CommitFault> {
    let database = error.as_database_error()?;
    let code = database.code()?;
    let inserted_twice =
        code == "23505" && database.constraint().is_some_and(|name| MET.contains(&name));
    let met = code == "40001" || code == "40P01" || inserted_twice;
    met.then(|| CommitFault::Again(error.to_string()))
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Before(error)
    }
}

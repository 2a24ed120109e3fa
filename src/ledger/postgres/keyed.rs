//! A change with its key in PostgreSQL. Who comes second waits at the key's row for the first.

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::sync::Arc;

use super::{
    Postgres,
    pool::{Work, fault},
};
use crate::ledger::{
    LedgerFault,
    entry::{KeyWrite, StoredAnswer},
    keyed::{self, Change, Keyed, Stage},
    lanes::Lane,
    row::KeyRow,
};

/// A connection.
pub(in crate::ledger) type Conn = PgConnection;

const CLAIM: &str = "insert into idempotency_keys (caller, key, fingerprint, dialect, created_at)
    values ($1, $2, $3, $4, $5) on conflict do nothing";
const FIND: &str = "select record::text from key_rows where caller = $1 and key = $2";
const ANSWER: &str = "update idempotency_keys set answer_status = $3, answer_body = $4,
        answer_version = $5, answered_at = $6
    where caller = $1 and key = $2";

impl Postgres {
    /// The change that is being made, of which whatever is written is a part.
    pub(super) fn keyed(&self) -> Option<Arc<Keyed<PgConnection>>> {
        keyed::on_postgres()
    }

    /// Does a piece of work within the change.
    pub(super) async fn run_keyed<T>(
        &self,
        keyed: &Keyed<PgConnection>,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, LedgerFault> {
        let mut stage = keyed.stage.lock().await;
        // Whoever goes away in the middle leaves it failed.
        let mut lane = match std::mem::replace(&mut *stage, Stage::Failed) {
            Stage::Waiting => match self.claim(&keyed.key).await? {
                Ok(lane) => lane,
                Err(row) => {
                    *stage = Stage::Taken(row);
                    return Err(keyed::ended());
                }
            },
            Stage::Open(lane) => lane,
            other => {
                *stage = other;
                return Err(keyed::ended());
            }
        };
        keyed.begin();
        let done = tokio::time::timeout(self.deadline, work(lane.conn())).await;
        let value = done.map_err(|_| late())?.map_err(|error| fault(&error))?;
        *stage = Stage::Open(lane);
        Ok(value)
    }

    /// Begins, with the key; or says who has it.
    async fn claim(
        &self,
        key: &KeyWrite,
    ) -> Result<Result<Lane<PgConnection>, KeyRow>, LedgerFault> {
        let mut lane = self.sound().await?;
        let (begin, kept) = (self.begin.reading.clone(), self.prepares());
        let claimed = tokio::time::timeout(self.deadline, async {
            lane.conn().execute(AssertSqlSafe(begin)).await?;
            let claim = sqlx::query(CLAIM).bind(&key.caller).bind(&key.key).bind(&key.fingerprint);
            let claim = claim.bind(&key.dialect).bind(key.now.to_offset()).persistent(kept);
            if claim.execute(lane.conn()).await?.rows_affected() == 1 {
                return Ok(None);
            }
            let find = sqlx::query_scalar(FIND).bind(&key.caller).bind(&key.key).persistent(kept);
            let row: String = find.fetch_one(lane.conn()).await?;
            lane.conn().execute("rollback").await?;
            Ok(Some(row))
        });
        let claimed = claimed.await.map_err(|_| late())?;
        match claimed.map_err(|error: sqlx::Error| fault(&error))? {
            None => Ok(Ok(lane)),
            Some(row) => {
                lane.keep();
                Ok(Err(keyed::read(&row)?))
            }
        }
    }

    /// Writes the answer and commits.
    pub(in crate::ledger) async fn finish_keyed(
        &self,
        keyed: &Keyed<PgConnection>,
        answer: StoredAnswer,
    ) -> Result<Change, LedgerFault> {
        let (status, body, version) = keyed::columns(&answer)?;
        let (key, kept) = (keyed.key.clone(), self.prepares());
        let written = self.run_keyed(keyed, move |conn| {
            Box::pin(async move {
                let write = sqlx::query(ANSWER).bind(&key.caller).bind(&key.key).bind(status);
                let write = write.bind(&body).bind(version).bind(key.now.to_offset());
                match write.persistent(kept).execute(conn).await?.rows_affected() {
                    1 => Ok(()),
                    _ => Err(sqlx::Error::RowNotFound),
                }
            })
        });
        let written = written.await;
        let mut stage = keyed.stage.lock().await;
        match (std::mem::replace(&mut *stage, Stage::Failed), written) {
            (Stage::Taken(row), _) => Ok(Change::Taken(row)),
            (Stage::Open(mut lane), Ok(())) => {
                let end = tokio::time::timeout(self.deadline, lane.conn().execute("commit")).await;
                end.map_err(|_| late())?.map_err(|error| fault(&error))?;
                lane.keep();
                Ok(Change::Made(answer))
            }
            (_, written) => Err(written.err().unwrap_or_else(keyed::ended)),
        }
    }
}

fn late() -> LedgerFault {
    LedgerFault::Unreachable("a statement passed its deadline".to_owned())
}

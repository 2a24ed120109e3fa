//! A change with its key in SQLite: the one writer is its own until it ends.

use sqlx::SqliteConnection;
use std::sync::Arc;

use super::{
    Sqlite,
    pool::{fault, run},
};
use crate::ledger::{
    LedgerFault,
    entry::{KeyWrite, StoredAnswer},
    keyed::{self, Change, Keyed, Stage},
    lanes::Lane,
    row::KeyRow,
};
use futures_util::future::BoxFuture;

/// A connection.
pub(in crate::ledger) type Conn = SqliteConnection;

const CLAIM: &str = "insert into idempotency_keys (caller, key, fingerprint, dialect, created_at)
    values ($1, $2, $3, $4, $5) on conflict do nothing";
const FIND: &str = "select record from key_rows where caller = $1 and key = $2";
const ANSWER: &str = "update idempotency_keys set answer_status = $3, answer_body = $4,
        answer_version = $5, answered_at = $6
    where caller = $1 and key = $2";

impl Sqlite {
    /// The change that is being made, of which whatever is written is a part.
    pub(super) fn keyed(&self) -> Option<Arc<Keyed<SqliteConnection>>> {
        keyed::on_sqlite()
    }

    /// Does a piece of work within the change.
    pub(super) async fn run_keyed<T>(
        &self,
        keyed: &Keyed<SqliteConnection>,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send,
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
    ) -> Result<Result<Lane<SqliteConnection>, KeyRow>, LedgerFault> {
        let mut lane = self.writer.take().await?;
        let claimed = tokio::time::timeout(self.deadline, async {
            run(lane.conn(), "begin immediate").await?;
            let claim = sqlx::query(CLAIM).bind(&key.caller).bind(&key.key).bind(&key.fingerprint);
            let claim = claim.bind(&key.dialect).bind(key.now.to_string());
            if claim.execute(lane.conn()).await?.rows_affected() == 1 {
                return Ok(None);
            }
            let find = sqlx::query_scalar(FIND).bind(&key.caller).bind(&key.key);
            let row: String = find.fetch_one(lane.conn()).await?;
            run(lane.conn(), "rollback").await?;
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
        keyed: &Keyed<SqliteConnection>,
        answer: StoredAnswer,
    ) -> Result<Change, LedgerFault> {
        let (status, body, version) = keyed::columns(&answer)?;
        let key = keyed.key.clone();
        let written = self.run_keyed(keyed, move |conn| {
            Box::pin(async move {
                let write = sqlx::query(ANSWER).bind(&key.caller).bind(&key.key).bind(status);
                let write = write.bind(&body).bind(version).bind(key.now.to_string());
                match write.execute(conn).await?.rows_affected() {
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
                let end = tokio::time::timeout(self.deadline, run(lane.conn(), "commit")).await;
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

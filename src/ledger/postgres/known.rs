//! A batch judged on known rows, committed by one statement that checks them.

use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::{MutexGuard, PoisonError};

use super::{
    Postgres,
    commit::met,
    pool::{fault, is_broken, is_refused},
    records::{HoldStep, KeyAnswer, LineOf, NewKey, rows},
};
use crate::{
    base::{GrantId, Sku},
    ledger::{
        known::{Judged, Known},
        outcome::BatchReply,
        store::CommitFault,
    },
};

const COMMIT: &str = "select ledger_commit(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21)";

/// What is left of the stock and the grants that a batch touched.
#[derive(Debug, Deserialize)]
struct Left {
    stock: Vec<StockLeft>,
    grants: Vec<GrantLeft>,
}

#[derive(Debug, Deserialize)]
struct StockLeft {
    sku: Sku,
    unallocated: i64,
}

#[derive(Debug, Deserialize)]
struct GrantLeft {
    id: GrantId,
    left: i64,
}

impl Postgres {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits a batch judged on known rows. `None`: something is not as it was known, and nothing
    /// is written.
    pub(super) async fn commit_judged(
        &self,
        judged: &Judged,
    ) -> Result<Option<BatchReply>, CommitFault> {
        let mut lane = self.writers.take().await?;
        let sent = self.check_and_write(lane.conn(), judged);
        match tokio::time::timeout(self.deadline, sent).await {
            Ok(Ok(left)) => {
                lane.keep();
                // It is committed, whatever it says: what does not read is asked for again.
                let unread = |error: serde_json::Error| CommitFault::Unknown(error.to_string());
                let left = serde_json::from_str(&left).map_err(unread)?;
                Ok(Some(seen(judged, left)))
            }
            Ok(Err(error)) if is_broken(&error) => {
                drop(lane);
                self.writers.sweep();
                if is_refused(&error) {
                    return Err(fault(&error).into());
                }
                Err(CommitFault::Unknown(error.to_string()))
            }
            Ok(Err(error)) => {
                // Behind a pooler it stands in a transaction that failed.
                if self.prepares() {
                    lane.keep();
                }
                if met(&error).is_some() || is_refuted(&error) {
                    return Ok(None);
                }
                Err(fault(&error).into())
            }
            Err(_) => Err(CommitFault::Unknown("no answer within the deadline".to_owned())),
        }
    }

    /// One statement, which is its own transaction where sessions are our own.
    async fn check_and_write(
        &self,
        conn: &mut PgConnection,
        judged: &Judged,
    ) -> Result<String, sqlx::Error> {
        if self.prepares() {
            return send(judged).fetch_one(conn).await;
        }
        let mut tx = conn.begin_with(AssertSqlSafe(self.begin.writing.clone())).await?;
        let left = send(judged).persistent(false).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(left)
    }
}

/// Whether a constraint objects (class 23): the batch may be right when judged under lock, and if
/// it is not, that commit says so.
fn is_refuted(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("23"))
}

type Scalar<'q> = sqlx::query::QueryScalar<'q, sqlx::Postgres, String, sqlx::postgres::PgArguments>;

fn send(judged: &Judged) -> Scalar<'_> {
    let Judged { changes, before, .. } = judged;
    let (new, old): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|row| row.version == 1);
    let (mut new_holds, mut old_holds) = (Vec::new(), Vec::new());
    for after in &changes.holds {
        match before.holds.get(&(after.checkout, after.sku.clone())) {
            Some(before) => old_holds.push(HoldStep { after, before }),
            None => new_holds.push(after),
        }
    }
    let gone = changes.gone_holds.iter().filter_map(|key| before.holds.get(key));
    let lines = changes
        .orders
        .iter()
        .flat_map(|row| row.order.lines.iter().map(|line| LineOf(row.order.id, line)));
    let (due, added): (Vec<_>, Vec<_>) =
        changes.operations.iter().partition(|operation| before.due.contains(&operation.id));
    sqlx::query_scalar(COMMIT)
        .bind(rows(&changes.entries))
        .bind(rows(new))
        .bind(rows(old))
        .bind(rows(&changes.heads))
        .bind(rows(&before.assumed))
        .bind(rows(new_holds))
        .bind(rows(old_holds))
        .bind(rows(gone.map(|hold| HoldStep { after: hold, before: hold })))
        .bind(rows(&changes.stock))
        .bind(rows(&changes.grants))
        .bind(rows(&changes.new_attempts))
        .bind(rows(&changes.attempts))
        .bind(rows(&changes.orders))
        .bind(rows(lines))
        .bind(rows(added))
        .bind(rows(due))
        .bind(rows(&changes.events))
        .bind(rows(changes.new_keys.iter().map(NewKey)))
        .bind(rows(changes.answers.iter().map(KeyAnswer)))
        .bind(rows(&changes.assessments))
        .bind(rows(&changes.new_cases))
}

/// The reply, with the numbers the ledger told.
fn seen(judged: &Judged, left: Left) -> BatchReply {
    let mut reply = judged.reply.clone();
    reply.stock = left.stock.into_iter().map(|row| (row.sku, row.unallocated)).collect();
    for told in left.grants {
        if let Some(grant) = reply.grants.iter_mut().find(|grant| grant.id == told.id) {
            grant.left = told.left;
        }
    }
    reply
}

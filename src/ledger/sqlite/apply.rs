//! What a judged batch writes: one row of JSON arrays, which a trigger spreads over the tables.
//!
//! The statements stand in `apply.sql`, beside this file. They are a trigger so that a batch is
//! handed over once: going back and forth between two threads costs more than most of them. They
//! take rows with `jsonb_each`, in binary; `json_each` would write a row as text anew for every
//! column that is taken from it, and a session is long.

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::ledger::changes::Changes;

/// Opens cases, or opens them again.
const REOPEN: &str = "insert into review_cases
        (order_id, attempt_id, priority, due_at, expires_at, opened_at)
    select value->>'$.order', value->>'$.attempt', value->>'$.priority', value->>'$.due_at',
           value->>'$.expires_at', value->>'$.opened_at' from json_each($1) where true
    on conflict (order_id) do update set state = 'open', priority = excluded.priority,
        due_at = excluded.due_at, expires_at = excluded.expires_at,
        opened_at = excluded.opened_at, closed_by = null, reason = null, closed_at = null";

const TELL_REOPENED: &str = "insert into review_events (order_id, at, actor, kind, note)
    select value->>'$.order', value->>'$.opened_at', 'payment', 'opened', value->>'$.note'
    from json_each($1)";

const INSERT_CHANGES: &str = "insert into order_changes (id, order_id, body, at)
    select value->>'$.id', value->>'$.order', json_remove(value, '$.order'), value->>'$.at'
    from json_each($1)";

/// Lets attempts wait for their buyers.
const CHALLENGE: &str = "update payment_attempts set gateway_id = x.value->>'$.id',
        challenge_url = x.value->>'$.url', challenged_until = x.value->>'$.until',
        deadline = x.value->>'$.until'
    from json_each($1) x
    where payment_attempts.id = x.value->>'$.attempt' and payment_attempts.state = 'pending'";

/// The columns of the view, in its order.
const APPLY: &str = "insert into batch values (
    jsonb($1), jsonb($2), jsonb($3), jsonb($4), jsonb($5), jsonb($6), jsonb($7), jsonb($8),
    jsonb($9), jsonb($10), jsonb($11), jsonb($12), jsonb($13), jsonb($14), jsonb($15), jsonb($16),
    jsonb($17), jsonb($18), jsonb($19), jsonb($20), jsonb($21), jsonb($22), jsonb($23))";

/// Makes the view and its trigger, which live as long as the connection.
pub(super) async fn prepare(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(include_str!("apply.sql")).execute(conn).await.map(drop)
}

/// Writes the changes; the constraints have the last word.
pub(super) async fn apply(
    conn: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let (new, old): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|row| row.version == 1);
    let people: Vec<_> = changes.sessions.iter().filter(|row| row.personal.is_some()).collect();
    let query = sqlx::query(APPLY)
        .bind(rows(&changes.entries)?)
        .bind(rows(&new)?)
        .bind(rows(&old)?)
        .bind(rows(&people)?)
        .bind(rows(&changes.heads)?)
        .bind(rows(&changes.holds)?)
        .bind(rows(&changes.gone_holds)?)
        .bind(rows(&changes.stock)?)
        .bind(rows(&changes.new_grants)?)
        .bind(rows(&changes.grants)?)
        .bind(rows(&changes.attempts)?)
        .bind(rows(&changes.new_attempts)?)
        .bind(rows(&changes.orders)?)
        .bind(rows(&changes.lines)?)
        .bind(rows(&changes.operations)?)
        .bind(rows(&changes.events)?)
        .bind(rows(&changes.movements)?)
        .bind(rows(&changes.answers)?)
        .bind(rows(&changes.new_keys)?)
        .bind(rows(&changes.assessments)?)
        .bind(rows(&changes.new_cases)?)
        .bind(rows(&changes.cases)?)
        .bind(rows(&changes.labels)?);
    query.execute(&mut *conn).await?;
    // Seldom, and so a statement of its own.
    if let Some(changes) = rows(&changes.order_changes)? {
        sqlx::query(INSERT_CHANGES).bind(changes).execute(&mut *conn).await?;
    }
    if let Some(challenges) = rows(&changes.challenges)? {
        sqlx::query(CHALLENGE).bind(challenges).execute(&mut *conn).await?;
    }
    if let Some(cases) = rows(&changes.reopened)? {
        sqlx::query(REOPEN).bind(cases.clone()).execute(&mut *conn).await?;
        sqlx::query(TELL_REOPENED).bind(cases).execute(conn).await?;
    }
    Ok(())
}

/// The rows as one array; none is null, which the statements pass over.
fn rows<T: Serialize>(rows: &[T]) -> Result<Option<String>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(rows).map(Some).map_err(|error| sqlx::Error::Encode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{CheckoutId, Sku, Timestamp},
        ledger::{
            changes::{HeadChange, StockDelta},
            database::{Database, DatabaseOptions},
            row::SessionState,
        },
    };

    fn stock(sku: &str, units: i64) -> StockDelta {
        let sku = Sku::parse(sku).expect("a SKU");
        StockDelta { sku, on_hand: units, unallocated: units }
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_found_fails_the_batch() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = DatabaseOptions::new(folder.path().display().to_string());
        let database = Database::open(&options).await.expect("opens");
        database.migrate().await.expect("migrates");
        let Database::Sqlite(sqlite) = database else { panic!("a folder is SQLite") };
        let mut lane = sqlite.writer.take().await.expect("free");

        let changes =
            Changes { stock: vec![stock("TEE", 5), stock("CAP", 2)], ..Changes::default() };
        apply(lane.conn(), &changes).await.expect("new rows are inserted");
        let lost = HeadChange {
            checkout: CheckoutId::from_uuid(uuid::Uuid::nil()),
            version: 2,
            state: SessionState::Completed,
            body: None,
            updated_at: Timestamp::from_micros(0),
        };
        let changes =
            Changes { heads: vec![lost], stock: vec![stock("TEE", -1)], ..Changes::default() };
        let fault = apply(lane.conn(), &changes).await.expect_err("no session");
        assert!(fault.to_string().contains("heads: not every row was written"), "{fault}");
        let left: i64 = sqlx::query_scalar("select sum(on_hand) from stock")
            .fetch_one(lane.conn())
            .await
            .expect("reads");
        assert_eq!(left, 7, "nothing of the batch stays");
    }
}

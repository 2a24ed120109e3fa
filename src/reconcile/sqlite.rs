//! The record of comparing, in SQLite.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

pub(super) async fn was_compared(sqlite: &Sqlite, ask: String) -> Result<bool, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select exists (select 1 from payment_reconciliations
                               where gateway = $1->>'gateway' and day = $1->>'day')";
                sqlx::query_scalar(sql).bind(ask).fetch_one(conn).await
            })
        })
        .await
}

/// A day, what was found, and the end of what was not found again.
pub(super) async fn keep(sqlite: &Sqlite, write: String) -> Result<(), LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                for sql in [
                    "insert into payment_reconciliations
                         (gateway, day, compared_at, compared, foreign_payments, breaks)
                     values ($1->>'$.run.gateway', $1->>'$.run.day', $1->>'$.run.at',
                         $1->>'$.run.compared', $1->>'$.run.foreign', $1->>'$.run.breaks')
                     on conflict (gateway, day) do update set
                         compared_at = excluded.compared_at, compared = excluded.compared,
                         foreign_payments = excluded.foreign_payments, breaks = excluded.breaks",
                    "update payment_breaks set closed_at = $1->>'$.run.at'
                     where gateway = $1->>'$.run.gateway' and day = $1->>'$.run.day'
                         and closed_at is null
                         and not exists (select 1 from json_each($1->'$.found')
                             where value->>'$.payment' = payment and value->>'$.kind' = kind)",
                    "insert into payment_breaks (gateway, payment, kind, day, body, found_at)
                     select $1->>'$.run.gateway', value->>'$.payment', value->>'$.kind',
                         $1->>'$.run.day', value->'$.body', $1->>'$.run.at'
                     from json_each($1->'$.found') where true
                     on conflict (gateway, payment, kind) do update set
                         body = excluded.body, closed_at = null,
                         found_at = iif(payment_breaks.closed_at is null,
                             payment_breaks.found_at, excluded.found_at)",
                ] {
                    sqlx::query(sql).bind(&write).execute(&mut *conn).await?;
                }
                Ok(())
            })
        })
        .await
}

pub(super) async fn list(sqlite: &Sqlite, ask: String) -> Result<Vec<String>, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select json_patch(body, json_object('day', day, 'found_at', found_at,
                               'closed_at', closed_at))
                           from payment_breaks where closed_at is null or $1->>'closed'
                           order by found_at desc, gateway, payment, kind limit $1->>'limit'";
                sqlx::query_scalar(sql).bind(ask).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn runs(sqlite: &Sqlite, ask: String) -> Result<Vec<String>, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select json_object('gateway', gateway, 'day', day, 'at', compared_at,
                               'compared', compared, 'foreign', foreign_payments,
                               'breaks', breaks)
                           from payment_reconciliations order by day desc, gateway
                           limit $1->>'limit'";
                sqlx::query_scalar(sql).bind(ask).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn count_open(sqlite: &Sqlite) -> Result<i64, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select count(*) from payment_breaks where closed_at is null";
                sqlx::query_scalar(sql).fetch_one(conn).await
            })
        })
        .await
}

//! The record of comparing, in PostgreSQL.

use crate::ledger::{LedgerFault, postgres::Postgres};

pub(super) async fn was_compared(postgres: &Postgres, ask: String) -> Result<bool, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select exists (select from payment_reconciliations
                               where gateway = $1::jsonb->>'gateway'
                                   and day = ($1::jsonb->>'day')::date)";
                sqlx::query_scalar(sql).bind(ask).persistent(kept).fetch_one(conn).await
            })
        })
        .await
}

/// One statement: a day, what was found, and the end of what was not found again.
pub(super) async fn keep(postgres: &Postgres, write: String) -> Result<(), LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "with run as (
                        select r.* from jsonb_to_record($1::jsonb->'run') as r (gateway text,
                            day date, at timestamptz, compared bigint, breaks bigint)),
                    day as (
                        insert into payment_reconciliations
                            (gateway, day, compared_at, compared, foreign_payments, breaks)
                        select gateway, day, at, compared,
                            ($1::jsonb->'run'->>'foreign')::bigint, breaks from run
                        on conflict (gateway, day) do update set
                            compared_at = excluded.compared_at, compared = excluded.compared,
                            foreign_payments = excluded.foreign_payments,
                            breaks = excluded.breaks),
                    found as (
                        select f.* from jsonb_to_recordset($1::jsonb->'found') as f (payment text,
                            kind text, body json)),
                    closed as (
                        update payment_breaks b set closed_at = run.at from run
                        where b.gateway = run.gateway and b.day = run.day and b.closed_at is null
                            and not exists (select from found
                                where found.payment = b.payment and found.kind = b.kind))
                    insert into payment_breaks (gateway, payment, kind, day, body, found_at)
                    select run.gateway, found.payment, found.kind, run.day, found.body, run.at
                    from run, found
                    on conflict (gateway, payment, kind) do update set
                        body = excluded.body, closed_at = null,
                        found_at = case when payment_breaks.closed_at is null
                            then payment_breaks.found_at else excluded.found_at end";
                sqlx::query(sql).bind(write).persistent(kept).execute(conn).await.map(drop)
            })
        })
        .await
}

pub(super) async fn list(postgres: &Postgres, ask: String) -> Result<Vec<String>, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select (body::jsonb || jsonb_build_object('day', day,
                               'found_at', found_at, 'closed_at', closed_at))::text
                           from payment_breaks
                           where closed_at is null or ($1::jsonb->>'closed')::boolean
                           order by found_at desc, gateway, payment, kind
                           limit ($1::jsonb->>'limit')::bigint";
                sqlx::query_scalar(sql).bind(ask).persistent(kept).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn runs(postgres: &Postgres, ask: String) -> Result<Vec<String>, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select json_build_object('gateway', gateway, 'day', day,
                               'at', compared_at, 'compared', compared,
                               'foreign', foreign_payments, 'breaks', breaks)::text
                           from payment_reconciliations order by day desc, gateway
                           limit ($1::jsonb->>'limit')::bigint";
                sqlx::query_scalar(sql).bind(ask).persistent(kept).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn count_open(postgres: &Postgres) -> Result<i64, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select count(*) from payment_breaks where closed_at is null";
                sqlx::query_scalar(sql).persistent(kept).fetch_one(conn).await
            })
        })
        .await
}

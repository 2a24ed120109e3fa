//! What gateways have told, in PostgreSQL.

use crate::ledger::{LedgerFault, postgres::Postgres};

pub(super) async fn insert(postgres: &Postgres, row: String) -> Result<bool, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "insert into payment_notifications
                               (gateway, id, kind, about, reference, received_at, due_at)
                           select gateway, id, kind, about, reference, at, at
                           from jsonb_to_record($1::jsonb) as r (gateway text, id text, kind text,
                               about json, reference text, at timestamptz)
                           on conflict do nothing";
                let query = sqlx::query(sql).bind(row).persistent(kept);
                query.execute(conn).await.map(|done| done.rows_affected() == 1)
            })
        })
        .await
}

pub(super) async fn told_of(postgres: &Postgres, ask: String) -> Result<Vec<String>, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select about::text from payment_notifications
                           where reference = $1::jsonb->>'reference'
                               and gateway = $1::jsonb->>'gateway'
                           order by received_at, id";
                sqlx::query_scalar(sql).bind(ask).persistent(kept).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn list_due(postgres: &Postgres, ask: String) -> Result<Vec<String>, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "select json_build_object('gateway', gateway, 'id', id, 'kind', kind,
                               'about', about, 'tries', tries)::text
                           from payment_notifications
                           where due_at <= ($1::jsonb->>'now')::timestamptz
                           order by due_at, gateway, id limit ($1::jsonb->>'limit')::bigint";
                sqlx::query_scalar(sql).bind(ask).persistent(kept).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn settle(postgres: &Postgres, change: String) -> Result<(), LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                let sql = "update payment_notifications set tries = tries + 1,
                               outcome = $1::jsonb->>'outcome',
                               due_at = ($1::jsonb->>'due_at')::timestamptz
                           where gateway = $1::jsonb->>'gateway' and id = $1::jsonb->>'id'";
                sqlx::query(sql).bind(change).persistent(kept).execute(conn).await.map(drop)
            })
        })
        .await
}

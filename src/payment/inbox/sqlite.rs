//! What gateways have told, in SQLite.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

pub(super) async fn insert(sqlite: &Sqlite, row: String) -> Result<bool, LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                let sql = "insert into payment_notifications
                               (gateway, id, kind, about, reference, received_at, due_at)
                           values ($1->>'gateway', $1->>'id', $1->>'kind', $1->'about',
                               $1->>'reference', $1->>'at', $1->>'at')
                           on conflict do nothing";
                let query = sqlx::query(sql).bind(row);
                query.execute(conn).await.map(|done| done.rows_affected() == 1)
            })
        })
        .await
}

pub(super) async fn told_of(sqlite: &Sqlite, ask: String) -> Result<Vec<String>, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select about from payment_notifications
                           where reference = $1->>'reference' and gateway = $1->>'gateway'
                           order by received_at, id";
                sqlx::query_scalar(sql).bind(ask).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn list_due(sqlite: &Sqlite, ask: String) -> Result<Vec<String>, LedgerFault> {
    sqlite
        .read(move |conn| {
            Box::pin(async move {
                let sql = "select json_object('gateway', gateway, 'id', id, 'kind', kind,
                               'about', json(about), 'tries', tries)
                           from payment_notifications where due_at <= $1->>'now'
                           order by due_at, gateway, id limit $1->>'limit'";
                sqlx::query_scalar(sql).bind(ask).fetch_all(conn).await
            })
        })
        .await
}

pub(super) async fn settle(sqlite: &Sqlite, change: String) -> Result<(), LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                let sql = "update payment_notifications set tries = tries + 1,
                               outcome = $1->>'outcome', due_at = $1->>'due_at'
                           where gateway = $1->>'gateway' and id = $1->>'id'";
                sqlx::query(sql).bind(change).execute(conn).await.map(drop)
            })
        })
        .await
}

//! Signing keys in SQLite.

use super::keys::{KeyRow, read};
use crate::ledger::{LedgerFault, sqlite::Sqlite};

/// Every key, oldest first.
pub(super) async fn list_keys(sqlite: &Sqlite) -> Result<Vec<KeyRow>, LedgerFault> {
    let rows: Vec<String> = sqlite
        .read(move |conn| {
            Box::pin(async move {
                sqlx::query_scalar(
                    "select json_object('kid', kid, 'body', body, 'created_at', created_at)
                     from signing_keys order by created_at, kid",
                )
                .fetch_all(conn)
                .await
            })
        })
        .await?;
    rows.iter().map(|row| read(row)).collect()
}

/// Keeps a key; one that is only the first is not kept beside another.
pub(super) async fn add_key(sqlite: &Sqlite, parameter: String) -> Result<(), LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "insert into signing_keys (kid, body, created_at)
                     select $1->>'kid', $1->>'body', $1->>'created_at'
                     where not ($1->>'only_first') or not exists (select 1 from signing_keys)
                     on conflict do nothing",
                )
                .bind(parameter)
                .execute(conn)
                .await
                .map(drop)
            })
        })
        .await
}

/// Forgets a key.
pub(super) async fn remove_key(sqlite: &Sqlite, kid: String) -> Result<(), LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                sqlx::query("delete from signing_keys where kid = $1")
                    .bind(kid)
                    .execute(conn)
                    .await
                    .map(drop)
            })
        })
        .await
}

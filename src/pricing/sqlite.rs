//! The tariff in SQLite. One writer: nothing needs a lock.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

const VERSION: &str =
    "select cast(coalesce(max(version), 0) as text) from tariff_changes where $1 = ''";
const LIST: &str = "select json_object('kind', kind, 'id', id, 'body', json(body),
        'version', version, 'updated_at', updated_at)
    from tariff_items where $1 = '' order by kind, id";
const RECORD: &str = "insert into tariff_changes (version, kind, id, body, author, at)
    select $1->>'version', $1->>'kind', $1->>'id', $1->>'body', $1->>'author', $1->>'at'
    where $1->>'version' = (select coalesce(max(version), 0) + 1 from tariff_changes)";
const SAVE: &str = "insert into tariff_items (kind, id, body, version, updated_at)
    select $1->>'kind', $1->>'id', $1->>'body', $1->>'version', $1->>'at'
    where $1->>'body' is not null
    on conflict (kind, id) do update set body = excluded.body, version = excluded.version,
        updated_at = excluded.updated_at";
const REMOVE: &str = "delete from tariff_items
    where $1->>'body' is null and kind = $1->>'kind' and id = $1->>'id'";

pub(super) async fn version(database: &Sqlite) -> Result<Vec<String>, LedgerFault> {
    database.ask(VERSION, "").await
}

pub(super) async fn list(database: &Sqlite) -> Result<Vec<String>, LedgerFault> {
    database.ask(LIST, "").await
}

pub(super) async fn change(database: &Sqlite, change: String) -> Result<bool, LedgerFault> {
    database
        .write(move |conn| {
            Box::pin(async move {
                let query = |sql| sqlx::query(sql).bind(change.clone());
                if query(RECORD).execute(&mut *conn).await?.rows_affected() == 0 {
                    return Ok(false);
                }
                query(SAVE).execute(&mut *conn).await?;
                query(REMOVE).execute(&mut *conn).await?;
                Ok(true)
            })
        })
        .await
}

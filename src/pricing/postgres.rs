//! The tariff in PostgreSQL. Two changes at once would take one number: its key decides.

use crate::ledger::{LedgerFault, postgres::Postgres};

const VERSION: &str = "select coalesce(max(version), 0)::text from tariff_changes where $1 = ''";
const LIST: &str = "select json_build_object('kind', kind, 'id', id, 'body', body,
        'version', version, 'updated_at', updated_at)::text
    from tariff_items where $1 = '' order by kind, id";
const RECORD: &str = "insert into tariff_changes (version, kind, id, body, author, at)
    select (c->>'version')::bigint, c->>'kind', c->>'id', nullif((c->'body')::text, 'null')::json,
        c->>'author', (c->>'at')::timestamptz
    from (select $1::json as c) d
    where (c->>'version')::bigint = (select coalesce(max(version), 0) + 1 from tariff_changes)
    on conflict do nothing";
const SAVE: &str = "insert into tariff_items (kind, id, body, version, updated_at)
    select c->>'kind', c->>'id', c->'body', (c->>'version')::bigint, (c->>'at')::timestamptz
    from (select $1::json as c) d where c->>'body' is not null
    on conflict (kind, id) do update set body = excluded.body, version = excluded.version,
        updated_at = excluded.updated_at";
const REMOVE: &str = "delete from tariff_items using (select $1::json as c) d
    where c->>'body' is null and kind = c->>'kind' and id = c->>'id'";

pub(super) async fn version(database: &Postgres) -> Result<Vec<String>, LedgerFault> {
    database.ask(VERSION, "").await
}

pub(super) async fn list(database: &Postgres) -> Result<Vec<String>, LedgerFault> {
    database.ask(LIST, "").await
}

pub(super) async fn change(database: &Postgres, change: String) -> Result<bool, LedgerFault> {
    let kept = database.prepares();
    database
        .write(move |tx| {
            Box::pin(async move {
                let query = |sql| sqlx::query(sql).bind(change.clone()).persistent(kept);
                if query(RECORD).execute(&mut *tx).await?.rows_affected() == 0 {
                    return Ok(false);
                }
                query(SAVE).execute(&mut *tx).await?;
                query(REMOVE).execute(tx).await?;
                Ok(true)
            })
        })
        .await
}

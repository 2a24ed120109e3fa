//! Schemas in SQLite.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

const KEEP: &str = "insert into fraud_schemas (hash, schema, kept_at)
    select $1->>'$.hash', $1->>'$.schema', $1->>'$.at' where true on conflict (hash) do nothing";
const LIST: &str = "select json_object('hash', hash, 'schema', schema) from fraud_schemas
    order by kept_at";

pub(super) async fn keep(database: &Sqlite, row: String) -> Result<(), LedgerFault> {
    database
        .write(move |conn| {
            let keeping = sqlx::query(KEEP).bind(row);
            Box::pin(async move { keeping.execute(conn).await.map(drop) })
        })
        .await
}

pub(super) async fn list(database: &Sqlite) -> Result<Vec<String>, LedgerFault> {
    database.read(move |conn| Box::pin(sqlx::query_scalar(LIST).fetch_all(conn))).await
}

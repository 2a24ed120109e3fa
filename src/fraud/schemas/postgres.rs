//! Schemas in PostgreSQL.

use crate::ledger::{LedgerFault, postgres::Postgres};

const KEEP: &str = "insert into fraud_schemas (hash, schema, kept_at)
    select s->>'hash', s->>'schema', (s->>'at')::timestamptz from (select $1::json as s) d
    on conflict (hash) do nothing";
const LIST: &str = "select json_build_object('hash', hash, 'schema', schema)::text
    from fraud_schemas where $1 <> '' order by kept_at";

pub(super) async fn keep(database: &Postgres, row: String) -> Result<(), LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |conn| {
            let keeping = sqlx::query(KEEP).bind(row).persistent(kept);
            Box::pin(async move { keeping.execute(conn).await.map(drop) })
        })
        .await
}

pub(super) async fn list(database: &Postgres) -> Result<Vec<String>, LedgerFault> {
    database.ask(LIST, "{}").await
}

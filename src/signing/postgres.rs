//! Signing keys in PostgreSQL.

use super::keys::{KeyRow, read};
use crate::ledger::{LedgerFault, postgres::Postgres};

/// Every key, oldest first.
pub(super) async fn list_keys(postgres: &Postgres) -> Result<Vec<KeyRow>, LedgerFault> {
    let kept = postgres.prepares();
    let rows: Vec<String> = postgres
        .run(move |conn| {
            Box::pin(async move {
                sqlx::query_scalar(
                    r#"select json_build_object('kid', kid, 'body', body, 'created_at',
                           to_char(created_at at time zone 'UTC',
                                   'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text
                       from signing_keys order by created_at, kid"#,
                )
                .persistent(kept)
                .fetch_all(conn)
                .await
            })
        })
        .await?;
    rows.iter().map(|row| read(row)).collect()
}

/// Keeps a key; one that is only the first is not kept beside another.
pub(super) async fn add_key(postgres: &Postgres, parameter: String) -> Result<(), LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "insert into signing_keys (kid, body, created_at)
                     select kid, body, created_at from jsonb_to_record($1::jsonb) as
                         r (kid text, body text, created_at timestamptz, only_first boolean)
                     where not only_first or not exists (select from signing_keys)
                     on conflict do nothing",
                )
                .bind(parameter)
                .persistent(kept)
                .execute(conn)
                .await
                .map(drop)
            })
        })
        .await
}

/// Forgets a key.
pub(super) async fn remove_key(postgres: &Postgres, kid: String) -> Result<(), LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                sqlx::query("delete from signing_keys where kid = $1")
                    .bind(kid)
                    .persistent(kept)
                    .execute(conn)
                    .await
                    .map(drop)
            })
        })
        .await
}

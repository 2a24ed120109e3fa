//! API keys in PostgreSQL.

use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::key::{KeyRecord, Scope};
use crate::{
    base::{KeyId, Timestamp},
    ledger::{LedgerFault, postgres::Postgres},
};

/// Ids of the key and of its storefront, label, hash, scopes; when it was made, revoked, ends, was
/// used.
type Row = (
    Uuid,
    Uuid,
    String,
    Vec<u8>,
    Json<Vec<Scope>>,
    OffsetDateTime,
    Option<OffsetDateTime>,
    Option<OffsetDateTime>,
    Option<OffsetDateTime>,
);

fn record(row: Row) -> Result<KeyRecord, LedgerFault> {
    let (id, storefront, label, hash, scopes, created_at, revoked_at, expires_at, used_at) = row;
    let hash = hash.try_into();
    Ok(KeyRecord {
        id: KeyId::from_uuid(id),
        storefront: KeyId::from_uuid(storefront),
        label,
        hash: hash.map_err(|_| LedgerFault::Broken("api_keys.hash is damaged".into()))?,
        scopes: scopes.0,
        created_at: moment(created_at),
        revoked_at: revoked_at.map(moment),
        expires_at: expires_at.map(moment),
        used_at: used_at.map(moment),
    })
}

fn moment(at: OffsetDateTime) -> Timestamp {
    let micros = at.unix_timestamp_nanos() / 1000;
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

pub(super) async fn insert_key(postgres: &Postgres, key: &KeyRecord) -> Result<(), LedgerFault> {
    let key = key.clone();
    let kept = postgres.prepares();
    postgres
        .run(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "insert into api_keys (id, label, hash, scopes, created_at, storefront,
                                           expires_at)
                     values ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(key.id.uuid())
                .bind(key.label)
                .bind(key.hash.to_vec())
                .bind(Json(key.scopes))
                .bind(key.created_at.to_offset())
                .bind(key.storefront.uuid())
                .bind(key.expires_at.map(Timestamp::to_offset))
                .persistent(kept)
                .execute(conn)
                .await
                .map(drop)
            })
        })
        .await
}

pub(super) async fn find_key(
    postgres: &Postgres,
    id: KeyId,
) -> Result<Option<KeyRecord>, LedgerFault> {
    let kept = postgres.prepares();
    let row: Option<Row> = postgres
        .run(move |conn| {
            Box::pin(
                sqlx::query_as(
                    "select id, coalesce(storefront, id), label, hash, scopes, created_at,
                            revoked_at, expires_at, used_at
                     from api_keys where id = $1",
                )
                .bind(id.uuid())
                .persistent(kept)
                .fetch_optional(conn),
            )
        })
        .await?;
    row.map(record).transpose()
}

pub(super) async fn list_keys(postgres: &Postgres) -> Result<Vec<KeyRecord>, LedgerFault> {
    let kept = postgres.prepares();
    let rows: Vec<Row> = postgres
        .run(|conn| {
            Box::pin(
                sqlx::query_as(
                    "select id, coalesce(storefront, id), label, hash, scopes, created_at,
                            revoked_at, expires_at, used_at
                     from api_keys order by created_at, id",
                )
                .persistent(kept)
                .fetch_all(conn),
            )
        })
        .await?;
    rows.into_iter().map(record).collect()
}

pub(super) async fn revoke_key(
    postgres: &Postgres,
    id: KeyId,
    now: Timestamp,
) -> Result<bool, LedgerFault> {
    let kept = postgres.prepares();
    let done = postgres
        .run(move |conn| {
            Box::pin(
                sqlx::query(
                    "update api_keys set revoked_at = $2 where id = $1 and revoked_at is null",
                )
                .bind(id.uuid())
                .bind(now.to_offset())
                .persistent(kept)
                .execute(conn),
            )
        })
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn note_use(
    postgres: &Postgres,
    id: KeyId,
    now: Timestamp,
) -> Result<(), LedgerFault> {
    let kept = postgres.prepares();
    let sql = "update api_keys set used_at = greatest(used_at, $2) where id = $1";
    let noted = postgres.run(move |conn| {
        let query = sqlx::query(sql).bind(id.uuid()).bind(now.to_offset());
        Box::pin(query.persistent(kept).execute(conn))
    });
    noted.await.map(drop)
}

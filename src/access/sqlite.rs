//! API keys in SQLite. Ids are hyphenated text, times text of fixed width, scopes a JSON array.

use super::key::{KeyRecord, Scope};
use crate::{
    base::{KeyId, Timestamp},
    ledger::{LedgerFault, sqlite::Sqlite},
};

/// Ids of the key and of its storefront, label, hash, scopes; when it was made, revoked, ends, was
/// used.
type Row = (
    String,
    String,
    String,
    Vec<u8>,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn record(row: Row) -> Result<KeyRecord, LedgerFault> {
    let (id, storefront, label, hash, scopes, created_at, revoked_at, expires_at, used_at) = row;
    let damaged = |column| LedgerFault::Broken(format!("api_keys.{column} is damaged"));
    let moment = |text: &str, column| Timestamp::parse(text).ok_or_else(|| damaged(column));
    let scopes: Result<Vec<Scope>, _> = serde_json::from_str(&scopes);
    let uuid = |text: &str, column| uuid::Uuid::try_parse(text).map_err(|_| damaged(column));
    Ok(KeyRecord {
        id: KeyId::from_uuid(uuid(&id, "id")?),
        storefront: KeyId::from_uuid(uuid(&storefront, "storefront")?),
        label,
        hash: hash.try_into().map_err(|_| damaged("hash"))?,
        scopes: scopes.map_err(|_| damaged("scopes"))?,
        created_at: moment(&created_at, "created_at")?,
        revoked_at: revoked_at.map(|text| moment(&text, "revoked_at")).transpose()?,
        expires_at: expires_at.map(|text| moment(&text, "expires_at")).transpose()?,
        used_at: used_at.map(|text| moment(&text, "used_at")).transpose()?,
    })
}

pub(super) async fn insert_key(sqlite: &Sqlite, key: &KeyRecord) -> Result<(), LedgerFault> {
    let key = key.clone();
    let scopes = serde_json::to_string(&key.scopes)
        .map_err(|error| LedgerFault::Broken(error.to_string()))?;
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "insert into api_keys (id, label, hash, scopes, created_at, storefront,
                                           expires_at)
                     values ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(key.id.uuid().to_string())
                .bind(key.label)
                .bind(key.hash.to_vec())
                .bind(scopes)
                .bind(key.created_at.to_string())
                .bind(key.storefront.uuid().to_string())
                .bind(key.expires_at.map(|end| end.to_string()))
                .execute(conn)
                .await
                .map(drop)
            })
        })
        .await
}

pub(super) async fn find_key(sqlite: &Sqlite, id: KeyId) -> Result<Option<KeyRecord>, LedgerFault> {
    let row: Option<Row> = sqlite
        .read(move |conn| {
            Box::pin(
                sqlx::query_as(
                    "select id, coalesce(storefront, id), label, hash, scopes, created_at,
                            revoked_at, expires_at, used_at
                     from api_keys where id = $1",
                )
                .bind(id.uuid().to_string())
                .fetch_optional(conn),
            )
        })
        .await?;
    row.map(record).transpose()
}

pub(super) async fn list_keys(sqlite: &Sqlite) -> Result<Vec<KeyRecord>, LedgerFault> {
    let rows: Vec<Row> = sqlite
        .read(|conn| {
            Box::pin(
                sqlx::query_as(
                    "select id, coalesce(storefront, id), label, hash, scopes, created_at,
                            revoked_at, expires_at, used_at
                     from api_keys order by created_at, id",
                )
                .fetch_all(conn),
            )
        })
        .await?;
    rows.into_iter().map(record).collect()
}

pub(super) async fn revoke_key(
    sqlite: &Sqlite,
    id: KeyId,
    now: Timestamp,
) -> Result<bool, LedgerFault> {
    let done = sqlite
        .write(move |conn| {
            Box::pin(
                sqlx::query(
                    "update api_keys set revoked_at = $2 where id = $1 and revoked_at is null",
                )
                .bind(id.uuid().to_string())
                .bind(now.to_string())
                .execute(conn),
            )
        })
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn note_use(
    sqlite: &Sqlite,
    id: KeyId,
    now: Timestamp,
) -> Result<(), LedgerFault> {
    let sql = "update api_keys set used_at = max(coalesce(used_at, $2), $2) where id = $1";
    let noted = sqlite.write(move |conn| {
        let query = sqlx::query(sql).bind(id.uuid().to_string()).bind(now.to_string());
        Box::pin(query.execute(conn))
    });
    noted.await.map(drop)
}

//! API keys in SQLite. Ids are hyphenated text, times text of fixed width, scopes a JSON array.

use super::key::{KeyRecord, Scope};
use crate::{
    base::{KeyId, Timestamp},
    ledger::{LedgerFault, sqlite::Sqlite},
};

type Row = (String, String, Vec<u8>, String, String, Option<String>);

fn record(row: Row) -> Result<KeyRecord, LedgerFault> {
    let (id, label, hash, scopes, created_at, revoked_at) = row;
    let damaged = |column| LedgerFault::Broken(format!("api_keys.{column} is damaged"));
    let moment = |text: &str, column| Timestamp::parse(text).ok_or_else(|| damaged(column));
    let scopes: Result<Vec<Scope>, _> = serde_json::from_str(&scopes);
    let id = uuid::Uuid::try_parse(&id).map_err(|_| damaged("id"))?;
    Ok(KeyRecord {
        id: KeyId::from_uuid(id),
        label,
        hash: hash.try_into().map_err(|_| damaged("hash"))?,
        scopes: scopes.map_err(|_| damaged("scopes"))?,
        created_at: moment(&created_at, "created_at")?,
        revoked_at: revoked_at.map(|text| moment(&text, "revoked_at")).transpose()?,
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
                    "insert into api_keys (id, label, hash, scopes, created_at)
                     values ($1, $2, $3, $4, $5)",
                )
                .bind(key.id.uuid().to_string())
                .bind(key.label)
                .bind(key.hash.to_vec())
                .bind(scopes)
                .bind(key.created_at.to_string())
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
                    "select id, label, hash, scopes, created_at, revoked_at
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
                    "select id, label, hash, scopes, created_at, revoked_at
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

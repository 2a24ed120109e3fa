//! `/v1/keys`: who may ask, made, listed and ended while the service runs.
//!
//! A storefront owns checkouts, orders and idempotency keys, and has several keys: the next one is
//! made before the old one ends, and nothing is lost.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::rule_lists::moment;
use crate::{
    access::{KeyRecord, KeyWish, KeysRefused, Scope, check_label},
    base::{KeyId, Timestamp},
    http::{
        answer, asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind,
        problem::Problem, refusal::sentence,
    },
};

/// The longest id of a key, in bytes: a prefix and 32 digits, and room.
const ID_BYTES: usize = 64;

/// The longest label, in bytes: a line of a list, each character of four.
const LABEL_BYTES: usize = 400;

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/keys").get(list).post(create))
        .service(web::resource("/keys/{id}/revoke").post(revoke));
}

/// A key. Its text is shown once, in the answer that makes it, and is nowhere kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct KeyView<'a> {
    id: KeyId,
    /// The storefront it speaks for, which owns checkouts, orders and idempotency keys.
    storefront: KeyId,
    label: &'a str,
    scopes: Vec<&'static str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// To the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// What to send as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

fn view<'a>(record: &'a KeyRecord, key: Option<&'a str>) -> KeyView<'a> {
    KeyView {
        id: record.id,
        storefront: record.storefront,
        label: &record.label,
        scopes: record.scopes.iter().map(|scope| scope.name()).collect(),
        created_at: record.created_at,
        expires_at: record.expires_at,
        revoked_at: record.revoked_at,
        used_at: record.used_at,
        key,
    }
}

async fn list(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let keys = door.keys.list().await?;
    let items: Vec<_> = keys.iter().map(|key| view(key, None)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// Makes a key. Asked again under the same idempotency key, it is the same one, without its text:
/// who never read the first answer ends it and makes another.
async fn create(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let mut fresh = None;
    let kept = idempotency::change(&door, &asking, async || {
        let made = door.keys.create(&wish(&asking)?, &*door.chance).await.map_err(refused)?;
        let stored = idempotency::answer(201, &view(&made.record, None));
        fresh = Some(made);
        Ok(stored)
    })
    .await?;
    let is_replay =
        kept.headers().contains_key(header::HeaderName::from_static("idempotent-replayed"));
    match fresh.filter(|_| !is_replay) {
        Some(made) => {
            answer::write(&idempotency::answer(201, &view(&made.record, Some(&made.text))))
        }
        None => Ok(kept),
    }
}

fn wish(asking: &Asking) -> Result<KeyWish, Problem> {
    let body = asking.body();
    let label = body.get("label")?;
    let label = label.parse(LABEL_BYTES, check_label)?;
    let scopes = body.get("scopes")?;
    let scopes = scopes.items(Scope::ALL.len())?;
    let scopes: Vec<Scope> =
        scopes.map(|scope| scope.parse(ID_BYTES, str::parse::<Scope>)).collect::<Result<_, _>>()?;
    if scopes.is_empty() {
        return Err(Problem::new(Kind::Invalid, "A key allows something.").at("/scopes"));
    }
    let storefront = body.find("storefront");
    let storefront = storefront.map(|at| at.parse(ID_BYTES, str::parse::<KeyId>)).transpose()?;
    Ok(KeyWish { label, scopes, storefront, expires_at: moment(&body, "expires_at")? })
}

async fn revoke(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such key.");
    idempotency::change(&door, &asking, async || {
        let id: KeyId = id.parse().map_err(|_| unknown())?;
        let now = door.keys.now();
        let admins = |key: &&KeyRecord| key.is_in_force(now) && key.scopes.contains(&Scope::Admin);
        let keys = door.keys.list().await?;
        if keys.iter().filter(admins).map(|key| key.id).eq([id]) {
            let text = "Without this key nobody could make or end keys over the API.";
            let way = "Make another key with the scope `admin` first.";
            return Err(Problem::new(Kind::LastAdminKey, text).suggest(way));
        }
        door.keys.revoke(id).await?;
        let keys = door.keys.list().await?;
        let key = keys.iter().find(|key| key.id == id).ok_or_else(unknown)?;
        Ok(idempotency::answer(200, &view(key, None)))
    })
    .await
}

fn refused(refused: KeysRefused) -> Problem {
    match refused {
        KeysRefused::Ledger(fault) => fault.into(),
        KeysRefused::UnknownStorefront(_) => {
            Problem::new(Kind::Invalid, sentence(&refused)).at("/storefront")
        }
        KeysRefused::Ended => Problem::new(Kind::Invalid, sentence(&refused)).at("/expires_at"),
    }
}

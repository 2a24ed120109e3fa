//! `/v1/webhook-endpoints`: who hears of what happens to orders.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

use crate::{
    base::{EndpointId, Timestamp},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
    outbox::{Endpoint, EndpointsRefused, Form, KINDS, Secret, TimedSecret},
};

/// The longest address of an endpoint, in bytes: as long as servers on the way let through.
const URL_BYTES: usize = 2048;

/// The longest id of an API key, in bytes: a prefix and 32 digits, and room.
const KEY_ID_BYTES: usize = 64;

/// How long an old secret counts after a new one was made, unless asked otherwise: a day to deploy.
const KEEP_SECONDS: u32 = 24 * 60 * 60;

/// The longest time it may: a month, after which nobody remembers why there are two.
const KEEP_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/webhook-endpoints").get(list).post(create))
        .service(web::resource("/webhook-endpoints/{id}").get(get).put(save).delete(remove))
        .service(web::resource("/webhook-endpoints/{id}/rotate-secret").post(rotate));
}

/// An endpoint; its secret is shown when it is made and when it is changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct EndpointView<'a> {
    id: EndpointId,
    url: &'a str,
    kinds: &'a [String],
    format: Form,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_by: Option<&'a str>,
    description: &'a str,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

fn view(endpoint: &Endpoint, shows_secret: bool) -> EndpointView<'_> {
    let newest = endpoint.secrets.first().filter(|_| shows_secret);
    EndpointView {
        id: endpoint.id,
        url: &endpoint.url,
        kinds: &endpoint.kinds,
        format: endpoint.form,
        opened_by: endpoint.opened_by.as_deref(),
        description: &endpoint.description,
        active: endpoint.active,
        disabled: endpoint.disabled.as_deref(),
        created_at: endpoint.created_at,
        secret: newest.map(|newest| newest.secret.expose()),
    }
}

async fn list(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let endpoints = door.webhooks.endpoints.list().await?;
    let items: Vec<_> = endpoints.iter().map(|endpoint| view(endpoint, false)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(view(&find(&door, &id).await?, false)))
}

async fn create(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    idempotency::change(&door, &asking, async || {
        let body = asking.body();
        let now = door.clock.now();
        let secret = TimedSecret { secret: Secret::make(&*door.chance), until: None };
        let endpoint = Endpoint {
            id: id_of(&asking),
            url: url(&body.get("url")?, &door)?,
            kinds: kinds(&body)?,
            form: form(&body)?.unwrap_or_default(),
            opened_by: body.text_in("opened_by", KEY_ID_BYTES)?,
            description: body.text_in("description", door.limits.text_bytes)?.unwrap_or_default(),
            active: true,
            disabled: None,
            secrets: vec![secret],
            created_at: now,
        };
        // Sent again after a crash, it is the one that was made then.
        let endpoint = door.webhooks.endpoints.add(endpoint).await.map_err(refused)?;
        Ok(idempotency::answer(201, &view(&endpoint, true)))
    })
    .await
}

async fn save(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    idempotency::change(&door, &asking, async || {
        let before = find(&door, &id).await?;
        let body = asking.body();
        let active = body.find("active").map(|field| field.truth()).transpose()?.unwrap_or(true);
        let after = Endpoint {
            url: url(&body.get("url")?, &door)?,
            kinds: kinds(&body)?,
            form: form(&body)?.unwrap_or(before.form),
            opened_by: body.text_in("opened_by", KEY_ID_BYTES)?,
            description: body.text_in("description", door.limits.text_bytes)?.unwrap_or_default(),
            active,
            disabled: before.disabled.clone().filter(|_| !active),
            ..before.clone()
        };
        door.webhooks.endpoints.change(&before, &after).await.map_err(refused)?;
        Ok(idempotency::answer(200, &view(&after, false)))
    })
    .await
}

async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    idempotency::change(&door, &asking, async || {
        let id: EndpointId = id.parse().map_err(|_| unknown())?;
        // Removing what is not there is as good.
        door.webhooks.endpoints.remove(id, door.clock.now()).await?;
        Ok(idempotency::answer(200, &json!({ "removed": id })))
    })
    .await
}

/// Signs with a new secret as well; the old one counts for `keep_seconds` more, so that the
/// receiver can be changed meanwhile.
async fn rotate(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    idempotency::change(&door, &asking, async || {
        let before = find(&door, &id).await?;
        let keep_for =
            asking.body().find("keep_seconds").map(|field| seconds(&field)).transpose()?;
        let keep_for = Duration::from_secs(u64::from(keep_for.unwrap_or(KEEP_SECONDS)));
        let mut after = before.clone();
        after.rotate(Secret::make(&*door.chance), keep_for, door.clock.now());
        door.webhooks.endpoints.change(&before, &after).await.map_err(refused)?;
        Ok(idempotency::answer(200, &view(&after, true)))
    })
    .await
}

async fn find(door: &Door, id: &str) -> Result<Endpoint, Problem> {
    let id = id.parse().map_err(|_| unknown())?;
    door.webhooks.endpoints.find(id).await?.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "There is no such endpoint.")
}

fn refused(refused: EndpointsRefused) -> Problem {
    match refused {
        EndpointsRefused::Ledger(fault) => fault.into(),
        EndpointsRefused::TooMany => Problem::new(Kind::LimitExceeded, format!("{refused}.")),
        EndpointsRefused::Changed => {
            Problem::new(Kind::Busy, "Somebody changed this endpoint at the same time.")
        }
    }
}

/// The id of what this request makes: the same each time it is sent.
fn id_of(asking: &Asking) -> EndpointId {
    let hash = Sha256::digest(format!("endpoint/{}/{}", asking.caller(), asking.key()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    EndpointId::from_uuid(Uuid::from_bytes(bytes))
}

fn url(field: &At<'_>, door: &Door) -> Result<String, Problem> {
    let raw = field.text(URL_BYTES)?;
    let target =
        door.webhooks.client.target(raw).map_err(|refused| {
            field.problem(Kind::Invalid, format!("It is not asked: {refused}."))
        })?;
    Ok(target.as_str().to_owned())
}

fn kinds(body: &At<'_>) -> Result<Vec<String>, Problem> {
    let Some(list) = body.find("kinds") else { return Ok(Vec::new()) };
    let kind = |item: At<'_>| {
        let kind = item.text(64)?;
        if KINDS.contains(&kind) {
            return Ok(kind.to_owned());
        }
        let text = format!("There are these kinds: {}.", KINDS.join(", "));
        Err(item.problem(Kind::Invalid, text))
    };
    list.items(KINDS.len())?.map(kind).collect()
}

/// The form of deliveries, where it is said.
fn form(body: &At<'_>) -> Result<Option<Form>, Problem> {
    let Some(field) = body.find("format") else { return Ok(None) };
    match field.text(16)? {
        "standard" => Ok(Some(Form::Standard)),
        "acp" => Ok(Some(Form::Acp)),
        _ => Err(field.problem(Kind::Invalid, "There are `standard` and `acp`.".to_owned())),
    }
}

fn seconds(field: &At<'_>) -> Result<u32, Problem> {
    match field.integer()? {
        0 => Ok(0),
        _ => field.quantity(KEEP_SECONDS_MAX),
    }
}

//! `/v1/webhook-endpoints` and `/v1/webhook-deliveries`: who hears of what happens to orders, and
//! what became of it.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

use super::{
    order_view::OrderView,
    page::{self, Wanted},
};
use crate::{
    base::{DeliveryId, EndpointId, EventId, OrderId, Timestamp},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
    ledger::{
        EntryId, Fact,
        entry::{NewEvent, StoredAnswer},
        row::OrderRow,
    },
    outbox::{
        Delivery, DeliveryFilter, DeliveryState, Endpoint, EndpointsRefused, KINDS, Secret,
        TimedSecret,
    },
};

/// The longest address of an endpoint, in bytes: as long as servers on the way let through.
const URL_BYTES: usize = 2048;

/// How long an old secret counts after a new one was made, unless asked otherwise: a day to deploy.
const KEEP_SECONDS: u32 = 24 * 60 * 60;

/// The longest time it may: a month, after which nobody remembers why there are two.
const KEEP_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/webhook-endpoints").get(list).post(create))
        .service(web::resource("/webhook-endpoints/{id}").get(get).put(save).delete(remove))
        .service(web::resource("/webhook-endpoints/{id}/rotate-secret").post(rotate))
        .service(web::resource("/webhook-deliveries").get(deliveries))
        .service(web::resource("/webhook-deliveries/{id}").get(delivery))
        .service(web::resource("/webhook-deliveries/{id}/redeliver").post(redeliver));
}

/// An endpoint; its secret is shown when it is made and when it is changed.
#[derive(Debug, Serialize)]
struct EndpointView<'a> {
    id: EndpointId,
    url: &'a str,
    kinds: &'a [String],
    description: &'a str,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct DeliveryView {
    id: DeliveryId,
    event: EventId,
    order: OrderId,
    endpoint: String,
    kind: String,
    state: DeliveryState,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_fault: Option<String>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

/// Which deliveries.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    order: Option<String>,
    endpoint: Option<String>,
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// An event as endpoints get it: `{type, timestamp, data: {order}}`, the order as it stands now.
pub fn payload(event: &NewEvent, order: OrderRow) -> String {
    let (kind, at) = (event.kind.as_str(), event.at);
    // A person that does not open is left out: the order is told all the same.
    let order = OrderView::whole(order.clone()).unwrap_or_else(|_| OrderView::brief(order));
    json!({ "type": kind, "timestamp": at, "data": { "order": order } }).to_string()
}

fn view(endpoint: &Endpoint, shows_secret: bool) -> EndpointView<'_> {
    let newest = endpoint.secrets.first().filter(|_| shows_secret);
    EndpointView {
        id: endpoint.id,
        url: &endpoint.url,
        kinds: &endpoint.kinds,
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
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let body = asking.body();
    let now = door.clock.now();
    let secret = TimedSecret { secret: Secret::make(&*door.chance), until: None };
    let endpoint = Endpoint {
        id: id_of(&asking),
        url: url(&body.get("url")?, &door)?,
        kinds: kinds(&body)?,
        description: body.text_in("description", door.limits.text_bytes)?.unwrap_or_default(),
        active: true,
        disabled: None,
        secrets: vec![secret],
        created_at: now,
    };
    // Sent again after a crash, it is the one that was made then.
    let endpoint = door.webhooks.endpoints.add(endpoint).await.map_err(refused)?;
    keep(&door, &asking, idempotency::answer(201, &view(&endpoint, true))).await
}

async fn save(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let before = find(&door, &id).await?;
    let body = asking.body();
    let active = body.find("active").map(|field| field.truth()).transpose()?.unwrap_or(true);
    let after = Endpoint {
        url: url(&body.get("url")?, &door)?,
        kinds: kinds(&body)?,
        description: body.text_in("description", door.limits.text_bytes)?.unwrap_or_default(),
        active,
        disabled: before.disabled.clone().filter(|_| !active),
        ..before.clone()
    };
    door.webhooks.endpoints.change(&before, &after).await.map_err(refused)?;
    keep(&door, &asking, idempotency::answer(200, &view(&after, false))).await
}

async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let id: EndpointId = id.parse().map_err(|_| unknown())?;
    // Removing what is not there is as good.
    door.webhooks.endpoints.remove(id, door.clock.now()).await?;
    keep(&door, &asking, idempotency::answer(200, &json!({ "removed": id }))).await
}

/// Signs with a new secret as well; the old one counts for `keep_seconds` more, so that the
/// receiver can be changed meanwhile.
async fn rotate(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let before = find(&door, &id).await?;
    let keep_for = asking.body().find("keep_seconds").map(|field| seconds(&field)).transpose()?;
    let keep_for = Duration::from_secs(u64::from(keep_for.unwrap_or(KEEP_SECONDS)));
    let mut after = before.clone();
    after.rotate(Secret::make(&*door.chance), keep_for, door.clock.now());
    door.webhooks.endpoints.change(&before, &after).await.map_err(refused)?;
    keep(&door, &asking, idempotency::answer(200, &view(&after, true))).await
}

async fn deliveries(
    door: web::Data<Door>,
    _caller: Caller,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted { cursor: filter.cursor.clone(), limit: filter.limit };
    let size = wanted.size(&door.limits)?;
    let of = DeliveryFilter {
        delivery: None,
        order: parameter(filter.order.as_deref(), "order", |raw| raw.parse().ok())?,
        endpoint: parameter(filter.endpoint.as_deref(), "endpoint", |raw| raw.parse().ok())?,
        state: parameter(filter.state.as_deref(), "state", |raw| {
            serde_json::from_value(json!(raw)).ok()
        })?,
        cursor: wanted.after()?,
    };
    let rows = door.webhooks.deliveries.list(&of, size + 1).await?;
    Ok(page::answer(rows, size, |row| row.id.to_string(), |row| delivery_view(row, false)))
}

async fn delivery(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such delivery.");
    let of = DeliveryFilter {
        delivery: Some(id.parse().map_err(|_| unknown())?),
        ..DeliveryFilter::default()
    };
    let row = door.webhooks.deliveries.list(&of, 1).await?.pop().ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(delivery_view(row, true)))
}

/// Sends a delivery again, whatever came of it: the same id, the same body.
async fn redeliver(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let unknown = || Problem::new(Kind::NotFound, "There is no such delivery.");
    let id: DeliveryId = id.parse().map_err(|_| unknown())?;
    if !door.webhooks.deliveries.send_again(id, door.clock.now()).await? {
        return Err(unknown());
    }
    let answer = idempotency::answer(202, &json!({ "id": id, "state": DeliveryState::Due }));
    keep(&door, &asking, answer).await
}

fn delivery_view(row: Delivery, shows_body: bool) -> DeliveryView {
    let body = RawValue::from_string(row.body).ok().filter(|_| shows_body);
    DeliveryView {
        id: row.id,
        event: row.event_id,
        order: row.order_id,
        endpoint: row.receiver,
        kind: row.kind,
        state: row.state,
        attempts: row.attempts,
        last_status: row.last_status,
        last_fault: row.last_fault,
        at: row.stamped_at,
        body,
    }
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

fn seconds(field: &At<'_>) -> Result<u32, Problem> {
    match field.integer()? {
        0 => Ok(0),
        _ => field.quantity(KEEP_SECONDS_MAX),
    }
}

fn parameter<T>(
    raw: Option<&str>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let read = |raw| {
        read(raw).ok_or_else(|| {
            let text = format!("The parameter `{name}` names nothing of ours.");
            Problem::new(Kind::Invalid, text).at(format!("/{name}"))
        })
    };
    raw.map(read).transpose()
}

/// Endpoints are no facts of the ledger: the key is written after, and a crash in between only does
/// the same again.
async fn keep(door: &Door, asking: &Asking, answer: StoredAnswer) -> Result<HttpResponse, Problem> {
    let id = EntryId::of(format_args!("webhooks/{}/{}", asking.caller(), asking.key()));
    idempotency::write_once(door, asking, id, answer, Fact::Answer).await
}

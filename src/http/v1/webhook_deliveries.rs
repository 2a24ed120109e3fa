//! `/v1/webhook-deliveries`: what became of what was told.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{
    order_view::OrderView,
    page::{self, Wanted, parameter},
};
use crate::{
    base::{DeliveryId, EventId, OrderId, Timestamp},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
    },
    ledger::{entry::NewEvent, row::OrderRow},
    outbox::{Delivery, DeliveryFilter, DeliveryState},
};

/// Where a delivery may stand.
const STATES: &str = "`due`, `delivered`, `parked` or `disabled`";

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/webhook-deliveries").get(list))
        .service(web::resource("/webhook-deliveries/{id}").get(get))
        .service(web::resource("/webhook-deliveries/{id}/redeliver").post(redeliver));
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct DeliveryView {
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
    #[schemars(with = "Option<serde_json::Value>")]
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

async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted { cursor: filter.cursor.clone(), limit: filter.limit };
    let size = wanted.size(&door.limits)?;
    let of = DeliveryFilter {
        delivery: None,
        order: parameter(filter.order.as_deref(), "order", "an order's id", |raw| {
            raw.parse().ok()
        })?,
        receiver: filter.endpoint.clone(),
        state: parameter(filter.state.as_deref(), "state", STATES, |raw| {
            serde_json::from_value(json!(raw)).ok()
        })?,
        cursor: wanted.after()?,
    };
    let rows = door.webhooks.deliveries.list(&of, size + 1).await?;
    Ok(page::answer(rows, size, |row| row.id.to_string(), |row| view(row, false)))
}

async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let of = DeliveryFilter {
        delivery: Some(id.parse().map_err(|_| unknown())?),
        ..DeliveryFilter::default()
    };
    let row = door.webhooks.deliveries.list(&of, 1).await?.pop().ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(view(row, true)))
}

/// Sends a delivery again, whatever came of it: the same id, the same body.
async fn redeliver(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    idempotency::change(&door, &asking, async || {
        let id: DeliveryId = id.parse().map_err(|_| unknown())?;
        if !door.webhooks.deliveries.send_again(id, door.clock.now()).await? {
            return Err(unknown());
        }
        Ok(idempotency::answer(202, &json!({ "id": id, "state": DeliveryState::Due })))
    })
    .await
}

fn view(row: Delivery, shows_body: bool) -> DeliveryView {
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

fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "There is no such delivery.")
}

//! `GET` and `PUT /orders/{id}`: an order, and what is told of it after the sale.

use actix_web::{HttpResponse, web};

use super::{agent::Agent, order_request, order_wire};
use crate::{
    base::{Protocol, Sealed},
    http::{
        asking::Asking,
        caller::Caller,
        door::Door,
        idempotency,
        order_body::{self, OrderBody},
        problem::Problem,
    },
    ledger::entry::StoredAnswer,
};

/// Shows an order.
pub async fn get(
    door: web::Data<Door>,
    _agent: Agent,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (row, body) = order_body::find_for(&door, &caller, Protocol::Ucp202601, &id).await?;
    Ok(order_body::answer(order_wire::write(&door.answers, &row, &body)))
}

/// Appends the events and adjustments that are new. Each has a name that it was told under, so that
/// telling it twice is telling it once; an error leaves those before it done.
pub async fn update(
    door: web::Data<Door>,
    _agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let row = order_body::find(&door, &id).await?;
    order_body::check_protocol(&OrderBody::of(&row), Protocol::Ucp202601)?;
    let now = door.clock.now();
    for wish in order_request::changes(&asking.body(), &row, &door.limits, now)? {
        if let Err(refused) = door.desk.change_order_once_captured(wish).await? {
            return Err(refused.into());
        }
    }
    let row = order_body::find(&door, &id).await?;
    let text = order_wire::write(&door.answers, &row, &OrderBody::of(&row));
    let answer = StoredAnswer { status: 200, body: Sealed::seal(&text).into(), version: 0 };
    idempotency::keep(&door, &asking, "orders", answer).await
}

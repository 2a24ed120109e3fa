//! `GET` and `PUT /orders/{id}`: an order, and what is told of it after the sale.

use actix_web::{HttpResponse, web};
use std::time::Duration;

use super::{agent::Agent, order_request, order_wire};
use crate::{
    base::{Protocol, Sealed},
    checkout::ChangeWish,
    http::{
        asking::Asking,
        caller::Caller,
        door::Door,
        idempotency,
        order_body::{self, OrderBody},
        problem::Problem,
    },
    ledger::{
        LedgerRefused,
        entry::StoredAnswer,
        row::{OperationKind, OperationState, OrderRow},
    },
};

/// A refund may be told of right after the sale, while the gateway still takes the money.
const CAPTURE_WAIT: Duration = Duration::from_secs(2);

/// How often it is looked whether the money was taken.
const CAPTURE_LOOK: Duration = Duration::from_millis(20);

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
        change(&door, &row, wish).await?;
    }
    let row = order_body::find(&door, &id).await?;
    let text = order_wire::write(&door.answers, &row, &OrderBody::of(&row));
    let answer = StoredAnswer { status: 200, body: Sealed::seal(&text), version: 0 };
    idempotency::keep(&door, &asking, "orders", answer).await
}

async fn change(door: &Door, row: &OrderRow, wish: ChangeWish) -> Result<(), Problem> {
    let give_up = door.clock.now().plus(CAPTURE_WAIT);
    loop {
        let refused = match door.desk.change_order(wish.clone(), None).await? {
            Ok(_) => return Ok(()),
            Err(refused) => refused,
        };
        let is_early = matches!(refused, LedgerRefused::NotCaptured);
        if !is_early || door.clock.now() >= give_up || !is_to_be_captured(row) {
            return Err(refused.into());
        }
        tokio::time::sleep(CAPTURE_LOOK).await;
    }
}

fn is_to_be_captured(row: &OrderRow) -> bool {
    row.operations
        .iter()
        .any(|row| row.operation.kind == OperationKind::Capture && row.state == OperationState::Due)
}

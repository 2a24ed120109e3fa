//! `GET /orders/{id}`: an order, for the agent whose checkout it was.

use actix_web::{HttpResponse, http::header, web};

use super::{attempt::Version, checkout_sessions::refused, order_wire::OrderWire};
use crate::{
    base::{OrderId, Protocol},
    checkout::CheckoutRefused,
    http::{caller::Caller, door::Door, kinds::Kind, order_body::OrderBody, problem::Problem},
    ledger::{LedgerFault, review::CaseState},
};

/// Shows an order.
pub async fn get(
    door: web::Data<Door>,
    _version: Version,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such order.");
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let row = door.store.find_order(id).await?.ok_or_else(unknown)?;
    let body = OrderBody::of(&row);
    if body.caller.as_deref().is_some_and(|owner| owner != &*caller.0) {
        return Err(unknown());
    }
    let opened = body.origin.protocol;
    if !opened.is_open_to(Protocol::Acp) {
        return Err(refused(CheckoutRefused::OtherProtocol(opened)));
    }
    let wire = OrderWire::of(&door.answers, &row, &body, is_in_review(&door, id).await?);
    let json = serde_json::to_string(&wire);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(json.map_err(|fault| Problem::fault(Kind::Internal, fault))?))
}

/// Whether a person has yet to decide about an order.
pub async fn is_in_review(door: &Door, order: OrderId) -> Result<bool, LedgerFault> {
    let case = door.cases.find(order).await?;
    Ok(case.is_some_and(|case| case.state == CaseState::Open))
}

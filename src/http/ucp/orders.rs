//! `GET /orders/{id}`: an order, for the platform whose checkout it was.

use actix_web::{HttpResponse, http::header, web};

use super::{agent::Agent, checkout_sessions::refused, order_wire};
use crate::{
    base::{OrderId, Protocol},
    checkout::CheckoutRefused,
    http::{caller::Caller, door::Door, kinds::Kind, order_body::OrderBody, problem::Problem},
};

/// Shows an order.
pub async fn get(
    door: web::Data<Door>,
    _agent: Agent,
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
    if !opened.is_open_to(Protocol::Ucp) {
        return Err(refused(CheckoutRefused::OtherProtocol(opened)));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(order_wire::write(&door.answers, &row, &body)))
}

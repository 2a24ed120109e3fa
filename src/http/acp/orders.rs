//! `GET /orders/{id}`: an order, for the agent whose checkout it was.

use actix_web::{HttpResponse, web};

use super::{attempt::Version, order_wire::OrderWire};
use crate::{
    base::{OrderId, Protocol},
    http::{caller::Caller, door::Door, kinds::Kind, order_body, problem::Problem},
    ledger::{LedgerFault, review::CaseState},
};

/// Shows an order.
pub async fn get(
    door: web::Data<Door>,
    _version: Version,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (row, body) = order_body::find_for(&door, &caller, Protocol::Acp, &id).await?;
    let wire = OrderWire::of(&door.answers, &row, &body, is_in_review(&door, row.id).await?);
    let json = serde_json::to_string(&wire);
    Ok(order_body::answer(json.map_err(|fault| Problem::fault(Kind::Internal, fault))?))
}

/// Whether a person has yet to decide about an order.
pub async fn is_in_review(door: &Door, order: OrderId) -> Result<bool, LedgerFault> {
    let case = door.cases.find(order).await?;
    Ok(case.is_some_and(|case| case.state == CaseState::Open))
}

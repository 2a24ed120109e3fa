//! `GET /orders/{id}`: an order, for the platform whose checkout it was.

use actix_web::{HttpResponse, web};

use super::{agent::Agent, order_wire};
use crate::{
    base::Protocol,
    http::{caller::Caller, door::Door, order_body, problem::Problem},
};

/// Shows an order.
pub async fn get(
    door: web::Data<Door>,
    _agent: Agent,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (row, body) = order_body::find_for(&door, &caller, Protocol::Ucp, &id).await?;
    Ok(order_body::answer(order_wire::write(&door.answers, &row, &body)))
}

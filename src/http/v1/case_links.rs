//! `GET /v1/cases/{order}/links`: orders that share something with this one, one and two steps
//! away.
//!
//! Asked of any order that was judged, not only of one with a case: a reviewer goes from order to
//! order.

use actix_web::{HttpResponse, web};

use crate::{
    base::OrderId,
    http::{caller::Caller, door::Door, kinds::Kind, problem::Problem},
};

/// Lists them, frauds first.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown =
        || Problem::new(Kind::NotFound, "There is no order with that id that was judged.");
    let order: OrderId = id.parse().map_err(|_| unknown())?;
    let linked = door.cases.links().of(order).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(linked))
}

//! `GET /v1/orders`, `GET /v1/orders/{id}`: what was sold.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    order_view::OrderView,
    page::{self, Wanted, parameter},
};
use crate::{
    base::{Sku, Timestamp},
    http::{caller::Caller, door::Door, order_body, problem::Problem},
    ledger::{row::OperationState, store::OrderFilter},
};

/// Which orders.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    sku: Option<String>,
    placed_from: Option<String>,
    placed_before: Option<String>,
    payment: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists orders, newest first.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let Filter { cursor, limit, .. } = &*filter;
    let wanted = Wanted { cursor: cursor.clone(), limit: *limit };
    let size = wanted.size(&door.limits)?;
    let rows = door.store.list_orders(&read(&filter)?, wanted.after()?, size + 1).await?;
    Ok(page::answer(rows, size, |row| row.id.to_string(), OrderView::brief))
}

/// Shows an order with its buyer.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(OrderView::whole(order_body::find(&door, &id).await?)?))
}

fn read(filter: &Filter) -> Result<OrderFilter, Problem> {
    Ok(OrderFilter {
        sku: parameter(filter.sku.as_deref(), "sku", "a SKU", |raw| Sku::parse(raw).ok())?,
        placed_from: time(filter.placed_from.as_deref(), "placed_from")?,
        placed_before: time(filter.placed_before.as_deref(), "placed_before")?,
        payment: parameter(
            filter.payment.as_deref(),
            "payment",
            "`due`, `done` or `refused`",
            |raw| match raw {
                "due" => Some(OperationState::Due),
                "done" => Some(OperationState::Done),
                "refused" => Some(OperationState::Refused),
                _ => None,
            },
        )?,
    })
}

fn time(raw: Option<&str>, name: &str) -> Result<Option<Timestamp>, Problem> {
    parameter(raw, name, "an RFC 3339 time such as 2026-11-27T08:00:00Z", Timestamp::parse)
}

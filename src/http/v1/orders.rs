//! `GET /v1/orders`, `GET /v1/orders/{id}`: what was sold.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    order_view::OrderView,
    page::{self, Wanted, parameter},
};
use crate::{
    base::{Email, Sku, Timestamp},
    http::{caller::Caller, door::Door, order_body, problem::Problem},
    ledger::{
        row::{OperationState, OrderStatus},
        store::{BuyerName, OrderFilter},
    },
};

/// Which orders.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    id: Option<String>,
    email: Option<String>,
    name: Option<String>,
    min_minor: Option<String>,
    max_minor: Option<String>,
    currency: Option<String>,
    sku: Option<String>,
    placed_from: Option<String>,
    placed_before: Option<String>,
    payment: Option<String>,
    status: Option<String>,
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
    let amount = |raw: &Option<String>, name| {
        let read = |raw: &str| raw.parse::<i64>().ok().filter(|amount| *amount >= 0);
        parameter(raw.as_deref(), name, "0 or more minor units", read)
    };
    let currency = |raw: &str| raw.parse().ok();
    Ok(OrderFilter {
        id: parameter(filter.id.as_deref(), "id", "an order's id", |raw| raw.trim().parse().ok())?,
        email: parameter(
            filter.email.as_deref(),
            "email",
            "an e-mail address such as ada@example.com; write a `+` in it as %2B",
            |raw| Email::parse(raw.trim()).ok(),
        )?,
        name: parameter(filter.name.as_deref(), "name", "a buyer's name", BuyerName::parse)?,
        min_minor: amount(&filter.min_minor, "min_minor")?,
        max_minor: amount(&filter.max_minor, "max_minor")?,
        currency: parameter(
            filter.currency.as_deref(),
            "currency",
            "an ISO 4217 currency code such as EUR",
            currency,
        )?,
        sku: parameter(filter.sku.as_deref(), "sku", "a SKU", |raw| Sku::parse(raw).ok())?,
        placed_from: time(filter.placed_from.as_deref(), "placed_from")?,
        placed_before: time(filter.placed_before.as_deref(), "placed_before")?,
        status: parameter(filter.status.as_deref(), "status", &statuses(), OrderStatus::read)?,
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

fn statuses() -> String {
    let words: Vec<_> =
        OrderStatus::ALL.iter().map(|status| format!("`{}`", status.as_str())).collect();
    format!("one of {}", words.join(", "))
}

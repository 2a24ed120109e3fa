//! The body of an order webhook: the whole order each time, never a difference.

use serde::Serialize;

use super::order_wire::OrderWire;
use crate::{
    http::{order_body::OrderBody, render::Answers},
    ledger::row::OrderRow,
};

/// What a webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Event {
    /// There is a new order.
    #[serde(rename = "order_create")]
    Created,
    /// Something happened to it.
    #[serde(rename = "order_update")]
    Updated,
}

#[derive(Serialize)]
struct EventWire<'a> {
    r#type: Event,
    data: OrderWire<'a>,
}

/// The body that tells of this order, the same bytes for the same order. Whether a person has yet
/// to decide about it, its case knows.
pub fn body(answers: &Answers, event: Event, row: &OrderRow, in_review: bool) -> String {
    let document = OrderBody::of(row);
    let data = OrderWire::of(answers, row, &document, in_review);
    let wire = EventWire { r#type: event, data };
    serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys")
}

//! The body of an order webhook: the whole order each time, never a difference.

use serde::Serialize;

use super::order_wire::OrderWire;
use crate::{
    http::{order_body::OrderBody, render::Answers},
    ledger::row::OrderRow,
};

/// What happens to an order without showing in it: agents do not hear of that.
const UNSEEN: [&str; 3] = ["payment.captured", "payment.capture_failed", "payment.expiring"];

#[derive(Serialize)]
struct EventWire<'a> {
    r#type: &'static str,
    data: OrderWire<'a>,
}

/// The body that tells of this order, the same bytes for the same order. `None` for an event that
/// leaves it as it was shown. Whether a person has yet to decide about it, its case knows.
pub fn body(answers: &Answers, kind: &str, row: &OrderRow, in_review: bool) -> Option<String> {
    if UNSEEN.contains(&kind) {
        return None;
    }
    let r#type = if kind == "order.placed" { "order_create" } else { "order_update" };
    let document = OrderBody::of(row);
    let data = OrderWire::of(answers, row, &document, in_review);
    let wire = EventWire { r#type, data };
    Some(serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys"))
}

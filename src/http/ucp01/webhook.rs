//! The body of an order webhook: what happened, and the whole order.

use serde::Serialize;

use super::order_wire::OrderWire;
use crate::{
    base::CheckoutId,
    http::{order_body::OrderBody, render::Answers},
    ledger::row::OrderRow,
};

#[derive(Serialize)]
struct EventWire<'a> {
    event_type: &'static str,
    checkout_id: CheckoutId,
    order: OrderWire<'a>,
}

/// The body that tells of an event of the outbox (`order.placed`, …), the same bytes for the same
/// order; none for what this protocol tells nothing of.
pub fn body(answers: &Answers, event: &str, row: &OrderRow) -> Option<String> {
    let event_type = match event {
        "order.placed" => "order_placed",
        "order.shipped" => "order_shipped",
        _ => return None,
    };
    let document = OrderBody::of(row);
    let order = OrderWire::of(answers, row, &document);
    let wire = EventWire { event_type, checkout_id: row.id.checkout(), order };
    Some(serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys"))
}

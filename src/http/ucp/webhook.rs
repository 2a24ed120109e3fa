//! The body of an order webhook: the whole order each time, never a difference.

use serde_json::Value;

use super::order_wire;
use crate::{
    http::{order_body::OrderBody, render::Answers},
    ledger::row::OrderRow,
};

/// What happens to an order without showing in it: platforms do not hear of that.
const UNSEEN: [&str; 3] = ["payment.captured", "payment.capture_failed", "payment.expiring"];

/// The body that tells of this order, the same bytes for the same order. `None` for an event that
/// leaves it as it was shown.
///
/// It is written canonically (RFC 8785: keys in order, no spaces; all numbers are integers), so
/// that its digest is the same for those who take it of the bytes and those who take it of the
/// canonical form.
pub fn body(answers: &Answers, kind: &str, row: &OrderRow) -> Option<String> {
    if UNSEEN.contains(&kind) {
        return None;
    }
    let written = order_wire::write(answers, row, &OrderBody::of(row));
    let canonical: Value = serde_json::from_str(&written).expect("invariant: an order is JSON");
    Some(canonical.to_string())
}

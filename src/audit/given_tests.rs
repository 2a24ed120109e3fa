//! Each way in which what was given up of an order can fail to add up, one by one.

use super::*;
use crate::{
    base::{AttemptId, ChangeId, CheckoutId, OperationId, OrderId, Sku, Timestamp},
    ledger::{
        entry::{Given, OrderChange, Parcel},
        row::{NewOperation, NewOrderLine, OperationKind, OperationRow, OrderLineRow},
    },
};
use serde_json::json;
use uuid::Uuid;

fn attempt() -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(2))
}

fn operation(kind: OperationKind, number: u8, amount_minor: i64) -> OperationRow {
    OperationRow {
        operation: NewOperation {
            id: OperationId::of(attempt(), number),
            attempt: attempt(),
            kind,
            amount_minor,
            authorization: "auth".into(),
        },
        state: OperationState::Done,
        currency: "EUR".parse().expect("a currency"),
        order: OrderId::of(CheckoutId::from_uuid(Uuid::from_u128(1))),
    }
}

fn line(line: u32, sku: &str, unit_price_minor: i64) -> OrderLineRow {
    let sku = Sku::parse(sku).expect("a SKU");
    let ordered = NewOrderLine { line, sku, quantity: 1, unit_price_minor, tracked: true };
    OrderLineRow { ordered, shipped: 0, returned: 0, restocked: 0 }
}

fn given(paid: i64, refunded: i64, released: i64) -> Given {
    Given { line: 1, paid, refunded, released }
}

/// Two lines of 60.00 and 40.00 with a tenth off, captured; the first one was given back.
fn honest() -> OrderRow {
    let part = |line: usize, minor: i64| json!({"target": {"line": line}, "minor": minor});
    let document = json!({"priced": {"applied": [{"id": "tenth", "title": "Tenth", "minor": 1_000,
        "priority": 1, "allotments": [part(0, 600), part(1, 400)]}]}});
    let change = OrderChange {
        id: ChangeId::from_uuid(Uuid::from_u128(3)),
        moved: Vec::new(),
        money: Some(OperationId::of(attempt(), 4)),
        given: vec![given(5_400, 5_400, 0)],
        parcel: Parcel::default(),
        reason: "too warm".into(),
        at: Timestamp::from_micros(0),
    };
    OrderRow {
        id: OrderId::of(CheckoutId::from_uuid(Uuid::from_u128(1))),
        total_minor: 9_000,
        currency: "EUR".parse().expect("a currency"),
        placed_at: Timestamp::from_micros(0),
        body: serde_json::value::to_raw_value(&document).expect("JSON").into(),
        personal: None,
        attempt: attempt(),
        lines: vec![line(1, "COAT", 6_000), line(2, "LAMP", 4_000)],
        uses: vec![line(3, "~uses/tenth", 0)],
        operations: vec![
            operation(OperationKind::Capture, 1, 9_000),
            operation(OperationKind::Refund, 4, 5_400),
        ],
        changes: vec![change],
        case: None,
    }
}

/// What the audit says after one thing went wrong.
fn after(harm: impl FnOnce(&mut OrderRow)) -> Vec<String> {
    let mut order = honest();
    harm(&mut order);
    check(&order).into_iter().map(|difference| difference.finding).collect()
}

// breaks: leave any one of the first three out of `check`
#[test]
fn each_planted_error_is_found() {
    assert_eq!(after(|_| {}), [""; 0]);
    let list_price = after(|order| {
        order.changes[0].given = vec![given(5_400, 6_000, 0)];
        order.operations[1].operation.amount_minor = 6_000;
    });
    assert_eq!(list_price, ["line 1 was paid 5400, 6000 minor units are given up"]);
    let forgot = after(|order| order.changes[0].given = vec![given(6_000, 5_400, 0)]);
    assert_eq!(forgot, ["line 1 was paid 5400, a change says 6000"]);
    let less = after(|order| order.operations[1].operation.amount_minor = 5_399);
    assert!(less.len() == 1 && less[0].ends_with("gives lines 5400 back, its refund is 5399"));
    let charged = after(|order| order.changes[0].given = vec![given(5_400, 0, 5_400)]);
    assert_eq!(charged, ["3600 minor units were left, captured are 9000"]);
    let twice = after(|order| {
        order.operations.push(operation(OperationKind::Refund, 5, 3_601));
    });
    assert_eq!(twice, ["9000 minor units are captured, refunded are 9001"]);
}

// breaks: leave `has_void` true, or `check_uses` out of `check`
#[test]
fn what_an_order_that_was_given_up_leaves_behind_is_found() {
    let give_up = |order: &mut OrderRow| {
        order.lines.iter_mut().for_each(|line| line.restocked = 1);
        order.uses[0].restocked = 1;
    };
    assert_eq!(after(give_up), [""; 0]);
    let kept = after(|order| {
        give_up(order);
        order.uses[0].restocked = 0;
    });
    assert_eq!(kept, ["is given up, but 1 of ~uses/tenth did not come back"]);
    let open = after(|order| {
        give_up(order);
        (order.operations, order.changes) = (Vec::new(), Vec::new());
    });
    assert_eq!(open, ["is given up, 9000 minor units may still be captured"]);
    let shipped = after(|order| order.uses[0].shipped = 1);
    assert_eq!(shipped, ["moved ~uses/tenth, which is no line of goods"]);
}

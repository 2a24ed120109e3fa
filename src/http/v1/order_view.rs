//! An order as the back office sees it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    base::{CheckoutId, OrderId, Person, Timestamp},
    http::{kinds::Kind, order_body::OrderBody, problem::Problem},
    ledger::{
        entry::OrderChange,
        row::{OperationKind, OperationRow, OperationState, OrderLineRow, OrderRow, refundable},
    },
    pricing::Priced,
};

/// An order with its lines and its money.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderView {
    id: OrderId,
    checkout_id: CheckoutId,
    placed_at: Timestamp,
    currency: &'static str,
    total: i64,
    payment: &'static str,
    /// Paid with the sandbox's money: nothing of it reaches a bank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test_payment: bool,
    /// What may still be given back, in minor units.
    refundable: i64,
    operations: Vec<OperationRow>,
    lines: Vec<LineView>,
    /// What happened since it was placed, oldest first.
    changes: Vec<OrderChange>,
    /// Discounts, delivery and taxes, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    priced: Option<Box<Priced>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LineView {
    #[serde(flatten)]
    row: OrderLineRow,
    title: Option<String>,
}

impl OrderView {
    /// The order without the person, for lists.
    pub fn brief(row: OrderRow) -> Self {
        let body = OrderBody::of(&row);
        let payment = payment(row.total_minor, &row.operations);
        let mut titles = body.lines.into_iter().map(|line| Some(line.title));
        let goods = row.lines.into_iter().filter(|row| !row.ordered.sku.is_of_uses());
        let lines = goods.map(|row| LineView { row, title: titles.next().flatten() });
        Self {
            id: row.id,
            checkout_id: row.id.checkout(),
            placed_at: row.placed_at,
            currency: row.currency.code(),
            total: row.total_minor,
            payment,
            test_payment: body.test_payment,
            refundable: refundable(&row.operations).unwrap_or(0),
            lines: lines.collect(),
            changes: row.changes,
            priced: body.priced,
            operations: row.operations,
            person: None,
        }
    }

    /// The order with the person.
    pub fn whole(row: OrderRow) -> Result<Self, Problem> {
        let person = row.personal.as_ref().map(crate::base::Sealed::open_json::<Person>);
        let person = person.transpose().map_err(|fault| Problem::fault(Kind::Internal, fault))?;
        Ok(Self { person, ..Self::brief(row) })
    }
}

/// Where the money stands, told by the strongest thing done about it.
fn payment(total_minor: i64, operations: &[OperationRow]) -> &'static str {
    let done = |kind| {
        let is =
            |row: &OperationRow| row.operation.kind == kind && row.state == OperationState::Done;
        operations.iter().any(is)
    };
    match () {
        () if done(OperationKind::Refund) && refundable(operations) == Some(0) => "refunded",
        () if done(OperationKind::Refund) => "partially_refunded",
        () if done(OperationKind::Void) => "voided",
        () if done(OperationKind::Capture) => "captured",
        () if total_minor == 0 => "not_required",
        () => "authorized",
    }
}

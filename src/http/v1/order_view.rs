//! An order as the back office sees it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    base::{CheckoutId, OrderId, Person, Timestamp, first_units},
    checkout::worth::{LineWorth, worth},
    http::{kinds::Kind, order_body::OrderBody, problem::Problem},
    ledger::{
        entry::OrderChange,
        row::{OperationKind, OperationRow, OperationState, OrderLineRow, OrderRow, OrderStatus},
    },
    pricing::{Allotment, Priced, Target},
};

/// An order with its lines and its money.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderView {
    id: OrderId,
    checkout_id: CheckoutId,
    placed_at: Timestamp,
    /// Where it stands, in one word.
    status: OrderStatus,
    currency: &'static str,
    total: i64,
    /// Where its money stands.
    payment: &'static str,
    /// Paid with the sandbox's money: nothing of it reaches a bank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test_payment: bool,
    /// What may still be captured, in minor units.
    capturable: i64,
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
    /// The units at their price, in minor units.
    subtotal: i64,
    /// What discounts take off the line.
    discount: i64,
    /// The taxes added to it.
    tax: i64,
    /// What the buyer pays for all of its units.
    paid: i64,
    /// What was given back of it, or is about to be.
    refunded: i64,
    /// What may still be given back of it.
    refundable: i64,
    /// What the buyer pays for single units, the first ones first: in minor units, of which the
    /// first units may have one more. Units that are given up are counted from the last.
    units: Vec<UnitsView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnitsView {
    /// So many units.
    quantity: u32,
    /// What each of them is paid.
    paid: i64,
    /// How many of them are still the buyer's, or still to leave.
    kept: u32,
}

impl OrderView {
    /// The order without the person, for lists.
    pub fn brief(row: OrderRow) -> Self {
        let body = OrderBody::of(&row);
        let funds = row.funds();
        let worth = worth(&row, body.priced.as_deref());
        let lines = row.lines.iter().zip(worth).map(|(line, worth)| line_view(&row, line, worth));
        let mut lines: Vec<LineView> = lines.collect();
        let mut titles = body.lines.into_iter().map(|line| line.title);
        lines.iter_mut().for_each(|line| line.title = titles.next());
        Self {
            id: row.id,
            checkout_id: row.id.checkout(),
            placed_at: row.placed_at,
            status: row.status(),
            currency: row.currency.code(),
            total: row.total_minor,
            payment: payment(&row),
            test_payment: body.test_payment,
            capturable: funds.capturable(),
            refundable: funds.refundable().max(0),
            lines,
            changes: row.changes,
            priced: body.priced.map(counted_from_one),
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

fn line_view(order: &OrderRow, row: &OrderLineRow, worth: LineWorth) -> LineView {
    let (paid, refunded) = (worth.paid_minor(), order.refunded_of(worth.line));
    let left = (paid - refunded - order.released_of(worth.line)).max(0);
    let gone = row.returned + row.restocked;
    LineView {
        title: None,
        subtotal: worth.subtotal_minor,
        discount: worth.discount_minor,
        tax: worth.tax_minor,
        paid,
        refunded,
        refundable: left.min(order.funds().refundable()).max(0),
        units: units(paid, row.ordered.quantity, row.ordered.quantity.saturating_sub(gone)),
        row: row.clone(),
    }
}

/// Units by what they are paid: two amounts at most, which differ by one minor unit.
fn units(paid: i64, quantity: u32, kept: u32) -> Vec<UnitsView> {
    let more = u32::try_from(paid % i64::from(quantity.max(1))).unwrap_or(0);
    let each =
        |from: u32| first_units(paid, quantity, from + 1) - first_units(paid, quantity, from);
    let some = |from: u32, until: u32| {
        let kept = kept.clamp(from, until) - from;
        (until > from).then(|| UnitsView { quantity: until - from, paid: each(from), kept })
    };
    [some(0, more), some(more, quantity)].into_iter().flatten().collect()
}

/// Lines are counted from 1 in an order, from 0 in the document it came from.
pub(super) fn counted_from_one(mut priced: Box<Priced>) -> Box<Priced> {
    let count = |part: &mut Allotment| {
        if let Target::Line(index) = part.target {
            part.target = Target::Line(index + 1);
        }
    };
    priced.applied.iter_mut().flat_map(|applied| &mut applied.allotments).for_each(count);
    priced.taxes.iter_mut().flat_map(|tax| &mut tax.allotments).for_each(count);
    priced
}

/// Where the money stands, told by the strongest thing done about it.
fn payment(row: &OrderRow) -> &'static str {
    let funds = row.funds();
    let done = |kind| {
        let is =
            |row: &OperationRow| row.operation.kind == kind && row.state == OperationState::Done;
        row.operations.iter().any(is)
    };
    match () {
        () if done(OperationKind::Refund) && funds.refundable() == 0 => "refunded",
        () if done(OperationKind::Refund) => "partially_refunded",
        () if funds.captured > 0 && funds.capturable() > 0 => "partially_captured",
        () if done(OperationKind::Capture) => "captured",
        () if done(OperationKind::Void) => "voided",
        () if row.total_minor == 0 => "not_required",
        () if funds.refused && funds.capturing == 0 => "capture_failed",
        () => "authorized",
    }
}

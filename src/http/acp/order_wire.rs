//! An order as this protocol shows it.

use serde::Serialize;

use super::{address_wire::AddressWire, totals_wire::TotalWire};
use crate::{
    base::{Address, ChangeId, CheckoutId, OrderId, Timestamp},
    checkout::Session,
    http::{
        order_body::{self, Goods, OrderBody},
        order_history::{self, Adjustment, AdjustmentKind, AdjustmentStatus, Shipment, Units},
        render::Answers,
    },
    ledger::row::{OperationKind, OrderRow},
    pricing::{Method, Target},
};

/// An order.
#[derive(Debug, Serialize)]
pub struct OrderWire<'a> {
    r#type: &'static str,
    id: OrderId,
    checkout_session_id: CheckoutId,
    order_number: OrderId,
    permalink_url: String,
    status: &'static str,
    line_items: Vec<LineWire<'a>>,
    fulfillments: Vec<FulfillmentWire<'a>>,
    adjustments: Vec<AdjustmentWire<'a>>,
    totals: Vec<TotalWire>,
}

#[derive(Debug, Serialize)]
struct LineWire<'a> {
    id: String,
    title: &'a str,
    product_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<&'a str>,
    quantity: QuantityWire,
    unit_price: i64,
    subtotal: i64,
    totals: Vec<TotalWire>,
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct QuantityWire {
    ordered: u32,
    current: u32,
    fulfilled: u32,
}

#[derive(Debug, Serialize)]
struct UnitsWire {
    id: String,
    quantity: u32,
}

#[derive(Debug, Serialize)]
struct FulfillmentWire<'a> {
    id: String,
    r#type: Method,
    status: &'static str,
    line_items: Vec<UnitsWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<DestinationWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    events: Vec<EventWire>,
}

/// An address that is not kept elsewhere while it is shown.
#[derive(Debug)]
struct DestinationWire(Address);

impl Serialize for DestinationWire {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AddressWire::of(&self.0).serialize(serializer)
    }
}

#[derive(Debug, Serialize)]
struct EventWire {
    id: ChangeId,
    r#type: &'static str,
    occurred_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct AdjustmentWire<'a> {
    id: ChangeId,
    r#type: &'static str,
    occurred_at: Timestamp,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    line_items: Vec<UnitsWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

const IN_REVIEW: &str = "manual_review";

impl<'a> OrderWire<'a> {
    /// The order as it stands. Whether a person has yet to decide about it, its case knows.
    pub fn of(answers: &Answers, row: &'a OrderRow, body: &'a OrderBody, in_review: bool) -> Self {
        let goods = body.goods(row);
        let status = if in_review { IN_REVIEW } else { status(row, &goods) };
        let placed = order_body::totals(row, &goods);
        let mut totals = TotalWire::of(&placed.entries(body.priced.as_deref()));
        let refunded = refunded(row);
        if refunded > 0 {
            totals.push(TotalWire::refunded(refunded));
        }
        Self {
            r#type: "order",
            id: row.id,
            checkout_session_id: row.id.checkout(),
            order_number: row.id,
            permalink_url: permalink(answers, row.id),
            status,
            fulfillments: fulfillments(row, body, &goods),
            adjustments: order_history::adjustments(row)
                .map(|one| adjustment(row, &one, &goods))
                .collect(),
            line_items: goods.into_iter().map(line).collect(),
            totals,
        }
    }

    /// The order that a session has just become, if it has.
    pub fn of_session(answers: &Answers, session: &'a Session) -> Option<Self> {
        let id = session.order()?;
        let priced = session.priced.as_deref();
        let line_items = session.lines.iter().enumerate().map(|(at, line)| LineWire {
            id: line.id.clone(),
            title: &line.title,
            product_id: line.sku.as_str(),
            image_url: line.image_url.as_deref(),
            quantity: QuantityWire { ordered: line.quantity, current: line.quantity, fulfilled: 0 },
            unit_price: line.unit_price.minor(),
            subtotal: line.unit_price.minor().saturating_mul(i64::from(line.quantity))
                - priced.map_or(0, |priced| priced.taken_off(Target::Line(at))),
            totals: TotalWire::of_line(line, at, priced),
            status: "processing",
        });
        Some(Self {
            r#type: "order",
            id,
            checkout_session_id: session.id,
            order_number: id,
            permalink_url: permalink(answers, id),
            status: if session.risk.is_some() { IN_REVIEW } else { "confirmed" },
            line_items: line_items.collect(),
            fulfillments: Vec::new(),
            adjustments: Vec::new(),
            totals: TotalWire::of(&session.totals.entries(session.priced.as_deref())),
        })
    }
}

fn permalink(answers: &Answers, id: OrderId) -> String {
    format!("{}/orders/{id}", answers.site().base_url)
}

/// Where the order stands, told by what happened to its goods and its money.
fn status(row: &OrderRow, goods: &[Goods<'_>]) -> &'static str {
    let is_void = row.operations.iter().any(|row| row.operation.kind == OperationKind::Void);
    let kept = || goods.iter().filter(|goods| goods.current > 0);
    let left = |goods: &Goods<'_>| goods.fulfilled >= goods.current;
    match () {
        () if is_void || kept().next().is_none() => "canceled",
        () if kept().all(left) => "shipped",
        () if goods.iter().any(|goods| goods.fulfilled > 0) => "processing",
        () => "confirmed",
    }
}

fn refunded(row: &OrderRow) -> i64 {
    let done = |one: &Adjustment<'_>| {
        one.kind == AdjustmentKind::Refund && one.status == AdjustmentStatus::Completed
    };
    let amounts = order_history::adjustments(row).filter(done).filter_map(|one| one.amount_minor);
    amounts.fold(0_i64, i64::saturating_add)
}

fn line(goods: Goods<'_>) -> LineWire<'_> {
    LineWire {
        status: goods.status(),
        subtotal: goods.minor() - goods.off_minor,
        totals: TotalWire::reduced(goods.minor(), goods.off_minor),
        title: goods.title,
        product_id: goods.sku,
        image_url: goods.image_url,
        quantity: QuantityWire {
            ordered: goods.ordered,
            current: goods.current,
            fulfilled: goods.fulfilled,
        },
        unit_price: goods.unit_minor,
        id: goods.id,
    }
}

/// What left the house, parcel by parcel, and what is still to come.
fn fulfillments<'a>(
    row: &'a OrderRow,
    body: &OrderBody,
    goods: &[Goods<'_>],
) -> Vec<FulfillmentWire<'a>> {
    let expected = order_history::expectation(row, body.priced.as_deref());
    let method = expected.as_ref().map_or(Method::Shipping, |expected| expected.method);
    let mut all: Vec<_> =
        order_history::shipments(row).map(|one| shipment(&one, method, goods)).collect();
    let pending: Vec<_> = goods.iter().filter_map(still_to_come).collect();
    if let Some(expected) = expected.filter(|_| !pending.is_empty()) {
        all.push(FulfillmentWire {
            id: "expected".to_owned(),
            r#type: method,
            status: "pending",
            line_items: pending,
            carrier: None,
            tracking_number: None,
            tracking_url: None,
            destination: Some(DestinationWire(expected.destination)),
            description: expected.title,
            events: Vec::new(),
        });
    }
    all
}

fn still_to_come(goods: &Goods<'_>) -> Option<UnitsWire> {
    let quantity = goods.current.saturating_sub(goods.fulfilled);
    (quantity > 0).then(|| UnitsWire { id: goods.id.clone(), quantity })
}

fn shipment<'a>(one: &Shipment<'a>, method: Method, goods: &[Goods<'_>]) -> FulfillmentWire<'a> {
    FulfillmentWire {
        id: one.id.to_string(),
        r#type: method,
        status: "shipped",
        line_items: units(&one.units, goods),
        carrier: one.parcel.carrier.as_deref(),
        tracking_number: one.parcel.tracking_number.as_deref(),
        tracking_url: one.parcel.tracking_url.as_deref(),
        destination: None,
        description: None,
        events: vec![EventWire { id: one.id, r#type: "shipped", occurred_at: one.at }],
    }
}

fn adjustment<'a>(row: &OrderRow, one: &Adjustment<'a>, goods: &[Goods<'_>]) -> AdjustmentWire<'a> {
    let currency = || row.currency.code().to_ascii_lowercase();
    AdjustmentWire {
        id: one.id,
        r#type: one.kind.as_str(),
        occurred_at: one.at,
        status: one.status.as_str(),
        line_items: units(&one.units, goods),
        amount: one.amount_minor,
        currency: one.amount_minor.map(|_| currency()),
        description: one.reason,
    }
}

fn units(units: &[Units], goods: &[Goods<'_>]) -> Vec<UnitsWire> {
    let named = units.iter().filter(|units| units.quantity > 0).filter_map(|units| {
        let goods = goods.iter().find(|goods| goods.line == units.line)?;
        Some(UnitsWire { id: goods.id.clone(), quantity: units.quantity })
    });
    named.collect()
}

//! An order as this protocol shows it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    extension_wire::{self, TotalWire},
    session_wire::ItemWire,
};
use crate::{
    base::{Address, ChangeId, CheckoutId, OrderId, Timestamp},
    http::{
        order_body::{self, Goods, Names, OrderBody},
        order_history::{self, Adjustment, Happening, Units},
        render::Answers,
    },
    ledger::{entry::Parcel, row::OrderRow},
    pricing::{Method, Priced},
};

/// An order.
#[derive(Debug, Serialize)]
pub struct OrderWire<'a> {
    ucp: &'a RawValue,
    id: OrderId,
    checkout_id: CheckoutId,
    permalink_url: String,
    line_items: Vec<LineWire<'a>>,
    fulfillment: FulfillmentWire<'a>,
    adjustments: Vec<AdjustmentWire<'a>>,
    totals: Vec<TotalWire<'a>>,
}

#[derive(Debug, Serialize)]
struct LineWire<'a> {
    id: String,
    item: ItemWire<'a>,
    quantity: QuantityWire,
    totals: Vec<TotalWire<'a>>,
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct QuantityWire {
    total: u32,
    fulfilled: u32,
}

#[derive(Debug, Serialize)]
struct FulfillmentWire<'a> {
    expectations: Vec<ExpectationWire>,
    events: Vec<EventWire<'a>>,
}

#[derive(Debug, Serialize)]
struct ExpectationWire {
    id: &'static str,
    line_items: Vec<UnitsWire>,
    method_type: Method,
    destination: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventWire<'a> {
    id: ChangeId,
    occurred_at: Timestamp,
    r#type: &'a str,
    line_items: Vec<UnitsWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
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
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

#[derive(Debug, Serialize)]
struct UnitsWire {
    id: String,
    quantity: u32,
}

impl<'a> OrderWire<'a> {
    /// The order as it stands.
    pub fn of(answers: &'a Answers, row: &'a OrderRow, body: &'a OrderBody) -> Self {
        let (names, goods) = (body.names(row), body.goods(row));
        let (totals, priced) = (order_body::totals(row, &goods), body.priced.as_deref());
        Self {
            ucp: &answers.ucp01().order,
            id: row.id,
            checkout_id: row.id.checkout(),
            permalink_url: format!("{}/orders/{}", answers.site().base_url, row.id),
            line_items: goods.into_iter().map(line_wire).collect(),
            fulfillment: FulfillmentWire {
                expectations: expectation(row, priced, &names).into_iter().collect(),
                events: order_history::happenings(row).map(|one| event(one, &names)).collect(),
            },
            adjustments: order_history::adjustments(row)
                .map(|one| adjustment(&one, &names))
                .collect(),
            totals: TotalWire::of(totals.entries(priced)),
        }
    }
}

/// The order's body.
pub fn write(answers: &Answers, row: &OrderRow, body: &OrderBody) -> String {
    let wire = OrderWire::of(answers, row, body);
    serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys")
}

/// A line that was given up whole is as done as it will be.
fn line_wire(goods: Goods<'_>) -> LineWire<'_> {
    LineWire {
        status: if goods.current == 0 { "fulfilled" } else { goods.status() },
        totals: TotalWire::reduced(goods.minor(), goods.off_minor),
        item: ItemWire {
            id: goods.sku,
            title: goods.title,
            price: goods.unit_minor,
            image_url: goods.image_url,
        },
        quantity: QuantityWire { total: goods.current, fulfilled: goods.fulfilled },
        id: goods.id,
    }
}

fn expectation(row: &OrderRow, priced: Option<&Priced>, names: &Names) -> Option<ExpectationWire> {
    let expected = order_history::expectation(row, priced)?;
    let fulfillment = priced?.fulfillment.as_ref()?;
    let chosen = fulfillment.chosen();
    Some(ExpectationWire {
        id: "expectation_1",
        line_items: units(&expected.units, names),
        method_type: expected.method,
        destination: expected.destination,
        description: chosen.map(|one| extension_wire::title(one, fulfillment).into_owned()),
    })
}

fn event<'a>(one: Happening<'a>, names: &Names) -> EventWire<'a> {
    let parcel: &Parcel = one.parcel;
    EventWire {
        id: one.id,
        occurred_at: one.at,
        r#type: one.kind,
        line_items: units(&one.units, names),
        tracking_number: parcel.tracking_number.as_deref(),
        tracking_url: parcel.tracking_url.as_deref(),
        carrier: parcel.carrier.as_deref(),
        description: one.reason,
    }
}

fn adjustment<'a>(one: &Adjustment<'a>, names: &Names) -> AdjustmentWire<'a> {
    AdjustmentWire {
        id: one.id,
        r#type: one.kind.as_str(),
        occurred_at: one.at,
        status: one.status.as_str(),
        line_items: units(&one.units, names),
        amount: one.amount_minor,
        description: one.reason,
    }
}

fn units(units: &[Units], names: &Names) -> Vec<UnitsWire> {
    let named = units.iter().filter_map(|units| {
        let at = usize::try_from(units.line).ok()?.checked_sub(1)?;
        let id = names.get(at)?.clone();
        Some(UnitsWire { id, quantity: units.quantity })
    });
    named.collect()
}

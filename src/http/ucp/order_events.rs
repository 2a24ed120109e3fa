//! What is expected of an order, what shipped and what was given up, as UCP shows it.

use serde::Serialize;

use super::extension_wire::TotalWire;
use crate::{
    base::{Address, ChangeId, Timestamp},
    http::{
        order_body::Names,
        order_history::{
            self, Adjustment, AdjustmentKind, AdjustmentStatus, Expectation, Shipment, Units,
        },
    },
    ledger::{entry::Parcel, row::OrderRow},
    pricing::{Method, Priced},
};

/// `fulfillment` of an order.
#[derive(Debug, Serialize)]
pub struct OrderFulfillmentWire<'a> {
    expectations: Vec<ExpectationWire<'a>>,
    events: Vec<EventWire<'a>>,
}

#[derive(Debug, Serialize)]
struct ExpectationWire<'a> {
    id: &'static str,
    line_items: Vec<UnitsWire<'a>>,
    method_type: Method,
    destination: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventWire<'a> {
    id: ChangeId,
    occurred_at: Timestamp,
    r#type: &'static str,
    line_items: Vec<UnitsWire<'a>>,
    #[serde(flatten)]
    parcel: &'a Parcel,
}

/// `adjustments` of an order.
#[derive(Debug, Serialize)]
pub struct AdjustmentWire<'a> {
    id: ChangeId,
    r#type: &'static str,
    occurred_at: Timestamp,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    line_items: Vec<UnitsWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    totals: Vec<TotalWire<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

#[derive(Debug, Serialize)]
struct UnitsWire<'a> {
    id: &'a str,
    quantity: i64,
}

impl<'a> OrderFulfillmentWire<'a> {
    /// What is to come and what has left.
    pub fn of(row: &'a OrderRow, priced: Option<&Priced>, names: &'a Names) -> Self {
        let expected = order_history::expectation(row, priced);
        Self {
            expectations: expected
                .map(|expected| expectation(expected, names))
                .into_iter()
                .collect(),
            events: order_history::shipments(row).map(|one| event(&one, names)).collect(),
        }
    }
}

impl<'a> AdjustmentWire<'a> {
    /// What was given up.
    pub fn of(row: &'a OrderRow, names: &'a Names) -> Vec<Self> {
        order_history::adjustments(row).map(|one| adjustment(&one, names)).collect()
    }
}

fn expectation(expected: Expectation, names: &Names) -> ExpectationWire<'_> {
    ExpectationWire {
        id: "expectation_1",
        line_items: units(&expected.units, names, 1),
        method_type: expected.method,
        destination: expected.destination,
        description: expected.title,
    }
}

fn event<'a>(shipment: &Shipment<'a>, names: &'a Names) -> EventWire<'a> {
    EventWire {
        id: shipment.id,
        occurred_at: shipment.at,
        r#type: "shipped",
        line_items: units(&shipment.units, names, 1),
        parcel: shipment.parcel,
    }
}

fn adjustment<'a>(one: &Adjustment<'a>, names: &'a Names) -> AdjustmentWire<'a> {
    let total = |minor: i64| TotalWire::total(-minor);
    AdjustmentWire {
        id: one.id,
        r#type: AdjustmentKind::as_str(one.kind),
        occurred_at: one.at,
        status: AdjustmentStatus::as_str(one.status),
        line_items: units(&one.units, names, -1),
        totals: one.amount_minor.map(total).into_iter().collect(),
        description: one.reason,
    }
}

fn units<'a>(units: &[Units], names: &'a Names, sign: i64) -> Vec<UnitsWire<'a>> {
    let named = units.iter().filter_map(|units| {
        let at = usize::try_from(units.line).ok()?.checked_sub(1)?;
        let id = names.get(at)?;
        Some(UnitsWire { id, quantity: sign * i64::from(units.quantity) })
    });
    named.collect()
}

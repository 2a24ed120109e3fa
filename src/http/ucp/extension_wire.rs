//! What the extensions add to a session: totals in between, discounts, fulfillment.

use serde::Serialize;
use std::borrow::Cow;

use crate::{
    base::{Address, Destination, Timestamp},
    catalog::StockPolicy,
    checkout::{Line, Session},
    pricing::{
        DeliveryOption, Entry, EntryKind, Fulfillment, Method, PickupLocation, Priced, Target,
    },
};

/// One amount of a breakdown, in minor units.
#[derive(Debug, Serialize)]
pub struct TotalWire<'a> {
    r#type: &'static str,
    display_text: Cow<'a, str>,
    amount: i64,
    /// What of the total is this tax already, where the prices contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    included_amount: Option<i64>,
}

impl TotalWire<'static> {
    /// A total alone.
    pub fn total(amount: i64) -> Self {
        word(EntryKind::Total, None, amount)
    }
}

impl<'a> TotalWire<'a> {
    /// A breakdown.
    pub fn of(entries: Vec<Entry<'a>>) -> Vec<Self> {
        let wire = |entry: Entry<'a>| TotalWire {
            included_amount: entry.contained,
            ..word(entry.kind, entry.title, entry.minor)
        };
        entries.into_iter().map(wire).collect()
    }

    /// What a line comes to.
    pub fn of_line(line: &Line, at: usize, priced: Option<&Priced>) -> Vec<Self> {
        // The session's subtotal was added up from these without overflow.
        let amount = line.unit_price.minor().saturating_mul(i64::from(line.quantity));
        Self::reduced(amount, priced.map_or(0, |priced| priced.taken_off(Target::Line(at))))
    }

    /// An amount, what discounts take off it, and what it comes to.
    pub fn reduced(amount: i64, off: i64) -> Vec<Self> {
        let mut totals = vec![word(EntryKind::Subtotal, None, amount)];
        if off > 0 {
            totals.push(word(EntryKind::ItemsDiscount, None, -off));
        }
        totals.push(word(EntryKind::Total, None, amount - off));
        totals
    }
}

fn word(kind: EntryKind, title: Option<Cow<'_, str>>, amount: i64) -> TotalWire<'_> {
    let (r#type, usual) = match kind {
        EntryKind::Subtotal => ("subtotal", "Subtotal"),
        EntryKind::ItemsDiscount => ("items_discount", "Discount"),
        EntryKind::Fulfillment => ("fulfillment", "Shipping"),
        EntryKind::Discount => ("discount", "Shipping discount"),
        EntryKind::Tax => ("tax", "Tax"),
        EntryKind::Total => ("total", "Total"),
    };
    let display_text = title.unwrap_or(Cow::Borrowed(usual));
    TotalWire { r#type, display_text, amount, included_amount: None }
}

/// How the goods come.
#[derive(Debug, Serialize)]
pub struct FulfillmentWire<'a> {
    methods: [MethodWire<'a>; 1],
}

#[derive(Debug, Serialize)]
struct MethodWire<'a> {
    id: &'static str,
    r#type: Method,
    line_item_ids: Vec<&'a str>,
    destinations: Vec<DestinationWire<'a>>,
    selected_destination_id: Option<&'a str>,
    groups: Vec<GroupWire<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum DestinationWire<'a> {
    Address {
        id: &'a str,
        #[serde(flatten)]
        address: &'a Address,
    },
    Place {
        id: &'a str,
        name: &'a str,
        address: &'a Address,
    },
}

#[derive(Debug, Serialize)]
struct GroupWire<'a> {
    id: &'static str,
    line_item_ids: Vec<&'a str>,
    options: Vec<OptionWire<'a>>,
    selected_option_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OptionWire<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_fulfillment_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_fulfillment_time: Option<Timestamp>,
    totals: [TotalWire<'a>; 1],
}

impl<'a> FulfillmentWire<'a> {
    /// How a session's goods come, if it was said.
    pub fn of(session: &'a Session) -> Option<Self> {
        let fulfillment = session.priced.as_ref()?.fulfillment.as_ref()?;
        let ships = |line: &&Line| line.stock_policy != StockPolicy::Untracked;
        let ids = || session.lines.iter().filter(ships).map(|line| &*line.id).collect();
        let group = GroupWire {
            id: "group_1",
            line_item_ids: ids(),
            options: fulfillment.options.iter().map(|one| option_wire(one, fulfillment)).collect(),
            selected_option_id: fulfillment.selected.as_deref(),
        };
        let method = MethodWire {
            id: "method_1",
            r#type: fulfillment.method,
            line_item_ids: ids(),
            destinations: destinations(session, fulfillment),
            selected_destination_id: fulfillment.destination.as_deref(),
            groups: if fulfillment.options.is_empty() { Vec::new() } else { vec![group] },
        };
        Some(Self { methods: [method] })
    }
}

fn destinations<'a>(
    session: &'a Session,
    fulfillment: &'a Fulfillment,
) -> Vec<DestinationWire<'a>> {
    let address =
        |one: &'a Destination| DestinationWire::Address { id: &one.id, address: &one.address };
    let place = |one: &'a PickupLocation| DestinationWire::Place {
        id: &one.id,
        name: &one.title,
        address: &one.address,
    };
    match fulfillment.method {
        Method::Shipping => session.person.destinations.iter().map(address).collect(),
        Method::Pickup => fulfillment.places.iter().map(place).collect(),
    }
}

fn option_wire<'a>(option: &'a DeliveryOption, fulfillment: &Fulfillment) -> OptionWire<'a> {
    OptionWire {
        id: &option.id,
        title: &option.title,
        carrier: option.carrier.as_deref(),
        earliest_fulfillment_time: option.earliest,
        latest_fulfillment_time: option.latest,
        totals: [word(EntryKind::Total, None, fulfillment.cost_of(option))],
    }
}

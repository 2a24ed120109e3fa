//! What the extensions add to a session: totals in between, discounts, fulfillment. Amounts are
//! positive; what is taken off is told by its type.

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

const fn total<'a>(r#type: &'static str, display_text: &'a str, amount: i64) -> TotalWire<'a> {
    let display_text = Cow::Borrowed(display_text);
    TotalWire { r#type, display_text, amount, included_amount: None }
}

impl TotalWire<'static> {
    /// An amount, what discounts take off it, and what it comes to.
    pub fn reduced(amount: i64, off: i64) -> Vec<Self> {
        let mut totals = vec![total("subtotal", "Subtotal", amount)];
        if off > 0 {
            totals.push(total("discount", "Discount", off));
        }
        totals.push(total("total", "Total", amount - off));
        totals
    }
}

impl<'a> TotalWire<'a> {
    /// A breakdown. The protocol's sum knows one kind of discount: all that is taken off is in it.
    pub fn of(entries: Vec<Entry<'a>>) -> Vec<Self> {
        let is_off = |entry: &&Entry<'a>| {
            matches!(entry.kind, EntryKind::ItemsDiscount | EntryKind::Discount)
        };
        let off: i64 = entries.iter().filter(is_off).map(|entry| -entry.minor).sum();
        let mut told = Vec::with_capacity(entries.len());
        for entry in entries {
            let (kind, usual) = match entry.kind {
                EntryKind::ItemsDiscount | EntryKind::Discount => continue,
                EntryKind::Subtotal => ("subtotal", "Subtotal"),
                EntryKind::Fulfillment => ("fulfillment", "Shipping"),
                EntryKind::Tax => ("tax", "Tax"),
                EntryKind::Total => ("total", "Total"),
            };
            told.push(TotalWire {
                r#type: kind,
                display_text: entry.title.unwrap_or(Cow::Borrowed(usual)),
                amount: entry.minor,
                included_amount: entry.contained,
            });
            if entry.kind == EntryKind::Subtotal && off > 0 {
                told.push(total("discount", "Discount", off));
            }
        }
        told
    }

    /// What a line comes to.
    pub fn of_line(line: &Line, at: usize, priced: Option<&Priced>) -> Vec<Self> {
        // The session's subtotal was added up from these without overflow.
        let amount = line.unit_price.minor().saturating_mul(i64::from(line.quantity));
        TotalWire::reduced(amount, priced.map_or(0, |priced| priced.taken_off(Target::Line(at))))
    }
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
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_fulfillment_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_fulfillment_time: Option<Timestamp>,
    totals: Vec<TotalWire<'static>>,
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

fn option_wire<'a>(option: &'a DeliveryOption, fulfillment: &'a Fulfillment) -> OptionWire<'a> {
    OptionWire {
        id: &option.id,
        title: title(option, fulfillment),
        carrier: option.carrier.as_deref(),
        earliest_fulfillment_time: option.earliest,
        latest_fulfillment_time: option.latest,
        totals: TotalWire::reduced(option.minor, option.minor - fulfillment.cost_of(option)),
    }
}

/// What an option is called: shipping that costs nothing says so.
pub fn title<'a>(option: &'a DeliveryOption, fulfillment: &Fulfillment) -> Cow<'a, str> {
    let costs_nothing = fulfillment.cost_of(option) == 0;
    let is_silent = fulfillment.method == Method::Shipping && !option.title.contains("Free");
    if costs_nothing && is_silent {
        return Cow::Owned(format!("{} (Free)", option.title));
    }
    Cow::Borrowed(&option.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn option(title: &str, minor: i64) -> DeliveryOption {
        let (id, title) = ("standard".to_owned(), title.to_owned());
        DeliveryOption { id, title, carrier: None, minor, earliest: None, latest: None }
    }

    fn sent(free: bool) -> Fulfillment {
        let (destination, selected) = (None, None);
        let (places, options) = (Vec::new(), Vec::new());
        Fulfillment { method: Method::Shipping, destination, places, options, selected, free }
    }

    #[test]
    fn shipping_that_costs_nothing_says_so_once() {
        for (name, minor, free, expected) in [
            ("Standard", 490, false, "Standard"),
            ("Standard", 490, true, "Standard (Free)"),
            ("Standard", 0, false, "Standard (Free)"),
            ("Free standard", 0, true, "Free standard"),
        ] {
            assert_eq!(title(&option(name, minor), &sent(free)), expected);
        }
        let (costly, fulfillment) = (option("Standard", 490), sent(true));
        let totals = option_wire(&costly, &fulfillment).totals;
        assert_eq!(totals.iter().map(|one| one.amount).collect::<Vec<_>>(), [490, 490, 0]);
    }

    proptest! {
        #[test]
        fn amounts_are_positive_and_add_up(
            goods in 0..1_000_000_i64, sent in 0..10_000_i64, tax in 0..100_000_i64,
            off in 0..=100_i64, sent_off in 0..=100_i64,
        ) {
            let (off, sent_off) = (goods * off / 100, sent * sent_off / 100);
            let entry = |kind, minor| Entry { kind, title: None, minor, contained: None };
            let parts = [
                entry(EntryKind::Subtotal, goods),
                entry(EntryKind::ItemsDiscount, -off),
                entry(EntryKind::Fulfillment, sent),
                entry(EntryKind::Discount, -sent_off),
                entry(EntryKind::Tax, tax),
            ];
            let sum = parts.iter().map(|part| part.minor).sum();
            let entries: Vec<_> = parts.into_iter().chain([entry(EntryKind::Total, sum)]).collect();
            let told = TotalWire::of(entries);
            let of = |kind: &str| -> i64 {
                told.iter().filter(|one| one.r#type == kind).map(|one| one.amount).sum()
            };
            prop_assert!(told.iter().all(|one| one.amount >= 0), "{told:?}");
            let added = of("subtotal") - of("discount") + of("fulfillment") + of("tax");
            prop_assert_eq!(of("total"), added);
        }
    }
}

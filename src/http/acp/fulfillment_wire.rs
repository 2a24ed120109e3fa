//! How the goods come: where to, what there is to choose from, and what was chosen.

use serde::Serialize;

use super::{
    address_wire::{self, AddressWire},
    totals_wire::TotalWire,
};
use crate::{
    base::{Email, Timestamp},
    catalog::StockPolicy,
    checkout::{Line, Session},
    pricing::{DeliveryOption, Fulfillment, Method, PickupLocation},
};

/// `fulfillment_details`.
#[derive(Debug, Serialize)]
pub struct DetailsWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressWire<'a>>,
}

/// One way for the goods to come.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OptionWire<'a> {
    /// They are sent.
    Shipping {
        /// Its name among the options.
        id: &'a str,
        /// Its name for people.
        title: &'a str,
        /// Who brings them.
        #[serde(skip_serializing_if = "Option::is_none")]
        carrier: Option<&'a str>,
        /// Not before this.
        #[serde(skip_serializing_if = "Option::is_none")]
        earliest_delivery_time: Option<Timestamp>,
        /// Not after this.
        #[serde(skip_serializing_if = "Option::is_none")]
        latest_delivery_time: Option<Timestamp>,
        /// What it costs.
        totals: [TotalWire; 1],
    },
    /// They are fetched.
    Pickup {
        /// The place's name.
        id: &'a str,
        /// Its name for people.
        title: &'a str,
        /// Where.
        location: LocationWire<'a>,
        /// What it costs: nothing.
        totals: [TotalWire; 1],
    },
}

/// Where goods can be fetched.
#[derive(Debug, Serialize)]
pub struct LocationWire<'a> {
    name: &'a str,
    address: AddressWire<'a>,
}

/// What was chosen.
#[derive(Debug, Serialize)]
pub struct SelectedWire<'a> {
    r#type: Method,
    option_id: &'a str,
    item_ids: Vec<&'a str>,
}

impl<'a> DetailsWire<'a> {
    /// Where the goods go, as far as it was said.
    pub fn of(session: &'a Session) -> Option<Self> {
        let address = &session.person.destinations.first()?.address;
        let buyer = session.person.buyer.as_ref();
        Some(Self {
            name: address_wire::name(address),
            phone_number: address.phone_number.as_deref(),
            email: buyer.and_then(|buyer| buyer.email.as_ref()).map(Email::expose),
            address: address.address_country.is_some().then(|| AddressWire::of(address)),
        })
    }
}

/// The options of a session.
pub fn options(session: &Session) -> Vec<OptionWire<'_>> {
    let Some(fulfillment) = fulfillment(session) else { return Vec::new() };
    match fulfillment.method {
        Method::Shipping => fulfillment.options.iter().map(|one| sent(one, fulfillment)).collect(),
        Method::Pickup => fulfillment.places.iter().map(fetched).collect(),
    }
}

/// What was chosen of them.
pub fn selected(session: &Session) -> Option<[SelectedWire<'_>; 1]> {
    let fulfillment = fulfillment(session)?;
    let ships = |line: &&Line| line.stock_policy != StockPolicy::Untracked;
    Some([SelectedWire {
        r#type: fulfillment.method,
        option_id: fulfillment.selected.as_deref()?,
        item_ids: session.lines.iter().filter(ships).map(|line| line.sku.as_str()).collect(),
    }])
}

fn fulfillment(session: &Session) -> Option<&Fulfillment> {
    session.priced.as_ref()?.fulfillment.as_ref()
}

fn sent<'a>(option: &'a DeliveryOption, fulfillment: &Fulfillment) -> OptionWire<'a> {
    OptionWire::Shipping {
        id: &option.id,
        title: &option.title,
        carrier: option.carrier.as_deref(),
        earliest_delivery_time: option.earliest,
        latest_delivery_time: option.latest,
        totals: TotalWire::of_option(fulfillment.cost_of(option)),
    }
}

fn fetched(place: &PickupLocation) -> OptionWire<'_> {
    OptionWire::Pickup {
        id: &place.id,
        title: &place.title,
        location: LocationWire { name: &place.title, address: AddressWire::of(&place.address) },
        totals: TotalWire::of_option(0),
    }
}

//! What a merchant set: everything that is applied to a session, checked.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::{
    areas,
    discount::Discount,
    shipping::{PickupLocation, ShippingRate},
    tax::TaxRate,
};
use crate::base::place;

/// Bytes of an id: with a prefix and a buyer's hash it is a SKU.
const SLUG_BYTES_MAX: usize = 40;

/// Items of one kind. All are at hand in every replica, and each quote looks through them.
pub const ITEMS_MAX: usize = 1_000;

/// An item makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Invalid {
    /// The field, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// Why.
    pub text: Cow<'static, str>,
}

impl Invalid {
    pub(super) fn new(pointer: &str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: pointer.to_owned(), text: text.into() }
    }
}

/// The kinds of items, by the word in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// Discounts.
    Discounts,
    /// Shipping rates.
    ShippingRates,
    /// Pickup locations.
    PickupLocations,
    /// Tax rates.
    TaxRates,
}

/// One item of a tariff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A discount.
    Discount(Box<Discount>),
    /// A shipping rate.
    ShippingRate(Box<ShippingRate>),
    /// A pickup location.
    PickupLocation(Box<PickupLocation>),
    /// A tax rate.
    TaxRate(Box<TaxRate>),
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::Discounts, Self::ShippingRates, Self::PickupLocations, Self::TaxRates];

    /// The word in addresses and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discounts => "discounts",
            Self::ShippingRates => "shipping-rates",
            Self::PickupLocations => "pickup-locations",
            Self::TaxRates => "tax-rates",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Reads an item that somebody wants to keep, and writes the codes of its countries and their
    /// parts into the document.
    ///
    /// # Errors
    /// Which field makes no sense, and why.
    pub fn read_new(self, document: &mut serde_json::Value) -> Result<Item, Invalid> {
        if let Some(unknown) = areas::settle(document).into_iter().next() {
            return Err(unknown);
        }
        self.read(document)
    }

    /// Reads an item of this kind that was kept.
    ///
    /// # Errors
    /// Which field makes no sense, and why.
    pub fn read_kept(self, document: &serde_json::Value) -> Result<Item, Invalid> {
        let mut document = document.clone();
        // What nobody knows was kept before that was looked at; it lies nowhere.
        let _unknown = areas::settle(&mut document);
        self.read(&document)
    }

    /// Reads an item of this kind.
    ///
    /// # Errors
    /// Which field makes no sense, and why.
    pub fn read(self, document: &serde_json::Value) -> Result<Item, Invalid> {
        let item = match self {
            Self::Discounts => read(document).map(Box::new).map(Item::Discount),
            Self::ShippingRates => read(document).map(Box::new).map(Item::ShippingRate),
            Self::PickupLocations => read(document).map(Box::new).map(Item::PickupLocation),
            Self::TaxRates => read(document).map(Box::new).map(Item::TaxRate),
        }?;
        item.check()?;
        Ok(item)
    }
}

fn read<'d, T: Deserialize<'d>>(document: &'d serde_json::Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let mut pointer = String::new();
        for step in error.path() {
            pointer.push('/');
            pointer.push_str(&step.to_string().replace('~', "~0").replace('/', "~1"));
        }
        // A field that is missing has no step of its own.
        let pointer = if pointer == "/." { String::new() } else { pointer };
        Invalid { pointer, text: format!("Refused: {}.", error.inner()).into() }
    })
}

impl Item {
    /// Its name in addresses.
    pub fn id(&self) -> &str {
        match self {
            Self::Discount(item) => &item.id,
            Self::ShippingRate(item) => &item.id,
            Self::PickupLocation(item) => &item.id,
            Self::TaxRate(item) => &item.id,
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Discount(item) => item.check(),
            Self::ShippingRate(item) => item.check(),
            Self::PickupLocation(item) => check_slug("/id", &item.id),
            Self::TaxRate(item) => item.check(),
        }
    }
}

/// Everything that is applied to a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tariff {
    /// Discounts in the order in which they count.
    pub(super) discounts: Vec<Discount>,
    /// Shipping rates.
    pub(super) rates: Vec<ShippingRate>,
    /// Where goods can be fetched.
    pub(super) locations: Vec<PickupLocation>,
    /// Taxes.
    pub(super) taxes: Vec<TaxRate>,
}

impl Tariff {
    /// A tariff of these items.
    pub fn of(items: impl IntoIterator<Item = Item>) -> Self {
        let mut tariff = Self::default();
        for item in items {
            match item {
                Item::Discount(item) => tariff.discounts.push(*item),
                Item::ShippingRate(item) => tariff.rates.push(*item),
                Item::PickupLocation(item) => tariff.locations.push(*item),
                Item::TaxRate(item) => tariff.taxes.push(*item),
            }
        }
        tariff.discounts.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
        tariff
    }

    /// Whether it changes nothing about any session.
    pub const fn is_empty(&self) -> bool {
        self.discounts.is_empty()
            && self.rates.is_empty()
            && self.locations.is_empty()
            && self.taxes.is_empty()
    }

    /// Whether goods can be sent or fetched by it: then how they come is asked for.
    pub const fn delivers(&self) -> bool {
        !self.rates.is_empty() || !self.locations.is_empty()
    }

    /// Where goods can be fetched now.
    pub fn locations(&self) -> impl Iterator<Item = &PickupLocation> {
        self.locations.iter().filter(|location| location.active)
    }

    /// A place where goods can be fetched now.
    pub fn location(&self, id: &str) -> Option<&PickupLocation> {
        self.locations().find(|location| location.id == id)
    }
}

/// Where something goes, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Area<'a> {
    pub country: Option<&'a str>,
    pub region: Option<&'a str>,
}

impl<'a> Area<'a> {
    /// A place as it was written, by its codes where it has them.
    pub(super) fn of(country: Option<&'a str>, region: Option<&'a str>) -> Self {
        let country = country.map(|said| place::country(said).unwrap_or(said));
        let part = |said| country.and_then(|country| place::region(country, said)).unwrap_or(said);
        Self { country, region: region.map(part) }
    }

    /// How narrow these countries and regions are that it lies in: 0 everywhere, 1 a country, 2 a
    /// region; none when it lies elsewhere.
    pub(super) fn within(self, countries: &[String], regions: &[String]) -> Option<u8> {
        let named = |list: &[String], name: Option<&str>| {
            name.is_some_and(|name| list.iter().any(|other| other.eq_ignore_ascii_case(name)))
        };
        match (countries.is_empty(), regions.is_empty()) {
            (true, _) => Some(0),
            (false, true) => named(countries, self.country).then_some(1),
            (false, false) => {
                (named(countries, self.country) && named(regions, self.region)).then_some(2)
            }
        }
    }
}

/// # Errors
/// When it is no name for an address.
pub(super) fn check_slug(pointer: &str, raw: &str) -> Result<(), Invalid> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if (1..=SLUG_BYTES_MAX).contains(&raw.len()) && raw.bytes().all(plain) {
        return Ok(());
    }
    let text = format!("Expected 1 to {SLUG_BYTES_MAX} lower-case letters, digits, `-` and `_`.");
    Err(Invalid::new(pointer, text))
}

/// # Errors
/// When countries are no codes, or regions stand without their one country.
pub(super) fn check_area(countries: &[String], regions: &[String]) -> Result<(), Invalid> {
    let is_code = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    if let Some(at) = countries.iter().position(|code| !is_code(code)) {
        let text = "Expected an ISO 3166-1 alpha-2 code such as `DE`.";
        return Err(Invalid::new(&format!("/countries/{at}"), text));
    }
    if !regions.is_empty() && countries.len() != 1 {
        return Err(Invalid::new("/regions", "Regions need exactly one country."));
    }
    Ok(())
}

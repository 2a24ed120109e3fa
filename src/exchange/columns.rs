//! Which columns a kind has. A field of JSON lines has the name of its column.

use super::Kind;
use crate::{
    catalog::import::PRODUCTS,
    files::{
        Column, Known,
        row::Holds::{self, Json, Text, Texts, Truth},
    },
    pricing::ItemKind,
};

const fn may(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, is_needed: false }
}

const fn needs(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, is_needed: true }
}

const GROUPS: &[Column] = &[
    needs("id", Text),
    may("title", Text),
    may("description", Text),
    may("image_url", Text),
    may("categories", Texts),
];
const STOCK: &[Column] = &[needs("sku", Text), needs("on_hand", Json)];
const PRICES: &[Column] = &[needs("currency", Text), needs("sku", Text), needs("price", Text)];
const DISCOUNTS: &[Column] = &[
    needs("id", Text),
    may("title", Text),
    may("code", Text),
    may("benefit", Json),
    may("currency", Text),
    may("products", Texts),
    may("categories", Texts),
    may("minimum_subtotal_minor", Json),
    may("starts_at", Text),
    may("ends_at", Text),
    may("usage_limit", Json),
    may("once_per_buyer", Truth),
    may("priority", Json),
    may("combines", Truth),
    may("active", Truth),
];
const SHIPPING: &[Column] = &[
    needs("id", Text),
    may("title", Text),
    may("service", Text),
    may("carrier", Text),
    may("countries", Texts),
    may("regions", Texts),
    may("amount_minor", Json),
    may("currency", Text),
    may("min_weight_grams", Json),
    may("max_weight_grams", Json),
    may("min_subtotal_minor", Json),
    may("max_subtotal_minor", Json),
    may("min_days", Json),
    may("max_days", Json),
    may("active", Truth),
];
const PLACES: &[Column] =
    &[needs("id", Text), may("title", Text), may("address", Json), may("active", Truth)];
const TAXES: &[Column] = &[
    needs("id", Text),
    may("title", Text),
    may("countries", Texts),
    may("regions", Texts),
    may("category", Text),
    may("basis_points", Json),
    may("inclusive", Truth),
    may("active", Truth),
];

/// The columns of a kind, in the order in which they are written. Only what names a row is needed
/// in each: what is new needs more, as its kind says.
pub const fn of(kind: Kind) -> Known {
    let columns = match kind {
        Kind::Products => return PRODUCTS,
        Kind::ProductGroups => GROUPS,
        Kind::Stock => STOCK,
        Kind::PriceLists => PRICES,
        Kind::Tariff(ItemKind::Discounts) => DISCOUNTS,
        Kind::Tariff(ItemKind::ShippingRates) => SHIPPING,
        Kind::Tariff(ItemKind::PickupLocations) => PLACES,
        Kind::Tariff(ItemKind::TaxRates) => TAXES,
    };
    Known { columns, prefixes: &[] }
}

/// Columns that are read and never written: an export of products says nothing of their stock,
/// which has a file of its own.
pub const READ_ONLY: &[&str] = &["stock"];

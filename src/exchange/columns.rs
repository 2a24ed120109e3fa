//! Which columns a kind has. A field of JSON lines has the name of its column.

use super::Kind;
use crate::pricing::ItemKind;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds JSON (numbers, truth values, lists, objects) rather than a text.
    pub is_json: bool,
    /// Whether each row needs it.
    pub is_needed: bool,
}

const fn text(name: &'static str) -> Column {
    Column { name, is_json: false, is_needed: false }
}

const fn json(name: &'static str) -> Column {
    Column { name, is_json: true, is_needed: false }
}

const fn needed(column: Column) -> Column {
    Column { is_needed: true, ..column }
}

const GROUPS: &[Column] = &[
    needed(text("id")),
    needed(text("title")),
    text("description"),
    text("image_url"),
    text("categories"),
];
const PRODUCTS: &[Column] = &[
    needed(text("sku")),
    needed(text("title")),
    needed(text("price")),
    needed(text("currency")),
    text("tax_category"),
    text("image_url"),
    text("stock_policy"),
    json("active"),
    text("group"),
    text("description"),
    text("categories"),
    json("max_per_order"),
    json("options"),
    json("attributes"),
];
const STOCK: &[Column] = &[needed(text("sku")), needed(json("on_hand"))];
const PRICES: &[Column] = &[needed(text("currency")), needed(text("sku")), needed(text("price"))];
const DISCOUNTS: &[Column] = &[
    needed(text("id")),
    needed(text("title")),
    text("code"),
    needed(json("benefit")),
    text("currency"),
    json("products"),
    json("categories"),
    json("minimum_subtotal_minor"),
    text("starts_at"),
    text("ends_at"),
    json("usage_limit"),
    json("once_per_buyer"),
    json("priority"),
    json("combines"),
    json("active"),
];
const SHIPPING: &[Column] = &[
    needed(text("id")),
    needed(text("title")),
    needed(text("service")),
    text("carrier"),
    json("countries"),
    json("regions"),
    needed(json("amount_minor")),
    needed(text("currency")),
    json("min_weight_grams"),
    json("max_weight_grams"),
    json("min_subtotal_minor"),
    json("max_subtotal_minor"),
    json("min_days"),
    json("max_days"),
    json("active"),
];
const PLACES: &[Column] =
    &[needed(text("id")), needed(text("title")), needed(json("address")), json("active")];
const TAXES: &[Column] = &[
    needed(text("id")),
    needed(text("title")),
    json("countries"),
    json("regions"),
    text("category"),
    needed(json("basis_points")),
    json("inclusive"),
    json("active"),
];

/// The columns of a kind, in the order in which they are written.
pub const fn of(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::ProductGroups => GROUPS,
        Kind::Products => PRODUCTS,
        Kind::Stock => STOCK,
        Kind::PriceLists => PRICES,
        Kind::Tariff(ItemKind::Discounts) => DISCOUNTS,
        Kind::Tariff(ItemKind::ShippingRates) => SHIPPING,
        Kind::Tariff(ItemKind::PickupLocations) => PLACES,
        Kind::Tariff(ItemKind::TaxRates) => TAXES,
    }
}

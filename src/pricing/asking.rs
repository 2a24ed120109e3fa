//! What is asked of a tariff, and what it answers.

use super::{
    priced::{Priced, Wish},
    totals::Totals,
};
use crate::base::{Currency, Email, Sku, Timestamp};

/// What is bought of one product.
#[derive(Debug, Clone, Copy)]
pub struct Goods<'a> {
    /// What.
    pub sku: &'a Sku,
    /// Its category, for discounts.
    pub category: Option<&'a str>,
    /// Its tax category.
    pub tax_category: &'a str,
    /// What one unit costs, in minor units.
    pub unit_minor: i64,
    /// How many.
    pub quantity: u32,
    /// What one unit weighs.
    pub weight_grams: u64,
    /// Whether it is a thing that can be sent.
    pub ships: bool,
}

/// What is to be priced, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The currency of everything.
    pub currency: Currency,
    /// What is bought, line by line.
    pub goods: &'a [Goods<'a>],
    /// The codes that were typed.
    pub codes: &'a [String],
    /// How the goods are to come, where it was said.
    pub wish: Option<&'a Wish>,
    /// Whether a checkout has to say how its goods come.
    pub must_choose: bool,
    /// The destination's country (ISO 3166-1 alpha-2).
    pub country: Option<&'a str>,
    /// Its state or province.
    pub region: Option<&'a str>,
    /// The buyer's e-mail address.
    pub buyer: Option<&'a Email>,
    /// Uses of discounts that there are none left of.
    pub gone: &'a [Sku],
    /// The moment.
    pub now: Timestamp,
}

/// What the buyer should know about codes and deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingCode {
    /// Not yet, no longer, or used up.
    Expired,
    /// No such code, or nothing here that it counts for.
    Invalid,
    /// The same code twice.
    Repeated,
    /// It does not count together with another one.
    NotCombined,
    /// It counts once for each buyer, and nobody knows who buys.
    BuyerUnknown,
    /// This buyer has used it.
    BuyerIneligible,
    /// How or where to is not chosen yet.
    DeliveryOpen,
    /// Nothing is sent there.
    Undeliverable,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub code: FindingCode,
    /// The code that it is about, by its place among those typed.
    pub at: Option<usize>,
    /// A sentence for people.
    pub text: String,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What is shown and paid.
    pub totals: Totals,
    /// Everything beyond the lines' own prices, if there is anything.
    pub priced: Option<Box<Priced>>,
    /// What the buyer should know.
    pub findings: Vec<Finding>,
}

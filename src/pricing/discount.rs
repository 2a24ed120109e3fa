//! A discount: what it gives, to whom, for how long and how often.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    share::{self, WHOLE},
    tariff::{Invalid, check_slug},
};
use crate::base::{Currency, Sku, Timestamp};

/// Bytes of a code: it is typed by people.
const CODE_BYTES_MAX: usize = 64;

/// Units in one group of a buy-x-get-y: more is a mistake.
const GROUP_MAX: u32 = 1_000;

/// What a discount gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Benefit {
    /// A part of the price.
    Percent {
        /// 1 to 10,000 hundredths of a percent.
        basis_points: u32,
    },
    /// An amount, at most what the goods cost.
    Fixed {
        /// In minor units of the discount's currency.
        amount_minor: i64,
    },
    /// Shipping costs nothing, for a parcel with any of the goods that the discount is for.
    FreeShipping,
    /// Of every `buy + get` units the `get` cheapest cost less.
    BuyGet {
        /// Units at the full price.
        buy: u32,
        /// Units that cost less.
        get: u32,
        /// By how much: 1 to 10,000 hundredths of a percent; free when it is not said.
        #[serde(default = "whole")]
        basis_points: u32,
    },
}

const fn whole() -> u32 {
    WHOLE
}

const fn yes() -> bool {
    true
}

const fn first() -> u32 {
    1
}

/// A discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// Its name in addresses: 1 to 40 lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the buyer types, in any case; without one it counts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it gives.
    pub benefit: Benefit,
    /// The one currency it counts in; any when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Only these SKUs; all when neither these nor categories are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Sku>,
    /// Only products with one of these in their attribute `category`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Only from this subtotal on, before any discount, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_subtotal_minor: Option<i64>,
    /// Not before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// No longer from this on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// So many orders in all. Each use is held like stock while its checkout is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<u32>,
    /// One order for each buyer, known by the mailbox of the e-mail address: case, dots at its
    /// end and a `+…` before the `@` make no other buyer, nor do dots in a Gmail name.
    #[serde(default)]
    pub once_per_buyer: bool,
    /// Lower ones count first; among equals the one whose id comes first.
    #[serde(default = "first")]
    pub priority: u32,
    /// Whether it may count together with others.
    #[serde(default = "yes")]
    pub combines: bool,
    /// Whether it counts at all.
    #[serde(default = "yes")]
    pub active: bool,
}

/// A line as a discount sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub sku: &'a Sku,
    pub category: Option<&'a str>,
    pub quantity: u32,
    /// What the discounts before have left of its price, in minor units.
    pub left: i64,
}

impl Discount {
    /// # Errors
    /// Which field makes no sense, and why.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        check_slug("/id", &self.id)?;
        let code = self.code.as_deref();
        let bad = |code: &str| {
            code.is_empty()
                || code.len() > CODE_BYTES_MAX
                || !code.bytes().all(|b| b.is_ascii_graphic())
        };
        if code.is_some_and(bad) {
            let text = format!("A code is 1 to {CODE_BYTES_MAX} printable ASCII characters.");
            return Err(Invalid::new("/code", text));
        }
        let percent = |points: u32| (1..=WHOLE).contains(&points);
        match self.benefit {
            Benefit::Percent { basis_points } | Benefit::BuyGet { basis_points, .. }
                if !percent(basis_points) =>
            {
                let text = format!("Basis points are 1 to {WHOLE} hundredths of a percent.");
                return Err(Invalid::new("/benefit/basis_points", text));
            }
            Benefit::Fixed { amount_minor } if amount_minor < 1 => {
                return Err(Invalid::new("/benefit/amount_minor", "Take off at least 1."));
            }
            Benefit::BuyGet { buy, get, .. }
                if !(1..=GROUP_MAX).contains(&buy) || !(1..=GROUP_MAX).contains(&get) =>
            {
                let text = format!("`buy` and `get` are 1 to {GROUP_MAX} units.");
                return Err(Invalid::new("/benefit", text));
            }
            _ => {}
        }
        let is_amount = matches!(self.benefit, Benefit::Fixed { .. });
        if self.currency.is_none() && (is_amount || self.minimum_subtotal_minor.is_some()) {
            return Err(Invalid::new("/currency", "An amount needs a currency."));
        }
        if self.minimum_subtotal_minor.is_some_and(|minor| minor < 0) {
            return Err(Invalid::new("/minimum_subtotal_minor", "Not below 0."));
        }
        if let (Some(from), Some(until)) = (self.starts_at, self.ends_at)
            && until <= from
        {
            return Err(Invalid::new("/ends_at", "It ends after it starts."));
        }
        if self.priority == 0 {
            return Err(Invalid::new("/priority", "Priorities begin at 1."));
        }
        Ok(())
    }

    /// Whether this is its code; case does not count.
    pub(super) fn is_code(&self, typed: &str) -> bool {
        self.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case(typed))
    }

    /// The SKU whose units are its uses, where they are limited.
    pub fn uses(&self) -> Option<Sku> {
        self.usage_limit.map(|_| Sku::of_uses(&self.id, None))
    }

    pub(super) fn concerns(&self, part: &Part<'_>) -> bool {
        let all = self.products.is_empty() && self.categories.is_empty();
        let category = |name: &str| self.categories.iter().any(|other| other == name);
        all || self.products.contains(part.sku) || part.category.is_some_and(category)
    }

    /// What it takes off each part, in minor units; shipping is another matter.
    pub(super) fn takes(&self, parts: &[Part<'_>]) -> Vec<i64> {
        let weight = |part: &Part<'_>| if self.concerns(part) { part.left } else { 0 };
        let weights: Vec<i64> = parts.iter().map(weight).collect();
        let sum: i64 = weights.iter().sum();
        match self.benefit {
            Benefit::Percent { basis_points } => {
                crate::base::share(share::truncated(sum, basis_points), &weights)
            }
            Benefit::Fixed { amount_minor } => crate::base::share(amount_minor.min(sum), &weights),
            Benefit::FreeShipping => vec![0; parts.len()],
            Benefit::BuyGet { buy, get, basis_points } => {
                self.cheapest(parts, buy, get, basis_points)
            }
        }
    }

    fn cheapest(&self, parts: &[Part<'_>], buy: u32, get: u32, basis_points: u32) -> Vec<i64> {
        let concerned = |part: &Part<'_>| self.concerns(part) && part.quantity > 0;
        let units: u64 =
            parts.iter().filter(|part| concerned(part)).map(|part| u64::from(part.quantity)).sum();
        let mut cheaper = units / u64::from(buy + get) * u64::from(get);
        let mut order: Vec<usize> = (0..parts.len()).filter(|at| concerned(&parts[*at])).collect();
        // By what is left of one unit's price; compared as fractions, so that nothing is rounded.
        order.sort_by(|a, b| {
            let (a, b) = (&parts[*a], &parts[*b]);
            let (left, right) = (i128::from(a.left), i128::from(b.left));
            (left * i128::from(b.quantity)).cmp(&(right * i128::from(a.quantity)))
        });
        let mut taken = vec![0; parts.len()];
        for at in order {
            let part = &parts[at];
            let count = cheaper.min(u64::from(part.quantity));
            cheaper -= count;
            let of_units = i128::from(part.left) * i128::from(count) / i128::from(part.quantity);
            let of_units = i64::try_from(of_units).unwrap_or(part.left);
            taken[at] = share::truncated(of_units, basis_points).min(part.left);
        }
        taken
    }
}

//! Import and export of everything a merchant sets: as CSV or as JSON lines, over `/v1` and from
//! the command line.
//!
//! **Owns:** the formats, which columns there are, and in which order things are taken in.
//! **Invariant:** a file with anything wrong in it changes nothing; what is exported, imported into
//! an empty shop and exported again is the same bytes.
//! **Not here:** what the things mean (see [`catalog`](crate::catalog), [`pricing`](crate::pricing)
//! and [`stock`](crate::stock)).
//!
//! What a file does not mention stays as it is; an empty cell clears.
//!
//! A file that is right is taken in whole or, where something breaks on the way, in part; doing it
//! again changes nothing more and finishes it.

pub mod columns;
pub mod counts;
pub mod export;
pub mod plan;
pub mod profiles;
pub mod read;
mod tariff;

pub use crate::files::Format;
use crate::{
    base::{Chance, Clock, Limits},
    catalog::Catalog,
    ledger::{Store, Writer},
    pricing::{ItemKind, Tariffs},
};

/// What can be imported and exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What is said of groups of products.
    ProductGroups,
    /// Products.
    Products,
    /// Counted units.
    Stock,
    /// Prices in further currencies.
    PriceLists,
    /// A kind of the tariff.
    Tariff(ItemKind),
}

impl Kind {
    /// Every kind, in an order in which a whole shop can be taken in.
    pub const ALL: [Self; 8] = [
        Self::ProductGroups,
        Self::Products,
        Self::Stock,
        Self::PriceLists,
        Self::Tariff(ItemKind::Discounts),
        Self::Tariff(ItemKind::ShippingRates),
        Self::Tariff(ItemKind::PickupLocations),
        Self::Tariff(ItemKind::TaxRates),
    ];

    /// The word in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProductGroups => "product-groups",
            Self::Products => "products",
            Self::Stock => "stock",
            Self::PriceLists => "price-lists",
            Self::Tariff(kind) => kind.as_str(),
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The words there are, for people.
    pub fn words() -> String {
        Self::ALL.map(|kind| format!("`{}`", kind.as_str())).join(", ")
    }
}

/// The parts of a shop that are imported into and exported from.
#[derive(Clone, Copy)]
pub struct Shop<'a> {
    /// Products, groups and price lists.
    pub catalog: &'a Catalog,
    /// Discounts, shipping, places and taxes.
    pub tariffs: &'a Tariffs,
    /// Stock, as it is.
    pub store: &'a dyn Store,
    /// Stock, as it is to be.
    pub writer: &'a Writer,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Makes ids.
    pub chance: &'a dyn Chance,
    /// What a field may hold.
    pub limits: &'a Limits,
}

impl std::fmt::Debug for Shop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").field("catalog", self.catalog).finish_non_exhaustive()
    }
}

//! A product as it is sold.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::base::{Money, Sku, Timestamp};

/// How a SKU's units are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockPolicy {
    /// Sold while there is stock.
    #[default]
    Tracked,
    /// Sold beyond stock; delivered when it comes.
    Backorder,
    /// Never runs out (digital goods, services).
    Untracked,
}

/// One stocked variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its code.
    pub sku: Sku,
    /// Its name for people.
    pub title: String,
    /// What one unit costs.
    pub price: Money,
    /// `standard`, `reduced`, `zero`, …: which tax rule applies.
    pub tax_category: String,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Color, size and whatever else sets it apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// How its units are counted.
    #[serde(default)]
    pub stock_policy: StockPolicy,
    /// Whether it may be bought now.
    #[serde(default = "yes")]
    pub active: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

const fn yes() -> bool {
    true
}

//! A product as it is sold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, num::NonZeroU32};

use super::group::GroupId;
use crate::base::{Currency, Money, Sku, Timestamp};

/// The tax category of what names none.
pub const STANDARD_TAX: &str = "standard";

/// How a SKU's units are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
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

/// One choice that makes a variant: of `Color` it is `Red`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What can be chosen.
    pub name: String,
    /// What this is.
    pub value: String,
}

/// One stocked variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// The group it is a variant of; without one it stands for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// Which variant of its group it is, in the order in which buyers choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// What it is, in some sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where a shop has it, such as `Apparel > Shirts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Units of it that one order may have; none where there is no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_order: Option<NonZeroU32>,
    /// Since when it is archived: it was removed, and orders name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// What it costs in further currencies; kept by price lists, and not saved with the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list_prices: Vec<Money>,
}

const fn yes() -> bool {
    true
}

impl Product {
    /// A product with nothing but a name and a price, counted and for sale.
    pub fn new(sku: Sku, title: impl Into<String>, price: Money, updated_at: Timestamp) -> Self {
        Self {
            sku,
            title: title.into(),
            price,
            tax_category: STANDARD_TAX.to_owned(),
            image_url: None,
            attributes: BTreeMap::new(),
            stock_policy: StockPolicy::default(),
            active: true,
            updated_at,
            group: None,
            options: Vec::new(),
            description: None,
            categories: Vec::new(),
            max_per_order: None,
            archived_at: None,
            list_prices: Vec::new(),
        }
    }

    /// What it costs in this currency: its own price, else that of the currency's list.
    pub fn price_in(&self, currency: Currency) -> Option<Money> {
        let listed = || self.list_prices.iter().find(|price| price.currency() == currency).copied();
        if self.price.currency() == currency { Some(self.price) } else { listed() }
    }

    /// What it is listed under: its group, or itself.
    pub fn listing(&self) -> &str {
        self.group.as_ref().map_or(self.sku.as_str(), GroupId::as_str)
    }

    /// Its categories; the one among the attributes, by which discounts go, is one of them.
    pub fn all_categories(&self) -> impl Iterator<Item = &str> {
        let named = self.categories.iter().map(String::as_str);
        named.chain(self.attributes.get("category").map(String::as_str))
    }

    /// What was chosen of an option, by its name in any case.
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        self.options.iter().find(|choice| choice.name.eq_ignore_ascii_case(name))
    }
}

//! What is to be changed about products and groups: what is not mentioned stays as it is.

use std::{collections::BTreeMap, num::NonZeroU32};

use super::{Choice, Group, GroupId, Product, StockPolicy, product::STANDARD_TAX};
use crate::{
    base::{Currency, Money, Sku, Timestamp},
    files::Given,
};

/// An amount as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// Minor units.
    Minor(i64),
    /// A decimal amount; how many decimals it may have depends on its currency.
    Decimal(String),
}

/// What is said of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPatch {
    /// Which product.
    pub sku: Sku,
    /// Its name.
    pub title: Option<String>,
    /// What one unit costs.
    pub price: Option<Amount>,
    /// In what.
    pub currency: Option<Currency>,
    /// Which tax rule applies.
    pub tax_category: Given<String>,
    /// Its picture.
    pub image_url: Given<String>,
    /// How its units are counted.
    pub stock_policy: Given<StockPolicy>,
    /// Whether it may be bought.
    pub active: Given<bool>,
    /// Its group.
    pub group: Given<GroupId>,
    /// What it is.
    pub description: Given<String>,
    /// Where a shop has it.
    pub categories: Given<Vec<String>>,
    /// Units of it that one order may have.
    pub max_per_order: Given<NonZeroU32>,
    /// All its options.
    pub options: Given<Vec<Choice>>,
    /// Single options, by name.
    pub option: Vec<(String, Given<String>)>,
    /// All its attributes.
    pub attributes: Given<BTreeMap<String, String>>,
    /// Single attributes, by name.
    pub attribute: Vec<(String, Given<String>)>,
}

/// What is said of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPatch {
    /// Which group.
    pub id: GroupId,
    /// Its name.
    pub title: Option<String>,
    /// What it is.
    pub description: Given<String>,
    /// Its picture.
    pub image_url: Given<String>,
    /// Where a shop has it.
    pub categories: Given<Vec<String>>,
}

/// A field without which nothing comes of it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The field.
    pub field: &'static str,
    /// What was expected.
    pub expected: String,
}

impl Missing {
    fn new(field: &'static str, expected: impl Into<String>) -> Self {
        Self { field, expected: expected.into() }
    }
}

/// What came, or is to come, of what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// These fields are others.
    Changed(Vec<&'static str>),
    /// It was so already.
    Unchanged,
}

impl Change {
    /// The change that these fields are.
    pub fn of(is_new: bool, fields: Vec<&'static str>) -> Self {
        match (is_new, fields.is_empty()) {
            (true, _) => Self::Created,
            (false, true) => Self::Unchanged,
            (false, false) => Self::Changed(fields),
        }
    }
}

const NEW: &str = "a new product needs it";

impl ProductPatch {
    /// A patch that says nothing but which product is meant.
    pub fn of(sku: Sku) -> Self {
        Self {
            sku,
            title: None,
            price: None,
            currency: None,
            tax_category: Given::Absent,
            image_url: Given::Absent,
            stock_policy: Given::Absent,
            active: Given::Absent,
            group: Given::Absent,
            description: Given::Absent,
            categories: Given::Absent,
            max_per_order: Given::Absent,
            options: Given::Absent,
            option: Vec::new(),
            attributes: Given::Absent,
            attribute: Vec::new(),
        }
    }

    /// The product that comes of the one there is, or of none. It is younger than that one.
    ///
    /// # Errors
    /// What is missing.
    pub fn over(&self, was: Option<&Product>, now: Timestamp) -> Result<Product, Missing> {
        let price = self.price_over(was.map(|was| was.price))?;
        let title = self.title.clone().or_else(|| was.map(|was| was.title.clone()));
        let title = title.ok_or_else(|| Missing::new("title", NEW))?;
        let updated_at = was.map_or(now, |was| younger(was.updated_at, now));
        let new = || Product::new(self.sku.clone(), title.clone(), price, now);
        let was = was.cloned().unwrap_or_else(new);
        let said = self.clone();
        let active = said.active.over(was.active, || true);
        Ok(Product {
            sku: said.sku,
            title,
            price,
            tax_category: said.tax_category.over(was.tax_category, || STANDARD_TAX.to_owned()),
            image_url: said.image_url.map(Some).over(was.image_url, || None),
            stock_policy: said.stock_policy.over(was.stock_policy, StockPolicy::default),
            active,
            group: said.group.map(Some).over(was.group, || None),
            description: said.description.map(Some).over(was.description, || None),
            categories: said.categories.over(was.categories, Vec::new),
            max_per_order: said.max_per_order.map(Some).over(was.max_per_order, || None),
            options: options(said.options.over(was.options, Vec::new), said.option),
            attributes: attributes(
                said.attributes.over(was.attributes, BTreeMap::new),
                said.attribute,
            ),
            updated_at,
            // What is for sale again is in no archive.
            archived_at: was.archived_at.filter(|_| !active),
            list_prices: was.list_prices,
        })
    }

    fn price_over(&self, was: Option<Money>) -> Result<Money, Missing> {
        let currency = self.currency.or_else(|| was.map(Money::currency));
        let currency = currency.ok_or_else(|| Missing::new("currency", NEW))?;
        match (&self.price, was) {
            (Some(Amount::Minor(minor)), _) => Ok(Money::from_minor(*minor, currency)),
            (Some(Amount::Decimal(text)), _) => {
                let price = Money::parse_written(text, currency);
                price.map_err(|wrong| Missing::new("price", wrong))
            }
            (None, Some(was)) if was.currency() == currency => Ok(was),
            (None, Some(_)) => Err(Missing::new("price", "another currency needs another price")),
            (None, None) => Err(Missing::new("price", NEW)),
        }
    }
}

impl GroupPatch {
    /// The group that comes of the one there is, or of none. It is younger than that one.
    ///
    /// # Errors
    /// What is missing.
    pub fn over(&self, was: Option<&Group>, now: Timestamp) -> Result<Group, Missing> {
        let title = self.title.clone().or_else(|| was.map(|was| was.title.clone()));
        let title = title.ok_or_else(|| Missing::new("title", "a new group needs it"))?;
        let updated_at = was.map_or(now, |was| younger(was.updated_at, now));
        let new = || Group {
            id: self.id.clone(),
            title: String::new(),
            description: None,
            image_url: None,
            categories: Vec::new(),
            updated_at: now,
        };
        let was = was.cloned().unwrap_or_else(new);
        let said = self.clone();
        Ok(Group {
            id: said.id,
            title,
            description: said.description.map(Some).over(was.description, || None),
            image_url: said.image_url.map(Some).over(was.image_url, || None),
            categories: said.categories.over(was.categories, Vec::new),
            updated_at,
        })
    }
}

/// A time of its own for each state of a thing: by it a change is known that came in between.
fn younger(was: Timestamp, now: Timestamp) -> Timestamp {
    now.max(Timestamp::from_micros(was.micros() + 1))
}

fn options(mut options: Vec<Choice>, single: Vec<(String, Given<String>)>) -> Vec<Choice> {
    for (name, value) in single {
        let at = options.iter().position(|choice| choice.name.eq_ignore_ascii_case(&name));
        match (value, at) {
            (Given::Absent, _) | (Given::Empty, None) => {}
            (Given::Empty, Some(at)) => drop(options.remove(at)),
            (Given::Value(value), Some(at)) => options[at].value = value,
            (Given::Value(value), None) => options.push(Choice { name, value }),
        }
    }
    options
}

fn attributes(
    mut attributes: BTreeMap<String, String>,
    single: Vec<(String, Given<String>)>,
) -> BTreeMap<String, String> {
    for (name, value) in single {
        match value {
            Given::Absent => {}
            Given::Empty => drop(attributes.remove(&name)),
            Given::Value(value) => drop(attributes.insert(name, value)),
        }
    }
    attributes
}

/// The fields in which a product is another, by the names of their columns.
pub fn product_fields(was: &Product, is: &Product) -> Vec<&'static str> {
    let fields = [
        ("title", was.title != is.title),
        ("price", was.price.minor() != is.price.minor()),
        ("currency", was.price.currency() != is.price.currency()),
        ("tax_category", was.tax_category != is.tax_category),
        ("image_url", was.image_url != is.image_url),
        ("stock_policy", was.stock_policy != is.stock_policy),
        ("active", was.active != is.active),
        ("group", was.group != is.group),
        ("description", was.description != is.description),
        ("categories", was.categories != is.categories),
        ("max_per_order", was.max_per_order != is.max_per_order),
        ("options", was.options != is.options),
        ("attributes", was.attributes != is.attributes),
    ];
    fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

/// The fields in which a group is another.
pub fn group_fields(was: &Group, is: &Group) -> Vec<&'static str> {
    let fields = [
        ("title", was.title != is.title),
        ("description", was.description != is.description),
        ("image_url", was.image_url != is.image_url),
        ("categories", was.categories != is.categories),
    ];
    fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

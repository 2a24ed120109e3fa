//! A product as buyers see it: a group with its variants, or a product that stands for itself.

use super::{Choice, Group, Product};
use crate::base::{Currency, Money};

/// What a search finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The group's id, or the SKU.
    pub id: String,
    /// What is said of all variants, where it is a group that somebody described.
    pub group: Option<Group>,
    /// Its variants by SKU, at least one.
    pub variants: Vec<Product>,
}

/// One option with its values, both in the order in which they first stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis<'a> {
    /// What can be chosen.
    pub name: &'a str,
    /// Among what.
    pub values: Vec<&'a str>,
}

/// A variant at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The variant.
    pub product: &'a Product,
    /// What it costs.
    pub price: Money,
}

/// Amounts in minor units, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRange {
    /// The least.
    pub min: i64,
    /// The most.
    pub max: i64,
}

impl PriceRange {
    /// Whether an amount lies in it.
    pub const fn contains(self, minor: i64) -> bool {
        self.min <= minor && minor <= self.max
    }
}

impl Listing {
    /// Its name for people.
    pub fn title(&self) -> &str {
        let first = || self.variants.first().map_or(self.id.as_str(), |first| &first.title);
        self.group.as_ref().map_or_else(first, |group| &group.title)
    }

    /// What it is, in some sentences.
    pub fn description(&self) -> Option<&str> {
        let group = self.group.as_ref().and_then(|group| group.description.as_deref());
        let first = || self.variants.iter().find_map(|product| product.description.as_deref());
        group.or_else(first)
    }

    /// Addresses of its pictures, each once.
    pub fn images(&self) -> Vec<&str> {
        let group = self.group.iter().filter_map(|group| group.image_url.as_deref());
        let all =
            group.chain(self.variants.iter().filter_map(|product| product.image_url.as_deref()));
        once_each(all)
    }

    /// Its categories, each once.
    pub fn categories(&self) -> Vec<&str> {
        let group = self.group.iter().flat_map(|group| group.categories.iter().map(String::as_str));
        once_each(group.chain(self.variants.iter().flat_map(Product::all_categories)))
    }

    /// What can be bought of it, at prices in one currency: the wanted one, where anything of it is
    /// sold in it, else that of the first variant that is for sale. What is not sold in it, or not
    /// within the range, is left out. The range is in the wanted currency, or in each variant's own
    /// when none is wanted.
    pub fn offers(&self, wanted: Option<Currency>, range: Option<PriceRange>) -> Vec<Offer<'_>> {
        let active = || self.variants.iter().filter(|product| product.active);
        let sold = wanted.filter(|one| active().any(|product| product.price_in(*one).is_some()));
        let own = || active().next().map(|product| product.price.currency());
        let Some(currency) = sold.or_else(own) else { return Vec::new() };
        let fits = |price: Money| match range {
            None => true,
            Some(_) if wanted.is_some_and(|wanted| wanted != currency) => false,
            Some(range) => range.contains(price.minor()),
        };
        let offer = |product| {
            let price = Product::price_in(product, currency).filter(|price| fits(*price))?;
            Some(Offer { product, price })
        };
        active().filter_map(offer).collect()
    }
}

/// The options that tell these offers apart.
pub fn axes<'a>(offers: &[Offer<'a>]) -> Vec<Axis<'a>> {
    let mut axes: Vec<Axis<'a>> = Vec::new();
    for Choice { name, value } in offers.iter().flat_map(|offer| &offer.product.options) {
        let at = axes.iter().position(|axis| axis.name.eq_ignore_ascii_case(name));
        let at = at.unwrap_or_else(|| {
            axes.push(Axis { name, values: Vec::new() });
            axes.len() - 1
        });
        let values = &mut axes[at].values;
        if !values.iter().any(|known| known.eq_ignore_ascii_case(value)) {
            values.push(value);
        }
    }
    axes
}

fn once_each<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut each = Vec::new();
    for one in all {
        if !each.contains(&one) {
            each.push(one);
        }
    }
    each
}

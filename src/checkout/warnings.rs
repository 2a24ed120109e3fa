//! What is well formed and yet can do nothing: told when it is saved, for a shop that waits for a
//! discount that has ended hears of it from its buyers.

use super::desk::Checkout;
use crate::{
    base::{Sku, Timestamp},
    catalog::{Catalog, Search},
    ledger::LedgerFault,
    pricing::{Discount, Item, ShippingRate},
};

/// SKUs that are named in one warning.
const NAMED: usize = 5;

impl Checkout {
    /// What of an item can do nothing, as things stand now.
    ///
    /// # Errors
    /// When the catalogue has to be asked and does not answer.
    pub async fn warnings(&self, item: &Item) -> Result<Vec<String>, LedgerFault> {
        warnings(&self.catalog, item, self.now()).await
    }
}

/// What of an item can do nothing, as things stand now.
///
/// # Errors
/// When the catalogue has to be asked and does not answer.
pub async fn warnings(
    catalog: &Catalog,
    item: &Item,
    now: Timestamp,
) -> Result<Vec<String>, LedgerFault> {
    match item {
        Item::Discount(discount) => of_discount(catalog, discount, now).await,
        Item::ShippingRate(rate) => Ok(of_rate(rate)),
        Item::PickupLocation(place) => Ok(off(place.active)),
        Item::TaxRate(rate) => Ok(off(rate.active)),
    }
}

fn off(active: bool) -> Vec<String> {
    if active { Vec::new() } else { vec!["It is not active, and counts for nobody.".to_owned()] }
}

async fn of_discount(
    catalog: &Catalog,
    discount: &Discount,
    now: Timestamp,
) -> Result<Vec<String>, LedgerFault> {
    let mut warnings = off(discount.active);
    if let Some(ended) = discount.ends_at.filter(|end| *end <= now) {
        warnings.push(format!("It ended at {ended}, and counts for nobody any more."));
    }
    if discount.usage_limit == Some(0) {
        warnings.push("Its usage limit is 0, and nobody can use it.".to_owned());
    }
    let found = catalog.find_many(&discount.products).await?;
    let missing: Vec<&Sku> =
        discount.products.iter().filter(|sku| !found.contains_key(*sku)).collect();
    if !missing.is_empty() {
        let named: Vec<String> = missing.iter().take(NAMED).map(|sku| format!("`{sku}`")).collect();
        let more = if missing.len() > NAMED { " and others" } else { "" };
        warnings.push(format!("There is no product {}{more}.", named.join(", ")));
    }
    let mut unknown = 0;
    for category in &discount.categories {
        let categories = vec![category.clone()];
        let search = Search { categories, all: true, ..Search::default() };
        let is_known = !catalog.search(&search, Default::default(), 1).await?.ids.is_empty();
        if !is_known {
            unknown += 1;
            warnings.push(format!("No product has the category `{category}`."));
        }
    }
    let is_limited = !discount.products.is_empty() || !discount.categories.is_empty();
    let concerns_none =
        missing.len() == discount.products.len() && unknown == discount.categories.len();
    if is_limited && concerns_none {
        warnings.push("It concerns no product that there is.".to_owned());
    }
    Ok(warnings)
}

fn of_rate(rate: &ShippingRate) -> Vec<String> {
    let mut warnings = off(rate.active);
    let never = |min: Option<i64>, max: Option<i64>| max.is_some_and(|max| max <= min.unwrap_or(0));
    let grams = |grams: Option<u64>| grams.and_then(|grams| i64::try_from(grams).ok());
    if never(grams(rate.min_weight_grams), grams(rate.max_weight_grams)) {
        warnings
            .push("No weight is between its least and its most, and it is never offered.".into());
    }
    if never(rate.min_subtotal_minor, rate.max_subtotal_minor) {
        warnings.push("No value of goods is between its least and its most.".into());
    }
    warnings
}

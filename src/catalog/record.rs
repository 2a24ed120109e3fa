//! Products as the databases keep them: the one place where columns and fields meet.

use serde::Serialize;
use std::collections::BTreeMap;

use super::{Product, StockPolicy};
use crate::{
    base::{Currency, Money, Sku, Timestamp},
    ledger::store::LedgerFault,
};

/// One row as both databases hand it out: SKU, title, minor units, currency, tax category, picture,
/// attributes as JSON, stock policy, active, time of the last change as RFC 3339.
pub(super) type Row =
    (String, String, i64, String, String, Option<String>, String, String, bool, String);

/// One row as it is written, under the names of its columns.
#[derive(Serialize)]
struct Record<'a> {
    sku: &'a Sku,
    title: &'a str,
    price_minor: i64,
    currency: &'static str,
    tax_category: &'a str,
    image_url: Option<&'a str>,
    attributes: &'a BTreeMap<String, String>,
    stock_policy: StockPolicy,
    active: bool,
    updated_at: Timestamp,
}

/// Products as the JSON array that the upserts take apart.
pub(super) fn to_json(products: &[Product]) -> String {
    let records: Vec<Record<'_>> = products.iter().map(record).collect();
    serde_json::to_string(&records).expect("invariant: records of texts and numbers serialize")
}

fn record(product: &Product) -> Record<'_> {
    Record {
        sku: &product.sku,
        title: &product.title,
        price_minor: product.price.minor(),
        currency: product.price.currency().code(),
        tax_category: &product.tax_category,
        image_url: product.image_url.as_deref(),
        attributes: &product.attributes,
        stock_policy: product.stock_policy,
        active: product.active,
        updated_at: product.updated_at,
    }
}

/// SKUs as the JSON array that a look-up takes apart.
pub(super) fn skus_to_json(skus: &[Sku]) -> String {
    serde_json::to_string(skus).expect("invariant: SKUs serialize")
}

/// A stored row. One that does not read is a fault, not a product without a price.
pub(super) fn from_row(row: Row) -> Result<Product, LedgerFault> {
    let (sku, title, minor, currency, tax_category, image_url, attributes, policy, active, at) =
        row;
    let broken =
        |what: &str| LedgerFault::Broken(format!("product {sku:?} has no readable {what}"));
    let currency: Currency = currency.trim().parse().map_err(|_| broken("currency"))?;
    let stock_policy = serde_json::from_value(serde_json::Value::String(policy));
    Ok(Product {
        title,
        price: Money::from_minor(minor, currency),
        tax_category,
        image_url,
        attributes: serde_json::from_str(&attributes).map_err(|_| broken("attributes"))?,
        stock_policy: stock_policy.map_err(|_| broken("stock policy"))?,
        active,
        updated_at: Timestamp::parse(&at).ok_or_else(|| broken("time"))?,
        sku: Sku::parse(&sku).map_err(|_| broken("SKU"))?,
    })
}

//! Products as the databases keep them: the one place where columns and fields meet. They are
//! written under the names of their columns and come back as the records of a view.

use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, num::NonZeroU32};

use super::{Choice, Group, Product, StockPolicy, group::GroupId};
use crate::{
    base::{Sku, Timestamp},
    ledger::store::LedgerFault,
};

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
    seen: Option<Timestamp>,
    group_id: Option<&'a GroupId>,
    options: &'a [Choice],
    description: Option<&'a str>,
    categories: &'a [String],
    max_per_order: Option<NonZeroU32>,
    archived_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct GroupRecord<'a> {
    id: &'a GroupId,
    title: &'a str,
    description: Option<&'a str>,
    image_url: Option<&'a str>,
    categories: &'a [String],
    updated_at: Timestamp,
    seen: Option<Timestamp>,
}

/// Products as the JSON array that the upserts take apart.
pub(super) fn to_json<'a>(
    products: impl Iterator<Item = (&'a Product, Option<Timestamp>)>,
) -> String {
    let records: Vec<Record<'_>> = products.map(record).collect();
    serde_json::to_string(&records).expect("invariant: records of texts and numbers serialize")
}

fn record((product, seen): (&Product, Option<Timestamp>)) -> Record<'_> {
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
        seen,
        group_id: product.group.as_ref(),
        options: &product.options,
        description: product.description.as_deref(),
        categories: &product.categories,
        max_per_order: product.max_per_order,
        archived_at: product.archived_at,
    }
}

/// Groups as the JSON array that the upserts take apart.
pub(super) fn groups_to_json<'a>(
    groups: impl Iterator<Item = (&'a Group, Option<Timestamp>)>,
) -> String {
    let records: Vec<GroupRecord<'_>> = groups.map(group_record).collect();
    serde_json::to_string(&records).expect("invariant: records of texts serialize")
}

fn group_record((group, seen): (&Group, Option<Timestamp>)) -> GroupRecord<'_> {
    GroupRecord {
        id: &group.id,
        title: &group.title,
        description: group.description.as_deref(),
        image_url: group.image_url.as_deref(),
        categories: &group.categories,
        updated_at: group.updated_at,
        seen,
    }
}

/// SKUs as the JSON array that a look-up takes apart.
pub(super) fn skus_to_json(skus: &[Sku]) -> String {
    serde_json::to_string(skus).expect("invariant: SKUs serialize")
}

/// Texts as the JSON array that a look-up takes apart.
pub(super) fn texts_to_json(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("invariant: texts serialize")
}

/// A stored record. One that does not read is a fault, not a product without a price.
pub(super) fn read<T: DeserializeOwned>(record: &str) -> Result<T, LedgerFault> {
    serde_json::from_str(record).map_err(|error| {
        LedgerFault::Broken(format!("a record of the catalogue does not read: {error}"))
    })
}

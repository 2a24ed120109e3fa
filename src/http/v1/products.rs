//! `/v1/products`: what is for sale.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, num::NonZeroU32};

use super::{
    page::{self, Wanted},
    product_groups,
    product_patches::twins,
    stock::sku_of,
};
use crate::{
    base::{Currency, Limits, Money, Sku},
    catalog::{
        Choice, GroupId, Product, Search, StockPolicy,
        listing::PriceRange,
        product::STANDARD_TAX,
        search::Place,
        texts::{self, CATEGORY_BYTES_MAX, OPTIONS_MAX},
    },
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
};

/// What is listed: all, or what has words, a category, or a price.
#[derive(Debug, Default, Deserialize)]
pub struct Listed {
    cursor: Option<String>,
    limit: Option<u32>,
    q: Option<String>,
    category: Option<String>,
    min_minor: Option<String>,
    max_minor: Option<String>,
    currency: Option<String>,
    archived: Option<bool>,
}

/// Variants listed of one group that a search finds.
const VARIANTS_MAX: u32 = 250;

/// Lists products by SKU, or finds those that have words, a category or a price, also those that
/// are not for sale. Those in the archive are listed alone, when asked for. A page of what was
/// found holds so many groups, each with all its variants in the range.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    listed: web::Query<Listed>,
) -> Result<HttpResponse, Problem> {
    let Listed { cursor, limit, .. } = &*listed;
    let wanted = Wanted { cursor: cursor.clone(), limit: *limit };
    let size = wanted.size(&door.limits)?;
    if let Some(search) = searched(&listed, &door)? {
        let place = wanted.after::<Place>()?.unwrap_or_default();
        let found = door.catalog.search(&search, place, size).await?;
        let listings = door.catalog.listings(&found.ids, VARIANTS_MAX).await?;
        let in_range = |product: &Product| {
            let price = search.currency.map_or(Some(product.price), |it| product.price_in(it));
            let fits = |range: PriceRange| price.is_some_and(|one| range.contains(one.minor()));
            search.price.is_none_or(fits)
        };
        let items = listings.into_iter().flat_map(|listing| listing.variants);
        let items = items.filter(|product| product.archived_at.is_none());
        let items: Vec<Product> = items.filter(in_range).collect();
        let next = found.next.map(|next| next.to_string());
        return Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": next })));
    }
    let after = wanted.after_sku()?;
    let rows = match listed.archived {
        Some(true) => door.catalog.list_archived(after.as_ref(), size + 1).await?,
        _ => door.catalog.list(after.as_ref(), size + 1).await?,
    };
    Ok(page::answer(rows, size, |row| row.sku.to_string(), |row| row))
}

/// What is searched for; nothing when all is listed.
fn searched(listed: &Listed, door: &Door) -> Result<Option<Search>, Problem> {
    let Listed { q, category, min_minor, max_minor, currency, .. } = listed;
    let text = q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.len() > door.limits.text_bytes) {
        let most = door.limits.text_bytes;
        let long = format!("A question has at most {most} bytes.");
        return Err(Problem::new(Kind::LimitExceeded, long).at("/q").limit(most as u64));
    }
    let amount = |raw: &Option<String>, name| {
        let read = |raw: &str| raw.parse::<i64>().ok().filter(|amount| *amount >= 0);
        page::parameter(raw.as_deref(), name, "0 or more minor units", read)
    };
    let (min, max) = (amount(min_minor, "min_minor")?, amount(max_minor, "max_minor")?);
    let currency = page::parameter(
        currency.as_deref(),
        "currency",
        "an ISO 4217 currency code such as EUR",
        |raw| raw.parse().ok(),
    )?;
    let price = (min.is_some() || max.is_some())
        .then(|| PriceRange { min: min.unwrap_or(0), max: max.unwrap_or(i64::MAX) });
    let search = Search {
        text: text.map(str::to_owned),
        categories: category.iter().cloned().collect(),
        price,
        currency,
        all: true,
    };
    let is_one = search.text.is_some() || search.price.is_some() || category.is_some();
    Ok(is_one.then_some(search))
}

/// Shows a product.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = door.catalog.find(&sku_of(&sku)?).await?;
    let product = found.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such product."))?;
    Ok(HttpResponse::Ok().json(&*product))
}

/// Inserts or replaces a product.
pub async fn save(
    door: web::Data<Door>,
    asking: Asking,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let sku = Sku::parse_goods(&sku)
        .map_err(|error| Problem::new(Kind::Invalid, format!("Refused: {error}.")))?;
    let product = read(&body, sku, &door)?;
    idempotency::change(&door, &asking, async || {
        door.catalog.save(std::slice::from_ref(&product)).await?;
        let warnings = twins(&door, vec![product.sku.clone()]).await?;
        Ok(idempotency::answer(200, &Saved { product: &product, warnings }))
    })
    .await
}

/// A product as it was saved.
#[derive(Debug, Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    product: &'a Product,
    /// What is easily taken for something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

fn read(at: &At<'_>, sku: Sku, door: &Door) -> Result<Product, Problem> {
    let limits = &door.limits;
    Ok(Product {
        sku,
        title: product_groups::title(at, limits)?,
        price: price(at)?,
        tax_category: tax_category(at, limits)?.unwrap_or_else(|| STANDARD_TAX.to_owned()),
        image_url: product_groups::image_url(at, limits)?,
        attributes: attributes(at, door)?,
        stock_policy: policy(at)?,
        active: at.find("active").map(|flag| flag.truth()).transpose()?.unwrap_or(true),
        updated_at: door.clock.now(),
        group: at.find("group").map(|id| id.parse(64, GroupId::parse)).transpose()?,
        options: options(at)?,
        description: product_groups::description(at)?,
        categories: product_groups::categories(at)?,
        max_per_order: max_per_order(at)?,
        archived_at: None,
        list_prices: Vec::new(),
    })
}

/// Units of it that one order may have; `null` where there is no such limit.
pub(super) fn max_per_order(at: &At<'_>) -> Result<Option<NonZeroU32>, Problem> {
    let Some(field) = at.find("max_per_order").filter(|field| !field.value().is_null()) else {
        return Ok(None);
    };
    let most = u32::try_from(field.integer()?).ok().and_then(NonZeroU32::new);
    most.map(Some).ok_or_else(|| {
        let text = "An order has 1 to 4294967295 units at most; leave it out for no limit.";
        field.problem(Kind::Invalid, text.to_owned())
    })
}

/// Which tax rule applies.
pub(super) fn tax_category(at: &At<'_>, limits: &Limits) -> Result<Option<String>, Problem> {
    let Some(field) = at.find("tax_category") else { return Ok(None) };
    let name = field.text(limits.text_bytes)?;
    texts::check_tax_category(name).map_err(|wrong| product_groups::refused(&field, &wrong))?;
    Ok(Some(name.to_owned()))
}

/// `{"minor": 1990, "currency": "EUR"}`, as products are shown.
pub(super) fn price(at: &At<'_>) -> Result<Money, Problem> {
    let price = at.get("price")?;
    let minor = price.object()?.get("minor")?;
    let amount = minor.integer()?;
    if amount < 0 {
        return Err(minor.problem(Kind::Invalid, "A price is not negative.".to_owned()));
    }
    let currency = price.get("currency")?.parse(16, str::parse::<Currency>)?;
    Ok(Money::from_minor(amount, currency))
}

/// `[{"name": "Size", "value": "M"}]`, in the order in which buyers choose.
pub(super) fn options(at: &At<'_>) -> Result<Vec<Choice>, Problem> {
    let Some(list) = at.find("options") else { return Ok(Vec::new()) };
    let mut options = Vec::new();
    for option in list.items(OPTIONS_MAX)? {
        let text = |name| option.get(name)?.text(CATEGORY_BYTES_MAX).map(str::to_owned);
        options.push(Choice { name: text("name")?, value: text("value")? });
    }
    texts::check_options(&options).map_err(|wrong| product_groups::refused(&list, &wrong))?;
    Ok(options)
}

pub(super) fn policy(at: &At<'_>) -> Result<StockPolicy, Problem> {
    let Some(field) = at.find("stock_policy") else { return Ok(StockPolicy::default()) };
    match field.text(32)? {
        "tracked" => Ok(StockPolicy::Tracked),
        "backorder" => Ok(StockPolicy::Backorder),
        "untracked" => Ok(StockPolicy::Untracked),
        _ => {
            let text = "A stock policy is `tracked`, `backorder` or `untracked`.".to_owned();
            Err(field.problem(Kind::Invalid, text))
        }
    }
}

pub(super) fn attributes(at: &At<'_>, door: &Door) -> Result<BTreeMap<String, String>, Problem> {
    let Some(field) = at.find("attributes") else { return Ok(BTreeMap::new()) };
    let most = door.limits.metadata_bytes;
    if field.value().to_string().len() > most {
        let text = format!("Attributes take at most {most} bytes as JSON.");
        return Err(field.problem(Kind::LimitExceeded, text).limit(most as u64));
    }
    serde_json::from_value(field.value().clone())
        .map_err(|_| field.problem(Kind::Invalid, "Attributes are texts by name.".to_owned()))
}

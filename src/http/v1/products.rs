//! `/v1/products`: what is for sale.

use actix_web::{HttpResponse, web};
use std::collections::BTreeMap;

use super::{
    page::{self, Wanted},
    stock::sku_of,
};
use crate::{
    base::{Money, Sku},
    catalog::{Product, StockPolicy},
    http::{
        asking::Asking,
        caller::Caller,
        door::Door,
        idempotency,
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
};

/// Lists products by SKU.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let after = wanted.after_sku()?;
    let rows = door.catalog.list(after.as_ref(), size + 1).await?;
    Ok(page::answer(rows, size, |row| row.sku.to_string(), |row| row))
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
    save_all(&door, &asking, &[product]).await
}

/// Inserts or replaces many products, all or none.
pub async fn save_many(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let list = body.get("products")?;
    let products = list
        .items(door.limits.lines_per_cart)?
        .map(|at| {
            let sku = at.get("sku")?.parse(door.limits.text_bytes, Sku::parse_goods)?;
            read(&at, sku, &door)
        })
        .collect::<Result<Vec<_>, _>>()?;
    save_all(&door, &asking, &products).await
}

/// Products are no facts of the ledger: saving them twice is saving them once, so the key is
/// written after, and a crash in between only saves them again.
async fn save_all(
    door: &Door,
    asking: &Asking,
    products: &[Product],
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(door, asking).await? {
        return Ok(answer);
    }
    door.catalog.save(products).await?;
    let answer = match products {
        [product] if asking.body().find("products").is_none() => idempotency::answer(200, product),
        many => idempotency::answer(200, &serde_json::json!({ "saved": many.len() })),
    };
    idempotency::keep(door, asking, "products", answer).await
}

fn read(at: &At<'_>, sku: Sku, door: &Door) -> Result<Product, Problem> {
    let limits = &door.limits;
    let tax_category = at.text_in("tax_category", limits.text_bytes)?;
    Ok(Product {
        sku,
        title: at.get("title")?.text(limits.text_bytes)?.to_owned(),
        price: price(at)?,
        tax_category: tax_category.unwrap_or_else(|| "standard".to_owned()),
        image_url: at.text_in("image_url", limits.text_bytes)?,
        attributes: attributes(at, door)?,
        stock_policy: policy(at)?,
        active: at.find("active").is_none_or(|flag| flag.is_true()),
        updated_at: door.clock.now(),
    })
}

/// `{"minor": 1990, "currency": "EUR"}`, as products are shown.
fn price(at: &At<'_>) -> Result<Money, Problem> {
    let price = at.get("price")?;
    let minor = price.get("minor")?;
    let amount = minor.integer()?;
    if amount < 0 {
        return Err(minor.problem(Kind::Invalid, "A price is not negative.".to_owned()));
    }
    let currency = reading::currency(&price)?;
    let currency = currency.ok_or_else(|| {
        price.problem(Kind::Invalid, "A price has a `currency`, such as EUR.".to_owned())
    })?;
    Ok(Money::from_minor(amount, currency))
}

fn policy(at: &At<'_>) -> Result<StockPolicy, Problem> {
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

fn attributes(at: &At<'_>, door: &Door) -> Result<BTreeMap<String, String>, Problem> {
    let Some(field) = at.find("attributes") else { return Ok(BTreeMap::new()) };
    let most = door.limits.metadata_bytes;
    if field.value().to_string().len() > most {
        let text = format!("Attributes take at most {most} bytes as JSON.");
        return Err(field.problem(Kind::LimitExceeded, text).limit(most as u64));
    }
    serde_json::from_value(field.value().clone())
        .map_err(|_| field.problem(Kind::Invalid, "Attributes are texts by name.".to_owned()))
}

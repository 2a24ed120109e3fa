//! `/v1/price-lists`: what products cost in further currencies. A checkout in a currency is quoted
//! from its list; what the list does not have is not sold in it.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde_json::json;

use super::{
    page::{self, Wanted},
    stock::sku_of,
};
use crate::{
    base::{Currency, Money, Sku},
    catalog::price_list::ListPrice,
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
};

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/price-lists").get(lists))
        .service(web::resource("/price-lists/{currency}").get(list))
        .service(web::resource("/price-lists/{currency}/bulk").post(save_many))
        .service(web::resource("/price-lists/{currency}/{sku}").put(save).delete(remove));
}

fn currency_of(raw: &str) -> Result<Currency, Problem> {
    raw.parse().map_err(|_| {
        Problem::new(Kind::NotFound, format!("`{raw}` is no currency."))
            .suggest("Write an ISO 4217 code such as USD.")
    })
}

/// Lists the lists.
async fn lists(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let lists = door.catalog.price_lists().await?;
    Ok(HttpResponse::Ok().json(json!({ "items": lists })))
}

/// Lists the prices of a list by SKU.
async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    currency: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (currency, size) = (currency_of(&currency)?, wanted.size(&door.limits)?);
    let after = wanted.after_sku()?;
    let after = after.as_ref().map(|sku| (currency.code(), sku.as_str()));
    let rows = door.catalog.list_prices(Some(currency), after, size + 1).await?;
    let shown = |row: ListPrice| json!({ "sku": row.sku, "minor": row.price.minor() });
    Ok(page::answer(rows, size, |row| row.sku.to_string(), shown))
}

/// Puts a price on a list.
async fn save(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (currency, sku) = (currency_of(&path.0)?, sku_of(&path.1)?);
    let price = price(&asking.body(), sku, currency)?;
    let shown = json!({ "sku": price.sku, "minor": price.price.minor(), "currency": currency });
    save_all(&door, &asking, vec![price], shown, |_| String::new()).await
}

/// Puts many prices on a list, all or none.
async fn save_many(
    door: web::Data<Door>,
    asking: Asking,
    currency: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let currency = currency_of(&currency)?;
    let body = asking.body();
    let list = body.get("prices")?;
    let prices = list
        .items(door.limits.lines_per_cart)?
        .map(|at| {
            let sku = at.get("sku")?.parse(door.limits.text_bytes, Sku::parse_goods)?;
            price(&at, sku, currency)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let shown = json!({ "saved": prices.len() });
    save_all(&door, &asking, prices, shown, |at| format!("/prices/{at}/sku")).await
}

async fn save_all(
    door: &Door,
    asking: &Asking,
    prices: Vec<ListPrice>,
    shown: serde_json::Value,
    pointer: impl Fn(usize) -> String,
) -> Result<HttpResponse, Problem> {
    idempotency::change(door, asking, async || {
        if let Some((at, why)) = door.catalog.check_list_prices(&prices).await?.first() {
            return Err(Problem::new(Kind::Invalid, format!("Refused: {why}.")).at(pointer(*at)));
        }
        door.catalog.save_list_prices(&prices, door.clock.now()).await?;
        Ok(idempotency::answer(200, &shown))
    })
    .await
}

/// Takes a price off a list. Taking off what is not there is as good.
async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (currency, sku) = (currency_of(&path.0)?, sku_of(&path.1)?);
    idempotency::change(&door, &asking, async || {
        door.catalog.remove_list_price(currency, &sku).await?;
        Ok(idempotency::answer(200, &json!({ "removed": sku })))
    })
    .await
}

fn price(at: &At<'_>, sku: Sku, currency: Currency) -> Result<ListPrice, Problem> {
    let minor = at.get("minor")?;
    let amount = minor.integer()?;
    if amount < 0 {
        return Err(minor.problem(Kind::Invalid, "A price is not negative.".to_owned()));
    }
    Ok(ListPrice { sku, price: Money::from_minor(amount, currency) })
}

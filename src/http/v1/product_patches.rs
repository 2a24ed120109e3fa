//! `POST /v1/products/bulk`: many products made, or changed in what is mentioned. A field that is
//! not mentioned stays as it is, `null` clears it.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use std::collections::HashMap;

use super::{
    exchange::told,
    product_groups,
    products::{attributes, max_per_order, options, policy, price, tax_category},
};
use crate::{
    base::Sku,
    catalog::{Change, GroupId, Product, ProductPatch, amend::AmendRefused, import, patch::Amount},
    files::Given,
    http::{asking::Asking, door::Door, idempotency, kinds::Kind, problem::Problem, reading::At},
    ledger::LedgerFault,
};

/// Makes or changes many products, all or none; two requests that change the same product at the
/// same time both count.
pub(super) async fn save_many(
    door: web::Data<Door>,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let list = body.get("products")?;
    let mut seen = HashMap::new();
    let mut patches = Vec::new();
    for (number, at) in list.items(door.limits.lines_per_cart)?.enumerate() {
        let field = at.get("sku")?;
        let sku = field.parse(door.limits.text_bytes, Sku::parse_goods)?;
        if let Some(first) = seen.insert(sku.clone(), number) {
            let text = format!("`{sku}` is the SKU of /products/{first} already.");
            return Err(field.problem(Kind::Invalid, text));
        }
        patches.push(read(&at, sku, &door)?);
    }
    idempotency::change(&door, &asking, async || {
        let now = door.clock.now();
        for (number, one) in
            door.catalog.amended(&patches, now).await.map_err(refused)?.iter().enumerate()
        {
            if let Some(misfit) = import::misfit(&one.is, None, &door.limits) {
                let pointer = format!("/products/{number}/{}", misfit.column);
                let text = format!("Refused: {}.", misfit.expected);
                return Err(Problem::new(Kind::Invalid, text).at(pointer));
            }
        }
        let amended = door.catalog.amend(&patches, now).await.map_err(refused)?;
        let named = |(product, change): (Product, Change)| (product.sku.to_string(), change);
        let changes: Vec<_> = amended.into_iter().map(named).collect();
        let warnings =
            twins(&door, patches.iter().map(|patch| patch.sku.clone()).collect()).await?;
        let answer = json!({ "saved": changes.len(), "warnings": warnings });
        let answer = told(&changes, answer);
        Ok(idempotency::answer(200, &answer))
    })
    .await
}

/// SKUs that differ in their case alone from one of these.
pub(super) async fn twins(door: &Door, skus: Vec<Sku>) -> Result<Vec<String>, LedgerFault> {
    let told = |(one, other): (Sku, Sku)| {
        format!("`{one}` and `{other}` differ in their case alone, and are two products.")
    };
    Ok(door.catalog.twins(&skus).await?.into_iter().map(told).collect())
}

fn refused(refused: AmendRefused) -> Problem {
    match refused {
        AmendRefused::Missing(missing) => {
            let Some((at, missing)) = missing.into_iter().next() else {
                return Problem::new(Kind::Invalid, "Something is missing.");
            };
            // The currency is a part of the price here.
            let field = if missing.field == "currency" { "price" } else { missing.field };
            let expected = missing.expected;
            Problem::new(Kind::Invalid, format!("The field `{field}` is missing: {expected}."))
                .at(format!("/products/{at}/{field}"))
        }
        AmendRefused::Busy => {
            Problem::new(Kind::Busy, "Others are changing the same products; try again.")
        }
        AmendRefused::Ledger(fault) => fault.into(),
    }
}

fn read(at: &At<'_>, sku: Sku, door: &Door) -> Result<ProductPatch, Problem> {
    let limits = &door.limits;
    let given = |name| given(at, name);
    let title = match given("title") {
        Given::Absent => None,
        Given::Empty | Given::Value(()) => Some(product_groups::title(at, limits)?),
    };
    let price = match given("price") {
        Given::Absent => None,
        Given::Empty | Given::Value(()) => Some(price(at)?),
    };
    Ok(ProductPatch {
        title,
        price: price.map(|price| Amount::Minor(price.minor())),
        currency: price.map(|price| price.currency()),
        tax_category: made(given("tax_category"), || tax_category(at, limits))?,
        image_url: made(given("image_url"), || product_groups::image_url(at, limits))?,
        stock_policy: made(given("stock_policy"), || policy(at).map(Some))?,
        active: made(given("active"), || at.find("active").map(|flag| flag.truth()).transpose())?,
        group: made(given("group"), || {
            at.find("group").map(|id| id.parse(64, GroupId::parse)).transpose()
        })?,
        description: made(given("description"), || product_groups::description(at))?,
        categories: made(given("categories"), || product_groups::categories(at).map(Some))?,
        max_per_order: made(given("max_per_order"), || max_per_order(at))?,
        options: made(given("options"), || options(at).map(Some))?,
        attributes: made(given("attributes"), || attributes(at, door).map(Some))?,
        ..ProductPatch::of(sku)
    })
}

fn given(at: &At<'_>, name: &str) -> Given<()> {
    match at.value().get(name) {
        None => Given::Absent,
        Some(Value::Null) => Given::Empty,
        Some(_) => Given::Value(()),
    }
}

/// What is said of a field, read where a value stands; an empty text is as good as `null`.
fn made<T>(
    given: Given<()>,
    read: impl FnOnce() -> Result<Option<T>, Problem>,
) -> Result<Given<T>, Problem> {
    Ok(match given {
        Given::Absent => Given::Absent,
        Given::Empty => Given::Empty,
        Given::Value(()) => read()?.map_or(Given::Empty, Given::Value),
    })
}

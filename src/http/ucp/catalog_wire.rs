//! The catalogue as platforms read it.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;

use super::catalog::Available;
use crate::{
    base::Money,
    catalog::{
        Choice, Listing,
        listing::{Offer, axes},
        search::Place,
        selection::signal,
    },
    http::door::Door,
};

#[derive(Serialize)]
struct FoundWire<'a> {
    ucp: &'a RawValue,
    products: Vec<ProductWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Value>,
}

#[derive(Serialize)]
struct DetailWire<'a> {
    ucp: &'a RawValue,
    product: ProductWire<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Value>,
}

/// A product.
#[derive(Debug, Serialize)]
pub struct ProductWire<'a> {
    id: &'a str,
    title: &'a str,
    description: Description<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Value>,
    price_range: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Value>,
    variants: Vec<VariantWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<Vec<Value>>,
}

#[derive(Debug, Serialize)]
struct Description<'a> {
    plain: &'a str,
}

#[derive(Debug, Serialize)]
struct VariantWire<'a> {
    id: &'a str,
    sku: &'a str,
    title: &'a str,
    description: Description<'a>,
    price: Value,
    availability: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Value>,
}

fn price(price: Money) -> Value {
    json!({ "amount": price.minor(), "currency": price.currency().code() })
}

fn image(url: &str, title: &str) -> Value {
    json!({ "type": "image", "url": url, "alt_text": title })
}

fn selected(choice: &Choice) -> Value {
    json!({ "name": choice.name, "label": choice.value })
}

fn variant<'a>(listing: &'a Listing, offer: &Offer<'a>, stock: &Available) -> VariantWire<'a> {
    let product = offer.product;
    let description = product.description.as_deref().or_else(|| listing.description());
    VariantWire {
        id: product.sku.as_str(),
        sku: product.sku.as_str(),
        title: &product.title,
        description: Description { plain: description.unwrap_or(&product.title) },
        price: price(offer.price),
        availability: json!({
            "available": stock.has(product),
            "status": stock.status(product),
        }),
        options: product.options.iter().map(selected).collect(),
        media: product.image_url.iter().map(|url| image(url, &product.title)).collect(),
        metadata: &product.attributes,
        inputs: Vec::new(),
    }
}

/// A product with these of its variants; nothing when there are none.
pub fn product<'a>(
    listing: &'a Listing,
    offers: &[Offer<'a>],
    stock: &Available,
) -> Option<ProductWire<'a>> {
    let least = offers.iter().min_by_key(|offer| offer.price.minor())?;
    let most = offers.iter().max_by_key(|offer| offer.price.minor())?;
    let title = listing.title();
    let category = |value| json!({ "value": value, "taxonomy": "merchant" });
    let options = axes(offers).into_iter().map(|axis| {
        let values: Vec<_> = axis.values.iter().map(|label| json!({ "label": label })).collect();
        json!({ "name": axis.name, "values": values })
    });
    Some(ProductWire {
        id: &listing.id,
        title,
        description: Description { plain: listing.description().unwrap_or(title) },
        categories: listing.categories().into_iter().map(category).collect(),
        price_range: json!({ "min": price(least.price), "max": price(most.price) }),
        media: listing.images().into_iter().map(|url| image(url, title)).collect(),
        options: options.collect(),
        variants: offers.iter().map(|offer| variant(listing, offer, stock)).collect(),
        selected: None,
    })
}

/// A product with the variants that were asked for, each with the ids that named it.
pub fn looked_up<'a>(
    listing: &'a Listing,
    offers: &[Offer<'a>],
    shown: &[(Offer<'a>, Vec<(String, &'static str)>)],
    stock: &Available,
) -> Option<ProductWire<'a>> {
    if shown.is_empty() {
        return None;
    }
    let mut wire = product(listing, offers, stock)?;
    let input = |(id, how): &(String, &str)| json!({ "id": id, "match": how });
    let named = shown.iter().map(|(offer, inputs)| VariantWire {
        inputs: inputs.iter().map(input).collect(),
        ..variant(listing, offer, stock)
    });
    wire.variants = named.collect();
    Some(wire)
}

/// The answer to a search.
pub fn found(
    door: &Door,
    products: Vec<ProductWire<'_>>,
    next: Option<Place>,
    messages: Vec<Value>,
) -> HttpResponse {
    let pagination = match next {
        Some(next) => json!({ "has_next_page": true, "cursor": next.to_string() }),
        None => json!({ "has_next_page": false }),
    };
    let ucp = &*door.answers.blocks().search;
    HttpResponse::Ok().json(FoundWire { ucp, products, pagination: Some(pagination), messages })
}

/// The answer to a look-up.
pub fn looked(door: &Door, products: Vec<ProductWire<'_>>, messages: Vec<Value>) -> HttpResponse {
    let ucp = &*door.answers.blocks().lookup;
    HttpResponse::Ok().json(FoundWire { ucp, products, pagination: None, messages })
}

/// The answer to a look at one product: all that is offered, what of it is shown, what was chosen.
pub fn detail<'a>(
    door: &Door,
    (listing, offers, shown): (&'a Listing, &[Offer<'a>], &[Offer<'a>]),
    chosen: &[Choice],
    stock: &Available,
    messages: Vec<Value>,
) -> HttpResponse {
    let Some(mut product) = product(listing, offers, stock) else {
        return no_product(door, &listing.id);
    };
    let can_be_bought = |offer: &Offer<'_>| stock.has(offer.product);
    let options = axes(offers).into_iter().map(|axis| {
        let value = |label: &&str| {
            let signal = signal(offers, chosen, (axis.name, label), can_be_bought);
            json!({ "label": label, "available": signal.available, "exists": signal.exists })
        };
        let values: Vec<_> = axis.values.iter().map(value).collect();
        json!({ "name": axis.name, "values": values })
    });
    product.options = options.collect();
    product.selected = Some(chosen.iter().map(selected).collect());
    product.variants = shown.iter().map(|offer| variant(listing, offer, stock)).collect();
    let ucp = &*door.answers.blocks().lookup;
    HttpResponse::Ok().json(DetailWire { ucp, product, messages })
}

/// The answer when there is no such product: an outcome, and not a fault of the request.
pub fn no_product(door: &Door, id: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "ucp": door.answers.blocks().error,
        "messages": [{
            "type": "error", "code": "not_found", "severity": "unrecoverable",
            "content": format!("There is no product `{id}` for sale."),
        }],
    }))
}

/// An id that names nothing.
pub fn not_found(id: &str) -> Value {
    json!({ "type": "info", "code": "not_found", "content": id })
}

/// A filter that means nothing here.
pub fn filter_ignored(name: &str) -> Value {
    let content = format!("The filter `{name}` is not known here and was passed over.");
    json!({ "type": "info", "code": "filter_ignored", "content": content })
}

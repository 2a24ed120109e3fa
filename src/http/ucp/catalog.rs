//! `POST /catalog/search`, `/catalog/lookup`, `/catalog/product`: what there is to buy. Nothing is
//! held or locked for it; a checkout has the last word.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use std::collections::HashSet;

use super::{
    agent::Agent,
    catalog_request::{self as request, Lookup, Wanted},
    catalog_wire as wire,
};
use crate::{
    base::Sku,
    catalog::{
        Listing, Product, StockPolicy,
        listing::Offer,
        selection::{effective, matches},
    },
    http::{caller::Caller, door::Door, problem::Problem, question::Question},
};

/// Variants shown of each product that a search finds. Whoever wants all asks for the product.
const VARIANTS_FOUND_MAX: u32 = 20;

/// Variants of a product that is looked at.
const VARIANTS_MAX: u32 = 250;

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/catalog/search").post(search))
        .service(web::resource("/catalog/lookup").post(lookup))
        .service(web::resource("/catalog/product").post(product));
}

/// Finds products by words, categories and price.
async fn search(
    door: web::Data<Door>,
    _agent: Agent,
    _caller: Caller,
    question: Question,
) -> Result<HttpResponse, Problem> {
    let body = question.body();
    let asked = request::search(&body, &door.limits)?;
    let found = door.catalog.search(&asked.search, asked.place, asked.limit).await?;
    let listings = door.catalog.listings(&found.ids, VARIANTS_FOUND_MAX).await?;
    let stock = Available::of(&door, &listings).await?;
    let wanted = asked.wanted();
    let products = listings.iter().filter_map(|listing| {
        let mut offers = wanted.offers(listing);
        offers.sort_by_key(|offer| !stock.has(offer.product));
        wire::product(listing, &offers, &stock)
    });
    let products = products.collect();
    let messages = asked.ignored.iter().map(|name| wire::filter_ignored(name)).collect();
    Ok(wire::found(&door, products, found.next, messages))
}

/// Looks products up by the ids of products and variants.
async fn lookup(
    door: web::Data<Door>,
    _agent: Agent,
    _caller: Caller,
    question: Question,
) -> Result<HttpResponse, Problem> {
    let body = question.body();
    let Lookup { ids, wanted } = request::lookup(&body, &door.limits)?;
    let named = door.catalog.named(&ids).await?;
    let mut listings = door.catalog.listings(&named, VARIANTS_MAX).await?;
    add_named(&door, &mut listings, &ids).await?;
    let stock = Available::of(&door, &listings).await?;
    let mut answered = HashSet::new();
    let mut products = Vec::new();
    for listing in &listings {
        let offers = wanted.offers(listing);
        let featured = featured(&offers, &stock);
        let inputs_of = |offer: &Offer<'_>| {
            let exact = |id: &&String| id.as_str() == offer.product.sku.as_str();
            let exact = ids.iter().filter(exact).map(|id| (id.clone(), "exact"));
            let is_featured = featured == Some(offer.product);
            let by_group = ids.iter().filter(|id| {
                is_featured && **id == listing.id && id.as_str() != offer.product.sku.as_str()
            });
            exact.chain(by_group.map(|id| (id.clone(), "featured"))).collect::<Vec<_>>()
        };
        let shown: Vec<_> = offers.iter().map(|offer| (*offer, inputs_of(offer))).collect();
        let shown: Vec<_> = shown.into_iter().filter(|(_, inputs)| !inputs.is_empty()).collect();
        answered
            .extend(shown.iter().flat_map(|(_, inputs)| inputs.iter().map(|(id, _)| id.clone())));
        products.extend(wire::looked_up(listing, &offers, &shown, &stock));
    }
    let missing = ids.iter().filter(|id| !answered.contains(*id)).map(|id| wire::not_found(id));
    let messages = missing.chain(wanted.ignored.iter().map(|name| wire::filter_ignored(name)));
    Ok(wire::looked(&door, products, messages.collect()))
}

/// Shows one product, with what can be chosen of it.
async fn product(
    door: web::Data<Door>,
    _agent: Agent,
    _caller: Caller,
    question: Question,
) -> Result<HttpResponse, Problem> {
    let body = question.body();
    let asked = request::product(&body, &door.limits)?;
    let ids = [asked.id.clone()];
    let named = door.catalog.named(&ids).await?;
    // A variant's own listing comes before one that happens to be called like it.
    let own = door.catalog.find_many(&skus(&ids)).await?.into_values().next();
    let id = own.as_ref().map(|own| own.listing().to_owned()).or_else(|| named.first().cloned());
    let mut listings = door.catalog.listings(&Vec::from_iter(id), VARIANTS_MAX).await?;
    add_named(&door, &mut listings, &ids).await?;
    let stock = Available::of(&door, &listings).await?;
    let Some(listing) = listings.first() else { return Ok(wire::no_product(&door, &asked.id)) };
    let mut offers = asked.wanted.offers(listing);
    let is_variant = own.is_some() && listing.id != asked.id;
    let is_asked = |offer: &Offer<'_>| is_variant && offer.product.sku.as_str() == asked.id;
    if offers.is_empty() || (is_variant && !offers.iter().any(is_asked)) {
        return Ok(wire::no_product(&door, &asked.id));
    }
    // The variant that was asked for comes first, then what can be bought.
    offers.sort_by_key(|offer| (!is_asked(offer), !stock.has(offer.product)));
    let first = offers.first().filter(|offer| is_asked(offer));
    let chosen = match first {
        Some(variant) => variant.product.options.clone(),
        None => effective(&offers, &asked.selected, &asked.preferences),
    };
    // Nothing chosen yet: all variants are shown, and the first one's choices stand.
    let shown: Vec<Offer<'_>> =
        offers.iter().filter(|offer| matches(offer, &chosen)).copied().collect();
    let chosen = if chosen.is_empty() { shown[0].product.options.clone() } else { chosen };
    let messages = asked.wanted.ignored.iter().map(|name| wire::filter_ignored(name)).collect();
    Ok(wire::detail(&door, (listing, &offers, &shown), &chosen, &stock, messages))
}

/// Variants that were asked for by name and stand beyond the first of a very large group.
async fn add_named(door: &Door, listings: &mut [Listing], ids: &[String]) -> Result<(), Problem> {
    for (sku, product) in door.catalog.find_many(&skus(ids)).await? {
        let listing = listings.iter_mut().find(|listing| listing.id == product.listing());
        let Some(listing) = listing else { continue };
        if !listing.variants.iter().any(|variant| variant.sku == sku) {
            listing.variants.push(Product::clone(&product));
        }
    }
    Ok(())
}

fn skus(ids: &[String]) -> Vec<Sku> {
    ids.iter().filter_map(|id| Sku::parse(id).ok()).collect()
}

/// The variant that stands for a product: the first that can be bought, else the first.
fn featured<'a>(offers: &[Offer<'a>], stock: &Available) -> Option<&'a Product> {
    let can_be_bought = offers.iter().find(|offer| stock.has(offer.product));
    can_be_bought.or(offers.first()).map(|offer| offer.product)
}

/// What can be bought right now, as the ledger saw it a moment ago.
#[derive(Debug)]
pub struct Available(HashSet<Sku>);

impl Available {
    /// What of these can be bought. One question, without a lock.
    async fn of(door: &Door, listings: &[Listing]) -> Result<Self, Problem> {
        let all = listings.iter().flat_map(|listing| &listing.variants);
        let counted = all.filter(|product| product.stock_policy == StockPolicy::Tracked);
        let skus: Vec<Sku> = counted.map(|product| product.sku.clone()).collect();
        if skus.is_empty() {
            return Ok(Self(HashSet::new()));
        }
        let levels = door.store.find_stock(&skus).await?;
        let left = levels.into_iter().filter(|level| level.available() > 0);
        Ok(Self(left.map(|level| level.sku).collect()))
    }

    /// Whether one more of it can be bought.
    pub fn has(&self, product: &Product) -> bool {
        product.stock_policy != StockPolicy::Tracked || self.0.contains(&product.sku)
    }

    /// How the protocol calls that.
    pub fn status(&self, product: &Product) -> &'static str {
        match product.stock_policy {
            StockPolicy::Backorder => "backorder",
            _ if self.has(product) => "in_stock",
            _ => "out_of_stock",
        }
    }
}

impl Wanted {
    /// What of a listing is wanted.
    fn offers<'a>(&self, listing: &'a Listing) -> Vec<Offer<'a>> {
        let categories = listing.categories();
        let any = |wanted: &Vec<String>| {
            wanted.is_empty() || wanted.iter().any(|one| categories.contains(&one.as_str()))
        };
        if !any(&self.categories) {
            return Vec::new();
        }
        listing.offers(self.currency, self.price)
    }
}

//! Fills the shop before the doors open: products and opening stock, through the back office.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    plan::{Plan, PlannedProduct},
    shop::{Door, Shop, ShopFault},
    wire::{MovementIn, Price, ProductIn, Products},
};
use crate::outbound::Method;

/// Products per request: about 30 KiB, far below the default body limit.
const PRODUCTS_PER_REQUEST: usize = 200;

/// The currency of the data.
pub(super) const CURRENCY: &str = "GBP";

/// Units per movement: the most a quantity may be by default. More come in several.
const UNITS_PER_MOVEMENT: u64 = 100_000;

/// Saves all products and receives their opening stock. Units that a shop already has stay.
///
/// # Errors
/// The first refusal.
pub(super) async fn set_up(
    shop: &Shop,
    plan: &Plan,
    run: &str,
    concurrency: usize,
) -> Result<(), ShopFault> {
    for (page, products) in plan.products.chunks(PRODUCTS_PER_REQUEST).enumerate() {
        let body = Products { products: products.iter().map(product).collect() };
        let key = format!("{run}-products-{page}");
        let path = "/v1/products";
        let _: serde::de::IgnoredAny =
            shop.send(Method::Put, Door::Office, path, &key, &body).await?;
    }
    stream::iter(&plan.products)
        .map(|product| receive(shop, product, run))
        .buffer_unordered(concurrency)
        .try_collect()
        .await
}

fn product(planned: &PlannedProduct) -> ProductIn<'_> {
    ProductIn {
        sku: planned.sku.as_str(),
        title: &planned.title,
        price: Price { minor: planned.price_minor, currency: CURRENCY },
    }
}

async fn receive(shop: &Shop, product: &PlannedProduct, run: &str) -> Result<(), ShopFault> {
    let mut left = product.stock;
    while left > 0 {
        let quantity = left.min(UNITS_PER_MOVEMENT);
        let body = MovementIn {
            sku: product.sku.as_str(),
            kind: "receive",
            quantity,
            reason: "opening stock of a replay",
        };
        let key = format!("{run}-stock-{}-{left}", product.sku);
        let _: serde::de::IgnoredAny =
            shop.post(Door::Office, "/v1/stock/movements", &key, &body).await?;
        left -= quantity;
    }
    Ok(())
}

//! Fills the shop before the doors open: products and opening stock, through the back office.

use super::{
    plan::{Plan, PlannedProduct},
    shop::{Door, Shop, ShopFault},
    wire::{Moved, MovementIn, Movements, Price, ProductIn, Products},
};

/// Products or movements per request: about 30 KiB, far below the default limits.
const PER_REQUEST: usize = 200;

/// The currency of the data.
pub(super) const CURRENCY: &str = "GBP";

/// Units per movement: the most that one may move. More come in several.
const UNITS_PER_MOVEMENT: u64 = i32::MAX.unsigned_abs() as u64;

/// Saves all products and receives their opening stock. Units that a shop already has stay.
///
/// # Errors
/// The first refusal.
pub(super) async fn set_up(shop: &Shop, plan: &Plan, run: &str) -> Result<(), ShopFault> {
    for (page, products) in plan.products.chunks(PER_REQUEST).enumerate() {
        let body = Products { products: products.iter().map(product).collect() };
        let key = format!("{run}-products-{page}");
        let _: serde::de::IgnoredAny =
            shop.post(Door::Office, "/v1/products/bulk", &key, &body).await?;
    }
    let movements: Vec<MovementIn<'_>> = plan.products.iter().flat_map(opening).collect();
    for (page, movements) in movements.chunks(PER_REQUEST).enumerate() {
        let key = format!("{run}-stock-{page}");
        let body = Movements { movements };
        let done: Moved = shop.post(Door::Office, "/v1/stock/movements", &key, &body).await?;
        if done.refused > 0 {
            let text = format!("{} of {} stock movements refused", done.refused, movements.len());
            return Err(ShopFault::Unready(text));
        }
    }
    Ok(())
}

fn product(planned: &PlannedProduct) -> ProductIn<'_> {
    ProductIn {
        sku: planned.sku.as_str(),
        title: &planned.title,
        price: Price { minor: planned.price_minor, currency: CURRENCY },
    }
}

fn opening(product: &PlannedProduct) -> impl Iterator<Item = MovementIn<'_>> {
    let mut left = product.stock;
    std::iter::from_fn(move || {
        let quantity = left.min(UNITS_PER_MOVEMENT);
        left -= quantity;
        let sku = product.sku.as_str();
        (quantity > 0).then_some(MovementIn {
            sku,
            kind: "receive",
            quantity,
            reason: "opening stock of a replay",
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sku;

    #[test]
    fn opening_stock_comes_in_whole_however_much_it_is() {
        let sku = Sku::parse("MUG").expect("a SKU");
        let product =
            |stock| PlannedProduct { sku: sku.clone(), title: "Mug".into(), price_minor: 1, stock };
        for stock in [0, 1, UNITS_PER_MOVEMENT, UNITS_PER_MOVEMENT + 1, 5 * UNITS_PER_MOVEMENT] {
            let product = product(stock);
            let moves: Vec<u64> = opening(&product).map(|movement| movement.quantity).collect();
            assert_eq!(moves.iter().sum::<u64>(), stock);
            assert!(moves.iter().all(|units| (1..=UNITS_PER_MOVEMENT).contains(units)));
        }
    }
}

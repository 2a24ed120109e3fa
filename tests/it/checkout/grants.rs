//! A hot SKU is sold from memory, exactly, and what is left goes back.

use futures_util::future::join_all;
use std::time::Duration;

use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_hot_sku_sells_out_exactly,
    a_shop_that_closes_gives_its_grants_back,
    an_idle_sku_goes_to_sleep_and_gives_its_grants_back,
);

async fn hot_shop(on: On, units: u32) -> TestShop {
    let shop = on.shop_with(|config| {
        config.stock.grants_at_holds_per_second = 2;
        config.stock.grant_max_block = 32;
    });
    let shop = shop.await;
    shop.stock("HOT", units).await;
    shop
}

/// Sells units one by one until the SKU has earned a grant; how many.
async fn until_granted(shop: &TestShop) -> i64 {
    for sold in 1..50 {
        assert!(shop.shopper().buys(&[("HOT", 1)]).await.says("\"placed\""));
        if shop.level("HOT").await.granted > 0 {
            return sold;
        }
    }
    panic!("a hot SKU earns a grant");
}

async fn a_hot_sku_sells_out_exactly(on: On) {
    let shop = hot_shop(on, 150).await;
    let sold = until_granted(&shop).await;
    let granted = shop.level("HOT").await.granted;
    assert!(shop.shopper().buys(&[("HOT", 2)]).await.says("\"placed\""));
    let level = shop.level("HOT").await;
    assert_eq!(level.granted, granted - 2, "sold from the grant: {level:?}");
    let buyers: Vec<_> = (0..100).map(|_| shop.shopper()).collect();
    let told = join_all(buyers.iter().map(|one| one.buys(&[("HOT", 2)]))).await;
    let placed = told.iter().filter(|told| told.says("\"placed\"")).count() as i64;
    let refused = told.iter().filter(|told| told.says("out_of_stock")).count() as i64;
    assert_eq!((placed, refused), ((148 - sold) / 2, 100 - (148 - sold) / 2));
    if sold % 2 == 1 {
        assert!(shop.shopper().buys(&[("HOT", 1)]).await.says("\"placed\""), "the odd one");
    }
    assert!(shop.shopper().buys(&[("HOT", 1)]).await.says("out_of_stock"));
    let level = shop.level("HOT").await;
    assert_eq!((level.sold, level.unallocated, level.granted, level.held), (150, 0, 0, 0));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_shop_that_closes_gives_its_grants_back(on: On) {
    let mut shop = hot_shop(on, 150).await;
    let sold = until_granted(&shop).await;
    assert!(shop.level("HOT").await.granted > 0);
    shop.debts_are_paid().await;
    shop.opens_again().await;
    let level = shop.level("HOT").await;
    assert_eq!((level.granted, level.unallocated, level.sold), (0, 150 - sold, sold));
    shop.closes().await;
}

async fn an_idle_sku_goes_to_sleep_and_gives_its_grants_back(on: On) {
    let shop = hot_shop(on, 150).await;
    let sold = until_granted(&shop).await;
    let stock = &shop.app().desk.stock;
    let minute = Duration::from_secs(60);
    assert_eq!((stock.retire_idle(minute).await, stock.live_count()), (0, 1), "it is in demand");
    shop.clock.advance(minute);
    assert_eq!((stock.retire_idle(minute).await, stock.live_count()), (1, 0));
    let level = shop.level("HOT").await;
    assert_eq!((level.granted, level.unallocated), (0, 150 - sold));
    assert!(shop.shopper().buys(&[("HOT", 1)]).await.says("\"placed\""), "it wakes up");
    shop.debts_are_paid().await;
    shop.closes().await;
}

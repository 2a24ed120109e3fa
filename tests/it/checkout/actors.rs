//! Actors that die are started again: what they knew stands in the ledger.

use doorbuster::{checkout::CrashPoint, ledger::entry::Source};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};

use crate::shop::{
    On, Told,
    bank::{Call, Gate, Trouble},
    in_shops_on_both, sku,
};

in_shops_on_both!(
    a_cart_that_died_is_started_again,
    a_sku_that_died_is_started_again,
    a_cart_serves_a_line_of_bounded_length,
);

async fn a_cart_that_died_is_started_again(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for _ in 0..3 {
        shop.fuse.arm(CrashPoint::BeforeBegin);
        assert!(ada.pays_as("pay", "success_token").await.is_in_flight());
    }
    assert!(ada.pays_as("pay", "success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_sku_that_died_is_started_again(on: On) {
    let shop = on.shop_with(|config| config.stock.grants_at_holds_per_second = 1).await;
    shop.stock("HOT", 100).await;
    let stock = &shop.app().desk.stock;
    // The wish for a grant needs an id: the actor dies asking for one.
    shop.dice.arm();
    assert_eq!(stock.take(&sku("HOT"), 1).await, Source::Direct);
    while !shop.dice.has_blown() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ada = shop.shopper();
    ada.adds("HOT", 1).await.text();
    assert!(ada.pays("success_token").await.says("\"completed\""));
    let granted = async {
        while shop.level("HOT").await.granted == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(shop.shopper().buys(&[("HOT", 1)]).await.says("\"placed\""));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), granted).await.expect("it earns a grant again");
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_cart_serves_a_line_of_bounded_length(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Delayed(gate.clone()));
    let crowd = async {
        gate.reached().await;
        let all = join_all((0..200).map(|_| ada.pays("success_token")));
        let (told, ()) = tokio::join!(all, async { gate.open() });
        told
    };
    let (paid, told) = tokio::join!(ada.pays_as("pay", "success_token"), crowd);
    assert!(paid.says("\"completed\""), "{paid:?}");
    let refusals: Vec<String> = told.iter().map(Told::refusal).collect();
    let too_many = refusals.iter().filter(|why| why.contains("too many requests")).count();
    assert_eq!((too_many, refusals.len()), (200 - 128, 200), "{refusals:?}");
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

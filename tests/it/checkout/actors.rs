//! Actors that die are started again: what they knew stands in the ledger.

use doorbuster::{checkout::CrashPoint, ledger::entry::Source};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};

use crate::shop::{
    On,
    bank::{Call, Gate, Trouble},
    in_shops_on_both, sku,
};

in_shops_on_both!(
    a_cart_that_died_is_started_again,
    a_sku_that_died_is_started_again,
    a_cart_serves_a_line_of_bounded_length,
    what_nobody_waits_for_any_more_is_not_begun,
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
        let mut crowd: FuturesUnordered<_> = (0..200).map(|_| ada.pays("success_token")).collect();
        // Those for whom there is no room are told at once, while the first still pays.
        for _ in 0..200 - 128 {
            let told = tokio::time::timeout(Duration::from_secs(20), crowd.next()).await;
            let told = told.expect("the line has an end").expect("somebody");
            assert!(told.refusal().contains("too many requests"), "{told:?}");
        }
        gate.open();
        while let Some(told) = crowd.next().await {
            assert!(told.refusal().contains("completed"), "{told:?}");
        }
    };
    let (paid, ()) = tokio::join!(ada.pays_as("pay", "success_token"), crowd);
    assert!(paid.says("\"completed\""), "{paid:?}");
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn what_nobody_waits_for_any_more_is_not_begun(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 9).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Delayed(gate.clone()));
    let others = async {
        gate.reached().await;
        let carts = &shop.app().carts;
        let mut stays = Box::pin(ada.wants(&[("TEE", 2)]));
        let mut leaves = Box::pin(ada.wants(&[("TEE", 3)]));
        for (waiting, asked) in [(2, &mut stays), (3, &mut leaves)] {
            assert!(futures_util::poll!(asked).is_pending());
            assert_eq!(carts.waiting(), waiting);
        }
        // Who looks comes after them: both stand in the line then, behind the one that pays.
        ada.session().await;
        drop(leaves);
        assert_eq!(carts.waiting(), 2);
        gate.open();
        stays.await.text();
    };
    let (declined, ()) = tokio::join!(ada.pays("fail_token"), others);
    assert!(!declined.says("\"completed\""), "{declined:?}");
    // A last one in line comes after all that stood there.
    shop.app().carts.tend(ada.checkout).await.expect("it is looked after");
    assert_eq!(shop.level("TEE").await.held, 2, "what was given up was done all the same");
    ada.cancels().await.text();
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

//! What is kept, for how long, and what stands for ever.

use std::time::Duration;

use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(a_key_is_kept_for_thirty_days_and_an_order_for_ever);

/// Days pass, and the keeper makes its slow round.
async fn after_days(shop: &TestShop, days: u64) {
    shop.clock.advance(Duration::from_secs(days * 24 * 60 * 60));
    shop.app().keeper.slow_round().await.expect("the ledger answers");
}

async fn a_key_is_kept_for_thirty_days_and_an_order_for_ever(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let (ada, bob) = (shop.shopper(), shop.shopper());
    ada.adds("TEE", 1).await.text();
    let paid = ada.pays_as("pay", "success_token").await.text();
    bob.adds("TEE", 1).await.text();
    bob.cancels().await.text();
    shop.debts_are_paid().await;

    after_days(&shop, 6).await;
    let row = |shopper: &crate::shop::Shopper<'_>| shop.store().find_session(shopper.checkout);
    assert!(row(&bob).await.expect("reads").is_some(), "it ended less than a week ago");
    after_days(&shop, 2).await;
    assert!(row(&bob).await.expect("reads").is_none(), "it became no order, and a week is over");

    after_days(&shop, 21).await;
    let again = ada.pays_as("pay", "success_token").await;
    assert_eq!((again.is_replay(), again.text()), (true, paid));
    after_days(&shop, 2).await;
    let again = ada.pays_as("pay", "success_token").await;
    assert!(again.refusal().contains("completed"), "its key is forgotten, its order is not");
    assert!(ada.pays("success_token").await.refusal().contains("completed"));
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    assert!(row(&ada).await.expect("reads").is_some());
    shop.assert_clean_slate().await;
    shop.closes().await;
}

//! Orders that cost nothing: no bank is asked, whatever happens on the way.

use doorbuster::{
    base::OrderId,
    checkout::CrashPoint,
    ledger::{Authorization, row::SessionState},
    pricing::{Item, ItemKind},
};
use serde_json::json;

use super::judged;
use crate::shop::{On, Shopper, TestShop, in_shops_on_both};

in_shops_on_both!(
    nothing_is_paid_with_nothing_or_with_a_card_that_is_ignored,
    a_crash_on_the_way_to_an_order_of_nothing_is_settled_once,
    a_free_order_in_review_is_decided_without_a_bank,
);

/// Puts a code into the tariff that takes everything off, twice.
async fn gift(shop: &TestShop) {
    let document = json!({"id": "gift", "title": "Gift", "code": "GIFT", "usage_limit": 2,
        "benefit": {"kind": "percent", "basis_points": 10_000}});
    let item = ItemKind::Discounts.read(&document).expect("it makes sense");
    let Item::Discount(discount) = &item else { panic!("a discount") };
    let desk = &shop.app().desk;
    desk.count_uses(discount).await.expect("reachable").expect("nothing is promised");
    desk.tariffs.save(&item, &document, "test", shop.now()).await.expect("saved");
}

/// Its order stands, and rests on nothing.
async fn assert_free(shop: &TestShop, shopper: &Shopper<'_>) {
    let order = shop.store().find_order(OrderId::of(shopper.checkout)).await;
    let order = order.expect("the ledger answers").expect("an order");
    assert_eq!((order.total_minor, order.operations.len()), (0, 0));
    let attempt = shop.store().find_attempt(order.attempt).await;
    let attempt = attempt.expect("the ledger answers").expect("an attempt");
    assert_eq!(attempt.authorization, Some(Authorization::NothingToPay));
    assert_eq!((attempt.gateway.as_str(), attempt.amount_minor), ("none", 0));
    assert!(shop.bank.charges().is_empty());
}

// breaks: `Attempt::is_of_nothing` that says no
async fn nothing_is_paid_with_nothing_or_with_a_card_that_is_ignored(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    gift(&shop).await;
    let ada = shop.shopper().types("gift");
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays_nothing("pay").await.says("\"completed\""));
    assert!(ada.pays_nothing("pay").await.is_replay());
    assert_free(&shop, &ada).await;
    let bob = shop.shopper().types("gift");
    assert!(bob.buys_as("buy", &[("TEE", 1)], "fail_token").await.says("\"placed\""));
    assert_free(&shop, &bob).await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: `ask_what_became` that asks the gateway for an attempt of nothing
async fn a_crash_on_the_way_to_an_order_of_nothing_is_settled_once(on: On) {
    for point in [CrashPoint::BeforeBegin, CrashPoint::AfterBegin, CrashPoint::AfterPlace] {
        let mut shop = on.shop().await;
        shop.stock("TEE", 1).await;
        gift(&shop).await;
        let ada = shop.shopper().types("gift");
        ada.adds("TEE", 1).await.text();
        shop.fuse.arm(point);
        assert!(ada.pays_nothing("pay").await.is_in_flight(), "{point:?}");
        assert!(shop.fuse.has_blown(), "{point:?}");
        let away = ada.leaves();
        shop.opens_again().await;
        shop.after(1).await;
        let ada = shop.comes_back(away);
        let again = ada.pays_nothing("pay").await;
        assert_eq!(again.is_replay(), point != CrashPoint::BeforeBegin, "{point:?}");
        assert!(again.says("\"completed\""), "{point:?}: {}", again.text());
        assert_eq!(ada.state().await, SessionState::Completed, "{point:?}");
        assert_eq!(shop.orders().await, 1, "{point:?}");
        assert_free(&shop, &ada).await;
        shop.assert_clean_slate().await;
        shop.closes().await;
    }
}

// breaks: `left > 0` out of `Rows::give_up`
async fn a_free_order_in_review_is_decided_without_a_bank(on: On) {
    let shop = on.shop_with(judged::review_all).await;
    shop.stock("TEE", 5).await;
    gift(&shop).await;
    let ada = shop.shopper().types("gift");
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays_nothing("pay").await.says("\"completed\""));
    // Nobody decides it, and its time is over: it is declined, and its unit comes back.
    shop.after(8 * 24 * 60).await;
    assert_eq!(shop.level("TEE").await.unallocated, 5);
    assert_free(&shop, &ada).await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

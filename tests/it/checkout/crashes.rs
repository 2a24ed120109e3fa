//! The process dies at each crash point; asking again and a round of the keeper settle everything.

use doorbuster::{
    checkout::{CrashPoint, NoticeCode},
    ledger::row::SessionState,
};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

use crate::shop::{On, Shopper, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_crash_on_the_way_to_an_order_is_settled_once,
    a_crash_in_the_express_lane_is_settled_once,
    a_crash_during_recovery_is_recovered_from,
    a_crash_during_collection_takes_the_money_once,
    a_crash_during_the_sweep_loses_no_unit,
);

/// Those points at which a buyer waits.
const ON_THE_WAY: [CrashPoint; 5] = [
    CrashPoint::BeforeBegin,
    CrashPoint::AfterBegin,
    CrashPoint::CallSent,
    CrashPoint::AnswerRead,
    CrashPoint::AfterPlace,
];

#[test]
fn every_crash_point_is_reached_by_a_test() {
    let elsewhere = [CrashPoint::InRecovery, CrashPoint::InCollection, CrashPoint::InSweep];
    let here: Vec<_> = ON_THE_WAY.into_iter().chain(elsewhere).collect();
    assert_eq!(here, CrashPoint::ALL);
}

/// Before the gateway acted there is no order, and the buyer pays again; after it there is one.
async fn assert_settled(shop: &TestShop, ada: &Shopper<'_>, point: CrashPoint) {
    match point {
        CrashPoint::BeforeBegin => {
            assert_eq!(ada.state().await, SessionState::Open);
            assert!(!ada.pays_as("pay", "success_token").await.is_replay());
        }
        CrashPoint::AfterBegin | CrashPoint::CallSent => {
            assert_eq!(ada.state().await, SessionState::Open);
            assert!(ada.was_told(NoticeCode::PaymentUnavailable).await);
            let again = ada.pays_as("pay", "success_token").await;
            assert!(again.is_replay() && again.says("nothing was charged"), "{}", again.text());
            assert!(ada.pays_as("once more", "success_token").await.says("\"completed\""));
        }
        _ => {
            let again = ada.pays_as("pay", "success_token").await;
            assert!(again.is_replay() && again.says("\"completed\""), "{}", again.text());
        }
    }
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    assert_eq!((shop.orders().await, shop.captures()), (1, 1), "{point:?}");
    shop.assert_clean_slate().await;
}

async fn a_crash_on_the_way_to_an_order_is_settled_once(on: On) {
    for point in ON_THE_WAY {
        let mut shop = on.shop().await;
        shop.stock("TEE", 1).await;
        let checkout = {
            let ada = shop.shopper();
            ada.adds("TEE", 1).await.text();
            shop.fuse.arm(point);
            assert!(ada.pays_as("pay", "success_token").await.is_in_flight(), "{point:?}");
            assert!(shop.fuse.has_blown());
            ada
        }
        .leaves();
        shop.opens_again().await;
        let ada = shop.comes_back(checkout);
        if point != CrashPoint::BeforeBegin {
            // Too early to tell: unless the order stands already, the payment is under way.
            let early = ada.pays_as("pay", "success_token").await;
            assert_eq!(early.is_in_flight(), point != CrashPoint::AfterPlace, "{early:?}");
        }
        shop.after(1).await;
        assert_settled(&shop, &ada, point).await;
        shop.closes().await;
    }
}

async fn a_crash_in_the_express_lane_is_settled_once(on: On) {
    for point in ON_THE_WAY {
        let shop = on.shop().await;
        shop.stock("TEE", 1).await;
        let ada = shop.shopper();
        shop.fuse.arm(point);
        let lines = [("TEE", 1)];
        assert!(ada.buys_as("buy", &lines, "success_token").await.is_in_flight(), "{point:?}");
        shop.after(1).await;
        // Sent again, it comes as another checkout, and the key finds what became of the first.
        let again = shop.shopper().buys_as("buy", &lines, "success_token").await;
        let never_asked = matches!(point, CrashPoint::AfterBegin | CrashPoint::CallSent);
        assert_eq!(again.is_replay(), point != CrashPoint::BeforeBegin, "{point:?}");
        assert_eq!(again.says("\"placed\""), !never_asked, "{point:?}: {}", again.text());
        shop.after(1).await;
        let orders = if never_asked { 0 } else { 1 };
        assert_eq!(shop.orders().await, orders);
        assert_eq!(shop.captures() as i64, orders);
        assert_eq!(shop.level("TEE").await.unallocated, 1 - orders);
        shop.assert_clean_slate().await;
        shop.closes().await;
    }
}

async fn a_crash_during_recovery_is_recovered_from(on: On) {
    for lost_at in [CrashPoint::CallSent, CrashPoint::AnswerRead] {
        let shop = on.shop().await;
        shop.stock("TEE", 1).await;
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        shop.fuse.arm(lost_at);
        assert!(ada.pays_as("pay", "success_token").await.is_in_flight());
        shop.fuse.arm(CrashPoint::InRecovery);
        shop.after(1).await;
        assert!(shop.fuse.has_blown());
        assert_eq!(ada.state().await, SessionState::Completing);
        shop.after(1).await;
        assert_settled(&shop, &ada, lost_at).await;
        shop.closes().await;
    }
}

async fn a_crash_during_collection_takes_the_money_once(on: On) {
    let mut shop = on.shop().await;
    shop.stock("TEE", 1).await;
    shop.fuse.arm(CrashPoint::InCollection);
    assert!(shop.shopper().buys(&[("TEE", 1)]).await.says("\"placed\""));
    shop.opens_again().await;
    assert!(shop.fuse.has_blown());
    shop.after(1).await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_crash_during_the_sweep_loses_no_unit(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    shop.shopper().adds("TEE", 2).await.text();
    shop.clock.advance(std::time::Duration::from_secs(3600));
    shop.fuse.arm(CrashPoint::InSweep);
    let round = AssertUnwindSafe(shop.app().keeper.free_lapsed_holds()).catch_unwind().await;
    assert!(round.is_err() && shop.fuse.has_blown());
    assert_eq!(shop.level("TEE").await.held, 2);
    shop.after(0).await;
    assert_eq!((shop.level("TEE").await.held, shop.level("TEE").await.unallocated), (0, 2));
    shop.closes().await;
}

//! Holds lapse, are renewed, taken again, and never stand in their own buyer's way.

use doorbuster::{
    catalog::StockPolicy,
    checkout::NoticeCode,
    ledger::row::{SessionState, StockLevel},
};
use std::time::Duration;

use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_lapsed_hold_of_ones_own_is_no_obstacle,
    a_lapsed_hold_is_taken_again_on_payment,
    a_lapsed_hold_whose_unit_is_gone_is_told,
    a_lapsed_hold_of_somebody_else_blocks_nobody,
    an_expired_session_gives_its_holds_back,
    holds_that_lapse_together_come_back_together,
    sending_the_same_again_renews_nothing,
    a_declined_payment_renews_nothing,
    changing_again_and_again_holds_for_an_hour_and_no_longer,
    a_paid_hold_does_not_lapse,
    what_is_not_counted_is_never_sold_out,
    a_canceled_cart_gives_its_units_back,
);

const fn free_held_sold(level: &StockLevel) -> (i64, i64, i64) {
    (level.unallocated, level.held, level.sold)
}

async fn a_lapsed_hold_of_ones_own_is_no_obstacle(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 2).await;
    let ada = shop.shopper();
    ada.adds("LAST", 1).await.text();
    shop.clock.advance(Duration::from_secs(11 * 60));
    assert!(!ada.wants(&[("LAST", 2)]).await.says("out_of_stock"));
    shop.clock.advance(Duration::from_secs(11 * 60));
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!(free_held_sold(&shop.level("LAST").await), (0, 0, 2));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_lapsed_hold_is_taken_again_on_payment(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    let ada = shop.shopper();
    ada.adds("LAST", 1).await.text();
    shop.after(11).await;
    assert_eq!(free_held_sold(&shop.level("LAST").await), (1, 0, 0));
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_lapsed_hold_whose_unit_is_gone_is_told(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.wants(&[("LAST", 1), ("TEE", 1)]).await.text();
    shop.after(11).await;
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("\"placed\""));
    let told = ada.pays_as("pay", "success_token").await;
    assert!(told.says("out_of_stock"), "{}", told.text());
    assert!(ada.was_told(NoticeCode::OutOfStock).await);
    assert_eq!(ada.pays_as("pay", "success_token").await.text(), told.text());
    assert_eq!(free_held_sold(&shop.level("TEE").await), (0, 1, 0), "it keeps what there is");
    ada.wants(&[("TEE", 1)]).await.text();
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (2, 2));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_lapsed_hold_of_somebody_else_blocks_nobody(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    shop.shopper().adds("LAST", 1).await.text();
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("out_of_stock"));
    // No sweep has come by.
    shop.clock.advance(Duration::from_secs(11 * 60));
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("\"placed\""));
    shop.debts_are_paid().await;
    shop.closes().await;
}

async fn an_expired_session_gives_its_holds_back(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 2).await.text();
    shop.after(6 * 60 + 1).await;
    assert_eq!(ada.state().await, SessionState::Expired);
    assert_eq!(free_held_sold(&shop.level("TEE").await), (2, 0, 0));
    assert!(ada.pays("success_token").await.refusal().contains("expired"));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: return from `Keeper::free_lapsed_holds` after its first page
async fn holds_that_lapse_together_come_back_together(on: On) {
    let shop = on.shop().await;
    let held = held_by_many(&shop, many("DOORBUSTER_TEST_LAPSED")).await;
    let freed = shop.app().keeper.free_lapsed_holds().await.expect("the ledger answers");
    assert_eq!(freed, held);
    let left = shop.store().list_expired_holds(shop.now(), 1).await.expect("the ledger answers");
    assert!(left.is_empty(), "{left:?}");
    shop.assert_books().await;
    shop.leaves().await;
}

/// More than two looks of the keeper see, or what is to be measured.
pub(super) fn many(variable: &str) -> usize {
    std::env::var(variable).map_or(1200, |count| count.parse().expect("a number"))
}

/// Holds of sessions that were never asked to be anything else, all lapsed.
async fn held_by_many(shop: &TestShop, holds: usize) -> usize {
    let skus: Vec<String> = (0..100).map(|number| format!("TEE-{number:03}")).collect();
    let units = u32::try_from(holds).expect("few");
    for sku in &skus {
        shop.stock(sku, units).await;
    }
    for shopper in (0..holds / skus.len()).map(|_| shop.shopper()) {
        let wants: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
        shopper.wants(&wants).await.text();
    }
    shop.clock.advance(Duration::from_secs(11 * 60));
    holds
}

// breaks: `renew` instead of `renew_lapsed` in `Checkout::renew_for_progress`
async fn sending_the_same_again_renews_nothing(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    let ada = shop.shopper();
    ada.adds("LAST", 1).await.text();
    shop.clock.advance(Duration::from_secs(6 * 60));
    ada.writes(&shop.fresh_key(), false).await.text();
    shop.clock.advance(Duration::from_secs(5 * 60));
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("\"placed\""));
    shop.debts_are_paid().await;
    shop.closes().await;
}

// breaks: renew whatever the verdict is in `Saga::reopened`, or not only the lapsed in `completing`
async fn a_declined_payment_renews_nothing(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    let ada = shop.shopper();
    ada.adds("LAST", 1).await.text();
    shop.clock.advance(Duration::from_secs(6 * 60));
    ada.pays("fail_token").await.text();
    shop.clock.advance(Duration::from_secs(3 * 60));
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("out_of_stock"), "it has a minute left");
    shop.clock.advance(Duration::from_secs(2 * 60));
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("\"placed\""));
    assert!(ada.pays("success_token").await.says("out_of_stock"));
    shop.debts_are_paid().await;
    shop.closes().await;
}

// breaks: leave the `min` out of `Checkout::renew`, or claim in any case in `claim_while_it_may`
async fn changing_again_and_again_holds_for_an_hour_and_no_longer(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for change in 0..7 {
        assert_eq!(shop.level("TEE").await.held, 1 + change % 2, "after {change} changes");
        shop.after(9).await;
        ada.wants(&[("TEE", if change % 2 == 0 { 2 } else { 1 })]).await.text();
    }
    // 63 minutes after the first hold.
    assert!(ada.was_told(NoticeCode::HoldLapsed).await);
    assert_eq!(free_held_sold(&shop.level("TEE").await), (2, 0, 0));
    assert!(ada.pays("success_token").await.says("\"completed\""), "it takes what there is");
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_paid_hold_does_not_lapse(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    let ada = shop.shopper();
    ada.adds("LAST", 1).await.text();
    shop.fuse.arm(doorbuster::checkout::CrashPoint::AnswerRead);
    assert!(ada.pays("success_token").await.is_in_flight());
    shop.clock.advance(Duration::from_secs(3600));
    assert!(shop.shopper().buys(&[("LAST", 1)]).await.says("out_of_stock"), "it is pinned");
    shop.after(0).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn what_is_not_counted_is_never_sold_out(on: On) {
    let shop = on.shop().await;
    shop.sells("EBOOK", StockPolicy::Untracked, "EUR", 0).await;
    shop.sells("POSTER", StockPolicy::Backorder, "EUR", 0).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.wants(&[("EBOOK", 900), ("POSTER", 5), ("TEE", 1)]).await.text();
    assert_eq!(shop.level("TEE").await.held, 1);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert!(shop.shopper().buys(&[("POSTER", 7)]).await.says("\"placed\""));
    shop.debts_are_paid().await;
    assert_eq!(shop.orders().await, 2);
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_canceled_cart_gives_its_units_back(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 2).await.text();
    assert!(ada.cancels().await.says("\"canceled\""));
    assert!(ada.pays("success_token").await.refusal().contains("canceled"));
    assert_eq!(free_held_sold(&shop.level("TEE").await), (2, 0, 0));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

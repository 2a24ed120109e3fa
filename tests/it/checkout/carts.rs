//! Carts outlive the memory they are kept in.

use crate::shop::{On, TestShop, in_shops_on_both};
use doorbuster::ledger::row::SessionState;

in_shops_on_both!(
    sessions_are_read_back_after_a_restart,
    an_idle_cart_wakes_up_as_it_was,
    keys_are_remembered_after_a_restart,
    an_ended_cart_leaves_memory_at_once,
);

async fn sessions_are_read_back_after_a_restart(on: On) {
    let mut shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let (before, ada) = {
        let ada = shop.shopper();
        ada.adds("TEE", 2).await.text();
        ((*ada.session().await).clone(), ada.leaves())
    };
    shop.opens_again().await;
    let ada = shop.comes_back(ada);
    assert_eq!(*ada.session().await, before);
    assert_eq!(shop.level("TEE").await.held, 2);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn an_idle_cart_wakes_up_as_it_was(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let ada = shop.shopper();
    ada.adds("TEE", 2).await.text();
    let before = ada.session().await;
    let carts = &shop.app().carts;
    assert_eq!((carts.live_count(), carts.retire_idle(std::time::Duration::ZERO).await), (1, 1));
    assert_eq!(carts.live_count(), 0);
    assert_eq!(ada.session().await, before);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.closes().await;
}

async fn keys_are_remembered_after_a_restart(on: On) {
    let mut shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let lines = [("TEE", 1)];
    let told = shop.shopper().buys_as("buy", &lines, "success_token").await.text();
    shop.opens_again().await;
    let again = shop.shopper().buys_as("buy", &lines, "success_token").await;
    assert_eq!((again.is_replay(), again.text()), (true, told));
    shop.after(1).await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: in `Seat::is_worthless` keep what has ended, or what has no session; let `show` start one
async fn an_ended_cart_leaves_memory_at_once(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let (paid, given_up) = (shop.shopper(), shop.shopper());
    let told = paid.buys_as("buy", &[("TEE", 1)], "success_token").await.text();
    given_up.adds("TEE", 2).await.text();
    given_up.cancels().await.text();
    nobody_is_live(&shop).await;
    // Whoever comes late is answered as before, and leaves nothing behind either.
    let again = paid.buys_as("buy", &[("TEE", 1)], "success_token").await;
    assert_eq!((again.is_replay(), again.text()), (true, told));
    assert_eq!(given_up.state().await, SessionState::Canceled);
    nobody_is_live(&shop).await;
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

/// The actor leaves right after it has answered.
async fn nobody_is_live(shop: &TestShop) {
    for _ in 0..1000 {
        if shop.app().carts.live_count() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(shop.app().carts.live_count(), 0);
}

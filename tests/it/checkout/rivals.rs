//! Recovery settles an attempt while the call is still out: one of the two wins.

use doorbuster::{checkout::Session, ledger::row::SessionState};
use std::{sync::Arc, time::Duration};

use crate::shop::{
    On, Shopper, TestShop, Told,
    bank::{Call, Gate, Trouble},
    in_shops_on_both,
};

in_shops_on_both!(
    an_answer_that_comes_after_recovery_placed_the_order,
    a_call_that_comes_after_recovery_gave_up_is_refused,
    a_call_that_acts_after_recovery_gave_up_is_let_go,
    an_authorization_found_by_the_watch_is_let_go,
);

/// Pays, and while the call is out, its deadline passes and another replica recovers the attempt.
async fn pay_and_recover(shop: &TestShop, ada: &Shopper<'_>, gate: &Gate) -> (Told, Session) {
    let recovery = async {
        gate.reached().await;
        shop.clock.advance(Duration::from_secs(60));
        let desk = &shop.app().desk;
        let session = desk.load(ada.checkout).await.expect("it loads");
        let mut session = session.expect("there is a session");
        assert_eq!(session.state, SessionState::Completing);
        desk.recover(&mut session).await.expect("it recovers");
        shop.clock.advance(Duration::from_secs(60));
        gate.open();
        session
    };
    tokio::join!(ada.pays_as("pay", "success_token"), recovery)
}

/// The answer is the one that stands under the key, byte for byte.
async fn assert_told_what_stands(shop: &TestShop, ada: &Shopper<'_>, told: &Told) {
    let again = ada.pays_as("pay", "success_token").await;
    assert!(again.is_replay());
    assert_eq!(again.text(), told.text());
    let stored = shop.app().desk.load(ada.checkout).await.expect("it loads");
    assert_eq!(Some(&*ada.session().await), stored.as_ref());
}

async fn an_answer_that_comes_after_recovery_placed_the_order(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Delayed(gate.clone()));
    let (told, recovered) = pay_and_recover(&shop, &ada, &gate).await;
    assert_eq!(recovered.state, SessionState::Completed);
    assert!(told.says("\"completed\""), "{}", told.text());
    assert_told_what_stands(&shop, &ada, &told).await;
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    assert_eq!(shop.bank.calls(Call::Void), 0);
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_call_that_comes_after_recovery_gave_up_is_refused(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Held(gate.clone()));
    let (told, recovered) = pay_and_recover(&shop, &ada, &gate).await;
    assert_eq!(recovered.state, SessionState::Open);
    assert!(told.says("nothing was charged"), "{}", told.text());
    assert_told_what_stands(&shop, &ada, &told).await;
    assert_eq!(shop.bank.charges().len(), 0);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

/// A gateway acts on a call that comes long after recovery gave the attempt up.
pub(super) async fn a_late_call_is_let_go(
    shop: &TestShop,
    ada: &Shopper<'_>,
    void: Option<Trouble>,
) {
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Late(gate.clone()));
    if let Some(trouble) = void {
        shop.bank.next(Call::Void, trouble);
    }
    let (told, recovered) = pay_and_recover(shop, ada, &gate).await;
    assert_eq!(recovered.state, SessionState::Open);
    assert!(told.says("nothing was charged"), "{}", told.text());
    assert_told_what_stands(shop, ada, &told).await;
}

async fn a_call_that_acts_after_recovery_gave_up_is_let_go(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    a_late_call_is_let_go(&shop, &ada, None).await;
    shop.debts_are_paid().await;
    let expected =
        ["cart_1 open: 1 x TEE", "TEE: on hand 1, held 1, sold 0", "payment let go: EUR 19.90"];
    shop.assert_state(&expected).await;
    ada.cancels().await.text();
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn an_authorization_found_by_the_watch_is_let_go(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(doorbuster::checkout::CrashPoint::CallSent);
    assert!(ada.pays("success_token").await.is_in_flight());
    let attempt = ada.session().await.attempt.expect("an attempt is under way");
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Open);
    // The call was on the line all along.
    shop.bank.acts_late(attempt, ada.session().await.totals.total).await;
    assert_eq!(shop.bank.open_authorizations(), 1);
    shop.app().keeper.slow_round().await.expect("the ledger answers");
    shop.debts_are_paid().await;
    assert_eq!(shop.bank.open_authorizations(), 0);
    ada.cancels().await.text();
    shop.assert_clean_slate().await;
    shop.closes().await;
}

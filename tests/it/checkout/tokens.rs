//! What a bank may say, and how it may say it.

use doorbuster::{
    base::{Money, Protocol},
    checkout::{CheckoutRefused, CrashPoint},
    ledger::row::SessionState,
};

use crate::shop::{On, bank::Call, in_shops_on_both};

in_shops_on_both!(
    a_decline_leaves_the_cart_as_it_was,
    a_slow_a_lost_and_a_flaky_answer_are_one_charge_each,
    another_total_than_expected_charges_nothing,
    a_payment_under_way_cannot_be_canceled,
    a_checkout_goes_on_only_over_the_protocol_that_opened_it,
);

async fn a_decline_leaves_the_cart_as_it_was(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for token in ["fail_token", "insufficient_funds_token", "no such token"] {
        assert!(ada.pays(token).await.says("declined"));
        let expected = (SessionState::Open, 1);
        assert_eq!((ada.state().await, shop.level("TEE").await.held), expected);
    }
    assert_eq!(ada.session().await.attempts, 3);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_slow_a_lost_and_a_flaky_answer_are_one_charge_each(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 6).await;
    for token in ["slow_token", "lost_token", "flaky_token"] {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        assert!(ada.pays(token).await.says("\"completed\""), "{token}");
        assert!(shop.shopper().buys_as(token, &[("TEE", 1)], token).await.says("\"placed\""));
    }
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (6, 6));
    assert_eq!(shop.bank.charges().len(), 6);
    assert!(shop.bank.calls(Call::Find) >= 4, "lost and flaky answers were asked after");
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn another_total_than_expected_charges_nothing(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let euros = |minor| Money::from_minor(minor, "EUR".parse().expect("a currency"));
    let told = ada.pays_exactly(euros(1)).await;
    assert!(told.says("nothing was charged"), "{}", told.text());
    assert_eq!(shop.bank.calls(Call::Authorize), 0);
    assert!(ada.pays_exactly(euros(1990)).await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_payment_under_way_cannot_be_canceled(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", "success_token").await.is_in_flight());
    assert_eq!(ada.cancels().await.refusal(), "the checkout is completing");
    assert_eq!(ada.pays("success_token").await.refusal(), "the checkout is completing");
    let told = ada.wants(&[("TEE", 2)]).await;
    assert!(told.says("left as it is"), "{}", told.text());
    assert_eq!(shop.level("TEE").await.held, 1);
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    assert!(ada.cancels().await.refusal().contains("completed"));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_checkout_goes_on_only_over_the_protocol_that_opened_it(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for other in [Protocol::V1, Protocol::Ucp202601, Protocol::Acp] {
        let told = ada.gives_up_over(other).await.refusal();
        assert!(told.contains("ucp/2026-04-08"), "{told}");
        assert!(matches!(ada.look_over(other).await, Err(CheckoutRefused::OtherProtocol(_))));
    }
    assert_eq!((ada.state().await, ada.session().await.version), (SessionState::Open, 1));
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

//! The faults of the field.

use doorbuster::{
    checkout::CrashPoint,
    ledger::row::{AttemptState, OperationKind, OperationState, SessionState},
};
use serde_json::json;

use super::{
    fake::{Fake, Trouble},
    shop,
};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_purchase_is_authorized_and_captured,
    a_payment_that_timed_out_is_not_set_to_failed,
    a_payment_is_found_by_our_reference_alone,
    a_call_that_still_runs_is_not_a_decline,
    retries_and_reloads_make_one_intent,
    the_same_confirm_delivered_twice_makes_one_intent,
    keys_are_made_of_what_lasts,
    two_browsers_back_from_the_bank_make_one_order,
    a_confirm_has_a_return_address,
    an_unknown_status_fails_no_payment,
    declines_keep_stripes_word,
    a_wrong_key_moves_nothing_and_says_so,
    money_is_given_back_once_however_late,
    a_gateway_that_keeps_failing_is_left_alone_and_the_next_is_asked,
);

async fn attempts(shop: &TestShop) -> Vec<doorbuster::ledger::row::AttemptRow> {
    shop.store().list_attempts(None, 100).await.expect("the ledger answers")
}

fn captured(fake: &Fake) -> i64 {
    fake.intents().iter().filter_map(|intent| intent["amount_received"].as_i64()).sum()
}

// breaks: a form without `capture_method=manual`, or a capture of another amount
async fn a_purchase_is_authorized_and_captured(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("pm_card_visa").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((captured(&fake), fake.intents().len()), (1990, 1));
    assert_eq!(fake.intents()[0]["capture_method"], "manual");
    let row = &attempts(&shop).await[0];
    assert_eq!((row.gateway.as_str(), row.state), ("stripe", AttemptState::Authorized));
    assert_eq!(ada.session().await.verification.code_matches, Some(true));
    shop.leaves().await;
}

// breaks: a 500 or a timeout that settles the attempt
async fn a_payment_that_timed_out_is_not_set_to_failed(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v1/payment_intents", Trouble::ActsAndBreaks);
    assert!(ada.pays("pm_card_visa").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a look-up that needs Stripe's own id
async fn a_payment_is_found_by_our_reference_alone(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", "pm_card_visa").await.is_in_flight());
    assert_eq!(fake.intents().len(), 1);
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a 409 that is taken for a decline
async fn a_call_that_still_runs_is_not_a_decline(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v1/payment_intents", Trouble::ActsAndRuns);
    let told = ada.pays("pm_card_visa").await;
    assert!(told.says("\"completed\""), "{}", told.text());
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an attempt that is begun anew while one waits for its buyer
async fn retries_and_reloads_make_one_intent(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for _ in 0..3 {
        assert!(ada.pays("pm_challenge").await.says("requires_escalation"));
    }
    assert_eq!((fake.intents().len(), attempts(&shop).await.len()), (1, 1));
    fake.change("requires_capture");
    assert!(ada.pays("pm_challenge").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an idempotency key that is made for each call
async fn the_same_confirm_delivered_twice_makes_one_intent(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v1/payment_intents", Trouble::ActsAndBreaks);
    // What it made is not in the list yet, so the call is made again.
    fake.next("GET /v1/payment_intents", Trouble::Says(500, json!({"type": "api_error"})));
    let first = ada.pays_as("pay", "pm_card_visa").await;
    let again = ada.pays_as("pay", "pm_card_visa").await;
    assert_eq!(first.text(), again.text());
    assert_eq!(fake.calls("POST /v1/payment_intents").len(), 2);
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a key that holds anything but attempt, operation and part
async fn keys_are_made_of_what_lasts(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_card_visa").await.text();
    shop.debts_are_paid().await;
    let attempt = attempts(&shop).await[0].id;
    let keys = |path: &str| fake.calls(path).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(keys("POST /v1/payment_intents"), [Some(format!("{attempt}-authorize"))]);
    assert_eq!(keys("/capture"), [Some(format!("{attempt}-capture-0"))]);
    shop.leaves().await;
}

// breaks: a placing that does not compete on the pending attempt
async fn two_browsers_back_from_the_bank_make_one_order(on: On) {
    let rounds = if crate::shop::full() { 1_000 } else { 10 };
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", rounds).await;
    for _ in 0..rounds {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        ada.pays("pm_challenge").await.text();
        fake.change("requires_capture");
        let checkout = ada.session().await.id;
        let carts = &shop.app().carts;
        let (one, two) = tokio::join!(carts.tend(checkout), carts.tend(checkout));
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(ada.state().await, SessionState::Completed);
    }
    shop.debts_are_paid().await;
    let rounds = i64::from(rounds);
    assert_eq!((shop.orders().await, captured(&fake)), (rounds, rounds * 1990));
    shop.leaves().await;
}

// breaks: a confirm that says not where the buyer comes back to
async fn a_confirm_has_a_return_address(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_challenge").await.text();
    let attempt = attempts(&shop).await[0].id;
    let (_, fields) = &fake.calls("POST /v1/payment_intents")[0];
    assert!(fields["return_url"].ends_with(&format!("/payments/return/{attempt}")), "{fields:?}");
    assert_eq!(fields["metadata[attempt]"], attempt.to_string());
    shop.leaves().await;
}

// breaks: a status that is read as an enum, or taken for a decline
async fn an_unknown_status_fails_no_payment(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v1/payment_intents", Trouble::Status("requires_magic"));
    let told = ada.pays("pm_card_visa").await;
    assert!(told.says("\"completed\""), "{}", told.text());
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, captured(&fake), fake.intents().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a decline code that is lost, or a stolen card that is told to be known as that
async fn declines_keep_stripes_word(on: On) {
    let (shop, _fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("pm_declined_insufficient_funds").await.says("(insufficient_funds)"));
    assert!(ada.pays("pm_declined_stolen_card").await.says("(declined)"));
    assert!(ada.pays("pm_declined_word_of_tomorrow").await.says("(declined)"));
    assert!(ada.pays("4242424242424242").await.says("(invalid_instrument)"));
    assert_eq!(ada.state().await, SessionState::Open);
    let states: Vec<_> = attempts(&shop).await.iter().map(|row| row.state).collect();
    assert_eq!(states, [AttemptState::Declined; 4]);
    shop.leaves().await;
}

// breaks: a 401 that leaves the outcome unknown, and the holds pinned
async fn a_wrong_key_moves_nothing_and_says_so(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let error = json!({"type": "invalid_request_error", "message": "Invalid API Key"});
    fake.next("POST /v1/payment_intents", Trouble::Says(401, error));
    assert!(ada.pays("pm_card_visa").await.says("could not be reached"));
    assert_eq!((ada.state().await, fake.intents().len()), (SessionState::Open, 0));
    assert!(ada.pays("pm_card_visa").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.leaves().await;
}

// breaks: a refund that is not looked for before it is made
async fn money_is_given_back_once_however_late(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_card_visa").await.text();
    shop.debts_are_paid().await;
    let attempt = attempts(&shop).await[0].clone();
    let gateway = shop.app().desk.gateways.named("stripe").expect("it is configured").clone();
    let request = doorbuster::payment::MoneyRequest {
        reference: attempt.id,
        part: 1,
        authorization: fake.intents()[0]["id"].as_str().expect("an id").to_owned(),
        amount: doorbuster::base::Money::from_minor(500, attempt.currency),
    };
    for _ in 0..3 {
        let moved = gateway.refund(&request).await.expect("it is given back");
        assert_eq!(moved, doorbuster::payment::Moved::Done);
        // Stripe forgets keys after a day.
        fake.forget_keys();
    }
    assert_eq!(fake.state.lock().unwrap().refunds.len(), 1);
    // Nor where a hundred others came after it: Stripe tells them by the page.
    for number in 0..120 {
        let mut state = fake.state.lock().unwrap();
        let mut other = state.refunds[0].clone();
        other["id"] = json!(format!("re_other_{number}"));
        other["metadata"] = json!({});
        state.refunds.push(other);
    }
    let moved = gateway.refund(&request).await.expect("it was given back");
    assert_eq!(moved, doorbuster::payment::Moved::Done);
    assert_eq!(fake.state.lock().unwrap().refunds.len(), 121);
    let order = shop.store().find_order(attempt.order).await.expect("reads").expect("an order");
    let captures = order.operations.iter().filter(|row| row.state == OperationState::Done);
    assert!(captures.map(|row| row.operation.kind).eq([OperationKind::Capture]));
    shop.leaves().await;
}

/// An account at this address, as its owner writes it into the configuration.
pub(super) fn settings(name: &str, url: &str) -> doorbuster::config::GatewaySettings {
    let account = "kind = \"stripe\"\nsecret_key = \"sk_test_shop\"";
    toml::from_str(&format!("name = \"{name}\"\nurl = \"{url}\"\n{account}")).expect("settings")
}

// breaks: a breaker that never opens, or one whose refusal counts as an unknown outcome
async fn a_gateway_that_keeps_failing_is_left_alone_and_the_next_is_asked(on: On) {
    let (first, second) = (Fake::start(), Fake::start());
    let gateways = vec![settings("first", &first.url), settings("second", &second.url)];
    let shop = on.shop_with(move |config| config.payment.gateways = gateways).await;
    shop.stock("TEE", 3).await;
    let buys = async || {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        let told = ada.pays("pm_card_visa").await;
        assert!(told.says("\"completed\""), "{}", told.text());
        (first.intents().len(), second.intents().len())
    };
    assert_eq!(buys().await, (1, 0));
    shop.debts_are_paid().await;
    let gateway = shop.app().desk.gateways.named("first").expect("it is configured").clone();
    for _ in 0..5 {
        first.next("", Trouble::Says(503, json!({"type": "api_error"})));
        assert!(gateway.reference_of("pi_0000").await.is_err());
    }
    assert_eq!(buys().await, (1, 1), "the first cannot have acted");
    let calls = first.state.lock().unwrap().calls.len();
    assert!(gateway.reference_of("pi_0000").await.is_err());
    assert_eq!(first.state.lock().unwrap().calls.len(), calls, "nothing is sent");
    // After its pause it is asked again, and answers.
    shop.clock.advance(std::time::Duration::from_secs(6));
    assert_eq!(buys().await, (2, 1));
    shop.debts_are_paid().await;
    assert_eq!((captured(&first), captured(&second)), (2 * 1990, 1990));
    shop.leaves().await;
}

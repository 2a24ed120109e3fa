//! The faults of the field.

use doorbuster::{
    checkout::CrashPoint,
    ledger::row::{AttemptRow, AttemptState, OperationKind, OperationState, SessionState},
};
use serde_json::json;

use super::{
    fake::{Trouble, payments},
    shop,
};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_purchase_is_authorized_and_captured,
    a_payment_that_timed_out_is_not_set_to_failed,
    a_payment_is_found_by_our_reference_alone,
    a_call_that_still_runs_is_not_a_decline,
    retries_and_reloads_make_one_order,
    the_same_confirm_delivered_twice_makes_one_order,
    keys_are_made_of_what_lasts,
    two_browsers_back_from_paypal_make_one_order,
    the_buyer_is_told_where_to_come_back_to,
    an_unknown_status_fails_no_payment,
    declines_keep_paypals_word,
    a_card_that_is_asked_for_a_proof_goes_on_after_it,
    a_payment_that_paypal_looks_into_waits_under_its_name,
    a_payment_that_never_arrived_ends_and_one_of_another_day_is_for_a_person,
    a_wrong_secret_moves_nothing_and_says_so,
    a_token_is_asked_for_once_and_again_when_it_ends,
);

pub(super) async fn attempts(shop: &TestShop) -> Vec<AttemptRow> {
    shop.store().list_attempts(None, 100).await.expect("the ledger answers")
}

// breaks: an order with intent CAPTURE, or a capture of another amount
async fn a_purchase_is_authorized_and_captured(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("card:8kk8451t").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((fake.captured(), fake.orders().len()), (1990, 1));
    assert_eq!(fake.order()["intent"], "AUTHORIZE");
    let row = &attempts(&shop).await[0];
    assert_eq!((row.gateway.as_str(), row.state), ("paypal", AttemptState::Authorized));
    let verified = ada.session().await.verification;
    assert_eq!(
        (verified.code_matches, verified.address_matches, verified.authenticated),
        (Some(true), Some(true), Some(true))
    );
    let unit = &fake.order()["purchase_units"][0];
    assert_eq!((&unit["custom_id"], &unit["invoice_id"]), (&json!(row.id), &json!(row.order)));
    shop.leaves().await;
}

// breaks: a 500 or a timeout that settles the attempt
async fn a_payment_that_timed_out_is_not_set_to_failed(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/authorize", Trouble::ActsAndBreaks);
    assert!(ada.pays("paypal:8kk8451t").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a look-up that needs PayPal's own id, or that makes another order
async fn a_payment_is_found_by_our_reference_alone(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", "paypal:8kk8451t").await.is_in_flight());
    assert_eq!(fake.authorizations(), 1);
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a 409 that is taken for a decline
async fn a_call_that_still_runs_is_not_a_decline(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v2/checkout/orders", Trouble::ActsAndRuns);
    fake.next("/authorize", Trouble::ActsAndRuns);
    let told = ada.pays("paypal:8kk8451t").await;
    assert!(told.says("\"completed\""), "{}", told.text());
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an attempt that is begun anew while one waits for its buyer
async fn retries_and_reloads_make_one_order(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for _ in 0..3 {
        assert!(ada.pays("redirect").await.says("requires_escalation"));
    }
    assert_eq!((fake.orders().len(), attempts(&shop).await.len()), (1, 1));
    fake.approve();
    assert!(ada.pays("redirect").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.authorizations()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an idempotency key that is made for each call
async fn the_same_confirm_delivered_twice_makes_one_order(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("POST /v2/checkout/orders", Trouble::ActsAndBreaks);
    let first = ada.pays_as("pay", "paypal:8kk8451t").await;
    let again = ada.pays_as("pay", "paypal:8kk8451t").await;
    assert_eq!(first.text(), again.text());
    assert_eq!(fake.calls("POST /v2/checkout/orders").len(), 2);
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a key that holds anything but attempt, operation and part
async fn keys_are_made_of_what_lasts(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("paypal:8kk8451t").await.text();
    shop.debts_are_paid().await;
    let attempt = attempts(&shop).await[0].id;
    let keys = |line: &str| fake.calls(line).into_iter().map(|call| call.key).collect::<Vec<_>>();
    let expected = |word: &str| [Some(format!("{attempt}-{word}"))];
    assert_eq!(keys("POST /v2/checkout/orders"), expected("authorize"));
    assert_eq!(keys("/authorize"), expected("vaulted"));
    assert_eq!(keys("/capture"), expected("capture-0"));
    shop.leaves().await;
}

// breaks: a placing that does not compete on the pending attempt, or an order authorized twice
async fn two_browsers_back_from_paypal_make_one_order(on: On) {
    let rounds = if crate::shop::full() { 1_000 } else { 10 };
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", rounds).await;
    for _ in 0..rounds {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        ada.pays("redirect").await.text();
        fake.approve();
        let checkout = ada.session().await.id;
        let carts = &shop.app().carts;
        let (one, two) = tokio::join!(carts.tend(checkout), carts.tend(checkout));
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(ada.state().await, SessionState::Completed);
    }
    shop.debts_are_paid().await;
    let rounds = i64::from(rounds);
    assert_eq!((shop.orders().await, fake.captured()), (rounds, rounds * 1990));
    assert_eq!(i64::try_from(fake.authorizations()), Ok(rounds));
    shop.leaves().await;
}

// breaks: a confirm that says not where the buyer comes back to
async fn the_buyer_is_told_where_to_come_back_to(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let told = ada.pays("redirect").await;
    let order = fake.order()["id"].as_str().expect("an id").to_owned();
    let to = format!("https://www.sandbox.paypal.com/checkoutnow?token={order}");
    assert!(told.says(&to), "{}", told.text());
    let attempt = attempts(&shop).await[0].id;
    let call = &fake.calls("/confirm-payment-source")[0];
    let context = &call.body["payment_source"]["paypal"]["experience_context"];
    for url in ["return_url", "cancel_url"] {
        let url = context[url].as_str().expect("an address");
        assert!(url.ends_with(&format!("/payments/return/{attempt}")), "{url}");
    }
    shop.leaves().await;
}

// breaks: a status that is read as an enum, or taken for a decline
async fn an_unknown_status_fails_no_payment(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/authorize", Trouble::Status("REVIEWED_BY_MAGIC"));
    let told = ada.pays("paypal:8kk8451t").await;
    assert!(told.says("\"completed\""), "{}", told.text());
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    // Nor does a capture whose status nobody knows: it stays owed until it is known.
    let captures = payments(&fake.order(), "captures");
    assert_eq!(captures.len(), 1);
    shop.leaves().await;
}

// breaks: an issue that is lost, or a stolen card that is told to be known as that
async fn declines_keep_paypals_word(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    // A buyer who is declined too often is not asked for any more.
    let (ada, bob) = (shop.shopper(), shop.shopper().named("bob@example.com"));
    for buyer in [&ada, &bob] {
        buyer.adds("TEE", 1).await.text();
    }
    for (number, (token, word)) in (0..).zip([
        ("card:denied-5120", "(insufficient_funds)"),
        ("card:denied-9520", "(declined)"),
        ("card:declined-CARD_EXPIRED", "(expired_card)"),
        ("paypal:declined-INSTRUMENT_DECLINED", "(declined)"),
        ("paypal:declined-WORD_OF_TOMORROW", "(declined)"),
        ("4242424242424242", "(invalid_instrument)"),
    ]) {
        let told = [&ada, &bob][number % 2].pays(token).await;
        assert!(told.says(word), "{token}: {}", told.text());
    }
    assert_eq!(ada.state().await, SessionState::Open);
    let rows = attempts(&shop).await;
    assert!(rows.iter().all(|row| row.state == AttemptState::Declined), "{rows:?}");
    assert_eq!((rows.len(), fake.orders().len()), (6, 5), "what is no token is not sent on");
    shop.leaves().await;
}

// breaks: the key of the first try for the second, or one that goes on before the proof
async fn a_card_that_is_asked_for_a_proof_goes_on_after_it(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("card:challenge").await.says("checkoutnow?token="));
    assert!(ada.pays("card:challenge").await.says("requires_escalation"));
    fake.approve();
    assert!(ada.pays("card:challenge").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a payment under review that is taken for unknown, and lost with the key of its order
async fn a_payment_that_paypal_looks_into_waits_under_its_name(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let told = ada.pays("card:pending").await;
    let attempt = attempts(&shop).await[0].id;
    let page = format!("https://shop.example/payments/return/{attempt}");
    assert!(told.says(&page), "{}", told.text());
    // PayPal takes its time, and its keys are forgotten meanwhile.
    fake.forget_keys();
    shop.after(7 * 60).await;
    assert_eq!((ada.state().await, fake.orders().len()), (SessionState::Completing, 1));
    fake.change(|order| {
        order["purchase_units"][0]["payments"]["authorizations"][0]["status"] = json!("CREATED");
    });
    shop.after(1).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a look-up that takes a new order for the one that was asked for
async fn a_payment_that_never_arrived_ends_and_one_of_another_day_is_for_a_person(on: On) {
    for (hours, state) in [(0, SessionState::Open), (6, SessionState::Completing)] {
        let (shop, fake) = shop(on).await;
        shop.stock("TEE", 1).await;
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        shop.fuse.arm(CrashPoint::CallSent);
        assert!(ada.pays_as("pay", "paypal:8kk8451t").await.is_in_flight());
        assert_eq!(fake.orders().len(), 0);
        // After six hours PayPal may have forgotten what the key was used for.
        shop.after(1 + hours * 60).await;
        assert_eq!((ada.state().await, fake.authorizations()), (state, 0), "{hours} hours");
        shop.leaves().await;
    }
}

// breaks: a 401 that leaves the outcome unknown, and the holds pinned
async fn a_wrong_secret_moves_nothing_and_says_so(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("oauth2/token", Trouble::Says(401, json!({"error": "invalid_client"})));
    assert!(ada.pays("paypal:8kk8451t").await.says("could not be reached"));
    assert_eq!((ada.state().await, fake.orders().len()), (SessionState::Open, 0));
    assert!(ada.pays("paypal:8kk8451t").await.says("\"completed\""));
    shop.debts_are_paid().await;
    let order = shop.store().find_order(attempts(&shop).await[0].order).await.expect("reads");
    let operations = order.expect("an order").operations;
    let done = operations.iter().filter(|row| row.state == OperationState::Done);
    assert!(done.map(|row| row.operation.kind).eq([OperationKind::Capture]));
    shop.leaves().await;
}

// breaks: a token for each call, one that is used after its end, or none after a 401
async fn a_token_is_asked_for_once_and_again_when_it_ends(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 6).await;
    let tokens = || fake.calls("/v1/oauth2/token").len();
    let buys = async || {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        assert!(ada.pays("paypal:8kk8451t").await.says("\"completed\""));
        shop.debts_are_paid().await;
    };
    tokio::join!(buys(), buys());
    assert_eq!(tokens(), 1);
    // Taken back before its time: the same call again with another, and nothing lost.
    fake.forget_tokens();
    buys().await;
    assert_eq!(tokens(), 2);
    // Its time is over: it is not tried any more.
    shop.after(9 * 60).await;
    buys().await;
    assert_eq!(tokens(), 3);
    assert_eq!(fake.captured(), 4 * 1990);
    shop.leaves().await;
}

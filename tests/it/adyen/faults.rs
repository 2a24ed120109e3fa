//! The faults of the field.

use doorbuster::{
    checkout::CrashPoint,
    ledger::row::{AttemptState, OperationKind, OperationState, SessionState},
    payment::{MoneyRequest, Moved},
};
use serde_json::json;

use super::{attempts, card, fake::Trouble, looks, returns, settled, shop, tell, tell_all};
use crate::shop::{On, in_shops_on_both};

const CAPTURE: OperationKind = OperationKind::Capture;

in_shops_on_both!(
    a_purchase_is_authorized_and_captured,
    a_payment_that_timed_out_is_not_set_to_failed,
    a_payment_is_found_by_our_reference_alone,
    a_payment_nobody_told_of_is_canceled_by_its_reference,
    a_call_that_still_runs_is_not_a_decline,
    retries_and_reloads_make_one_payment,
    the_same_confirm_delivered_twice_makes_one_payment,
    keys_are_made_of_what_lasts,
    two_browsers_back_from_the_bank_make_one_order,
    a_confirm_has_a_return_address,
    an_unknown_result_fails_no_payment,
    declines_keep_adyens_word,
    a_wrong_key_moves_nothing_and_says_so,
    money_is_given_back_once_however_late,
    a_refused_capture_is_a_case_and_not_a_capture,
);

// breaks: a payment that is captured by Adyen's own delay, or an answer that is taken for the
// capture itself
async fn a_purchase_is_authorized_and_captured(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let told = ada.pays(&card("good")).await;
    assert!(told.says("\"completed\""), "{}", told.text());
    settled(&shop, &fake).await;
    assert_eq!((fake.taken(), fake.payments().len()), (1990, 1));
    let (_, body) = &fake.calls("/payments")[0];
    assert_eq!(body["additionalData"]["manualCapture"], "true");
    let row = &attempts(&shop).await[0];
    assert_eq!((row.gateway.as_str(), row.state), ("adyen", AttemptState::Authorized));
    assert_eq!(ada.session().await.verification.code_matches, Some(true));
    shop.leaves().await;
}

// breaks: a 500 or a timeout that settles the attempt
async fn a_payment_that_timed_out_is_not_set_to_failed(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/payments", Trouble::ActsAndBreaks);
    assert!(ada.pays(&card("good")).await.says("\"completed\""));
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a notification that is a hint and no evidence, or one found by Adyen's name alone
async fn a_payment_is_found_by_our_reference_alone(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", &card("good")).await.is_in_flight());
    tell_all(&shop, &fake).await;
    shop.clock.advance(std::time::Duration::from_secs(60));
    shop.app().keeper.round().await.expect("the ledger answers");
    assert_eq!(ada.state().await, SessionState::Completed);
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: silence that is taken for "never heard of it", or waited for without end
async fn a_payment_nobody_told_of_is_canceled_by_its_reference(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", &card("good")).await.is_in_flight());
    fake.untold();
    for _ in 0..3 {
        shop.clock.advance(std::time::Duration::from_secs(60));
        shop.app().keeper.round().await.expect("the ledger answers");
        assert_eq!(ada.state().await, SessionState::Completing, "nobody knows yet");
    }
    assert_eq!(fake.calls("/cancels").len(), 1, "asked for once");
    tell_all(&shop, &fake).await;
    assert_eq!(ada.state().await, SessionState::Open);
    assert_eq!((shop.orders().await, fake.taken(), fake.reserved()), (0, 0, 0));
    assert!(ada.pays(&card("good")).await.says("\"completed\""));
    settled(&shop, &fake).await;
    assert_eq!(fake.taken(), 1990);
    shop.leaves().await;
}

// breaks: an error 704 that is taken for a decline
async fn a_call_that_still_runs_is_not_a_decline(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/payments", Trouble::ActsAndRuns);
    let told = ada.pays(&card("good")).await;
    assert!(told.says("\"completed\""), "{}", told.text());
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an attempt that is begun anew while one waits for its buyer
async fn retries_and_reloads_make_one_payment(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    for _ in 0..3 {
        assert!(ada.pays(&card("challenge")).await.says("requires_escalation"));
    }
    assert_eq!((fake.payments().len(), attempts(&shop).await.len()), (1, 1));
    fake.confirmed();
    tell_all(&shop, &fake).await;
    assert_eq!(ada.state().await, SessionState::Completed);
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an idempotency key that is made for each call
async fn the_same_confirm_delivered_twice_makes_one_payment(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/payments", Trouble::ActsAndBreaks);
    let first = ada.pays_as("pay", &card("good")).await;
    let again = ada.pays_as("pay", &card("good")).await;
    assert_eq!(first.text(), again.text());
    let keys: Vec<_> = fake.calls("/payments").into_iter().map(|(key, _)| key).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a key that holds anything but attempt, operation and part
async fn keys_are_made_of_what_lasts(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("good")).await.text();
    settled(&shop, &fake).await;
    let attempt = attempts(&shop).await[0].id;
    let keys = |path: &str| fake.calls(path).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(keys("/payments"), [format!("{attempt}-authorize")]);
    assert_eq!(keys("/captures"), [format!("{attempt}-capture-0")]);
    shop.leaves().await;
}

// breaks: a placing that does not compete on the pending attempt, or a result of the bank that is
// handed in twice under two keys
async fn two_browsers_back_from_the_bank_make_one_order(on: On) {
    let rounds = if crate::shop::full() { 1_000 } else { 10 };
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", rounds).await;
    for _ in 0..rounds {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        ada.pays(&card("challenge")).await.text();
        fake.confirmed();
        let attempt = ada.session().await.attempt.expect("one under way");
        let attempt = shop.store().find_attempt(attempt).await.expect("reads").expect("a row");
        let result = fake.payments().last().expect("a payment").psp_reference.clone();
        let (one, two) =
            tokio::join!(returns(&shop, &attempt, &result), returns(&shop, &attempt, &result));
        assert!(one.contains("Thank you") && two.contains("Thank you"), "{one}\n{two}");
    }
    settled(&shop, &fake).await;
    let rounds = i64::from(rounds);
    assert_eq!((shop.orders().await, fake.taken()), (rounds, rounds * 1990));
    shop.leaves().await;
}

// breaks: a confirm that says not where the buyer comes back to; a result of another payment that
// is believed
async fn a_confirm_has_a_return_address(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    let (ada, bob) = (shop.shopper(), shop.shopper());
    bob.adds("TEE", 1).await.text();
    bob.pays(&card("good")).await.text();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("challenge")).await.text();
    let attempt = ada.session().await.attempt.expect("one under way");
    let attempt = shop.store().find_attempt(attempt).await.expect("reads").expect("a row");
    let (_, body) = fake.calls("/payments").pop().expect("a call");
    let address = body["returnUrl"].as_str().expect("an address");
    assert!(address.ends_with(&format!("/payments/return/{}", attempt.id)), "{body}");
    for wrong in ["", "nonsense", &fake.payments()[0].psp_reference] {
        assert!(returns(&shop, &attempt, wrong).await.contains("One moment"), "{wrong}");
    }
    assert_eq!(ada.state().await, SessionState::Completing);
    fake.confirmed();
    let result = &fake.payments()[1].psp_reference;
    assert!(returns(&shop, &attempt, result).await.contains("Thank you"));
    settled(&shop, &fake).await;
    assert_eq!(fake.taken(), 2 * 1990);
    shop.leaves().await;
}

// breaks: a result that is read as an enum, or taken for a decline
async fn an_unknown_result_fails_no_payment(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/payments", Trouble::Result("AuthorisedByMagic"));
    let told = ada.pays(&card("good")).await;
    assert!(told.says("\"completed\""), "{}", told.text());
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.payments().len()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: a refusal code that is lost, or a card number that leaves the house
async fn declines_keep_adyens_word(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays(&card("refused_12_Not enough balance")).await.says("(insufficient_funds)"));
    assert!(ada.pays(&card("refused_20_FRAUD")).await.says("(declined)"));
    assert!(ada.pays(&card("refused_99_Word of tomorrow")).await.says("(declined)"));
    assert!(ada.pays(&card("unreadable")).await.says("(invalid_instrument)"));
    assert_eq!(fake.calls("/payments").len(), 4);
    let clear = json!({ "type": "scheme", "number": "x", "cvc": "x" }).to_string();
    assert!(ada.pays(&clear).await.says("(invalid_instrument)"));
    assert_eq!(fake.calls("/payments").len(), 4, "it did not leave the house");
    assert_eq!(ada.state().await, SessionState::Open);
    let states: Vec<_> = attempts(&shop).await.iter().map(|row| row.state).collect();
    assert_eq!(states, [AttemptState::Declined; 5]);
    shop.leaves().await;
}

// breaks: a 401 that leaves the outcome unknown, and the holds pinned
async fn a_wrong_key_moves_nothing_and_says_so(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    fake.next("/payments", Trouble::Says(401, json!({"status": 401, "errorCode": "000"})));
    assert!(ada.pays(&card("good")).await.says("could not be reached"));
    assert_eq!((ada.state().await, fake.payments().len()), (SessionState::Open, 0));
    assert!(ada.pays(&card("good")).await.says("\"completed\""));
    settled(&shop, &fake).await;
    shop.leaves().await;
}

// breaks: a refund that is asked for again after it was taken note of
async fn money_is_given_back_once_however_late(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("good")).await.text();
    settled(&shop, &fake).await;
    let attempt = attempts(&shop).await[0].clone();
    let gateway = shop.app().desk.gateways.named("adyen").expect("it is configured").clone();
    let request = MoneyRequest {
        reference: attempt.id,
        part: 1,
        authorization: fake.payments()[0].psp_reference.clone(),
        amount: doorbuster::base::Money::from_minor(500, attempt.currency),
    };
    for _ in 0..3 {
        assert_eq!(gateway.refund(&request).await, Ok(Moved::Accepted));
    }
    assert_eq!((fake.calls("/refunds").len(), fake.taken()), (1, 1490));
    tell_all(&shop, &fake).await;
    assert_eq!(gateway.refund(&request).await, Ok(Moved::Done));
    let more = MoneyRequest { part: 2, amount: attempt_amount(&attempt, 1_500), ..request };
    assert_eq!(gateway.refund(&more).await, Ok(Moved::Accepted));
    tell_all(&shop, &fake).await;
    assert!(gateway.refund(&more).await.is_err(), "more than was captured");
    assert_eq!(fake.taken(), 1490);
    shop.leaves().await;
}

fn attempt_amount(
    attempt: &doorbuster::ledger::row::AttemptRow,
    minor: i64,
) -> doorbuster::base::Money {
    doorbuster::base::Money::from_minor(minor, attempt.currency)
}

// breaks: a capture that counts as done because it was taken note of
async fn a_refused_capture_is_a_case_and_not_a_capture(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("good")).await.text();
    for _ in 0..400 {
        if !fake.calls("/captures").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut items = fake.untold();
    let capture = items.iter_mut().find(|item| item["eventCode"] == "CAPTURE").expect("told");
    capture["success"] = json!("false");
    capture["reason"] = json!("Insufficient balance on payment");
    tell(&shop, &items).await;
    looks(&shop).await;
    let attempt = attempts(&shop).await[0].clone();
    // The collector records it beside us.
    for _ in 0..400 {
        let order = shop.store().find_order(attempt.order).await.expect("reads").expect("an order");
        let capture = order.operations.iter().find(|row| row.operation.kind == CAPTURE);
        if capture.expect("a capture").state == OperationState::Refused {
            assert!(order.case.is_some(), "a person decides");
            shop.leaves().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the capture is not refused:\n{}", shop.state().await);
}

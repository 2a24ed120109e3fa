//! A payment that waits for its buyer: one attempt, however it is heard of again.

use doorbuster::{
    base::{AttemptId, CheckoutId},
    checkout::{CrashPoint, NoticeCode},
    ledger::row::{AttemptState, SessionState},
};

use crate::shop::{
    On, TestShop,
    bank::{Call, Trouble},
    in_shops_on_both,
    shopper::Shopper,
};

in_shops_on_both!(
    the_order_stands_when_the_buyer_comes_back,
    a_repeated_complete_asks_what_became_of_it,
    a_buyer_who_fails_pays_with_something_else,
    what_nobody_confirms_is_ended_at_the_gateway,
    another_instrument_ends_the_first_payment_before,
    what_may_still_be_confirmed_is_not_paid_for_again,
    a_change_of_mind_ends_the_payment_first,
    a_buyer_faster_than_a_change_of_mind_has_bought,
    a_challenge_whose_answer_was_lost_is_told_later,
    the_express_lane_waits_for_its_buyer_too,
);

/// A shopper whose bank wants to know that it is them.
async fn challenged(shop: &TestShop) -> Shopper<'_> {
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let told = ada.pays("challenge_token").await;
    assert!(told.says("requires_escalation"), "{}", told.text());
    ada
}

async fn waiting(ada: &Shopper<'_>) -> (CheckoutId, AttemptId) {
    let session = ada.session().await;
    assert!(session.is_challenged(), "{session:?}");
    (session.id, session.attempt.expect("one is under way"))
}

/// What the buyer does on the bank's page.
async fn proves(shop: &TestShop, attempt: AttemptId, passes: bool) {
    shop.bank.sandbox.prove(attempt, passes).await.expect("the bank waits for them");
}

// breaks: a challenge that settles the attempt, or a look that does not ask the gateway
async fn the_order_stands_when_the_buyer_comes_back(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (checkout, attempt) = waiting(&ada).await;
    let row = shop.store().find_attempt(attempt).await.expect("reads").expect("it is there");
    let challenge = row.challenge.expect("it says what it waits for");
    assert_eq!(row.state, AttemptState::Pending);
    assert_eq!(Some(challenge.url), ada.session().await.challenge_url);
    shop.after(11).await;
    assert_eq!(shop.level("TEE").await.held, 1, "pinned holds do not lapse");
    shop.app().carts.tend(checkout).await.expect("looked after");
    assert_eq!(ada.state().await, SessionState::Completing, "nothing has happened yet");
    proves(&shop, attempt, true).await;
    shop.app().carts.tend(checkout).await.expect("looked after");
    let session = ada.session().await;
    assert_eq!((session.state, session.attempt), (SessionState::Completed, Some(attempt)));
    assert_eq!(session.verification.authenticated, Some(true));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    assert_eq!(shop.bank.calls(Call::Authorize), 1);
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: a repeated complete that begins a new attempt
async fn a_repeated_complete_asks_what_became_of_it(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (_, attempt) = waiting(&ada).await;
    assert!(ada.pays("challenge_token").await.says("requires_escalation"));
    assert_eq!(waiting(&ada).await.1, attempt);
    proves(&shop, attempt, true).await;
    let placed = ada.pays_as("again", "challenge_token").await;
    assert!(placed.says(r#""status":"completed""#), "{}", placed.text());
    let again = ada.pays_as("again", "challenge_token").await;
    assert_eq!(again.text(), placed.text());
    assert_eq!(shop.bank.calls(Call::Authorize), 1);
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.closes().await;
}

// breaks: a failed proof that leaves the session completing
async fn a_buyer_who_fails_pays_with_something_else(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (_, attempt) = waiting(&ada).await;
    proves(&shop, attempt, false).await;
    let told = ada.pays("challenge_token").await;
    assert!(told.says("authentication_failed"), "{}", told.text());
    assert_eq!((ada.state().await, shop.level("TEE").await.held), (SessionState::Open, 1));
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: a challenge without an end, or one that is settled without being ended at the gateway
async fn what_nobody_confirms_is_ended_at_the_gateway(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (_, attempt) = waiting(&ada).await;
    shop.after(14).await;
    assert_eq!(ada.state().await, SessionState::Completing);
    shop.after(2).await;
    assert_eq!((ada.state().await, shop.bank.calls(Call::End)), (SessionState::Open, 1));
    assert!(ada.was_told(NoticeCode::PaymentUnavailable).await);
    proves(&shop, attempt, true).await;
    assert_eq!(shop.bank.open_authorizations(), 0, "the buyer comes too late");
    shop.closes().await;
}

// breaks: a new attempt before the old one has ended at the gateway
async fn another_instrument_ends_the_first_payment_before(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (_, attempt) = waiting(&ada).await;
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!((shop.bank.calls(Call::End), shop.bank.calls(Call::Authorize)), (1, 2));
    proves(&shop, attempt, true).await;
    assert_eq!(ada.session().await.declines, 0, "nobody declined anything");
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures(), shop.bank.open_authorizations()), (1, 1, 0));
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: taking silence of the gateway for an end
async fn what_may_still_be_confirmed_is_not_paid_for_again(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = challenged(&shop).await;
    let (checkout, attempt) = waiting(&ada).await;
    for trouble in [Trouble::Lost, Trouble::NotSent, Trouble::Unanswered] {
        shop.bank.next(Call::End, trouble);
    }
    for _ in 0..2 {
        assert_eq!(ada.pays("success_token").await.refusal(), "the checkout is completing");
    }
    assert_eq!(shop.bank.calls(Call::Authorize), 1);
    proves(&shop, attempt, true).await;
    shop.app().carts.tend(checkout).await.expect("looked after");
    assert_eq!(ada.state().await, SessionState::Completed);
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.closes().await;
}

// breaks: an update or a cancel that leaves the payment to be confirmed
async fn a_change_of_mind_ends_the_payment_first(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    let ada = challenged(&shop).await;
    let (_, attempt) = waiting(&ada).await;
    ada.wants(&[("TEE", 2)]).await.text();
    let expected = (SessionState::Open, 2);
    assert_eq!((ada.state().await, shop.level("TEE").await.held), expected);
    proves(&shop, attempt, true).await;
    let eve = challenged(&shop).await;
    let (_, attempt) = waiting(&eve).await;
    assert!(eve.cancels().await.says("canceled"));
    proves(&shop, attempt, true).await;
    assert_eq!((shop.level("TEE").await.held, shop.bank.open_authorizations()), (2, 0));
    shop.closes().await;
}

// breaks: an end that does not look at what is true
async fn a_buyer_faster_than_a_change_of_mind_has_bought(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    for step in 0..3 {
        let ada = challenged(&shop).await;
        proves(&shop, waiting(&ada).await.1, true).await;
        let told = match step {
            0 => ada.wants(&[("TEE", 2)]).await,
            1 => ada.cancels().await,
            _ => ada.pays("success_token").await,
        };
        if step < 2 {
            assert!(told.refusal().contains("completed"), "{told:?}");
        } else {
            assert!(told.says("\"completed\""), "{told:?}");
        }
    }
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (3, 3));
    assert_eq!(shop.bank.calls(Call::Authorize), 3);
    shop.closes().await;
}

// breaks: recovery that takes a challenge for a decline, or leaves the key without an answer
async fn a_challenge_whose_answer_was_lost_is_told_later(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.fuse.arm(CrashPoint::AnswerRead);
    assert!(ada.pays_as("pay", "challenge_token").await.is_in_flight());
    shop.after(1).await;
    let (checkout, attempt) = waiting(&ada).await;
    let told = ada.pays_as("pay", "challenge_token").await;
    assert!(told.says("requires_escalation"), "{}", told.text());
    proves(&shop, attempt, true).await;
    shop.app().carts.tend(checkout).await.expect("looked after");
    assert_eq!(ada.state().await, SessionState::Completed);
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    shop.closes().await;
}

// breaks: an express order that is given up when its buyer is asked to confirm it
async fn the_express_lane_waits_for_its_buyer_too(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 2).await;
    for passes in [true, false] {
        let ada = shop.shopper();
        let told = ada.buys_as(&shop.fresh_key(), &[("TEE", 1)], "challenge_token").await;
        assert!(told.says("payment_challenged"), "{}", told.text());
        let attempts = shop.store().list_attempts(None, 10).await.expect("reads");
        let pending = attempts.iter().find(|row| row.state == AttemptState::Pending);
        let pending = pending.expect("it waits").clone();
        proves(&shop, pending.id, passes).await;
        shop.app().carts.tend(pending.checkout).await.expect("looked after");
    }
    let level = shop.level("TEE").await;
    assert_eq!((shop.orders().await, level.held, level.sold), (1, 0, 1));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

/// Two browsers come back in the same moment, each at a replica of its own, round after round.
// breaks: a placing that does not compete on the pending attempt
#[actix::test]
async fn two_browsers_that_come_back_at_once_make_one_order() {
    let rounds = if crate::shop::full() { 1_000 } else { 40 };
    let shop = On::Postgres.shop().await;
    let other = shop.beside().await;
    shop.stock("TEE", rounds).await;
    for _ in 0..rounds {
        let ada = challenged(&shop).await;
        let (checkout, attempt) = waiting(&ada).await;
        proves(&shop, attempt, true).await;
        let here = shop.app().carts.tend(checkout);
        let there = other.app().carts.tend(checkout);
        let (here, there) = tokio::join!(here, there);
        assert!(here.is_ok() && there.is_ok(), "{here:?} {there:?}");
    }
    shop.debts_are_paid().await;
    let rounds = i64::from(rounds);
    assert_eq!((shop.orders().await, shop.captures() as i64), (rounds, rounds));
    assert_eq!(shop.bank.open_authorizations(), 0);
    other.leaves().await;
    shop.closes().await;
}

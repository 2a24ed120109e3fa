//! Captures, voids and refunds: in parts, twice, late, and never too much.

use doorbuster::{
    base::{ManualClock, Money},
    payment::{Authorized, Credential, Gateway, GatewayFault, MoneyRequest, Moved, paypal::PayPal},
};
use serde_json::json;
use std::sync::Arc;

use super::{
    client,
    fake::{Fake, Trouble, payments, sum},
    now, request,
};

/// A payment of EUR 19.90 that is authorized.
async fn paid() -> (PayPal, Fake, MoneyRequest) {
    let fake = Fake::start();
    let paypal = client(&fake.url, Arc::new(ManualClock::new(now())));
    let asked = request("paypal:8kk8451t", 1990);
    let answer = paypal.authorize(&asked).await;
    let Ok(Authorized::Approved { authorization, expires_at, .. }) = answer else {
        panic!("{answer:?}");
    };
    let three_days = "2026-11-30T08:00:00.000000Z";
    assert_eq!(expires_at.map(|at| at.to_string()).as_deref(), Some(three_days));
    let (reference, amount) = (asked.reference, asked.amount);
    (paypal, fake, MoneyRequest { reference, part: 0, authorization, amount })
}

fn part(of: &MoneyRequest, part: u8, minor: i64) -> MoneyRequest {
    MoneyRequest { part, amount: Money::from_minor(minor, of.amount.currency()), ..of.clone() }
}

fn is_refused(answer: &Result<Moved, GatewayFault>) -> bool {
    matches!(answer, Err(GatewayFault::Refused(_)))
}

// breaks: a capture that leaves it to PayPal whether it is too much, or a part that is made twice
#[actix_web::test]
async fn captures_never_come_to_more_than_was_authorized() {
    let (paypal, fake, whole) = paid().await;
    assert!(is_refused(&paypal.capture(&part(&whole, 0, 1991)).await), "PayPal takes 15% more");
    assert_eq!(paypal.capture(&part(&whole, 0, 1500)).await, Ok(Moved::Done));
    assert!(is_refused(&paypal.capture(&part(&whole, 1, 500)).await), "490 are left");
    fake.next("/capture", Trouble::ActsAndBreaks);
    assert!(matches!(paypal.capture(&part(&whole, 1, 490)).await, Err(GatewayFault::Unknown(_))));
    // Its answer was lost; it counts, and is not made again, however late.
    fake.forget_keys();
    assert_eq!(paypal.capture(&part(&whole, 1, 490)).await, Ok(Moved::Done));
    assert_eq!(paypal.capture(&part(&whole, 0, 1500)).await, Ok(Moved::Done));
    assert_eq!(sum(payments(&fake.order(), "captures")), 1990);
    assert!(is_refused(&paypal.capture(&part(&whole, 2, 1)).await));
    assert_eq!(fake.calls("/capture").len(), 2);
    let body = &fake.calls("/capture")[0].body;
    assert_eq!(
        (&body["amount"]["value"], &body["final_capture"]),
        (&json!("15.00"), &json!(false))
    );
}

// breaks: a refund of one capture alone, one that is not looked for before it is made, or too much
#[actix_web::test]
async fn refunds_go_over_captures_and_are_made_once_however_late() {
    let (paypal, fake, whole) = paid().await;
    for (number, minor) in [(0, 1000), (1, 600)] {
        assert_eq!(paypal.capture(&part(&whole, number, minor)).await, Ok(Moved::Done));
    }
    let given = || sum(payments(&fake.order(), "refunds"));
    assert_eq!(paypal.refund(&part(&whole, 1, 300)).await, Ok(Moved::Done));
    // 700 are left of the first capture: the rest is of the second, whose answer is lost.
    fake.next("/refund", Trouble::ActsAndBreaks);
    assert!(matches!(paypal.refund(&part(&whole, 2, 900)).await, Err(GatewayFault::Unknown(_))));
    assert_eq!(given(), 1000);
    for _ in 0..3 {
        fake.forget_keys();
        assert_eq!(paypal.refund(&part(&whole, 2, 900)).await, Ok(Moved::Done));
        assert_eq!(paypal.refund(&part(&whole, 1, 300)).await, Ok(Moved::Done));
    }
    assert_eq!((given(), payments(&fake.order(), "refunds").len()), (1200, 3));
    assert!(is_refused(&paypal.refund(&part(&whole, 3, 401)).await), "400 are left");
    assert_eq!(paypal.refund(&part(&whole, 4, 400)).await, Ok(Moved::Done));
    assert_eq!(given(), 1600);
}

// breaks: a void that is told done where money was taken, or that fails where it was done before
#[actix_web::test]
async fn a_void_lets_go_what_is_left_and_twice_is_once() {
    let (paypal, fake, whole) = paid().await;
    assert_eq!(paypal.capture(&part(&whole, 0, 500)).await, Ok(Moved::Done));
    fake.next("/void", Trouble::ActsAndBreaks);
    assert!(matches!(paypal.void(&whole).await, Err(GatewayFault::Unknown(_))));
    for _ in 0..2 {
        assert_eq!(paypal.void(&whole).await, Ok(Moved::Done));
    }
    assert_eq!(fake.calls("/void").len(), 1, "what is done is not asked for");
    assert!(is_refused(&paypal.capture(&part(&whole, 1, 500)).await));
    let (paypal, _fake, whole) = paid().await;
    assert_eq!(paypal.capture(&whole).await, Ok(Moved::Done));
    assert!(is_refused(&paypal.void(&whole).await), "it is captured");
}

// breaks: money that moves of an order which is another attempt's
#[actix_web::test]
async fn nothing_moves_of_the_order_of_another_attempt() {
    let (paypal, fake, whole) = paid().await;
    let other = MoneyRequest { reference: request("redirect", 1).reference, ..whole.clone() };
    let yen = Money::from_minor(1, "JPY".parse().expect("a currency"));
    let foreign = MoneyRequest { amount: yen, ..whole };
    for request in [&other, &foreign] {
        assert!(matches!(paypal.capture(request).await, Err(GatewayFault::Unknown(_))));
        assert!(matches!(paypal.refund(request).await, Err(GatewayFault::Unknown(_))));
        assert!(matches!(paypal.void(request).await, Err(GatewayFault::Unknown(_))));
    }
    assert_eq!(fake.captured(), 0);
}

// breaks: an answer without details that is taken for nothing
#[actix_web::test]
async fn an_answer_that_says_little_is_asked_for_in_full() {
    let fake = Fake::start();
    let paypal = client(&fake.url, Arc::new(ManualClock::new(now())));
    fake.next("POST /v2/checkout/orders", Trouble::Minimal);
    fake.next("/authorize", Trouble::Minimal);
    let answer = paypal.authorize(&request("paypal:8kk8451t", 1990)).await;
    assert!(matches!(answer, Ok(Authorized::Approved { .. })), "{answer:?}");
    let forint = doorbuster::payment::AuthorizeRequest {
        amount: Money::from_minor(150_050, "HUF".parse().expect("a currency")),
        credential: Credential::new("redirect".into()),
        ..request("redirect", 1)
    };
    let answer = paypal.authorize(&forint).await;
    assert!(matches!(answer, Ok(Authorized::Declined(_))), "{answer:?}");
    assert_eq!(fake.orders().len(), 1);
}

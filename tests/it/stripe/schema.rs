//! What we say to Stripe, held against Stripe's own description of its API, by a judge that is not
//! ours (`@stdy/cli`, which refuses what does not fit). The description is no part of a clone:
//! `DOORBUSTER_SPEC_DIR` names its folder, and the runner leaves this out where there is none.

use doorbuster::{
    base::{AttemptId, ManualClock, Money, OrderId, SystemChance, Timestamp},
    payment::{
        AuthorizeRequest, Authorized, Credential, Gateway, MoneyRequest, Span, stripe::Stripe,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{client, fake::Fake};
use crate::judge::{Judge, description};

/// How Stripe writes what is nested.
const BRACKETS: [&str; 4] = [
    "--validator-form-object-format=brackets",
    "--validator-form-array-format=brackets",
    "--validator-query-object-format=brackets",
    "--validator-query-array-format=brackets",
];

/// What the judge has against a call: nothing, where it fits.
fn objections(judge: &Judge, call: &str, fields: &BTreeMap<String, String>) -> Vec<String> {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", plain(name), plain(value)));
    let form = pairs.collect::<Vec<_>>().join("&");
    let (target, body) = match method {
        "GET" if form.is_empty() => (path.to_owned(), String::new()),
        "GET" => (format!("{path}?{form}"), String::new()),
        _ => (path.to_owned(), form),
    };
    let headers = [
        ("Authorization", "Bearer sk_test_shop"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    judge.objections(&format!("{method} {target}"), &headers, &body)
}

/// A field as it travels in a form.
fn plain(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Everything that a shop ever asks of Stripe.
async fn life(stripe: &Stripe, fake: &Fake, now: Timestamp) {
    let euros = |minor| Money::from_minor(minor, "EUR".parse().expect("a currency"));
    let chance = SystemChance;
    let request = |token: &str, authenticate| {
        let reference = AttemptId::new(now, &chance);
        AuthorizeRequest {
            reference,
            order: OrderId::from_uuid(reference.uuid()),
            amount: euros(1990),
            credential: Credential::new(token.to_owned()),
            not_after: now.plus(Duration::from_secs(60)),
            authenticate,
            return_url: format!("https://shop.example/payments/return/{reference}"),
        }
    };
    let paid = request("pm_card_visa", false);
    let Ok(Authorized::Approved { authorization, .. }) = stripe.authorize(&paid).await else {
        panic!("a good card is taken");
    };
    let part = |part, minor| MoneyRequest {
        reference: paid.reference,
        part,
        authorization: authorization.clone(),
        amount: euros(minor),
    };
    stripe.find(&paid.lookup()).await.expect("it is found");
    stripe.capture(&part(0, 1500)).await.expect("a part is captured");
    stripe.refund(&part(1, 500)).await.expect("a part is given back");
    fake.forget_keys();
    stripe.refund(&part(1, 500)).await.expect("it was given back");
    let challenged = request("pm_challenge", true);
    assert!(matches!(stripe.authorize(&challenged).await, Ok(Authorized::Challenged { .. })));
    stripe.end(&challenged.lookup()).await.expect("it ends");
    for token in ["pm_declined_insufficient_funds", "tok_visa"] {
        let _answer = stripe.authorize(&request(token, false)).await.expect("an answer");
    }
    let let_go = request("pm_card_visa", false);
    let Ok(Authorized::Approved { authorization, .. }) = stripe.authorize(&let_go).await else {
        panic!("a good card is taken");
    };
    let whole =
        MoneyRequest { reference: let_go.reference, part: 0, authorization, amount: euros(1990) };
    stripe.void(&whole).await.expect("it is let go");
    let day = Duration::from_secs(24 * 60 * 60);
    let span = Span { from: now.minus(day), until: now.plus(day), cursor: Some("pi_0000".into()) };
    stripe.list(&span).await.expect("a page");
}

// breaks: a field in `Stripe::authorize` that Stripe does not know, or an amount with a comma
#[actix_web::test]
async fn every_request_fits_stripes_own_description() {
    let (fake, now) = (Fake::start(), Timestamp::from_micros(1_764_000_000_000_000));
    let stripe = client(&fake.url, Arc::new(ManualClock::new(now)));
    life(&stripe, &fake, now).await;
    let calls = fake.state.lock().unwrap().calls.clone();
    let judge = Judge::start(&description("stripe_"), &BRACKETS);
    let kinds: std::collections::BTreeSet<String> = calls
        .iter()
        .map(|(call, _, fields)| format!("{call} {:?}", fields.keys().collect::<Vec<_>>()))
        .collect();
    assert!(kinds.len() >= 8, "what was asked: {kinds:#?}");
    for (call, _, fields) in &calls {
        // The description leaves cards out of what a PaymentMethod may be made of on the way.
        let is_card_token = fields.contains_key("payment_method_data[card][token]");
        let known = usize::from(is_card_token);
        let objections = objections(&judge, call, fields);
        let others = objections.iter().filter(|words| words.contains("-path: "));
        let others = others.filter(|words| !words.ends_with("body.payment_method_data.type"));
        assert_eq!(others.count(), 0, "{call} {fields:?}: {objections:?}");
        let counted = objections.iter().filter(|words| words.contains("-path: ")).count();
        assert_eq!(counted, known, "{call} {fields:?}: {objections:?}");
    }
    // It sees what is wrong.
    let (call, _, fields) = &calls[0];
    for (name, wrong) in [("amount", "19,90"), ("capture_methode", "manual")] {
        let mut fields = fields.clone();
        fields.insert(name.to_owned(), wrong.to_owned());
        assert!(!objections(&judge, call, &fields).is_empty(), "{name} passed");
    }
}

//! What we say to PayPal, held against PayPal's own descriptions of its API, by a judge that is not
//! ours; and what our fake answers, held against the same.

use doorbuster::{
    base::ManualClock,
    payment::{AuthorizeRequest, Authorized, Credential, Gateway, MoneyRequest, paypal::PayPal},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    client,
    fake::{Call, Fake},
    now, request,
};
use crate::judge::{Judge, description};

/// Everything that a shop ever asks of PayPal, in every way.
async fn life(paypal: &PayPal, fake: &Fake) {
    let tokens = ["paypal:8kk8451t", "card:8kk8451t", "agreement:B-8KK8451T"];
    for (number, token) in (0..).zip(tokens.iter().cycle().take(9)) {
        let asked =
            AuthorizeRequest { authenticate: number % 2 == 0, ..request(token, 1990 + number) };
        let Ok(Authorized::Approved { authorization, .. }) = paypal.authorize(&asked).await else {
            panic!("{token} is taken");
        };
        let part = |part, minor| MoneyRequest {
            reference: asked.reference,
            part,
            authorization: authorization.clone(),
            amount: doorbuster::base::Money::from_minor(minor, asked.amount.currency()),
        };
        paypal.find(&asked.lookup()).await.expect("it is found");
        for (number, minor) in [(0, 1000), (1, 500)] {
            paypal.capture(&part(number, minor)).await.expect("a part is captured");
        }
        paypal.refund(&part(1, 1200)).await.expect("two parts are given back");
        paypal.void(&part(0, 1)).await.expect("the rest is let go");
    }
    for token in ["redirect", "card:challenge"] {
        let asked = request(token, 1990);
        let Ok(Authorized::Challenged(challenge)) = paypal.authorize(&asked).await else {
            panic!("{token} waits for its buyer");
        };
        let lookup = doorbuster::payment::Lookup { known: challenge.id, ..asked.lookup() };
        paypal.resume(&lookup, None).await.expect("it waits");
        let id = lookup.known.clone().expect("its name");
        fake.state.lock().unwrap().orders.get_mut(&id).expect("it is there")["status"] =
            json!("APPROVED");
        if token == "redirect" {
            // The platform's page hands its own over the same way.
            let over = AuthorizeRequest {
                credential: Credential::new(format!("order:{id}")),
                ..request(token, 1990)
            };
            paypal.authorize(&over).await.expect("it is taken over");
            let over = doorbuster::payment::Lookup { known: Some(id), ..over.lookup() };
            paypal.resume(&over, None).await.expect("it is paid");
        } else {
            paypal.resume(&lookup, None).await.expect("it is paid");
        }
        paypal.end(&lookup).await.expect("it has ended");
    }
    for token in ["card:denied-5120", "paypal:declined-INSTRUMENT_DECLINED"] {
        let answer = paypal.authorize(&request(token, 1990)).await;
        assert!(matches!(answer, Ok(Authorized::Declined(_))), "{answer:?}");
    }
}

fn file(call: &str) -> &'static str {
    if call.contains("/v2/payments/") { "paypal_payments" } else { "paypal_orders" }
}

fn objections(judge: &Judge, call: &Call, body: &Value) -> Vec<String> {
    let mut headers = vec![
        ("Authorization", "Bearer token"),
        ("Content-Type", "application/json"),
        ("Prefer", "return=representation"),
    ];
    headers.extend(call.key.as_deref().map(|key| ("PayPal-Request-Id", key)));
    let body = if call.line.starts_with("GET") { String::new() } else { body.to_string() };
    let found = judge.objections(&call.line, &headers, &body);
    found.into_iter().filter(|words| words.contains("-path: ")).collect()
}

fn judged(judge: &Judge, calls: &[Call], name: &str) -> usize {
    let ours = calls.iter().filter(|call| file(&call.line) == name && call.body.is_object());
    let others = calls.iter().filter(|call| file(&call.line) == name && !call.body.is_object());
    let ours: Vec<_> = ours.chain(others).filter(|call| !call.line.contains("oauth2")).collect();
    for call in &ours {
        let found = objections(judge, call, &call.body);
        assert!(found.is_empty(), "{call:?}: {found:?}");
    }
    ours.len()
}

// breaks: an amount that is a number, a word PayPal does not know, a path that is none
#[actix_web::test]
async fn every_request_fits_paypals_own_description() {
    let fake = Fake::start();
    let paypal = client(&fake.url, Arc::new(ManualClock::new(now())));
    life(&paypal, &fake).await;
    let calls = fake.state.lock().unwrap().calls.clone();
    let kinds: BTreeSet<String> = calls
        .iter()
        .map(|call| {
            let line =
                call.line.split('/').filter(|part| !part.contains("0000")).collect::<Vec<_>>();
            let source = &call.body["payment_source"];
            let source = source.as_object().map(|of| of.keys().cloned().collect::<Vec<_>>());
            format!("{} {source:?}", line.join("/"))
        })
        .collect();
    assert!(kinds.len() >= 12, "what was asked: {kinds:#?}");
    for (name, first) in [("paypal_orders", "/orders"), ("paypal_payments", "/capture")] {
        let judge = Judge::start(&description(name), &[]);
        assert!(judged(&judge, &calls, name) >= 20, "{name}");
        // It sees what is wrong.
        let call = calls.iter().find(|call| call.line.ends_with(first)).expect("it was asked");
        let at = if name == "paypal_orders" { "/purchase_units/0/amount" } else { "/amount" };
        for wrong in [
            json!({"currency_code": "EUR", "value": 19.9}),
            json!("19.90"),
            json!({"value": "19.90"}),
        ] {
            let mut body = call.body.clone();
            *body.pointer_mut(at).expect("an amount") = wrong;
            assert!(!objections(&judge, call, &body).is_empty(), "{name} passed {body}");
        }
    }
}

/// The schema of what a call says; the judge does not look at patterns.
fn said(call: &Call) -> Option<&'static str> {
    match call.line.rsplit('/').next().unwrap_or_default() {
        "orders" => Some("order_request"),
        "confirm-payment-source" => Some("confirm_order_request"),
        "authorize" => Some("order_authorize_request"),
        "capture" => Some("capture_request"),
        "refund" => Some("refund_request"),
        _ if call.line.starts_with("PATCH") => Some("patch_request"),
        _ => None,
    }
}

/// The schema of an answer to a call.
fn schema(line: &str) -> &'static str {
    let last = line.rsplit('/').next().unwrap_or_default();
    match (last, line.contains("/v2/payments/")) {
        ("authorize", _) => "order_authorize_response",
        ("capture", _) => "capture",
        ("refund", _) => "refund",
        (_, true) => "capture-2",
        _ => "order",
    }
}

fn validator(file: &Path, name: &str) -> jsonschema::Validator {
    let text = std::fs::read(file).expect("it reads");
    let mut document: Value = serde_json::from_slice(&text).expect("JSON");
    document["$ref"] = json!(format!("#/components/schemas/{name}"));
    jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&document).expect("a schema")
}

// breaks: a field of the fake's that PayPal spells otherwise, or an amount that is a number
#[actix_web::test]
async fn every_pattern_and_every_answer_fits_paypals_own_description() {
    let fake = Fake::start();
    let paypal = client(&fake.url, Arc::new(ManualClock::new(now())));
    life(&paypal, &fake).await;
    let answers = fake.state.lock().unwrap().answers.clone();
    let mut distinct = BTreeSet::new();
    for (line, told) in &answers {
        let validator = validator(&description(file(line)), schema(line));
        let wrong: Vec<_> = validator.iter_errors(told).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{line}: {told}: {wrong:?}");
        distinct.insert(told.to_string());
    }
    assert!(distinct.len() >= 40, "{} answers", distinct.len());
    for call in &fake.state.lock().unwrap().calls {
        let Some(name) = said(call) else { continue };
        let validator = validator(&description(file(&call.line)), name);
        let wrong: Vec<_> =
            validator.iter_errors(&call.body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{call:?}: {wrong:?}");
    }
    let (line, told) = answers.iter().find(|(line, _)| line.ends_with("/capture")).expect("one");
    let mut wrong = told.clone();
    wrong["amount"]["value"] = json!("19,90");
    let validator = validator(&description(file(line)), schema(line));
    assert!(!validator.is_valid(&wrong), "it sees what is wrong");
}

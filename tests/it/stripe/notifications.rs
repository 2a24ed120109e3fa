//! Notifications: what is believed, and that every order of them ends in the same state.

use doorbuster::{
    ledger::row::{AttemptRow, SessionState},
    outbound::{Client, Exchange, Method, OutboundSettings},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

use super::{
    SECRET,
    fake::{Fake, Trouble},
    shop,
};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_notification_places_the_order_of_a_buyer_who_never_comes_back,
    a_notification_whose_row_exists_is_still_looked_into,
    early_late_repeated_and_reordered_ones_end_in_the_same_state,
    a_notification_of_another_payment_changes_nothing,
    nothing_forged_is_believed_and_nothing_breaks,
    a_dispute_is_told_once_and_labels_the_order,
    an_early_fraud_warning_labels_the_order_once,
    the_page_a_buyer_comes_back_to_says_how_it_ended,
);

/// A signature as Stripe makes it.
pub(crate) fn signed(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{at}.{body}").as_bytes());
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

pub(crate) fn event(id: &str, kind: &str, object: &Value) -> Value {
    json!({"id": id, "object": "event", "type": kind, "livemode": false,
        "created": 1_764_230_400, "data": {"object": object}})
}

fn seconds(shop: &TestShop) -> i64 {
    shop.now().micros() / 1_000_000
}

/// Posts bytes to the shop's address for Stripe.
async fn post(shop: &TestShop, headers: &[(&'static str, &str)], body: Vec<u8>) -> (u16, String) {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let url = format!("http://{}/webhooks/stripe", shop.app().address);
    let exchange = Exchange { method: Method::Post, url: &url, headers, body: Some(body) };
    let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

/// What is told at an address.
pub(super) async fn get(url: &str) -> Value {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let exchange = Exchange { method: Method::Get, url, headers: &[], body: None };
    let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).expect("JSON")
}

async fn tell(shop: &TestShop, event: &Value) -> u16 {
    let body = event.to_string();
    let signature = signed(SECRET, seconds(shop), &body);
    post(shop, &[("stripe-signature", &signature)], body.into_bytes()).await.0
}

/// Looks into everything that is due, and once more for what is due a little later.
async fn rounds(shop: &TestShop) {
    for _ in 0..3 {
        shop.app().notifications.round().await.expect("the ledger answers");
        shop.clock.advance(Duration::from_secs(2));
    }
}

async fn returns(shop: &TestShop, attempt: &str) -> (u16, String) {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    // What stands behind the question mark is anybody's.
    let query = "?payment_intent=pi_other&redirect_status=succeeded";
    let url = format!("http://{}/payments/return/{attempt}{query}", shop.app().address);
    let exchange = Exchange { method: Method::Get, url: &url, headers: &[], body: None };
    let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

/// A shop with a buyer who was sent to their bank.
async fn challenged(on: On) -> (TestShop, Fake, AttemptRow) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_challenge").await.text();
    drop(ada);
    let mut attempts = shop.store().list_attempts(None, 10).await.expect("reads");
    let attempt = attempts.remove(0);
    (shop, fake, attempt)
}

async fn state(shop: &TestShop, attempt: &AttemptRow) -> SessionState {
    let row = shop.store().find_session(attempt.checkout).await.expect("reads");
    row.expect("it is there").state
}

// breaks: a notification that is kept and never looked into
async fn a_notification_places_the_order_of_a_buyer_who_never_comes_back(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let intent = fake.change("requires_capture");
    let told = event("evt_1", "payment_intent.amount_capturable_updated", &intent);
    assert_eq!(tell(&shop, &told).await, 200);
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    shop.debts_are_paid().await;
    assert_eq!(fake.intents()[0]["amount_received"], 1990);
    shop.leaves().await;
}

// breaks: a repeated notification that is taken for one that was looked into
async fn a_notification_whose_row_exists_is_still_looked_into(on: On) {
    let (mut shop, fake, attempt) = challenged(on).await;
    let intent = fake.change("requires_capture");
    let told = event("evt_1", "payment_intent.amount_capturable_updated", &intent);
    assert_eq!(tell(&shop, &told).await, 200);
    // It was kept, and the process dies before anybody has looked into it.
    shop.opens_again().await;
    assert_eq!(tell(&shop, &told).await, 200);
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    assert_eq!(shop.orders().await, 1);
    shop.leaves().await;
}

// breaks: a state that is taken from the notification rather than asked for
async fn early_late_repeated_and_reordered_ones_end_in_the_same_state(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let waiting = fake.intents()[0].clone();
    let early = event("evt_1", "payment_intent.succeeded", &waiting);
    assert_eq!(tell(&shop, &early).await, 200, "it says so before it is true");
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    let capturable = fake.change("requires_capture");
    // What was first comes last, everything comes twice, and some at once.
    let later = event("evt_3", "payment_intent.amount_capturable_updated", &capturable);
    let requires = event("evt_2", "payment_intent.requires_action", &waiting);
    let failed = event("evt_4", "payment_intent.payment_failed", &waiting);
    for _ in 0..2 {
        let (one, two, three) =
            tokio::join!(tell(&shop, &later), tell(&shop, &requires), tell(&shop, &failed));
        assert_eq!([one, two, three], [200; 3]);
        fake.next("GET /v1/payment_intents/pi_0000", Trouble::Says(500, json!({})));
        rounds(&shop).await;
    }
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    shop.debts_are_paid().await;
    let after = event("evt_5", "payment_intent.canceled", &waiting);
    assert_eq!(tell(&shop, &after).await, 200);
    rounds(&shop).await;
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), (1, SessionState::Completed));
    assert_eq!(fake.intents()[0]["amount_received"], 1990);
    shop.leaves().await;
}

// breaks: an amount, a currency or an id that is not compared
async fn a_notification_of_another_payment_changes_nothing(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let true_one = fake.change("requires_capture");
    let with = |name: &str, value: Value| {
        let mut intent = true_one.clone();
        intent[name] = value;
        intent
    };
    let foreign = [
        with("amount", json!(1)),
        with("currency", json!("usd")),
        with("id", json!("pi_somebody_elses")),
        with("metadata", json!({"attempt": "pay_00000000000000000000000000000000"})),
    ];
    for (number, intent) in foreign.iter().enumerate() {
        let told = event(&format!("evt_{number}"), "payment_intent.succeeded", intent);
        assert_eq!(tell(&shop, &told).await, 200, "{intent}");
    }
    let rows = shop.app().notifications.inbox.list_due(shop.now(), 100).await.expect("reads");
    assert_eq!(rows.len(), foreign.len());
    rounds(&shop).await;
    let expected = (0, SessionState::Completing);
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), expected);
    // One that names no attempt is asked about by Stripe's own name, and is ours.
    let unnamed = with("metadata", json!({"attempt": "nonsense"}));
    assert_eq!(tell(&shop, &event("evt_9", "payment_intent.succeeded", &unnamed)).await, 200);
    rounds(&shop).await;
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), (1, SessionState::Completed));
    shop.leaves().await;
}

/// What may arrive at the address by day and night: a header, a body.
fn forgeries(at: i64) -> Vec<(&'static str, Option<String>, Vec<u8>)> {
    let good = event(
        "evt_f",
        "payment_intent.succeeded",
        &json!({"id": "pi_0000",
        "amount": 1990, "currency": "eur", "status": "succeeded"}),
    )
    .to_string();
    let sign = |body: &str| Some(signed(SECRET, at, body));
    let with = |change: fn(&mut Value)| {
        let mut body: Value = serde_json::from_str(&good).expect("JSON");
        change(&mut body);
        let body = body.to_string();
        (sign(&body), body.into_bytes())
    };
    let header = sign(&good).expect("a header");
    let hex = header.split_once("v1=").expect("a signature").1.to_owned();
    let plain = |header: String| (Some(header), good.clone().into_bytes());
    type Arrives = (Option<String>, Vec<u8>);
    let mut kinds: Vec<(&'static str, Arrives)> = vec![
        ("no signature", (None, good.clone().into_bytes())),
        ("an empty signature", plain(String::new())),
        ("another secret", plain(signed("whsec_other", at, &good))),
        ("an empty secret", plain(signed("", at, &good))),
        ("no time", plain(format!("v1={hex}"))),
        ("no v1", plain(format!("t={at}"))),
        ("an empty v1", plain(format!("t={at},v1="))),
        ("v0 alone", plain(format!("t={at},v0={hex}"))),
        ("another time", plain(format!("t={},v1={hex}", at + 1))),
        ("a time that is no number", plain(format!("t=now,v1={hex}"))),
        ("a time beyond all numbers", plain(format!("t=99999999999999999999,v1={hex}"))),
        ("a time with a sign", plain(format!("t=-{at},v1={hex}"))),
        ("a signature cut short", plain(format!("t={at},v1={}", &hex[..62]))),
        ("a signature of one digit less", plain(format!("t={at},v1={}", &hex[..63]))),
        ("a signature too long", plain(format!("t={at},v1={hex}00"))),
        ("no hexadecimal digits", plain(format!("t={at},v1={}", "g".repeat(64)))),
        ("zeros", plain(format!("t={at},v1={}", "0".repeat(64)))),
        ("letters of another script", plain(format!("t={at},v1={}", "é".repeat(32)))),
        ("a thousand signatures", plain(format!("t={at}{}", ",v1=00".repeat(1_000)))),
        ("signed ten minutes ago", plain(signed(SECRET, at - 600, &good))),
        ("signed in ten minutes", plain(signed(SECRET, at + 600, &good))),
        ("signed in 1970", plain(signed(SECRET, 0, &good))),
        ("one byte changed", (sign(&good), good.replace("1990", "1991").into_bytes())),
        ("a space more", (sign(&good), format!("{good} ").into_bytes())),
        ("cut short", (sign(&good), good.as_bytes()[..40].to_vec())),
        ("an empty body", (sign(&good), Vec::new())),
        ("a signed empty body", (sign(""), Vec::new())),
        ("signed nonsense", (sign("nonsense"), b"nonsense".to_vec())),
        ("a signed list", (sign("[]"), b"[]".to_vec())),
        ("a signed number", (sign("7"), b"7".to_vec())),
        ("a signed null", (sign("null"), b"null".to_vec())),
        ("signed half a document", (sign(&good[..80]), good.as_bytes()[..80].to_vec())),
        ("no id", with(|body| drop(body.as_object_mut().expect("object").remove("id")))),
        ("no type", with(|body| drop(body.as_object_mut().expect("object").remove("type")))),
        ("no data", with(|body| drop(body.as_object_mut().expect("object").remove("data")))),
        ("an id that is a number", with(|body| body["id"] = json!(7))),
        ("an object that is a word", with(|body| body["data"]["object"] = json!("pi_0000"))),
        ("an amount that is a word", with(|body| body["data"]["object"]["amount"] = json!("1"))),
        ("live money at a test key", with(|body| body["livemode"] = json!(true))),
    ];
    kinds.push(("deep nesting", {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        (sign(&deep), deep.into_bytes())
    }));
    kinds.into_iter().map(|(name, (header, body))| (name, header, body)).collect()
}

// breaks: a check of the signature that is left out, or a body that is read before it
async fn nothing_forged_is_believed_and_nothing_breaks(on: On) {
    let (shop, _fake, attempt) = challenged(on).await;
    let forgeries = forgeries(seconds(&shop));
    assert!(forgeries.len() >= 30);
    for (name, header, body) in forgeries {
        let headers: Vec<_> =
            header.iter().map(|text| ("stripe-signature", text.as_str())).collect();
        let (status, text) = post(&shop, &headers, body).await;
        assert!((400..500).contains(&status), "{name}: {status} {text}");
    }
    let unread = post(&shop, &[], vec![b'x'; 300 * 1024]).await.0;
    assert!((400..500).contains(&unread), "too long: {unread}");
    let due = shop.app().notifications.inbox.list_due(shop.now(), 100).await.expect("reads");
    assert!(due.is_empty(), "{due:?}");
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    // Two secrets are taken while one is changed, and unknown kinds are acknowledged.
    assert_eq!(
        tell(&shop, &event("evt_n", "customer.created", &json!({"id": "cus_1"}))).await,
        200
    );
    let (status, text) =
        post(&shop, &[("stripe-signature", &signed(SECRET, 0, "{}"))], b"{}".to_vec()).await;
    assert!(status == 401 && text.contains("clock"), "{text}");
    shop.leaves().await;
}

// breaks: a dispute that is not told, told twice, or one that was won and still labels
async fn a_dispute_is_told_once_and_labels_the_order(on: On) {
    let (shop, _fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_card_visa").await.text();
    shop.debts_are_paid().await;
    let before = shop.store().list_unsent_events(100).await.expect("reads").len();
    for (id, kind, status) in [
        ("evt_1", "charge.dispute.created", "needs_response"),
        ("evt_2", "charge.dispute.updated", "needs_response"),
        ("evt_3", "charge.dispute.closed", "won"),
    ] {
        let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 1990, "currency": "eur",
            "reason": "fraudulent", "status": status, "charge": "ch_1",
            "payment_intent": "pi_0000", "evidence_details": {"due_by": 1_765_000_000}});
        assert_eq!(tell(&shop, &event(id, kind, &dispute)).await, 200);
        rounds(&shop).await;
    }
    let events = shop.store().list_unsent_events(100).await.expect("reads");
    let told: Vec<_> = events[before..].iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told, ["payment.disputed", "payment.disputed"]);
    assert!(events[before].body.get().contains("\"open\""), "{}", events[before].body);
    assert!(events[before + 1].body.get().contains("\"won\""), "{}", events[before + 1].body);
    shop.leaves().await;
}

// breaks: a page that believes its address, or that does not ask the gateway
async fn the_page_a_buyer_comes_back_to_says_how_it_ended(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let id = attempt.id.to_string();
    let (status, page) = returns(&shop, &id).await;
    assert!(status == 200 && page.contains("One moment"), "{page}");
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    fake.change("requires_capture");
    let ((_, one), (_, two)) = tokio::join!(returns(&shop, &id), returns(&shop, &id));
    assert!(one.contains("Thank you") && two.contains("Thank you"), "{one} {two}");
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), (1, SessionState::Completed));
    for nobody in ["pay_00000000000000000000000000000000", "nonsense", "%00", "pay_%22%3E"] {
        let (status, page) = returns(&shop, nobody).await;
        assert!(matches!(status, 400 | 404), "{nobody}: {status} {page}");
    }
    shop.leaves().await;
}

// breaks: a warning that is acknowledged and labels nothing, or labels twice
async fn an_early_fraud_warning_labels_the_order_once(on: On) {
    let (shop, _fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("pm_card_visa").await.text();
    shop.debts_are_paid().await;
    let warning = json!({"id": "issfr_1", "object": "radar.early_fraud_warning",
        "actionable": true, "charge": "ch_1", "fraud_type": "made_with_stolen_card",
        "payment_intent": "pi_0000", "livemode": false, "created": 1_764_230_400});
    for (id, kind) in [("evt_1", "created"), ("evt_1", "created"), ("evt_2", "updated")] {
        let kind = format!("radar.early_fraud_warning.{kind}");
        assert_eq!(tell(&shop, &event(id, &kind, &warning)).await, 200);
        rounds(&shop).await;
    }
    let order = doorbuster::base::OrderId::of(ada.session().await.id);
    let url = format!("http://{}/v1/orders/{order}/labels", shop.app().address);
    let labels = get(&url).await["items"].as_array().expect("a list").clone();
    assert_eq!(labels.len(), 1, "{labels:?}");
    let label = &labels[0];
    assert_eq!((&label["source"], &label["fraud"]), (&json!("early_warning"), &json!(true)));
    assert_eq!(
        (&label["author"], &label["reason"]),
        (&json!("stripe"), &json!("made_with_stolen_card"))
    );
    shop.leaves().await;
}

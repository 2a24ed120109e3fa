//! Payments that are judged, and the reviewers' desk, through the front door.

use actix_web::http::Method;
use doorbuster::payment::Found;
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    http_shop::{Answer, Shop},
    http_ucp::{SESSIONS, cart, codes, pay},
    support::models::values,
};

/// Creates a checkout of one tee for this e-mail address and pays for it.
pub(crate) async fn buys(shop: &Shop, email: &str) -> Value {
    buys_with(shop, email, "success_token", &json!({})).await
}

pub(crate) async fn buys_with(shop: &Shop, email: &str, token: &str, signals: &Value) -> Value {
    let mut cart = cart(&[("TEE", 1)]);
    cart["buyer"]["email"] = json!(email);
    let created = shop.post(SESSIONS, &cart).await;
    assert_eq!(created.status, 201, "{}", created.json());
    let id = created.json()["id"].as_str().expect("an id").to_owned();
    let mut payment = pay(token);
    payment["signals"] = signals.clone();
    let paid = shop.post(&format!("{SESSIONS}/{id}/complete"), &payment).await;
    assert_eq!(paid.status, 200, "{}", paid.json());
    paid.json()
}

pub(crate) fn order_of(body: &Value) -> String {
    body["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {body}")).to_owned()
}

/// Grace looks at this order, where nobody has decided it.
pub(crate) async fn claims(shop: &Shop, order: &str) -> Answer {
    shop.post(&format!("/v1/cases/{order}/claim"), &json!({"reviewer": "grace"})).await
}

async fn decides(shop: &Shop, order: &str, decision: &str) -> Answer {
    claims(shop, order).await;
    let body = json!({"reviewer": "grace", "decision": decision, "reason": "I called them"});
    shop.post(&format!("/v1/cases/{order}/decide"), &body).await
}

/// Where the money of an order stands, once all debts are paid.
async fn payment(shop: &Shop, order: &str) -> Value {
    for _ in 0..200 {
        let body = shop.get(&format!("/v1/orders/{order}")).await.json();
        let due = |operation: &Value| operation["state"] == "due";
        if !body["operations"].as_array().expect("a list").iter().any(due) {
            return body["payment"].clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("debts are still due")
}

async fn stock(shop: &Shop) -> Value {
    shop.get("/v1/stock/TEE").await.json()
}

#[actix_web::test]
async fn an_approved_order_has_a_judgement_with_its_reasons() {
    let shop = Shop::open().await;
    let body = buys(&shop, "ada@example.com").await;
    let order = order_of(&body);
    assert_eq!(payment(&shop, &order).await, "captured");
    let judged = shop.get(&format!("/v1/orders/{order}/assessments")).await.json();
    let judged = &judged["items"][0];
    assert_eq!(judged["outcome"], "approve", "{judged}");
    assert_eq!((&judged["decided_by"], &judged["model"]), (&json!("nothing"), &json!("bundled-2")));
    assert!(judged["score"].as_u64().is_some_and(|score| score <= 1000), "{judged}");
    let features = judged["features"].as_str().expect("features");
    assert!(values(features).count() > 200, "{features}");
    let reasons = judged["reasons"].as_array().expect("reasons");
    let says = |reason: &Value| reason["says"].as_str().is_some_and(|says| says.contains(' '));
    assert!(!reasons.is_empty() && reasons.iter().all(says), "in words: {judged}");
    let found = shop.get(&format!("/v1/assessments?order={order}")).await.json();
    assert_eq!(found["items"][0]["top_reason"], reasons[0]["says"], "{found}");
    assert!(!judged.to_string().contains("ada@"), "a judgement names nobody: {judged}");
    assert_eq!(shop.get(&format!("/v1/cases/{order}")).await.status, 404);
}

// breaks: leave `test_payment` out of `Saga::completed`
#[actix_web::test]
async fn every_order_says_that_it_was_paid_with_test_money() {
    let shop = Shop::open().await;
    let order = order_of(&buys(&shop, "ada@example.com").await);
    assert_eq!(shop.get(&format!("/v1/orders/{order}")).await.json()["test_payment"], true);
    let listed = shop.get("/v1/orders").await.json();
    assert_eq!(listed["items"][0]["test_payment"], true, "{listed}");
    let express = json!({
        "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": "ada@example.com"},
        "payment": {"token": "success_token"},
    });
    let placed = shop.post("/v1/orders", &express).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
    assert_eq!(placed.json()["test_payment"], true);
}

// breaks: give rules the score in every mode in `Bench::judge`
#[actix_web::test]
async fn in_shadow_rules_that_read_no_score_decide() {
    let shop = Shop::open().await;
    let models = shop.get("/v1/models").await.json();
    assert_eq!((&models["serving"], &models["mode"]), (&json!("bundled-2"), &json!("shadow")));
    for (name, expression) in [("by_score", "score >= 0"), ("by_units", "units >= 1")] {
        let rule = json!({"expression": expression, "action": "review", "mode": "live",
                          "reason": "watched long enough"});
        let saved = shop.ask(Method::PUT, &format!("/v1/rules/{name}"), &rule).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
        let order = order_of(&buys(&shop, "ada@example.com").await);
        let judged = shop.get(&format!("/v1/orders/{order}/assessments")).await.json();
        let judged = &judged["items"][0];
        assert!(judged["score"].is_u64() && judged["score_in_shadow"] == true, "{judged}");
        let expected = if name == "by_score" { "approve" } else { "review" };
        assert_eq!(judged["outcome"], expected, "{judged}");
    }
}

#[actix_web::test]
async fn a_reviewed_order_is_sold_and_its_money_waits_for_a_person() {
    let shop = Shop::open().await;
    let body = buys(&shop, "fraud-review@example.com").await;
    assert_eq!(body["status"], "completed", "the buyer sees an order: {body}");
    let order = order_of(&body);
    assert_eq!(payment(&shop, &order).await, "authorized");
    assert_eq!(
        (&stock(&shop).await["sold"], &stock(&shop).await["available"]),
        (&json!(1), &json!(4))
    );

    let listed = shop.get("/v1/cases").await.json();
    assert_eq!(listed["items"][0]["order"], order.as_str(), "{listed}");
    let claim = json!({"reviewer": "grace"});
    let claimed = shop.post("/v1/cases/claim", &claim).await.json();
    assert_eq!(claimed["case"]["claimed_by"], "grace", "{claimed}");
    let none = shop.post("/v1/cases/claim", &json!({"reviewer": "ada"})).await.json();
    assert_eq!(none["case"], Value::Null, "two never have the same case");
    let theirs = json!({"reviewer": "ada", "decision": "decline", "reason": "no"});
    let theirs = shop.post(&format!("/v1/cases/{order}/decide"), &theirs).await;
    theirs.problem(409, "case_claimed");

    let note = json!({"reviewer": "grace", "note": "they answer the phone"});
    assert_eq!(shop.post(&format!("/v1/cases/{order}/notes"), &note).await.status, 200);
    let ship = json!({"quantity": 1, "reason": "picked"});
    let ship = shop.post(&format!("/v1/orders/{order}/lines/1/ship"), &ship).await;
    ship.problem(409, "order_in_review");

    assert_eq!(decides(&shop, &order, "approve").await.status, 200);
    assert_eq!(payment(&shop, &order).await, "captured");
    let shown = shop.get(&format!("/v1/cases/{order}")).await.json();
    assert_eq!((&shown["state"], &shown["closed_by"]), (&json!("approved"), &json!("grace")));
    let kinds: Vec<_> =
        shown["events"].as_array().expect("events").iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["opened", "claimed", "noted", "claimed", "approved"]);
    assert_eq!(shown["assessments"][0]["decided_by"], "test_email");
}

#[actix_web::test]
async fn a_decision_clicked_twice_is_made_once() {
    let shop = Shop::open().await;
    let order = order_of(&buys(&shop, "fraud-review@example.com").await);
    claims(&shop, &order).await;
    let path = format!("/v1/cases/{order}/decide");
    let body = json!({"reviewer": "grace", "decision": "decline", "reason": "a known ring"});
    let first = shop.ask_as("click", Method::POST, &path, &body).await;
    let second = shop.ask_as("click", Method::POST, &path, &body).await;
    assert_eq!((first.status.as_u16(), &first.bytes), (200, &second.bytes));
    decides(&shop, &order, "approve").await.problem(409, "case_ended");
    assert_eq!(payment(&shop, &order).await, "voided");
    let stock = stock(&shop).await;
    assert_eq!((&stock["sold"], &stock["available"]), (&json!(0), &json!(5)), "{stock}");
}

#[actix_web::test]
async fn two_decisions_at_once_are_one() {
    let shop = Shop::open().await;
    let order = order_of(&buys(&shop, "fraud-review@example.com").await);
    let (one, other) =
        tokio::join!(decides(&shop, &order, "approve"), decides(&shop, &order, "decline"));
    let won = [one.status.as_u16(), other.status.as_u16()];
    assert!(won == [200, 409] || won == [409, 200], "{won:?}");
    let expected = if won[0] == 200 { "captured" } else { "voided" };
    assert_eq!(payment(&shop, &order).await, expected);
    let units = if won[0] == 200 { 4 } else { 5 };
    assert_eq!(stock(&shop).await["available"], units);
}

#[actix_web::test]
async fn what_was_captured_can_be_refunded_as_fraud() {
    let shop = Shop::open().await;
    let order = order_of(&buys(&shop, "fraud-review@example.com").await);
    decides(&shop, &order, "refund").await.problem(409, "not_captured");
    assert_eq!(decides(&shop, &order, "approve").await.status, 200);
    assert_eq!(payment(&shop, &order).await, "captured");
    assert_eq!(decides(&shop, &order, "refund").await.status, 200);
    assert_eq!(payment(&shop, &order).await, "refunded");
    assert_eq!(stock(&shop).await["available"], 5);
}

/// Whoever is declined here must not learn that it was not the bank.
#[actix_web::test]
async fn a_decline_sounds_as_if_the_bank_had_said_it() {
    let shop = Shop::open().await;
    let by_us = buys(&shop, "fraud-decline@example.com").await;
    let by_bank = buys_with(&shop, "ada@example.com", "fail_token", &json!({})).await;
    assert_eq!(codes(&by_us), ["payment_failed"]);
    let told = |body: &Value| {
        let mut told = body.clone();
        for own in ["id", "expires_at", "buyer"] {
            told[own] = Value::Null;
        }
        told
    };
    assert_eq!(told(&by_us), told(&by_bank));
    let order = |email: &str, token: &str| {
        json!({
            "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": email},
            "payment": {"token": token},
        })
    };
    let by_us = shop.post("/v1/orders", &order("fraud-decline@example.com", "success_token")).await;
    let by_bank = shop.post("/v1/orders", &order("ada@example.com", "fail_token")).await;
    by_us.problem(402, "payment_declined");
    let told = |answer: &Answer| {
        let mut told = answer.json();
        for own in ["request_id", "checkout_id"] {
            assert!(told[own].is_string(), "{own}: {told}");
            told[own] = Value::Null;
        }
        told
    };
    assert_eq!(told(&by_us), told(&by_bank));
}

#[actix_web::test]
async fn a_declined_cart_can_be_paid_another_way_and_its_judgements_stand() {
    let shop = Shop::open().await;
    let body = buys(&shop, "fraud-decline@example.com").await;
    let id = body["id"].as_str().expect("an id");
    assert_eq!(body["status"], "ready_for_complete");
    let mut again = pay("success_token");
    again["buyer"] = json!({"email": "ada@example.com"});
    let paid = shop.post(&format!("{SESSIONS}/{id}/complete"), &again).await.json();
    assert_eq!(paid["status"], "completed", "{paid}");
    let judged = shop.get(&format!("/v1/orders/{}/assessments", order_of(&paid))).await.json();
    let outcomes: Vec<_> =
        judged["items"].as_array().expect("a list").iter().map(|item| &item["outcome"]).collect();
    assert_eq!(outcomes, ["decline", "approve"]);
}

#[actix_web::test]
async fn a_challenge_is_the_bank_s_to_make_and_can_be_passed() {
    let shop = Shop::open().await;
    let body = buys(&shop, "fraud-challenge@example.com").await;
    assert_eq!(body["status"], "requires_escalation", "{body}");
    assert!(body["continue_url"].as_str().is_some_and(|url| url.contains("challenge")));
    let id = body["id"].as_str().expect("an id");
    let path = format!("{SESSIONS}/{id}/complete");
    let paid = shop.post(&path, &pay("challenge_passed_token")).await.json();
    assert_eq!(paid["status"], "completed", "{paid}");
    assert_eq!(payment(&shop, &order_of(&paid)).await, "captured");
}

/// A buyer whose card fails and who tries it again is no card tester.
#[actix_web::test]
async fn a_card_tried_again_in_one_cart_counts_once() {
    let shop = Shop::open().await;
    let created = shop.post(SESSIONS, &cart(&[("TEE", 1)])).await.json();
    let id = created["id"].as_str().expect("an id");
    let names = shop.door.desk.fraud.bench().serving().layout.names();
    let place = names.iter().position(|name| name == "card.count.24h").expect("a feature");
    for (card, token) in [("c1", "fail_token"), ("c1", "fail_token"), ("c1", "success_token")] {
        let mut payment = pay(token);
        payment["signals"] = json!({"dev.doorbuster.card_fingerprint": card});
        shop.post(&format!("{SESSIONS}/{id}/complete"), &payment).await;
    }
    let judged = shop.get(&format!("/v1/orders/{id}/assessments")).await.json();
    let seen = |item: &Value| {
        let features = item["features"].as_str().expect("features");
        values(features).nth(place).expect("as many as names").to_owned()
    };
    let seen: Vec<_> = judged["items"].as_array().expect("a list").iter().map(seen).collect();
    assert_eq!(seen, ["0", "1", "1"], "one attempt, tried three times");
}

/// One address tries card after card in a shop that sells; a buyer nobody knows comes in between,
/// who is asked by the bank and gets the order.
#[actix_web::test]
async fn a_card_tester_is_kept_from_the_bank_and_others_are_not() {
    let shop = Shop::open().await;
    shop.sells("TEE", 1990, doorbuster::catalog::StockPolicy::Tracked, 100).await;
    for number in 0..5 {
        let email = format!("buyer{number}@example.com");
        let bought = buys_with(&shop, &email, "success_token", &json!({})).await;
        assert_eq!(bought["status"], "completed", "{bought}");
    }
    let signals = |ip: &str, card: u32| {
        json!({
            "dev.ucp.buyer_ip": ip,
            "dev.doorbuster.card_fingerprint": format!("card-{card}"),
        })
    };
    for number in 0..20 {
        let tested = signals("192.0.2.7", number);
        let email = format!("tester{number}@example.com");
        buys_with(&shop, &email, "fail_token", &tested).await;
    }
    let reached = charges(&shop).await;
    assert!(reached <= 5 + 10, "{} of 20 reached the bank", reached - 5);
    let ada = signals("198.51.100.1", 1_000);
    let bought = buys_with(&shop, "ada@example.com", "success_token", &ada).await;
    assert_eq!(bought["status"], "requires_escalation", "{bought}");
    let path = format!("{SESSIONS}/{}/complete", bought["id"].as_str().expect("an id"));
    let paid = shop.post(&path, &pay("challenge_passed_token")).await.json();
    assert_eq!(paid["status"], "completed", "{paid}");
}

/// Attempts that reached the bank.
async fn charges(shop: &Shop) -> usize {
    let attempts = shop.door.store.list_attempts(None, 1000).await.expect("the ledger answers");
    let mut reached = 0;
    for attempt in attempts {
        let bank = shop.door.desk.gateways.named(&attempt.gateway).expect("it is configured");
        let found = bank.find(&(&attempt).into()).await.expect("the bank answers");
        reached += usize::from(matches!(found, Found::Answered { .. }));
    }
    reached
}

#[actix_web::test]
async fn drift_is_told_once_there_are_orders_enough() {
    let shop = Shop::open().await;
    let drift = async || shop.get("/v1/models/drift").await.json();
    buys(&shop, "ada@example.com").await;
    let few = drift().await;
    assert_eq!((&few["model"], &few["orders"]), (&json!("bundled-2"), &json!(0)), "{few}");
    assert_eq!((&few["score"], &few["features"]), (&Value::Null, &json!([])), "{few}");

    let bench = shop.door.desk.fraud.bench();
    let serving = bench.serving();
    let unknown = vec![-1.0; serving.layout.features.len()];
    for _ in few["orders"].as_u64().expect("a number")..few["orders_needed"].as_u64().expect("too")
    {
        serving.note(shop.door.clock.now(), &unknown, Some(990));
    }
    let drifted = drift().await;
    assert_eq!(
        (&drifted["score"]["state"], &drifted["bars"]),
        (&json!("drifted"), &json!([0.1, 0.25]))
    );
    let features = drifted["features"].as_array().expect("a list");
    let indexes: Vec<_> = features.iter().map(|feature| feature["psi"].as_f64()).collect();
    assert_eq!(indexes.len(), unknown.len());
    assert!(indexes.is_sorted_by(|a, b| a >= b), "the worst come first: {drifted}");
    assert_eq!(features[0]["state"], "drifted", "{drifted}");
    let hour = features.iter().find(|feature| feature["name"] == "hour").expect("it is listed");
    assert_eq!(hour["state"], "stable", "the clock does not drift: {drifted}");
}

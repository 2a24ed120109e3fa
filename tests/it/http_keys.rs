//! Idempotency keys as callers meet them: required, in flight, used up, replayed; what is kept
//! under one, and what is not.

use actix_web::http::Method;
use doorbuster::{base::Limits, catalog::StockPolicy};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    http_shop::{Answer, Shop},
    http_ucp::{SESSIONS, cart, codes, created, pay},
    http_v1::order,
};
use actix_web::test::TestRequest;

/// A cart, a checkout and an order that nobody made.
const CART: &str = "/ucp/carts/crt_01a20ad0ec9975c19b1db9c581e57a24";
const CHECKOUT: &str = "/ucp/checkout-sessions/chk_01a20ad0ec9975c19b1db9c581e57a24";
const ORDER: &str = "/v1/orders/ord_01a20ad0ec9975c19b1db9c581e57a24";

/// The same checkout over UCP 2026-01-11.
const EARLIER: &str = "/ucp/2026-01-11/checkout-sessions";
const CHECKOUT_ID: &str = "chk_01a20ad0ec9975c19b1db9c581e57a24";

/// An endpoint and a delivery that are not there.
const ENDPOINT: &str = "whe_01a20ad0ec9975c19b1db9c581e57a24";
const DELIVERY: &str = "dlv_01a20ad0ec9975c19b1db9c581e57a24";

/// Every route that changes something, but for those of ACP, which `http_acp_keys.rs` tries.
fn changes() -> Vec<(Method, String)> {
    vec![
        (Method::POST, SESSIONS.into()),
        (Method::PUT, CHECKOUT.into()),
        (Method::POST, format!("{CHECKOUT}/complete")),
        (Method::POST, format!("{CHECKOUT}/cancel")),
        (Method::POST, EARLIER.into()),
        (Method::PUT, format!("{EARLIER}/{CHECKOUT_ID}")),
        (Method::POST, format!("{EARLIER}/{CHECKOUT_ID}/complete")),
        (Method::POST, format!("{EARLIER}/{CHECKOUT_ID}/cancel")),
        (Method::PUT, ORDER.replace("/v1", "/ucp/2026-01-11")),
        (Method::POST, "/ucp/carts".into()),
        (Method::PUT, CART.into()),
        (Method::POST, format!("{CART}/cancel")),
        (Method::PUT, "/v1/discounts/summer".into()),
        (Method::DELETE, "/v1/tax-rates/vat".into()),
        (Method::POST, "/v1/orders".into()),
        (Method::POST, format!("{ORDER}/shipments")),
        (Method::POST, format!("{ORDER}/adjustments")),
        (Method::POST, format!("{ORDER}/cancel")),
        (Method::POST, format!("{ORDER}/capture")),
        (Method::POST, format!("{ORDER}/void")),
        (Method::POST, format!("{ORDER}/lines/1/ship")),
        (Method::PUT, "/v1/product-groups/tees".into()),
        (Method::DELETE, "/v1/product-groups/tees".into()),
        (Method::POST, "/v1/products/bulk".into()),
        (Method::PUT, "/v1/price-lists/USD/TEE".into()),
        (Method::DELETE, "/v1/price-lists/USD/TEE".into()),
        (Method::POST, "/v1/price-lists/USD/bulk".into()),
        (Method::POST, "/v1/imports/products".into()),
        (Method::PUT, "/v1/products/TEE".into()),
        (Method::DELETE, "/v1/products/TEE".into()),
        (Method::POST, "/v1/stock/movements".into()),
        (Method::POST, "/v1/cases/claim".into()),
        (Method::POST, "/v1/cases/decide".into()),
        (Method::POST, ORDER.replace("orders", "cases") + "/decide"),
        (Method::POST, "/v1/rules/check".into()),
        (Method::PUT, "/v1/rules/big".into()),
        (Method::PUT, "/v1/rules/big/mode".into()),
        (Method::POST, "/v1/rules/big/snoozes".into()),
        (Method::DELETE, "/v1/rules/big/snoozes/ip/192.0.2.7".into()),
        (Method::PUT, "/v1/lists/blocked_emails".into()),
        (Method::DELETE, "/v1/lists/blocked_emails".into()),
        (Method::DELETE, "/v1/rules/stop_testers".into()),
        (Method::POST, "/v1/lists/blocked_emails/entries".into()),
        (Method::DELETE, "/v1/lists/blocked_emails/entries/a@b.c".into()),
        (Method::POST, format!("{ORDER}/labels")),
        (Method::POST, "/v1/labels/bulk".into()),
        (Method::POST, "/v1/backtests".into()),
        (Method::POST, "/v1/models/rollback".into()),
        (Method::POST, "/v1/models?version=2".into()),
        (Method::POST, "/v1/models/2/watch".into()),
        (Method::POST, "/v1/models/2/unwatch".into()),
        (Method::POST, "/v1/models/2/promote".into()),
        (Method::POST, "/v1/models/2/approve".into()),
        (Method::POST, "/v1/testing/clock".into()),
        (Method::POST, "/v1/webhook-endpoints".into()),
        (Method::PUT, format!("/v1/webhook-endpoints/{ENDPOINT}")),
        (Method::DELETE, format!("/v1/webhook-endpoints/{ENDPOINT}")),
        (Method::POST, format!("/v1/webhook-endpoints/{ENDPOINT}/rotate-secret")),
        (Method::POST, format!("/v1/webhook-deliveries/{DELIVERY}/redeliver")),
    ]
}

#[test]
fn every_route_that_changes_something_is_among_those_tried_here() {
    let routes = [
        include_str!("../../src/http/v1/mod.rs"),
        include_str!("../../src/http/v1/exchange.rs"),
        include_str!("../../src/http/v1/price_lists.rs"),
        include_str!("../../src/http/v1/tariff.rs"),
        include_str!("../../src/http/v1/webhook_deliveries.rs"),
        include_str!("../../src/http/v1/webhook_endpoints.rs"),
        include_str!("../../src/http/ucp/mod.rs"),
        include_str!("../../src/http/ucp01/mod.rs"),
    ];
    let methods = [".post(", ".put(", ".patch(", ".delete("];
    let mounted = |routes: &str| methods.map(|method| routes.matches(method).count());
    let count: usize = routes.into_iter().flat_map(mounted).sum();
    assert_eq!(count, changes().len());
}

#[actix_web::test]
async fn whoever_changes_something_names_the_attempt() {
    let shop = Shop::open().await;
    let body = "{}";
    for (method, path) in changes() {
        let length = ("content-length", body.len());
        let request = TestRequest::default().method(method).uri(&path).insert_header(length);
        let answer = shop.send(request.set_payload(body)).await;
        answer.problem(400, "idempotency_key_required");
    }
}

#[actix_web::test]
async fn a_second_sending_waits_a_little_and_is_then_told_to_come_back() {
    let shop = Shop::with_slow_bank(Limits::default(), 3000, Duration::from_millis(50)).await;
    let body = order(&[("TEE", 1)], "slow_token");
    let sendings = [(); 2].map(|()| shop.ask_as("k", Method::POST, "/v1/orders", &body));
    let answers = join_all(sendings).await;
    let (placed, early): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), early.len()), (1, 1), "{answers:?}");
    let problem = early[0].problem(409, "idempotency_in_flight");
    assert_eq!(
        (early[0].header("retry-after"), &problem["retry_after_ms"]),
        (Some("1"), &json!(1000))
    );
    let again = shop.ask_as("k", Method::POST, "/v1/orders", &body).await;
    assert_replayed(&again, placed[0]);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 1);
}

#[actix_web::test]
async fn those_who_come_while_it_is_worked_on_get_its_answer() {
    let shop = Shop::with_slow_bank(Limits::default(), 300, Duration::from_secs(20)).await;
    let body = order(&[("TEE", 1)], "slow_token");
    let sendings = (0..6).map(|_| shop.ask_as("k", Method::POST, "/v1/orders", &body));
    let answers = join_all(sendings).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.bytes == answers[0].bytes));
    let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_some());
    assert_eq!(replayed.count(), 5, "one did it, the others heard of it");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 1);
}

#[actix_web::test]
async fn a_request_that_passed_its_deadline_is_answered_when_it_comes_again() {
    let limits = Limits { request_seconds: 1, ..Limits::default() };
    let shop = Shop::with_slow_bank(limits, 1500, Duration::from_millis(500)).await;
    let body = order(&[("TEE", 1)], "slow_token");
    let first = shop.ask_as("k", Method::POST, "/v1/orders", &body).await;
    first.problem(503, "deadline_passed");
    let placed = loop {
        let again = shop.ask_as("k", Method::POST, "/v1/orders", &body).await;
        if again.status != 409 && again.status != 503 {
            break again;
        }
    };
    assert_eq!((placed.status.as_u16(), placed.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 1);
}

fn assert_replayed(again: &Answer, first: &Answer) {
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{:?}", again.json());
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
}

#[actix_web::test]
async fn a_refusal_with_200_is_replayed_though_it_would_go_well_by_now() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("CAP", 1)]).await;
    let create = |key: &'static str| {
        let shop = &shop;
        async move { shop.ask_as(key, Method::POST, SESSIONS, &cart(&[("CAP", 1)])).await }
    };
    let sold_out = create("none").await;
    assert_eq!((sold_out.status.as_u16(), codes(&sold_out.json())), (200, vec!["out_of_stock"]));
    let complete = format!("{session}/complete");
    let pays = |key: &'static str, token: &'static str| {
        let (shop, complete) = (&shop, complete.as_str());
        async move { shop.ask_as(key, Method::POST, complete, &pay(token)).await }
    };
    let declined = pays("first", "fail_token").await;
    assert_eq!((declined.status.as_u16(), codes(&declined.json())), (200, vec!["payment_failed"]));

    assert_eq!(pays("second", "success_token").await.json()["status"], "completed");
    shop.sells("CAP", 900, StockPolicy::Tracked, 5).await;
    assert_replayed(&pays("first", "fail_token").await, &declined);
    assert_replayed(&create("none").await, &sold_out);
    assert_eq!(create("another").await.status, 201);
}

#[actix_web::test]
async fn what_was_wrong_with_a_request_is_not_kept_under_its_key() {
    let shop = Shop::with(Limits { in_flight: 1, quantity_per_line: 9, ..Limits::default() }).await;
    let ask = |body: Value| {
        let shop = &shop;
        async move { shop.ask_as("k", Method::POST, "/v1/orders", &body).await }
    };
    let good = order(&[("TEE", 1)], "success_token");
    let mut wrong = good.clone();
    wrong["buyer"] = json!({"email": "nobody"});
    ask(wrong).await.problem(422, "invalid_request");
    ask(order(&[("TEE", 10)], "success_token")).await.problem(422, "limit_exceeded");
    ask(order(&[("TEE", 1)], "4111111111111111")).await.problem(422, "card_number_refused");
    let inside = shop.door.working.enter(&"anonymous".into(), 1);
    ask(good.clone()).await.problem(503, "overloaded");
    drop(inside);
    let placed = ask(good.clone()).await;
    assert_eq!((placed.status.as_u16(), placed.header("idempotent-replayed")), (201, None));
    assert_replayed(&ask(good).await, &placed);

    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let update = |tag: &'static str| {
        let body = cart(&[("TEE", 2)]).to_string();
        let request = TestRequest::put().uri(&session).insert_header(("if-match", tag));
        let request = request.insert_header(("content-length", body.len()));
        shop.send(request.insert_header(("idempotency-key", "u")).set_payload(body))
    };
    update("\"7\"").await.problem(412, "version_mismatch");
    assert_eq!(update("\"1\"").await.status, 200);
}

#[actix_web::test]
async fn a_key_stands_for_one_body_at_one_place() {
    let shop = Shop::open().await;
    let mut absent = cart(&[("TEE", 1)]);
    absent.as_object_mut().expect("an object").remove("unknown");
    assert_eq!(shop.ask_as("k", Method::POST, SESSIONS, &absent).await.status, 201);
    let mut null = absent.clone();
    null["unknown"] = Value::Null;
    let answer = shop.ask_as("k", Method::POST, SESSIONS, &null).await;
    answer.problem(409, "idempotency_conflict");
    let body = order(&[("TEE", 1)], "success_token");
    let elsewhere = shop.ask_as("k", Method::POST, "/v1/orders", &body).await;
    elsewhere.problem(422, "idempotency_conflict");
    let body = json!({"sku": "TEE", "kind": "receive", "quantity": 1, "reason": "delivery"});
    let elsewhere = shop.ask_as("k", Method::POST, "/v1/stock/movements", &body).await;
    elsewhere.problem(422, "idempotency_conflict");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 5);
    assert_eq!(shop.ask_as("k", Method::POST, SESSIONS, &absent).await.status, 201);
}

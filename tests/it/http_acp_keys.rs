//! Idempotency by the rules of the Agentic Commerce Protocol, one test for each.

use actix_web::test::TestRequest;
use doorbuster::base::Limits;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    http_acp::{SESSIONS, VERSION, created, items, path_of, pay, read, request, say, say_as, send},
    http_shop::{Answer, Shop},
    http_storefront::with,
};

/// A session and a cart that nobody made.
const SESSION: &str = "/acp/checkout_sessions/chk_01a20ad0ec9975c19b1db9c581e57a24";
const CART: &str = "/acp/carts/crt_01a20ad0ec9975c19b1db9c581e57a24";

/// Every route that changes something.
fn changes() -> Vec<(&'static str, String)> {
    vec![
        ("POST", SESSIONS.to_owned()),
        ("POST", SESSION.to_owned()),
        ("POST", format!("{SESSION}/complete")),
        ("POST", format!("{SESSION}/cancel")),
        ("POST", "/acp/carts".to_owned()),
        ("PUT", CART.to_owned()),
        ("POST", format!("{CART}/cancel")),
    ]
}

fn is_error(answer: &Answer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{body}");
}

fn is_replay(again: &Answer, first: &Answer) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[actix_web::test]
async fn whoever_changes_something_names_the_attempt() {
    let routes = include_str!("../../src/http/acp/mod.rs");
    let mounted = [".post(", ".put(", ".patch(", ".delete("].map(|m| routes.matches(m).count());
    assert_eq!(mounted.iter().sum::<usize>(), changes().len());
    let shop = Shop::open().await;
    for (method, path) in changes() {
        let request = TestRequest::default()
            .method(method.parse().expect("a method"))
            .uri(&path)
            .insert_header(("api-version", VERSION))
            .insert_header(("content-length", 2))
            .set_payload("{}");
        is_error(&send(&shop, &path, request).await, 400, "idempotency_key_required");
    }
}

#[actix_web::test]
async fn the_same_request_gets_its_first_answer_again() {
    let shop = Shop::open().await;
    let body = items(&[("TEE", 1)]);
    let first = say_as(&shop, "k", "POST", SESSIONS, &body).await;
    assert_eq!(first.status, 201);
    is_replay(&say_as(&shop, "k", "POST", SESSIONS, &body).await, &first);
    let session = path_of(&first.json());
    let update = json!({"line_items": [{"id": "TEE", "quantity": 2}]});
    let updated = say_as(&shop, "k2", "POST", &session, &update).await;
    let complete = format!("{session}/complete");
    let paid = say_as(&shop, "k3", "POST", &complete, &pay("success_token")).await;
    assert_eq!(paid.json()["status"], "completed");
    // However far the session has gone since.
    is_replay(&say_as(&shop, "k2", "POST", &session, &update).await, &updated);
    is_replay(&say_as(&shop, "k3", "POST", &complete, &pay("success_token")).await, &paid);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 2);
    // An error that is an answer is one as well.
    let nothing = items(&[("GONE", 1)]);
    let refused = say_as(&shop, "k4", "POST", SESSIONS, &nothing).await;
    is_error(&refused, 422, "item_unavailable");
    is_replay(&say_as(&shop, "k4", "POST", SESSIONS, &nothing).await, &refused);
}

#[actix_web::test]
async fn another_body_is_a_conflict_and_null_is_not_absence() {
    let shop = Shop::open().await;
    let body = items(&[("TEE", 1)]);
    let first = say_as(&shop, "k", "POST", SESSIONS, &body).await;
    for other in [items(&[("TEE", 2)]), with(body.clone(), "locale", Value::Null)] {
        let refused = say_as(&shop, "k", "POST", SESSIONS, &other).await;
        is_error(&refused, 422, "idempotency_conflict");
    }
    // Neither the order of fields, nor white space, nor the spelling of a number is a difference.
    let spelled = r#" {"buyer": {"email":"ada@example.com", "first_name":"Ada"},"capabilities":{},
        "line_items":[{"quantity":1.0,"id":"TEE"}],"currency":"eur" } "#;
    let respelled = request("POST", SESSIONS, "k", &Value::Null)
        .insert_header(("content-length", spelled.len()))
        .set_payload(spelled);
    is_replay(&send(&shop, SESSIONS, respelled).await, &first);
}

#[actix_web::test]
async fn a_key_stands_for_one_caller_and_one_place() {
    let shop = Shop::open().await;
    let body = items(&[("TEE", 1)]);
    let first = path_of(&say_as(&shop, "k", "POST", SESSIONS, &body).await.json());
    let cart = say_as(&shop, "k", "POST", "/acp/carts", &body).await;
    assert_eq!(cart.status, 201, "{}", cart.json());
    let second = path_of(&created(&shop, &body).await);
    for session in [&first, &second] {
        let canceled = say_as(&shop, "k", "POST", &format!("{session}/cancel"), &json!({})).await;
        assert_eq!(canceled.header("idempotent-replayed"), None);
        assert_eq!(canceled.json()["status"], "canceled", "{session}");
    }
    let elsewhere = shop
        .ask_as(
            "k",
            "POST".parse().unwrap(),
            "/ucp/carts",
            &json!({"line_items": [
        {"item": {"id": "TEE"}, "quantity": 1}]}),
        )
        .await;
    assert_eq!(elsewhere.status, 201, "{}", elsewhere.json());

    let (shop, keys) = Shop::open().await.with_keys(2).await;
    let mut ids = Vec::new();
    for key in &keys {
        let bearer = ("authorization", format!("Bearer {key}"));
        let request = request("POST", SESSIONS, "k", &body).insert_header(bearer);
        let answer = send(&shop, SESSIONS, request).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        ids.push(answer.json()["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    let stranger = request("POST", SESSIONS, "k", &body).insert_header(("x-api-key", "db_x"));
    is_error(&send(&shop, SESSIONS, stranger).await, 401, "unauthorized");
}

#[actix_web::test]
async fn who_comes_while_it_is_worked_on_is_told_when_to_come_back() {
    let shop = Shop::with_slow_bank(Limits::default(), 3000, Duration::from_millis(50)).await;
    let session = path_of(&created(&shop, &items(&[("TEE", 1)])).await);
    let complete = format!("{session}/complete");
    let body = pay("slow_token");
    let twin = shop.twin();
    let sendings = [&shop, &twin].map(|shop| say_as(shop, "k", "POST", &complete, &body));
    let answers = join_all(sendings).await;
    let (paid, early): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
    assert_eq!((paid.len(), early.len()), (1, 1));
    is_error(early[0], 409, "idempotency_in_flight");
    assert_eq!(early[0].header("retry-after"), Some("1"));
    is_replay(&say_as(&shop, "k", "POST", &complete, &body).await, paid[0]);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 1);
}

#[actix_web::test]
async fn a_fault_of_ours_is_not_kept() {
    let shop = Shop::with(Limits { in_flight: 1, ..Limits::default() }).await;
    let body = items(&[("TEE", 1)]);
    let inside = shop.door.working.enter(&"anonymous".into(), 1);
    let refused = say_as(&shop, "k", "POST", SESSIONS, &body).await;
    is_error(&refused, 503, "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["type"], "service_unavailable");
    drop(inside);
    let taken = say_as(&shop, "k", "POST", SESSIONS, &body).await;
    assert_eq!((taken.status.as_u16(), taken.header("idempotent-replayed")), (201, None));
}

#[actix_web::test]
async fn key_and_request_id_come_back_with_every_answer() {
    let shop = Shop::open().await;
    for (path, status) in [(SESSIONS, 201), ("/acp/nowhere", 404), (SESSION, 404)] {
        let request = request("POST", path, "my-key", &items(&[("TEE", 1)]));
        let answer = send(&shop, path, request.insert_header(("request-id", "trace-7"))).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("idempotency-key"), Some("my-key"), "{path}");
        assert_eq!(answer.header("request-id"), Some("trace-7"), "{path}");
    }
    assert_eq!(read(&shop, SESSION).await.header("idempotency-key"), None);
    let created = say(&shop, "POST", SESSIONS, &items(&[("TEE", 1)])).await;
    assert!(created.header("idempotency-key").is_some());
}

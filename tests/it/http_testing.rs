//! The test clock, as an integrator meets it.

use actix_web::{http::Method, test::TestRequest, web::Data};
use doorbuster::http::Door;
use serde_json::json;
use std::sync::Arc;

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, codes, created},
};

const CLOCK: &str = "/v1/testing/clock";

#[actix_web::test]
async fn a_hold_lapses_and_a_discount_ends_when_the_clock_is_put_forward() {
    let shop = Shop::open().await;
    let ends = shop.get(CLOCK).await.json()["now"].as_str().expect("a time").to_owned();
    let (day, _) = ends.split_once('T').expect("a day");
    let percent = json!({"kind": "percent", "basis_points": 1000});
    let tonight = format!("{day}T23:59:59Z");
    let discount = json!({"title": "Today", "code": "TODAY", "benefit": percent,
                          "ends_at": tonight});
    let kept = shop.ask(Method::PUT, "/v1/discounts/today", &discount).await;
    assert_eq!(kept.status, 200, "{}", kept.json());
    created(&shop, &[("CAP", 1)]).await;
    let none = shop.post(SESSIONS, &cart(&[("CAP", 1)])).await.json();
    assert_eq!(codes(&none), ["out_of_stock"]);

    let moved = shop.post(CLOCK, &json!({"advance_seconds": 601})).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["ahead_seconds"]), (200, &json!(601)));
    let (_, theirs) = created(&shop, &[("CAP", 1)]).await;
    assert_eq!(theirs["status"], "ready_for_complete", "the hold has lapsed: {theirs}");

    shop.post(CLOCK, &json!({"advance_seconds": 24 * 60 * 60})).await;
    let mut wish = cart(&[("TEE", 1)]);
    wish["discounts"] = json!({"codes": ["TODAY"]});
    let told = shop.post(SESSIONS, &wish).await.json();
    assert_eq!(codes(&told), ["discount_code_expired"], "{told}");
}

#[actix_web::test]
async fn one_attempt_moves_the_clock_once_and_by_a_sensible_span() {
    let shop = Shop::open().await;
    let body = json!({"advance_seconds": 60});
    let first = shop.ask_as("once", Method::POST, CLOCK, &body).await;
    let again = shop.ask_as("once", Method::POST, CLOCK, &body).await;
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(shop.get(CLOCK).await.json()["ahead_seconds"], 60);
    for (wrong, code) in [(0, "invalid_request"), (40_000_000, "limit_exceeded")] {
        let told = shop.post(CLOCK, &json!({"advance_seconds": wrong})).await.problem(422, code);
        assert_eq!(told["pointer"], "/advance_seconds");
    }
}

#[actix_web::test]
async fn in_production_time_is_nobodys_to_move() {
    let mut shop = Shop::open().await;
    let door = Arc::into_inner(shop.door.into_inner()).expect("nobody else has the door yet");
    shop.door = Data::new(Door { test_clock: None, ..door });
    let before = shop.door.clock.now();
    shop.post(CLOCK, &json!({"advance_seconds": 600})).await.problem(403, "forbidden");
    shop.send(TestRequest::get().uri(CLOCK)).await.problem(403, "forbidden");
    assert!(shop.door.clock.now().since(before).as_secs() < 600);
}

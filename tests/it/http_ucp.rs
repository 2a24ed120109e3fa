//! The Universal Commerce Protocol, as an agent's platform meets it.

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use super::http_shop::{Answer, BASE_URL, Shop};

pub(crate) const SESSIONS: &str = "/ucp/checkout-sessions";

pub(crate) fn cart(lines: &[(&str, u32)]) -> Value {
    let line = |(sku, quantity): &(&str, u32)| json!({"item": {"id": sku}, "quantity": quantity});
    json!({
        "line_items": lines.iter().map(line).collect::<Vec<_>>(),
        "buyer": {"first_name": "Ada", "email": "ada@example.com"},
        "unknown": {"extra": true},
        "context": {"currency": "JPY"},
    })
}

pub(crate) fn pay(token: &str) -> Value {
    json!({"payment": {"instruments": [{
        "id": "pi_1", "handler_id": "sandbox", "type": "card", "selected": true,
        "credential": {"type": "token", "token": token},
        "display": {"brand": "visa", "last_digits": "4242"},
    }]}})
}

pub(crate) async fn created(shop: &Shop, lines: &[(&str, u32)]) -> (String, Value) {
    let answer = shop.post(SESSIONS, &cart(lines)).await;
    let body = answer.json();
    assert_eq!(answer.status, 201, "{body}");
    (format!("{SESSIONS}/{}", body["id"].as_str().expect("an id")), body)
}

pub(crate) fn codes(body: &Value) -> Vec<&str> {
    let messages = body["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["code"].as_str().expect("a code")).collect()
}

#[actix_web::test]
async fn an_agent_discovers_creates_pays_and_reads_the_order() {
    let shop = Shop::open().await;
    let profile = shop.get("/.well-known/ucp").await;
    assert!(profile.header("cache-control").is_some_and(|value| value.contains("public")));
    let service = &profile.json()["ucp"]["services"]["dev.ucp.shopping"][0];
    assert_eq!(service["endpoint"], format!("{BASE_URL}/ucp"));

    let (session, body) = created(&shop, &[("TEE", 2), ("EBOOK", 1)]).await;
    assert_eq!(body["status"], "ready_for_complete", "{body}");
    assert_eq!(body["currency"], "EUR");
    assert_eq!(
        body["totals"][1],
        json!({"type": "total", "display_text": "Total", "amount": 4479})
    );

    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await;
    let body = paid.json();
    assert_eq!((paid.status.as_u16(), &body["status"]), (200, &json!("completed")), "{body}");
    let shown = &body["payment"]["instruments"][0];
    assert_eq!(shown["display"]["last_digits"], "4242");
    assert!(!body.to_string().contains("success_token"), "the credential is echoed: {body}");

    let order = body["order"]["id"].as_str().expect("an order");
    let order = shop.get(&format!("/ucp/orders/{order}")).await.json();
    assert_eq!(
        order["line_items"][0]["quantity"],
        json!({"original": 2, "total": 2, "fulfilled": 0})
    );
    assert_eq!(order["line_items"][1]["item"]["title"], "The EBOOK");
    assert_eq!(shop.get(&session).await.json()["order"]["id"], order["id"]);
}

#[actix_web::test]
async fn a_declined_payment_is_200_and_can_be_tried_again() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let declined = shop.post(&format!("{session}/complete"), &pay("fail_token")).await;
    let body = declined.json();
    assert_eq!(declined.status, 200);
    assert_eq!(codes(&body), ["payment_failed"]);
    assert_eq!(body["status"], "ready_for_complete");
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await;
    assert_eq!(paid.json()["status"], "completed");
}

#[actix_web::test]
async fn a_challenge_hands_the_buyer_over() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let body = shop.post(&format!("{session}/complete"), &pay("challenge_token")).await.json();
    assert_eq!(body["status"], "requires_escalation", "{body}");
    assert!(body["continue_url"].as_str().is_some_and(|url| url.starts_with("http")), "{body}");
    assert_eq!(body["messages"][0]["severity"], "requires_buyer_input");
}

#[actix_web::test]
async fn what_cannot_be_sold_is_said_in_messages() {
    let shop = Shop::open().await;
    let (_, body) = created(&shop, &[("TEE", 1), ("GONE", 1)]).await;
    assert_eq!(body["status"], "incomplete");
    assert_eq!(codes(&body), ["item_unavailable"]);
    assert_eq!(body["messages"][0]["path"], "$.line_items[1]");
    let (_, body) = created(&shop, &[("CAP", 3)]).await;
    assert_eq!(codes(&body), ["quantity_adjusted"]);
    let nothing = shop.post(SESSIONS, &cart(&[("CAP", 1)])).await;
    let body = nothing.json();
    assert_eq!(nothing.status, 200, "{body}");
    assert_eq!(body["ucp"]["status"], "error");
    assert_eq!(codes(&body), ["out_of_stock"]);
    assert!(body.get("id").is_none());
}

#[actix_web::test]
async fn a_retry_gets_the_same_bytes_and_another_request_a_conflict() {
    let shop = Shop::open().await;
    let post = |body: Value| {
        let shop = &shop;
        async move { shop.ask_as("once", Method::POST, SESSIONS, &body).await }
    };
    let first: Answer = post(cart(&[("TEE", 1)])).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = post(cart(&[("TEE", 1)])).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("etag"), first.header("etag"));
    post(cart(&[("TEE", 2)])).await.problem(409, "idempotency_conflict");
}

#[actix_web::test]
async fn versions_guard_a_session_and_final_ones_do_not_change() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let put = |tag: &'static str, key: &'static str| {
        let body = cart(&[("TEE", 2)]).to_string();
        TestRequest::put()
            .uri(&session)
            .insert_header(("if-match", tag))
            .insert_header(("idempotency-key", key))
            .insert_header(("content-length", body.len()))
            .set_payload(body)
    };
    let updated = shop.send(put("\"1\"", "u1")).await;
    assert_eq!((updated.status.as_u16(), updated.header("etag")), (200, Some("\"2\"")));
    assert_eq!(updated.json()["line_items"][0]["quantity"], 2);
    shop.send(put("\"1\"", "u2")).await.problem(412, "version_mismatch");
    shop.send(put("W/\"old\"", "u3")).await.problem(412, "version_mismatch");
    let canceled = shop.post(&format!("{session}/cancel"), &json!({})).await;
    assert_eq!(canceled.json()["status"], "canceled");
    shop.send(put("*", "u4")).await.problem(409, "checkout_ended");
}

#[actix_web::test]
async fn paying_with_nothing_is_said_and_paying_with_a_card_number_is_refused() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let complete = format!("{session}/complete");
    let none = json!({"payment": {"instruments": []}});
    let body = shop.post(&complete, &none).await.json();
    assert_eq!((codes(&body), &body["status"]), (vec!["missing"], &json!("ready_for_complete")));
    let mut card = pay("4111 1111 1111 1111");
    let pointer = "/payment/instruments/0/credential/token";
    let problem = shop.post(&complete, &card).await.problem(422, "card_number_refused");
    assert_eq!(problem["pointer"], pointer);
    assert!(!problem.to_string().contains("1111"));
    card["payment"]["instruments"][0]["credential"] =
        json!({"type": "card", "number": 4111111111111111_u64});
    shop.post(&complete, &card).await.problem(422, "card_number_refused");
    shop.post(&complete, &json!({})).await.problem(422, "invalid_request");
}

#[actix_web::test]
async fn what_nobody_made_is_not_found() {
    let shop = Shop::open().await;
    let unknown = "/ucp/checkout-sessions/chk_01a20ad0ec9975c19b1db9c581e57a24";
    shop.get(unknown).await.problem(404, "not_found");
    shop.ask(Method::PUT, unknown, &cart(&[("TEE", 1)])).await.problem(404, "not_found");
    shop.get("/ucp/orders/ord_01a20ad0ec9975c19b1db9c581e57a24").await.problem(404, "not_found");
}

#[actix_web::test]
async fn an_unexpected_total_charges_nothing() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let mut body = pay("success_token");
    body["expected_total"] = json!(1500);
    let answer = shop.post(&format!("{session}/complete"), &body).await.json();
    assert_eq!(codes(&answer), ["total_changed"], "{answer}");
    body["expected_total"] = json!(1990);
    let answer = shop.post(&format!("{session}/complete"), &body).await.json();
    assert_eq!(answer["status"], "completed", "{answer}");
}

#[actix_web::test]
async fn agents_of_every_kind_are_served_unless_they_speak_another_version() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    for agent in ["", "garbage;;", "profile=\"https://nobody.invalid/x\"", "profile=1, version=x"] {
        let request = TestRequest::get().uri(&session).insert_header(("ucp-agent", agent));
        assert_eq!(shop.send(request).await.status, 200, "{agent}");
    }
    let old = ("ucp-agent", "profile=\"https://a.example\", version=\"2026-01-11\"");
    let answer = shop.send(TestRequest::get().uri(&session).insert_header(old)).await;
    let body = answer.problem(422, "version_unsupported");
    assert_eq!(body["messages"][0]["code"], "version_unsupported");
}

#[actix_web::test]
async fn wrong_fields_and_limits_are_named() {
    let limits = doorbuster::base::Limits {
        lines_per_cart: 2,
        quantity_per_line: 9,
        text_bytes: 20,
        body_bytes: 2000,
        ..Default::default()
    };
    let shop = Shop::with(limits).await;
    let mut long = cart(&[("TEE", 1)]);
    long["buyer"]["last_name"] = json!("x".repeat(21));
    let mut card = cart(&[("TEE", 1)]);
    card["buyer"]["first_name"] = json!("4111 1111 1111 1111");
    for (body, code, pointer, limit) in [
        (json!({}), "invalid_request", "/line_items", Value::Null),
        (cart(&[("A", 1), ("B", 1), ("C", 1)]), "limit_exceeded", "/line_items", json!(2)),
        (cart(&[("A", 10)]), "limit_exceeded", "/line_items/0/quantity", json!(9)),
        (cart(&[("A", 0)]), "invalid_request", "/line_items/0/quantity", Value::Null),
        (long, "limit_exceeded", "/buyer/last_name", json!(20)),
        (card, "card_number_refused", "/buyer/first_name", Value::Null),
    ] {
        let problem = shop.post(SESSIONS, &body).await.problem(422, code);
        assert_eq!(
            (&problem["pointer"], &problem["limit"]),
            (&json!(pointer), &limit),
            "{problem}"
        );
    }
    let mut huge = cart(&[("TEE", 1)]);
    huge["padding"] = json!("x".repeat(2000));
    let problem = shop.post(SESSIONS, &huge).await.problem(413, "body_too_large");
    assert_eq!(problem["limit"], 2000);
}

//! The Agentic Commerce Protocol, as an agent meets it.

use actix_web::test::TestRequest;
use doorbuster::http::acp::webhook;
use serde_json::{Value, json};

use super::{
    acp_schema::fits,
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
    http_storefront::{furnish, with},
};

pub(crate) const SESSIONS: &str = "/acp/checkout_sessions";
pub(crate) const VERSION: &str = "2026-04-17";

/// A request with what every one of them needs.
pub(crate) fn request(method: &str, path: &str, key: &str, body: &Value) -> TestRequest {
    let text = body.to_string();
    TestRequest::default()
        .method(method.parse().expect("a method"))
        .uri(path)
        .insert_header(("api-version", VERSION))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", text.len()))
        .insert_header(("idempotency-key", key))
        .set_payload(text)
}

/// Sends a request; its answer must fit the published schema of what stands at its path.
pub(crate) async fn send(shop: &Shop, path: &str, request: TestRequest) -> Answer {
    let answer = shop.send(request).await;
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    let body = answer.json();
    let def = match path {
        _ if answer.status.as_u16() >= 400 => "Error",
        path if path.contains("/carts") => "Cart",
        path if path.contains("/orders/") => "Order",
        _ if body["status"] == "completed" => "CheckoutSessionWithOrder",
        _ => "CheckoutSession",
    };
    fits(def, &body);
    answer
}

/// Says something under a fresh key.
pub(crate) async fn say(shop: &Shop, method: &str, path: &str, body: &Value) -> Answer {
    say_as(shop, &fresh_key(), method, path, body).await
}

/// Says something under this key.
pub(crate) async fn say_as(
    shop: &Shop,
    key: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Answer {
    send(shop, path, request(method, path, key, body)).await
}

/// Reads something.
pub(crate) async fn read(shop: &Shop, path: &str) -> Answer {
    let request = TestRequest::get().uri(path).insert_header(("api-version", VERSION));
    send(shop, path, request).await
}

/// A body that asks for these items.
pub(crate) fn items(items: &[(&str, u32)]) -> Value {
    let item = |(id, quantity): &(&str, u32)| json!({"id": id, "quantity": quantity});
    json!({
        "currency": "eur",
        "capabilities": {},
        "line_items": items.iter().map(item).collect::<Vec<_>>(),
        "buyer": {"first_name": "Ada", "email": "ada@example.com"},
    })
}

pub(crate) fn pay(token: &str) -> Value {
    json!({"payment_data": {"handler_id": "sandbox", "instrument": {
        "type": "card", "credential": {"type": "spt", "token": token}}}})
}

fn sent_to(country: &str) -> Value {
    json!({"name": "Ada King", "phone_number": "15551234567", "address": {
        "name": "Ada King", "line_one": "1 Main St", "city": "Berlin", "state": "",
        "country": country, "postal_code": "10115"}})
}

fn chosen(kind: &str, id: &str) -> Value {
    json!([{"type": kind, "option_id": id, "item_ids": ["TEE"]}])
}

/// A session that was created.
pub(crate) async fn created(shop: &Shop, body: &Value) -> Value {
    let answer = say(shop, "POST", SESSIONS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

pub(crate) fn path_of(session: &Value) -> String {
    format!("{SESSIONS}/{}", session["id"].as_str().expect("an id"))
}

/// Codes of the messages; those of information have none.
fn codes(body: &Value) -> Vec<&str> {
    let messages = body["messages"].as_array().expect("messages");
    messages.iter().filter_map(|message| message["code"].as_str()).collect()
}

/// The one amount of this type, none when there is none; every amount is positive, and the sums are
/// exact.
fn amount(body: &Value, kind: &str) -> Option<i64> {
    let totals = body["totals"].as_array().expect("totals");
    let of = |kind: &str| {
        let those = totals.iter().filter(|total| total["type"] == kind);
        let those: Vec<_> = those.map(|total| total["amount"].as_i64().expect("whole")).collect();
        assert!(those.iter().all(|amount| *amount >= 0), "{body:#}");
        (!those.is_empty()).then(|| those.iter().sum::<i64>())
    };
    let sum = |kind| of(kind).unwrap_or(0);
    assert_eq!(sum("subtotal"), sum("items_base_amount") - sum("items_discount"), "{body:#}");
    let total = sum("subtotal") - sum("discount") + sum("fulfillment") + sum("tax");
    assert_eq!(sum("total"), total, "{body:#}");
    of(kind)
}

#[actix_web::test]
async fn an_agent_discovers_creates_chooses_pays_and_reads_the_order() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let found = shop.get("/.well-known/acp.json").await;
    assert!(found.header("cache-control").is_some_and(|value| value.contains("public")));
    fits("DiscoveryResponse", &found.json());
    assert_eq!(found.json()["api_base_url"], format!("{BASE_URL}/acp"));

    let wanted = with(items(&[("TEE", 2)]), "discounts", json!({"codes": ["SUMMER", "WINTER"]}));
    let body = created(&shop, &with(wanted, "fulfillment_details", sent_to("DE"))).await;
    let session = path_of(&body);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 2);
    assert_eq!(body["status"], "not_ready_for_payment");
    assert_eq!(codes(&body), ["discount_code_invalid", "missing"]);
    assert_eq!(body["discounts"]["applied"][0]["amount"], 398);
    let rejected = &body["discounts"]["rejected"][0];
    assert_eq!(
        (&rejected["code"], &rejected["reason"]),
        (&json!("WINTER"), &json!(codes(&body)[0]))
    );
    let offered = body["fulfillment_options"].as_array().expect("options");
    let offered: Vec<_> = offered.iter().map(|option| &option["id"]).collect();
    assert_eq!(offered, ["standard", "express"]);
    assert_eq!(body["fulfillment_details"]["address"], sent_to("DE")["address"]);

    let choice = json!({"selected_fulfillment_options": chosen("shipping", "express")});
    let body = say(&shop, "POST", &session, &choice).await.json();
    assert_eq!(body["status"], "ready_for_payment", "{body}");
    assert_eq!(body["selected_fulfillment_options"], chosen("shipping", "express"));
    assert_eq!(amount(&body, "subtotal"), Some(3_980 - 398));
    assert_eq!(amount(&body, "total"), Some(3_980 - 398 + 990));

    let paid = say(&shop, "POST", &format!("{session}/complete"), &pay("success_token")).await;
    let body = paid.json();
    assert_eq!((paid.status.as_u16(), &body["status"]), (200, &json!("completed")), "{body}");
    assert!(!body.to_string().contains("success_token"), "the credential is echoed: {body}");
    assert_eq!(body["order"]["status"], "confirmed");
    let order = format!("/acp/orders/{}", body["order"]["id"].as_str().expect("an order"));
    let order = read(&shop, &order).await.json();
    assert_eq!(order["line_items"], body["order"]["line_items"]);
    assert_eq!(order["totals"], body["order"]["totals"]);
    assert_eq!(amount(&order, "total"), Some(4_572));
    assert_eq!(order["fulfillments"][0]["destination"], sent_to("DE")["address"]);
    assert_eq!(read(&shop, &session).await.json()["order"], order);
}

#[actix_web::test]
async fn an_update_changes_what_it_says_and_nothing_else() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let wanted = with(items(&[("TEE", 1)]), "discounts", json!({"codes": ["SUMMER"]}));
    let wanted = with(wanted, "fulfillment_details", sent_to("FR"));
    let body = created(&shop, &wanted).await;
    let session = path_of(&body);
    let update = |body: Value| {
        let (shop, session) = (&shop, &session);
        async move { say(shop, "POST", session, &body).await.json() }
    };
    let choice = chosen("shipping", "express");
    let body = update(json!({"selected_fulfillment_options": choice})).await;
    let body = {
        assert_eq!((&body["status"], codes(&body)), (&json!("ready_for_payment"), vec![]));
        update(json!({"line_items": [{"id": "TEE", "quantity": 3}]})).await
    };
    assert_eq!(body["line_items"][0]["quantity"], 3);
    assert_eq!(body["selected_fulfillment_options"], choice);
    assert_eq!(body["fulfillment_details"]["address"]["country"], "FR");
    assert_eq!(
        (amount(&body, "items_discount"), amount(&body, "fulfillment")),
        (Some(597), Some(990))
    );
    assert!(amount(&body, "tax").is_some_and(|tax| tax > 0), "{body}");
    let body = update(json!({"buyer": {"email": "grace@example.com"}})).await;
    assert_eq!(body["buyer"], json!({"email": "grace@example.com"}));
    assert_eq!(body["line_items"][0]["quantity"], 3);
    let body = update(json!({"discounts": {"codes": []}})).await;
    assert_eq!((amount(&body, "items_discount"), &body["discounts"]), (None, &Value::Null));
    let body = update(json!({"fulfillment_details": sent_to("US")})).await;
    assert_eq!(
        (codes(&body), &body["status"]),
        (vec!["region_restricted"], &json!("not_ready_for_payment"))
    );
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 3);
}

#[actix_web::test]
async fn goods_can_be_fetched() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let group = json!([{"id": "g", "item_ids": ["TEE"], "destination_type": "pickup"}]);
    let body = created(&shop, &with(items(&[("TEE", 1)]), "fulfillment_groups", group)).await;
    let option = &body["fulfillment_options"][0];
    assert_eq!((&option["type"], &option["id"]), (&json!("pickup"), &json!("berlin")));
    let choice = json!({"selected_fulfillment_options": chosen("pickup", "berlin")});
    let body = say(&shop, "POST", &path_of(&body), &choice).await.json();
    assert_eq!(
        (&body["status"], amount(&body, "fulfillment")),
        (&json!("ready_for_payment"), Some(0))
    );
    assert_eq!(body["selected_fulfillment_options"], chosen("pickup", "berlin"));
}

#[actix_web::test]
async fn a_payment_may_be_declined_challenged_and_tried_again() {
    let shop = Shop::open().await;
    let mut wanted = items(&[("TEE", 1)]);
    wanted.as_object_mut().expect("an object").remove("buyer");
    let body = created(&shop, &wanted).await;
    assert_eq!(codes(&body), ["missing"]);
    let complete = format!("{}/complete", path_of(&body));
    let body = say(&shop, "POST", &complete, &pay("success_token")).await.json();
    assert_eq!((codes(&body), &body["order"]), (vec!["missing"], &Value::Null));
    // Who pays may say there who they are.
    let buyer = json!({"email": "ada@example.com"});
    let declined = with(pay("fail_token"), "buyer", buyer);
    let body = say(&shop, "POST", &complete, &declined).await.json();
    assert_eq!(
        (codes(&body), &body["status"]),
        (vec!["payment_declined"], &json!("ready_for_payment"))
    );
    let body = say(&shop, "POST", &complete, &pay("challenge_token")).await.json();
    assert_eq!(
        (codes(&body), &body["status"]),
        (vec!["requires_3ds"], &json!("authentication_required"))
    );
    assert!(body["continue_url"].is_string(), "{body}");
    let failed =
        with(pay("challenge_passed_token"), "authentication_result", json!({"outcome": "denied"}));
    let refused = say(&shop, "POST", &complete, &failed).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (400, &json!("requires_3ds")));
    let outcome = json!({"outcome": "authenticated", "outcome_details": {"three_ds_cryptogram": "A",
        "electronic_commerce_indicator": "05", "transaction_id": "t", "version": "2.2.0"}});
    let passed = with(pay("challenge_passed_token"), "authentication_result", outcome);
    fits("CheckoutSessionCompleteRequest", &passed);
    let body = say(&shop, "POST", &complete, &passed).await.json();
    assert_eq!(body["status"], "completed", "{body}");
    assert_eq!(body["buyer"]["email"], "ada@example.com");
}

#[actix_web::test]
async fn an_order_under_review_says_so_until_somebody_decides() {
    let shop = Shop::open().await;
    let buyer = json!({"email": "fraud-review@example.com"});
    let session = path_of(&created(&shop, &with(items(&[("TEE", 1)]), "buyer", buyer)).await);
    let paid =
        say(&shop, "POST", &format!("{session}/complete"), &pay("success_token")).await.json();
    assert_eq!(
        (&paid["status"], &paid["order"]["status"]),
        (&json!("completed"), &json!("manual_review"))
    );
    let id = paid["order"]["id"].as_str().expect("an order");
    let order = format!("/acp/orders/{id}");
    assert_eq!(read(&shop, &order).await.json()["status"], "manual_review");
    assert_eq!(read(&shop, &session).await.json()["order"]["status"], "manual_review");
    super::http_fraud::claims(&shop, id).await;
    let decision = json!({"reviewer": "grace", "decision": "approve", "reason": "I called them"});
    let decided = shop.post(&format!("/v1/cases/{id}/decide"), &decision).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    assert_eq!(read(&shop, &order).await.json()["status"], "confirmed");
    assert_eq!(read(&shop, &session).await.json()["order"]["status"], "confirmed");
}

#[actix_web::test]
async fn an_order_tells_what_happens_to_it_and_so_does_its_webhook() {
    let shop = Shop::open().await;
    let session = path_of(&created(&shop, &items(&[("TEE", 2), ("CAP", 1)])).await);
    let paid =
        say(&shop, "POST", &format!("{session}/complete"), &pay("success_token")).await.json();
    let id = paid["order"]["id"].as_str().expect("an order").to_owned();
    let order = || async { read(&shop, &format!("/acp/orders/{id}")).await.json() };
    shop.collects(&id).await;
    let parcel = json!({"lines": [{"line": 1, "quantity": 2}], "carrier": "DHL",
        "tracking_number": "00340", "tracking_url": "https://track.example/00340"});
    assert_eq!(shop.post(&format!("/v1/orders/{id}/shipments"), &parcel).await.status, 201);
    assert_eq!(order().await["status"], "processing");
    let refund = json!({"refund": 100, "reason": "goodwill"});
    assert_eq!(shop.post(&format!("/v1/orders/{id}/adjustments"), &refund).await.status, 201);
    shop.collects(&id).await;
    let parcel = json!({"lines": [{"line": 2, "quantity": 1}]});
    assert_eq!(shop.post(&format!("/v1/orders/{id}/shipments"), &parcel).await.status, 201);
    let body = order().await;
    assert_eq!(body["status"], "shipped", "{body}");
    assert_eq!(body["fulfillments"][0]["tracking_number"], "00340");
    assert_eq!(body["fulfillments"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&body["adjustments"][0]["type"], &body["adjustments"][0]["amount"]),
        (&json!("refund"), &json!(100))
    );
    assert_eq!(
        (amount(&body, "amount_refunded"), amount(&body, "total")),
        (Some(100), Some(4_880))
    );

    let row = shop.door.store.find_order(id.parse().expect("an id")).await;
    let row = row.expect("reads").expect("is there");
    let told = |kind: &str, in_review| {
        webhook::body(&shop.door.answers, kind, &row, in_review).unwrap_or_default()
    };
    assert_eq!(told("order.shipped", false), told("order.adjusted", false));
    assert_eq!(told("payment.captured", false), "", "nothing that shows");
    let event: Value = serde_json::from_str(&told("order.shipped", false)).expect("JSON");
    assert_eq!((&event["type"], &event["data"]), (&json!("order_update"), &body));
    let event: Value = serde_json::from_str(&told("order.placed", true)).expect("JSON");
    assert_eq!(
        (&event["type"], &event["data"]["status"]),
        (&json!("order_create"), &json!("manual_review"))
    );
    fits("Order", &event["data"]);
}

#[actix_web::test]
async fn a_cart_is_estimated_replaced_and_given_up() {
    let shop = Shop::open().await;
    let made = say(&shop, "POST", "/acp/carts", &items(&[("TEE", 2)])).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        (amount(&made.json(), "total"), shop.get("/v1/stock/TEE").await.json()["held"].as_u64()),
        (Some(3_980), Some(0))
    );
    let cart = format!("/acp/carts/{}", made.json()["id"].as_str().expect("an id"));
    let body = say(&shop, "PUT", &cart, &items(&[("CAP", 1)])).await.json();
    assert_eq!(body["line_items"][0]["item"]["id"], "CAP");
    assert_eq!(read(&shop, &cart).await.json(), body);
    assert_eq!(say(&shop, "POST", &format!("{cart}/cancel"), &json!({})).await.status, 200);
    for gone in [read(&shop, &cart).await, say(&shop, "PUT", &cart, &items(&[("CAP", 1)])).await] {
        assert_eq!((gone.status.as_u16(), &gone.json()["code"]), (404, &json!("not_found")));
    }
}

#[actix_web::test]
async fn what_one_protocol_opened_another_leaves_alone() {
    let shop = Shop::open().await;
    let ours = path_of(&created(&shop, &items(&[("TEE", 1)])).await);
    let theirs =
        shop.post("/ucp/checkout-sessions", &super::http_ucp::cart(&[("TEE", 1)])).await.json();
    let theirs = theirs["id"].as_str().expect("an id").to_owned();
    let before = read(&shop, &ours).await.json();
    let there = ours.replace(SESSIONS, "/ucp/checkout-sessions");
    shop.get(&there).await.problem(409, "other_protocol");
    shop.post(&format!("{there}/cancel"), &json!({})).await.problem(409, "other_protocol");
    assert_eq!(read(&shop, &ours).await.json(), before);
    let here = format!("{SESSIONS}/{theirs}");
    for refused in [
        read(&shop, &here).await,
        say(&shop, "POST", &here, &items(&[("TEE", 5)])).await,
        say(&shop, "POST", &format!("{here}/complete"), &pay("success_token")).await,
        say(&shop, "POST", &format!("{here}/cancel"), &json!({})).await,
    ] {
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["code"]),
            (409, &json!("other_protocol"))
        );
    }
    let paid = super::http_ucp::pay("success_token");
    let paid = shop.post(&format!("/ucp/checkout-sessions/{theirs}/complete"), &paid).await.json();
    let order = format!("/acp/orders/{}", paid["order"]["id"].as_str().expect("an order"));
    assert_eq!(read(&shop, &order).await.json()["code"], "other_protocol");
}

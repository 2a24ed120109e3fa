//! Prices in several currencies, over all protocols.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    http_acp as acp,
    http_catalog::{ask, stocked},
    http_shop::Shop,
    http_storefront::with,
    http_ucp::{SESSIONS, cart, pay},
    http_ucp01 as ucp01,
    http_v1::order,
};

/// The tee and the big blue bag cost something in dollars.
async fn priced() -> Shop {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let list =
        json!({"prices": [{"sku": "TEE", "minor": 2_150}, {"sku": "BAG-BLUE-L", "minor": 8_500}]});
    let saved = shop.post("/v1/price-lists/USD/bulk", &list).await;
    assert_eq!((saved.status.as_u16(), saved.json()), (200, json!({"saved": 2})));
    shop
}

fn total(body: &Value) -> (&Value, &Value) {
    let total = body["totals"].as_array().and_then(|totals| totals.last()).expect("totals");
    (&body["currency"], &total["amount"])
}

#[actix_web::test]
async fn a_checkout_is_quoted_from_the_list_of_its_currency_and_keeps_it() {
    let shop = priced().await;
    let wanted = with(cart(&[("TEE", 2)]), "context", json!({"currency": "USD"}));
    let quoted = shop.post(SESSIONS, &wanted).await.json();
    assert_eq!(total(&quoted), (&json!("USD"), &json!(4_300)), "{quoted}");
    let session = format!("{SESSIONS}/{}", quoted["id"].as_str().expect("an id"));
    // A platform that says nothing of it any more keeps the currency it was told.
    let changed = shop.ask(Method::PUT, &session, &cart(&[("TEE", 1), ("CAP", 1)])).await.json();
    assert_eq!(total(&changed), (&json!("USD"), &json!(2_150)), "{changed}");
    let message = &changed["messages"][0];
    assert_eq!(message["code"], "item_unavailable", "{changed}");
    assert!(
        message["content"].as_str().is_some_and(|text| text.contains("`CAP` is not sold in USD"))
    );

    // What the list says by now is not what was agreed to: it is told, and not charged.
    let quoted = shop.ask(Method::PUT, &session, &cart(&[("TEE", 1)])).await.json();
    let price = json!({"minor": 9_999});
    assert_eq!(shop.ask(Method::PUT, "/v1/price-lists/USD/TEE", &price).await.status, 200);
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    assert_eq!((&paid["status"], total(&paid)), (&json!("completed"), total(&quoted)));
    let order = shop.get(&format!("/v1/orders/{}", paid["order"]["id"].as_str().unwrap())).await;
    assert_eq!(
        order.json()["total"]["minor"].as_i64().or(order.json()["total"].as_i64()),
        Some(2_150)
    );
    let anew = shop.post(SESSIONS, &wanted).await.json();
    assert_eq!(
        total(&anew),
        (&json!("USD"), &json!(19_998)),
        "quoted anew, it costs what it costs"
    );
}

/// Loses the tee's price in dollars.
async fn loses_its_price(shop: &Shop) {
    let gone = shop.ask(Method::DELETE, "/v1/price-lists/USD/TEE", &json!({})).await;
    assert_eq!(gone.status, 200);
}

/// It is still in dollars, and says which of its lines are not sold in them.
fn stays_in_dollars(body: &Value, unsold: &[&str]) {
    assert_eq!(body["currency"].as_str().map(str::to_lowercase).as_deref(), Some("usd"), "{body}");
    let said = body["messages"].to_string();
    for sku in unsold {
        assert!(said.contains(&format!("`{sku}` is not sold in USD")), "{body}");
    }
}

// breaks: `Base::currency` without `settled`
#[actix_web::test]
async fn a_session_keeps_its_currency_whatever_becomes_of_its_prices_over_ucp() {
    for hint in [json!({}), json!({"currency": "USD"}), json!({"currency": "JPY"})] {
        let shop = priced().await;
        let wanted = with(cart(&[("TEE", 1)]), "context", json!({"currency": "USD"}));
        let quoted = shop.post(SESSIONS, &wanted).await.json();
        let session = format!("{SESSIONS}/{}", quoted["id"].as_str().expect("an id"));
        // Nothing in it has such a price any more, or something is put in that never had one.
        let put = |lines: &[(&str, u32)]| with(cart(lines), "context", hint.clone());
        let changed = shop.ask(Method::PUT, &session, &put(&[("CAP", 1)])).await.json();
        stays_in_dollars(&changed, &["CAP"]);
        assert_eq!(
            (&changed["status"], &changed["line_items"]),
            (&json!("incomplete"), &json!([]))
        );
        loses_its_price(&shop).await;
        let changed = shop.ask(Method::PUT, &session, &put(&[("TEE", 1)])).await.json();
        stays_in_dollars(&changed, &["TEE"]);
        assert_eq!(changed["status"], "incomplete", "{changed}");
        let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
        assert_ne!(paid["status"], "completed", "{paid}");
        assert!(shop.bank.charges().is_empty());
    }
}

// breaks: `Session::redraft` without its currency
#[actix_web::test]
async fn a_price_that_is_lost_while_the_hold_lapses_makes_no_other_currency() {
    let shop = priced().await;
    let wanted = with(cart(&[("TEE", 1)]), "context", json!({"currency": "USD"}));
    let made = shop.post("/ucp/carts", &wanted).await.json();
    let kept = format!("/ucp/carts/{}", made["id"].as_str().expect("an id"));
    let quoted = shop.post(SESSIONS, &wanted).await.json();
    let session = format!("{SESSIONS}/{}", quoted["id"].as_str().expect("an id"));
    loses_its_price(&shop).await;
    stays_in_dollars(&shop.get(&kept).await.json(), &["TEE"]);
    shop.post("/v1/testing/clock", &json!({"advance_seconds": 601})).await;
    let told = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    stays_in_dollars(&told, &["TEE"]);
    assert!(shop.bank.charges().is_empty());
}

// breaks: `Session::draft` without its currency, and `Base::currency` without `settled`
#[actix_web::test]
async fn the_other_protocols_keep_it_too() {
    let shop = priced().await;
    let wanted = with(acp::items(&[("TEE", 1)]), "currency", json!("usd"));
    let session = acp::path_of(&acp::created(&shop, &wanted).await);
    let wanted = with(ucp01::items(&[("TEE", 1)]), "currency", json!("USD"));
    let other = ucp01::created(&shop, &wanted).await;
    loses_its_price(&shop).await;
    let line = json!({"line_items": [{"id": "TEE", "quantity": 2}]});
    let changed = acp::say(&shop, "POST", &session, &line).await.json();
    stays_in_dollars(&changed, &["TEE"]);
    assert_eq!(changed["status"], "not_ready_for_payment", "{changed}");
    let update = with(wanted, "id", other["id"].clone());
    let refused = ucp01::say(&shop, "PUT", &ucp01::path_of(&other), &update).await;
    assert_eq!(refused.status, 400, "{}", refused.json());
    assert!(refused.json()["detail"].to_string().contains("not sold in USD"), "{}", refused.json());
    let shown = ucp01::say(&shop, "GET", &ucp01::path_of(&other), &Value::Null).await.json();
    assert_eq!(total(&shown), (&json!("USD"), &json!(2_150)), "left as it was");
}

#[actix_web::test]
async fn a_hint_is_a_hint_and_a_demand_a_demand() {
    let shop = priced().await;
    let yen = with(cart(&[("TEE", 1)]), "context", json!({"currency": "JPY"}));
    assert_eq!(total(&shop.post(SESSIONS, &yen).await.json()).0, "EUR");
    let mut asked = order(&[("TEE", 1)], "success_token");
    asked["currency"] = json!("USD");
    let placed = shop.post("/v1/orders", &asked).await.json();
    assert_eq!((&placed["currency"], &placed["total"]), (&json!("USD"), &json!(2_150)), "{placed}");
    let mut asked = order(&[("TEE", 1), ("CAP", 1)], "success_token");
    asked["currency"] = json!("USD");
    let refused = shop.post("/v1/orders", &asked).await.problem(422, "currency_mismatch");
    assert_eq!(refused["pointer"], "/lines/1", "{refused}");
    // What costs too much by now for what was agreed to is not charged.
    let mut agreed = order(&[("TEE", 1)], "success_token");
    agreed["currency"] = json!("USD");
    agreed["expected_total"] = json!(2_150);
    shop.ask(Method::PUT, "/v1/price-lists/USD/TEE", &json!({"minor": 2_250})).await;
    shop.post("/v1/orders", &agreed).await.problem(409, "total_changed");
}

#[actix_web::test]
async fn discounts_and_rates_count_in_their_currency_alone() {
    let shop = priced().await;
    let rate = json!({"title": "Post", "service": "post", "amount_minor": 700, "currency": "USD"});
    shop.ask(Method::PUT, "/v1/shipping-rates/post-usd", &rate).await;
    let euros = json!({"title": "Post", "service": "post", "amount_minor": 500, "currency": "EUR"});
    shop.ask(Method::PUT, "/v1/shipping-rates/post-eur", &euros).await;
    let off = json!({"title": "A euro off", "currency": "EUR",
        "benefit": {"kind": "fixed", "amount_minor": 100}});
    shop.ask(Method::PUT, "/v1/discounts/euro", &off).await;
    for (currency, sum, off) in [("USD", 2_150 + 700, false), ("EUR", 1_990 + 500 - 100, true)] {
        let body = with(cart(&[("TEE", 1)]), "context", json!({"currency": currency}));
        let sent = super::http_storefront::sent_to(
            "DE",
            Some(if currency == "USD" { "post-usd" } else { "post-eur" }),
        );
        let body = shop.post(SESSIONS, &with(body, "fulfillment", sent)).await.json();
        assert_eq!(total(&body), (&json!(currency), &json!(sum)), "{body}");
        assert_eq!(body["discounts"]["applied"].is_array(), off, "{body}");
    }
}

#[actix_web::test]
async fn the_catalogue_shows_and_filters_by_the_wanted_currency() {
    let shop = priced().await;
    let context = json!({"currency": "USD"});
    let dollars = |filters: Value| json!({"query": "bag", "context": context, "filters": filters});
    let found = ask(&shop, "search", &dollars(json!({"price": {"max": 8_500}}))).await;
    let bag = &found["products"][0];
    assert_eq!(bag["price_range"]["min"], json!({"amount": 8_500, "currency": "USD"}));
    assert_eq!(bag["variants"].as_array().map(Vec::len), Some(1), "the others have no such price");
    let found = ask(&shop, "search", &dollars(json!({"price": {"min": 8_501}}))).await;
    assert_eq!(found["products"], json!([]));
}

#[actix_web::test]
async fn lists_are_kept_and_a_price_that_makes_no_sense_is_refused() {
    let shop = priced().await;
    let lists = shop.get("/v1/price-lists").await.json();
    assert_eq!(lists["items"], json!([{"currency": "USD", "prices": 2}]));
    let first = shop.get("/v1/price-lists/USD?limit=1").await.json();
    assert_eq!(first["items"], json!([{"sku": "BAG-BLUE-L", "minor": 8_500}]));
    let next = format!("/v1/price-lists/USD?cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(shop.get(&next).await.json()["items"][0]["sku"], "TEE");
    assert_eq!(
        shop.get("/v1/products/TEE").await.json()["list_prices"],
        json!([{"minor": 2_150, "currency": "USD"}])
    );
    for (path, body, pointer) in [
        (
            "USD/bulk",
            json!({"prices": [{"sku": "TEE", "minor": 1}, {"sku": "NONE", "minor": 1}]}),
            "/prices/1/sku",
        ),
        ("EUR/bulk", json!({"prices": [{"sku": "TEE", "minor": 1}]}), "/prices/0/sku"),
        ("USD/bulk", json!({"prices": [{"sku": "TEE", "minor": -1}]}), "/prices/0/minor"),
    ] {
        let answer = shop.post(&format!("/v1/price-lists/{path}"), &body).await;
        assert_eq!(answer.problem(422, "invalid_request")["pointer"], pointer);
    }
    shop.get("/v1/price-lists/EURO").await.problem(404, "not_found");
    assert_eq!(shop.get("/v1/price-lists").await.json()["items"][0]["prices"], 2, "all or none");
    shop.ask(Method::DELETE, "/v1/price-lists/USD/TEE", &json!({})).await;
    let mut asked = order(&[("TEE", 1)], "success_token");
    asked["currency"] = json!("USD");
    shop.post("/v1/orders", &asked).await.problem(422, "currency_mismatch");
}

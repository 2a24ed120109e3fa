//! Carts, discounts, deliveries and taxes, as an agent's platform and a merchant meet them.

use actix_web::http::Method;
use doorbuster::catalog::StockPolicy;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, codes, pay},
    http_v1::order,
};

/// A body with one field more.
pub(crate) fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// Goods sent to an address in this country.
pub(crate) fn sent_to(country: &str, option: Option<&str>) -> Value {
    json!({"methods": [{
        "type": "shipping",
        "destinations": [{"id": "home", "street_address": "1 Main St", "address_country": country}],
        "selected_destination_id": "home",
        "groups": [{"id": "group_1", "selected_option_id": option}],
    }]})
}

/// Puts items into a shop's tariff.
async fn set(shop: &Shop, path: &str, item: Value) {
    let answer = shop.ask(Method::PUT, &format!("/v1/{path}"), &item).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
}

/// Discounts, shipping to two countries, a place to fetch goods, and value added tax.
pub(crate) async fn furnish(shop: &Shop) {
    let percent = json!({"kind": "percent", "basis_points": 1_000});
    set(shop, "discounts/summer", json!({"title": "Summer", "code": "SUMMER", "benefit": percent}))
        .await;
    let rate = |title: &str, countries: &[&str], minor: i64, service: &str| {
        json!({"title": title, "service": service, "countries": countries,
               "amount_minor": minor, "currency": "EUR", "min_days": 1, "max_days": 3})
    };
    set(shop, "shipping-rates/standard", rate("Standard", &["DE"], 490, "standard")).await;
    set(shop, "shipping-rates/express", rate("Express", &["DE", "FR"], 990, "express")).await;
    let place = json!({"title": "Berlin shop",
        "address": {"street_address": "2 Main St", "address_country": "DE"}});
    set(shop, "pickup-locations/berlin", place).await;
    let vat = json!({"title": "VAT 19%", "countries": ["DE"], "basis_points": 1_900,
                     "inclusive": true});
    set(shop, "tax-rates/vat-de", vat).await;
    let tax = json!({"title": "Tax 10%", "countries": ["FR"], "basis_points": 1_000});
    set(shop, "tax-rates/tax-fr", tax).await;
}

/// Amounts of a breakdown by their type.
fn amounts(body: &Value) -> Vec<(String, i64)> {
    let totals = body["totals"].as_array().expect("totals");
    let amount = |total: &Value| {
        let kind = total["type"].as_str().expect("a type").to_owned();
        (kind, total["amount"].as_i64().expect("an amount"))
    };
    totals.iter().map(amount).collect()
}

fn is_breakdown(body: &Value, expected: &[(&str, i64)]) {
    let expected: Vec<_> = expected.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
    assert_eq!(amounts(body), expected, "{body:#}");
}

#[actix_web::test]
async fn a_cart_becomes_one_checkout_with_its_codes_and_then_an_order() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let wanted = with(cart(&[("TEE", 2)]), "discounts", json!({"codes": ["summer"]}));
    let created = shop.post("/ucp/carts", &wanted).await;
    let body = created.json();
    assert_eq!(created.status, 201, "{body}");
    is_breakdown(&body, &[("subtotal", 3_980), ("items_discount", -398), ("total", 3_582)]);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 0, "a cart holds nothing");
    let path = format!("/ucp/carts/{}", body["id"].as_str().expect("an id"));
    let changed = with(cart(&[("TEE", 3)]), "discounts", json!({"codes": ["summer"]}));
    let changed = shop.ask(Method::PUT, &path, &changed).await.json();
    assert_eq!(changed["line_items"][0]["quantity"], 3);

    // What the cart says wins, and asking twice is asking once.
    let convert = json!({"cart_id": body["id"], "line_items": [{"item": {"id": "CAP"},
        "quantity": 1}], "fulfillment": sent_to("DE", None)});
    let first = shop.ask_as("convert", Method::POST, SESSIONS, &convert).await;
    let checkout = first.json();
    assert_eq!(first.status, 201, "{checkout}");
    assert_eq!(checkout["line_items"][0]["item"]["id"], "TEE");
    assert_eq!(checkout["discounts"]["applied"][0]["amount"], 597);
    assert_eq!(checkout["buyer"]["email"], "ada@example.com");
    let again = shop.ask_as("convert", Method::POST, SESSIONS, &convert).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    let other = shop.post(SESSIONS, &convert).await.json();
    assert_eq!(other["id"], checkout["id"]);
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 3);

    // A way has to be chosen of those there are.
    assert_eq!((&checkout["status"], codes(&checkout)), (&json!("incomplete"), vec!["missing"]));
    let options = checkout["fulfillment"]["methods"][0]["groups"][0]["options"].clone();
    let names: Vec<_> = options.as_array().expect("options").iter().map(|o| &o["id"]).collect();
    assert_eq!(names, ["standard", "express"]);
    let session = format!("{SESSIONS}/{}", checkout["id"].as_str().expect("an id"));
    let chosen = with(changed, "fulfillment", sent_to("DE", Some("express")));
    let body = shop.ask(Method::PUT, &session, &chosen).await.json();
    assert_eq!(body["status"], "ready_for_complete", "{body}");
    let expected = [
        ("subtotal", 5_970),
        ("items_discount", -597),
        ("fulfillment", 990),
        ("tax", 0),
        ("total", 6_363),
    ];
    is_breakdown(&body, &expected);
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    assert_eq!(paid["status"], "completed", "{paid}");
    let order = shop.get(&format!("/ucp/orders/{}", paid["order"]["id"].as_str().unwrap())).await;
    is_breakdown(&order.json(), &expected);
    // The checkout has ended: the cart becomes another one.
    let next = shop.post(SESSIONS, &convert).await.json();
    assert_ne!(next["id"], checkout["id"]);
}

#[actix_web::test]
async fn carts_and_checkouts_are_not_taken_for_one_another() {
    let shop = Shop::open().await;
    let made = shop.post("/ucp/carts", &cart(&[("TEE", 1)])).await.json();
    let id = made["id"].as_str().expect("an id");
    let hidden = id.replace("crt_", "chk_");
    for path in [format!("{SESSIONS}/{hidden}"), format!("/ucp/carts/{hidden}")] {
        shop.get(&path).await.problem(404, "not_found");
    }
    let session = format!("{SESSIONS}/{hidden}");
    shop.post(&format!("{session}/complete"), &pay("success_token"))
        .await
        .problem(404, "not_found");
    shop.post(&format!("{session}/cancel"), &json!({})).await.problem(404, "not_found");
    shop.ask(Method::PUT, &session, &cart(&[("TEE", 1)])).await.problem(404, "not_found");
    let path = format!("/ucp/carts/{id}");
    assert_eq!(shop.post(&format!("{path}/cancel"), &json!({})).await.status, 200);
    shop.get(&path).await.problem(404, "not_found");
    let convert = json!({"cart_id": id});
    shop.post(SESSIONS, &convert).await.problem(404, "not_found");
}

#[actix_web::test]
async fn where_goods_go_decides_what_they_cost() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let ask = |country: &'static str, option: Option<&'static str>| {
        let body = with(cart(&[("TEE", 1)]), "fulfillment", sent_to(country, option));
        let shop = &shop;
        async move { shop.post(SESSIONS, &body).await.json() }
    };
    let body = ask("DE", Some("standard")).await;
    // The prices contain the tax: it is told and adds nothing.
    let expected = [("subtotal", 1_990), ("fulfillment", 490), ("tax", 0), ("total", 2_480)];
    is_breakdown(&body, &expected);
    let body = ask("FR", Some("express")).await;
    let expected = [("subtotal", 1_990), ("fulfillment", 990), ("tax", 199), ("total", 3_179)];
    is_breakdown(&body, &expected);
    // What is offered in one country and not in another is not chosen there.
    let body = ask("FR", Some("standard")).await;
    assert_eq!(codes(&body), ["missing"], "{body}");
    let body = ask("US", None).await;
    assert_eq!(
        (codes(&body), &body["status"]),
        (vec!["address_undeliverable"], &json!("incomplete"))
    );
    // What is not sent needs no way.
    let body = with(cart(&[("EBOOK", 1)]), "fulfillment", sent_to("US", None));
    assert_eq!(shop.post(SESSIONS, &body).await.json()["status"], "ready_for_complete");
}

#[actix_web::test]
async fn every_code_that_does_not_count_is_told_at_its_place() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let fixed = |minor: i64| json!({"kind": "fixed", "amount_minor": minor});
    let alone = json!({"title": "Alone", "code": "ALONE", "benefit": fixed(100),
        "currency": "EUR", "combines": false, "priority": 9});
    set(&shop, "discounts/alone", alone).await;
    let over = json!({"title": "Over", "code": "OVER", "benefit": fixed(100), "currency": "EUR",
        "ends_at": "2020-01-01T00:00:00Z"});
    set(&shop, "discounts/over", over).await;
    let caps = json!({"title": "Caps", "code": "CAPS", "benefit": fixed(100), "currency": "EUR",
        "products": ["CAP"]});
    set(&shop, "discounts/caps", caps).await;
    let typed = json!({"codes": ["SUMMER", "nothing", "OVER", "summer", "ALONE", "CAPS"]});
    let body = shop.post(SESSIONS, &with(cart(&[("TEE", 1)]), "discounts", typed)).await.json();
    let told: Vec<_> = body["messages"].as_array().expect("messages").iter().collect();
    let mut told: Vec<_> =
        told.iter().map(|m| (m["path"].as_str().unwrap(), m["code"].as_str().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("$.discounts.codes[1]", "discount_code_invalid"),
            ("$.discounts.codes[2]", "discount_code_expired"),
            ("$.discounts.codes[3]", "discount_code_already_applied"),
            ("$.discounts.codes[4]", "discount_code_combination_disallowed"),
            ("$.discounts.codes[5]", "discount_code_invalid"),
        ]
    );
    assert_eq!(body["status"], "ready_for_complete", "a code that does not count blocks nothing");
    // Whoever pays in one request is told instead of charged more.
    let mut express = order(&[("TEE", 1)], "success_token");
    express["discount_codes"] = json!(["SUMMER", "OVER"]);
    let problem = shop.post("/v1/orders", &express).await.problem(422, "discount_refused");
    assert_eq!(problem["pointer"], "/discount_codes/1");
    express["discount_codes"] = json!(["SUMMER"]);
    let placed = shop.post("/v1/orders", &express).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["total"]), (201, &json!(1_791)));
}

async fn limit(shop: &Shop, uses: u32) {
    let item = json!({"title": "Ten", "code": "TEN", "usage_limit": uses, "currency": "EUR",
        "benefit": {"kind": "fixed", "amount_minor": 100}});
    set(shop, "discounts/ten", item).await;
}

async fn uses_left(shop: &Shop) -> Value {
    shop.get("/v1/discounts/ten").await.json()["uses_left"].clone()
}

#[actix_web::test]
async fn a_hundred_buyers_race_for_ten_uses_and_ten_have_them() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1_000, StockPolicy::Tracked, 500).await;
    limit(&shop, 10).await;
    let wanted = with(cart(&[("MUG", 1)]), "discounts", json!({"codes": ["ten"]}));
    let answers = join_all((0..100).map(|_| shop.post(SESSIONS, &wanted))).await;
    let sessions: Vec<_> = answers.iter().map(|answer| answer.json()).collect();
    let (has, has_not): (Vec<_>, Vec<_>) =
        sessions.iter().partition(|body| body["totals"].as_array().unwrap().len() == 3);
    assert_eq!((has.len(), has_not.len()), (10, 90));
    assert!(has_not.iter().all(|body| codes(body) == ["discount_code_expired"]));
    assert_eq!(uses_left(&shop).await, 0);
    // Five pay, five give up: their uses come back, and five others have them.
    for (at, body) in has.iter().enumerate() {
        let session = format!("{SESSIONS}/{}", body["id"].as_str().expect("an id"));
        let answer = match at % 2 {
            0 => shop.post(&format!("{session}/complete"), &pay("success_token")).await,
            _ => shop.post(&format!("{session}/cancel"), &json!({})).await,
        };
        assert_eq!(answer.status, 200);
    }
    assert_eq!(uses_left(&shop).await, 5);
    let answers = join_all((0..20).map(|_| shop.post(SESSIONS, &wanted))).await;
    let has = answers.iter().filter(|answer| codes(&answer.json()).is_empty());
    assert_eq!(has.count(), 5);
    // A limit below what is promised is refused; above it, more uses are there.
    let lower = json!({"title": "Ten", "code": "TEN", "usage_limit": 4, "currency": "EUR",
        "benefit": {"kind": "fixed", "amount_minor": 100}});
    shop.ask(Method::PUT, "/v1/discounts/ten", &lower).await.problem(409, "stock_promised");
    limit(&shop, 12).await;
    assert_eq!(uses_left(&shop).await, 2);
    let listed = shop.get("/v1/stock?limit=50").await.json().to_string();
    assert!(!listed.contains("~uses"), "uses are no goods: {listed}");
}

#[actix_web::test]
async fn a_buyer_has_what_counts_once_for_each_once() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1_000, StockPolicy::Tracked, 500).await;
    let item = json!({"title": "Welcome", "code": "WELCOME", "once_per_buyer": true,
        "benefit": {"kind": "percent", "basis_points": 5_000}});
    set(&shop, "discounts/welcome", item).await;
    let wanted = |email: Option<&str>| {
        let body = with(cart(&[("MUG", 1)]), "discounts", json!({"codes": ["WELCOME"]}));
        with(body, "buyer", email.map_or(json!({}), |email| json!({"email": email})))
    };
    let body = shop.post(SESSIONS, &wanted(None)).await.json();
    assert!(codes(&body).contains(&"discount_code_user_not_logged_in"), "{body}");
    // Twenty windows of one buyer: one has it.
    let ada = wanted(Some("ada@example.com"));
    let answers = join_all((0..20).map(|_| shop.post(SESSIONS, &ada))).await;
    let has: Vec<_> = answers.iter().filter(|answer| codes(&answer.json()).is_empty()).collect();
    assert_eq!(has.len(), 1);
    let body = has[0].json();
    let session = format!("{SESSIONS}/{}", body["id"].as_str().expect("an id"));
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    assert_eq!(paid["status"], "completed", "{paid}");
    let body = shop.post(SESSIONS, &wanted(Some("ADA@example.com"))).await.json();
    assert_eq!(codes(&body), ["discount_code_user_ineligible"]);
    let body = shop.post(SESSIONS, &wanted(Some("bob@example.com"))).await.json();
    assert!(codes(&body).is_empty(), "{body}");
    // In one request as well, for a buyer who was never seen.
    let mut express = order(&[("MUG", 1)], "success_token");
    express["buyer"]["email"] = "eve@example.com".into();
    express["discount_codes"] = json!(["WELCOME"]);
    assert_eq!(shop.post("/v1/orders", &express).await.status, 201);
    let refused = shop.post("/v1/orders", &express).await.problem(422, "discount_refused");
    assert_eq!(refused["pointer"], "/discount_codes/0", "{refused}");
}

#[actix_web::test]
async fn what_was_quoted_is_what_is_paid() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let wanted = with(cart(&[("TEE", 1)]), "discounts", json!({"codes": ["SUMMER"]}));
    let quoted = shop.post(SESSIONS, &wanted).await.json();
    let removed = shop.ask(Method::DELETE, "/v1/discounts/summer", &json!({})).await;
    assert_eq!(removed.status, 200);
    let session = format!("{SESSIONS}/{}", quoted["id"].as_str().expect("an id"));
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    assert_eq!((&paid["status"], amounts(&paid)), (&json!("completed"), amounts(&quoted)));
    // Quoted anew, it costs what it costs now.
    let body = shop.post(SESSIONS, &wanted).await.json();
    is_breakdown(&body, &[("subtotal", 1_990), ("total", 1_990)]);
}

#[actix_web::test]
async fn a_tariff_that_makes_no_sense_is_refused_at_the_field() {
    let shop = Shop::open().await;
    let percent = |points: i64| json!({"kind": "percent", "basis_points": points});
    for (path, item, pointer) in [
        ("discounts/a", json!({"title": "A"}), ""),
        ("discounts/a", json!({"title": "A", "benefit": percent(0)}), "/benefit/basis_points"),
        ("discounts/a", json!({"title": "A", "benefit": percent(1), "colour": 1}), "/colour"),
        ("discounts/A B", json!({"title": "A", "benefit": percent(1)}), "/id"),
        ("discounts/a", json!({"id": "b", "title": "A", "benefit": percent(1)}), "/id"),
        (
            "discounts/a",
            json!({"title": "A", "benefit": {"kind": "fixed", "amount_minor": 1}}),
            "/currency",
        ),
        (
            "shipping-rates/a",
            json!({"title": "A", "service": "s", "amount_minor": -1,
            "currency": "EUR"}),
            "/amount_minor",
        ),
        (
            "tax-rates/a",
            json!({"title": "A", "basis_points": 1, "countries": ["Atlantis"]}),
            "/countries/0",
        ),
        ("tax-rates/a", json!({"title": "A", "basis_points": 1, "regions": ["CA"]}), "/regions"),
    ] {
        let path = format!("/v1/{}", path.replace(' ', "%20"));
        let problem = shop.ask(Method::PUT, &path, &item).await.problem(422, "invalid_request");
        assert_eq!(problem["pointer"].as_str().unwrap_or(""), pointer, "{problem}");
    }
    let item = json!({"title": "A", "code": "SAME", "benefit": percent(1)});
    set(&shop, "discounts/a", item.clone()).await;
    let problem =
        shop.ask(Method::PUT, "/v1/discounts/b", &item).await.problem(422, "invalid_request");
    assert_eq!(problem["pointer"], "/code");
    shop.get("/v1/discounts/b").await.problem(404, "not_found");
    let listed = shop.get("/v1/discounts").await.json();
    assert_eq!(listed["items"][0]["code"], "SAME");
    let product = json!({"title": "A", "price": {"minor": 1, "currency": "EUR"}});
    let path = "/v1/products/~uses%2Fsummer";
    shop.ask(Method::PUT, path, &product).await.problem(422, "invalid_request");
}

//! The Universal Commerce Protocol, 2026-01-11, as a platform meets it.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
    http_storefront::{furnish, with},
    ucp01_schema::{fits, fits_checkout},
};

pub(crate) const ENDPOINT: &str = "/ucp/2026-01-11";
pub(crate) const SESSIONS: &str = "/ucp/2026-01-11/checkout-sessions";

/// A request as platforms of this version send them.
pub(crate) fn request(method: &str, path: &str, key: &str, body: &Value) -> TestRequest {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    TestRequest::default()
        .method(method.parse().expect("a method"))
        .uri(path)
        .insert_header(("ucp-agent", r#"profile="https://agent.example/p", version="2026-01-11""#))
        .insert_header(("request-signature", "test"))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", text.len()))
        .insert_header(("idempotency-key", key))
        .set_payload(text)
}

/// Holds an answer against the published schema of what stands at its path.
pub(crate) fn check(path: &str, answer: &Answer) {
    let body = answer.json();
    if answer.status.as_u16() >= 400 {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{body}");
        assert_eq!((&body["status"], body.get("ucp")), (&json!(answer.status.as_u16()), None));
        fits("schemas/shopping/types/message_error.json", &body["messages"][0]);
    } else if path.contains("/orders/") || path.contains("/testing/") {
        fits("schemas/shopping/order.json", &body);
    } else {
        fits_checkout(&body);
    }
}

/// Says something under a fresh key; the answer must fit its schema.
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
    let answer = shop.send(request(method, path, key, body)).await;
    check(path, &answer);
    answer
}

/// A body that asks for these items.
pub(crate) fn items(items: &[(&str, u32)]) -> Value {
    let item = |(id, quantity): &(&str, u32)| json!({"item": {"id": id}, "quantity": quantity});
    json!({
        "currency": "EUR",
        "line_items": items.iter().map(item).collect::<Vec<_>>(),
        "payment": {"instruments": [], "selected_instrument_id": "instr_1"},
    })
}

pub(crate) fn pay(token: &str) -> Value {
    json!({
        "payment_data": {"id": "instr_1", "handler_id": "sandbox", "type": "card", "brand": "Visa",
            "last_digits": "1234", "credential": {"type": "token", "token": token},
            "billing_address": {"street_address": "1 Main St", "address_country": "DE"}},
        "risk_signals": {},
    })
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

/// Changes a session; what is not in `change` is left out, but for what every update must say.
pub(crate) async fn update(shop: &Shop, session: &Value, change: &[(&str, Value)]) -> Value {
    let lines = session["line_items"].as_array().expect("lines");
    let line = |line: &Value| {
        let (id, sku, quantity) = (&line["id"], &line["item"]["id"], &line["quantity"]);
        json!({"id": id, "item": {"id": sku}, "quantity": quantity})
    };
    let mut body = json!({
        "id": session["id"], "currency": session["currency"], "payment": session["payment"],
        "line_items": lines.iter().map(line).collect::<Vec<_>>(),
    });
    for (field, value) in change {
        body[*field] = value.clone();
    }
    let answer = say(shop, "PUT", &path_of(session), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Goods that are sent: where to they may go, and what was chosen.
pub(crate) fn sent(destinations: Value, chosen: Option<&str>, option: Option<&str>) -> Value {
    let mut method = json!({"type": "shipping"});
    if !destinations.is_null() {
        method["destinations"] = destinations;
    }
    if let Some(chosen) = chosen {
        method["selected_destination_id"] = json!(chosen);
    }
    if let Some(option) = option {
        method["groups"] = json!([{"id": "group_1", "selected_option_id": option}]);
    }
    json!({"methods": [method]})
}

pub(crate) fn home(country: &str) -> Value {
    json!([{"id": "dest_1", "full_name": "Ada King", "street_address": "1 Main St",
            "address_country": country}])
}

/// The one amount of this type, none when there is none; every amount is positive, and the sum that
/// the schema states is exact.
fn amount(body: &Value, kind: &str) -> Option<i64> {
    let totals = body["totals"].as_array().expect("totals");
    let of = |kind: &str| {
        let those = totals.iter().filter(|total| total["type"] == kind);
        let those: Vec<_> = those.map(|total| total["amount"].as_i64().expect("whole")).collect();
        assert!(those.iter().all(|amount| *amount >= 0), "{body:#}");
        (!those.is_empty()).then(|| those.iter().sum::<i64>())
    };
    let sum = |kind| of(kind).unwrap_or(0);
    let total = sum("subtotal") - sum("discount") + sum("fulfillment") + sum("tax");
    assert_eq!(sum("total"), total, "{body:#}");
    of(kind)
}

pub(crate) fn method(session: &Value) -> &Value {
    &session["fulfillment"]["methods"][0]
}

/// The options with their titles, and what they come to.
fn options(session: &Value) -> Vec<(&str, &str, i64)> {
    fn option(one: &Value) -> (&str, &str, i64) {
        let text = |field: &str| one[field].as_str().expect("a text");
        let total = one["totals"].as_array().and_then(|all| all.last()).expect("a total");
        (text("id"), text("title"), total["amount"].as_i64().expect("whole"))
    }
    let options = method(session)["groups"][0]["options"].as_array();
    options.into_iter().flatten().map(option).collect()
}

#[actix_web::test]
async fn a_platform_discovers_creates_chooses_pays_and_reads_the_order() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let later = shop.get("/.well-known/ucp").await.json();
    let address = later["ucp"]["supported_versions"]["2026-01-11"].as_str().expect("an address");
    let found = shop.get(address.strip_prefix(BASE_URL).expect("ours")).await;
    assert!(found.header("cache-control").is_some_and(|value| value.contains("public")));
    let profile = found.json();
    fits("discovery/profile_schema.json", &profile);
    let service = &profile["ucp"]["services"]["dev.ucp.shopping"];
    assert_eq!(service["rest"]["endpoint"], format!("{BASE_URL}{ENDPOINT}"));
    let names = profile["ucp"]["capabilities"].as_array().expect("a list");
    assert_eq!(names.len(), 5, "{names:?}");

    let body = created(&shop, &items(&[("TEE", 2)])).await;
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 2);
    assert_eq!(body["status"], "incomplete", "{body:#}");
    assert_eq!(body["payment"]["instruments"], json!([]));
    let session = path_of(&body);
    let body =
        update(&shop, &body, &[("fulfillment", sent(home("DE"), Some("dest_1"), None))]).await;
    assert_eq!(options(&body), [("standard", "Standard", 490), ("express", "Express", 990)]);
    let chosen = sent(home("DE"), Some("dest_1"), Some("express"));
    let body = update(&shop, &body, &[("fulfillment", chosen)]).await;
    assert_eq!(amount(&body, "fulfillment"), Some(990));
    assert_eq!(
        (amount(&body, "total"), &body["status"]),
        (Some(4970), &json!("ready_for_complete"))
    );
    let paid = say(&shop, "POST", &format!("{session}/complete"), &pay("success_token")).await;
    assert_eq!((paid.status.as_u16(), &paid.json()["status"]), (200, &json!("completed")));
    let paid = paid.json();
    assert_eq!(paid["payment"]["selected_instrument_id"], "instr_1");
    let shown = &paid["payment"]["instruments"][0];
    assert_eq!((&shown["last_digits"], shown.get("credential")), (&json!("1234"), None));
    assert_eq!(say(&shop, "GET", &session, &Value::Null).await.json(), paid);

    let order = format!("{ENDPOINT}/orders/{}", paid["order"]["id"].as_str().expect("an id"));
    let order = say(&shop, "GET", &order, &Value::Null).await.json();
    assert_eq!(order["checkout_id"], paid["id"]);
    let expected = &order["fulfillment"]["expectations"][0];
    assert_eq!(
        (&expected["description"], &expected["destination"]["last_name"]),
        (&json!("Express"), &json!("King"))
    );
    assert_eq!(
        (amount(&order, "total"), &order["line_items"][0]["status"]),
        (Some(4970), &json!("processing"))
    );
}

#[actix_web::test]
async fn an_update_changes_what_it_says_and_leaves_the_rest() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let buyer = json!({"full_name": "Ada Lovelace King", "email": "ada@example.com",
        "consent": {"marketing": true, "analytics": false}});
    let body = with(items(&[("TEE", 1)]), "buyer", buyer);
    let body = with(body, "discounts", json!({"codes": ["SUMMER"]}));
    let chosen = sent(home("DE"), Some("dest_1"), Some("standard"));
    let body = created(&shop, &with(body, "fulfillment", chosen)).await;
    assert_eq!(body["buyer"]["last_name"], "King");
    assert_eq!(body["buyer"]["consent"], json!({"marketing": true, "analytics": false}));
    assert_eq!((amount(&body, "discount"), amount(&body, "total")), (Some(199), Some(2281)));
    let line = json!([{"item": {"id": "TEE"}, "quantity": 2}]);
    let body = update(&shop, &body, &[("line_items", line)]).await;
    assert_eq!((amount(&body, "discount"), amount(&body, "total")), (Some(398), Some(4072)));
    assert_eq!(
        (&body["buyer"]["email"], &body["status"]),
        (&json!("ada@example.com"), &json!("ready_for_complete"))
    );
    let body = update(&shop, &body, &[("discounts", json!({"codes": []}))]).await;
    assert_eq!((body.get("discounts"), amount(&body, "discount")), (None, None));
    // Destinations that were sent before need not be sent again.
    let body =
        update(&shop, &body, &[("fulfillment", sent(Value::Null, None, Some("express")))]).await;
    assert_eq!(
        (&method(&body)["selected_destination_id"], amount(&body, "fulfillment")),
        (&json!("dest_1"), Some(990))
    );
    let fetched = json!({"methods": [{"type": "pickup", "selected_destination_id": "berlin"}]});
    let body = update(&shop, &body, &[("fulfillment", fetched)]).await;
    assert_eq!(
        (amount(&body, "total"), &body["status"]),
        (Some(3980), &json!("ready_for_complete"))
    );
    let canceled = say(&shop, "POST", &format!("{}/cancel", path_of(&body)), &Value::Null).await;
    assert_eq!(canceled.json()["status"], "canceled");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 0);
}

#[actix_web::test]
async fn codes_count_one_after_another_and_unknown_ones_are_passed_over() {
    let shop = Shop::open().await;
    for (id, code, points) in [("some", "15OFF", 1_500), ("twenty", "WELCOME20", 2_000)] {
        let benefit = json!({"kind": "percent", "basis_points": points});
        let discount = json!({"title": id, "code": code, "benefit": benefit});
        let path = format!("/v1/discounts/{id}");
        assert_eq!(shop.ask(Method::PUT, &path, &discount).await.status, 200);
    }
    let codes = json!({"codes": ["15off", "NO_SUCH_CODE", "WELCOME20"]});
    let body = created(&shop, &with(items(&[("TEE", 1)]), "discounts", codes.clone())).await;
    // 15% of 1990 are 298.5, and a fifth of the 1692 that are left 338.4.
    let applied = body["discounts"]["applied"].as_array().expect("a list");
    let applied: Vec<_> = applied.iter().map(|one| (&one["code"], &one["amount"])).collect();
    assert_eq!(applied, [(&json!("15off"), &json!(298)), (&json!("WELCOME20"), &json!(338))]);
    assert_eq!((amount(&body, "discount"), amount(&body, "total")), (Some(636), Some(1354)));
    let line = &body["line_items"][0]["totals"];
    assert_eq!((&line[1]["type"], &line[1]["amount"]), (&json!("discount"), &json!(636)));

    // The same inputs come to the same total over every protocol.
    let later = with(super::http_ucp::cart(&[("TEE", 1)]), "discounts", codes.clone());
    let later = shop.post("/ucp/checkout-sessions", &later).await.json();
    let acp = with(super::http_acp::items(&[("TEE", 1)]), "discounts", codes);
    let acp = super::http_acp::created(&shop, &acp).await;
    for other in [later, acp] {
        let total = other["totals"].as_array().and_then(|all| all.last()).expect("a total");
        assert_eq!((&total["type"], &total["amount"]), (&json!("total"), &json!(1354)), "{other}");
    }
}

#[actix_web::test]
async fn what_cannot_be_sold_whole_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let refused = |answer: &Answer, status: u16, part: &str| {
        let body = answer.json();
        assert_eq!(answer.status.as_u16(), status, "{body}");
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(detail.to_lowercase().contains(part), "{body}");
        assert_eq!(body["messages"][0]["content"], detail);
    };
    let key = fresh_key();
    let sold_out = say_as(&shop, &key, "POST", SESSIONS, &items(&[("TEE", 1), ("CAP", 2)])).await;
    refused(&sold_out, 400, "stock");
    refused(
        &say(&shop, "POST", SESSIONS, &items(&[("TEE", 1), ("GONE", 1)])).await,
        400,
        "not found",
    );
    for sku in ["TEE", "CAP"] {
        assert_eq!(shop.get(&format!("/v1/stock/{sku}")).await.json()["held"], 0, "{sku}");
    }
    let body = created(&shop, &items(&[("TEE", 2)])).await;
    let session = path_of(&body);
    let more = with(items(&[("TEE", 10_001)]), "id", body["id"].clone());
    refused(&say(&shop, "PUT", &session, &more).await, 400, "stock");
    assert_eq!(say(&shop, "GET", &session, &Value::Null).await.json(), body, "left as it was");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["held"], 2);
    shop.sells("CAP", 900, StockPolicy::Tracked, 5).await;
    let again = say_as(&shop, &key, "POST", SESSIONS, &items(&[("TEE", 1), ("CAP", 2)])).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.bytes, sold_out.bytes, "a refusal is an answer and is given again");
}

#[actix_web::test]
async fn a_payment_that_is_refused_leaves_the_session_open_for_another() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let body = created(&shop, &items(&[("TEE", 1)])).await;
    let (session, complete) = (path_of(&body), format!("{}/complete", path_of(&body)));
    let open = say(&shop, "POST", &complete, &pay("fail_token")).await;
    assert_eq!(open.status, 400);
    let detail = open.json()["detail"].as_str().expect("a text").to_owned();
    assert!(detail.contains("Fulfillment address and option must be selected"), "{detail}");
    let chosen = sent(home("DE"), None, Some("standard"));
    update(&shop, &body, &[("fulfillment", chosen)]).await;
    let declined = say(&shop, "POST", &complete, &pay("fail_token")).await;
    assert_eq!(
        (declined.status.as_u16(), &declined.json()["code"]),
        (402, &json!("payment_declined"))
    );
    let challenged = say(&shop, "POST", &complete, &pay("challenge_token")).await;
    assert_eq!(challenged.status, 200);
    let body = challenged.json();
    assert_eq!(body["status"], "requires_escalation");
    assert!(body["continue_url"].is_string());
    assert_eq!(body["messages"][0]["severity"], "requires_buyer_input");
    let key = fresh_key();
    let paid = say_as(&shop, &key, "POST", &complete, &pay("challenge_passed_token")).await;
    assert_eq!((paid.status.as_u16(), &paid.json()["status"]), (200, &json!("completed")));
    let again = say_as(&shop, &key, "POST", &complete, &pay("challenge_passed_token")).await;
    assert_eq!((again.status, again.bytes), (paid.status, paid.bytes));
    let other = say_as(&shop, &key, "POST", &complete, &pay("success_token")).await;
    assert_eq!(
        (other.status.as_u16(), &other.json()["code"]),
        (409, &json!("idempotency_conflict"))
    );
    let cancel = say_as(&shop, &key, "POST", &format!("{session}/cancel"), &Value::Null).await;
    assert_eq!(cancel.json()["code"], "idempotency_conflict", "a key stands for one operation");
    for (method, path) in [("POST", complete), ("POST", format!("{session}/cancel"))] {
        let over = say(&shop, method, &path, &pay("success_token")).await;
        assert_eq!((over.status.as_u16(), &over.json()["code"]), (409, &json!("checkout_ended")));
    }
}

#[actix_web::test]
async fn the_narrowest_rate_counts_and_free_shipping_says_so() {
    let shop = Shop::open().await;
    let put = |path: String, item: Value| {
        let shop = &shop;
        async move {
            let set = shop.ask(Method::PUT, &path, &item).await;
            assert_eq!(set.status, 200, "{}", set.json());
        }
    };
    for (id, service, countries, minor) in [
        ("exp-ship-intl", "express", json!([]), 2500),
        ("exp-ship-us", "express", json!(["US"]), 1500),
        ("std-ship", "standard", json!([]), 500),
    ] {
        let rate = json!({"title": service, "service": service, "countries": countries,
            "amount_minor": minor, "currency": "EUR"});
        put(format!("/v1/shipping-rates/{id}"), rate).await;
    }
    let free = json!({"title": "Standard", "service": "standard", "amount_minor": 0,
        "currency": "EUR", "min_subtotal_minor": 5_000});
    put("/v1/shipping-rates/std-free".to_owned(), free).await;
    let body = created(&shop, &items(&[("TEE", 1)])).await;
    let to = |country| [("fulfillment", sent(home(country), Some("dest_1"), None))];
    let us = update(&shop, &body, &to("US")).await;
    assert_eq!(options(&us), [("std-ship", "standard", 500), ("exp-ship-us", "express", 1500)]);
    let canada = update(&shop, &body, &to("CA")).await;
    assert_eq!(options(&canada)[1], ("exp-ship-intl", "express", 2500));
    let dear = update(&shop, &created(&shop, &items(&[("TEE", 3)])).await, &to("US")).await;
    assert_eq!(options(&dear)[0], ("std-free", "Standard (Free)", 0));

    let free = json!({"title": "On us", "code": "ONUS", "benefit": {"kind": "free_shipping"}});
    put("/v1/discounts/onus".to_owned(), free).await;
    let [there] = to("US");
    let us = update(&shop, &us, &[there, ("discounts", json!({"codes": ["ONUS"]}))]).await;
    assert_eq!(options(&us)[1], ("exp-ship-us", "express (Free)", 0));
    let chosen = sent(home("US"), Some("dest_1"), Some("exp-ship-us"));
    let us = update(&shop, &us, &[("fulfillment", chosen)]).await;
    assert_eq!((amount(&us, "discount"), amount(&us, "total")), (Some(1500), Some(1990)));
}

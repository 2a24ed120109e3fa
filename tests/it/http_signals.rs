//! What is known of an order, as reviewers and rules see it: what it shares with others, what the
//! issuer said, what discounts took off, where it goes.

use actix_web::http::Method;
use serde_json::json;

use super::{
    http_fraud::{buys, buys_with, order_of},
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, codes, pay},
    support::models::values,
};

/// A ring that shares a card is seen from any of its orders.
#[actix_web::test]
async fn a_reviewer_sees_which_orders_share_something() {
    let shop = Shop::open().await;
    let signals = json!({"dev.doorbuster.card_fingerprint": "c1", "dev.ucp.buyer_ip": "192.0.2.7"});
    let before = buys_with(&shop, "grace@example.com", "success_token", &signals).await;
    let reviewed = buys_with(&shop, "fraud-review@example.com", "success_token", &signals).await;
    let (before, reviewed) = (order_of(&before), order_of(&reviewed));
    let fraud = json!({"fraud": true, "source": "dispute"});
    shop.post(&format!("/v1/orders/{before}/labels"), &fraud).await;
    let later = doorbuster::base::Timestamp::from_micros(i64::MAX / 2);
    shop.door.cases.links().round(later).await.expect("notes");
    let linked = shop.get(&format!("/v1/cases/{reviewed}/links")).await.json();
    let item = &linked["items"][0];
    assert_eq!((&item["order"], &item["hops"]), (&json!(before), &json!(1)), "{linked}");
    assert_eq!(item["shares"], json!(["card", "ip", "ip_prefix"]));
    assert_eq!((&item["confirmed_fraud"], &linked["confirmed_frauds"]), (&json!(true), &json!(1)));
    assert_eq!(linked["items"].as_array().map(Vec::len), Some(1), "{linked}");
    let text = linked.to_string();
    assert!(!text.contains("192.0.2") && !text.contains("grace"), "it names nobody: {text}");
    shop.get("/v1/cases/ord_00000000000000000000000000000000/links")
        .await
        .problem(404, "not_found");
}

/// The bank said yes, and what it said about the code made a rule say no.
#[actix_web::test]
async fn a_no_after_the_banks_yes_is_on_record_with_its_rule() {
    let shop = Shop::open().await;
    let rule = json!({
        "expression": "!cvc", "action": "block", "pass": "after",
        "mode": "live", "author": "grace", "reason": "stolen numbers come without their code",
    });
    let saved = shop.ask_as("rule", Method::PUT, "/v1/rules/wrong_code", &rule).await;
    assert!(saved.status.is_success(), "{}", saved.json());
    let body = buys_with(&shop, "ada@example.com", "code_mismatch_token", &json!({})).await;
    assert_eq!(codes(&body), ["payment_failed"], "{body}");
    let id = body["id"].as_str().expect("an id");
    let judged = shop.get(&format!("/v1/orders/{id}/assessments")).await.json();
    let items = judged["items"].as_array().expect("a list");
    let told: Vec<_> = items.iter().map(|item| (&item["outcome"], &item["decided_by"])).collect();
    let rule = json!({"rule": "wrong_code"});
    assert_eq!(
        told,
        [(&json!("approve"), &json!("nothing")), (&json!("decline"), &rule)],
        "{judged}"
    );
    assert_eq!(items[0]["attempt"], items[1]["attempt"], "two looks at one attempt");
    let bench = shop.door.desk.fraud.bench();
    let names = bench.serving().layout.names();
    let place = names.iter().position(|name| name == "email.failures.24h").expect("a feature");
    let again = buys(&shop, "ada@example.com").await;
    let judged = shop.get(&format!("/v1/orders/{}/assessments", order_of(&again))).await.json();
    let seen = judged["items"][0]["features"].as_str().expect("features").to_owned();
    assert_eq!(values(&seen).nth(place), Some("1"), "it failed as if the bank had said it");
}

/// Whoever types one code after the other, and gets the goods for next to nothing.
#[actix_web::test]
async fn what_discounts_took_off_is_known_to_rules() {
    let shop = Shop::open().await;
    let benefit = json!({"kind": "percent", "basis_points": 5_000});
    let half = json!({"title": "Half", "code": "HALF", "benefit": benefit});
    let set = shop.ask_as("half", Method::PUT, "/v1/discounts/half", &half).await;
    assert!(set.status.is_success(), "{}", set.json());
    let rule = json!({
        "expression": "discount && discount_share >= 0.4 && discount_amount > 9.0 \
                       && discount_codes == 1 && codes_tried == 3",
        "action": "review", "mode": "live", "reason": "codes from a forum",
    });
    let saved = shop.ask_as("rule", Method::PUT, "/v1/rules/codes", &rule).await;
    assert!(saved.status.is_success(), "{}", saved.json());
    let mut wanted = cart(&[("TEE", 1)]);
    wanted["discounts"] = json!({"codes": ["WELCOME", "half", "SUMMER"]});
    let created = shop.post(SESSIONS, &wanted).await.json();
    let id = created["id"].as_str().expect("an id").to_owned();
    let paid = shop.post(&format!("{SESSIONS}/{id}/complete"), &pay("success_token")).await.json();
    let order = order_of(&paid);
    let judged = shop.get(&format!("/v1/orders/{order}/assessments")).await.json();
    assert_eq!(judged["items"][0]["decided_by"], json!({"rule": "codes"}), "{judged}");
    let plain = order_of(&buys(&shop, "ada@example.com").await);
    let judged = shop.get(&format!("/v1/orders/{plain}/assessments")).await.json();
    assert_eq!(judged["items"][0]["outcome"], "approve", "{judged}");
}

/// A new shop knows the best-known throw-away domains and forwarders; the merchant adds to them.
#[actix_web::test]
async fn throw_away_addresses_and_forwarders_are_known_from_the_start() {
    let shop = Shop::open().await;
    let entries = shop.get("/v1/lists/freight_forwarders/entries").await.json();
    assert!(entries["items"].as_array().is_some_and(|items| items.len() >= 3), "{entries}");
    let address = |street: &str| {
        json!({
            "street_address": street, "address_locality": "Sarasota", "address_region": "FL",
            "postal_code": "34249-1234", "address_country": "US",
        })
    };
    let hits = async |email: &str, street: &str| {
        let mut wanted = json!({
            "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": email},
            "payment": {"token": "success_token", "billing_address": address("1 Main Street")},
        });
        wanted["shipping_address"] = address(street);
        let placed = shop.post("/v1/orders", &wanted).await;
        assert_eq!(placed.status, 201, "{}", placed.json());
        let order = placed.json()["id"].as_str().expect("an id").to_owned();
        let judged = shop.get(&format!("/v1/orders/{order}/assessments")).await.json();
        let rules = judged["items"][0]["rules"].as_array().cloned().unwrap_or_default();
        rules.iter().filter_map(|hit| hit["rule"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let reship = hits("ada@example.com", "4283 Express Lane, Suite 123-4567").await;
    assert!(reship.contains(&"review_forwarded_goods".to_owned()), "{reship:?}");
    let neighbor = hits("ada@example.com", "4285 Express Lane").await;
    assert!(!neighbor.contains(&"review_forwarded_goods".to_owned()), "{neighbor:?}");
    let thrown = hits("ada@mailinator.com", "1 Main Street").await;
    assert!(thrown.contains(&"review_disposable_email".to_owned()), "{thrown:?}");
    let more = json!({"entries": [{"value": "example.org"}]});
    shop.post("/v1/lists/disposable_domains/entries", &more).await;
    let added = hits("ada@example.org", "1 Main Street").await;
    assert!(added.contains(&"review_disposable_email".to_owned()), "{added:?}");
}

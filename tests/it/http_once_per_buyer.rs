//! What counts once for each buyer counts for the buyer whom the order gets, over all protocols.

use actix_web::http::Method;
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_acp as acp, http_shop::Shop, http_storefront::with, http_ucp as ucp, http_ucp01 as ucp01,
    http_v1::order,
};

/// Spellings of the mailbox of Ada, who has had it.
const ALIASES: [&str; 3] = ["ADA@example.com", "ada+again@Example.com", "ada@example.com."];

/// A shop that takes half off a mug once for each buyer, and Ada has had it.
async fn welcomed() -> Shop {
    let shop = Shop::open().await;
    shop.sells("MUG", 1_000, StockPolicy::Tracked, 500).await;
    let item = json!({"title": "Welcome", "code": "WELCOME", "once_per_buyer": true,
        "benefit": {"kind": "percent", "basis_points": 5_000}});
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/welcome", &item).await.status, 200);
    let mut first = order(&[("MUG", 1)], "success_token");
    first["discount_codes"] = json!(["WELCOME"]);
    let placed = shop.post("/v1/orders", &first).await.json();
    assert_eq!(placed["total"], 500, "{placed}");
    shop
}

/// A mug for a buyer whom nobody has seen, under the code.
fn wish(cart: Value, buyer: &str) -> Value {
    let cart = with(cart, "discounts", json!({"codes": ["WELCOME"]}));
    with(cart, "buyer", json!({"first_name": "New", "email": buyer}))
}

fn total(body: &Value) -> &Value {
    &body["totals"].as_array().and_then(|totals| totals.last()).expect("a total")["amount"]
}

/// How often the bank was asked.
fn asked(shop: &Shop) -> usize {
    shop.bank.charges().len()
}

// breaks: `is_quoted_for` that does not compare the mailboxes, `Sku::of_uses` of the bare address
#[actix_web::test]
async fn whoever_pays_as_somebody_who_has_had_it_pays_the_price_over_ucp() {
    let shop = welcomed().await;
    for alias in ALIASES {
        let before = asked(&shop);
        let wish = wish(ucp::cart(&[("MUG", 1)]), &format!("new-{before}@example.com"));
        let quoted = shop.post(ucp::SESSIONS, &wish).await.json();
        assert_eq!(total(&quoted), 500, "{quoted}");
        let complete =
            format!("{}/{}/complete", ucp::SESSIONS, quoted["id"].as_str().expect("an id"));
        let pays = with(ucp::pay("success_token"), "buyer", json!({"email": alias}));
        let told = shop.post(&complete, &pays).await.json();
        assert_eq!((&told["status"], total(&told)), (&json!("ready_for_complete"), &json!(1_000)));
        let codes = ucp::codes(&told);
        assert!(codes.contains(&"total_changed"), "{told}");
        assert!(codes.contains(&"discount_code_user_ineligible"), "{told}");
        assert_eq!(asked(&shop), before, "nothing was charged");
        let paid = shop.post(&complete, &pays).await.json();
        assert_eq!((&paid["status"], total(&paid)), (&json!("completed"), &json!(1_000)), "{paid}");
    }
}

// breaks: as above
#[actix_web::test]
async fn whoever_pays_as_somebody_who_has_had_it_pays_the_price_over_acp() {
    let shop = welcomed().await;
    for alias in ALIASES {
        let before = asked(&shop);
        let wish = wish(acp::items(&[("MUG", 1)]), &format!("new-{before}@example.com"));
        let quoted = acp::created(&shop, &wish).await;
        assert_eq!(total(&quoted), 500, "{quoted}");
        let complete = format!("{}/complete", acp::path_of(&quoted));
        let buyer = json!({"first_name": "New", "email": alias});
        let pays = with(acp::pay("success_token"), "buyer", buyer);
        let told = acp::say(&shop, "POST", &complete, &pays).await.json();
        assert_eq!((&told["status"], total(&told)), (&json!("ready_for_payment"), &json!(1_000)));
        let said = told["messages"].to_string();
        assert!(said.contains("The total is EUR 10.00 now, not EUR 5.00"), "{told}");
        assert_eq!(asked(&shop), before, "nothing was charged");
        let paid = acp::say(&shop, "POST", &complete, &pays).await.json();
        assert_eq!((&paid["status"], total(&paid)), (&json!("completed"), &json!(1_000)), "{paid}");
    }
}

// breaks: `Email::mailbox` that is the bare address
#[actix_web::test]
async fn who_has_had_it_is_known_when_the_code_is_sent() {
    let shop = welcomed().await;
    for alias in ALIASES {
        // Whoever pays over 2026-01-11 is who the session says.
        let body = ucp01::created(&shop, &wish(ucp01::items(&[("MUG", 1)]), alias)).await;
        assert_eq!(total(&body), 1_000, "{body}");
        let wish = wish(ucp01::items(&[("MUG", 1)]), "somebody-else@example.com");
        let body = ucp01::created(&shop, &wish).await;
        assert_eq!(total(&body), 500, "{body}");
        let renamed = [("buyer", json!({"email": alias}))];
        assert_eq!(total(&ucp01::update(&shop, &body, &renamed).await), 1_000);
        let mut express = order(&[("MUG", 1)], "success_token");
        express["buyer"]["email"] = json!(alias);
        express["discount_codes"] = json!(["WELCOME"]);
        let refused = shop.post("/v1/orders", &express).await.problem(422, "discount_refused");
        assert_eq!(refused["pointer"], "/discount_codes/0", "{refused}");
        let cancel = format!("{}/cancel", ucp01::path_of(&body));
        assert_eq!(ucp01::say(&shop, "POST", &cancel, &Value::Null).await.status, 200);
    }
    assert_eq!(asked(&shop), 1, "nothing was charged since");
}

// breaks: `is_quoted_for` that says no whoever it is, or compares the addresses
#[actix_web::test]
async fn another_spelling_of_ones_own_mailbox_changes_nothing() {
    let shop = welcomed().await;
    let wish = wish(ucp::cart(&[("MUG", 1)]), "eve@example.com");
    let quoted = shop.post(ucp::SESSIONS, &wish).await.json();
    let complete = format!("{}/{}/complete", ucp::SESSIONS, quoted["id"].as_str().expect("an id"));
    // Nothing is priced anew: what it costs others by now is nothing to her.
    let dearer = json!({"title": "Mug", "price": {"minor": 1_200, "currency": "EUR"}});
    assert_eq!(shop.ask(Method::PUT, "/v1/products/MUG", &dearer).await.status, 200);
    let pays = with(ucp::pay("success_token"), "buyer", json!({"email": "Eve+1@Example.com"}));
    let paid = shop.post(&complete, &pays).await.json();
    assert_eq!((&paid["status"], total(&paid)), (&json!("completed"), &json!(500)), "{paid}");
    let sent = shop.get(&format!("/v1/orders/{}", paid["order"]["id"].as_str().unwrap())).await;
    assert_eq!(sent.json()["person"]["buyer"]["email"], "Eve+1@Example.com", "as it was typed");
}

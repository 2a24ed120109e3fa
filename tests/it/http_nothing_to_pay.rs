//! An order that costs nothing needs nothing to pay with, over all protocols.

use actix_web::http::Method;
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_acp as acp,
    http_fraud::order_of,
    http_shop::{Answer, Shop},
    http_storefront::with,
    http_ucp as ucp, http_ucp01 as ucp01,
    http_v1::order,
};

/// The code that takes everything off.
const GIFT: &str = "GIFT";

/// A shop with a poster that is free, five tees, and a code that takes everything off.
async fn generous() -> Shop {
    let shop = Shop::open().await;
    shop.sells("POSTER", 0, StockPolicy::Untracked, 0).await;
    let gift = json!({"title": "Gift", "code": GIFT,
        "benefit": {"kind": "percent", "basis_points": 10_000}});
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/gift", &gift).await.status, 200);
    shop
}

/// Codes and lines that come to nothing: what is free, and what a code makes free.
fn free() -> [(&'static [(&'static str, u32)], Value); 2] {
    [(&[("POSTER", 1)], json!([])), (&[("TEE", 1)], json!([GIFT]))]
}

/// Nothing was asked of the bank for this order, nothing is, and the merchant sees why.
async fn is_placed_for_nothing(shop: &Shop, order: &str) {
    let view = shop.get(&format!("/v1/orders/{order}")).await.json();
    assert_eq!((&view["total"], &view["payment"]), (&json!(0), &json!("not_required")), "{view}");
    assert_eq!(view["operations"], json!([]), "{view}");
    assert!(shop.bank.charges().is_empty(), "{:?}", shop.bank.charges());
}

// breaks: `obstacle` that wants means whatever is due, `saga` that keeps them, `is_of_nothing` no,
// or `billed` that is read with `?`
#[actix_web::test]
async fn nothing_is_needed_and_what_is_sent_has_no_effect_over_ucp() {
    let declined = ucp::pay("fail_token");
    let unreadable = json!({"payment": {"instruments": [{"id": 7}]}});
    for payment in [json!({}), declined, unreadable] {
        for (lines, codes) in free() {
            let shop = generous().await;
            let wish = with(ucp::cart(lines), "discounts", json!({"codes": codes}));
            let body = shop.post(ucp::SESSIONS, &wish).await.json();
            assert_eq!(body["status"], "ready_for_complete", "{body}");
            let session = format!("{}/{}", ucp::SESSIONS, body["id"].as_str().expect("an id"));
            let paid = shop.post(&format!("{session}/complete"), &payment).await;
            assert_eq!((paid.status.as_u16(), &paid.json()["status"]), (200, &json!("completed")));
            assert!(
                paid.json().get("payment").is_none_or(|shown| !shown.to_string().contains("pi_1"))
            );
            is_placed_for_nothing(&shop, &order_of(&paid.json())).await;
        }
    }
}

// breaks: as above, but for `saga`: nothing is shown of an instrument here
#[actix_web::test]
async fn nothing_is_needed_and_what_is_sent_has_no_effect_over_ucp_2026_01_11() {
    for payment in [json!({}), ucp01::pay("fail_token"), json!({"payment_data": {"type": 7}})] {
        for (lines, codes) in free() {
            let shop = generous().await;
            let wish = with(ucp01::items(lines), "discounts", json!({"codes": codes}));
            let session = ucp01::path_of(&ucp01::created(&shop, &wish).await);
            let complete = format!("{session}/complete");
            let paid = ucp01::say(&shop, "POST", &complete, &payment).await;
            assert_eq!(paid.json()["status"], "completed", "{}", paid.json());
            is_placed_for_nothing(&shop, &order_of(&paid.json())).await;
        }
    }
}

// breaks: as above, but for `saga`
#[actix_web::test]
async fn nothing_is_needed_and_what_is_sent_has_no_effect_over_acp() {
    for payment in [json!({}), acp::pay("fail_token"), json!({"payment_data": {"instrument": 7}})] {
        for (lines, codes) in free() {
            let shop = generous().await;
            let wish = with(acp::items(lines), "discounts", json!({"codes": codes}));
            let session = acp::path_of(&acp::created(&shop, &wish).await);
            let paid = acp::say(&shop, "POST", &format!("{session}/complete"), &payment).await;
            assert_eq!(paid.json()["status"], "completed", "{}", paid.json());
            let found = shop.get("/v1/orders").await.json();
            let order = found["items"][0]["id"].as_str().expect("an order").to_owned();
            is_placed_for_nothing(&shop, &order).await;
        }
    }
}

// breaks: as above, but for `saga`
#[actix_web::test]
async fn nothing_is_needed_and_what_is_sent_has_no_effect_in_the_express_lane() {
    for payment in [Value::Null, json!({"token": "fail_token"}), json!({"token": 7})] {
        for (lines, codes) in free() {
            let shop = generous().await;
            let mut wish = with(order(lines, "none"), "discount_codes", codes);
            match &payment {
                Value::Null => wish.as_object_mut().expect("fields").remove("payment"),
                payment => {
                    wish.as_object_mut().expect("fields").insert("payment".into(), payment.clone())
                }
            };
            let placed = shop.post("/v1/orders", &wish).await;
            assert_eq!(placed.status, 201, "{}", placed.json());
            is_placed_for_nothing(&shop, placed.json()["id"].as_str().expect("an id")).await;
        }
    }
}

/// What stood in the way of paying for a tee with nothing, at each door.
async fn refusals(shop: &Shop) -> [Answer; 4] {
    let lines = [("TEE", 1)];
    let (session, _) = ucp::created(shop, &lines).await;
    let one = shop.post(&format!("{session}/complete"), &json!({})).await;
    let session = ucp01::path_of(&ucp01::created(shop, &ucp01::items(&lines)).await);
    let two = ucp01::say(shop, "POST", &format!("{session}/complete"), &json!({})).await;
    let session = acp::path_of(&acp::created(shop, &acp::items(&lines)).await);
    let three = acp::say(shop, "POST", &format!("{session}/complete"), &json!({})).await;
    let mut wish = order(&lines, "none");
    wish.as_object_mut().expect("fields").remove("payment");
    [one, two, three, shop.post("/v1/orders", &wish).await]
}

// breaks: `obstacle` without `Obstacle::Means`
#[actix_web::test]
async fn what_costs_something_still_needs_an_instrument() {
    let shop = generous().await;
    let [ucp, ucp01, acp, express] = refusals(&shop).await;
    let payment = [(ucp, "payment"), (ucp01, "payment_data"), (acp, "payment_data")];
    for (answer, field) in payment.into_iter().chain([(express, "payment")]) {
        let body = answer.json();
        assert!((400..500).contains(&answer.status.as_u16()), "{body}");
        assert!(body.to_string().contains(field), "it is told at the field: {body}");
    }
    assert!(shop.bank.charges().is_empty());
    assert_eq!(shop.get("/v1/orders").await.json()["items"], json!([]));
}

// breaks: `left > 0` out of `Rows::approve` or `Rows::give_up`; the limits of a refund out of both
// `amount` in order_changes.rs and `Money::refund`
#[actix_web::test]
async fn nothing_is_ever_given_back_or_taken_for_it() {
    for (email, decision) in [
        ("ada@example.com", ""),
        ("fraud-review@example.com", "approve"),
        ("fraud-review@example.com", "decline"),
    ] {
        let shop = generous().await;
        let mut wish = with(order(&[("TEE", 2)], "none"), "discount_codes", json!([GIFT]));
        wish["buyer"]["email"] = json!(email);
        let placed = shop.post("/v1/orders", &wish).await;
        assert_eq!(placed.status, 201, "{}", placed.json());
        let order = placed.json()["id"].as_str().expect("an id").to_owned();
        let back = json!({"refund": 1, "reason": "goodwill"});
        let refused = shop.post(&format!("/v1/orders/{order}/adjustments"), &back).await;
        assert!((400..500).contains(&refused.status.as_u16()), "{}", refused.json());
        if !decision.is_empty() {
            super::http_fraud::claims(&shop, &order).await;
            let body = json!({"reviewer": "grace", "decision": decision, "reason": "I called"});
            let decided = shop.post(&format!("/v1/cases/{order}/decide"), &body).await;
            assert_eq!(decided.status, 200, "{}", decided.json());
        }
        is_placed_for_nothing(&shop, &order).await;
    }
}

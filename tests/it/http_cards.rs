//! Card numbers are refused over every protocol, and numbers that are none are taken.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{base::looks_like_card_number, catalog::StockPolicy};
use serde_json::{Value, json};

use super::{
    http_acp,
    http_shop::{Answer, Shop, fresh_key},
    http_ucp, http_ucp01,
    http_v1::order,
};

/// An opening of each protocol, with a field of its buyer.
async fn opens(shop: &Shop, protocol: &str, key: &str, field: &str, text: &str) -> Answer {
    let buyer = json!({"email": "ada@example.com", field: text});
    let mut body = match protocol {
        "v1" => order(&[("TEE", 1)], "success_token"),
        "ucp" => http_ucp::cart(&[("TEE", 1)]),
        "ucp01" => http_ucp01::items(&[("TEE", 1)]),
        _ => http_acp::items(&[("TEE", 1)]),
    };
    body["buyer"] = buyer;
    match protocol {
        "v1" => shop.ask_as(key, Method::POST, "/v1/orders", &body).await,
        "ucp" => shop.ask_as(key, Method::POST, http_ucp::SESSIONS, &body).await,
        "ucp01" => http_ucp01::say_as(shop, key, "POST", http_ucp01::SESSIONS, &body).await,
        _ => http_acp::say_as(shop, key, "POST", http_acp::SESSIONS, &body).await,
    }
}

fn is_refused(answer: &Answer) -> bool {
    String::from_utf8_lossy(&answer.bytes).contains("card_number_refused")
}

// breaks: the same as above, in each protocol
#[actix_web::test]
async fn every_protocol_refuses_cards_and_takes_what_is_none() {
    let shop = Shop::open().await;
    shop.sells("TEE", 1_990, StockPolicy::Tracked, 500).await;
    for protocol in ["v1", "ucp", "ucp01", "acp"] {
        for (field, text) in [
            ("first_name", "4111.1111.1111.1111"),
            ("first_name", "4111  1111  1111  1111"),
            ("last_name", "４１１１１１１１１１１１１１１１"),
            ("phone_number", "4111 1111 1111 1111"),
            ("email", "4111111111111111@example.com"),
        ] {
            let answer = opens(&shop, protocol, &fresh_key(), field, text).await;
            assert!(is_refused(&answer), "{protocol} {field} {text}: {answer:?}");
        }
        let answer = opens(&shop, protocol, "k-4111111111111111", "first_name", "Ada").await;
        assert!(is_refused(&answer), "{protocol}: a key {answer:?}");
        for (field, text) in [
            ("phone_number", "+49 1522 1710846"),
            ("phone_number", "4915221710846"),
            ("email", "a4111111111111111b7c4@relay.example"),
        ] {
            let answer = opens(&shop, protocol, &fresh_key(), field, text).await;
            assert!(answer.status.is_success(), "{protocol} {field} {text}: {answer:?}");
        }
    }
}

// breaks: the check of the head in admission.rs
#[actix_web::test]
async fn headers_that_are_kept_and_parameters_hold_no_cards() {
    let shop = Shop::open().await;
    for (path, body) in [
        (http_ucp::SESSIONS, http_ucp::cart(&[("TEE", 1)])),
        (http_ucp01::SESSIONS, http_ucp01::items(&[("TEE", 1)])),
    ] {
        let agent = "profile=\"https://agent.example/4111111111111111\"";
        let asks = TestRequest::post().uri(path).insert_header(("ucp-agent", agent));
        let asks =
            asks.insert_header(("idempotency-key", fresh_key())).set_payload(body.to_string());
        assert!(is_refused(&shop.send(asks).await), "{path}");
    }
    let answer = shop.get("/v1/products?q=4111%201111%201111%201111").await;
    assert_eq!(answer.problem(422, "card_number_refused")["pointer"], "/q");
    assert_eq!(shop.get("/v1/products?cursor=4111111111111111").await.status, 200);
}

// breaks: the exemption of typed identifiers, in bodies or in files
#[actix_web::test]
async fn parcels_and_goods_have_numbers_that_look_like_cards() {
    let shop = Shop::open().await;
    let placed = shop.post("/v1/orders", &order(&[("TEE", 1)], "success_token")).await.json();
    shop.collects(placed["id"].as_str().expect("an id")).await;
    let path = format!("/v1/orders/{}/shipments", placed["id"].as_str().expect("an id"));
    let number = "4035 1144 7713 8473";
    assert!(looks_like_card_number(number));
    let parcel = json!({
        "carrier": "Canada Post", "tracking_number": number,
        "tracking_url": "https://carrier.example/4035114477138473",
    });
    let mut noted = parcel.clone();
    noted["reason"] = json!(format!("sent as {number}"));
    shop.post(&path, &noted).await.problem(422, "card_number_refused");
    assert_eq!(shop.post(&path, &parcel).await.status, 201);

    let import = |column: &str| {
        let head = "sku,title,price,currency,attributes";
        let attributes = format!("{{\"\"{column}\"\": \"\"{number}\"\"}}");
        let file = format!("{head}\nMUG,A mug,1,EUR,\"{attributes}\"\n");
        let asks = TestRequest::post().uri("/v1/imports/products").set_payload(file);
        shop.send(asks.insert_header(("idempotency-key", fresh_key())))
    };
    assert_eq!(import("barcode").await.status, 200);
    import("remark").await.problem(422, "invalid_request");
}

// breaks: looking at the values of every list, or of none
#[actix_web::test]
async fn lists_of_customers_hold_long_numbers_and_no_list_of_cards_a_number() {
    let shop = Shop::open().await;
    let card = json!({"value": "4111111111111111"});
    for (kind, takes) in [("customer", true), ("device", true), ("card", false), ("email", false)] {
        let list = format!("/v1/lists/my_{kind}");
        let made = shop.ask(Method::PUT, &list, &json!({"kind": kind})).await;
        assert_eq!(made.status, 200, "{:?}", made);
        let answer = shop.post(&format!("{list}/entries"), &card).await;
        match takes {
            true => assert_eq!(answer.status, 200, "{kind}: {answer:?}"),
            false => {
                let problem: Value = answer.problem(422, "card_number_refused");
                assert_eq!(problem["pointer"], "/value");
            }
        }
    }
}

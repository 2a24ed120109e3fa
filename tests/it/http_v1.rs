//! Our own interface: the express lane and the back office.

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use super::http_shop::{Shop, fresh_key};

pub(crate) fn order(lines: &[(&str, u32)], token: &str) -> Value {
    let line = |(sku, quantity): &(&str, u32)| json!({"sku": sku, "quantity": quantity});
    json!({
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "buyer": {"first_name": "Ada", "email": "ada@example.com"},
        "shipping_address": {"street_address": "1 Main St", "address_country": "DE"},
        "payment": {"token": token},
    })
}

async fn buys(shop: &Shop, lines: &[(&str, u32)]) -> String {
    let answer = shop.post("/v1/orders", &order(lines, "success_token")).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

#[actix_web::test]
async fn one_request_buys() {
    let shop = Shop::open().await;
    let answer =
        shop.post("/v1/orders", &order(&[("TEE", 2), ("EBOOK", 1)], "success_token")).await;
    let body = answer.json();
    assert_eq!(answer.status, 201, "{body}");
    assert_eq!((&body["status"], &body["total"]), (&json!("placed"), &json!(4479)));
    let path = format!("/v1/orders/{}", body["id"].as_str().expect("an id"));
    let detail = shop.get(&path).await.json();
    assert_eq!(detail["person"]["buyer"]["email"], "ada@example.com");
    assert_eq!(detail["lines"][0]["title"], "The TEE");
    assert_eq!(detail["lines"][0]["shipped"], 0);
    let stock = shop.get("/v1/stock/TEE").await.json();
    assert_eq!((&stock["sold"], &stock["available"]), (&json!(2), &json!(3)), "{stock}");
}

#[actix_web::test]
async fn a_refused_order_says_why_and_leaves_nothing() {
    let shop = Shop::open().await;
    let ask = |lines: &'static [(&str, u32)], token: &'static str| {
        let shop = &shop;
        async move { shop.post("/v1/orders", &order(lines, token)).await }
    };
    ask(&[("TEE", 6)], "success_token").await.problem(409, "out_of_stock");
    let gone = ask(&[("TEE", 1), ("GONE", 1)], "success_token").await;
    assert_eq!(gone.problem(422, "item_unavailable")["pointer"], "/lines/1");
    ask(&[("TEE", 1)], "fail_token").await.problem(402, "payment_declined");
    let challenged = ask(&[("TEE", 1)], "challenge_token").await;
    let problem = challenged.problem(402, "payment_challenged");
    assert!(problem["suggestion"].as_str().is_some_and(|text| text.contains("http")), "{problem}");
    // What waits for its buyer's bank keeps its unit; what was refused keeps none.
    let stock = shop.get("/v1/stock/TEE").await.json();
    assert_eq!((&stock["held"], &stock["available"]), (&json!(1), &json!(4)), "{stock}");
}

#[actix_web::test]
async fn a_refusal_is_replayed_like_an_order() {
    let shop = Shop::open().await;
    let body = order(&[("TEE", 1)], "fail_token");
    let first = shop.ask_as("r1", Method::POST, "/v1/orders", &body).await;
    let again = shop.ask_as("r1", Method::POST, "/v1/orders", &body).await;
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(again.header("content-type"), Some("application/problem+json"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = order(&[("TEE", 2)], "fail_token");
    let other = shop.ask_as("r1", Method::POST, "/v1/orders", &other).await;
    other.problem(422, "idempotency_conflict");
}

#[actix_web::test]
async fn stock_moves_once_per_key() {
    let shop = Shop::open().await;
    let path = "/v1/stock/movements";
    let body = json!({"sku": "TEE", "kind": "receive", "quantity": 10, "reason": "delivery 7"});
    for _ in 0..2 {
        let answer = shop.ask_as("m1", Method::POST, path, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 15);
    let bulk = json!({"movements": [
        {"sku": "TEE", "kind": "write_off", "quantity": 5, "reason": "moths"},
        {"sku": "TEE", "kind": "write_off", "quantity": 50, "reason": "too many"},
        {"sku": "NEW", "kind": "receive", "quantity": 3, "reason": "delivery 8"},
    ]});
    let first = shop.ask_as("m2", Method::POST, path, &bulk).await;
    let again = shop.ask_as("m2", Method::POST, path, &bulk).await;
    assert_eq!(first.bytes, again.bytes);
    let body = first.json();
    assert_eq!(body["refused"], 1, "{body}");
    assert_eq!(body["movements"][1]["status"], "refused");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 10);
    assert_eq!(shop.get("/v1/stock/NEW").await.json()["available"], 3);
    let history = shop.get("/v1/stock/TEE/movements?limit=2").await.json();
    assert_eq!(history["items"].as_array().map(Vec::len), Some(2), "{history}");
    let next = history["next_cursor"].as_str().expect("there is more");
    let rest = shop.get(&format!("/v1/stock/TEE/movements?cursor={next}")).await.json();
    assert_eq!(
        (rest["items"].as_array().map(Vec::len), &rest["next_cursor"]),
        (Some(1), &Value::Null)
    );
}

#[actix_web::test]
async fn a_bulk_sent_many_times_at_once_moves_stock_once() {
    let shop = Shop::open().await;
    let movement = json!({"sku": "TEE", "kind": "receive", "quantity": 7, "reason": "delivery 9"});
    let bulk = json!({"movements": [movement.clone(), movement]});
    let path = "/v1/stock/movements";
    let sendings = (0..8).map(|_| shop.ask_as("b1", Method::POST, path, &bulk));
    let answers = futures_util::future::join_all(sendings).await;
    assert!(answers.iter().all(|answer| answer.bytes == answers[0].bytes));
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 5 + 2 * 7);
}

#[actix_web::test]
async fn one_key_sent_many_times_at_once_buys_once() {
    let shop = Shop::open().await;
    let body = order(&[("TEE", 1)], "success_token");
    let sendings = (0..8).map(|_| shop.ask_as("o1", Method::POST, "/v1/orders", &body));
    let answers = futures_util::future::join_all(sendings).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.bytes == answers[0].bytes));
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["sold"], 1);
}

#[actix_web::test]
async fn units_of_an_order_move_within_what_was_sold() {
    let shop = Shop::open().await;
    let id = buys(&shop, &[("TEE", 2)]).await;
    let path = |kind: &str| format!("/v1/orders/{id}/lines/1/{kind}");
    let one = json!({"quantity": 1, "reason": "parcel"});
    assert_eq!(shop.post(&path("ship"), &one).await.status, 201);
    shop.post(&path("return"), &json!({"quantity": 2, "reason": "x"}))
        .await
        .problem(409, "line_short");
    shop.post(&path("fly"), &one).await.problem(404, "not_found");
    shop.post(&format!("/v1/orders/{id}/lines/9/ship"), &one).await.problem(404, "not_found");
    assert_eq!(shop.get(&format!("/v1/orders/{id}")).await.json()["lines"][0]["shipped"], 1);
}

#[actix_web::test]
async fn parcels_returns_and_refunds_reach_the_order_the_stock_and_the_money() {
    let shop = Shop::open().await;
    let id = buys(&shop, &[("TEE", 3)]).await;
    let (order, ucp) = (format!("/v1/orders/{id}"), format!("/ucp/orders/{id}"));
    let read = async || shop.get(&order).await.json();
    let total = read().await["total"].as_i64().expect("an amount");
    shop.collects(&id).await;
    let parcel = json!({"lines": [{"line": 1, "quantity": 2}], "carrier": "DHL",
        "tracking_number": "00340", "tracking_url": "https://track.example/00340"});
    let path = format!("{order}/shipments");
    assert_eq!(shop.post(&path, &parcel).await.status, 201);
    let adjust = format!("{order}/adjustments");
    let back = json!({"lines": [{"line": 1, "quantity": 1, "kind": "return"},
                                {"line": 1, "quantity": 1, "kind": "restock"}],
                      "refund": total - 1, "reason": "did not fit"});
    let sent = shop.ask_as("adjusts", Method::POST, &adjust, &back).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    let again = shop.ask_as("adjusts", Method::POST, &adjust, &back).await;
    assert_eq!(again.bytes, sent.bytes);
    shop.collects(&id).await;
    let seen = read().await;
    assert_eq!((&seen["payment"], &seen["refundable"]), (&json!("partially_refunded"), &json!(1)));
    assert_eq!(seen["changes"].as_array().map(Vec::len), Some(2));
    let levels = shop.get("/v1/stock/TEE").await.json();
    assert_eq!((&levels["on_hand"], &levels["sold"]), (&json!(4), &json!(0)), "{levels}");
    let told = shop.get(&ucp).await.json();
    let event = &told["fulfillment"]["events"][0];
    let named = json!([{"id": told["line_items"][0]["id"], "quantity": 2}]);
    assert_eq!((&event["type"], &event["line_items"]), (&json!("shipped"), &named));
    assert_eq!(event["tracking_number"], "00340");
    let adjustment = &told["adjustments"][0];
    assert_eq!(
        (&adjustment["type"], &adjustment["status"]),
        (&json!("refund"), &json!("completed"))
    );
    assert_eq!(adjustment["totals"][0]["amount"], 1 - total);
    assert_eq!(adjustment["line_items"][0]["quantity"], -1);
    assert_eq!(told["line_items"][0]["quantity"]["total"], 1);
    let too_much = json!({"refund": 2, "reason": "goodwill"});
    shop.post(&adjust, &too_much).await.problem(409, "refund_too_large");
    let nothing = json!({"reason": "goodwill"});
    assert_eq!(
        shop.post(&adjust, &nothing).await.problem(422, "invalid_request")["pointer"],
        "/lines"
    );
    let odd = json!({"lines": [{"line": 1, "quantity": 1, "kind": "ship"}], "reason": "x"});
    let odd = shop.post(&adjust, &odd).await.problem(422, "invalid_request");
    assert_eq!(odd["pointer"], "/lines/0/kind");
    let zero = shop.post(&adjust, &json!({"refund": 0, "reason": "x"})).await;
    assert_eq!(zero.problem(422, "invalid_request")["pointer"], "/refund");
    // Everything that is left.
    shop.post(&path, &json!({})).await.problem(409, "line_short");
}

#[actix_web::test]
async fn products_are_kept_and_listed_in_pages() {
    let shop = Shop::open().await;
    let product = json!({"title": "Mug", "price": {"minor": 700, "currency": "EUR"}});
    let saved = shop.ask(Method::PUT, "/v1/products/MUG", &product).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    let bulk = json!({"products": [
        {"sku": "PEN", "title": "Pen", "price": {"minor": 150, "currency": "EUR"},
         "attributes": {"barcode": "4111111111111111"}, "stock_policy": "backorder"},
    ]});
    let saved = shop.post("/v1/products/bulk", &bulk).await.json();
    assert_eq!((&saved["saved"], &saved["created"]), (&json!(1), &json!(1)), "{saved}");
    assert_eq!(shop.get("/v1/products/PEN").await.json()["stock_policy"], "backorder");
    shop.get("/v1/products/NONE").await.problem(404, "not_found");
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = shop.get(&format!("/v1/products?limit=2{cursor}")).await.json();
        let items = page["items"].as_array().expect("items").clone();
        seen.extend(items.iter().map(|item| item["sku"].as_str().expect("a SKU").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["CAP", "EBOOK", "MUG", "PEN", "TEE"]);
    let wrong = json!({"title": "Mug", "price": {"minor": -1, "currency": "EUR"}});
    let problem = shop.ask(Method::PUT, "/v1/products/MUG", &wrong).await;
    assert_eq!(problem.problem(422, "invalid_request")["pointer"], "/price/minor");
}

#[actix_web::test]
async fn orders_are_listed_newest_first_by_filter_and_page() {
    let shop = Shop::open().await;
    let first = buys(&shop, &[("TEE", 1)]).await;
    let second = buys(&shop, &[("EBOOK", 1)]).await;
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
    };
    let page = shop.get("/v1/orders?limit=1").await.json();
    assert_eq!(ids(&page), [second]);
    let next = page["next_cursor"].as_str().expect("there is more");
    let rest = shop.get(&format!("/v1/orders?cursor={next}")).await.json();
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![first.clone()], &Value::Null));
    assert_eq!(ids(&shop.get("/v1/orders?sku=TEE").await.json()), [first]);
    let past = "/v1/orders?placed_before=2020-01-01T00:00:00Z";
    assert!(ids(&shop.get(past).await.json()).is_empty());
    for (query, pointer) in [
        ("placed_from=soon", "/placed_from"),
        ("payment=maybe", "/payment"),
        ("cursor=nonsense", "/cursor"),
        ("limit=100000", "/limit"),
    ] {
        let answer = shop.get(&format!("/v1/orders?{query}")).await;
        assert_eq!(answer.json()["pointer"], pointer, "{query}");
        assert_eq!(answer.status, 422, "{query}");
    }
    shop.get("/v1/orders?limit=many").await.problem(422, "invalid_request");
}

#[actix_web::test]
async fn a_key_is_required_and_well_formed() {
    let shop = Shop::open().await;
    let body = order(&[("TEE", 1)], "success_token").to_string();
    let post = || {
        let length = ("content-length", body.len());
        TestRequest::post().uri("/v1/orders").insert_header(length).set_payload(body.clone())
    };
    shop.send(post()).await.problem(400, "idempotency_key_required");
    for bad in ["", "a b", &"k".repeat(256)] {
        let request = post().insert_header(("idempotency-key", bad));
        shop.send(request).await.problem(400, "idempotency_key_invalid");
    }
    let malformed = TestRequest::post()
        .uri("/v1/orders")
        .insert_header(("idempotency-key", fresh_key()))
        .insert_header(("content-length", 9))
        .set_payload("{\"lines\":");
    shop.send(malformed).await.problem(400, "malformed_request");
}

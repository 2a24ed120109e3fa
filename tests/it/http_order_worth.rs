//! What an order's lines are paid, and which lines it has: over every protocol that shows one.

use actix_web::http::Method;
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_acp,
    http_shop::{Answer, Shop},
    http_ucp01,
    http_v1::order,
};

/// A discount of a tenth with so many uses, once for each buyer if wanted.
async fn discount(shop: &Shop, more: &Value) {
    let mut tenth = json!({"title": "Tenth", "code": "TENTH",
        "benefit": {"kind": "percent", "basis_points": 1_000}});
    for (name, value) in more.as_object().expect("fields") {
        tenth[name] = value.clone();
    }
    let saved = shop.ask(Method::PUT, "/v1/discounts/tenth", &tenth).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
}

/// Orders this with the code, for this buyer.
async fn asks(shop: &Shop, lines: &[(&str, u32)], email: &str) -> Answer {
    let mut wish = order(lines, "success_token");
    wish["discount_codes"] = json!(["TENTH"]);
    wish["buyer"]["email"] = json!(email);
    shop.post("/v1/orders", &wish).await
}

async fn buys(shop: &Shop, lines: &[(&str, u32)]) -> String {
    let answer = asks(shop, lines, "ada@example.com").await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// A coat for 60.00 and a lamp for 40.00, with a tenth off: 90.00.
async fn ordered() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.sells("COAT", 6_000, StockPolicy::Tracked, 5).await;
    shop.sells("LAMP", 4_000, StockPolicy::Tracked, 5).await;
    discount(&shop, &json!({"usage_limit": 9})).await;
    let id = buys(&shop, &[("COAT", 1), ("LAMP", 1)]).await;
    shop.collects(&id).await;
    (shop, id)
}

fn amount(totals: &Value, kind: &str) -> Option<i64> {
    let mut totals = totals.as_array().expect("totals").iter();
    totals.find(|total| total["type"] == kind).and_then(|total| total["amount"].as_i64())
}

// breaks: let `Goods::off_minor` be 0.
#[actix_web::test]
async fn lines_of_an_order_are_as_they_were_at_checkout() {
    let (shop, id) = ordered().await;
    let ucp = shop.get(&format!("/ucp/orders/{id}")).await.json();
    let line = &ucp["line_items"][0]["totals"];
    assert_eq!((amount(line, "subtotal"), amount(line, "total")), (Some(6_000), Some(5_400)));
    assert_eq!(amount(line, "items_discount"), Some(-600), "{ucp}");
    let lines = ucp["line_items"].as_array().expect("lines").iter();
    let sum: i64 = lines.filter_map(|line| amount(&line["totals"], "total")).sum();
    assert_eq!(Some(sum), amount(&ucp["totals"], "total"));
    let path = format!("{}/orders/{id}", http_ucp01::ENDPOINT);
    let older = http_ucp01::say(&shop, "GET", &path, &Value::Null).await.json();
    let line = &older["line_items"][1]["totals"];
    assert_eq!((amount(line, "discount"), amount(line, "total")), (Some(400), Some(3_600)));
    let acp = http_acp::say(&shop, "GET", &format!("/acp/orders/{id}"), &Value::Null).await.json();
    let line = &acp["line_items"][0];
    assert_eq!(
        (&line["subtotal"], amount(&line["totals"], "items_discount")),
        (&json!(5_400), Some(600)),
        "{acp}"
    );
}

// breaks: let `LineWorth::paid_minor` leave the discount out.
#[actix_web::test]
async fn the_back_office_sees_what_each_line_and_unit_was_paid() {
    let (shop, id) = ordered().await;
    let seen = shop.get(&format!("/v1/orders/{id}")).await.json();
    let line = &seen["lines"][0];
    assert_eq!(
        (&line["subtotal"], &line["discount"], &line["paid"], &line["refundable"]),
        (&json!(6_000), &json!(600), &json!(5_400), &json!(5_400)),
        "{seen}"
    );
    assert_eq!(line["units"], json!([{"quantity": 1, "paid": 5_400, "kept": 1}]));
    assert_eq!(seen["lines"].as_array().map(Vec::len), Some(2), "uses of discounts are no lines");
    // One document counts lines in one way: from 1.
    let allotments = &seen["priced"]["applied"][0]["allotments"];
    assert_eq!(allotments[0]["target"]["line"], 1, "{seen}");

    shop.sells("PEN", 100, StockPolicy::Tracked, 9).await;
    discount(
        &shop,
        &json!({"benefit": {"kind": "fixed", "amount_minor": 100},
        "currency": "EUR"}),
    )
    .await;
    let pens = buys(&shop, &[("PEN", 3)]).await;
    let seen = shop.get(&format!("/v1/orders/{pens}")).await.json();
    let units = json!([{"quantity": 2, "paid": 67, "kept": 2}, {"quantity": 1, "paid": 66,
        "kept": 1}]);
    assert_eq!((&seen["lines"][0]["paid"], &seen["lines"][0]["units"]), (&json!(200), &units));
}

// breaks: leave `LineRefundTooLarge` out of `Money::refund`; give back `paid` in `Money::worth`.
#[actix_web::test]
async fn no_more_is_given_back_for_a_line_than_it_was_paid() {
    let (shop, id) = ordered().await;
    let path = format!("/v1/orders/{id}/adjustments");
    let coat = json!([{"line": 1, "quantity": 1, "kind": "restock"}]);
    let list_price = json!({"lines": coat, "refund": 6_000, "reason": "too warm"});
    shop.post(&path, &list_price).await.problem(409, "refund_too_large");
    let paid = json!({"lines": coat, "refund": "lines", "reason": "too warm"});
    let given = shop.ask_as("back", Method::POST, &path, &paid).await;
    assert_eq!((given.status.as_u16(), &given.json()["refund"]), (201, &json!(5_400)));
    let again = shop.ask_as("back", Method::POST, &path, &paid).await;
    assert_eq!(again.bytes, given.bytes);
    shop.collects(&id).await;
    let seen = shop.get(&format!("/v1/orders/{id}")).await.json();
    let line = &seen["lines"][0];
    assert_eq!((&line["refunded"], &line["refundable"]), (&json!(5_400), &json!(0)), "{seen}");
    assert_eq!(
        (&seen["refundable"], &seen["payment"]),
        (&json!(3_600), &json!("partially_refunded"))
    );
    let odd = json!({"refund": "lines", "reason": "which?"});
    assert_eq!(shop.post(&path, &odd).await.problem(422, "invalid_request")["pointer"], "/lines");
}

// breaks: take `is_of_goods` out of `may_move`, and read `OrderRow::lines` unparted.
#[actix_web::test]
async fn the_use_of_a_discount_is_no_line_of_an_order() {
    let shop = Shop::open().await;
    discount(&shop, &json!({"usage_limit": 1})).await;
    let id = buys(&shop, &[("TEE", 1)]).await;
    let one = json!({"quantity": 1, "reason": "parcel"});
    for kind in ["ship", "return", "restock"] {
        let path = format!("/v1/orders/{id}/lines/2/{kind}");
        shop.post(&path, &one).await.problem(404, "not_found");
    }
    let named = json!({"lines": [{"line": 2, "quantity": 1}], "reason": "parcel"});
    for path in ["shipments", "cancel"] {
        let path = format!("/v1/orders/{id}/{path}");
        shop.post(&path, &named).await.problem(404, "not_found");
    }
    let seen = shop.get(&format!("/v1/orders/{id}")).await.json();
    assert_eq!(seen["lines"].as_array().map(Vec::len), Some(1), "{seen}");
}

// breaks: take the uses out of `Rows::move_units`.
#[actix_web::test]
async fn uses_of_discounts_come_back_with_the_last_unit() {
    let shop = Shop::open().await;
    discount(&shop, &json!({"usage_limit": 1, "once_per_buyer": true})).await;
    let sold = async |email: &str| asks(&shop, &[("TEE", 2)], email).await;
    let first = sold("ada@example.com").await.json();
    let id = first["id"].as_str().expect("an order").to_owned();
    shop.collects(&id).await;
    sold("bob@example.com").await.problem(422, "discount_refused");
    let restock = |quantity: u32| {
        let line = json!({"line": 1, "quantity": quantity, "kind": "restock"});
        json!({"lines": [line], "reason": "no"})
    };
    let path = format!("/v1/orders/{id}/adjustments");
    assert_eq!(shop.post(&path, &restock(1)).await.status, 201);
    sold("bob@example.com").await.problem(422, "discount_refused");
    assert_eq!(shop.post(&path, &restock(1)).await.status, 201);
    let again = sold("ada@example.com").await;
    assert_eq!(again.status, 201, "theirs came back too: {}", again.json());
    let id = again.json()["id"].as_str().expect("an order").to_owned();
    shop.collects(&id).await;
    let gone = shop.post(&format!("/v1/orders/{id}/cancel"), &json!({"reason": "no"})).await;
    assert_eq!(gone.status, 200, "{}", gone.json());
    assert_eq!(sold("bob@example.com").await.status, 201);
}

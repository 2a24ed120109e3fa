//! What becomes of an order's money: in review, canceled, captured later, let go, refused.

use actix_web::http::Method;
use doorbuster::{
    cart::{
        keeper::{Keeper, Retention},
        lapses::Lapses,
    },
    checkout::{Capture, Terms},
};
use serde_json::{Value, json};

use super::{
    http_shop::{Answer, Shop, fresh_key},
    http_ucp01,
    http_v1::order,
};

async fn places(shop: &Shop, quantity: u32, email: &str, token: &str) -> String {
    let mut wish = order(&[("TEE", quantity)], token);
    wish["buyer"]["email"] = json!(email);
    let answer = shop.post("/v1/orders", &wish).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn buys(shop: &Shop, quantity: u32) -> String {
    places(shop, quantity, "ada@example.com", "success_token").await
}

/// An order that waits for a person.
async fn in_review(shop: &Shop, quantity: u32) -> String {
    places(shop, quantity, "fraud-review@example.com", "success_token").await
}

async fn does(shop: &Shop, id: &str, what: &str, body: &Value) -> Answer {
    shop.post(&format!("/v1/orders/{id}/{what}"), body).await
}

async fn seen(shop: &Shop, id: &str) -> Value {
    shop.collects(id).await;
    shop.get(&format!("/v1/orders/{id}")).await.json()
}

async fn approves(shop: &Shop, id: &str) -> Answer {
    super::http_fraud::claims(shop, id).await;
    let body = json!({"reviewer": "grace", "decision": "approve", "reason": "I called them"});
    shop.post(&format!("/v1/cases/{id}/decide"), &body).await
}

fn restock(quantity: u32) -> Value {
    json!({"lines": [{"line": 1, "quantity": quantity, "kind": "restock"}], "reason": "no more"})
}

/// Minor units that the bank took of everybody.
fn taken(shop: &Shop) -> i64 {
    shop.bank.charges().iter().filter_map(|charge| charge.captured_minor).sum()
}

fn is_let_go(shop: &Shop) -> bool {
    shop.bank.charges().iter().all(|charge| charge.voided)
}

async fn kinds(shop: &Shop) -> Vec<String> {
    let events = shop.door.store.list_unsent_events(99).await.expect("reads");
    events.into_iter().map(|event| event.kind).collect()
}

// breaks: take `end_case` out of `change_order`, or `settled.voids` out of `Money::release`.
#[actix_web::test]
async fn what_is_given_up_in_review_is_never_charged() {
    let shop = Shop::open().await;
    let id = in_review(&shop, 1).await;
    assert_eq!(does(&shop, &id, "adjustments", &restock(1)).await.status, 201);
    let order = seen(&shop, &id).await;
    assert_eq!((&order["payment"], &order["status"]), (&json!("voided"), &json!("canceled")));
    let case = shop.get(&format!("/v1/cases/{id}")).await.json();
    assert_eq!(case["state"], "canceled", "{case}");
    approves(&shop, &id).await.problem(409, "case_ended");
    seen(&shop, &id).await;
    assert!(taken(&shop) == 0 && is_let_go(&shop));
    let told = kinds(&shop).await;
    assert!(told.contains(&"order.canceled".to_owned()), "{told:?}");
    assert!(told.contains(&"payment.voided".to_owned()), "{told:?}");
}

// breaks: capture `attempt.amount_minor` in `Rows::approve`.
#[actix_web::test]
async fn an_approval_takes_what_is_left() {
    let shop = Shop::open().await;
    let id = in_review(&shop, 3).await;
    assert_eq!(does(&shop, &id, "adjustments", &restock(2)).await.status, 201);
    let waits = seen(&shop, &id).await;
    assert_eq!((&waits["capturable"], &waits["status"]), (&json!(1_990), &json!("in_review")));
    assert_eq!(approves(&shop, &id).await.status, 200);
    let order = seen(&shop, &id).await;
    assert_eq!((&order["payment"], &order["refundable"]), (&json!("captured"), &json!(1_990)));
    assert_eq!(taken(&shop), 1_990);
    let ship = does(&shop, &id, "shipments", &json!({})).await;
    assert_eq!(ship.status, 201, "what is left is paid: {}", ship.json());
}

#[actix_web::test]
async fn a_platform_may_give_up_what_is_in_review() {
    let shop = Shop::open().await;
    let id = in_review(&shop, 1).await;
    let path = format!("{}/orders/{id}", http_ucp01::ENDPOINT);
    let mut told = http_ucp01::say(&shop, "GET", &path, &Value::Null).await.json();
    let line = told["line_items"][0]["id"].clone();
    told["adjustments"] = json!([{"id": "adj_1", "type": "cancellation", "status": "completed",
        "occurred_at": "2026-11-28T08:00:00Z", "line_items": [{"id": line, "quantity": 1}]}]);
    let put = http_ucp01::say(&shop, "PUT", &path, &told).await;
    assert_eq!(put.status, 200, "{}", put.json());
    assert_eq!(seen(&shop, &id).await["payment"], "voided");
    assert!(taken(&shop) == 0 && is_let_go(&shop));
}

// breaks: let `MoneyWish::Cancel` settle as `MoneyWish::Keep`.
#[actix_web::test]
async fn one_request_cancels_an_order_and_gives_everything_back_once() {
    let shop = Shop::open().await;
    let id = buys(&shop, 2).await;
    let (path, why) = (format!("/v1/orders/{id}/cancel"), json!({"reason": "ordered twice"}));
    let key = fresh_key();
    let first = shop.ask_as(&key, Method::POST, &path, &why).await;
    assert_eq!((first.status.as_u16(), &first.json()["status"]), (200, &json!("canceled")));
    let again = shop.ask_as(&key, Method::POST, &path, &why).await;
    assert_eq!(again.bytes, first.bytes);
    let later = does(&shop, &id, "cancel", &why).await;
    assert_eq!((later.status.as_u16(), &later.json()["status"]), (200, &json!("canceled")));
    let order = seen(&shop, &id).await;
    assert_eq!((&order["payment"], &order["refundable"]), (&json!("refunded"), &json!(0)));
    assert_eq!(order["changes"].as_array().map(Vec::len), Some(1), "{order}");
    let stock = shop.get("/v1/stock/TEE").await.json();
    assert_eq!((&stock["sold"], &stock["available"]), (&json!(0), &json!(5)), "{stock}");
    assert!(kinds(&shop).await.contains(&"order.canceled".to_owned()));
    let acp = super::http_acp::say(&shop, "GET", &format!("/acp/orders/{id}"), &Value::Null).await;
    assert_eq!(acp.json()["status"], "canceled");
}

#[actix_web::test]
async fn lines_are_canceled_with_what_they_were_paid() {
    let shop = Shop::open().await;
    let id = buys(&shop, 3).await;
    let one = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "one too many"});
    assert_eq!(does(&shop, &id, "cancel", &one).await.status, 200);
    let order = seen(&shop, &id).await;
    assert_eq!(
        (&order["payment"], &order["refundable"]),
        (&json!("partially_refunded"), &json!(3_980))
    );
    assert_eq!(order["lines"][0]["units"], json!([{"quantity": 3, "paid": 1_990, "kept": 2}]));
    let ship = json!({"lines": [{"line": 1, "quantity": 1}]});
    assert_eq!(does(&shop, &id, "shipments", &ship).await.status, 201);
    assert_eq!(seen(&shop, &id).await["status"], "partly_shipped");
    // What has not left goes back; what has left is still the buyer's.
    assert_eq!(does(&shop, &id, "cancel", &json!({"reason": "the rest"})).await.status, 200);
    let order = seen(&shop, &id).await;
    assert_eq!((&order["status"], &order["refundable"]), (&json!("shipped"), &json!(1_990)));
    let late = does(&shop, &id, "cancel", &json!({"reason": "too late"})).await;
    let late = late.problem(409, "already_shipped");
    assert!(late["suggestion"].as_str().is_some_and(|text| text.contains("return")), "{late}");
}

// breaks: compare another word in `order_rows.status`.
#[actix_web::test]
async fn orders_are_found_by_where_they_stand() {
    let shop = Shop::open().await;
    let (placed, waits, gone) =
        (buys(&shop, 1).await, in_review(&shop, 1).await, buys(&shop, 1).await);
    assert_eq!(does(&shop, &gone, "cancel", &json!({"reason": "no"})).await.status, 200);
    for (status, id) in [("placed", &placed), ("in_review", &waits), ("canceled", &gone)] {
        let found = shop.get(&format!("/v1/orders?status={status}")).await.json();
        let ids: Vec<_> = found["items"].as_array().expect("items").iter().collect();
        assert_eq!(ids.len(), 1, "{status}: {found}");
        assert_eq!((&ids[0]["id"], &ids[0]["status"]), (&json!(id), &json!(status)));
    }
    let odd = shop.get("/v1/orders?status=lost").await;
    assert_eq!(odd.problem(422, "invalid_request")["pointer"], "/status");
}

fn manual() -> Terms {
    Terms { capture: Capture::Manual, ..Terms::default() }
}

// breaks: take `Shipping::Paid` out of `Money::ship`; let `Money::capture` pass any amount.
#[actix_web::test]
async fn money_is_captured_in_parts_and_goods_wait_for_it() {
    let shop = Shop::with_terms(manual()).await;
    let id = buys(&shop, 2).await;
    assert_eq!(seen(&shop, &id).await["payment"], "authorized");
    does(&shop, &id, "shipments", &json!({})).await.problem(409, "unpaid");
    let part = does(&shop, &id, "capture", &json!({"amount": 2_000})).await;
    assert_eq!(part.status, 200, "{}", part.json());
    let order = seen(&shop, &id).await;
    assert_eq!(
        (&order["payment"], &order["capturable"]),
        (&json!("partially_captured"), &json!(1_980))
    );
    let one = json!({"lines": [{"line": 1, "quantity": 1}]});
    assert_eq!(does(&shop, &id, "shipments", &one).await.status, 201, "one unit is paid");
    does(&shop, &id, "shipments", &one).await.problem(409, "unpaid");
    does(&shop, &id, "capture", &json!({"amount": 1_981})).await.problem(409, "capture_too_large");
    let unpaid = json!({"lines": [{"line": 1, "quantity": 1}], "unpaid": true});
    assert_eq!(does(&shop, &id, "shipments", &unpaid).await.status, 201, "it was said");
    assert_eq!(does(&shop, &id, "capture", &json!({})).await.status, 200);
    assert_eq!(seen(&shop, &id).await["payment"], "captured");
    assert_eq!(taken(&shop), 3_980);
    does(&shop, &id, "capture", &json!({})).await.problem(409, "nothing_authorized");
    does(&shop, &id, "void", &json!({"reason": "no"})).await.problem(409, "nothing_authorized");
}

#[actix_web::test]
async fn what_is_not_captured_is_let_go() {
    let shop = Shop::with_terms(manual()).await;
    let id = buys(&shop, 2).await;
    let void = does(&shop, &id, "void", &json!({"reason": "they pay by invoice"})).await;
    assert_eq!(void.status, 200, "{}", void.json());
    assert_eq!(seen(&shop, &id).await["payment"], "voided");
    does(&shop, &id, "capture", &json!({})).await.problem(409, "nothing_authorized");
    assert!(taken(&shop) == 0 && is_let_go(&shop));
    // A part is captured, the rest is canceled: what was taken comes back.
    let id = buys(&shop, 2).await;
    assert_eq!(does(&shop, &id, "capture", &json!({"amount": 1_000})).await.status, 200);
    assert_eq!(does(&shop, &id, "cancel", &json!({"reason": "no"})).await.status, 200);
    let order = seen(&shop, &id).await;
    assert_eq!(
        (&order["payment"], &order["refundable"], &order["capturable"]),
        (&json!("refunded"), &json!(0), &json!(0)),
        "{order}"
    );
}

// breaks: let `Shipping::Captures` take everything, or nothing.
#[actix_web::test]
async fn what_ships_is_captured_where_the_shop_says_so() {
    let shop = Shop::with_terms(Terms { capture: Capture::OnShipment, ..Terms::default() }).await;
    let id = buys(&shop, 3).await;
    let one = json!({"lines": [{"line": 1, "quantity": 1}]});
    assert_eq!(does(&shop, &id, "shipments", &one).await.status, 201);
    let order = seen(&shop, &id).await;
    assert_eq!(
        (&order["payment"], &order["refundable"]),
        (&json!("partially_captured"), &json!(1_990))
    );
    assert_eq!(does(&shop, &id, "adjustments", &restock(1)).await.status, 201);
    assert_eq!(seen(&shop, &id).await["capturable"], 1_990);
    assert_eq!(does(&shop, &id, "shipments", &json!({})).await.status, 201);
    let order = seen(&shop, &id).await;
    assert_eq!((&order["payment"], &order["status"]), (&json!("captured"), &json!("shipped")));
    assert_eq!(taken(&shop), 3_980, "what was given up is not taken");
}

/// Makes the rounds until nothing is left to look after.
async fn rounds(shop: &Shop) {
    let (desk, carts) = (shop.door.desk.clone(), shop.door.carts.clone());
    let (cases, retention) = (Some(shop.door.cases.clone()), Retention::default());
    let (stop, lapses) = (tokio::sync::watch::channel(false).1, Lapses::default());
    let keeper = Keeper { desk, carts, cases, retention, stop, lapses };
    for _ in 0..9 {
        keeper.round().await.expect("the ledger answers");
    }
}

// breaks: take `Lapses::look_after` out of the round.
#[actix_web::test]
async fn an_authorization_is_told_before_it_lapses_and_let_go_when_it_does() {
    let shop = Shop::with_terms(manual()).await;
    let id = buys(&shop, 1).await;
    let expiring = async || {
        let told = kinds(&shop).await;
        told.iter().filter(|kind| *kind == "payment.expiring").count()
    };
    rounds(&shop).await;
    assert_eq!(expiring().await, 0);
    let later = async |days: u32| {
        let by = json!({"advance_seconds": days * 24 * 60 * 60});
        assert_eq!(shop.post("/v1/testing/clock", &by).await.status, 200);
        rounds(&shop).await;
    };
    later(6).await;
    assert_eq!((expiring().await, &seen(&shop, &id).await["payment"]), (1, &json!("authorized")));
    rounds(&shop).await;
    assert_eq!(expiring().await, 1, "once");
    later(2).await;
    assert_eq!(seen(&shop, &id).await["payment"], "voided");
    assert!(is_let_go(&shop) && kinds(&shop).await.contains(&"payment.voided".to_owned()));
}

// breaks: leave `case` out of `Collection::record`, or `funds.refused` out of the judge.
#[actix_web::test]
async fn a_refused_capture_is_told_waits_for_a_person_and_stops_the_goods() {
    let shop = Shop::open().await;
    let id = places(&shop, 1, "ada@example.com", "uncapturable_token").await;
    let order = seen(&shop, &id).await;
    assert_eq!(
        (&order["payment"], &order["status"]),
        (&json!("capture_failed"), &json!("in_review")),
        "{order}"
    );
    assert!(kinds(&shop).await.contains(&"payment.capture_failed".to_owned()));
    let listed = shop.get("/v1/cases").await.json();
    assert_eq!(listed["items"][0]["order"], id.as_str(), "{listed}");
    does(&shop, &id, "shipments", &json!({})).await.problem(409, "order_in_review");
    // Tried again it is refused again, and is a person's again.
    assert_eq!(does(&shop, &id, "capture", &json!({})).await.status, 200);
    let order = seen(&shop, &id).await;
    assert_eq!(order["operations"].as_array().map(Vec::len), Some(2), "{order}");
    assert_eq!(
        (&order["payment"], &order["status"]),
        (&json!("capture_failed"), &json!("in_review")),
        "{order}"
    );
    assert_eq!(approves(&shop, &id).await.status, 200);
    assert_eq!(seen(&shop, &id).await["status"], "in_review", "refused once more");
    let void = does(&shop, &id, "void", &json!({"reason": "the bank will not"})).await;
    assert_eq!(void.status, 200, "{}", void.json());
    let order = seen(&shop, &id).await;
    assert_eq!((&order["payment"], &order["status"]), (&json!("voided"), &json!("placed")));
    does(&shop, &id, "shipments", &json!({})).await.problem(409, "unpaid");
    assert_eq!(does(&shop, &id, "cancel", &json!({"reason": "unpaid"})).await.status, 200);
    assert_eq!(seen(&shop, &id).await["status"], "canceled");
    assert!(taken(&shop) == 0 && is_let_go(&shop));
}

//! Labels, backtests and models through the front door.

use actix_web::http::Method;
use serde_json::json;

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, pay},
};

/// Buys one tee; the order.
async fn buys(shop: &Shop, email: &str) -> String {
    let mut cart = cart(&[("TEE", 1)]);
    cart["buyer"]["email"] = json!(email);
    let created = shop.post(SESSIONS, &cart).await.json();
    let id = created["id"].as_str().expect("an id").to_owned();
    let paid = shop.post(&format!("{SESSIONS}/{id}/complete"), &pay("success_token")).await.json();
    paid["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {paid}")).to_owned()
}

#[actix_web::test]
async fn an_order_is_labeled_once_per_key_and_the_last_word_stands() {
    let shop = Shop::open().await;
    let order = buys(&shop, "ada@example.com").await;
    let path = format!("/v1/orders/{order}/labels");
    let fraud = json!({"fraud": true, "source": "dispute"});
    let first = shop.ask_as("word", Method::POST, &path, &fraud).await;
    let again = shop.ask_as("word", Method::POST, &path, &fraud).await;
    assert_eq!((first.status.as_u16(), &first.bytes), (201, &again.bytes));
    let bulk = json!({"labels": [{"order": order, "fraud": false, "source": "import"}]});
    assert_eq!(shop.post("/v1/labels/bulk", &bulk).await.status, 201);
    let items = shop.get(&path).await.json()["items"].clone();
    let said: Vec<_> = items.as_array().expect("a list").iter().map(|l| &l["source"]).collect();
    assert_eq!(said, ["import", "dispute"], "once each, the last one first");
    let other = json!({"fraud": true, "source": "gossip"});
    assert_eq!(
        shop.post(&path, &other).await.problem(422, "invalid_request")["pointer"],
        "/source"
    );
    let nobody = "/v1/orders/ord_00000000000000000000000000000000/labels";
    shop.post(nobody, &fraud).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_rule_is_tried_on_history_before_anybody_saves_it() {
    let shop = Shop::open().await;
    let order = buys(&shop, "ada@example.com").await;
    buys(&shop, "grace@example.org").await;
    let fraud = json!({"fraud": true, "source": "dispute"});
    shop.post(&format!("/v1/orders/{order}/labels"), &fraud).await;
    let rule = json!({"expression": "email_domain == \"example.com\"", "action": "block"});
    let costs = json!({"currency": "EUR", "margin": 0.3, "chargeback_fee_minor": 2000,
        "review_minutes": 5.0, "review_minute_minor": 60.0, "reviews_per_day": 10.0});
    let tried = shop.post("/v1/backtests", &json!({"rule": rule, "costs": costs})).await;
    assert_eq!(tried.status, 200, "{}", tried.json());
    let (report, fitted) = (&tried.json()["report"], &tried.json()["fitted"]);
    assert_eq!((&report["attempts"], &report["matched"]), (&json!(2), &json!(1)), "{report}");
    let stopped = &report["proposed"]["outcomes"]["decline"]["disputed"];
    assert_eq!((&stopped["attempts"], &stopped["money"]["EUR"]), (&json!(1), &json!(1990)));
    assert_eq!((&fitted["orders"], &fitted["frauds"]), (&json!(1), &json!(1)), "{fitted}");
    let wrong = json!({"rule": {"expression": "emial == \"x\"", "action": "block"}});
    shop.post("/v1/backtests", &wrong).await.problem(422, "invalid_request");
}

#[actix_web::test]
async fn models_are_listed_and_none_that_is_not_there_is_promoted() {
    let shop = Shop::open().await;
    let listed = shop.get("/v1/models").await.json();
    assert_eq!((&listed["items"], &listed["serving"]), (&json!([]), &json!("bundled-2")));
    let wish = json!({"reason": "it is better"});
    shop.post("/v1/models/none/promote", &wish).await.problem(404, "not_found");
    shop.post("/v1/models/rollback", &json!({})).await.problem(409, "cannot_record");
    assert_eq!(shop.get("/v1/models/comparison").await.json()["compared"], json!({}));
}

#[actix_web::test]
async fn labels_come_as_a_table_all_of_it_or_nothing() {
    let shop = Shop::open().await;
    let (one, two) = (buys(&shop, "ada@example.com").await, buys(&shop, "grace@example.org").await);
    let today = shop.door.clock.now().to_string()[..10].to_owned();
    let table = format!("order,fraud,source,at\n{one},true,dispute,{today}\n{two},no,,\n");
    let sends =
        async |key: &str, table: &str| shop.posts_table(key, "/v1/labels/bulk", table).await;
    let first = sends("table", &table).await;
    assert_eq!((first.status.as_u16(), first.json()), (201, json!({"labels": 2, "frauds": 1})));
    let again = sends("table", &table).await;
    assert_eq!(again.bytes, first.bytes, "a retry labels nothing anew");
    let items = shop.get(&format!("/v1/orders/{one}/labels")).await.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1), "{items}");
    assert_eq!((&items[0]["fraud"], &items[0]["source"]), (&json!(true), &json!("dispute")));
    sends("table", &table.replace("no", "yes")).await.problem(422, "idempotency_conflict");

    let nobody = "ord_00000000000000000000000000000000";
    let wrong = format!("order,fraud\n{two},true\n{nobody},true\n{one},perhaps\n");
    let refused = sends("wrong", &wrong).await.problem(422, "invalid_request");
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("line 4: `fraud`")));
    let unknown = format!("order,fraud\n{two},true\n{nobody},true\n");
    let refused = sends("unknown", &unknown).await.problem(422, "invalid_request");
    let text = refused["detail"].as_str().expect("a text");
    assert!(text.contains(&format!("line 3: there is no order {nobody}")), "{text}");
    let items = shop.get(&format!("/v1/orders/{two}/labels")).await.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1), "nothing of it was kept: {items}");
}

#[actix_web::test]
async fn the_cost_curve_shows_what_thresholds_come_to() {
    let shop = Shop::open().await;
    let order = buys(&shop, "ada@example.com").await;
    buys(&shop, "grace@example.org").await;
    let fraud = json!({"fraud": true, "source": "dispute"});
    shop.post(&format!("/v1/orders/{order}/labels"), &fraud).await;
    let costs = json!({"currency": "EUR", "margin": 0.3, "chargeback_fee_minor": 2000,
        "review_minutes": 5.0, "review_minute_minor": 60.0, "reviews_per_day": 10.0});
    let fitted =
        shop.post("/v1/backtests", &json!({"costs": costs})).await.json()["fitted"].clone();
    let approving = &fitted["cost_of_approving_minor"];
    assert_eq!(*approving, 1_393 + 2_000, "goods at cost, and the bank's fee: {fitted}");
    let curve = fitted["curve"].as_array().expect("a curve");
    let last = curve.last().expect("a point");
    assert_eq!((&last["review"], &last["cost_minor"]), (&json!(1_001), approving), "{fitted}");
    assert_eq!(
        (&fitted["in_force"]["review"], &fitted["in_force"]["frauds_approved"]),
        (&json!(998), &json!(1)),
        "{fitted}"
    );
    assert!(curve.iter().any(|point| point["cost_minor"] == fitted["cost_minor"]), "{fitted}");
}

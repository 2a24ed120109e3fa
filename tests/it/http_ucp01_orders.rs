//! Orders over UCP 2026-01-11: what platforms tell of them, and what they are told.

use actix_web::test::TestRequest;
use doorbuster::http::ucp01::{root::Beside, simulation::SimulationSecret, webhook};
use serde_json::{Value, json};

use super::{
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
    http_storefront::furnish,
    http_ucp01::{
        ENDPOINT, SESSIONS, check, created, home, items, path_of, pay, request, say, say_as, sent,
        update,
    },
    ucp01_schema::fits,
};

/// An order of two tees that go to Berlin.
async fn ordered(shop: &Shop) -> Value {
    furnish(shop).await;
    let body = created(shop, &items(&[("TEE", 2)])).await;
    let chosen = sent(home("DE"), None, Some("standard"));
    update(shop, &body, &[("fulfillment", chosen)]).await;
    let complete = format!("{}/complete", path_of(&body));
    let paid = say(shop, "POST", &complete, &pay("success_token")).await.json();
    let path = format!("{ENDPOINT}/orders/{}", paid["order"]["id"].as_str().expect("an id"));
    say(shop, "GET", &path, &Value::Null).await.json()
}

fn order_path(order: &Value) -> String {
    format!("{ENDPOINT}/orders/{}", order["id"].as_str().expect("an id"))
}

fn event(order: &Value, id: &str, kind: &str, quantity: u32) -> Value {
    json!({"id": id, "occurred_at": "2026-11-28T08:00:00Z", "type": kind,
        "line_items": [{"id": order["line_items"][0]["id"], "quantity": quantity}],
        "tracking_number": "TRACK123", "tracking_url": "https://track.example/123",
        "description": "By bicycle"})
}

fn adjustment(id: &str, kind: &str, amount: Option<i64>) -> Value {
    json!({"id": id, "type": kind, "occurred_at": "2026-11-28T08:00:00Z", "status": "pending",
        "amount": amount, "description": "Customer request"})
}

#[actix_web::test]
async fn events_and_adjustments_are_appended_once_and_move_stock_and_money() {
    let shop = Shop::open().await;
    let mut order = ordered(&shop).await;
    let path = order_path(&order);
    let shipped = event(&order, "evt_1", "shipped", 1);
    order["fulfillment"]["events"].as_array_mut().expect("a list").push(shipped.clone());
    order["adjustments"] = json!([adjustment("adj_1", "refund", Some(500))]);
    let key = fresh_key();
    let told = say_as(&shop, &key, "PUT", &path, &order).await;
    assert_eq!(told.status, 200, "{}", told.json());
    let after = told.json();
    let seen = &after["fulfillment"]["events"][0];
    assert_eq!((&seen["tracking_number"], &seen["type"]), (&json!("TRACK123"), &json!("shipped")));
    assert_eq!(after["adjustments"][0]["amount"], 500);
    assert_eq!(after["adjustments"][0]["type"], "refund");
    assert_eq!(after["line_items"][0]["status"], "partial");
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 4);

    let again = say_as(&shop, &key, "PUT", &path, &order).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.bytes, told.bytes);
    // Told again under the platform's ids, or under ours, it is known.
    let same = say(&shop, "PUT", &path, &order).await.json();
    assert_eq!(same["fulfillment"], after["fulfillment"]);
    let delivered = event(&order, "evt_2", "delivered", 1);
    let mut ours = say(&shop, "GET", &path, &Value::Null).await.json();
    ours["fulfillment"]["events"].as_array_mut().expect("a list").push(delivered);
    let mut back = adjustment("adj_2", "return", None);
    back["line_items"] = json!([{"id": order["line_items"][0]["id"], "quantity": 1}]);
    back.as_object_mut().expect("an object").remove("amount");
    ours["adjustments"].as_array_mut().expect("a list").push(back);
    let last = say(&shop, "PUT", &path, &ours).await;
    assert_eq!(last.status, 200, "{}", last.json());
    let last = last.json();
    let kinds: Vec<_> = last["fulfillment"]["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["type"])
        .collect();
    assert_eq!(kinds, [&json!("shipped"), &json!("delivered")]);
    assert_eq!(last["adjustments"].as_array().map(Vec::len), Some(2));
    assert_eq!(last["line_items"][0]["quantity"], json!({"total": 1, "fulfilled": 0}));
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 5);
}

#[actix_web::test]
async fn what_is_told_wrong_is_refused_before_anything_is_done() {
    let shop = Shop::open().await;
    let order = ordered(&shop).await;
    let path = order_path(&order);
    let told = |field: &str, value: Value| {
        let mut told = order.clone();
        match field {
            "events" => told["fulfillment"]["events"] = value,
            field => told[field] = value,
        }
        told
    };
    let mut nobody = event(&order, "evt_1", "shipped", 1);
    nobody["line_items"][0]["id"] = json!("li_9");
    let odd = |field: &str, value: Value| {
        let mut odd = adjustment("adj_1", "refund", Some(500));
        odd[field] = value;
        json!([adjustment("adj_0", "refund", Some(1)), odd])
    };
    for (wrong, pointer) in [
        (told("adjustments", json!({"id": "adj_1", "amount": 100})), "/adjustments"),
        (told("adjustments", odd("status", json!("INVALID"))), "/adjustments/1/status"),
        (told("adjustments", odd("type", json!("dispute"))), "/adjustments/1/type"),
        (told("adjustments", odd("amount", json!(0))), "/adjustments/1/amount"),
        (told("adjustments", odd("amount", json!(1_000_000))), "/adjustments/1/amount"),
        (told("adjustments", odd("occurred_at", json!("now"))), "/adjustments/1/occurred_at"),
        (told("events", json!([nobody])), "/fulfillment/events/0/line_items/0/id"),
        (told("events", json!([{"id": "evt_1"}])), "/fulfillment/events/0/occurred_at"),
        (told("id", json!("ord_0")), "/id"),
    ] {
        let answer = say(&shop, "PUT", &path, &wrong).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), &body["pointer"]), (422, &json!(pointer)), "{body}");
    }
    let more = told("events", json!([event(&order, "evt_1", "shipped", 3)]));
    assert_eq!(say(&shop, "PUT", &path, &more).await.json()["code"], "line_short");
    assert_eq!(say(&shop, "GET", &path, &Value::Null).await.json(), order);
}

#[actix_web::test]
async fn an_order_ships_in_a_test_where_the_secret_is_known() {
    let shop = Shop::open().await;
    let order = ordered(&shop).await;
    let id = order["id"].as_str().expect("an id");
    let path = format!("/testing/simulate-shipping/{id}");
    let ask = |secret: Option<&'static str>| {
        let request = TestRequest::post().uri(&path);
        match secret {
            Some(secret) => request.insert_header(("simulation-secret", secret)),
            None => request,
        }
    };
    assert_eq!(shop.send(ask(Some("sesame"))).await.status, 404, "not there unless configured");
    let simulation = Some(SimulationSecret::of("sesame"));
    let beside = Beside { at_root: false, simulation };
    let send = async |request: TestRequest| {
        let answer = shop.send_with(request, |config| beside.clone().mount(config)).await;
        check("/testing/", &answer);
        answer
    };
    for wrong in [None, Some("open")] {
        let answer = send(ask(wrong)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!("forbidden")));
    }
    for _ in 0..2 {
        let shipped = send(ask(Some("sesame"))).await;
        assert_eq!(shipped.status, 200, "{}", shipped.json());
        let events = shipped.json()["fulfillment"]["events"].clone();
        assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
        assert_eq!(events[0]["type"], "shipped");
    }
    assert_eq!(shop.get("/v1/stock/TEE").await.json()["on_hand"], 3);

    let body = created(&shop, &items(&[("TEE", 1)])).await;
    update(&shop, &body, &[("fulfillment", sent(home("DE"), None, Some("standard")))]).await;
    let mut trigger = pay("success_token");
    trigger["risk_signals"] = json!({"simulation_trigger": "escalation_required"});
    let complete = format!("{}/complete", path_of(&body));
    let escalated = request("POST", &complete, &fresh_key(), &trigger);
    let escalated = shop.send_with(escalated, |config| beside.clone().mount(config)).await;
    assert_eq!(escalated.json()["status"], "requires_escalation");
    let paid = say(&shop, "POST", &complete, &trigger).await.json();
    assert_eq!(paid["status"], "completed", "without a secret it is a signal like any");
}

#[actix_web::test]
async fn a_webhook_tells_the_whole_order_and_the_same_each_time() {
    let shop = Shop::open().await;
    let order = ordered(&shop).await;
    let id = order["id"].as_str().expect("an id").parse().expect("an order's");
    let row = shop.door.store.find_order(id).await.expect("reads").expect("is there");
    let tell = |event| webhook::body(&shop.door.answers, event, &row);
    let body = tell("order.placed").expect("is told");
    assert_eq!(tell("order.placed").as_ref(), Some(&body));
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&told["event_type"], &told["order"]), (&json!("order_placed"), &order));
    assert_eq!(told["checkout_id"], order["checkout_id"]);
    fits("schemas/shopping/order.json", &told["order"]);
    let shipped: Value =
        serde_json::from_str(&tell("order.shipped").expect("is told")).expect("JSON");
    assert_eq!(shipped["event_type"], "order_shipped");
    assert_eq!(tell("payment.captured"), None);
}

#[actix_web::test]
async fn what_one_version_or_protocol_opened_another_refuses() {
    let shop = Shop::open().await;
    let order = ordered(&shop).await;
    let refuses = |answer: &Answer| {
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &body["code"]),
            (409, &json!("other_protocol")),
            "{body}"
        );
    };
    let ours = created(&shop, &items(&[("TEE", 1)])).await;
    let id = ours["id"].as_str().expect("an id");
    refuses(&shop.get(&format!("/ucp/checkout-sessions/{id}")).await);
    refuses(&shop.post(&format!("/ucp/checkout-sessions/{id}/cancel"), &json!({})).await);
    refuses(&super::http_acp::read(&shop, &format!("/acp/checkout_sessions/{id}")).await);
    let id = order["id"].as_str().expect("an id");
    refuses(&shop.get(&format!("/ucp/orders/{id}")).await);
    refuses(&super::http_acp::read(&shop, &format!("/acp/orders/{id}")).await);
    assert_eq!(say(&shop, "GET", &path_of(&ours), &Value::Null).await.json(), ours);

    let later = super::http_ucp::cart(&[("TEE", 1)]);
    let later = shop.post("/ucp/checkout-sessions", &later).await.json();
    let acp = super::http_acp::created(&shop, &super::http_acp::items(&[("EBOOK", 1)])).await;
    for theirs in [&later, &acp] {
        let session = format!("{SESSIONS}/{}", theirs["id"].as_str().expect("an id"));
        refuses(&say(&shop, "GET", &session, &Value::Null).await);
        let update = super::http_storefront::with(items(&[("TEE", 1)]), "id", theirs["id"].clone());
        refuses(&say(&shop, "PUT", &session, &update).await);
        refuses(&say(&shop, "POST", &format!("{session}/complete"), &pay("success_token")).await);
        refuses(&say(&shop, "POST", &format!("{session}/cancel"), &Value::Null).await);
    }
    let session = format!("/acp/checkout_sessions/{}", acp["id"].as_str().expect("an id"));
    let complete = format!("{session}/complete");
    let pays = super::http_acp::pay("success_token");
    let paid = super::http_acp::say(&shop, "POST", &complete, &pays).await.json();
    let theirs = paid["order"]["id"].as_str().expect("an order");
    let path = format!("{ENDPOINT}/orders/{theirs}");
    refuses(&say(&shop, "GET", &path, &Value::Null).await);
    refuses(&say(&shop, "PUT", &path, &json!({})).await);
}

#[actix_web::test]
async fn at_the_root_it_is_the_version_that_platforms_find() {
    let shop = Shop::open().await;
    let beside = Beside { at_root: true, simulation: None };
    let send = async |request: TestRequest| {
        shop.send_with(request, |config| beside.clone().mount(config)).await
    };
    let get = |path: &str| TestRequest::get().uri(path);
    let profile = send(get("/.well-known/ucp")).await.json();
    fits("discovery/profile_schema.json", &profile);
    assert_eq!(profile["ucp"]["version"], "2026-01-11");
    let later = send(get("/.well-known/ucp/2026-04-08")).await.json();
    let address = format!("{BASE_URL}/.well-known/ucp/2026-01-11");
    assert_eq!(later["ucp"]["supported_versions"]["2026-01-11"], address);
    let body = items(&[("EBOOK", 1)]);
    let made = send(request("POST", "/checkout-sessions", &fresh_key(), &body)).await;
    check(SESSIONS, &made);
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let complete = format!("/checkout-sessions/{id}/complete");
    let paid = send(request("POST", &complete, &fresh_key(), &pay("success_token"))).await.json();
    let path = format!("/orders/{}", paid["order"]["id"].as_str().expect("an id"));
    let order = send(get(&path)).await;
    check(&path, &order);
    assert_eq!(order.json()["checkout_id"], paid["id"]);
    let page = send(get(&path).insert_header(("accept", "text/html,*/*"))).await;
    assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
    let nothing = send(get("/checkout-sessions/x")).await;
    check(SESSIONS, &nothing);
    assert_eq!(nothing.status, 404);
    assert_eq!(shop.get("/.well-known/ucp").await.json()["ucp"]["version"], "2026-04-08");
}

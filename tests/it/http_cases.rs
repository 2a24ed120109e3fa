//! The reviewers' desk through the front door: lists, one case whole, who decides and why.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    access::{KeyWish, Scope},
    base::SystemChance,
};
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    http_fraud::{buys_with, claims, order_of},
    http_shop::{Answer, Shop, fresh_key, on_both},
};

on_both!(
    a_list_tells_what_a_reviewer_chooses_by,
    a_case_comes_with_all_that_a_decision_rests_on,
    only_what_was_declined_as_fraud_is_labeled_as_fraud,
    nobody_decides_what_they_have_not_claimed,
    a_reviewer_has_so_many_cases_at_once,
    who_is_declined_is_blocked_in_one_act,
    many_cases_end_in_one_act,
);

/// An order in review, from this device and card.
async fn reviewed(shop: &Shop, name: &str) -> String {
    let signals = json!({"dev.ucp.buyer_ip": "192.0.2.7", "dev.doorbuster.device_id": name,
                         "dev.doorbuster.card_fingerprint": format!("card-{name}")});
    let email = "fraud-review@example.com";
    order_of(&buys_with(shop, email, "success_token", &signals).await)
}

async fn list(shop: &Shop, asked: &str) -> Value {
    let listed = shop.get(&format!("/v1/cases{asked}")).await;
    assert_eq!(listed.status, 200, "{asked}: {}", listed.json());
    listed.json()
}

fn orders(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().expect("a list");
    items.iter().map(|item| item["order"].as_str().expect("an id")).collect()
}

async fn decides(shop: &Shop, order: &str, how: &Value) -> Answer {
    let mut body = json!({"reviewer": "grace"});
    for (name, value) in how.as_object().expect("an object") {
        body[name] = value.clone();
    }
    shop.post(&format!("/v1/cases/{order}/decide"), &body).await
}

// breaks: order `QUEUE` by `c.order_id` alone, or leave `and (not …overdue…)` out of `queue!`
async fn a_list_tells_what_a_reviewer_chooses_by(shop: Shop) {
    let first = reviewed(&shop, "d1").await;
    let second = reviewed(&shop, "d2").await;
    let third = reviewed(&shop, "d3").await;
    let escalate = json!({"reviewer": "grace", "reason": "a ring"});
    shop.post(&format!("/v1/cases/{third}/escalate"), &escalate).await;
    claims(&shop, &second).await;
    let listed = list(&shop, "?reviewer=grace").await;
    assert_eq!(orders(&listed)[0], third, "escalated: {listed}");
    let one = &listed["items"][0];
    assert_eq!((&one["amount_minor"], &one["currency"]), (&json!(1990), &json!("EUR")));
    assert_eq!((&one["buyer"], &one["overdue"]), (&json!("f…@example.com"), &json!(false)));
    assert!(one["score"].is_u64() && one["top_reason"].is_string(), "{one}");
    assert!(!listed.to_string().contains("fraud-review"), "{listed}");
    let counts = &listed["counts"];
    let counted = ["open", "unclaimed", "mine", "overdue", "escalated"].map(|name| &counts[name]);
    assert_eq!(counted, [3, 2, 1, 0, 1], "{counts}");
    assert_eq!(orders(&list(&shop, "?mine=true&reviewer=grace").await), [&second]);
    assert_eq!(orders(&list(&shop, "?mine=true&reviewer=ada").await), [""; 0]);
    // A page at a time they are the same, in the same order.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&shop, &format!("?limit=1{cursor}")).await;
        seen.extend(orders(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, orders(&listed));
    assert_eq!(orders(&list(&shop, "?overdue=true").await), [""; 0]);
    claims(&shop, &first).await;
    let approve = json!({"decision": "approve", "close_reason": "verified"});
    assert_eq!(decides(&shop, &first, &approve).await.status, 200);
    let closed = list(&shop, "?state=closed").await;
    assert_eq!(orders(&closed), [&first]);
    let one = &closed["items"][0];
    assert_eq!((&one["close_reason"], &one["reason"]), (&json!("verified"), &json!("")));
    assert_eq!(orders(&list(&shop, "?state=approved&mine=true&reviewer=grace").await), [&first]);
    assert_eq!(orders(&list(&shop, "?state=all").await), [&third, &second, &first]);
    shop.door.test_clock.as_ref().expect("it may").advance(Duration::from_secs(5 * 60 * 60));
    let late = list(&shop, "?overdue=true&reviewer=grace").await;
    assert_eq!((orders(&late).len(), &late["counts"]["overdue"]), (2, &json!(2)), "{late}");
    assert_eq!(late["counts"]["mine"], 0, "the lease is over");
    shop.get("/v1/cases?state=lost").await.problem(422, "invalid_request");
    shop.get("/v1/cases?mine=true").await.problem(422, "invalid_request");
    shop.get("/v1/cases?cursor=2").await.problem(422, "invalid_request");
}

// breaks: leave `session.verification` out of `look_again`, or `until` out of `rules`
async fn a_case_comes_with_all_that_a_decision_rests_on(shop: Shop) {
    let rule = |reason: &str| {
        let expression = "units >= 1";
        json!({"expression": expression, "action": "review", "mode": "live", "reason": reason})
    };
    let save = async |reason: &str| {
        let saved = shop.ask(Method::PUT, "/v1/rules/every_unit", &rule(reason)).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
    };
    save("it is tried").await;
    let before = reviewed(&shop, "d1").await;
    let signals = json!({"dev.ucp.buyer_ip": "192.0.2.7", "dev.doorbuster.device_id": "d1"});
    let email = "fraud-review@example.com";
    let order = order_of(&buys_with(&shop, email, "code_mismatch_token", &signals).await);
    save("it was tried again").await;
    shop.door.cases.links().round(shop.door.clock.now()).await.expect("it notes");
    let case = shop.get(&format!("/v1/cases/{order}")).await.json();
    assert_eq!(case["order_details"]["total"], 1990, "{case}");
    assert_eq!(case["order_details"]["person"]["buyer"]["email"], "fraud-review@example.com");
    let rules = case["rules"].as_array().expect("a list");
    let shown = rules.iter().find(|rule| rule["rule"] == "every_unit").expect("it matched");
    assert_eq!((&shown["version"], &shown["why"]), (&json!(1), &json!("it is tried")), "{shown}");
    assert_eq!(shown["expression"], "units >= 1", "{shown}");
    let features = case["features"].as_array().expect("a list");
    let units = features.iter().find(|feature| feature["name"] == "units").expect("by name");
    assert_eq!((&units["value"], &units["says"]), (&json!(1.0), &json!("1 unit")));
    assert!(features.iter().all(|feature| feature["says"].is_string()));
    assert_eq!(case["links"]["items"][0]["order"], before.as_str(), "{}", case["links"]);
    assert_eq!(case["earlier_orders"][0]["order"], before.as_str());
    assert_eq!(case["verification"], json!({"address_matches": true, "code_matches": false}));
    assert!(case["overdue"] == false && case["events"].is_array());
}

// breaks: label every decline in `resolve::label`
async fn only_what_was_declined_as_fraud_is_labeled_as_fraud(shop: Shop) {
    let label = async |order: &str| {
        let labels = shop.get(&format!("/v1/orders/{order}/labels")).await.json();
        labels["items"][0]["fraud"].clone()
    };
    for (how, expected) in [
        (json!({"decision": "decline", "close_reason": "fraud"}), json!(true)),
        (json!({"decision": "decline", "close_reason": "unreachable"}), Value::Null),
        (json!({"decision": "decline", "reason": "fraud, I think"}), Value::Null),
        (json!({"decision": "approve", "close_reason": "verified"}), json!(false)),
    ] {
        let order = reviewed(&shop, "d1").await;
        claims(&shop, &order).await;
        let decided = decides(&shop, &order, &how).await;
        assert_eq!(decided.status, 200, "{how}: {}", decided.json());
        assert_eq!(label(&order).await, expected, "{how}");
        let case = shop.get(&format!("/v1/cases/{order}")).await.json();
        assert_eq!(case["close_reason"], how["close_reason"], "{case}");
    }
    let order = reviewed(&shop, "d1").await;
    claims(&shop, &order).await;
    for (how, pointer) in [
        (json!({"decision": "approve", "close_reason": "fraud"}), "/close_reason"),
        (json!({"decision": "decline", "close_reason": "bad mood"}), "/close_reason"),
        (json!({"decision": "decline"}), "/reason"),
    ] {
        let refused = decides(&shop, &order, &how).await;
        assert_eq!(refused.problem(422, "invalid_request")["pointer"], pointer, "{how}");
    }
}

// breaks: leave `!is_theirs` out of `decide`
async fn nobody_decides_what_they_have_not_claimed(shop: Shop) {
    let order = reviewed(&shop, "d1").await;
    let approve = json!({"decision": "approve", "close_reason": "verified"});
    decides(&shop, &order, &approve).await.problem(409, "case_claimed");
    claims(&shop, &order).await;
    shop.door.test_clock.as_ref().expect("it may").advance(Duration::from_secs(16 * 60));
    decides(&shop, &order, &approve).await.problem(409, "case_claimed");
    claims(&shop, &order).await;
    assert_eq!(decides(&shop, &order, &approve).await.status, 200);
}

// breaks: leave the count out of `CLAIM` and `CLAIM_NEXT`
async fn a_reviewer_has_so_many_cases_at_once(shop: Shop) {
    shop.sells("TEE", 1990, doorbuster::catalog::StockPolicy::Tracked, 100).await;
    let most = shop.door.desk.terms.review_claims_max;
    let mut last = String::new();
    for _ in 0..=most {
        last = reviewed(&shop, "d1").await;
    }
    let grace = json!({"reviewer": "grace"});
    for _ in 0..most {
        let claimed = shop.post("/v1/cases/claim", &grace).await;
        assert!(claimed.json()["case"].is_object(), "{}", claimed.json());
    }
    shop.post("/v1/cases/claim", &grace).await.problem(422, "limit_exceeded");
    let listed = list(&shop, "?mine=true&reviewer=grace").await;
    let mine = orders(&listed);
    assert_eq!(mine.len(), most as usize);
    let left = mine.iter().all(|order| *order != last).then_some(last.as_str());
    let left = left.unwrap_or_else(|| panic!("one is left: {listed}"));
    claims(&shop, left).await.problem(422, "limit_exceeded");
    assert_eq!(claims(&shop, mine[0]).await.status, 200, "a longer lease is no other claim");
    shop.post(&format!("/v1/cases/{}/release", mine[0]), &grace).await;
    assert_eq!(claims(&shop, left).await.status, 200);
}

// breaks: leave `case_blocks::keep` out of `decide`
async fn who_is_declined_is_blocked_in_one_act(shop: Shop) {
    let order = reviewed(&shop, "d7").await;
    claims(&shop, &order).await;
    let unknown =
        json!({"decision": "decline", "close_reason": "fraud", "block": ["email", "customer"]});
    let refused = decides(&shop, &order, &unknown).await.problem(422, "invalid_request");
    assert_eq!(refused["pointer"], "/block/1", "{refused}");
    let entries = async |list: &str| {
        let listed = shop.get(&format!("/v1/lists/{list}/entries")).await.json();
        listed["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(entries("blocked_emails").await, 0, "all of them or none");
    let approve = json!({"decision": "approve", "close_reason": "verified", "block": ["email"]});
    decides(&shop, &order, &approve).await.problem(422, "invalid_request");
    let decline = json!({"decision": "decline", "close_reason": "fraud",
                         "block": ["email", "card", "device"]});
    let decided = decides(&shop, &order, &decline).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    assert_eq!(decided.json()["blocked"], json!(["email", "card", "device"]));
    for (list, value) in [
        ("blocked_emails", "fraud-review@example.com"),
        ("blocked_cards", "card-d7"),
        ("blocked_devices", "d7"),
    ] {
        let listed = shop.get(&format!("/v1/lists/{list}/entries")).await.json();
        let entry = &listed["items"][0];
        assert_eq!(
            (&entry["value"], &entry["author"]),
            (&json!(value), &json!("grace")),
            "{listed}"
        );
    }
}

// breaks: read the field in `reviewer` before the key's name
#[actix_web::test]
async fn the_reviewer_is_who_the_key_says() {
    let shop = Shop::open().await;
    let order = reviewed(&shop, "d1").await;
    let mut keys = Vec::new();
    for (label, scope) in [("grace", Scope::Cases), ("ada", Scope::Cases), ("web", Scope::Checkout)]
    {
        let wish = KeyWish { label: label.into(), scopes: vec![scope], ..KeyWish::default() };
        keys.push(shop.door.keys.create(&wish, &SystemChance).await.expect("made").text);
    }
    let (shop, _) = shop.with_keys_for(&[]).await;
    let ask = async |key: &str, action: &str, body: Value| {
        let path = format!("/v1/cases/{order}/{action}");
        let request = TestRequest::post().uri(&path).set_payload(body.to_string());
        let request = request
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", body.to_string().len()))
            .insert_header(("idempotency-key", fresh_key()))
            .insert_header(("x-api-key", key));
        shop.send(request).await
    };
    let other = ask(&keys[0], "claim", json!({"reviewer": "ada"})).await;
    assert_eq!(other.problem(422, "invalid_request")["pointer"], "/reviewer");
    let claimed = ask(&keys[0], "claim", json!({})).await;
    assert_eq!(claimed.json()["claimed_by"], "grace", "{}", claimed.json());
    let decline = json!({"decision": "decline", "close_reason": "duplicate"});
    ask(&keys[1], "decide", decline.clone()).await.problem(409, "case_claimed");
    ask(&keys[2], "decide", decline.clone()).await.problem(403, "forbidden");
    let decided = ask(&keys[0], "decide", decline).await;
    assert_eq!(decided.json()["by"], "grace", "{}", decided.json());
    let mine = TestRequest::get().uri("/v1/cases?mine=true&state=declined");
    let mine = shop.send(mine.insert_header(("x-api-key", keys[0].as_str()))).await.json();
    assert_eq!(orders(&mine), [&order]);
}

/// Ends these cases as fraud, under this key.
async fn ends(shop: &Shop, key: &str, orders: &[&str]) -> Value {
    let body = json!({"reviewer": "grace", "orders": orders, "decision": "decline",
                      "close_reason": "fraud", "block": ["device"]});
    let ended = shop.ask_as(key, Method::POST, "/v1/cases/decide", &body).await;
    assert_eq!(ended.status, 200, "{}", ended.json());
    ended.json()
}

// breaks: let the first problem end `decide`, leave out the claim, or the look at who closed a case
async fn many_cases_end_in_one_act(shop: Shop) {
    let mine = reviewed(&shop, "d1").await;
    let free = reviewed(&shop, "d2").await;
    let theirs = reviewed(&shop, "d3").await;
    claims(&shop, &mine).await;
    shop.post(&format!("/v1/cases/{theirs}/claim"), &json!({"reviewer": "linus"})).await;
    let unknown = "ord_019f2d0c8a4b7cc3a1f2e3d4c5b6a798";
    let orders = [unknown, &mine, &theirs, &free, &mine];
    let ended = ends(&shop, "ring", &orders).await;
    let item = |order: &str, state: &str| json!({"order": order, "state": state});
    let codes = |ended: &Value| {
        let items = ended["items"].as_array().expect("a list").iter();
        items.map(|item| item["problem"]["code"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        codes(&ended),
        [json!("not_found"), Value::Null, json!("case_claimed"), Value::Null]
    );
    assert_eq!((&ended["decided"], &ended["items"][1]), (&json!(2), &item(&mine, "declined")));
    assert_eq!(ended["items"][3], item(&free, "declined"), "nobody had it: {ended}");
    assert_eq!(ends(&shop, "ring", &orders).await, ended, "the same request, the same answer");
    // As after a crash half way: what is decided stands, by whom and as what it was.
    let again = ends(&shop, "again", &[&mine, &free]).await;
    assert_eq!((&again["decided"], codes(&again)), (&json!(2), vec![Value::Null; 2]));
    for order in [&mine, &free] {
        let case = shop.get(&format!("/v1/cases/{order}")).await.json();
        assert_eq!((&case["state"], &case["closed_by"]), (&json!("declined"), &json!("grace")));
        let labels = shop.get(&format!("/v1/orders/{order}/labels")).await.json();
        assert_eq!(labels["items"].as_array().map(Vec::len), Some(1), "once: {labels}");
    }
    assert_eq!(shop.get(&format!("/v1/cases/{theirs}")).await.json()["state"], "open");
    let approve = json!({"reviewer": "grace", "orders": [mine], "decision": "approve",
                         "close_reason": "verified"});
    let late = shop.post("/v1/cases/decide", &approve).await.json();
    assert_eq!(codes(&late), ["case_ended"], "{late}");
    let most: Vec<&str> = vec![unknown; 101];
    let body = json!({"reviewer": "grace", "orders": most, "decision": "decline", "reason": "x"});
    assert_eq!(shop.post("/v1/cases/decide", &body).await.status, 422);
}

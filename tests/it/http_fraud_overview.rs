//! What fraud work came to, and labels that cannot be true, the same on both databases.

use actix_web::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    http_fraud::{buys, claims, order_of},
    http_shop::{Shop, on_both},
};

on_both!(
    outcomes_rules_and_reviews_are_counted,
    what_was_found_out_before_there_was_an_order_is_refused,
);

async fn overview(shop: &Shop, asked: &str) -> Value {
    let told = shop.get(&format!("/v1/fraud/overview{asked}")).await;
    assert_eq!(told.status, 200, "{}", told.json());
    told.json()
}

/// Payments and money of an outcome, in all.
fn came(told: &Value, outcome: &str) -> (i64, i64) {
    let all = told["outcomes"].as_array().expect("a list");
    let of = all.iter().filter(|came| came["outcome"] == outcome);
    of.fold((0, 0), |(count, money), came| {
        let number = |name: &str| came[name].as_i64().expect("a number");
        (count + number("judgements"), money + number("amount_minor"))
    })
}

// breaks: `frauds` without `h.fraud` in `RULES`, no `sum` in `CAME`, `people` without `approved`
async fn outcomes_rules_and_reviews_are_counted(shop: Shop) {
    let rule = json!({"expression": "units >= 1", "action": "review", "mode": "shadow",
                      "reason": "it is tried"});
    let saved = shop.ask(Method::PUT, "/v1/rules/every_unit", &rule).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    let fraud = order_of(&buys(&shop, "ada@example.com").await);
    let good = order_of(&buys(&shop, "bo@example.com").await);
    let unknown = order_of(&buys(&shop, "fraud-review@example.com").await);
    buys(&shop, "fraud-decline@example.com").await;
    for (order, fraud) in [(&fraud, true), (&good, false)] {
        let label = json!({"fraud": fraud, "source": "dispute"});
        assert_eq!(shop.post(&format!("/v1/orders/{order}/labels"), &label).await.status, 201);
    }
    let told = overview(&shop, "").await;
    assert_eq!(came(&told, "approve"), (2, 2 * 1990), "{told}");
    assert_eq!((came(&told, "review"), came(&told, "decline")), ((1, 1990), (1, 1990)));
    let first = &told["outcomes"][0];
    assert_eq!(first["currency"], "EUR");
    assert!(first["model"].is_string(), "{first}");
    let rules = told["rules"].as_array().expect("a list");
    let every = rules.iter().find(|rule| rule["rule"] == "every_unit").expect("it matched");
    let of = |rule: &Value| ["hits", "in_shadow", "ripe", "frauds"].map(|name| rule[name].clone());
    assert_eq!(of(every), [4, 4, 2, 1], "what was declined, or is young, teaches nothing: {every}");
    assert_eq!((&every["precision"], &every["is_exact"]), (&json!(0.5), &json!(true)));
    let reviews = &told["reviews"];
    assert_eq!((&reviews["opened"], &reviews["open"]), (&json!(1), &json!(1)), "{reviews}");
    assert_eq!((&reviews["overrule_rate"], &told["queue"]["open"]), (&Value::Null, &json!(1)));
    claims(&shop, &unknown).await;
    let approve = json!({"reviewer": "grace", "decision": "approve", "close_reason": "verified"});
    let decided = shop.post(&format!("/v1/cases/{unknown}/decide"), &approve).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    let told = overview(&shop, "").await;
    let reviews = &told["reviews"];
    assert_eq!((&reviews["approved"], &reviews["overrule_rate"]), (&json!(1), &json!(1.0)));
    assert!(reviews["time_to_decision_seconds"]["median"].is_u64(), "{reviews}");
    // A month later the unlabeled one would be good, and nothing of it lies in the last day.
    shop.door.test_clock.as_ref().expect("it may").advance(Duration::from_secs(40 * 86_400));
    let told = overview(&shop, "").await;
    assert_eq!(told["outcomes"], json!([]), "thirty days unless said: {told}");
    let from = "?from=2026-01-01T00:00:00Z";
    shop.get(&format!("/v1/fraud/overview{from}&before=2026-06-01T00:00:00Z"))
        .await
        .problem(422, "limit_exceeded");
    shop.get(&format!("/v1/fraud/overview{from}&before=2025-06-01T00:00:00Z"))
        .await
        .problem(422, "invalid_request");
    shop.get("/v1/fraud/overview?from=today").await.problem(422, "invalid_request");
}

// breaks: let `is_too_early` be false
async fn what_was_found_out_before_there_was_an_order_is_refused(shop: Shop) {
    let order = order_of(&buys(&shop, "ada@example.com").await);
    let path = format!("/v1/orders/{order}/labels");
    let early = json!({"fraud": true, "source": "dispute", "at": "2020-01-01T00:00:00Z"});
    let refused = shop.post(&path, &early).await.problem(422, "invalid_request");
    assert_eq!(refused["pointer"], "/at", "{refused}");
    let many = json!({"labels": [{"order": order, "fraud": true, "source": "dispute",
                                  "at": "2020-01-01T00:00:00Z"}]});
    let refused = shop.post("/v1/labels/bulk", &many).await.problem(422, "invalid_request");
    assert_eq!(refused["pointer"], "/labels/0/at", "{refused}");
    let table = format!("order,fraud,source,at\n{order},true,dispute,2020-01-01\n");
    let refused = shop.posts_table("early", "/v1/labels/bulk", &table).await;
    let refused = refused.problem(422, "invalid_request");
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("line 2")), "{refused}");
    assert_eq!(shop.get(&path).await.json()["items"], json!([]));
    // A day is told of many a dispute: that of the order is not before it.
    let now = shop.door.clock.now().to_string();
    let today = format!("order,fraud,source,at\n{order},true,dispute,{}\n", &now[..10]);
    let kept = shop.posts_table("today", "/v1/labels/bulk", &today).await;
    assert_eq!(kept.status, 201, "{}", kept.json());
}

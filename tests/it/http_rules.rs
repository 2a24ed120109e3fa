//! Rules over the API: written, checked, watched in shadow, live, without a restart.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    base::{CheckoutId, Hints, Money, Person, Timestamp, Verification},
    fraud::{
        assessment::Outcome,
        rules::{Considered, Pass, Subject},
        signals::{Discounts, Goods, Signals},
    },
};
use serde_json::{Value, json};
use std::{cell::Cell, time::Duration};

use super::{
    http_shop::{Shop, fresh_key},
    http_v1::order,
};

const RULE: &str = "/v1/rules/stop_it";

fn rule(expression: &str, mode: &str) -> Value {
    json!({"expression": expression, "action": "block", "mode": mode, "reason": "card testers"})
}

/// An order of a device for 99.90 euros.
fn signals(device: &str, now: Timestamp) -> Signals {
    let hints = Hints { device_id: Some(device.into()), ..Hints::default() };
    Signals {
        at: now,
        cart: CheckoutId::from_uuid(uuid::Uuid::nil()),
        storefront: "shop".into(),
        amount: Money::from_minor(9_990, "EUR".parse().expect("a currency")),
        goods: Goods::default(),
        discounts: Discounts::default(),
        person: Person { hints: Some(Box::new(hints)), ..Person::default() },
        brand: None,
        opened_at: Some(now),
        declines: 0,
        verification: Verification::default(),
    }
}

fn consider(shop: &Shop, device: &str) -> Considered {
    let signals = signals(device, shop.door.clock.now());
    let subject = Subject::plain(&signals);
    shop.door.rules.current().consider(&subject, Pass::Before)
}

impl Shop {
    async fn put(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask(Method::PUT, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    async fn add(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }
}

#[actix_web::test]
async fn a_rule_goes_from_off_to_shadow_to_live_while_orders_come() {
    let shop = Shop::open().await;
    shop.sells("EVERY", 100, doorbuster::catalog::StockPolicy::Untracked, 0).await;
    let done = Cell::new(false);
    let asked = Cell::new(0_u32);
    let orders = async {
        while !done.get() {
            let body = order(&[("EVERY", 1)], "success_token");
            let answer = shop.post("/v1/orders", &body).await;
            assert_eq!(answer.status, 201, "{}", answer.json());
            // Whatever is changed meanwhile: a rule that matches and is live decides.
            let considered = consider(&shop, "d1");
            let hit = considered.hits.iter().find(|hit| hit.rule == "stop_it");
            let live = hit.is_some_and(|hit| !hit.shadow);
            assert_eq!(considered.outcome == Some(Outcome::Decline), live, "{considered:?}");
            asked.set(asked.get() + 1);
        }
    };
    let changes = async {
        let made = shop.put(RULE, &rule("amount > 50.0 && device == \"d1\"", "off")).await;
        assert_eq!((&made["version"], &made["mode"]), (&json!(1), &json!("off")), "{made}");
        assert_eq!(consider(&shop, "d1"), Considered::default());
        let mode = format!("{RULE}/mode");
        let shadow = json!({"mode": "shadow", "reason": "see what it stops"});
        assert_eq!(shop.put(&mode, &shadow).await["version"], 2);
        let considered = consider(&shop, "d1");
        assert_eq!((considered.outcome, considered.hits.len()), (None, 1));
        assert!(considered.hits[0].shadow && considered.hits[0].version == 2);
        let live = json!({"mode": "live", "reason": "it stops testers alone"});
        assert_eq!(shop.put(&mode, &live).await["version"], 3);
        let considered = consider(&shop, "d1");
        assert_eq!(considered.outcome, Some(Outcome::Decline));
        assert_eq!(considered.decided_by.as_deref(), Some("stop_it"));
        assert_eq!(consider(&shop, "d2"), Considered::default());
        let off = json!({"mode": "off", "reason": "it stops a school too"});
        assert_eq!(shop.put(&mode, &off).await["version"], 4);
        assert_eq!(consider(&shop, "d1"), Considered::default());
        let before = asked.get();
        while asked.get() < before + 3 {
            tokio::task::yield_now().await;
        }
        done.set(true);
    };
    futures_util::future::join(orders, changes).await;
    let versions = shop.get(&format!("{RULE}/versions?limit=3")).await.json();
    let told = |value: &Value| value["mode"].as_str().unwrap_or_default().to_owned();
    let items = versions["items"].as_array().expect("items");
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), ["off", "live", "shadow"]);
    assert_eq!(items[1]["reason"], "it stops testers alone");
    assert_eq!(items[1]["author"], "anonymous");
    let rest =
        format!("{RULE}/versions?cursor={}", versions["next_cursor"].as_str().expect("more"));
    assert_eq!(shop.get(&rest).await.json()["items"][0]["version"], 1);
}

#[actix_web::test]
async fn a_wrong_expression_is_pointed_at() {
    let shop = Shop::open().await;
    let wrong = rule("amount > 50.0 &&\n  emial == \"x\"", "live");
    let saved = shop.ask(Method::PUT, RULE, &wrong).await;
    let checked = shop.post("/v1/rules/check", &wrong).await;
    for answer in [saved, checked] {
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], "/expression");
        let place = &problem["place"];
        assert_eq!(
            (&place["offset"], &place["line"], &place["column"]),
            (&json!(19), &json!(2), &json!(3))
        );
        assert_eq!(place["excerpt"], "  emial == \"x\"\n  ^");
        assert!(problem["detail"].as_str().expect("a text").contains("did you mean `email`"));
    }
    shop.get(RULE).await.problem(404, "not_found");
    let good = json!({"expression": "listed(ip, \"blocked_ips\") && !cvc", "pass": "after"});
    let checked = shop.add("/v1/rules/check", &good).await;
    assert_eq!(checked, json!({"uses": ["ip", "cvc"], "lists": ["blocked_ips"]}));
    let early = shop.post("/v1/rules/check", &json!({"expression": "!cvc"})).await;
    assert_eq!(early.problem(422, "invalid_request")["place"]["offset"], 1);
}

#[actix_web::test]
async fn what_is_asked_for_wrongly_is_told() {
    let shop = Shop::open().await;
    let put = async |path: &str, body: Value| shop.ask(Method::PUT, path, &body).await;
    for (path, body, pointer) in [
        (RULE, json!({"action": "block", "reason": "x"}), "/expression"),
        (RULE, json!({"expression": "true", "action": "stop", "reason": "x"}), "/action"),
        (RULE, json!({"expression": "true", "action": "block"}), "/reason"),
        (RULE, json!({"expression": "true", "action": "block", "reason": " "}), "/reason"),
        (RULE, rule("true", "on"), "/mode"),
        (
            RULE,
            json!({"expression": "true", "action": "challenge", "pass": "after", "reason": "x"}),
            "/action",
        ),
        ("/v1/lists/mine", json!({"kind": "cards"}), "/kind"),
        ("/v1/lists/blocked_ips", json!({"kind": "card"}), "/kind"),
    ] {
        let problem = put(path, body).await.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], pointer, "{problem}");
    }
    put("/v1/rules/Stop-it", rule("true", "off")).await.problem(422, "invalid_request");
    put("/v1/rules/check", rule("true", "off")).await.problem(405, "method_not_allowed");
    let mode = json!({"mode": "live", "reason": "x"});
    put("/v1/rules/nobody/mode", mode).await.problem(404, "not_found");
    shop.get("/v1/lists/nobody").await.problem(404, "not_found");
    let entry = json!({"entries": [{"value": "192.0.2.1"}, {"value": "somewhere"}]});
    let refused = shop.post("/v1/lists/blocked_ips/entries", &entry).await;
    assert_eq!(refused.problem(422, "invalid_request")["pointer"], "/entries/1/value");
    let past =
        json!({"kind": "device", "value": "d", "until": "2020-01-01T00:00:00Z", "reason": "x"});
    let refused = shop.post("/v1/rules/allow_trusted/snoozes", &past).await;
    assert_eq!(refused.problem(422, "invalid_request")["pointer"], "/until");
}

#[actix_web::test]
async fn a_change_is_made_once_and_not_over_another() {
    let shop = Shop::open().await;
    let body = rule("amount > 50.0", "shadow");
    let first = shop.ask_as("k1", Method::PUT, RULE, &body).await;
    assert_eq!(first.header("etag"), Some("\"1\""));
    let version = shop.door.rules.current().version();
    let again = shop.ask_as("k1", Method::PUT, RULE, &body).await;
    assert_eq!((&again.bytes, again.header("idempotent-replayed")), (&first.bytes, Some("true")));
    assert_eq!(shop.door.rules.current().version(), version);
    let other = shop.ask_as("k1", Method::PUT, RULE, &rule("amount > 60.0", "shadow")).await;
    other.problem(422, "idempotency_conflict");
    shop.put(RULE, &rule("amount > 70.0", "shadow")).await;
    let stale = TestRequest::put()
        .uri(RULE)
        .insert_header(("idempotency-key", fresh_key()))
        .insert_header(("if-match", "\"1\""))
        .set_payload(rule("amount > 80.0", "shadow").to_string());
    shop.send(stale).await.problem(412, "version_mismatch");
    assert_eq!(shop.get(RULE).await.json()["expression"], "amount > 70.0");
}

#[actix_web::test]
async fn lists_and_snoozes_work_at_once() {
    let shop = Shop::open().await;
    shop.put("/v1/lists/bad_devices", &json!({"kind": "device", "note": "seen in fraud"})).await;
    shop.put(RULE, &rule("listed(device, \"bad_devices\")", "live")).await;
    assert_eq!(consider(&shop, "d1").outcome, None);
    let entries = "/v1/lists/bad_devices/entries";
    shop.add(entries, &json!({"value": "d1", "note": "order 7"})).await;
    let far = shop.door.clock.now().plus(Duration::from_secs(3600));
    let many = json!({"entries": [{"value": "a/b"}, {"value": "d2", "expires_at": far}]});
    assert_eq!(shop.add(entries, &many).await, json!({"saved": 2}));
    assert_eq!(consider(&shop, "d1").outcome, Some(Outcome::Decline));
    let page = shop.get(&format!("{entries}?limit=2")).await.json();
    assert_eq!(page["next_cursor"], "d1", "{page}");
    let rest = shop.get(&format!("{entries}?cursor=d1")).await.json();
    assert_eq!((&rest["items"][0]["value"], &rest["next_cursor"]), (&json!("d2"), &Value::Null));
    assert_eq!(shop.get("/v1/lists/bad_devices").await.json()["entries"], 3);

    let snoozes = format!("{RULE}/snoozes");
    let snooze = json!({"kind": "device", "value": "d1", "until": far, "reason": "a library"});
    shop.add(&snoozes, &snooze).await;
    assert_eq!(consider(&shop, "d1").outcome, None);
    assert_eq!(consider(&shop, "d2").outcome, Some(Outcome::Decline));
    assert_eq!(shop.get(&snoozes).await.json()["items"][0]["reason"], "a library");
    let ended = shop.ask(Method::DELETE, &format!("{snoozes}/device/d1"), &json!({})).await;
    assert_eq!(ended.json()["ended"], true);
    assert_eq!(consider(&shop, "d1").outcome, Some(Outcome::Decline));

    for (value, removed) in [("d1", true), ("d1", false), ("a/b", true)] {
        let gone = shop.ask(Method::DELETE, &format!("{entries}/{value}"), &json!({})).await;
        assert_eq!(gone.json()["removed"], removed, "{value}");
    }
    assert_eq!(consider(&shop, "d1").outcome, None);
}

#[actix_web::test]
async fn the_language_and_the_starters_are_listed() {
    let shop = Shop::open().await;
    let language = shop.get("/v1/rules/language").await.json();
    let variables = language["variables"].as_array().expect("variables");
    let email = variables.iter().find(|row| row["name"] == "email").expect("email");
    assert_eq!((&email["type"], &email["list"]), (&json!("text"), &json!("email")));
    assert!(language["functions"].as_array().is_some_and(|rows| rows.len() > 10));
    let first = shop.get("/v1/rules?limit=3").await.json();
    let cursor = first["next_cursor"].as_str().expect("more").to_owned();
    let rest = shop.get(&format!("/v1/rules?cursor={cursor}")).await.json();
    let count = |page: &Value| page["items"].as_array().map_or(0, Vec::len);
    assert!(count(&first) == 3 && count(&rest) >= 9, "{rest}");
    let all = first["items"].as_array().into_iter().chain(rest["items"].as_array()).flatten();
    assert!(all.into_iter().all(|rule| rule["mode"] == "shadow" && rule["author"] == "doorbuster"));
}

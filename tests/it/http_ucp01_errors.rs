//! Every way in which UCP 2026-01-11 says no here: the table in docs/PROTOCOLS.md and the column of
//! the guide `/docs/errors` are the ones that are tested.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{base::Limits, catalog::StockPolicy};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    http_errors::{Cell, shape, table},
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::{furnish, with},
    http_ucp01::{
        ENDPOINT, SESSIONS, check, created, home, items, path_of, pay, request, say, say_as, sent,
        update,
    },
};

/// What a row of the table says: status and code.
type Row = (u16, String);

/// The rows of docs/PROTOCOLS.md.
fn documented() -> BTreeSet<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PROTOCOLS.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let (_, section) = document.split_once("### Errors over UCP 2026-01-11").expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let rows = rows.filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        Some((cells.get(1)?.parse().ok()?, cells.get(2)?.to_string()))
    });
    rows.collect()
}

/// What nothing from outside provokes here, and where it is looked at.
const BY_ITSELF: &[(&str, &str)] = &[
    ("body_timeout", "needs a slow line: http_door.rs"),
    ("internal_error", "a fault of ours: http_door.rs"),
    ("ledger_unreachable", "needs a dead server: process/outages.rs"),
    ("checkout_busy", "needs a crowd at one cart: checkout/actors.rs"),
    ("payment_unavailable", "needs a dead gateway: checkout/failures.rs"),
    ("unpaid", "needs a shop that captures later: http_order_money.rs"),
    ("cannot_record", "needs a race within one order: ledger_contract/known.rs"),
    ("signature_missing", "needs a shop that wants signatures: http_signed.rs"),
    ("signature_invalid", "needs a signed request: http_signed.rs"),
    ("key_not_found", "needs a signed request: http_signed.rs"),
    ("digest_mismatch", "needs a signed request: http_signed.rs"),
    ("algorithm_unsupported", "needs a signed request: http_signed.rs"),
    ("profile_malformed", "needs a platform's server: http_signed.rs"),
    ("profile_unreachable", "needs a platform's server: http_signed.rs"),
];

/// What was seen so far, held against the guide's table.
struct Seen {
    rows: BTreeSet<Row>,
    table: BTreeMap<Cell, Vec<String>>,
    untrue: Vec<String>,
}

impl Seen {
    /// Takes an answer down, which must be an error about this field.
    fn note(&mut self, answer: &Answer, pointer: Option<&str>) {
        check(SESSIONS, answer);
        let body = answer.json();
        assert!(answer.status.as_u16() >= 400, "{body}");
        assert_eq!(body["pointer"].as_str(), pointer, "{body}");
        assert_eq!(body["messages"][0]["content"], body["detail"]);
        assert!(answer.status != 503 || answer.header("retry-after").is_some(), "{body}");
        let code = body["code"].as_str().expect("a code").to_owned();
        let told = shape("ucp01", answer.status.as_u16(), &body);
        let cell = self.table.get(&("ucp01".to_owned(), code.clone()));
        if cell != Some(&told) {
            self.untrue.push(format!("{code} is {told:?}, in the table {cell:?}: {body}"));
        }
        self.rows.insert((answer.status.as_u16(), code));
    }
}

/// What is wrong with the request itself.
async fn see_requests(shop: &Shop, seen: &mut Seen) {
    let broken = request("POST", SESSIONS, "k", &Value::Null)
        .insert_header(("content-length", 1))
        .set_payload("{");
    seen.note(&shop.send(broken).await, None);
    let good = items(&[("EBOOK", 1)]);
    for version in ["2026-04-08", "2099-01-01"] {
        let header = ("ucp-agent", format!(r#"profile="https://a.example"; version="{version}""#));
        let other = request("POST", SESSIONS, "v", &good).insert_header(header);
        seen.note(&shop.send(other).await, None);
    }
    seen.note(&shop.send(TestRequest::post().uri(SESSIONS)).await, None);
    seen.note(&say_as(shop, "a b", "POST", SESSIONS, &json!({})).await, None);
    seen.note(&say(shop, "DELETE", SESSIONS, &json!({})).await, None);
    seen.note(&say(shop, "POST", &format!("{ENDPOINT}/nowhere"), &json!({})).await, None);
    seen.note(&say(shop, "GET", &format!("{SESSIONS}/x"), &Value::Null).await, None);
    let packed = request("POST", SESSIONS, &fresh_key(), &good);
    seen.note(&shop.send(packed.insert_header(("content-encoding", "gzip"))).await, None);
    let large = with(good.clone(), "metadata", json!({"x": "y".repeat(4096)}));
    seen.note(&say(shop, "POST", SESSIONS, &large).await, None);
    let card = with(good.clone(), "note", json!("4111 1111 1111 1111"));
    seen.note(&say(shop, "POST", SESSIONS, &card).await, Some("/note"));
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        body
    };
    let methods = |methods: Value| with(good.clone(), "fulfillment", json!({"methods": methods}));
    for (wrong, pointer) in [
        (without("currency"), "/currency"),
        (without("payment"), "/payment"),
        (without("line_items"), "/line_items"),
        (with(good.clone(), "payment", json!([])), "/payment"),
        (with(good.clone(), "payment", json!({"instruments": [{}]})), "/payment/instruments/0/id"),
        (with(good.clone(), "line_items", json!([{"quantity": 1}])), "/line_items/0/item"),
        (items(&[("EBOOK", 0)]), "/line_items/0/quantity"),
        (items(&[("EBOOK", 2_000_000)]), "/line_items/0/quantity"),
        (with(good.clone(), "currency", json!("xyz")), "/currency"),
        (with(good.clone(), "buyer", json!({"email": "x"})), "/buyer/email"),
        (methods(json!([{"type": "drone"}])), "/fulfillment/methods/0/type"),
        (methods(json!([{"type": "shipping"}, {"type": "pickup"}])), "/fulfillment/methods"),
    ] {
        seen.note(&say(shop, "POST", SESSIONS, &wrong).await, Some(pointer));
    }
}

/// What cannot be sold.
async fn see_sales(shop: &Shop, seen: &mut Seen) {
    let line = Some("/line_items/0");
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("GONE", 1)])).await, line);
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("CAP", 2)])).await, line);
    let dollars = with(items(&[("TEE", 1)]), "currency", json!("USD"));
    seen.note(&say(shop, "POST", SESSIONS, &dollars).await, line);
    shop.sells("DEAR", i64::MAX / 4, StockPolicy::Untracked, 0).await;
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("DEAR", 9)])).await, None);
}

/// What cannot be paid for, and what can no longer change.
async fn see_payments(shop: &Shop, seen: &mut Seen) {
    let body = created(shop, &items(&[("TEE", 1)])).await;
    let (session, id) = (path_of(&body), body["id"].clone());
    let (complete, cancel) = (format!("{session}/complete"), format!("{session}/cancel"));
    seen.note(&say(shop, "POST", &complete, &pay("success_token")).await, None);
    let away = sent(home("JP"), Some("dest_1"), None);
    update(shop, &body, &[("fulfillment", away)]).await;
    seen.note(&say(shop, "POST", &complete, &pay("success_token")).await, None);
    let here = sent(home("DE"), Some("dest_1"), Some("standard"));
    update(shop, &body, &[("fulfillment", here)]).await;
    let mut lacks = pay("success_token");
    lacks["payment_data"].as_object_mut().expect("an object").remove("brand");
    seen.note(&say(shop, "POST", &complete, &lacks).await, Some("/payment_data/brand"));
    seen.note(&say(shop, "POST", &complete, &pay("fail_token")).await, None);
    let wrong = with(items(&[("TEE", 1)]), "id", json!("chk_0"));
    seen.note(&say(shop, "PUT", &session, &wrong).await, Some("/id"));
    let stale = with(items(&[("TEE", 1)]), "id", id.clone());
    let stale = request("PUT", &session, &fresh_key(), &stale).insert_header(("if-match", "\"1\""));
    seen.note(&shop.send(stale).await, None);
    let key = fresh_key();
    let paid = say_as(shop, &key, "POST", &complete, &pay("success_token")).await;
    assert_eq!(paid.json()["status"], "completed");
    seen.note(&say_as(shop, &key, "POST", &complete, &pay("fail_token")).await, None);
    seen.note(&say(shop, "POST", &cancel, &json!({})).await, None);
    let theirs = shop.post("/ucp/checkout-sessions", &super::http_ucp::cart(&[("TEE", 1)])).await;
    let theirs = theirs.json()["id"].as_str().expect("an id").to_owned();
    seen.note(&say(shop, "GET", &format!("{SESSIONS}/{theirs}"), &Value::Null).await, None);

    let path = format!("{ENDPOINT}/orders/{}", paid.json()["order"]["id"].as_str().expect("an id"));
    let line = &body["line_items"][0]["id"];
    let told = |kind: &str, list: &str, quantity: u32| {
        let one = json!({"id": kind, "type": kind, "occurred_at": "2026-11-28T08:00:00Z",
            "status": "completed", "line_items": [{"id": line, "quantity": quantity}]});
        match list {
            "events" => json!({"fulfillment": {"events": [one]}}),
            _ => json!({"adjustments": [one]}),
        }
    };
    seen.note(&say(shop, "PUT", &path, &told("shipped", "events", 2)).await, None);
    let refund = |id: &str| {
        json!({"adjustments": [{"id": id, "type": "refund", "status": "pending", "amount": 2000,
            "occurred_at": "2026-11-28T08:00:00Z"}]})
    };
    assert_eq!(say(shop, "PUT", &path, &refund("a")).await.status, 200);
    seen.note(&say(shop, "PUT", &path, &refund("b")).await, None);
}

/// What waits for a person neither leaves nor is paid back.
async fn see_reviews(shop: &Shop, seen: &mut Seen) {
    let buyer = json!({"email": "fraud-review@example.com"});
    let body = created(shop, &with(items(&[("EBOOK", 1)]), "buyer", buyer)).await;
    let complete = format!("{}/complete", path_of(&body));
    let paid = say(shop, "POST", &complete, &pay("success_token")).await.json();
    let path = format!("{ENDPOINT}/orders/{}", paid["order"]["id"].as_str().expect("an id"));
    let lines = json!([{"id": body["line_items"][0]["id"], "quantity": 1}]);
    let mut told = json!({"id": "x", "type": "shipped", "status": "pending",
        "occurred_at": "2026-11-28T08:00:00Z", "line_items": lines});
    let shipped = json!({"fulfillment": {"events": [told]}});
    seen.note(&say(shop, "PUT", &path, &shipped).await, None);
    told["type"] = json!("cancellation");
    told["amount"] = json!(1);
    seen.note(&say(shop, "PUT", &path, &json!({"adjustments": [told]})).await, None);
}

/// What somebody else took while the checkout stood still.
async fn see_lapses(seen: &mut Seen) {
    let shop = Shop::open().await;
    let one = json!({"title": "First", "code": "FIRST", "usage_limit": 1,
        "benefit": {"kind": "percent", "basis_points": 1_000}});
    let kept = shop.ask(Method::PUT, "/v1/discounts/first", &one).await;
    assert_eq!(kept.status, 200, "{}", kept.json());
    let wish = with(items(&[("EBOOK", 1)]), "discounts", json!({"codes": ["FIRST"]}));
    let body = created(&shop, &wish).await;
    shop.post("/v1/testing/clock", &json!({"advance_seconds": 601})).await;
    let other = created(&shop, &wish).await;
    assert_eq!(other["discounts"]["applied"][0]["code"], "FIRST", "{other}");
    let complete = format!("{}/complete", path_of(&body));
    seen.note(&say(&shop, "POST", &complete, &pay("success_token")).await, None);
}

/// What takes too long.
async fn see_deadlines(seen: &mut Seen) {
    let limits = Limits { request_seconds: 1, ..Limits::default() };
    let shop = Shop::with_slow_bank(limits, 1500, Duration::from_millis(500)).await;
    let complete = format!("{}/complete", path_of(&created(&shop, &items(&[("TEE", 1)])).await));
    seen.note(&say(&shop, "POST", &complete, &pay("slow_token")).await, None);
}

/// What is under way, and what is too much at once.
async fn see_crowds(seen: &mut Seen) {
    let shop = Shop::with_slow_bank(Limits::default(), 1000, Duration::from_millis(50)).await;
    let body = created(&shop, &items(&[("TEE", 1)])).await;
    let session = path_of(&body);
    let complete = format!("{session}/complete");
    let twin = shop.twin();
    let pays = pay("slow_token");
    let slow = say_as(&shop, "k", "POST", &complete, &pays);
    let meanwhile = async {
        loop {
            let seen = say(&twin, "GET", &session, &Value::Null).await.json();
            if seen["status"] == "complete_in_progress" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let again = say_as(&twin, "k", "POST", &complete, &pays).await;
        (again, say(&twin, "POST", &format!("{session}/cancel"), &json!({})).await)
    };
    let (_, (again, cancel)) = tokio::join!(slow, meanwhile);
    seen.note(&again, None);
    seen.note(&cancel, None);
    let shop = Shop::with(Limits { in_flight: 0, ..Limits::default() }).await;
    seen.note(&say(&shop, "POST", SESSIONS, &json!({})).await, None);
    let shop = Shop::open().await;
    shop.door.draining.begin();
    seen.note(&say(&shop, "POST", SESSIONS, &json!({})).await, None);
    let (shop, keys) = Shop::open().await.with_keys(1).await;
    seen.note(&say(&shop, "POST", SESSIONS, &json!({})).await, None);
    let path = format!("{ENDPOINT}/orders/ord_01a20ad0ec9975c19b1db9c581e57a24");
    let told = request("PUT", &path, &fresh_key(), &json!({}));
    let told = told.insert_header(("x-api-key", keys[0].as_str()));
    seen.note(&shop.send(told).await, None);
}

#[actix_web::test]
async fn every_no_is_in_the_table_and_the_table_says_nothing_else() {
    let mut seen = Seen { rows: BTreeSet::new(), table: table().await, untrue: Vec::new() };
    let small = Limits { body_bytes: 4096, ..Limits::default() };
    let shop = Shop::with(small).await;
    see_requests(&shop, &mut seen).await;
    see_sales(&shop, &mut seen).await;
    furnish(&shop).await;
    see_payments(&shop, &mut seen).await;
    see_reviews(&shop, &mut seen).await;
    see_lapses(&mut seen).await;
    see_deadlines(&mut seen).await;
    see_crowds(&mut seen).await;
    assert_eq!(seen.rows, documented());
    assert!(seen.untrue.is_empty(), "{}", seen.untrue.join("\n"));
    let codes: BTreeSet<_> = seen.rows.iter().map(|(_, code)| code.as_str()).collect();
    let here = seen.table.keys().filter(|(protocol, _)| protocol == "ucp01");
    let unseen = here.map(|(_, code)| code.as_str()).filter(|code| !codes.contains(code));
    let by_itself: BTreeSet<_> = BY_ITSELF.iter().map(|(code, _)| *code).collect();
    assert_eq!(unseen.collect::<BTreeSet<_>>(), by_itself, "seen or unseen, not as it is said");
}

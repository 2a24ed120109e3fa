//! Every way in which the Agentic Commerce Protocol says no here: the table in docs/PROTOCOLS.md is
//! the one that is tested.

use actix_web::test::TestRequest;
use doorbuster::base::Limits;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

use super::{
    http_acp::{SESSIONS, VERSION, created, items, path_of, pay, read, request, say, say_as, send},
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::with,
};

/// What a row of the table says: status, type and code.
type Row = (u16, String, String);

/// The rows of docs/PROTOCOLS.md.
fn documented() -> BTreeSet<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PROTOCOLS.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let (_, section) = document.split_once("### Errors over ACP").expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let rows = rows.filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let status = cells.get(1)?.parse().ok()?;
        Some((status, cells.get(2)?.to_string(), cells.get(3)?.to_string()))
    });
    rows.collect()
}

/// What was seen so far.
#[derive(Default)]
struct Seen(BTreeSet<Row>);

impl Seen {
    /// Takes an answer down, which must be an error about this field.
    fn note(&mut self, answer: &Answer, param: Option<&str>) {
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty(), "{body}");
        assert_eq!(body["param"].as_str(), param, "{body}");
        assert_eq!(body["supported_versions"].is_array(), text("code") == "version_unsupported");
        assert!(answer.status != 503 || answer.header("retry-after").is_some(), "{body}");
        self.0.insert((answer.status.as_u16(), text("type"), text("code")));
    }
}

/// What is wrong with the request itself.
async fn see_requests(shop: &Shop, seen: &mut Seen) {
    let broken = request("POST", SESSIONS, "k", &Value::Null)
        .insert_header(("content-length", 1))
        .set_payload("{");
    seen.note(&send(shop, SESSIONS, broken).await, None);
    let versions = [None, Some("2025-09-29")];
    for version in versions {
        let mut request = TestRequest::get().uri("/acp/checkout_sessions/x");
        if let Some(version) = version {
            request = request.insert_header(("api-version", version));
        }
        seen.note(&send(shop, SESSIONS, request).await, None);
    }
    let without_key = TestRequest::post().uri(SESSIONS).insert_header(("api-version", VERSION));
    seen.note(&send(shop, SESSIONS, without_key).await, None);
    seen.note(&say_as(shop, "a b", "POST", SESSIONS, &json!({})).await, None);
    seen.note(&say(shop, "DELETE", SESSIONS, &json!({})).await, None);
    seen.note(&say(shop, "POST", "/acp/nowhere", &json!({})).await, None);
    let large = with(items(&[("TEE", 1)]), "metadata", json!({"x": "y".repeat(4096)}));
    seen.note(&say(shop, "POST", SESSIONS, &large).await, None);
    let packed = request("POST", SESSIONS, &fresh_key(), &items(&[("TEE", 1)]));
    seen.note(&shop.send(packed.insert_header(("content-encoding", "gzip"))).await, None);
    let card = with(items(&[("TEE", 1)]), "order_notes", json!("4111 1111 1111 1111"));
    seen.note(&say(shop, "POST", SESSIONS, &card).await, Some("$.order_notes"));
    for (wrong, param) in [
        (json!({"currency": "eur"}), "$.line_items"),
        (items(&[]), "$.line_items"),
        (json!({"line_items": [{"quantity": 1}]}), "$.line_items[0].id"),
        (items(&[("TEE", 0)]), "$.line_items[0].quantity"),
        (with(items(&[("TEE", 1)]), "currency", json!("xyz")), "$.currency"),
        (with(items(&[("TEE", 1)]), "buyer", json!({"email": "x"})), "$.buyer.email"),
        (items(&[("TEE", 2_000_000)]), "$.line_items[0].quantity"),
    ] {
        seen.note(&say(shop, "POST", SESSIONS, &wrong).await, Some(param));
    }
    let drone = json!([{"type": "local_delivery", "option_id": "x", "item_ids": []}]);
    let drone = with(items(&[("TEE", 1)]), "selected_fulfillment_options", drone);
    let param = Some("$.selected_fulfillment_options[0].type");
    seen.note(&say(shop, "POST", SESSIONS, &drone).await, param);
}

/// What cannot be sold, and what can no longer change.
async fn see_sessions(shop: &Shop, seen: &mut Seen) {
    let line = Some("$.line_items[0]");
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("GONE", 1)])).await, line);
    let dollars = with(items(&[("TEE", 1)]), "currency", json!("usd"));
    seen.note(&say(shop, "POST", SESSIONS, &dollars).await, line);
    let dear = i64::MAX / 4;
    shop.sells("DEAR", dear, doorbuster::catalog::StockPolicy::Untracked, 0).await;
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("DEAR", 9)])).await, None);
    let last = path_of(&created(shop, &items(&[("CAP", 1)])).await);
    seen.note(&say(shop, "POST", SESSIONS, &items(&[("CAP", 1)])).await, line);
    let (complete, cancel) = (format!("{last}/complete"), format!("{last}/cancel"));
    for (field, param) in [("token", "token"), ("credential", "credential")] {
        let mut payment = pay("success_token");
        let instrument = &mut payment["payment_data"]["instrument"];
        if field == "token" {
            instrument["credential"] = json!({"type": "spt"});
        } else {
            instrument.as_object_mut().expect("an object").remove(field);
        }
        let at = if field == "token" { ".credential" } else { "" };
        let param = format!("$.payment_data.instrument{at}.{param}");
        seen.note(&say(shop, "POST", &complete, &payment).await, Some(&param));
    }
    let denied = with(pay("success_token"), "authentication_result", json!({"outcome": "denied"}));
    let param = Some("$.authentication_result.outcome");
    seen.note(&say(shop, "POST", &complete, &denied).await, param);
    let key = fresh_key();
    let paid = say_as(shop, &key, "POST", &complete, &pay("success_token")).await;
    assert_eq!(paid.json()["status"], "completed");
    let other = pay("fail_token");
    seen.note(&say_as(shop, &key, "POST", &complete, &other).await, None);
    seen.note(&say(shop, "POST", &cancel, &json!({})).await, None);
    seen.note(&say(shop, "POST", &complete, &other).await, None);
    let theirs = shop.post("/ucp/checkout-sessions", &super::http_ucp::cart(&[("TEE", 1)])).await;
    let theirs = theirs.json()["id"].as_str().expect("an id").to_owned();
    seen.note(&say(shop, "POST", &format!("{SESSIONS}/{theirs}/cancel"), &json!({})).await, None);
}

/// What is under way, and what is too much at once.
async fn see_crowds(seen: &mut Seen) {
    let shop = Shop::with_slow_bank(Limits::default(), 1000, Duration::from_millis(50)).await;
    let session = path_of(&created(&shop, &items(&[("TEE", 1)])).await);
    let complete = format!("{session}/complete");
    let body = pay("slow_token");
    let twin = shop.twin();
    let slow = say_as(&shop, "k", "POST", &complete, &body);
    let meanwhile = async {
        while read(&twin, &session).await.json()["status"] != "complete_in_progress" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let again = say_as(&twin, "k", "POST", &complete, &body).await;
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
    let (shop, _) = Shop::open().await.with_keys(1).await;
    seen.note(&say(&shop, "POST", SESSIONS, &json!({})).await, None);
}

#[actix_web::test]
async fn every_no_is_in_the_table_and_the_table_says_nothing_else() {
    let mut seen = Seen::default();
    let small = Limits { body_bytes: 4096, ..Limits::default() };
    let shop = Shop::with(small).await;
    see_requests(&shop, &mut seen).await;
    see_sessions(&shop, &mut seen).await;
    see_crowds(&mut seen).await;
    assert_eq!(seen.0, documented());
}

//! Every way in which each protocol says no: the table of the guide `/docs/errors` is the one that
//! is tested. What nothing from outside provokes is looked at by itself.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    access::Scope,
    base::Limits,
    catalog::StockPolicy,
    http::{
        docs::errors,
        kinds::Kind,
        problem::{Problem, Scene},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{
    http_acp,
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
    http_storefront::with,
    http_ucp,
    http_v1::order,
};

/// A protocol and a code: `acp`, `not_found`.
pub(crate) type Cell = (String, String);

/// What nothing from outside provokes here, and why; of UCP 2026-01-11: http_ucp01_errors.rs.
const BY_ITSELF: &[(&str, &[&str], &str)] = &[
    ("body_timeout", &["v1", "ucp", "acp"], "needs a slow line: http_door.rs"),
    ("internal_error", &["v1", "ucp", "acp"], "a fault of ours: http_door.rs"),
    ("ledger_unreachable", &["v1", "ucp", "acp"], "needs a dead server: process/outages.rs"),
    ("checkout_busy", &["v1", "ucp", "acp"], "needs a crowd at one cart: checkout/actors.rs"),
    ("payment_unavailable", &["v1"], "needs a dead gateway: checkout/failures.rs"),
    ("checkout_completing", &["v1"], "needs a race within one order: ledger_contract/payment.rs"),
    ("checkout_ended", &["v1"], "the express lane ends its own checkouts: checkout/crashes.rs"),
    ("delivery_open", &["v1"], "needs a shop where it must be chosen: checkout/quote.rs"),
    ("digest_mismatch", &["ucp"], "needs a signed request: http_signed.rs"),
    ("algorithm_unsupported", &["ucp"], "needs a signed request: http_signed.rs"),
    ("signature_missing", &["ucp"], "needs a shop that wants signatures: http_signed.rs"),
    ("signature_invalid", &["ucp"], "needs a signed request: http_signed.rs"),
    ("key_not_found", &["ucp"], "needs a signed request: http_signed.rs"),
    ("profile_malformed", &["ucp"], "needs a platform's server: http_signed.rs"),
    ("profile_unreachable", &["ucp"], "needs a platform's server: http_signed.rs"),
    ("not_captured", &["v1"], "needs a review that voids: http_shop.rs"),
    ("last_admin_key", &["v1"], "needs a shop that has keys: http_api_keys.rs"),
    ("already_shipped", &["v1"], "needs an order of goods that left: http_order_money.rs"),
    ("unpaid", &["v1"], "needs a shop that captures later: http_order_money.rs"),
    ("nothing_authorized", &["v1"], "needs a shop that captures later: http_order_money.rs"),
    ("capture_too_large", &["v1"], "needs a shop that captures later: http_order_money.rs"),
];

/// The table as the guide shows it: the words of each cell.
pub(crate) async fn table() -> BTreeMap<Cell, Vec<String>> {
    let shop = Shop::open().await;
    let page = String::from_utf8(shop.get("/docs/errors").await.bytes).expect("text");
    let mut table = BTreeMap::new();
    for row in page.split("<tr data-code=\"").skip(1) {
        let (code, row) = row.split_once('"').expect("a code");
        let row = row.split("</tr>").next().expect("its end");
        for cell in row.split("<td data-in=\"").skip(1) {
            let (protocol, cell) = cell.split_once("\">").expect("a protocol");
            let words = cell.split("</td>").next().expect("its end").split("<br>");
            let words = words.map(str::to_owned).collect();
            let before = table.insert((protocol.to_owned(), code.to_owned()), words);
            assert_eq!(before, None, "{protocol} {code} stands there twice");
        }
    }
    table
}

/// What was seen so far, held against the table.
struct Seen {
    table: BTreeMap<Cell, Vec<String>>,
    cells: BTreeSet<Cell>,
    faults: Vec<String>,
}

impl Seen {
    /// Takes an answer down, which must be told as the table says.
    fn note(&mut self, protocol: &str, code: &str, answer: &Answer) {
        let cell = (protocol.to_owned(), code.to_owned());
        let told = shape(protocol, answer.status.as_u16(), &answer.json());
        let media = if protocol == "acp" { "application/json" } else { "application/problem+json" };
        let is_dated = answer.status != 503 || answer.header("retry-after").is_some();
        let holds = self.table.get(&cell) == Some(&told)
            && answer.header("content-type") == Some(media)
            && is_dated;
        if !holds {
            let (table, body) = (self.table.get(&cell), answer.json());
            self.faults.push(format!("{cell:?} is {told:?}, in the table {table:?}: {body}"));
        }
        self.cells.insert(cell);
    }
}

/// The words of an answer, in the order of the table.
pub(crate) fn shape(protocol: &str, status: u16, body: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = &body["messages"][0];
    let words = match protocol {
        "v1" => vec![text(&body["code"])],
        "ucp" | "ucp01" => {
            vec![text(&body["code"]), text(&message["code"]), text(&message["severity"])]
        }
        _ => vec![text(&body["type"]), text(&body["code"])],
    };
    [status.to_string()].into_iter().chain(words).collect()
}

/// Where a protocol opens something, and what it sends.
fn opening(protocol: &str) -> (&'static str, Value) {
    match protocol {
        "v1" => ("/v1/orders", order(&[("TEE", 1)], "success_token")),
        "ucp" => (http_ucp::SESSIONS, http_ucp::cart(&[("TEE", 1)])),
        _ => (http_acp::SESSIONS, http_acp::items(&[("TEE", 1)])),
    }
}

/// A request in a protocol's words, under this key.
fn request(method: &str, path: &str, key: &str, body: &str) -> TestRequest {
    TestRequest::default()
        .method(method.parse().expect("a method"))
        .uri(path)
        .insert_header(("api-version", http_acp::VERSION))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", body.len()))
        .insert_header(("idempotency-key", key))
        .set_payload(body.to_owned())
}

async fn say_as(shop: &Shop, key: &str, path: &str, body: &Value) -> Answer {
    shop.send(request("POST", path, key, &body.to_string())).await
}

async fn say(shop: &Shop, path: &str, body: &Value) -> Answer {
    say_as(shop, &fresh_key(), path, body).await
}

const ALL: [&str; 3] = ["v1", "ucp", "acp"];

/// What is wrong with a request, whatever it asks for.
async fn see_requests(shop: &Shop, seen: &mut Seen) {
    for protocol in ALL {
        let (path, body) = opening(protocol);
        seen.note(protocol, "malformed_request", &shop.send(request("POST", path, "k", "{")).await);
        let without = TestRequest::post().uri(path);
        let without = without.insert_header(("api-version", http_acp::VERSION));
        seen.note(protocol, "idempotency_key_required", &shop.send(without).await);
        seen.note(protocol, "idempotency_key_invalid", &say_as(shop, "a b", path, &body).await);
        let nowhere = path.trim_end_matches(|letter| letter != '/').to_owned() + "nowhere";
        seen.note(protocol, "not_found", &say(shop, &nowhere, &body).await);
        let patch = shop.send(request("PATCH", path, "k", "{}")).await;
        seen.note(protocol, "method_not_allowed", &patch);
        seen.note(protocol, "invalid_request", &say(shop, path, &json!({})).await);
        let long = with(body.clone(), "buyer", json!({"first_name": "y".repeat(600)}));
        seen.note(protocol, "limit_exceeded", &say(shop, path, &long).await);
        let card = with(body.clone(), "order_notes", json!("4111 1111 1111 1111"));
        seen.note(protocol, "card_number_refused", &say(shop, path, &card).await);
        let packed = request("POST", path, &fresh_key(), "{}");
        let packed = shop.send(packed.insert_header(("content-encoding", "gzip"))).await;
        seen.note(protocol, "encoding_unsupported", &packed);
        let large = with(body.clone(), "metadata", json!({"x": "y".repeat(4096)}));
        seen.note(protocol, "body_too_large", &say(shop, path, &large).await);
        let key = fresh_key();
        assert!(say_as(shop, &key, path, &body).await.status.is_success());
        let another = json!({"first_name": "Eve", "email": "eve@example.com"});
        let other = with(body, "buyer", another);
        seen.note(protocol, "idempotency_conflict", &say_as(shop, &key, path, &other).await);
    }
    let agent = ("ucp-agent", "version=\"2023-01-01\"");
    let asks = request("POST", http_ucp::SESSIONS, "v", "{}").insert_header(agent);
    seen.note("ucp", "version_unsupported", &shop.send(asks).await);
    let asks = TestRequest::get().uri("/acp/checkout_sessions/x");
    seen.note("acp", "version_unsupported", &shop.send(asks).await);
}

/// What cannot be sold.
async fn see_goods(shop: &Shop, seen: &mut Seen) {
    shop.sells("DEAR", i64::MAX / 4, StockPolicy::Untracked, 0).await;
    let many = |protocol: &str, sku: &'static str, quantity: u32| match protocol {
        "v1" => order(&[(sku, quantity)], "success_token"),
        "ucp" => http_ucp::cart(&[(sku, quantity)]),
        _ => http_acp::items(&[(sku, quantity)]),
    };
    for protocol in ALL {
        let (path, _) = opening(protocol);
        seen.note(protocol, "total_too_large", &say(shop, path, &many(protocol, "DEAR", 9)).await);
    }
    for protocol in ["v1", "acp"] {
        let (path, body) = opening(protocol);
        seen.note(protocol, "item_unavailable", &say(shop, path, &many(protocol, "GONE", 1)).await);
        let dollars = with(body, "currency", json!("USD"));
        seen.note(protocol, "currency_mismatch", &say(shop, path, &dollars).await);
    }
    let hold = say(shop, http_ucp::SESSIONS, &many("ucp", "CAP", 1)).await;
    assert_eq!(hold.status, 201);
    for protocol in ["v1", "acp"] {
        let (path, _) = opening(protocol);
        seen.note(protocol, "out_of_stock", &say(shop, path, &many(protocol, "CAP", 1)).await);
    }
}

/// Why a payment, or an order in one request, is refused.
async fn see_payments(shop: &Shop, seen: &mut Seen) {
    let (path, _) = opening("v1");
    for (token, code) in
        [("fail_token", "payment_declined"), ("challenge_token", "payment_challenged")]
    {
        seen.note("v1", code, &say(shop, path, &order(&[("TEE", 1)], token)).await);
    }
    let body = || order(&[("TEE", 1)], "success_token");
    let other = with(with(body(), "expected_total", json!(1)), "currency", json!("EUR"));
    seen.note("v1", "total_changed", &say(shop, path, &other).await);
    let coded = with(body(), "discount_codes", json!(["NOPE"]));
    seen.note("v1", "discount_refused", &say(shop, path, &coded).await);
    let rate = json!({"title": "Standard", "service": "standard", "countries": ["DE"],
                      "amount_minor": 490, "currency": "EUR"});
    let kept = shop.ask(Method::PUT, "/v1/shipping-rates/standard", &rate).await;
    assert_eq!(kept.status, 200, "{}", kept.json());
    let far = with(body(), "shipping_address", json!({"address_country": "FR"}));
    let far = with(far, "delivery", json!({"method": "shipping", "option": "standard"}));
    seen.note("v1", "address_undeliverable", &say(shop, path, &far).await);
}

/// What a session of UCP or ACP can no longer do.
async fn see_sessions(shop: &Shop, seen: &mut Seen) {
    let opened = |answer: Answer| answer.json()["id"].as_str().expect("an id").to_owned();
    let mut ids = BTreeMap::new();
    for protocol in ["ucp", "acp"] {
        let (path, body) = opening(protocol);
        let id = opened(say(shop, path, &body).await);
        let pays = if protocol == "ucp" { http_ucp::pay } else { http_acp::pay };
        let paid = say(shop, &format!("{path}/{id}/complete"), &pays("success_token")).await;
        assert_eq!(paid.json()["status"], "completed");
        let cancel = say(shop, &format!("{path}/{id}/cancel"), &json!({})).await;
        let ended = if protocol == "ucp" { "checkout_ended" } else { "not_cancelable" };
        seen.note(protocol, ended, &cancel);
        let other = say(shop, &format!("{path}/{id}/complete"), &pays("fail_token")).await;
        seen.note(protocol, "checkout_ended", &other);
        ids.insert(protocol, opened(say(shop, path, &body).await));
    }
    for (protocol, other) in [("ucp", "acp"), ("acp", "ucp")] {
        let path = format!("{}/{}/cancel", opening(protocol).0, ids[other]);
        seen.note(protocol, "other_protocol", &say(shop, &path, &json!({})).await);
    }
    let path = format!("{}/{}/cancel", opening("ucp").0, ids["ucp"]);
    let stale = request("POST", &path, &fresh_key(), "{}").insert_header(("if-match", "\"9\""));
    seen.note("ucp", "version_mismatch", &shop.send(stale).await);
    let path = format!("{}/{}/complete", opening("acp").0, ids["acp"]);
    let denied = http_acp::pay("success_token");
    let denied = with(denied, "authentication_result", json!({"outcome": "denied"}));
    seen.note("acp", "payment_challenged", &say(shop, &path, &denied).await);
}

/// What the back office is refused.
async fn see_back_office(shop: &Shop, seen: &mut Seen) {
    let buys = async |email: &str| {
        let body = with(order(&[("EBOOK", 1)], "success_token"), "buyer", json!({"email": email}));
        say(shop, "/v1/orders", &body).await.json()["id"].as_str().expect("an id").to_owned()
    };
    let all = json!({"sku": "TEE", "kind": "write_off", "quantity": 5, "reason": "moths"});
    seen.note("v1", "stock_promised", &say(shop, "/v1/stock/movements", &all).await);
    let sold = buys("ada@example.com").await;
    shop.collects(&sold).await;
    let change = |order: &str| format!("/v1/orders/{order}/adjustments");
    let back = json!({"lines": [{"line": 1, "kind": "return", "quantity": 1}], "reason": "small"});
    seen.note("v1", "line_short", &say(shop, &change(&sold), &back).await);
    let refund = |minor: i64| json!({"refund": minor, "reason": "sorry"});
    assert_eq!(say(shop, &change(&sold), &refund(499)).await.status, 201);
    seen.note("v1", "refund_too_large", &say(shop, &change(&sold), &refund(1)).await);
    let waits = buys("fraud-review@example.com").await;
    let ships = format!("/v1/orders/{waits}/shipments");
    seen.note("v1", "order_in_review", &say(shop, &ships, &json!({})).await);
    let case = |action: &str| format!("/v1/cases/{waits}/{action}");
    assert_eq!(say(shop, &case("claim"), &json!({"reviewer": "grace"})).await.status, 200);
    let decides = |who: &str| json!({"reviewer": who, "decision": "approve", "reason": "called"});
    seen.note("v1", "case_claimed", &say(shop, &case("decide"), &decides("ada")).await);
    assert_eq!(say(shop, &case("decide"), &decides("grace")).await.status, 200);
    seen.note("v1", "case_ended", &say(shop, &case("decide"), &decides("grace")).await);

    let list = request("DELETE", "/v1/lists/blocked_emails", &fresh_key(), "{}");
    seen.note("v1", "list_in_use", &shop.send(list).await);
    seen.note("v1", "cannot_record", &say(shop, "/v1/models/rollback", &json!({})).await);
    let rule = json!({"expression": "amount > 5.0", "action": "review", "reason": "large"});
    let stale = request("PUT", "/v1/rules/large", &fresh_key(), &rule.to_string());
    let stale = stale.insert_header(("if-match", "\"9\""));
    seen.note("v1", "version_mismatch", &shop.send(stale).await);
}

/// What is under way when something else comes.
async fn see_races(seen: &mut Seen) {
    let shop = Shop::with_slow_bank(Limits::default(), 1500, Duration::from_millis(50)).await;
    let slow = order(&[("EBOOK", 1)], "slow_token");
    let sendings = [(); 2].map(|()| say_as(&shop, "k", "/v1/orders", &slow));
    let answers = join_all(sendings).await;
    let early = answers.iter().find(|answer| answer.status == 409).expect("one came too early");
    seen.note("v1", "idempotency_in_flight", early);
    for protocol in ["ucp", "acp"] {
        let (path, body) = opening(protocol);
        let opened = say(&shop, path, &body).await.json();
        let session = format!("{path}/{}", opened["id"].as_str().expect("an id"));
        let complete = format!("{session}/complete");
        let pays = if protocol == "ucp" { http_ucp::pay } else { http_acp::pay }("slow_token");
        let twin = shop.twin();
        let first = say_as(&shop, protocol, &complete, &pays);
        let meanwhile = async {
            loop {
                let asks = request("GET", &session, "", "");
                if twin.send(asks).await.json()["status"] == "complete_in_progress" {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let again = say_as(&twin, protocol, &complete, &pays).await;
            (again, say(&twin, &format!("{session}/cancel"), &json!({})).await)
        };
        let (_, (again, cancel)) = tokio::join!(first, meanwhile);
        seen.note(protocol, "idempotency_in_flight", &again);
        seen.note(protocol, "checkout_completing", &cancel);
    }
}

/// Who may not come in, and when nobody may.
async fn see_doors(seen: &mut Seen) {
    let full = Shop::with(Limits { in_flight: 0, ..Limits::default() }).await;
    let closing = Shop::open().await;
    closing.door.draining.begin();
    let limits = Limits { request_seconds: 1, ..Limits::default() };
    let late = Shop::with_slow_bank(limits, 3000, Duration::from_secs(20)).await;
    let (strict, key) = Shop::open().await.with_key_for(Scope::BackofficeRead).await;
    let bearer = ("authorization", format!("Bearer {key}"));
    for protocol in ALL {
        let (path, body) = opening(protocol);
        seen.note(protocol, "overloaded", &say(&full, path, &body).await);
        seen.note(protocol, "draining", &say(&closing, path, &body).await);
        seen.note(protocol, "unauthorized", &say(&strict, path, &body).await);
        let asks = request("POST", path, "k", &body.to_string()).insert_header(bearer.clone());
        seen.note(protocol, "forbidden", &strict.send(asks).await);
    }
    let slow = order(&[("EBOOK", 1)], "slow_token");
    let past = late.send(request("POST", "/v1/orders", "k", &slow.to_string())).await;
    seen.note("v1", "deadline_passed", &past);
    for protocol in ["ucp", "acp"] {
        let (path, body) = opening(protocol);
        let opened = say(&late, path, &body).await.json();
        let path = format!("{path}/{}/complete", opened["id"].as_str().expect("an id"));
        let pays = if protocol == "ucp" { http_ucp::pay } else { http_acp::pay }("slow_token");
        let past = late.send(request("POST", &path, protocol, &pays.to_string())).await;
        seen.note(protocol, "deadline_passed", &past);
    }
}

#[actix_web::test]
async fn every_row_of_the_table_of_errors_is_true() {
    let mut seen = Seen { table: table().await, cells: BTreeSet::new(), faults: Vec::new() };
    let shop = Shop::with(Limits { body_bytes: 4096, ..Limits::default() }).await;
    see_requests(&shop, &mut seen).await;
    let shop = Shop::open().await;
    see_goods(&shop, &mut seen).await;
    see_payments(&shop, &mut seen).await;
    let shop = Shop::open().await;
    see_sessions(&shop, &mut seen).await;
    see_back_office(&shop, &mut seen).await;
    see_races(&mut seen).await;
    see_doors(&mut seen).await;
    assert!(seen.faults.is_empty(), "{}", seen.faults.join("\n"));
    let unseen: BTreeSet<_> = seen
        .table
        .keys()
        .filter(|cell| cell.0 != "ucp01")
        .filter(|cell| !seen.cells.contains(*cell))
        .collect();
    let by_itself: BTreeSet<Cell> = BY_ITSELF
        .iter()
        .flat_map(|(code, protocols, _)| {
            protocols.iter().map(|one| (one.to_string(), code.to_string()))
        })
        .collect();
    assert_eq!(unseen, by_itself.iter().collect(), "seen or unseen, and not as it is said");
}

#[actix_web::test]
async fn what_is_not_provoked_is_told_as_the_table_says() {
    let table = table().await;
    for ((protocol, code), words) in &table {
        let kinds = Kind::ALL.iter().filter(|kind| kind.row().code == code);
        let told = kinds.filter_map(|kind| Some((*kind, errors::told(protocol, *kind)?)));
        let (kind, (dialect, _)) =
            told.into_iter().find(|(_, (_, told))| told == words).expect("a kind of that row");
        let problem = Problem::new(kind, "Told.");
        let scene = Scene { base_url: BASE_URL, dialect, ..Scene::default() };
        let response = problem.response(scene);
        let body = serde_json::from_str(&problem.body(scene)).expect("JSON");
        assert_eq!(&shape(protocol, response.status().as_u16(), &body), words, "{protocol} {code}");
    }
}

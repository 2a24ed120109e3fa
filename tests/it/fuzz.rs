//! Whatever is sent to a protocol's doors, it answers in its own words, and never with a fault of
//! ours. Bodies and headers that work are broken at random, from a seed that a failure names.

use actix_web::test::TestRequest;
use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedMutRandom, IndexedRandom},
};
use serde_json::{Value, json};
use std::{env, time::Duration};
use tokio::time::Instant;

use super::{
    http_acp, http_platforms,
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::{furnish, with},
    http_ucp, http_ucp01,
};

/// Broken requests for each target in a reduced run: some seconds in all.
const CASES: usize = 250;

/// How long each target is fuzzed in a whole run.
const WHOLE: Duration = Duration::from_secs(60);

/// What stands at a door, and what works there.
struct Door {
    method: &'static str,
    path: String,
    body: Value,
    headers: Vec<(&'static str, String)>,
}

fn door(method: &'static str, path: impl Into<String>, body: Value) -> Door {
    Door { method, path: path.into(), body, headers: Vec::new() }
}

/// Values that readers stumble over.
fn odd(dice: &mut StdRng) -> Value {
    match dice.random_range(0..16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(""),
        3 => json!("x".repeat(dice.random_range(1..5000))),
        4 => json!("\u{202e}\u{fffd}🛒\u{7f}"),
        5 => json!("a\u{0}b"),
        6 => json!(i64::MAX),
        7 => json!(i64::MIN),
        8 => json!(-1),
        9 => json!(1e308),
        10 => json!(0.5),
        11 => json!([]),
        12 => json!({}),
        13 => (0..dice.random_range(1..200)).fold(json!(1), |inner, _| json!([inner])),
        14 => Value::Array(vec![json!({"id": "TEE"}); dice.random_range(1..1200)]),
        _ => json!("4242424242424242"),
    }
}

/// Every place within a value, as JSON Pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{here}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{here}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Breaks a value in a few places.
fn broken(value: &Value, dice: &mut StdRng) -> Value {
    let mut value = value.clone();
    for _ in 0..dice.random_range(1..4) {
        let mut found = Vec::new();
        places(&value, "", &mut found);
        let place = found.choose(dice).expect("the root at least").clone();
        let other = found.choose(dice).and_then(|place| value.pointer(place)).cloned();
        match (dice.random_range(0..4), place.rsplit_once('/')) {
            (0, Some((parent, name))) => match value.pointer_mut(parent) {
                Some(Value::Object(fields)) => drop(fields.remove(name)),
                Some(Value::Array(items)) if !items.is_empty() => drop(items.pop()),
                _ => {}
            },
            (1, _) => *value.pointer_mut(&place).expect("is there") = other.unwrap_or_default(),
            _ => *value.pointer_mut(&place).expect("is there") = odd(dice),
        }
    }
    value
}

/// Breaks a text, as bytes.
fn garbled(text: &str, dice: &mut StdRng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..dice.random_range(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.random_range(0..bytes.len());
        match dice.random_range(0..4) {
            0 => bytes.truncate(at),
            1 => bytes[at] = dice.random(),
            2 => drop(bytes.remove(at)),
            _ => bytes.insert(at, dice.random()),
        }
    }
    bytes
}

/// Breaks a header; only what a header may hold is left.
fn garbled_header(text: &str, dice: &mut StdRng) -> String {
    let bytes = garbled(text, dice);
    bytes.into_iter().filter(|byte| (32..127).contains(byte)).map(char::from).collect()
}

async fn sends(shop: &Shop, door: &Door, bytes: Vec<u8>) -> Answer {
    let mut request = TestRequest::default()
        .method(door.method.parse().expect("a method"))
        .uri(&door.path)
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", bytes.len()))
        .insert_header(("idempotency-key", fresh_key()));
    for (name, value) in &door.headers {
        request = request.insert_header((*name, value.as_str()));
    }
    shop.send(request.set_payload(bytes)).await
}

/// Fuzzes these doors by turns until time or cases have run out.
async fn fuzz(shop: &Shop, seed: u64, doors: &[Door], fits: impl Fn(&Answer, &str)) {
    let full = env::var_os("DOORBUSTER_TEST_FULL").is_some();
    let began = Instant::now();
    let mut refused = 0;
    for case in 0.. {
        if if full { began.elapsed() > WHOLE } else { case >= CASES } {
            break;
        }
        let mut dice = StdRng::seed_from_u64(seed + case as u64);
        let door = doors.choose(&mut dice).expect("a door");
        let text = broken(&door.body, &mut dice).to_string();
        let is_garbled = dice.random_ratio(1, 8);
        let bytes = if is_garbled { garbled(&text, &mut dice) } else { text.into_bytes() };
        let said = format!("seed {}: {} {}", seed + case as u64, door.method, door.path);
        let answer = sends(shop, door, bytes.clone()).await;
        let sent = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        assert!(answer.status.as_u16() < 500, "{said}\n{sent}\n{}", answer.json());
        refused += usize::from(answer.status.as_u16() >= 400);
        fits(&answer, &format!("{said}\n{sent}"));
    }
    assert!(refused > 0, "nothing that was broken was refused");
}

#[actix_web::test]
async fn any_json_over_ucp_is_answered_in_its_words() {
    let shop = Shop::open().await;
    let (session, _) = http_ucp::created(&shop, &[("EBOOK", 1)]).await;
    let mut whole = http_ucp::cart(&[("EBOOK", 1), ("TEE", 1)]);
    whole["discounts"] = json!({"codes": ["WELCOME10"]});
    whole["fulfillment"] = json!({"methods": [{
        "type": "shipping", "selected_destination_id": "home",
        "destinations": [{"id": "home", "street_address": "1 Main St", "postal_code": "10115",
                          "address_locality": "Berlin", "address_country": "DE"}],
        "groups": [{"id": "group_1", "selected_option_id": "standard"}]}]});
    let mut paying = http_ucp::pay("fail_token");
    paying["signals"] = json!({"dev.ucp.buyer_ip": "192.0.2.1", "dev.ucp.user_agent": "x"});
    let doors = [
        door("POST", http_ucp::SESSIONS, whole.clone()),
        door("PUT", &*session, whole.clone()),
        door("POST", format!("{session}/complete"), paying),
        door("POST", "/ucp/carts", whole),
    ];
    fuzz(&shop, 11, &doors, |answer, said| {
        let body = answer.json();
        let version = &body["ucp"]["version"];
        assert_eq!(version, "2026-04-08", "{said}\n{body}");
        let is_refused = answer.status.as_u16() >= 400;
        assert!(!is_refused || body["messages"][0]["code"].is_string(), "{said}\n{body}");
    })
    .await;
}

#[actix_web::test]
async fn any_json_over_the_first_version_of_ucp_is_answered_in_its_words() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let goods = http_ucp01::items(&[("EBOOK", 1), ("TEE", 1)]);
    let made = http_ucp01::created(&shop, &goods).await;
    let session = http_ucp01::path_of(&made);
    let sent = http_ucp01::sent(http_ucp01::home("DE"), Some("dest_1"), Some("standard"));
    let mut whole = with(goods, "fulfillment", sent);
    whole["discounts"] = json!({"codes": ["WELCOME10"]});
    whole["buyer"] = json!({"full_name": "Ada", "email": "ada@example.com",
        "consent": {"marketing": true}});
    let changed = with(whole.clone(), "id", made["id"].clone());
    let bought = http_ucp01::created(&shop, &http_ucp01::items(&[("EBOOK", 1)])).await;
    let complete = format!("{}/complete", http_ucp01::path_of(&bought));
    let paid = http_ucp01::say(&shop, "POST", &complete, &http_ucp01::pay("success_token")).await;
    let order = paid.json()["order"]["id"].as_str().expect("an order").to_owned();
    let told = json!({"fulfillment": {"events": [{"id": "e1", "type": "processing",
        "occurred_at": "2026-11-28T08:00:00Z", "tracking_number": "T1",
        "line_items": [{"id": bought["line_items"][0]["id"], "quantity": 1}]}]},
        "adjustments": [{"id": "a1", "type": "refund", "status": "pending", "amount": 1,
        "occurred_at": "2026-11-28T08:00:00Z"}]});
    let doors = [
        door("POST", http_ucp01::SESSIONS, whole),
        door("PUT", &*session, changed),
        door("POST", format!("{session}/complete"), http_ucp01::pay("fail_token")),
        door("PUT", format!("{}/orders/{order}", http_ucp01::ENDPOINT), told),
    ];
    fuzz(&shop, 55, &doors, |answer, said| {
        let body = answer.json();
        if answer.status.as_u16() >= 400 {
            let message = &body["messages"][0];
            let words =
                ["type", "code", "content", "severity"].map(|name| message[name].is_string());
            assert_eq!(words, [true; 4], "{said}\n{body}");
        } else {
            assert_eq!(body["ucp"]["version"], "2026-01-11", "{said}\n{body}");
        }
    })
    .await;
}

#[actix_web::test]
async fn any_json_over_acp_is_answered_in_its_words() {
    let shop = Shop::open().await;
    let items = http_acp::items(&[("EBOOK", 1)]);
    let made = http_acp::say(&shop, "POST", http_acp::SESSIONS, &items).await.json();
    let session = http_acp::path_of(&made);
    let headers = || vec![("api-version", http_acp::VERSION.to_owned())];
    let doors = [
        ("POST", http_acp::SESSIONS.to_owned(), items.clone()),
        ("POST", session.clone(), items.clone()),
        ("POST", format!("{session}/complete"), http_acp::pay("fail_token")),
        ("POST", "/acp/carts".to_owned(), items),
    ];
    let doors = doors.map(|(method, path, body)| Door { method, path, body, headers: headers() });
    fuzz(&shop, 22, &doors, |answer, said| {
        let body = answer.json();
        if answer.status.as_u16() >= 400 {
            let words = ["type", "code", "message"].map(|name| body[name].is_string());
            assert_eq!(words, [true; 3], "{said}\n{body}");
        } else {
            assert!(body["id"].is_string(), "{said}\n{body}");
        }
    })
    .await;
}

#[actix_web::test]
async fn any_json_in_the_express_lane_is_answered() {
    let shop = Shop::open().await;
    let order = json!({"lines": [{"sku": "EBOOK", "quantity": 1}], "discount_codes": ["X"],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": "success_token"},
        "expected_total": 499, "metadata": {"a": 1}});
    let doors = [
        door("POST", "/v1/orders", order),
        door("PUT", "/v1/products/NEW", json!({"title": "New", "price": 100, "currency": "EUR"})),
        door(
            "PUT",
            "/v1/discounts/d1",
            json!({"title": "Ten", "code": "TEN",
            "percent": 10, "minimum_subtotal": {"amount": 5, "currency": "EUR"}}),
        ),
    ];
    fuzz(&shop, 33, &doors, |answer, said| {
        let body = answer.json();
        let is_refused = answer.status.as_u16() >= 400;
        assert!(!is_refused || body["detail"].is_string(), "{said}\n{body}");
    })
    .await;
}

#[actix_web::test]
async fn any_signature_headers_are_answered_and_none_is_believed() {
    let shop = Shop::open().await.that_wants_signatures();
    let platform = http_platforms::Platform::open();
    let kid = platform.key.kid();
    let now = shop.door.clock.now().micros() / 1_000_000;
    let input = format!(
        "sig1=(\"@method\" \"@authority\" \"@path\" \"ucp-agent\" \"content-digest\" \
         \"idempotency-key\" \"content-type\");created={now};keyid=\"{kid}\""
    );
    let signature = format!("sig1=:{}:", "A".repeat(86) + "==");
    let digest = doorbuster::signing::content_digest(b"{}");
    let full = env::var_os("DOORBUSTER_TEST_FULL").is_some();
    let began = Instant::now();
    for case in 0.. {
        if if full { began.elapsed() > WHOLE } else { case >= CASES } {
            break;
        }
        let mut dice = StdRng::seed_from_u64(44 + case as u64);
        let mut headers = vec![
            ("signature-input", input.clone()),
            ("signature", signature.clone()),
            ("content-digest", digest.clone()),
            ("ucp-agent", platform.agent()),
        ];
        if dice.random_ratio(1, 8) {
            headers.push(("request-signature", format!("e30..{}", "A".repeat(86))));
        }
        for _ in 0..dice.random_range(1..3) {
            let (name, value) = headers.choose_mut(&mut dice).expect("a header");
            // The platform's address stays: another would be asked for its profile.
            if *name != "ucp-agent" {
                *value = garbled_header(value, &mut dice);
            }
        }
        let said = format!("seed {}: {headers:?}", 44 + case);
        let door =
            Door { method: "POST", path: http_ucp::SESSIONS.into(), body: Value::Null, headers };
        let answer = sends(&shop, &door, b"{}".to_vec()).await;
        let status = answer.status.as_u16();
        assert!([400, 401, 422, 424].contains(&status), "{said}\n{}", answer.json());
        let code = answer.json()["code"].as_str().expect("a code").to_owned();
        let known = [
            "signature_missing",
            "signature_invalid",
            "key_not_found",
            "digest_mismatch",
            "algorithm_unsupported",
            "profile_unreachable",
            "profile_malformed",
        ];
        assert!(known.contains(&&*code), "{said}: {code}");
    }
}

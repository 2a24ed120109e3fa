//! What the head of a request may say, and what its texts may hold: over every mounted route.

use actix_web::{
    http::{Method, header::ALLOW},
    test::{TestRequest, read_body},
};
use doorbuster::{base::Limits, http::docs::operation::Operation};
use serde_json::{Value, json};

use super::{
    http_docs::operations,
    http_door::{listen, talk},
    http_routes::{app_of, path_of, routes_of},
    http_shop::{Answer, Shop, fresh_key},
    http_ucp::{SESSIONS, cart, created},
    http_v1::order,
};
use crate::support::servers;

/// A request as every protocol takes it.
fn request(method: &str, path: &str, body: &str) -> TestRequest {
    TestRequest::default()
        .method(method.parse().expect("a method"))
        .uri(path)
        .insert_header(("api-version", "2026-04-17"))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", body.len()))
        .set_payload(body.to_owned())
}

fn keyed(method: &str, path: &str, body: &str) -> TestRequest {
    request(method, path, body).insert_header(("idempotency-key", fresh_key()))
}

/// Every route that changes something under a key.
fn changes() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(Operation::has_key)
}

// breaks: ask for the first value of the header alone in `head::check`
#[actix_web::test]
async fn two_idempotency_keys_are_none() {
    let shop = Shop::open().await;
    let mut count = 0;
    for change in changes() {
        let path = path_of(&change.path);
        for second in ["other", "first"] {
            let asked = request(change.method.as_str(), &path, "{}");
            let asked = asked.insert_header(("idempotency-key", "first"));
            let told = shop.send(asked.append_header(("idempotency-key", second))).await;
            let code = told.json()["code"].clone();
            assert_eq!((told.status.as_u16(), &code), (400, &json!("idempotency_key_invalid")));
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
    for header in ["authorization", "x-api-key", "content-type"] {
        let asked = keyed("POST", "/v1/orders", "{}").insert_header((header, "a"));
        let told = shop.send(asked.append_header((header, "b"))).await;
        told.problem(400, "malformed_request");
    }
}

// breaks: leave `check_encoding` out of `head::check`
#[actix_web::test]
async fn a_body_in_an_encoding_that_nobody_reads_is_refused_as_such() {
    let shop = Shop::open().await;
    let body = order(&[("EBOOK", 1)], "success_token").to_string();
    for coding in ["gzip", "br", "identity, gzip", "GZIP", "x"] {
        let asked = keyed("POST", "/v1/orders", &body).insert_header(("content-encoding", coding));
        let told = shop.send(asked).await;
        told.problem(415, "encoding_unsupported");
        assert_eq!(told.header("accept-encoding"), Some("identity"));
    }
    for coding in ["identity", "Identity", ""] {
        let asked = keyed("POST", "/v1/orders", &body).insert_header(("content-encoding", coding));
        let told = shop.send(asked).await;
        assert_eq!(told.status, 201, "{}", told.json());
    }
    for change in operations().iter().filter(|operation| operation.body.is_some()) {
        let asked = keyed(change.method.as_str(), &path_of(&change.path), "\u{1f}\u{8b}");
        let told = shop.send(asked.insert_header(("content-encoding", "gzip"))).await;
        assert_eq!(told.status, 415, "{} {}", change.method, change.path);
    }
}

// breaks: take the first tag of a list alone, or weak tags for strong ones, in `if_match::versions`
#[actix_web::test]
async fn if_match_is_a_list_of_strong_tags() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    let update = async |tags: &str, quantity: u32| {
        let body = cart(&[("TEE", quantity)]).to_string();
        shop.send(keyed("PUT", &session, &body).insert_header(("if-match", tags))).await
    };
    for wrong in ["W/\"1\"", "\"7\"", "\"7\", W/\"1\"", "\"other\""] {
        update(wrong, 2).await.problem(412, "version_mismatch");
    }
    for unreadable in ["1", "\"1", "*, \"1\"", "\"1\" \"2\""] {
        update(unreadable, 2).await.problem(400, "malformed_request");
    }
    assert_eq!(update("\"7\", \"1\"", 2).await.header("etag"), Some("\"2\""));
    assert_eq!(update("W/\"2\",, \"2\"", 3).await.header("etag"), Some("\"3\""));
    assert_eq!(update("*", 1).await.status, 200);

    let rule = |limit: u32| {
        let expression = format!("amount > {limit}.0");
        json!({"expression": expression, "action": "review", "reason": "large"}).to_string()
    };
    let path = "/v1/rules/large";
    let save = async |tags: &str, limit: u32| {
        let asked = keyed("PUT", path, &rule(limit)).insert_header(("if-match", tags));
        shop.send(asked).await
    };
    save("*", 5).await.problem(412, "version_mismatch");
    assert_eq!(shop.send(keyed("PUT", path, &rule(5))).await.status, 200);
    assert_eq!(save("*", 6).await.header("etag"), Some("\"2\""));
    save("W/\"2\"", 7).await.problem(412, "version_mismatch");
    save("\"1\"", 7).await.problem(412, "version_mismatch");
    assert_eq!(save("\"1\", \"2\"", 7).await.header("etag"), Some("\"3\""));
}

// breaks: leave out `head::read_as_get` in `admission::admit`
#[actix_web::test]
async fn head_is_answered_wherever_get_is() {
    let shop = Shop::open().await;
    let app = app_of(&shop, Box::new(|_| ())).await;
    let mut gets = 0;
    for (method, pattern) in routes_of(&app).await {
        let path = path_of(&pattern);
        let ask = async |method: &str| shop.send(request(method, &path, "")).await;
        if method != "GET" {
            let refused = ask("HEAD").await;
            let allow = refused.headers.get(ALLOW).map(|value| value.to_str().expect("text"));
            let names_get = allow.is_some_and(|allow| allow.contains("GET"));
            assert!(!names_get, "{pattern} has GET and refuses HEAD: {allow:?}");
            continue;
        }
        gets += 1;
        let (get, head): (Answer, Answer) = (ask("GET").await, ask("HEAD").await);
        assert_eq!(head.status, get.status, "{pattern}");
        assert!(head.bytes.is_empty(), "{pattern} answers HEAD with a body");
        for name in ["content-type", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {pattern}");
        }
    }
    assert!(gets > 40, "{gets}");
    let refused = shop.send(request("PATCH", "/v1/products/TEE", "")).await;
    let allow = refused.header("allow").expect("it says what is allowed").to_owned();
    assert!(allow.contains("GET") && allow.contains("HEAD"), "{allow}");
}

// breaks: hand the body on in `head::body_for`
#[actix_web::test]
async fn on_the_line_an_answer_to_head_has_no_body() {
    let shop = Shop::with(Limits::default()).await;
    let (address, handle) = listen(&shop);
    let asks = "HEAD /v1/products/TEE HTTP/1.1\r\nhost: x\r\n\r\n\
                GET /v1/none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let told = actix_web::rt::task::spawn_blocking(move || talk(address, asks.as_bytes()));
    let told = told.await.expect("joins");
    let answers: Vec<_> = told.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(answers.len(), 2, "{told}");
    let (head, body) = answers[0].split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("200") && body.is_empty(), "{told}");
    // No length, rather than that of a body on a line that another request shares.
    assert!(!head.contains("content-length"), "{told}");
    assert!(answers[1].starts_with("404") && answers[1].ends_with('}'), "{told}");
    handle.stop(false).await;
}

/// Every body that differs from this one by a control character in one text or name.
fn spoiled(body: &Value, character: char) -> Vec<Value> {
    match body {
        Value::String(text) => {
            vec![json!(format!("{text}{character}")), json!(format!("{character}{text}"))]
        }
        Value::Array(items) => {
            let each = items.iter().enumerate().flat_map(|(index, item)| {
                spoiled(item, character).into_iter().map(move |spoiled| {
                    let mut items = items.clone();
                    items[index] = spoiled;
                    Value::Array(items)
                })
            });
            each.collect()
        }
        Value::Object(fields) => {
            let mut all = vec![];
            let mut named = fields.clone();
            named.insert(format!("a{character}b"), json!(1));
            all.push(Value::Object(named));
            for (name, field) in fields {
                for spoiled in spoiled(field, character) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), spoiled);
                    all.push(Value::Object(fields));
                }
            }
            all
        }
        _ => vec![],
    }
}

/// Control characters in every place of every route.
async fn control_characters(shop: &Shop) {
    let app = app_of(shop, Box::new(|_| ())).await;
    let mut asked = 0;
    for operation in operations() {
        let (method, path) = (operation.method.as_str(), path_of(&operation.path));
        let what = format!("{method} {}", operation.path);
        let mut paths = vec![];
        for bad in ["%00", "%1B", "%7f", "%0A"] {
            paths.extend([format!("{path}{bad}"), format!("{path}?q=a{bad}b")]);
            paths.push(format!("{path}?{bad}=1"));
            let steps: Vec<_> = operation.path.split('/').collect();
            for (index, _) in steps.iter().enumerate().filter(|(_, step)| step.starts_with('{')) {
                let mut steps: Vec<_> = path.split('/').map(str::to_owned).collect();
                steps[index] = format!("a{bad}b");
                paths.push(steps.join("/"));
            }
        }
        for path in paths {
            let told = app(keyed(method, &path, "{}")).await;
            assert_eq!(told.status(), 400, "{what}: {path}");
            asked += 1;
        }
        // What a gateway tells is refused by its signature, before anybody reads it.
        let is_signed = operation.path == "/webhooks/{gateway}";
        let Some(body) = operation.body.as_ref().filter(|_| !is_signed) else { continue };
        let bodies: Vec<String> = match &body.example {
            Value::String(text) if body.media != "application/json" => {
                ["\0", "\u{1b}"].map(|bad| format!("{text}{bad}")).to_vec()
            }
            example => {
                let of = |character| spoiled(example, character);
                let all = ['\0', '\u{1b}', '\u{7f}', '\u{85}'].into_iter().flat_map(of);
                all.map(|body| body.to_string()).collect()
            }
        };
        for body_text in bodies {
            let told = keyed(method, &path, &body_text).insert_header(("content-type", body.media));
            let told = app(told).await;
            assert!(matches!(told.status().as_u16(), 400 | 422), "{what}: {body_text}");
            let bytes = read_body(told).await;
            let text = String::from_utf8_lossy(&bytes);
            let is_told = text.contains("control character") || text.contains("U+0000");
            assert!(is_told, "{what}: {body_text}: {text}");
            asked += 1;
        }
    }
    assert!(asked > 2000, "{asked}");
}

// breaks: leave out `control::refuse` in `asking::parse`, or the look at the path in `head::check`
#[actix_web::test]
async fn a_control_character_is_refused_wherever_it_stands() {
    control_characters(&Shop::open().await).await;
}

// breaks: leave out `control::refuse` in `asking::parse`, or the look at the path in `head::check`
#[actix_web::test]
async fn a_control_character_is_refused_before_postgres_sees_it() {
    control_characters(&Shop::on(&servers::postgres().await).await).await;
}

// breaks: let `is_control` answer for tabs and ends of lines too
#[actix_web::test]
async fn lines_and_tabs_are_text() {
    let shop = Shop::open().await;
    let rule = json!({"expression": "amount > 5.0", "action": "review", "reason": "a\r\n\tb"});
    let saved = shop.ask(Method::PUT, "/v1/rules/large", &rule).await;
    assert_eq!((saved.status.as_u16(), &saved.json()["reason"]), (200, &rule["reason"]));
    // What only looks like an escape of one.
    let rule = json!({"expression": "amount > 5.0", "action": "review", "reason": "a \\u0000 b"});
    assert_eq!(shop.ask(Method::PUT, "/v1/rules/large", &rule).await.status, 200);
    let made = shop.post(SESSIONS, &cart(&[("TEE", 1)])).await;
    assert_eq!(made.status, 201);
}

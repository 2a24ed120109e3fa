//! The log, as it is read by whoever looks for one order.

use serde_json::{Value, json};
use std::fs;

use super::{
    house::Setup,
    till::{fresh_key, json, text},
};

/// As tracing systems name a trace.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What a line is part of, by this name.
fn span<'a>(line: &'a Value, name: &str) -> &'a Value {
    let spans = line["spans"].as_array().map_or(&[][..], Vec::as_slice);
    spans.iter().find(|span| span["name"] == name).unwrap_or(&Value::Null)
}

// breaks: leave `instrument` out of `CartActor::work`, or the callers' span out of the writer
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_followed_from_its_request_to_its_commits() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path()).with("log.format", "json");
    let setup = setup.with("log.filter", "info,doorbuster=debug");
    setup.fill(&[("TEE", 5)]);
    let house = setup.start().await;
    let till = house.till();
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let key = fresh_key();
    let headers =
        [("idempotency-key", &*key), ("request-id", "look-for-me"), ("traceparent", &traceparent)];
    let body = json!({
        "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": "ada@example.com"},
        "payment": {"token": "success_token"},
    });
    let placed = till.post_with(&headers, "/v1/orders", &body).await.expect("it answers");
    assert_eq!(placed.status, 201, "{}", text(&placed));
    let placed = json(&placed);
    let order = placed["id"].as_str().expect("an id");
    let refused = till.post_with(&headers[1..], "/v1/orders", &body).await.expect("it answers");
    let refused = json(&refused);
    assert_eq!(refused["trace_id"], TRACE, "{refused}");
    assert_eq!(refused["request_id"], "look-for-me", "{refused}");
    house.stop().await;

    let log = fs::read_to_string(folder.path().join("log")).expect("a log");
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let says = |line: &&Value, text: &str| line["message"] == text;
    let ours = |line: &&Value| span(line, "request")["request.id"] == "look-for-me";
    let committed: Vec<&Value> =
        lines.iter().filter(ours).filter(|line| says(line, "committed")).collect();
    assert_eq!(committed.len(), 2, "T1 and T2\n{log}");
    let (request, command) = (span(committed[1], "request"), span(committed[1], "command"));
    assert_eq!(request["trace.id"], TRACE);
    assert_eq!(request["http.route"], "/v1/orders");
    assert_eq!(command["command"], "express");
    assert_eq!(command["checkout.id"], order.replace("ord_", "chk_"));
    assert_eq!(command["order.id"], order);
    let attempt = command["attempt.id"].as_str().expect("an attempt");
    let steps = lines.iter().filter(ours).filter(|line| says(line, "a step ended"));
    let steps: Vec<_> = steps.map(|line| line["step"].as_str().unwrap_or_default()).collect();
    assert_eq!(steps, ["Quote", "Assess", "Attempt", "Authorize", "Place"]);
    assert!(lines.iter().filter(ours).any(|line| says(&line, "answered 201")), "{log}");
    let captured = |line: &&Value| {
        let span = span(line, "collect");
        says(line, "committed") && span["order.id"] == order && span["attempt.id"] == attempt
    };
    assert_eq!(lines.iter().filter(captured).count(), 1, "T3\n{log}");
}

// breaks: take the innermost cause alone in `client::told`, or no span in `Relay::attempt`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_logged_with_what_it_came_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path()).with("log.filter", "info");
    setup.fill(&[("TEE", 5)]);
    let house = setup.start().await;
    let till = house.till();
    // Nobody listens at the first port.
    let endpoint = json!({"url": "http://127.0.0.1:1/hook"});
    till.insists(&fresh_key(), "/v1/webhook-endpoints", &endpoint).await;
    let body = json!({
        "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": "ada@example.com"},
        "payment": {"token": "success_token"},
    });
    let placed = json(&till.insists(&fresh_key(), "/v1/orders", &body).await);
    let whole = "tcp connect error: Connection refused";
    house.logs(whole).await;
    house.stop().await;
    let log = fs::read_to_string(folder.path().join("log")).expect("a log");
    let line = log.lines().find(|line| line.contains(whole)).expect("it was there");
    let order = placed["id"].as_str().expect("an id");
    assert!(line.contains("deliver{") && line.contains(&format!("order.id={order}")), "{line}");
}

// breaks: leave `RUST_LOG` out of `Config::from_layers`
#[test]
fn rust_log_is_respected() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Setup::bare(folder.path()).command(&["check-config"]);
    let ran = command.env("RUST_LOG", "warn,doorbuster=trace").output().expect("the binary runs");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(told.contains("filter = \"warn,doorbuster=trace\""), "{told}");
}

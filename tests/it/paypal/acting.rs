//! What the fake does when it is asked.

use serde_json::{Value, json};

use super::fake::{Call, State, error, minor, payments, sum};

/// When everything happens at the fake.
const NOW: &str = "2026-11-27T08:00:00Z";

pub(super) fn act(state: &mut State, call: &Call) -> (u16, Value) {
    let parts: Vec<&str> = call.line.split(['/', ' ']).filter(|part| !part.is_empty()).collect();
    let not_found = || {
        let mut told = error("INVALID_RESOURCE_ID");
        told["name"] = json!("RESOURCE_NOT_FOUND");
        (404, told)
    };
    match parts.as_slice() {
        ["POST", "v2", "checkout", "orders"] => create(state, &call.body),
        [method, "v2", "checkout", "orders", id, rest @ ..] => {
            let Some(mut order) = state.orders.get(*id).cloned() else { return not_found() };
            let told = match (*method, rest) {
                ("GET", []) => (200, order.clone()),
                ("PATCH", []) => patch(&mut order, &call.body),
                ("POST", ["confirm-payment-source"]) => confirm(&mut order),
                ("POST", ["authorize"]) => authorize(state, &mut order, &call.body),
                _ => not_found(),
            };
            state.orders.insert((*id).to_owned(), order);
            told
        }
        ["POST", "v2", "payments", kind, id, verb] => {
            let has = |order: &Value| payments(order, kind).iter().any(|of| of["id"] == **id);
            let Some(mut order) = state.orders.values().find(|order| has(order)).cloned() else {
                return not_found();
            };
            let told = match (*kind, *verb) {
                ("authorizations", "capture") => capture(state, &mut order, &call.body),
                ("authorizations", "void") => void(&mut order),
                ("captures", "refund") => refund(state, &mut order, id, &call.body),
                _ => not_found(),
            };
            let id = order["id"].as_str().expect("an id").to_owned();
            state.orders.insert(id, order);
            told
        }
        ["GET", "v2", "payments", kind, id] => {
            let mut all = state.orders.values().flat_map(|order| payments(order, kind));
            all.find(|of| of["id"] == **id).map_or_else(not_found, |found| (200, found))
        }
        _ => not_found(),
    }
}

fn create(state: &mut State, body: &Value) -> (u16, Value) {
    let id = state.id("ORDER");
    let mut order = json!({"id": id, "status": "CREATED", "intent": body["intent"],
        "create_time": NOW, "purchase_units": body["purchase_units"],
        "links": [link(&format!("{}/v2/checkout/orders/{id}", state.url), "self", "GET"),
            link(&format!("https://www.sandbox.paypal.com/checkoutnow?token={id}"), "approve",
                "GET")]});
    order["purchase_units"][0]["payments"] = json!({});
    state.orders.insert(id, order.clone());
    (201, order)
}

fn link(href: &str, rel: &str, method: &str) -> Value {
    json!({"href": href, "rel": rel, "method": method})
}

fn patch(order: &mut Value, body: &Value) -> (u16, Value) {
    if !matches!(order["status"].as_str(), Some("CREATED" | "APPROVED")) {
        return (422, error("ORDER_ALREADY_COMPLETED"));
    }
    for change in body.as_array().expect("changes") {
        let path = change["path"].as_str().expect("a path");
        let name = order["purchase_units"][0]["reference_id"].as_str().unwrap_or("default");
        assert_eq!(path, format!("/purchase_units/@reference_id=='{name}'/custom_id"));
        let is_there = order["purchase_units"][0]["custom_id"].is_string();
        assert_eq!(change["op"], if is_there { "replace" } else { "add" });
        order["purchase_units"][0]["custom_id"] = change["value"].clone();
    }
    (204, Value::Null)
}

fn confirm(order: &mut Value) -> (u16, Value) {
    order["status"] = json!("PAYER_ACTION_REQUIRED");
    order["payment_source"] = json!({"paypal": {}});
    order["links"][1]["rel"] = json!("payer-action");
    (200, order.clone())
}

fn authorize(state: &mut State, order: &mut Value, body: &Value) -> (u16, Value) {
    if !payments(order, "authorizations").is_empty() {
        return (422, error("ORDER_ALREADY_AUTHORIZED"));
    }
    let source = &body["payment_source"];
    let token = ["paypal", "card"].iter().find_map(|kind| source[kind]["vault_id"].as_str());
    let token = token.or(source["token"]["id"].as_str());
    let is_approved = order["status"] == "APPROVED";
    let (mut status, mut processor) = ("CREATED", Value::Null);
    match token {
        None if is_approved => {}
        None => return (422, error("ORDER_NOT_APPROVED")),
        Some("challenge") => {
            confirm(order);
            let mut told = error("PAYER_ACTION_REQUIRED");
            told["links"] = json!([order["links"][1]]);
            return (422, told);
        }
        Some("pending") => status = "PENDING",
        Some(token) => {
            if let Some(issue) = token.strip_prefix("declined-") {
                return (422, error(issue));
            }
            let denied = token.strip_prefix("denied-");
            status = if denied.is_some() { "DENIED" } else { "CREATED" };
            if source["card"].is_object() {
                let code = denied.unwrap_or("0000");
                processor = json!({"avs_code": "Y", "cvv_code": "M", "response_code": code});
                order["payment_source"] = json!({"card": {"last_digits": "7704", "brand": "VISA",
                    "authentication_result": {"liability_shift": "POSSIBLE",
                        "three_d_secure": {"authentication_status": "Y"}}}});
            }
        }
    }
    let unit = &order["purchase_units"][0];
    let mut authorization = json!({"id": state.id("AUTH"), "status": status,
        "amount": {"currency_code": unit["amount"]["currency_code"],
            "value": unit["amount"]["value"]},
        "custom_id": unit["custom_id"], "create_time": NOW,
        "expiration_time": "2026-12-26T08:00:00Z"});
    if !processor.is_null() {
        authorization["processor_response"] = processor;
    }
    order["status"] = json!("COMPLETED");
    order["purchase_units"][0]["payments"]["authorizations"] = json!([authorization]);
    (201, order.clone())
}

fn push(order: &mut Value, kind: &str, movement: Value) {
    let mut all = payments(order, kind);
    all.push(movement);
    order["purchase_units"][0]["payments"][kind] = json!(all);
}

fn capture(state: &mut State, order: &mut Value, body: &Value) -> (u16, Value) {
    let authorization = payments(order, "authorizations")[0].clone();
    if !matches!(authorization["status"].as_str(), Some("CREATED" | "PARTIALLY_CAPTURED")) {
        return (422, error("AUTHORIZATION_VOIDED"));
    }
    let (asked, authorized) = (minor(&body["amount"]), minor(&authorization["amount"]));
    let taken = sum(payments(order, "captures")) + asked;
    if taken * 100 > authorized * 115 {
        return (422, error("MAX_CAPTURE_AMOUNT_EXCEEDED"));
    }
    let status = if taken >= authorized { "CAPTURED" } else { "PARTIALLY_CAPTURED" };
    order["purchase_units"][0]["payments"]["authorizations"][0]["status"] = json!(status);
    let capture = json!({"id": state.id("CAPT"), "status": "COMPLETED",
        "amount": body["amount"], "invoice_id": body["invoice_id"],
        "custom_id": order["purchase_units"][0]["custom_id"],
        "final_capture": body["final_capture"], "create_time": NOW});
    push(order, "captures", capture.clone());
    (201, capture)
}

fn void(order: &mut Value) -> (u16, Value) {
    let status = payments(order, "authorizations")[0]["status"].clone();
    match status.as_str() {
        Some("CREATED" | "PARTIALLY_CAPTURED") => {
            order["purchase_units"][0]["payments"]["authorizations"][0]["status"] = json!("VOIDED");
            (204, Value::Null)
        }
        Some("VOIDED") => (422, error("PREVIOUSLY_VOIDED")),
        _ => (422, error("PREVIOUSLY_CAPTURED")),
    }
}

fn refund(state: &mut State, order: &mut Value, id: &str, body: &Value) -> (u16, Value) {
    let captures = payments(order, "captures");
    let at = captures.iter().position(|capture| capture["id"] == id).expect("it was found");
    let up = format!("{}/v2/payments/captures/{id}", state.url);
    let refunds = payments(order, "refunds");
    let before = refunds.into_iter().filter(|refund| refund["links"][0]["href"] == *up);
    let given = sum(before.collect()) + minor(&body["amount"]);
    let captured = minor(&captures[at]["amount"]);
    if given > captured {
        return (422, error("REFUND_AMOUNT_EXCEEDED"));
    }
    let status = if given == captured { "REFUNDED" } else { "PARTIALLY_REFUNDED" };
    order["purchase_units"][0]["payments"]["captures"][at]["status"] = json!(status);
    let refund = json!({"id": state.id("REFU"), "status": "COMPLETED",
        "amount": body["amount"], "custom_id": body["custom_id"], "create_time": NOW,
        "links": [link(&up, "up", "GET")]});
    push(order, "refunds", refund.clone());
    (201, refund)
}

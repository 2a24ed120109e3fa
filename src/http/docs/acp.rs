//! The Agentic Commerce Protocol's routes. What their bodies are, the protocol publishes.

use serde_json::{Value, json};

use super::{
    fields::published,
    operation::{Operation, get, post, put},
};
use crate::http::kinds::Kind;

const DOCUMENTATION: &str = "https://agenticcommerce.dev";

/// What a session, a cart or an order has in any case.
fn told() -> Value {
    let mut schema = published(DOCUMENTATION, &["id"]);
    schema["properties"] = json!({
        "id": { "type": "string" },
        "status": { "type": "string" },
        "messages": { "type": "array", "items": { "type": "object" } },
    });
    schema
}

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![discovery()];
    all.extend(sessions());
    all.extend(carts());
    all.push(
        get("acp_get_order", "/acp/orders/{id}", "Shows an order")
            .answers_schema(200, "The order.", told())
            .or(&[Kind::OtherProtocol]),
    );
    all
}

fn discovery() -> Operation {
    let document = json!({ "type": "object", "required": ["protocol"] });
    get("acp_discovery", "/.well-known/acp.json", "Tells what is spoken here").answers_schema(
        200,
        "Version, base address and services.",
        document,
    )
}

fn shopping() -> Value {
    json!({ "currency": "eur", "capabilities": {},
            "line_items": [{ "id": "TEE-RED-M", "quantity": 1 }],
            "buyer": { "email": "ada@example.com" } })
}

/// How a change of a session may be refused.
const CHANGES: &[Kind] = &[
    Kind::OtherProtocol,
    Kind::CheckoutEnded,
    Kind::CheckoutCompleting,
    Kind::OutOfStock,
    Kind::ItemUnavailable,
    Kind::CurrencyMismatch,
    Kind::TotalTooLarge,
];

fn sessions() -> Vec<Operation> {
    let (all, one) = ("/acp/checkout_sessions", "/acp/checkout_sessions/{id}");
    let complete = format!("{one}/complete");
    let paying = json!({ "payment_data": { "handler_id": "sandbox", "instrument": {
        "type": "card", "credential": { "type": "spt", "token": "success_token" } } } });
    vec![
        post("acp_create_session", all, "Opens a session, and holds its stock")
            .takes_published(DOCUMENTATION, &["line_items"], shopping())
            .answers_schema(201, "The session.", told())
            .or(CHANGES),
        get("acp_get_session", one, "Shows a session")
            .answers_schema(200, "The session.", told())
            .or(&[Kind::OtherProtocol]),
        post("acp_update_session", one, "Changes what it says; all else stays")
            .takes_published(
                DOCUMENTATION,
                &[],
                json!({
                "line_items": [{ "id": "TEE-RED-M", "quantity": 2 }] }),
            )
            .answers_schema(200, "The session.", told())
            .or(CHANGES),
        post("acp_complete_session", complete, "Pays")
            .says(
                "Whatever the bank says is 200: the session tells. Where the total is 0 no \
                 `payment_data` is needed, no gateway is asked, and what stands there has no \
                 effect. After its hold, or for another buyer, the session is priced anew; another \
                 total is told and not charged.",
            )
            .takes_published(DOCUMENTATION, &[], paying)
            .answers_schema(200, "The session, with its order once it is paid.", told())
            .or(CHANGES)
            .or(&[Kind::PaymentChallenged]),
        post("acp_cancel_session", format!("{one}/cancel"), "Gives a session up")
            .takes([], json!({}))
            .answers_schema(200, "The session.", told())
            .or(CHANGES)
            .or(&[Kind::NotCancelable]),
    ]
}

fn carts() -> Vec<Operation> {
    let (all, one) = ("/acp/carts", "/acp/carts/{id}");
    vec![
        post("acp_create_cart", all, "Makes a cart: estimates, nothing is held")
            .takes_published(DOCUMENTATION, &["line_items"], shopping())
            .answers_schema(201, "The cart.", told())
            .or(CHANGES),
        get("acp_get_cart", one, "Shows a cart")
            .answers_schema(200, "The cart.", told())
            .or(&[Kind::OtherProtocol]),
        put("acp_update_cart", one, "Replaces what is in a cart")
            .takes_published(DOCUMENTATION, &["line_items"], shopping())
            .answers_schema(200, "The cart.", told())
            .or(CHANGES),
        post("acp_cancel_cart", format!("{one}/cancel"), "Gives a cart up")
            .takes([], json!({}))
            .answers_schema(200, "The cart.", told())
            .or(CHANGES),
    ]
}

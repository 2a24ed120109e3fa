//! The Universal Commerce Protocol's routes. What their bodies are, the protocol publishes.

use serde_json::{Value, json};

use super::{
    fields::published,
    operation::{Operation, get, post, put},
};
use crate::http::{kinds::Kind, ucp::PROFILE_PATH};

const SCHEMAS: &str = "https://ucp.dev/2026-04-08/schemas/shopping";

/// What a session or a cart has in any case.
fn told(document: &str) -> Value {
    let mut schema = published(&format!("{SCHEMAS}/{document}.json"), &["ucp"]);
    schema["properties"] = json!({
        "ucp": { "type": "object" },
        "id": { "type": "string" },
        "status": { "type": "string" },
        "messages": { "type": "array", "items": { "type": "object" } },
    });
    schema
}

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = discovery();
    all.extend(sessions());
    all.extend(carts());
    all.extend(catalog());
    all.push(
        get("ucp_get_order", "/ucp/orders/{id}", "Shows an order")
            .says("To whoever opened its checkout.")
            .answers_schema(200, "The order.", told("order"))
            .or(&[Kind::OtherProtocol]),
    );
    all
}

fn discovery() -> Vec<Operation> {
    let profile = || json!({ "type": "object", "required": ["ucp"] });
    vec![
        get("ucp_profile", "/.well-known/ucp", "Tells what is spoken here")
            .says("Version, endpoint, capabilities and payment handlers.")
            .answers_schema(200, "The profile.", profile()),
        get("ucp_profile_2026_04_08", PROFILE_PATH, "The profile of version 2026-04-08")
            .answers_schema(200, "The profile.", profile()),
    ]
}

fn catalog() -> Vec<Operation> {
    let ask = |name: &str, does: &'static str, needed: &[&str], example: Value| {
        let found = published(&format!("{SCHEMAS}/catalog_{name}.json"), &["ucp"]);
        post(format!("ucp_catalog_{name}"), format!("/ucp/catalog/{name}"), does)
            .without_key()
            .says("Nothing is held or locked for it; a checkout has the last word.")
            .takes_published(&format!("{SCHEMAS}/catalog_{name}.json"), needed, example)
            .answers_schema(200, "What there is.", found)
    };
    vec![
        ask("search", "Finds products", &[], json!({ "query": "tee" })),
        ask("lookup", "Shows products by id", &["ids"], json!({ "ids": ["TEE-RED-M"] })),
        ask("product", "Shows a product and its variants", &["id"], json!({ "id": "TEE-RED-M" }))
            .or(&[Kind::NotFound]),
    ]
}

fn shopping() -> Value {
    json!({ "line_items": [{ "item": { "id": "TEE-RED-M" }, "quantity": 1 }],
            "buyer": { "email": "ada@example.com" } })
}

const NOTHING: &str = "Nothing of it can be sold: `messages` say why, and there is no id.";

/// How a change of a session may be refused.
const CHANGES: &[Kind] = &[
    Kind::OtherProtocol,
    Kind::CheckoutEnded,
    Kind::CheckoutCompleting,
    Kind::TotalTooLarge,
    Kind::VersionMismatch,
];

fn sessions() -> Vec<Operation> {
    let (all, one) = ("/ucp/checkout-sessions", "/ucp/checkout-sessions/{id}");
    let (create, complete) = (format!("{SCHEMAS}/checkout.json"), format!("{one}/complete"));
    let paying = json!({ "payment": { "instruments": [{
        "id": "pi_1", "handler_id": "sandbox", "type": "card", "selected": true,
        "credential": { "type": "token", "token": "success_token" } }] } });
    vec![
        post("ucp_create_checkout", all, "Opens a checkout, and holds its stock")
            .says("`cart_id` turns a cart into one; twice is the same one.")
            .takes_published(&create, &["line_items"], shopping())
            .answers_schema(201, "The session.", told("checkout"))
            .answers_schema(200, NOTHING, told("checkout"))
            .or(CHANGES)
            .or(&[Kind::NotFound]),
        get("ucp_get_checkout", one, "Shows a checkout")
            .answers_schema(200, "The session.", told("checkout"))
            .or(&[Kind::OtherProtocol]),
        put("ucp_update_checkout", one, "Replaces what is in a checkout")
            .versioned()
            .takes_published(&create, &["line_items"], shopping())
            .answers_schema(200, "The session; `messages` say what is open.", told("checkout"))
            .or(CHANGES),
        post("ucp_complete_checkout", complete, "Pays")
            .says(
                "Whatever the bank says is 200: the session tells. `expected_total` (`amount`, \
                 `currency`) makes the total a promise. Where the total is 0 no instrument is \
                 needed, no gateway is asked, and an instrument that is sent has no effect. After \
                 its hold, or for another buyer, the checkout is priced anew; another total is \
                 told (`total_changed`) and not charged.",
            )
            .versioned()
            .takes_published(&create, &[], paying)
            .answers_schema(200, "The session, with its order once it is paid.", told("checkout"))
            .or(CHANGES),
        post("ucp_cancel_checkout", format!("{one}/cancel"), "Gives a checkout up")
            .versioned()
            .takes([], json!({}))
            .answers_schema(200, "The session.", told("checkout"))
            .or(CHANGES),
    ]
}

fn carts() -> Vec<Operation> {
    let (all, one) = ("/ucp/carts", "/ucp/carts/{id}");
    let schema = format!("{SCHEMAS}/cart.json");
    vec![
        post("ucp_create_cart", all, "Makes a cart: estimates, nothing is held")
            .takes_published(&schema, &["line_items"], shopping())
            .answers_schema(201, "The cart.", told("cart"))
            .answers_schema(200, NOTHING, told("cart"))
            .or(CHANGES),
        get("ucp_get_cart", one, "Shows a cart")
            .answers_schema(200, "The cart.", told("cart"))
            .or(&[Kind::OtherProtocol]),
        put("ucp_update_cart", one, "Replaces what is in a cart")
            .versioned()
            .takes_published(&schema, &["line_items"], shopping())
            .answers_schema(200, "The cart.", told("cart"))
            .or(CHANGES),
        post("ucp_cancel_cart", format!("{one}/cancel"), "Gives a cart up")
            .versioned()
            .takes([], json!({}))
            .answers_schema(200, "The cart.", told("cart"))
            .or(CHANGES),
    ]
}

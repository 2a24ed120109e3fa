//! Parameters of paths: what each name means where.

use serde_json::{Value, json};

use super::guides::Guide;
use crate::exchange;

/// A parameter of a path.
pub(super) struct PathParameter {
    /// What it is.
    pub says: &'static str,
    /// What it may be.
    pub schema: Value,
    /// One for reading; whether it is there only the shop knows.
    pub example: &'static str,
}

/// Which id stands below which path.
const IDS: &[(&str, &str, &str)] = &[
    ("/ucp/checkout-sessions/", "A checkout.", "chk_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/ucp/carts/", "A cart.", "crt_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/ucp/2026-01-11/checkout-sessions/", "A checkout.", "chk_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/v1/product-groups/", "A group: lower-case letters, digits, `-` and `_`.", "harbor-tee"),
    ("/acp/checkout_sessions/", "A session.", "chk_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/acp/carts/", "A cart.", "crt_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/checkouts/", "A checkout.", "chk_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/v1/keys/", "A key.", "key_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/v1/webhook-endpoints/", "An endpoint.", "whe_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/v1/webhook-deliveries/", "A delivery.", "dlv_01a20ad0ec9975c19b1db9c581e57a24"),
    ("/v1/discounts/", "Its name: lower-case letters, digits, `-` and `_`.", "welcome"),
    ("/v1/shipping-rates/", "Its name: lower-case letters, digits, `-` and `_`.", "standard"),
    ("/v1/pickup-locations/", "Its name: lower-case letters, digits, `-` and `_`.", "berlin"),
    ("/v1/tax-rates/", "Its name: lower-case letters, digits, `-` and `_`.", "vat-de"),
];

const ORDER: &str = "ord_01a20ad0ec9975c19b1db9c581e57a24";

/// The parameter of this name in this path. One that nothing is known of is a text.
pub(super) fn parameter(path: &str, name: &str) -> PathParameter {
    let text = || json!({ "type": "string", "minLength": 1 });
    let said = |says, schema, example| PathParameter { says, schema, example };
    match name {
        "id" => {
            let found = IDS.iter().find(|(prefix, ..)| path.starts_with(prefix));
            found.map_or_else(
                || said("An order.", text(), ORDER),
                |(_, says, example)| said(says, text(), example),
            )
        }
        "attempt" => said("A payment attempt.", text(), "pay_01a20ad0ec9975c19b1db9c581e57a24"),
        "gateway" => said("The configured name of the gateway.", text(), "stripe"),
        "order" => said("The order of the case.", text(), ORDER),
        "sku" => said("A stock-keeping unit code.", text(), "TEE-RED-M"),
        "line" => {
            said("A line of the order, from 1.", json!({ "type": "integer", "minimum": 1 }), "1")
        }
        "kind" if path.starts_with("/v1/orders/") => said(
            "What is done.",
            json!({ "type": "string", "enum": ["ship", "return", "restock"] }),
            "ship",
        ),
        "kind" if path.starts_with("/v1/exports/") || path.starts_with("/v1/imports/") => {
            let kinds = exchange::Kind::ALL.map(exchange::Kind::as_str);
            said("What is exchanged.", json!({ "type": "string", "enum": kinds }), "price-lists")
        }
        "currency" => said("An ISO 4217 code.", text(), "USD"),
        "kind" => said("The kind of the value, as lists have them.", text(), "ip"),
        "action" => {
            let actions = ["claim", "release", "assign", "escalate", "notes", "decide"];
            said("What is done.", json!({ "type": "string", "enum": actions }), "claim")
        }
        "name" if path.starts_with("/v1/lists/") => said("A list.", text(), "known_fraudsters"),
        "name" if path.starts_with("/policies/") => said("Which policy.", text(), "privacy"),
        "name" => said("A rule.", text(), "large_orders"),
        "value" if path.starts_with("/v1/lists/") => {
            said("The value.", text(), "mallory@example.com")
        }
        "value" => said("The value.", text(), "192.0.2.7"),
        "version" => said("A model's name.", text(), "2"),
        "guide" => {
            let guides = Guide::ALL.map(Guide::name);
            said("Which guide.", json!({ "type": "string", "enum": guides }), "idempotency")
        }
        "code" => said("A problem's code.", text(), "not_found"),
        _ => said("See the description.", text(), "1"),
    }
}

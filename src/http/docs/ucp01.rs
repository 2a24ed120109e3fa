//! The routes of the Universal Commerce Protocol, 2026-01-11. What their bodies are, the protocol
//! publishes.

use serde_json::{Value, json};

use super::operation::{Operation, get, post, put};
use crate::http::{
    kinds::Kind,
    ucp01::{BASE_PATH, PROFILE_PATH},
};

const SCHEMAS: &str = "https://ucp.dev/2026-01-11/schemas/shopping";

/// What a session or an order has in any case.
fn told(document: &str) -> Value {
    let mut schema = super::fields::published(&format!("{SCHEMAS}/{document}.json"), &["id"]);
    schema["properties"] = json!({ "id": { "type": "string" }, "status": { "type": "string" } });
    schema
}

/// How a change of a session may be refused.
const CHANGES: &[Kind] = &[
    Kind::OtherProtocol,
    Kind::CheckoutEnded,
    Kind::CheckoutCompleting,
    Kind::OutOfStock,
    Kind::ItemUnavailable,
    Kind::CurrencyMismatch,
    Kind::DeliveryOpen,
    Kind::Undeliverable,
    Kind::TotalTooLarge,
    Kind::TotalChanged,
    Kind::VersionMismatch,
];

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let profile = json!({ "type": "object", "required": ["ucp"] });
    let mut all =
        vec![get("ucp01_profile", PROFILE_PATH, "Tells what is spoken here").answers_schema(
            200,
            "The profile.",
            profile,
        )];
    all.extend(sessions());
    let order = format!("{BASE_PATH}/orders/{{id}}");
    all.extend([
        get("ucp01_get_order", order.clone(), "Shows an order")
            .answers_schema(200, "The order.", told("order"))
            .or(&[Kind::OtherProtocol]),
        put("ucp01_update_order", order, "Tells what happened to an order")
            .takes_published(&format!("{SCHEMAS}/order.json"), &[], json!({}))
            .answers_schema(200, "The order.", told("order"))
            .or(CHANGES)
            .or(&[
                Kind::LineShort,
                Kind::InReview,
                Kind::NotCaptured,
                Kind::RefundTooLarge,
                Kind::Unpaid,
                Kind::CannotRecord,
            ]),
    ]);
    all
}

fn sessions() -> Vec<Operation> {
    let all = format!("{BASE_PATH}/checkout-sessions");
    let one = format!("{all}/{{id}}");
    let schema = format!("{SCHEMAS}/checkout.json");
    let cart = json!({ "currency": "EUR", "payment": { "instruments": [] },
                       "line_items": [{ "item": { "id": "TEE-RED-M" }, "quantity": 1 }],
                       "buyer": { "email": "ada@example.com" },
                       "fulfillment": { "methods": [{
                           "type": "shipping", "selected_destination_id": "home",
                           "destinations": [{
                               "id": "home", "street_address": "1 Main St",
                               "address_locality": "Berlin", "postal_code": "10115",
                               "address_country": "DE" }],
                           "groups": [{ "id": "group_1", "selected_option_id": "standard" }],
                       }] } });
    let paying = json!({ "payment_data": {
        "id": "instr_1", "handler_id": "sandbox", "type": "card", "brand": "Visa",
        "last_digits": "1234", "credential": { "type": "token", "token": "success_token" } } });
    let needed = &["line_items", "currency", "payment"];
    let payments = &[Kind::PaymentDeclined, Kind::PaymentUnavailable];
    vec![
        post("ucp01_create_checkout", all, "Opens a checkout, and holds its stock")
            .takes_published(&schema, needed, cart.clone())
            .answers_schema(201, "The session.", told("checkout"))
            .or(CHANGES),
        get("ucp01_get_checkout", one.clone(), "Shows a checkout")
            .answers_schema(200, "The session.", told("checkout"))
            .or(&[Kind::OtherProtocol]),
        put("ucp01_update_checkout", one.clone(), "Changes what it says; all else stays")
            .versioned()
            .takes_published(&schema, &["id"], cart)
            .answers_schema(200, "The session.", told("checkout"))
            .or(CHANGES),
        post("ucp01_complete_checkout", format!("{one}/complete"), "Pays")
            .versioned()
            .says(
                "Where the total is 0 no `payment_data` is needed, no gateway is asked, and what \
                 stands there has no effect. After its hold the checkout is priced anew; another \
                 total is refused (`total_changed`) and not charged.",
            )
            .takes_published(&schema, &[], paying)
            .answers_schema(200, "The session, with its order once it is paid.", told("checkout"))
            .or(CHANGES)
            .or(payments),
        post("ucp01_cancel_checkout", format!("{one}/cancel"), "Gives a checkout up")
            .versioned()
            .takes([], json!({}))
            .answers_schema(200, "The session.", told("checkout"))
            .or(CHANGES),
    ]
}

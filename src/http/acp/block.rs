//! The parts of answers that never change while the process runs, written once.

use serde_json::{Value, json, value::RawValue};

use super::{BASE_PATH, VERSION};
use crate::http::door::Site;

/// Ready-made JSON.
#[derive(Debug)]
pub struct Blocks {
    /// `protocol` of a session.
    pub protocol: Box<RawValue>,
    /// `capabilities` of a session.
    pub capabilities: Box<RawValue>,
    /// `links` of a session.
    pub links: Box<RawValue>,
    /// The whole discovery document.
    pub discovery: String,
}

const DOCUMENTATION: &str = "https://agenticcommerce.dev";

/// Where a discount code may be said.
const EXTENDED: [&str; 3] = [
    "$.CheckoutSessionCreateRequest.discounts",
    "$.CheckoutSessionUpdateRequest.discounts",
    "$.CheckoutSession.discounts",
];

impl Blocks {
    /// The blocks of this shop.
    pub fn of(site: &Site) -> Self {
        Self {
            protocol: raw(&json!({ "version": VERSION })),
            capabilities: raw(&json!({
                "payment": { "handlers": [handler(site)] },
                "interventions": {
                    "supported": ["3ds"], "required": [], "enforcement": "conditional",
                },
                "extensions": [{ "name": "discount", "extends": EXTENDED }],
            })),
            links: raw(&json!([
                { "type": "privacy_policy", "url": site.privacy_url },
                { "type": "terms_of_use", "url": site.terms_url },
            ])),
            discovery: discovery(site),
        }
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("invariant: a JSON value is JSON")
}

/// The handler takes tokens that exist already: no card number can be sent to it.
fn handler(site: &Site) -> Value {
    let page = format!("{}/policies/payments", site.base_url);
    json!({
        "id": "sandbox",
        "name": site.payment_handler,
        "display_name": "Card",
        "version": VERSION,
        "spec": page,
        "requires_delegate_payment": false,
        "requires_pci_compliance": false,
        "psp": "sandbox",
        "config_schema": page,
        "instrument_schemas": [page],
        "config": { "tokens": "test" },
    })
}

fn discovery(site: &Site) -> String {
    let document = json!({
        "protocol": {
            "name": "acp",
            "version": VERSION,
            "supported_versions": [VERSION],
            "documentation_url": DOCUMENTATION,
        },
        "api_base_url": format!("{}{BASE_PATH}", site.base_url),
        "transports": ["rest"],
        "capabilities": {
            "services": ["checkout", "carts", "orders"],
            "extensions": [{ "name": "discount" }],
            "intervention_types": ["3ds"],
        },
    });
    document.to_string()
}

//! The parts of answers that never change while the process runs, written once.

use serde_json::{json, value::RawValue};

use super::{BASE_PATH, VERSION};
use crate::http::door::Site;

/// Ready-made JSON.
#[derive(Debug)]
pub struct Blocks {
    /// `ucp` of a checkout.
    pub checkout: Box<RawValue>,
    /// `ucp` of an order.
    pub order: Box<RawValue>,
    /// `ucp` of an answer without a resource.
    pub error: Box<RawValue>,
    /// `links` of a checkout.
    pub links: Box<RawValue>,
    /// The whole discovery profile.
    pub profile: String,
}

const SPEC: &str = "https://ucp.dev/2026-04-08/specification";
const SCHEMAS: &str = "https://ucp.dev/2026-04-08/schemas";
const SERVICE: &str = "https://ucp.dev/2026-04-08/services/shopping/rest.openapi.json";

impl Blocks {
    /// The blocks of this shop.
    pub fn of(site: &Site) -> Self {
        let handler = &site.payment_handler;
        let handlers = json!({ handler: [handler_of(site)] });
        let checkout = capability_of("checkout");
        let order = capability_of("order");
        Self {
            checkout: raw(&json!({
                "version": VERSION,
                "status": "success",
                "capabilities": { "dev.ucp.shopping.checkout": [checkout] },
                "payment_handlers": handlers,
            })),
            order: raw(&json!({
                "version": VERSION,
                "status": "success",
                "capabilities": { "dev.ucp.shopping.order": [order] },
            })),
            error: raw(&json!({ "version": VERSION, "status": "error" })),
            links: raw(&json!([
                { "type": "privacy_policy", "url": site.privacy_url },
                { "type": "terms_of_service", "url": site.terms_url },
            ])),
            profile: profile(site),
        }
    }
}

fn raw(value: &serde_json::Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("invariant: a JSON value is JSON")
}

fn capability_of(name: &str) -> serde_json::Value {
    json!({
        "version": VERSION,
        "spec": format!("{SPEC}/{name}"),
        "schema": format!("{SCHEMAS}/shopping/{name}.json"),
    })
}

/// The handler takes tokens: no card number can be sent to it.
fn handler_of(site: &Site) -> serde_json::Value {
    json!({
        "id": "sandbox",
        "version": VERSION,
        "spec": format!("{}/policies/payments", site.base_url),
        "config": { "tokens": "test" },
        "available_instruments": [{ "type": "card" }],
    })
}

fn profile(site: &Site) -> String {
    let endpoint = format!("{}{BASE_PATH}", site.base_url);
    let handler = &site.payment_handler;
    let profile = json!({
        "ucp": {
            "version": VERSION,
            "services": { "dev.ucp.shopping": [{
                "version": VERSION,
                "transport": "rest",
                "endpoint": endpoint,
                "spec": format!("{SPEC}/overview"),
                "schema": SERVICE,
            }] },
            "capabilities": {
                "dev.ucp.shopping.checkout": [capability_of("checkout")],
                "dev.ucp.shopping.order": [capability_of("order")],
            },
            "payment_handlers": { handler: [handler_of(site)] },
        },
        "signing_keys": [],
    });
    profile.to_string()
}

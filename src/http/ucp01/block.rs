//! The parts of answers that never change while the process runs, written once.

use serde_json::{Value, json, value::RawValue};

use super::{BASE_PATH, VERSION};
use crate::http::door::Site;

/// Ready-made JSON.
#[derive(Debug)]
pub struct Blocks {
    /// `ucp` of a checkout.
    pub checkout: Box<RawValue>,
    /// `ucp` of an order.
    pub order: Box<RawValue>,
    /// `payment.handlers` of a checkout.
    pub handlers: Box<RawValue>,
    /// `links` of a checkout.
    pub links: Box<RawValue>,
    /// The discovery profile, but for the keys that are published now.
    pub profile: Value,
}

const SPEC: &str = "https://ucp.dev/2026-01-11/specification";
const SCHEMAS: &str = "https://ucp.dev/2026-01-11/schemas";
const SERVICE: &str = "https://ucp.dev/2026-01-11/services/shopping/rest.openapi.json";

/// What adds to a checkout.
const EXTENSIONS: [&str; 3] = ["discount", "fulfillment", "buyer_consent"];

impl Blocks {
    /// The blocks of this shop.
    pub fn of(site: &Site) -> Self {
        let active: Vec<_> = std::iter::once("checkout").chain(EXTENSIONS).map(named).collect();
        Self {
            checkout: raw(&json!({ "version": VERSION, "capabilities": active })),
            order: raw(&json!({ "version": VERSION, "capabilities": [named("order")] })),
            handlers: raw(&json!([handler(site)])),
            links: raw(&json!([
                { "type": "privacy_policy", "url": site.privacy_url },
                { "type": "terms_of_service", "url": site.terms_url },
            ])),
            profile: profile(site),
        }
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("invariant: a JSON value is JSON")
}

fn named(name: &str) -> Value {
    json!({ "name": format!("dev.ucp.shopping.{name}"), "version": VERSION })
}

fn capability(name: &str) -> Value {
    let mut capability = named(name);
    capability["spec"] = format!("{SPEC}/{name}").into();
    capability["schema"] = format!("{SCHEMAS}/shopping/{name}.json").into();
    if EXTENSIONS.contains(&name) {
        capability["extends"] = "dev.ucp.shopping.checkout".into();
    }
    if name == "fulfillment" {
        // All goods of a checkout come one way, to one place.
        capability["config"] = json!({
            "allows_multi_destination": { "shipping": false, "pickup": false },
            "allows_method_combinations": [["shipping"], ["pickup"]],
        });
    }
    capability
}

/// The handler takes tokens: no card number can be sent to it.
fn handler(site: &Site) -> Value {
    let page = format!("{}/policies/payments", site.base_url);
    json!({
        "id": "sandbox",
        "name": site.payment_handler,
        "version": VERSION,
        "spec": page,
        "config_schema": page,
        "instrument_schemas": [format!("{SCHEMAS}/shopping/types/card_payment_instrument.json")],
        "config": { "tokens": "test" },
    })
}

fn profile(site: &Site) -> Value {
    let all = ["checkout", "order"].into_iter().chain(EXTENSIONS);
    json!({
        "ucp": {
            "version": VERSION,
            "services": { "dev.ucp.shopping": {
                "version": VERSION,
                "spec": format!("{SPEC}/overview"),
                "rest": { "schema": SERVICE, "endpoint": format!("{}{BASE_PATH}", site.base_url) },
            } },
            "capabilities": all.map(capability).collect::<Vec<_>>(),
        },
        "payment": { "handlers": [handler(site)] },
        "signing_keys": [],
    })
}

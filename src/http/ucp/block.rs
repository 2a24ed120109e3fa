//! The parts of answers that never change while the process runs, written once.

use serde_json::{json, value::RawValue};

use super::{BASE_PATH, VERSION};
use crate::http::door::Site;

/// Ready-made JSON.
#[derive(Debug)]
pub struct Blocks {
    /// `ucp` of a checkout.
    pub checkout: Box<RawValue>,
    /// `ucp` of a cart.
    pub cart: Box<RawValue>,
    /// `ucp` of an order.
    pub order: Box<RawValue>,
    /// `ucp` of a search in the catalogue.
    pub search: Box<RawValue>,
    /// `ucp` of a look-up in the catalogue.
    pub lookup: Box<RawValue>,
    /// `ucp` of an answer without a resource.
    pub error: Box<RawValue>,
    /// `links` of a checkout.
    pub links: Box<RawValue>,
    /// The discovery profile, but for the keys that are published now.
    pub profile: serde_json::Value,
}

const SPEC: &str = "https://ucp.dev/2026-04-08/specification";
const SCHEMAS: &str = "https://ucp.dev/2026-04-08/schemas";
const SERVICE: &str = "https://ucp.dev/2026-04-08/services/shopping/rest.openapi.json";

impl Blocks {
    /// The blocks of this shop, which also speaks an earlier version with a profile at this path.
    pub fn of(site: &Site, earlier: (&str, &str)) -> Self {
        let handler = &site.payment_handler;
        let handlers = json!({ handler: [handler_of(site)] });
        Self {
            checkout: raw(&json!({
                "version": VERSION,
                "status": "success",
                "capabilities": active(&CHECKOUT),
                "payment_handlers": handlers,
            })),
            cart: raw(&json!({
                "version": VERSION, "status": "success",
                "capabilities": active(&["cart", "discount"]),
            })),
            order: raw(&answering("order")),
            search: raw(&answering("catalog.search")),
            lookup: raw(&answering("catalog.lookup")),
            error: raw(&json!({ "version": VERSION, "status": "error" })),
            links: raw(&json!([
                { "type": "privacy_policy", "url": site.privacy_url },
                { "type": "terms_of_service", "url": site.terms_url },
            ])),
            profile: profile(site, earlier),
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

/// A capability of the catalogue: its name has a part more than its files.
fn catalog_capability(part: &str) -> serde_json::Value {
    json!({
        "version": VERSION,
        "spec": format!("{SPEC}/catalog/{part}"),
        "schema": format!("{SCHEMAS}/shopping/catalog_{part}.json"),
    })
}

/// Capabilities as an answer names them: what they are stands in the profile. Every answer is kept
/// under its key, and one that says it all again is three times as long.
fn active(names: &[&str]) -> serde_json::Value {
    let named = |name: &&str| (format!("dev.ucp.shopping.{name}"), json!([{ "version": VERSION }]));
    names.iter().map(named).collect::<serde_json::Map<_, _>>().into()
}

/// The block of answers for which one capability is active.
fn answering(name: &str) -> serde_json::Value {
    json!({ "version": VERSION, "status": "success", "capabilities": active(&[name]) })
}

/// A capability that adds to others.
fn extension_of(name: &str, extended: &[&str]) -> serde_json::Value {
    let mut capability = capability_of(name);
    let extended = extended.iter().map(|name| format!("dev.ucp.shopping.{name}"));
    capability["extends"] = extended.collect::<Vec<_>>().into();
    capability
}

/// What is active in every checkout.
const CHECKOUT: [&str; 5] = ["checkout", "cart", "discount", "fulfillment", "buyer_consent"];

/// The same as the profile tells it.
fn checkout_capabilities() -> serde_json::Value {
    let mut fulfillment = extension_of("fulfillment", &["checkout"]);
    // All goods of a checkout come one way, to one place.
    fulfillment["config"] = json!({
        "allows_multi_destination": { "shipping": false, "pickup": false },
        "allows_method_combinations": [["shipping"], ["pickup"]],
    });
    json!({
        "dev.ucp.shopping.checkout": [capability_of("checkout")],
        "dev.ucp.shopping.cart": [capability_of("cart")],
        "dev.ucp.shopping.discount": [extension_of("discount", &["checkout", "cart"])],
        "dev.ucp.shopping.fulfillment": [fulfillment],
        "dev.ucp.shopping.buyer_consent": [extension_of("buyer_consent", &["checkout"])],
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

fn profile(site: &Site, (earlier, path): (&str, &str)) -> serde_json::Value {
    let endpoint = format!("{}{BASE_PATH}", site.base_url);
    let handler = &site.payment_handler;
    let mut capabilities = checkout_capabilities();
    capabilities["dev.ucp.shopping.order"] = json!([capability_of("order")]);
    for part in ["search", "lookup"] {
        let name = format!("dev.ucp.shopping.catalog.{part}");
        capabilities[name] = json!([catalog_capability(part)]);
    }
    json!({
        "ucp": {
            "version": VERSION,
            "supported_versions": { earlier: format!("{}{path}", site.base_url) },
            "services": { "dev.ucp.shopping": [{
                "version": VERSION,
                "transport": "rest",
                "endpoint": endpoint,
                "spec": format!("{SPEC}/overview"),
                "schema": SERVICE,
            }] },
            "capabilities": capabilities,
            "payment_handlers": { handler: [handler_of(site)] },
        },
        "signing_keys": [],
    })
}

//! The published schemas of the Agentic Commerce Protocol. Every answer that the tests of it get is
//! held against them, where `DOORBUSTER_SPEC_DIR` names their folder; the tests of this file need
//! it, and the runner leaves them out without it and says so.

use jsonschema::{Resource, Validator};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::http_acp::{created, say};
use super::http_shop::Shop;

const CHECKOUT: &str = "https://example.com/schemas/agentic-checkout/bundle.schema.json";
const CART: &str = "https://example.com/schemas/cart/bundle.schema.json";
/// The cart's schema names the other one like this.
const CHECKOUT_OF_CART: &str = "https://example.com/schemas/cart/schema.agentic_checkout.json";

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("DOORBUSTER_SPEC_DIR")?;
    Some(PathBuf::from(root).join("acp/2026-04-17"))
}

fn read(file: &str) -> Value {
    let path = folder().expect("DOORBUSTER_SPEC_DIR names the folder of the schemas").join(file);
    let text = std::fs::read_to_string(&path).expect("a readable file");
    serde_json::from_str(&text).expect("JSON")
}

/// Compiled once: the files are large.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn validator(def: &str) -> Arc<Validator> {
    let mut all = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(def) {
        return known.clone();
    }
    let mut checkout = read("json-schema/schema.agentic_checkout.json");
    let resource = |document: Value| Resource::from_contents(document).expect("a schema");
    let original = resource(checkout.clone());
    checkout["$id"] = json!(CHECKOUT_OF_CART);
    let base = if def.starts_with("Cart") { CART } else { CHECKOUT };
    let made = jsonschema::options()
        .with_resource(CHECKOUT, original)
        .with_resource(CHECKOUT_OF_CART, resource(checkout))
        .with_resource(CART, resource(read("json-schema/schema.cart.json")))
        .build(&json!({"$ref": format!("{base}#/$defs/{def}")}));
    let made = Arc::new(made.expect("references resolve"));
    all.insert(def.to_owned(), made.clone());
    made
}

/// Panics unless the document fits this definition. Without the schemas every document does.
pub(crate) fn fits(def: &str, document: &Value) {
    if folder().is_none() {
        return;
    }
    let validator = validator(def);
    let wrong: Vec<_> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "no {def}: {wrong:?}\n{document:#}");
}

#[test]
fn the_schemas_refuse_what_is_none_of_theirs() {
    let error = json!({"type": "invalid_request", "code": "x", "message": "x"});
    fits("Error", &error);
    for (def, wrong) in [
        ("Error", json!({"type": "about:blank", "code": "x", "message": "x"})),
        ("CheckoutSession", error.clone()),
        ("Cart", json!({"id": "crt_1", "line_items": [{}], "currency": "eur", "totals": []})),
        ("Order", json!({"id": "ord_1"})),
    ] {
        assert!(!validator(def).is_valid(&wrong), "{def} takes {wrong}");
    }
}

#[actix_web::test]
async fn requests_of_the_published_examples_are_taken() {
    let shop = Shop::open().await;
    shop.sells("item_123", 300, doorbuster::catalog::StockPolicy::Untracked, 0).await;
    let examples = read("examples/examples.agentic_checkout.json");
    let mut create = examples["create_checkout_session_request"].clone();
    fits("CheckoutSessionCreateRequest", &create);
    create["currency"] = json!("eur");
    let body = created(&shop, &create).await;
    let session = format!("/acp/checkout_sessions/{}", body["id"].as_str().expect("an id"));
    let mut details = create["fulfillment_details"].clone();
    // An empty line is none.
    details["address"].as_object_mut().expect("an object").remove("line_two");
    assert_eq!(body["fulfillment_details"], details);

    let update = &examples["update_checkout_session_request"];
    fits("CheckoutSessionUpdateRequest", update);
    assert_eq!(say(&shop, "POST", &session, update).await.status, 200);

    let mut complete = examples["complete_checkout_session_request"].clone();
    fits("CheckoutSessionCompleteRequest", &complete);
    let credential = &mut complete["payment_data"]["instrument"]["credential"];
    credential["token"] = json!("success_token");
    let paid = say(&shop, "POST", &format!("{session}/complete"), &complete).await.json();
    assert_eq!(
        (&paid["status"], &paid["buyer"]["first_name"]),
        (&json!("completed"), &json!("John"))
    );

    let body = created(&shop, &create).await;
    let session = format!("/acp/checkout_sessions/{}", body["id"].as_str().expect("an id"));
    let cancel = &examples["cancel_checkout_session_request"];
    assert_eq!(say(&shop, "POST", &format!("{session}/cancel"), cancel).await.status, 200);
}

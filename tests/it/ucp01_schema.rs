//! The published schemas of UCP 2026-01-11. Every answer that the tests of it get is held against
//! them, where `DOORBUSTER_SPEC_DIR` names their folder; the tests of this file need it, and the
//! runner leaves them out without it and says so.

use jsonschema::{Resource, Validator};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// Where the files name one another.
const BASE: &str = "https://ucp.dev/";

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("DOORBUSTER_SPEC_DIR")?;
    Some(PathBuf::from(root).join("ucp/2026-01-11"))
}

/// The schemas below a folder, each under its address: what they call themselves does not fit what
/// they call one another.
fn read(root: &Path, folder: &Path, found: &mut Vec<(String, Value)>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(root, &path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let mut schema: Value = serde_json::from_str(&text).expect("JSON");
        let inside = path.strip_prefix(root).expect("below it").display().to_string();
        if inside.ends_with("fulfillment_destination_resp.json") {
            // A destination must fit one of two schemas, and not both; but whatever fits the one of
            // a retail location fits the one of an address, where nothing but the id is required.
            schema["anyOf"] = schema["oneOf"].take();
            schema.as_object_mut().expect("an object").remove("oneOf");
        }
        schema["$id"] = json!(format!("{BASE}{inside}"));
        found.push((format!("{BASE}{inside}"), schema));
    }
}

static SCHEMAS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let root = folder().expect("DOORBUSTER_SPEC_DIR names the folder of the schemas");
    let mut found = Vec::new();
    for part in ["discovery", "schemas", "services/service_schema.json"] {
        let path = root.join(part);
        if path.is_dir() {
            read(&root, &path, &mut found);
        } else {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let mut schema: Value = serde_json::from_str(&text).expect("JSON");
            schema["$id"] = json!(format!("{BASE}{part}"));
            found.push((format!("{BASE}{part}"), schema));
        }
    }
    found
});

/// Compiled once.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn validator(schema: &str) -> Arc<Validator> {
    let mut all = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(schema) {
        return known.clone();
    }
    let resource = |schema: &Value| Resource::from_contents(schema.clone()).expect("a schema");
    let resources = SCHEMAS.iter().map(|(name, schema)| (name.clone(), resource(schema)));
    let made = jsonschema::options()
        .with_resources(resources)
        .should_validate_formats(true)
        .build(&json!({"$ref": format!("{BASE}{schema}")}));
    let made = Arc::new(made.expect("references resolve"));
    all.insert(schema.to_owned(), made.clone());
    made
}

/// Panics unless the document fits this schema (`file#/$defs/name`). Without the schemas every
/// document does.
pub(crate) fn fits(schema: &str, document: &Value) {
    if folder().is_none() {
        return;
    }
    let validator = validator(schema);
    let wrong = validator.iter_errors(document);
    let wrong: Vec<_> = wrong.map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(wrong.is_empty(), "no {schema}: {wrong:?}\n{document:#}");
}

/// A checkout with all its extensions.
pub(crate) fn fits_checkout(body: &Value) {
    fits("schemas/shopping/checkout_resp.json", body);
    for extension in ["discount_resp", "fulfillment_resp", "buyer_consent_resp"] {
        fits(&format!("schemas/shopping/{extension}.json#/$defs/checkout"), body);
    }
}

#[test]
fn the_schemas_refuse_what_is_none_of_theirs() {
    let order = "schemas/shopping/order.json";
    let checkout = "schemas/shopping/checkout_resp.json";
    let total = "schemas/shopping/types/total_resp.json";
    for (schema, wrong) in [
        ("discovery/profile_schema.json", json!({"ucp": {"version": "1"}})),
        (checkout, json!({"id": "chk_1"})),
        (order, json!({"id": "ord_1"})),
        (total, json!({"type": "discount", "amount": -1})),
        ("schemas/shopping/types/message_error.json", json!({"type": "error", "code": "x"})),
        ("schemas/shopping/fulfillment_resp.json#/$defs/checkout", json!({"id": "chk_1"})),
    ] {
        assert!(!validator(schema).is_valid(&wrong), "{schema} takes {wrong}");
    }
    fits(total, &json!({"type": "discount", "amount": 1}));
}

//! The OpenAPI document: the same as the mounted routes, and as the readers of bodies.

use doorbuster::{
    http::{
        docs::{areas, openapi, operation::Operation},
        health,
    },
    telemetry::metrics,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    http_routes::{app_of, routes_of},
    http_shop::{BASE_URL, Shop},
};

/// Every operation.
pub(crate) fn operations() -> Vec<Operation> {
    areas().into_iter().flat_map(|area| area.operations).collect()
}

/// Methods and paths.
type Routes = BTreeSet<(String, String)>;

/// `{value:.+}` is `{value}`: the document names parameters, the router says what they match.
fn plain(pattern: &str) -> String {
    let step = |step: &str| match step.split_once(':') {
        Some((name, _)) if step.starts_with('{') => format!("{name}}}"),
        _ => step.to_owned(),
    };
    pattern.split('/').map(step).collect::<Vec<_>>().join("/")
}

/// What the framework says is mounted.
async fn mounted() -> Routes {
    let exporter = metrics::install().expect("installed once");
    let shop = Shop::open().await;
    let app = app_of(&shop, Box::new(health::metrics_routes(exporter))).await;
    routes_of(&app).await.into_iter().map(|(method, path)| (method, plain(&path))).collect()
}

#[actix_web::test]
async fn what_is_documented_and_what_is_mounted_are_the_same() {
    let said = |operation: &Operation| (operation.method.to_string(), operation.path.clone());
    let documented: Routes = operations().iter().map(said).collect();
    let mounted = mounted().await;
    let undocumented: Vec<_> = mounted.difference(&documented).collect();
    assert!(undocumented.is_empty(), "add these to a table in src/http/docs: {undocumented:?}");
    let imagined: Vec<_> = documented.difference(&mounted).collect();
    assert!(imagined.is_empty(), "nothing is mounted there: {imagined:?}");
}

#[test]
fn the_document_has_every_operation_of_the_table_under_one_name() {
    let document = openapi::document(BASE_URL);
    let mut names = BTreeMap::new();
    for operation in operations() {
        let method = operation.method.as_str().to_lowercase();
        let told = &document["paths"][&operation.path][&method];
        assert_eq!(told["operationId"], operation.id, "{} {}", method, operation.path);
        let before = names.insert(operation.id.clone(), operation.path.clone());
        assert_eq!(before, None, "{} stands for two operations", operation.id);
        assert!(!operation.answers.is_empty(), "{} never ends well", operation.id);
    }
    let paths = document["paths"].as_object().expect("paths").values();
    let count: usize = paths.map(|methods| methods.as_object().map_or(0, |all| all.len())).sum();
    assert_eq!(count, names.len());
}

#[actix_web::test]
async fn the_document_is_served_and_printed() {
    let shop = Shop::open().await;
    let served = shop.get("/openapi.json").await;
    assert_eq!(served.status, 200);
    assert_eq!(served.json(), openapi::document(BASE_URL));
    assert_eq!(served.json()["openapi"], "3.1.0");
}

/// Every name that a reader of our own interface asks a body or a query for.
fn names_read() -> BTreeSet<String> {
    // Whatever reads a field by its name.
    const READERS: &[&str] = &[
        ".get(\"",
        ".find(\"",
        "text_in(\"",
        " text(\"",
        "text(&body, \"",
        "time(&body, \"",
        "moment(&body, \"",
        "moment(at, \"",
        "moment(&signals, \"",
        "whole(&signals, \"",
        " flag(\"",
        " said(\"",
        " score(\"",
    ];
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let v1 = source.join("v1").read_dir().expect("a folder");
    let mut files: Vec<_> = v1.map(|file| file.expect("a file").path()).collect();
    files.extend(["reading.rs", "signals.rs"].map(|name| source.join(name)));
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for reader in READERS {
            let found = text.split(reader).skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(found.map(str::to_owned));
        }
    }
    names
}

/// Every name of a property in this schema.
fn names_in(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                names.extend(properties.keys().cloned());
            }
            fields.values().for_each(|value| names_in(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        _ => {}
    }
}

#[test]
fn what_a_reader_of_our_own_interface_asks_for_is_documented() {
    let mut documented = BTreeSet::new();
    for operation in operations() {
        if let Some(body) = &operation.body {
            names_in(&body.schema, &mut documented);
        }
    }
    let read = names_read();
    assert!(read.len() > 60, "the readers are no longer found: {read:?}");
    // What the reader of addresses and lines knows for UCP alone.
    documented.extend(["item", "full_name", "signals"].map(str::to_owned));
    let silent: Vec<_> = read.difference(&documented).collect();
    assert!(silent.is_empty(), "read, and in no body of src/http/docs: {silent:?}");
}

#[actix_web::test]
async fn pages_need_nothing_from_elsewhere_and_lead_somewhere() {
    let shop = Shop::open().await;
    let reference = shop.get("/docs").await;
    let page = String::from_utf8(reference.bytes.clone()).expect("text");
    for operation in operations() {
        assert!(page.contains(&format!("<article id=\"{}\">", operation.id)), "{}", operation.id);
    }
    let mut known = BTreeMap::from([("docs".to_owned(), page)]);
    let guides = ["idempotency", "errors", "testing", "webhooks"];
    let paths = guides.map(|guide| format!("/docs/{guide}"));
    for path in paths.iter().map(String::as_str).chain(["/docs"]) {
        let answer = shop.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = String::from_utf8(answer.bytes).expect("text");
        for outside in ["src=\"http", "<link", "<iframe", "@import", "<img"] {
            assert!(!page.contains(outside), "{path} loads {outside}");
        }
        for link in page.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let (to, at) = link.split_once('#').unwrap_or((link, ""));
            if !known.contains_key(to) {
                let there = shop.get(&format!("/{to}")).await;
                assert_eq!(there.status, 200, "{path} leads to /{link}");
                known.insert(to.to_owned(), String::from_utf8_lossy(&there.bytes).into_owned());
            }
            let text = &known[to];
            assert!(at.is_empty() || text.contains(&format!("id=\"{at}\"")), "{path}: no #{at}");
        }
    }
}

#[actix_web::test]
async fn the_collection_has_every_operation() {
    let shop = Shop::open().await;
    let collection = shop.get("/docs/postman.json").await.json();
    assert!(collection["info"]["schema"].as_str().is_some_and(|url| url.contains("v2.1.0")));
    let folders = collection["item"].as_array().expect("folders");
    let items = folders.iter().flat_map(|folder| folder["item"].as_array().expect("items"));
    let items: Vec<_> = items.map(|item| &item["request"]).collect();
    assert_eq!(items.len(), operations().len());
    let named = |name: &str| {
        let found = items.iter().find(|request| request["url"]["raw"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let order = named("{{base_url}}/v1/orders");
    let header = order["header"].as_array().expect("headers").iter();
    let keys: Vec<_> = header.filter(|header| header["key"] == "Idempotency-Key").collect();
    assert_eq!(keys.len(), 1, "{order}");
    assert_eq!(keys[0]["value"], "{{$guid}}", "each sending is an attempt of its own: {order}");
    let body = order["body"]["raw"].as_str().map(serde_json::from_str::<Value>);
    assert_eq!(order["method"], "POST");
    assert!(matches!(body, Some(Ok(_))), "{order}");
    let one = named("{{base_url}}/v1/orders/:id");
    assert_eq!(one["url"]["variable"][0]["key"], "id");
}

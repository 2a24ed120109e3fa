//! The table of operations as a Postman collection (format 2.1).

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::{Area, areas, kept, openapi, operation::Operation};
use crate::http::door::Door;

/// The format; tools tell by it how to read the file.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// Serves the collection, with this shop's address.
pub async fn get(door: web::Data<Door>, request: HttpRequest) -> HttpResponse {
    let text = kept("postman", &door.site().base_url, |base_url| collection(base_url).to_string());
    text.answer(&request, "application/json")
}

/// The collection of a service at this address.
pub fn collection(base_url: &str) -> Value {
    let document = openapi::document(base_url);
    let folder = |area: &Area| {
        let told = |operation: &Operation| {
            let method = operation.method.as_str().to_lowercase();
            item(operation, &document["paths"][&operation.path][method])
        };
        json!({
            "name": area.name,
            "description": area.says,
            "item": area.operations.iter().map(told).collect::<Vec<_>>(),
        })
    };
    json!({
        "info": {
            "name": "Doorbuster",
            "description": document["info"]["description"],
            "schema": SCHEMA,
        },
        "auth": { "type": "bearer",
                  "bearer": [{ "key": "token", "value": "{{api_key}}", "type": "string" }] },
        "variable": [
            { "key": "base_url", "value": base_url },
            { "key": "api_key", "value": "" },
        ],
        "item": areas().iter().map(folder).collect::<Vec<_>>(),
    })
}

fn item(operation: &Operation, told: &Value) -> Value {
    let parameters = told["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |place: &'static str| parameters.iter().filter(move |one| one["in"] == place);
    let mut request = json!({
        "method": operation.method.as_str(),
        "header": headers(operation, of("header")),
        "description": told.get("description").unwrap_or(&told["summary"]),
        "url": {
            "raw": format!("{{{{base_url}}}}{}", with_colons(&operation.path)),
            "host": ["{{base_url}}"],
            "path": with_colons(&operation.path).split('/').skip(1).collect::<Vec<_>>(),
            "variable": of("path").map(variable).collect::<Vec<_>>(),
            "query": of("query").map(query).collect::<Vec<_>>(),
        },
    });
    if operation.scope().is_none() {
        request["auth"] = json!({ "type": "noauth" });
    }
    if let Some(body) = &operation.body {
        let raw = body.sent();
        request["body"] =
            json!({ "mode": "raw", "raw": raw, "options": { "raw": { "language": "json" } } });
    }
    json!({ "name": operation.summary, "request": request, "response": [] })
}

/// Parameters of a path are written with a colon here.
fn with_colons(path: &str) -> String {
    path.replace('{', ":").replace('}', "")
}

fn headers<'a>(operation: &Operation, declared: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let header = |one: &Value| {
        // Sent again by hand, an attempt would be a replay: each sending is a fresh one.
        let value = match one["name"].as_str() {
            Some("Idempotency-Key") => "{{$guid}}",
            _ => one["example"].as_str().unwrap_or_default(),
        };
        json!({ "key": one["name"], "value": value, "description": one["description"],
                "disabled": one["required"] == false })
    };
    let mut all: Vec<Value> = declared.map(header).collect();
    if let Some(body) = &operation.body {
        all.push(json!({ "key": "Content-Type", "value": body.media }));
    }
    all
}

fn variable(one: &Value) -> Value {
    json!({ "key": one["name"], "value": one["example"], "description": one["description"] })
}

fn query(one: &Value) -> Value {
    json!({ "key": one["name"], "value": "", "description": one["description"],
            "disabled": one["required"] == false })
}

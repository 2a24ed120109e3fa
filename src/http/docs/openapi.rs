//! The table of operations as an OpenAPI 3.1 document.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Area, areas, fields, kept,
    operation::{Content, Operation, Parameter},
    path, refusals,
};
use crate::{
    access::Scope,
    http::{
        acp::error_wire::ErrorWire,
        door::Door,
        kinds::Kind,
        problem::{Body as ProblemBody, Dialect},
    },
};

/// Where schemas of types stand.
const COMPONENTS: &str = "/components/schemas";

/// Serves the document, with this shop's address.
pub async fn get(door: web::Data<Door>, request: HttpRequest) -> HttpResponse {
    let text = kept("openapi", &door.site().base_url, |base_url| document(base_url).to_string());
    text.answer(&request, "application/json")
}

/// The document of a service at this address.
pub fn document(base_url: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = COMPONENTS.into();
    settings.meta_schema = None;
    fields::plainly(&mut settings);
    let mut generator = settings.into_generator();
    let areas = areas();
    let mut paths: Map<String, Value> = Map::new();
    for area in &areas {
        for operation in &area.operations {
            let described = describe(operation, area, &mut generator);
            let methods = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
            methods[operation.method.as_str().to_lowercase()] = described;
        }
    }
    generator.subschema_for::<ProblemBody<'_>>();
    generator.subschema_for::<ErrorWire<'_>>();
    let tag = |area: &Area| json!({ "name": area.name, "description": area.says });
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{ "url": base_url }],
        "tags": areas.iter().map(tag).collect::<Vec<_>>(),
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true), "securitySchemes": schemes() },
    })
}

fn info() -> Value {
    json!({
        "title": "Doorbuster",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "A checkout service: holds stock, takes the order, loses nothing.",
        "description":
            "A request that changes something carries an `Idempotency-Key`; the same key gives the \
             same answer and does nothing twice. What goes wrong is `application/problem+json` \
             (RFC 9457) with a `code`; below `/acp` it is an error in that protocol's words. \
             `HEAD` is answered wherever `GET` is. No path, query or text may hold a control \
             character but for tabs and ends of lines in texts; bodies come unpacked, without \
             `Content-Encoding`.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    })
}

fn schemes() -> Value {
    let says = "A key made with `doorbuster keys create`. In dev mode none is needed.";
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": says },
        "header": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": says },
    })
}

fn describe(operation: &Operation, area: &Area, generator: &mut SchemaGenerator) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [area.name],
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation, generator),
    });
    let mut says = operation.says.to_owned();
    if let Some(scope) = operation.scope() {
        let needs = format!("Needs the scope `{}`.", word(scope));
        says = if says.is_empty() { needs } else { format!("{says} {needs}") };
        described["security"] = json!([{ "bearer": [] }, { "header": [] }]);
    } else {
        described["security"] = json!([]);
    }
    if operation.dev_only {
        described["x-dev-only"] = true.into();
    }
    if !says.is_empty() {
        described["description"] = says.into();
    }
    if let Some(body) = &operation.body {
        let content = json!({ "schema": body.schema, "example": body.example });
        let needed = body.schema.get("required").is_some() || body.schema.get("anyOf").is_some();
        described["requestBody"] =
            json!({ "required": needed, "content": { body.media: content } });
    }
    described
}

/// The scope as `doorbuster keys create` takes it.
fn word(scope: Scope) -> String {
    serde_json::to_value(scope)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let of_path = operation.path_parameters().map(|name| {
        let found = path::parameter(&operation.path, name);
        json!({ "name": name, "in": "path", "required": true, "description": found.says,
                "schema": found.schema, "example": found.example })
    });
    let key = operation.has_key().then(|| {
        json!({ "name": "Idempotency-Key", "in": "header", "required": true,
                "description": "A fresh name for the attempt, and the same one when it is retried.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255,
                            "pattern": "^[!-~]+$" } })
    });
    let others = operation.parameters.iter().map(parameter);
    of_path.chain(key).chain(others).collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { place, name, needed, schema, says, example } = parameter;
    let mut schema = schema.clone();
    if schema["description"] == "" {
        schema.as_object_mut().map(|schema| schema.remove("description"));
    }
    let mut described = json!({ "name": name, "in": place, "required": needed,
                                "description": says, "schema": schema });
    if let Some(example) = example {
        described["example"] = example.clone();
    }
    described
}

fn responses(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for answer in &operation.answers {
        let content = match &answer.content {
            Content::Ours(shape) => {
                json!({ "application/json": { "schema": shape(generator) } })
            }
            Content::Schema(schema) => json!({ "application/json": { "schema": schema } }),
            Content::Other(media) => json!({ *media: { "schema": { "type": "string" } } }),
        };
        let described = json!({ "description": answer.says, "content": content });
        responses.insert(answer.status.to_string(), described);
    }
    for (status, kinds) in refusals::by_status(operation) {
        responses.insert(status.to_string(), refused(operation.dialect(), &kinds));
    }
    responses.into()
}

fn refused(dialect: Dialect, kinds: &[Kind]) -> Value {
    let (media, schema) = match dialect {
        Dialect::Acp => ("application/json", "AcpError"),
        Dialect::Ucp | Dialect::Ucp202601 | Dialect::Plain => {
            ("application/problem+json", "Problem")
        }
    };
    let row = |kind: &Kind| format!("`{}`: {}", kind.row().code, kind.row().title);
    let codes: Vec<_> = kinds.iter().map(|kind| kind.row().code).collect();
    let mut described = json!({
        "description": kinds.iter().map(row).collect::<Vec<_>>().join("; "),
        "x-codes": codes,
        "content": { media: { "schema": { "$ref": format!("#{COMPONENTS}/{schema}") } } },
    });
    if kinds.iter().any(|kind| kind.row().retry_after.is_some()) {
        described["headers"] = json!({ "Retry-After": {
            "description": "Seconds until it may do.", "schema": { "type": "integer" } } });
    }
    described
}

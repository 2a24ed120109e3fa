//! `/docs`: every operation, and a form that sends it.

use serde_json::Value;
use std::fmt::Write;

use super::{
    Area, openapi,
    operation::Operation,
    page::{plain, prose},
};

/// How deep the fields of bodies and answers are followed: deeper ones stand in the document.
const DEPTH: usize = 4;

/// What the page says: an introduction, then area by area.
pub(super) fn main(areas: &[Area], base_url: &str) -> String {
    let document = openapi::document(base_url);
    let mut out = String::from(
        "<h1>Doorbuster</h1>\n<p>Everything that can be asked of this service. Each operation can \
         be tried against it: what you send is real, and so is what comes of it. Where to begin: \
         <a href=\"#place_order\">an order in one request</a>, or \
         <a href=\"#ucp_create_checkout\">a checkout</a> as agents open it.</p>",
    );
    for area in areas {
        let (name, says) = (plain(area.name), prose(area.says));
        let _infallible = write!(out, "<section><h2>{name}</h2><p>{says}</p>");
        for operation in &area.operations {
            let method = operation.method.as_str().to_lowercase();
            let told = &document["paths"][&operation.path][&method];
            article(&mut out, operation, told, (&document, base_url));
        }
        out.push_str("</section>\n");
    }
    out
}

fn article(out: &mut String, operation: &Operation, told: &Value, about: (&Value, &str)) {
    let (document, base_url) = about;
    let (id, method) = (&operation.id, operation.method.as_str());
    let (summary, path) = (plain(&operation.summary), plain(&operation.path));
    let color = method.to_lowercase();
    let _infallible = write!(
        out,
        "<article id=\"{id}\"><h3>{summary}</h3><p class=\"where\"><span class=\"method {color}\">\
         {method}</span> <code>{path}</code></p>"
    );
    if let Some(says) = told["description"].as_str() {
        let _infallible = write!(out, "<p>{}</p>", prose(says));
    }
    parameters(out, told);
    if let Some(body) = &operation.body {
        fields(out, "Body", &body.schema, document);
        if let Some(url) = body.schema["externalDocs"]["url"].as_str() {
            let url = plain(url);
            let _infallible =
                write!(out, "<p>Its schema is published at <a href=\"{url}\">{url}</a>.</p>");
        }
    }
    let line = plain(&curl(operation, told, base_url));
    let _infallible = write!(out, "<h4>Example</h4><pre tabindex=\"0\"><code>{line}</code></pre>");
    answers(out, told, document);
    form(out, operation, told);
    out.push_str("</article>\n");
}

fn parameters(out: &mut String, told: &Value) {
    let parameters = told["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if parameters.is_empty() {
        return;
    }
    out.push_str(
        "<h4>Parameters</h4><div class=\"table\"><table><thead><tr><th>Name</th>\
                  <th>In</th><th>What</th></tr></thead><tbody>",
    );
    for parameter in parameters {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default();
        let needed = if parameter["required"] == true { NEEDED } else { "" };
        let _infallible = write!(
            out,
            "<tr><td><code>{}</code>{needed}</td><td>{}</td><td>{}{}</td></tr>",
            plain(text("name")),
            text("in"),
            prose(text("description")),
            words(&parameter["schema"]),
        );
    }
    out.push_str("</tbody></table></div>");
}

const NEEDED: &str = " <span class=\"needed\">required</span>";

/// The few words that a text may be.
fn words(schema: &Value) -> String {
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<_> = words.map(|word| format!("<code>{}</code>", plain(word))).collect();
    if words.is_empty() { String::new() } else { format!(" One of {}.", words.join(", ")) }
}

/// A schema with what it refers to.
fn resolved<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    };
    let forms = schema["anyOf"].as_array();
    match forms.and_then(|forms| forms.iter().find(|form| form["type"] != "null")) {
        Some(form) if schema.get("properties").is_none() => resolved(form, document),
        _ => schema,
    }
}

/// The fields of an object, and of what stands in them.
fn fields(out: &mut String, title: &str, schema: &Value, document: &Value) {
    let mut rows = String::new();
    rows_of(&mut rows, schema, document, (String::new(), DEPTH));
    if rows.is_empty() {
        return;
    }
    let _infallible = write!(
        out,
        "<h4>{title}</h4><div class=\"table\"><table><thead><tr><th>Field</th><th>Kind</th>\
         <th>What</th></tr></thead><tbody>{rows}</tbody></table></div>"
    );
}

fn rows_of(rows: &mut String, schema: &Value, document: &Value, (before, depth): (String, usize)) {
    let schema = resolved(schema, document);
    if schema["type"] == "array" {
        return rows_of(rows, &schema["items"], document, (format!("{before}[]"), depth));
    }
    let needed = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let is_needed = needed.is_some_and(|needed| needed.iter().any(|one| one == name));
        let (inside, says) = (resolved(field, document), field["description"].as_str());
        let says = says.or_else(|| inside["description"].as_str()).unwrap_or_default();
        let _infallible = write!(
            rows,
            "<tr><td><code>{}</code>{}</td><td class=\"soft\">{}</td><td>{}{}</td></tr>",
            plain(&path),
            if is_needed { NEEDED } else { "" },
            kind(inside),
            prose(says),
            words(inside),
        );
        if depth > 1 {
            rows_of(rows, inside, document, (path, depth - 1));
        }
    }
}

fn kind(schema: &Value) -> String {
    let of = |value: &Value| match value.as_array() {
        Some(kinds) => kinds[0].as_str().unwrap_or_default().to_owned(),
        None => value.as_str().unwrap_or_default().to_owned(),
    };
    let kind = of(&schema["type"]);
    match schema["format"].as_str() {
        Some("date-time") => "time".to_owned(),
        _ => plain(&kind),
    }
}

fn answers(out: &mut String, told: &Value, document: &Value) {
    out.push_str("<h4>Answers</h4><div class=\"table\"><table><tbody>");
    for (status, answer) in told["responses"].as_object().into_iter().flatten() {
        let codes = answer["x-codes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let link = |code| {
            format!("<a href=\"/problems/{code}\"><code>{code}</code></a>", code = plain(code))
        };
        let codes: Vec<_> = codes.map(link).collect();
        let says = answer["description"].as_str().unwrap_or_default();
        let says = if codes.is_empty() { prose(says) } else { codes.join(", ") };
        let _infallible = write!(out, "<tr><th scope=\"row\">{status}</th><td>{says}</td></tr>");
    }
    out.push_str("</tbody></table></div>");
    let good = told["responses"].as_object().into_iter().flatten();
    let good = good.filter(|(status, _)| status.starts_with('2'));
    for (status, answer) in good {
        let schema = &answer["content"]["application/json"]["schema"];
        let mut table = String::new();
        fields(&mut table, "Fields", schema, document);
        if !table.is_empty() {
            let _infallible =
                write!(out, "<details><summary>What the {status} holds</summary>{table}</details>");
        }
    }
}

/// The request as a command.
fn curl(operation: &Operation, told: &Value, base_url: &str) -> String {
    let method = operation.method.as_str();
    let (mut path, mut line) = (operation.path.clone(), String::from("curl -s"));
    let has_body = operation.body.is_some();
    match (method, has_body) {
        ("GET", _) | ("POST", true) => {}
        _ => line.push_str(&format!(" -X {method}")),
    }
    for parameter in told["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        match (parameter["in"].as_str(), parameter["example"].as_str()) {
            (Some("path"), Some(example)) => {
                path = path.replace(&format!("{{{name}}}"), example);
            }
            (Some("header"), Some(example)) => {
                let _infallible = write!(line, " -H '{name}: {example}'");
            }
            _ => {}
        }
    }
    if operation.has_key() {
        line.push_str(" -H \"Idempotency-Key: $(uuidgen)\"");
    }
    let _infallible = write!(line, " {base_url}{path}");
    if let Some(body) = &operation.body {
        let (media, text) = (body.media, body.sent().replace('\'', "'\\''"));
        let send = if body.media == "application/json" { "-d" } else { "--data-binary" };
        let _infallible = write!(line, " \\\n  -H 'Content-Type: {media}' {send} '{text}'");
    }
    line
}

fn form(out: &mut String, operation: &Operation, told: &Value) {
    let (id, method, path) = (&operation.id, operation.method.as_str(), plain(&operation.path));
    let _infallible = write!(
        out,
        "<details class=\"try\"><summary>Try it</summary><form data-method=\"{method}\" \
         data-path=\"{path}\" aria-label=\"Try: {}\">",
        plain(&operation.summary)
    );
    for parameter in told["parameters"].as_array().into_iter().flatten() {
        let text = |name: &str| plain(parameter[name].as_str().unwrap_or_default());
        let (name, place, example) = (text("name"), text("in"), text("example"));
        if name == "Idempotency-Key" {
            out.push_str(
                "<div class=\"row\"><label>Idempotency-Key <input data-in=\"header\" data-key \
                 name=\"Idempotency-Key\" required></label><button type=\"button\" data-fresh>\
                 Fresh key</button></div>",
            );
            continue;
        }
        let needed = if parameter["required"] == true { " required" } else { "" };
        let _infallible = write!(
            out,
            "<label>{name} <input data-in=\"{place}\" name=\"{name}\" value=\"{example}\"{needed}>\
             </label>"
        );
    }
    if let Some(body) = &operation.body {
        let (media, text) = (body.media, body.sent());
        let _infallible = write!(
            out,
            "<label>Body <textarea name=\"body\" data-media=\"{media}\" id=\"{id}-body\" \
             spellcheck=\"false\">{}\
             </textarea></label>",
            plain(&text)
        );
    }
    out.push_str(
        "<div class=\"row\"><button type=\"submit\">Send</button></div>\
         <output aria-live=\"polite\"></output></form></details>",
    );
}

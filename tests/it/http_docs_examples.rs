//! Every documented example is sent and answered as documented; what is documented as needed, or
//! as of a kind, is refused when it is not there, or of another kind.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    catalog::StockPolicy,
    http::{
        docs::{openapi, operation::Operation},
        problem::Dialect,
    },
};
use serde_json::{Value, json};

use super::{
    http_docs::operations,
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
};

/// The order that stands in examples.
const SOME_ORDER: &str = "ord_01a20ad0ec9975c19b1db9c581e57a24";

/// What cannot be shown in this shop, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("gateway_notification", "signed by a gateway: stripe/notifications.rs"),
    ("payment_return", "of a payment that waits: stripe/notifications.rs"),
    ("ucp01_update_checkout", "its body names the session: http_ucp01.rs"),
    ("ucp01_update_order", "its body is a whole order: http_ucp01_orders.rs"),
    ("capture_order", "this shop captures at once; see http_order_money.rs"),
    ("void_order", "this shop captures at once; see http_order_money.rs"),
    ("metrics", "it is mounted beside the routes"),
    ("add_model", "a model is no text to read; see http_models.rs"),
    ("get_model", "no model is registered; see http_models.rs"),
    ("watch_model", "no model is registered; see http_models.rs"),
    ("unwatch_model", "no model is registered; see http_models.rs"),
    ("promote_model", "no model is registered; see http_models.rs"),
    ("approve_model", "no model is registered; see http_models.rs"),
    ("rollback_model", "no model is registered; see learning_contract.rs"),
    ("get_webhook_delivery", "nothing is delivered without the relay; see process/webhooks.rs"),
    ("redeliver_webhook", "nothing is delivered without the relay; see process/webhooks.rs"),
];

/// A shop that has what the examples name.
struct Example {
    shop: Shop,
    document: Value,
}

impl Example {
    async fn open() -> Self {
        let shop = Shop::open().await;
        shop.sells("TEE-RED-M", 1990, StockPolicy::Tracked, 1000).await;
        let rate = operations().into_iter().find(|one| one.id == "save_shipping_rate");
        let rate = rate.and_then(|one| one.body).expect("it has an example").example;
        let path = "/v1/shipping-rates/standard";
        assert_eq!(shop.ask(Method::PUT, path, &rate).await.status, 200);
        Self { shop, document: openapi::document(BASE_URL) }
    }

    async fn send(&self, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
        let mut request = TestRequest::default().method(operation.method.clone()).uri(path);
        if operation.dialect() == Dialect::Acp {
            request = request.insert_header(("api-version", "2026-04-17"));
        }
        if operation.has_key() {
            request = request.insert_header(("idempotency-key", fresh_key()));
        }
        if let Some(body) = body {
            // What is no JSON stands in its example as a text.
            let media = operation.body.as_ref().map_or("application/json", |body| body.media);
            let text = match body {
                Value::String(text) if media != "application/json" => text.clone(),
                body => body.to_string(),
            };
            request = request
                .insert_header(("content-type", media))
                .insert_header(("content-length", text.len()))
                .set_payload(text);
        }
        self.shop.send(request).await
    }

    /// Does what this operation's example says; what was made.
    async fn make(&self, id: &str) -> String {
        let operation = operations().into_iter().find(|operation| operation.id == id);
        let operation = operation.expect("in the table");
        let body = operation.body.as_ref().map(|body| body.example.clone());
        let answer = self.send(&operation, &operation.path, body.as_ref()).await;
        assert_eq!(answer.status.as_u16(), operation.answers[0].status, "{id}: {}", answer.json());
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// An order over UCP or ACP.
    async fn buy(&self, create: &str, complete: &str) -> String {
        let session = self.make(create).await;
        let operation = operations().into_iter().find(|operation| operation.id == complete);
        let operation = operation.expect("in the table");
        let path = operation.path.replace("{id}", &session);
        let body = operation.body.as_ref().map(|body| &body.example);
        let paid = self.send(&operation, &path, body).await.json();
        paid["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {paid}")).to_owned()
    }

    /// An order that waits for a person.
    async fn case(&self) -> String {
        let body = json!({
            "lines": [{"sku": "TEE-RED-M", "quantity": 1}],
            "buyer": {"email": "fraud-review@example.com"},
            "payment": {"token": "success_token"},
        });
        let placed = self.shop.post("/v1/orders", &body).await.json();
        placed["id"].as_str().unwrap_or_else(|| panic!("no order: {placed}")).to_owned()
    }

    /// A path with what it names in place.
    async fn path(&self, operation: &Operation) -> String {
        let path = &operation.path;
        let id = match path.as_str() {
            _ if !path.contains("{id}") => String::new(),
            _ if path.starts_with("/ucp/2026-01-11/checkout-s") => {
                self.make("ucp01_create_checkout").await
            }
            _ if path.starts_with("/ucp/2026-01-11/orders") => {
                self.buy("ucp01_create_checkout", "ucp01_complete_checkout").await
            }
            _ if path.starts_with("/ucp/checkout-s") => self.make("ucp_create_checkout").await,
            _ if path.starts_with("/ucp/carts") => self.make("ucp_create_cart").await,
            _ if path.starts_with("/acp/checkout_s") => self.make("acp_create_session").await,
            _ if path.starts_with("/acp/carts") => self.make("acp_create_cart").await,
            _ if path.starts_with("/ucp/orders") => {
                self.buy("ucp_create_checkout", "ucp_complete_checkout").await
            }
            _ if path.starts_with("/acp/orders") => {
                self.buy("acp_create_session", "acp_complete_session").await
            }
            _ if path.starts_with("/v1/webhook-e") => self.make("create_webhook_endpoint").await,
            _ if path.starts_with("/v1/keys") => self.make("create_key").await,
            _ if path.starts_with("/v1/orders") => self.make("place_order").await,
            _ => String::new(),
        };
        let case = if path.contains("{order}") { self.case().await } else { String::new() };
        let told = &self.document["paths"][path][operation.method.as_str().to_lowercase()];
        let mut filled = path.clone();
        for parameter in told["parameters"].as_array().expect("a list") {
            let Some(example) = parameter["example"].as_str() else { continue };
            let made = match parameter["name"].as_str() {
                Some("id") if !id.is_empty() => &id,
                Some("order") => &case,
                _ => example,
            };
            let name = parameter["name"].as_str().expect("a name");
            filled = filled.replace(&format!("{{{name}}}"), made);
        }
        filled
    }

    /// The example, about an order that is there.
    async fn body(&self, operation: &Operation) -> Option<Value> {
        let text = operation.body.as_ref()?.example.to_string();
        if !text.contains(SOME_ORDER) {
            return Some(operation.body.as_ref()?.example.clone());
        }
        let text = text.replace(SOME_ORDER, &self.make("place_order").await);
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    /// What the document says about an answer, which must be something.
    fn documented(&self, operation: &Operation, answer: &Answer) -> &Value {
        let method = operation.method.as_str().to_lowercase();
        let told = &self.document["paths"][&operation.path][method]["responses"];
        let told = &told[answer.status.as_str()];
        let body = String::from_utf8_lossy(&answer.bytes);
        assert!(told.is_object(), "{}: {} is undocumented: {body}", operation.id, answer.status);
        let media = answer.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default();
        let content = &told["content"][media];
        assert!(content.is_object(), "{}: {media} is undocumented", operation.id);
        content
    }

    /// Panics unless the answer is as the document says.
    fn holds(&self, operation: &Operation, answer: &Answer) {
        let content = self.documented(operation, answer);
        if content["schema"]["type"] == "string" {
            return;
        }
        let schema =
            json!({ "allOf": [content["schema"]], "components": self.document["components"] });
        let schema = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&schema)
            .unwrap_or_else(|fault| panic!("{}: no schema: {fault}", operation.id));
        let body = answer.json();
        let faults: Vec<_> = schema.iter_errors(&body).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?} in {body:#}", operation.id);
    }

    fn is_here(operation: &Operation) -> bool {
        !NOT_HERE.iter().any(|(id, _)| *id == operation.id)
    }
}

/// First what is kept by name, then what happens, then what is shown, then what is removed.
fn in_order() -> Vec<Operation> {
    let mut all = operations();
    let turn = |operation: &Operation| match operation.method.as_str() {
        "PUT" => 0,
        "POST" => 1,
        "GET" => 2,
        _ => 3,
    };
    // A rule is written before its mode is set, and an entry removed before its list.
    all.sort_by_key(|operation| match (turn(operation), operation.path.len()) {
        (3, length) => (3, usize::MAX - length),
        other => other,
    });
    all
}

#[actix_web::test]
async fn every_example_is_answered_as_documented() {
    let example = Example::open().await;
    for operation in in_order().iter().filter(|operation| Example::is_here(operation)) {
        let path = example.path(operation).await;
        let body = example.body(operation).await;
        let answer = example.send(operation, &path, body.as_ref()).await;
        let told = String::from_utf8_lossy(&answer.bytes);
        assert_eq!(answer.status.as_u16(), operation.answers[0].status, "{}: {told}", operation.id);
        example.holds(operation, &answer);
    }
}

/// What is done to a field of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Missing,
    OtherKind,
}

/// Each way to harm this example, with the pointer to the harmed field.
fn harms(schema: &Value, example: &Value, at: &str) -> Vec<(Harm, String)> {
    let mut all = Vec::new();
    // Of several forms the example has the first.
    if let Some(forms) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let nullable = forms.iter().filter(|form| form["type"] != "null");
        return nullable.take(1).flat_map(|form| harms(form, example, at)).collect();
    }
    if let (Some(item), Some(first)) = (schema.get("items"), example.get(0)) {
        all.extend(harms(item, first, &format!("{at}/0")));
    }
    let Some(fields) = schema["properties"].as_object() else { return all };
    let needed = schema["required"].as_array();
    for (name, field) in fields {
        let pointer = format!("{at}/{name}");
        let is_needed = needed.is_some_and(|needed| needed.iter().any(|one| one == name));
        if is_needed {
            all.push((Harm::Missing, pointer.clone()));
        }
        if example.is_object() && field != &json!({}) {
            all.push((Harm::OtherKind, pointer.clone()));
        }
        if let Some(inside) = example.get(name) {
            all.extend(harms(field, inside, &pointer));
        }
    }
    all
}

/// The example with one field harmed.
fn harmed(example: &Value, schema: &Value, harm: Harm, pointer: &str) -> Value {
    let mut body = example.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = body.pointer_mut(parent).expect("there").as_object_mut().expect("an object");
    match harm {
        Harm::Missing => drop(parent.remove(name)),
        Harm::OtherKind => {
            let is_text = matches!(kind_of(schema, pointer), Some("string"));
            let wrong = if is_text { json!(7) } else { json!("wrong") };
            parent.insert(name.to_owned(), wrong);
        }
    }
    body
}

/// The kind of the field at this pointer.
fn kind_of<'a>(schema: &'a Value, pointer: &str) -> Option<&'a str> {
    let forms = |schema: &'a Value| schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    let first = |schema: &'a Value| match forms(schema) {
        Some(forms) => forms.iter().find(|form| form["type"] != "null").unwrap_or(schema),
        None => schema,
    };
    let mut at = first(schema);
    for step in pointer.split('/').skip(1) {
        at = first(if step == "0" { &at["items"] } else { &at["properties"][step] });
    }
    at["type"].as_str().or_else(|| at["type"][0].as_str())
}

/// Fields that are read by one of several actions, and not by the example's.
const OTHER_ACTIONS: &[&str] = &["/to", "/reason", "/note", "/decision", "/close_reason", "/block"];

#[actix_web::test]
async fn a_field_that_is_missing_or_of_another_kind_is_named() {
    let example = Example::open().await;
    let mut tried = 0;
    for operation in in_order().iter().filter(|operation| Example::is_here(operation)) {
        let Some(body) = &operation.body else { continue };
        let whole = example.body(operation).await.expect("it has one");
        let path = example.path(operation).await;
        for (harm, pointer) in harms(&body.schema, &whole, "") {
            if operation.id == "act_on_case" && OTHER_ACTIONS.contains(&pointer.as_str()) {
                continue;
            }
            let sent = harmed(&whole, &body.schema, harm, &pointer);
            let answer = example.send(operation, &path, Some(&sent)).await;
            example.holds(operation, &answer);
            let (told, id) = (answer.json(), &operation.id);
            assert!(answer.status.is_client_error(), "{id}: {pointer} {harm:?} is taken: {told}");
            names(&told, harm, &pointer, id);
            tried += 1;
        }
        if !body.published && !body.example.as_object().is_some_and(|all| all.is_empty()) {
            let done = example.send(operation, &path, Some(&whole)).await;
            assert!(done.status.is_success(), "{}: {}", operation.id, done.json());
        }
    }
    assert!(tried > 200, "{tried}");
}

/// Panics unless the problem is about this field. A reader of a whole type names what holds it.
fn names(told: &Value, harm: Harm, pointer: &str, id: &str) {
    let said = match (told["pointer"].as_str(), told["param"].as_str()) {
        (Some(pointer), _) => pointer.to_owned(),
        (None, Some(path)) => path.replace('$', "").replace('.', "/"),
        (None, None) => String::new(),
    };
    let holds_it = pointer.starts_with(&said) && (!said.is_empty() || harm == Harm::Missing);
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let text = told["detail"].as_str().or_else(|| told["message"].as_str()).unwrap_or_default();
    assert!(
        said == pointer || holds_it && (said.len() > 1 || text.contains(name)),
        "{id}: {pointer} {harm:?} is told as {told}"
    );
}

//! A PayPal of our own on a loopback port: it remembers tokens, orders and keys, and can be told to
//! lose an answer, to act late, or to say something nobody knows. It is as strict as PayPal is, or
//! stricter: answers are minimal without `Prefer`, a key takes but one body, and a capture may be
//! more than was authorized.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{Arc, Mutex},
};

use super::acting::act;

/// The app's client id.
pub(crate) const CLIENT: &str = "AfWx_shop";
/// The app's secret.
pub(crate) const SECRET: &str = "EKy_shop";

/// What goes wrong with the next call of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// It acts, and answers 500.
    ActsAndBreaks,
    /// It acts, and says that the call is still running.
    ActsAndRuns,
    /// It does not act, and says this.
    Says(u16, Value),
    /// It acts, and its answer says no more than the id.
    Minimal,
    /// It acts, and tells this status of the authorization instead of the true one.
    Status(&'static str),
}

/// A call: its method and path, its key, its body.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) url: String,
    pub(crate) orders: BTreeMap<String, Value>,
    pub(crate) tokens: Vec<String>,
    keys: BTreeMap<String, (Call, u16, Value)>,
    pub(crate) calls: Vec<Call>,
    /// Every answer with a body that is no error: the call, and what it said.
    pub(crate) answers: Vec<(String, Value)>,
    troubles: Vec<(&'static str, Trouble)>,
    numbers: u32,
}

impl State {
    /// A new id, as PayPal makes them: 17 capitals and digits.
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.numbers += 1;
        format!("{kind:0<9}{:08}", self.numbers)
    }
}

/// The fake.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { url: url.clone(), ..State::default() }));
        let data = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::to(answer))
        });
        let server = server.workers(1).listen(listener).expect("it listens").run();
        actix_web::rt::spawn(server);
        Self { url, state }
    }

    /// The next call whose line holds this runs into that.
    pub(crate) fn next(&self, line: &'static str, trouble: Trouble) {
        self.state.lock().unwrap().troubles.push((line, trouble));
    }

    pub(crate) fn orders(&self) -> Vec<Value> {
        self.state.lock().unwrap().orders.values().cloned().collect()
    }

    /// The last order.
    pub(crate) fn order(&self) -> Value {
        self.orders().pop().expect("there is an order")
    }

    /// Minor units captured, of every order.
    pub(crate) fn captured(&self) -> i64 {
        self.orders().iter().map(|order| sum(payments(order, "captures"))).sum()
    }

    /// Authorizations of every order.
    pub(crate) fn authorizations(&self) -> usize {
        self.orders().iter().map(|order| payments(order, "authorizations").len()).sum()
    }

    /// Changes the last order.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state.lock().unwrap();
        change(state.orders.values_mut().last().expect("there is an order"));
    }

    /// The buyer agrees to the last order.
    pub(crate) fn approve(&self) {
        self.change(|order| order["status"] = json!("APPROVED"));
    }

    /// As after six hours, and after 45 days.
    pub(crate) fn forget_keys(&self) {
        self.state.lock().unwrap().keys.clear();
    }

    /// Takes every token back.
    pub(crate) fn forget_tokens(&self) {
        self.state.lock().unwrap().tokens.clear();
    }

    /// The calls whose line ends so.
    pub(crate) fn calls(&self, line: &str) -> Vec<Call> {
        let state = self.state.lock().unwrap();
        state.calls.iter().filter(|call| call.line.ends_with(line)).cloned().collect()
    }
}

/// The payments of an order of one kind.
pub(crate) fn payments(order: &Value, kind: &str) -> Vec<Value> {
    let found = order["purchase_units"][0]["payments"][kind].as_array();
    found.cloned().unwrap_or_default()
}

/// What they come to, in hundredths.
pub(crate) fn sum(movements: Vec<Value>) -> i64 {
    movements.iter().map(|movement| minor(&movement["amount"])).sum()
}

pub(crate) fn minor(amount: &Value) -> i64 {
    let value = amount["value"].as_str().expect("an amount is text");
    let (whole, rest) = value.split_once('.').unwrap_or((value, "00"));
    whole.parse::<i64>().expect("digits") * 100 + rest.parse::<i64>().expect("digits")
}

async fn answer(
    state: web::Data<Mutex<State>>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let line = format!("{} {}", request.method(), request.uri().path());
    let key = header("paypal-request-id");
    let is_form = line.ends_with("/v1/oauth2/token");
    let body = match is_form {
        true => json!(String::from_utf8_lossy(&body)),
        false => serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let mut state = state.lock().unwrap();
    let call = Call { line: line.clone(), key: key.clone(), body };
    state.calls.push(call.clone());
    let at = state.troubles.iter().position(|(part, _)| line.contains(part));
    let trouble = at.map(|at| state.troubles.remove(at).1);
    if let Some(Trouble::Says(status, error)) = &trouble {
        return said(*status, error);
    }
    if let Some(name) = line.strip_prefix("GET /v1/notifications/certs/CERT-") {
        return certificate(name);
    }
    let authorization = header("authorization").unwrap_or_default();
    if is_form {
        return token(&mut state, &authorization);
    }
    let bearer = authorization.strip_prefix("Bearer ").unwrap_or_default();
    if !state.tokens.iter().any(|token| token == bearer) {
        return said(401, &json!({"name": "AUTHENTICATION_FAILURE", "message": "no such token"}));
    }
    let (status, mut told) = keyed(&mut state, &call);
    match trouble {
        Some(Trouble::ActsAndBreaks) => {
            return said(500, &json!({"name": "INTERNAL_SERVER_ERROR"}));
        }
        Some(Trouble::ActsAndRuns) => {
            return said(409, &error("PREVIOUS_REQUEST_IN_PROGRESS"));
        }
        Some(Trouble::Status(word)) => {
            told["purchase_units"][0]["payments"]["authorizations"][0]["status"] = json!(word);
        }
        _ => {}
    }
    let is_full = header("prefer").as_deref() == Some("return=representation")
        && trouble != Some(Trouble::Minimal);
    if !is_full && line.starts_with("POST") && status < 300 {
        told = json!({"id": told["id"], "status": told["status"], "links": told["links"]});
    }
    if status < 300 && !told.is_null() {
        state.answers.push((line, told.clone()));
    }
    said(status, &told)
}

/// Acts once for each key; the same call again is told what has become of it since.
fn keyed(state: &mut State, call: &Call) -> (u16, Value) {
    let Some(key) = &call.key else { return act(state, call) };
    if let Some((first, status, told)) = state.keys.get(key).cloned() {
        if (&first.line, &first.body) != (&call.line, &call.body) {
            return (422, error("PAYPAL_REQUEST_ID_PREVIOUSLY_USED"));
        }
        let now = told["id"].as_str().and_then(|id| state.orders.get(id)).cloned();
        return (if status == 201 { 200 } else { status }, now.unwrap_or(told));
    }
    let (status, told) = act(state, call);
    state.keys.insert(key.clone(), (call.clone(), status, told.clone()));
    (status, told)
}

/// The certificates of notifications: the one they are signed with, and some of others.
fn certificate(name: &str) -> HttpResponse {
    let pem: &[u8] = match name {
        "good" => include_bytes!("../fixtures/paypal/good.pem"),
        "lapsed" => include_bytes!("../fixtures/paypal/lapsed.pem"),
        "named" => include_bytes!("../fixtures/paypal/named.pem"),
        "self" => include_bytes!("../fixtures/paypal/self.pem"),
        "nonsense" => b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok().content_type("application/x-pem-file").body(pem)
}

fn token(state: &mut State, authorization: &str) -> HttpResponse {
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    if authorization != expected {
        let told = json!({"error": "invalid_client",
            "error_description": "Client Authentication failed"});
        return said(401, &told);
    }
    let token = format!("A21AA{}", state.id("TOKEN"));
    state.tokens.push(token.clone());
    said(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 32_400}))
}

/// A 422 with this issue.
pub(super) fn error(issue: &str) -> Value {
    json!({"name": "UNPROCESSABLE_ENTITY", "debug_id": "95864e144146b",
        "message": "The requested action could not be performed, semantically incorrect, or \
                    failed business validation.",
        "details": [{"issue": issue, "description": "in words"}]})
}

fn said(status: u16, body: &Value) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
    match body {
        Value::Null => HttpResponse::build(status).finish(),
        body => HttpResponse::build(status).json(body),
    }
}

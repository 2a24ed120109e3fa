//! A Stripe of our own on a loopback port: it remembers intents, refunds and keys, and can be told
//! to lose an answer, to act late, or to say something nobody knows.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// What goes wrong with the next call of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// It acts, and answers 500.
    ActsAndBreaks,
    /// It acts, and says that the call is still running.
    ActsAndRuns,
    /// It does not act, and says this.
    Says(u16, Value),
    /// It acts, and tells this status instead of the true one.
    Status(&'static str),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) intents: BTreeMap<String, Value>,
    pub(crate) refunds: Vec<Value>,
    keys: BTreeMap<String, (u16, Value)>,
    /// Every call: its path, its key, its fields.
    pub(crate) calls: Vec<(String, Option<String>, BTreeMap<String, String>)>,
    troubles: Vec<(&'static str, Trouble)>,
}

/// The fake.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let data = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::to(answer))
        });
        let server = server.workers(1).listen(listener).expect("it listens").run();
        actix_web::rt::spawn(server);
        Self { url, state }
    }

    /// The next call whose path ends so runs into this.
    pub(crate) fn next(&self, path: &'static str, trouble: Trouble) {
        self.state.lock().unwrap().troubles.push((path, trouble));
    }

    pub(crate) fn intents(&self) -> Vec<Value> {
        self.state.lock().unwrap().intents.values().cloned().collect()
    }

    /// Changes the only intent, or the last.
    pub(crate) fn change(&self, status: &str) -> Value {
        let mut state = self.state.lock().unwrap();
        let intent = state.intents.values_mut().last().expect("there is an intent");
        intent["status"] = json!(status);
        if status == "requires_capture" {
            intent["amount_capturable"] = intent["amount"].clone();
        }
        intent.clone()
    }

    /// As after a day.
    pub(crate) fn forget_keys(&self) {
        self.state.lock().unwrap().keys.clear();
    }

    /// Keys and fields of the calls to this path.
    pub(crate) fn calls(&self, path: &str) -> Vec<(Option<String>, BTreeMap<String, String>)> {
        let state = self.state.lock().unwrap();
        let of_path = state.calls.iter().filter(|(called, ..)| called.ends_with(path));
        of_path.map(|(_, key, fields)| (key.clone(), fields.clone())).collect()
    }
}

async fn answer(
    state: web::Data<Mutex<State>>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let text = match request.method().as_str() {
        "GET" => request.query_string().to_owned(),
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    let fields: BTreeMap<_, _> = web::Query::<Vec<(String, String)>>::from_query(&text)
        .map(|query| query.into_inner().into_iter().collect())
        .unwrap_or_default();
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (key, bearer) = (header("idempotency-key"), header("authorization"));
    let call = format!("{} {}", request.method(), request.uri().path());
    let mut state = state.lock().unwrap();
    state.calls.push((call.clone(), key.clone(), fields.clone()));
    if bearer.as_deref() != Some("Bearer sk_test_shop") {
        return failed(
            401,
            &json!({"type": "invalid_request_error", "message": "Invalid API Key"}),
        );
    }
    assert!(header("stripe-version").is_some(), "the version is pinned");
    let at = state.troubles.iter().position(|(path, _)| call.ends_with(path));
    let trouble = at.map(|at| state.troubles.remove(at).1);
    if let Some(Trouble::Says(status, error)) = &trouble {
        return failed(*status, error);
    }
    let known = key.as_ref().and_then(|key| state.keys.get(key).cloned());
    let (status, body) = known.unwrap_or_else(|| act(&mut state, &call, &fields));
    if let Some(key) = key {
        state.keys.insert(key, (status, body.clone()));
    }
    match trouble {
        Some(Trouble::ActsAndBreaks) => failed(500, &json!({"type": "api_error"})),
        Some(Trouble::ActsAndRuns) => {
            failed(409, &json!({"type": "idempotency_error", "code": "idempotency_key_in_use"}))
        }
        Some(Trouble::Status(word)) => {
            let mut body = body;
            body["status"] = json!(word);
            HttpResponse::Ok().json(body)
        }
        _ if status == 200 => HttpResponse::Ok().json(body),
        _ => failed(status, &body),
    }
}

fn failed(status: u16, error: &Value) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
    HttpResponse::build(status).json(json!({ "error": error }))
}

fn act(state: &mut State, call: &str, fields: &BTreeMap<String, String>) -> (u16, Value) {
    let parts: Vec<&str> = call.split(['/', ' ']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["POST", "v1", "payment_intents"] => create(state, fields),
        ["GET", "v1", "payment_intents", "search"] => (200, json!({"data": [], "has_more": false})),
        ["GET", "v1", "payment_intents"] => {
            let data: Vec<_> = state.intents.values().rev().collect();
            (200, json!({"data": data, "has_more": false}))
        }
        ["GET", "v1", "payment_intents", id] => match state.intents.get(*id) {
            Some(intent) => (200, intent.clone()),
            None => (404, json!({"type": "invalid_request_error", "code": "resource_missing"})),
        },
        ["POST", "v1", "payment_intents", id, "capture"] => {
            move_to(state, id, "requires_capture", "succeeded", fields)
        }
        ["POST", "v1", "payment_intents", id, "cancel"] => {
            let open = state.intents.get(*id).is_some_and(|intent| intent["status"] != "succeeded");
            let from = if open { state.intents[*id]["status"].clone() } else { json!("none") };
            move_to(state, id, from.as_str().unwrap_or("none"), "canceled", fields)
        }
        ["POST", "v1", "refunds"] => {
            let id = format!("re_{}", state.refunds.len());
            let refund = json!({"id": id, "object": "refund", "status": "succeeded",
                "payment_intent": fields["payment_intent"],
                "amount": fields["amount"].parse::<i64>().unwrap(), "metadata": metadata(fields)});
            state.refunds.push(refund.clone());
            (200, refund)
        }
        ["GET", "v1", "refunds"] => {
            let of = state.refunds.iter().rev();
            let of = of.filter(|refund| refund["payment_intent"] == fields["payment_intent"]);
            let after = fields.get("starting_after");
            let is_before = |refund: &&Value| after.is_some_and(|after| refund["id"] != **after);
            let behind = of.skip_while(is_before).skip(usize::from(after.is_some()));
            let data: Vec<&Value> = behind.take(fields["limit"].parse().unwrap()).collect();
            let last = data.last().map(|refund| &refund["id"]);
            let oldest =
                state.refunds.iter().find(|of| of["payment_intent"] == fields["payment_intent"]);
            let has_more = last.is_some() && last != oldest.map(|refund| &refund["id"]);
            (200, json!({"data": data, "has_more": has_more}))
        }
        _ => (404, json!({"type": "invalid_request_error", "message": call})),
    }
}

fn metadata(fields: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    fields
        .iter()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
            Some((name, value.as_str()))
        })
        .collect()
}

fn create(state: &mut State, fields: &BTreeMap<String, String>) -> (u16, Value) {
    let id = format!("pi_{:04}", state.intents.len());
    let method = fields.get("payment_method").cloned().unwrap_or_default();
    let amount: i64 = fields["amount"].parse().unwrap();
    let mut intent = json!({"id": id, "object": "payment_intent", "amount": amount,
        "currency": fields["currency"], "created": 1_764_230_400, "livemode": false,
        "amount_capturable": 0, "amount_received": 0, "metadata": metadata(fields),
        "capture_method": fields["capture_method"]});
    let declined = method.strip_prefix("pm_declined_").map(str::to_owned);
    let status = match (method.as_str(), &declined) {
        (_, Some(_)) => "requires_payment_method",
        ("pm_challenge", _) => "requires_action",
        _ => "requires_capture",
    };
    intent["status"] = json!(status);
    if status == "requires_action" {
        let url = format!("https://hooks.stripe.com/3d_secure_2/{id}");
        intent["next_action"] = json!({"type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": fields.get("return_url")}});
    }
    if status == "requires_capture" {
        intent["amount_capturable"] = json!(amount);
        intent["latest_charge"] = json!({"id": "ch_1", "amount_refunded": 0,
            "payment_method_details": {"card": {"checks": {"cvc_check": "pass",
                "address_line1_check": "pass", "address_postal_code_check": "pass"}}}});
    }
    let mut error = json!({"type": "card_error", "code": "card_declined"});
    if let Some(code) = &declined {
        error["decline_code"] = json!(code);
        intent["last_payment_error"] = error.clone();
    }
    state.intents.insert(id, intent.clone());
    match declined {
        Some(_) => {
            error["payment_intent"] = intent;
            (402, error)
        }
        None => (200, intent),
    }
}

fn move_to(
    state: &mut State,
    id: &str,
    from: &str,
    to: &str,
    fields: &BTreeMap<String, String>,
) -> (u16, Value) {
    let Some(intent) = state.intents.get_mut(id) else {
        return (404, json!({"type": "invalid_request_error", "code": "resource_missing"}));
    };
    if intent["status"] != from || intent["status"] == "canceled" {
        return (
            400,
            json!({"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
                "payment_intent": intent.clone()}),
        );
    }
    intent["status"] = json!(to);
    intent["amount_capturable"] = json!(0);
    if to == "succeeded" {
        let amount = fields.get("amount_to_capture").and_then(|text| text.parse::<i64>().ok());
        intent["amount_received"] = json!(amount.expect("an amount"));
    }
    (200, intent.clone())
}

//! An Adyen of our own on a loopback port: it remembers payments, movements and keys, tells of them
//! only when a test says so, and can be told to lose an answer or to say something nobody knows.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// The API key of the shop.
pub(crate) const KEY: &str = "AQE-of-the-shop";

/// The shop's merchant account.
pub(crate) const MERCHANT: &str = "ShopCOM";

/// The HMAC key of the shop's webhook.
pub(crate) const HMAC_KEY: &str =
    "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

/// What goes wrong with the next call of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// It acts, and answers 500.
    ActsAndBreaks,
    /// It acts, and says that the call is still running.
    ActsAndRuns,
    /// It does not act, and says this.
    Says(u16, Value),
    /// It acts, and tells this result instead of the true one.
    Result(&'static str),
}

/// A payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payment {
    pub(crate) psp_reference: String,
    pub(crate) reference: String,
    pub(crate) amount: Value,
    pub(crate) state: String,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
}

impl Payment {
    fn value(&self) -> i64 {
        self.amount["value"].as_i64().expect("a value")
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) payments: Vec<Payment>,
    keys: BTreeMap<String, (u16, Value)>,
    /// Every call: its path, its key, its body, and the answer.
    pub(crate) calls: Vec<(String, String, Value, (u16, Value))>,
    troubles: Vec<(&'static str, Trouble)>,
    untold: Vec<Value>,
    references: u32,
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

    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.state.lock().unwrap().payments.clone()
    }

    /// What of all payments is captured, and not given back.
    pub(crate) fn taken(&self) -> i64 {
        self.payments().iter().map(|payment| payment.captured - payment.refunded).sum()
    }

    /// What is reserved and neither captured nor let go.
    pub(crate) fn reserved(&self) -> usize {
        self.payments().iter().filter(|payment| payment.state == "Authorised").count()
    }

    /// The buyer of the only payment, or the last, has confirmed it at the bank.
    pub(crate) fn confirmed(&self) -> Value {
        let mut state = self.state.lock().unwrap();
        let payment = state.payments.last_mut().expect("there is a payment");
        payment.state = "Authorised".into();
        let payment = payment.clone();
        let item = item(&payment, "AUTHORISATION", &payment.psp_reference, true);
        state.untold.push(item.clone());
        item
    }

    /// What has happened since this was asked last, the latest first.
    pub(crate) fn untold(&self) -> Vec<Value> {
        let mut items = std::mem::take(&mut self.state.lock().unwrap().untold);
        items.reverse();
        items
    }

    /// Keys and bodies of the calls to this path.
    pub(crate) fn calls(&self, path: &str) -> Vec<(String, Value)> {
        let state = self.state.lock().unwrap();
        let of_path = state.calls.iter().filter(|(called, ..)| called.ends_with(path));
        of_path.map(|(_, key, body, _)| (key.clone(), body.clone())).collect()
    }
}

/// A notification item.
fn item(payment: &Payment, code: &str, psp_reference: &str, success: bool) -> Value {
    json!({ "amount": payment.amount, "eventCode": code, "eventDate": "2026-11-27T09:00:00+01:00",
        "merchantAccountCode": MERCHANT, "merchantReference": payment.reference,
        "originalReference": "", "paymentMethod": "visa", "pspReference": psp_reference,
        "reason": if success { "" } else { "Refused" }, "success": success.to_string() })
}

/// An item with its signature, over the fields that Adyen signs.
pub(crate) fn signed(key: &str, item: &Value) -> Value {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let fields = [
        text("pspReference"),
        text("originalReference"),
        text("merchantAccountCode"),
        text("merchantReference"),
        item["amount"]["value"].to_string(),
        item["amount"]["currency"].as_str().unwrap_or_default().to_owned(),
        text("eventCode"),
        text("success"),
    ];
    let byte = |at: usize| u8::from_str_radix(&key[at..at + 2], 16).expect("hexadecimal");
    let key: Vec<u8> = (0..key.len()).step_by(2).map(byte).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key");
    mac.update(fields.join(":").as_bytes());
    let mut signed = item.clone();
    signed["additionalData"]["hmacSignature"] = json!(STANDARD.encode(mac.finalize().into_bytes()));
    signed
}

async fn answer(
    state: web::Data<Mutex<State>>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body: Value = serde_json::from_slice(&body).expect("a JSON body");
    let (key, call) = (header("idempotency-key"), request.uri().path().to_owned());
    assert!(!key.is_empty() && key.len() <= 64, "the key `{key}`");
    let mut state = state.lock().unwrap();
    if header("x-api-key") != KEY {
        return reply(401, &json!({"status": 401, "errorCode": "000", "message": "Unauthorized"}));
    }
    let at = state.troubles.iter().position(|(path, _)| call.ends_with(path));
    let trouble = at.map(|at| state.troubles.remove(at).1);
    if let Some(Trouble::Says(status, error)) = &trouble {
        state.calls.push((call, key, body, (*status, error.clone())));
        return reply(*status, error);
    }
    let (status, mut told) = match state.keys.get(&key) {
        Some(known) => known.clone(),
        None => act(&mut state, &call, &body),
    };
    state.keys.insert(key.clone(), (status, told.clone()));
    state.calls.push((call, key, body, (status, told.clone())));
    match trouble {
        Some(Trouble::ActsAndBreaks) => reply(500, &json!({"status": 500})),
        Some(Trouble::ActsAndRuns) => reply(422, &error("704", "request in progress")),
        Some(Trouble::Result(word)) => {
            told["resultCode"] = json!(word);
            reply(status, &told)
        }
        _ => reply(status, &told),
    }
}

fn reply(status: u16, body: &Value) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
    HttpResponse::build(status).json(body)
}

fn error(code: &str, message: &str) -> Value {
    json!({ "status": 422, "errorCode": code, "message": message, "errorType": "validation" })
}

fn act(state: &mut State, call: &str, body: &Value) -> (u16, Value) {
    if call != "/v72/payments/details" && body["merchantAccount"] != MERCHANT {
        return (422, error("901", "Invalid Merchant Account"));
    }
    let parts: Vec<&str> = call.split('/').filter(|part| !part.is_empty()).collect();
    state.references += 1;
    let psp_reference = format!("PSP{:013}", state.references);
    match parts.as_slice() {
        ["v72", "payments"] => pay(state, body, psp_reference),
        ["v72", "payments", "details"] => bring(state, body),
        ["v72", "cancels"] => {
            let of = body["paymentReference"].as_str().expect("a reference").to_owned();
            cancel(state, &of, body, psp_reference)
        }
        ["v72", "payments", of, "cancels"] => {
            let known = state.payments.iter().find(|payment| payment.psp_reference == *of);
            let Some(reference) = known.map(|payment| payment.reference.clone()) else {
                return (422, error("167", "Original pspReference required"));
            };
            let (status, mut told) = cancel(state, &reference, body, psp_reference);
            told["paymentPspReference"] = json!(of);
            told.as_object_mut().expect("an object").remove("paymentReference");
            state.untold.last_mut().expect("it is told")["eventCode"] = json!("CANCELLATION");
            (status, told)
        }
        ["v72", "payments", of, "captures" | "refunds"] => {
            let is_capture = parts[3] == "captures";
            move_money(state, of, body, is_capture, psp_reference)
        }
        _ => (404, error("000", call)),
    }
}

fn pay(state: &mut State, body: &Value, psp_reference: String) -> (u16, Value) {
    let word = body["paymentMethod"]["encryptedCardNumber"].as_str().unwrap_or_default();
    let mut payment = Payment {
        psp_reference: psp_reference.clone(),
        reference: body["reference"].as_str().expect("a reference").to_owned(),
        amount: body["amount"].clone(),
        ..Payment::default()
    };
    let mut told = json!({ "merchantReference": payment.reference });
    if word == "unreadable" {
        return (422, error("174", "Unable to decrypt data"));
    }
    if word == "challenge" {
        payment.state = "RedirectShopper".into();
        told["resultCode"] = json!("RedirectShopper");
        told["action"] = json!({ "type": "redirect", "method": "GET", "paymentMethodType":
            "scheme", "url": format!("https://checkoutshopper-test.adyen.com/{psp_reference}") });
        state.payments.push(payment);
        return (200, told);
    }
    let refusal = word.strip_prefix("refused_").and_then(|rest| rest.split_once('_'));
    payment.state = if refusal.is_some() { "Refused" } else { "Authorised" }.into();
    told["resultCode"] = json!(payment.state);
    told["pspReference"] = json!(psp_reference);
    told["amount"] = payment.amount.clone();
    told["additionalData"] = json!({ "cvcResult": "1 Matches", "avsResult": "7 Both match" });
    if let Some((code, reason)) = refusal {
        told["refusalReasonCode"] = json!(code);
        told["refusalReason"] = json!(reason);
    }
    state.untold.push(item(&payment, "AUTHORISATION", &psp_reference, refusal.is_none()));
    state.payments.push(payment);
    (200, told)
}

fn bring(state: &mut State, body: &Value) -> (u16, Value) {
    let result = body["details"]["redirectResult"].as_str().unwrap_or_default().to_owned();
    let known = state.payments.iter().find(|payment| result == payment.psp_reference);
    let Some(payment) = known else { return (422, error("702", "Invalid redirectResult")) };
    let confirmed = payment.state == "Authorised";
    let code = if confirmed { "Authorised" } else { "Refused" };
    (
        200,
        json!({ "resultCode": code, "pspReference": payment.psp_reference,
            "merchantReference": payment.reference, "amount": payment.amount }),
    )
}

fn cancel(state: &mut State, of: &str, body: &Value, psp_reference: String) -> (u16, Value) {
    let known = state.payments.iter_mut().find(|payment| payment.reference == of);
    let (mut payment, done) = match known {
        Some(payment) if matches!(&*payment.state, "Authorised" | "RedirectShopper") => {
            payment.state = "Cancelled".into();
            (payment.clone(), true)
        }
        Some(payment) => (payment.clone(), false),
        None => (
            Payment { amount: json!({"value": 0, "currency": "EUR"}), ..Payment::default() },
            false,
        ),
    };
    payment.reference = body["reference"].as_str().expect("a reference").to_owned();
    let mut told = item(&payment, "TECHNICAL_CANCEL", &psp_reference, done);
    told["originalReference"] = json!(payment.psp_reference);
    state.untold.push(told);
    (
        201,
        json!({ "merchantAccount": MERCHANT, "paymentReference": of, "status": "received",
            "pspReference": psp_reference, "reference": body["reference"] }),
    )
}

fn move_money(
    state: &mut State,
    of: &str,
    body: &Value,
    is_capture: bool,
    psp_reference: String,
) -> (u16, Value) {
    let value = body["amount"]["value"].as_i64().expect("a value");
    let known = state.payments.iter_mut().find(|payment| payment.psp_reference == of);
    let Some(payment) = known else { return (422, error("167", "Original pspReference required")) };
    let left = match is_capture {
        true if payment.state == "Cancelled" => 0,
        true => payment.value() - payment.captured,
        false => payment.captured - payment.refunded,
    };
    let done = value <= left;
    if done && is_capture {
        payment.state = "Captured".into();
        payment.captured += value;
    } else if done {
        payment.refunded += value;
    }
    let mut payment = payment.clone();
    payment.reference = body["reference"].as_str().expect("a reference").to_owned();
    payment.amount = body["amount"].clone();
    let code = if is_capture { "CAPTURE" } else { "REFUND" };
    let mut told = item(&payment, code, &psp_reference, done);
    told["originalReference"] = json!(of);
    state.untold.push(told);
    (
        201,
        json!({ "merchantAccount": MERCHANT, "paymentPspReference": of, "status": "received",
            "pspReference": psp_reference, "reference": body["reference"],
            "amount": body["amount"] }),
    )
}

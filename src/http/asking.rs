//! A request that changes something: who asks, under which key, for what.

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use serde_json::Value;
use std::{future::Ready, sync::Arc};

use super::{
    body::Body,
    caller::{Caller, Named, caller_of, door_of},
    canonical, contract, control,
    door::Door,
    free_text,
    if_match::{self, IfMatch},
    kinds::Kind,
    problem::{Dialect, Problem},
    reading::At,
    request_id::RequestId,
};
use crate::{
    base::{Limits, Origin, Protocol, Timestamp},
    checkout::Asked,
    files::{FileError, decode::text},
    ledger::entry::{KeyWrite, StoredAnswer},
};

/// A request that changes something. Its body has been parsed once, hashed, and searched for card
/// numbers.
#[derive(Debug)]
pub struct Asking {
    caller: Caller,
    key: String,
    fingerprint: String,
    if_match: Option<IfMatch>,
    request: Option<Box<str>>,
    person: Option<Arc<str>>,
    body: Value,
}

impl Asking {
    /// The body.
    pub const fn body(&self) -> At<'_> {
        At::root(&self.body)
    }

    /// Who asks, as the checkout wants to know it.
    pub fn asked(&self, origin: Origin) -> Asked {
        Asked {
            caller: self.caller.0.to_string(),
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            request: self.request.clone(),
            origin,
        }
    }

    /// The key as the ledger keeps it, with the answer it will replay.
    pub fn key_write(&self, answer: StoredAnswer, now: Timestamp) -> KeyWrite {
        self.asked(Origin::of(Protocol::V1)).write(Some(answer), now)
    }

    /// The key before there is an answer.
    pub fn key_claim(&self, now: Timestamp) -> KeyWrite {
        self.asked(Origin::of(Protocol::V1)).write(None, now)
    }

    /// Who asks.
    pub fn caller(&self) -> &Arc<str> {
        &self.caller.0
    }

    /// What people call the key that asks; none where access is open.
    pub fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// The client's name for the attempt.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the attempt asks for, hashed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Which versions may be changed, where the caller says so.
    pub const fn if_match(&self) -> Option<&IfMatch> {
        self.if_match.as_ref()
    }

    /// The versions one of which the caller saw, of what is refused anyway where it is not.
    pub fn if_version(&self) -> Option<Vec<u32>> {
        match &self.if_match {
            None | Some(IfMatch::Any) => None,
            Some(IfMatch::Versions(versions)) => Some(versions.clone()),
        }
    }
}

/// A request that changes something by a file, which is no JSON. What is in it is checked by who
/// reads it.
#[derive(Debug)]
pub struct AskingFile(Asking);

/// The names under which a file and how it is to be read are hashed.
const FILE: &str = "file";
const QUERY: &str = "query";

impl AskingFile {
    /// Who asks.
    pub const fn asking(&self) -> &Asking {
        &self.0
    }

    /// The file.
    pub fn file(&self) -> &str {
        self.0.body[FILE].as_str().unwrap_or_default()
    }
}

impl FromRequest for AskingFile {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(door_of(request).and_then(|door| read_file(request, door)))
    }
}

fn read_file(request: &HttpRequest, door: &Door) -> Result<AskingFile, Problem> {
    let (caller, key) = (caller_of(request)?, key(request, &door.limits)?);
    let bytes = request.extensions().get::<Body>().map(|body| body.0.to_vec()).unwrap_or_default();
    let file = text(&bytes).map_err(|error| {
        Problem::new(Kind::Invalid, FileError::summary(&[error], 1))
            .suggest("Send text, not packed: CSV or JSON lines in UTF-8.")
    })?;
    control::refuse_in_file(&file)?;
    let body = serde_json::json!({ QUERY: request.query_string(), FILE: file });
    let (method, path) = (request.method().as_str(), request.match_info().as_str());
    let fingerprint = canonical::fingerprint(&caller.0, method, path, &body);
    Ok(AskingFile(Asking {
        caller,
        key,
        fingerprint,
        if_match: None,
        request: None,
        person: None,
        body,
    }))
}

impl FromRequest for Asking {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(door_of(request).and_then(|door| read(request, door)))
    }
}

fn read(request: &HttpRequest, door: &Door) -> Result<Asking, Problem> {
    let caller = caller_of(request)?;
    let key = key(request, &door.limits)?;
    let body = parse(request)?;
    free_text::refuse_card_numbers(&body, Dialect::of(request))?;
    check_fields(request, &body)?;
    let (method, path) = (request.method().as_str(), request.match_info().as_str());
    let fingerprint = canonical::fingerprint(&caller.0, method, path, &body);
    let if_match = if_match::of(request.headers())?;
    let person = request.extensions().get::<Named>().map(|named| named.0.clone());
    let request = request.extensions().get::<RequestId>().map(|id| Box::from(&*id.0));
    Ok(Asking { caller, key, fingerprint, if_match, request, person, body })
}

/// The field under which a table stands: hashed, and searched for card numbers, as any other text.
pub const TABLE: &str = "csv";

/// No body is an empty object: a cancel has nothing to say. A table is an object with that text.
pub(super) fn parse(request: &HttpRequest) -> Result<Value, Problem> {
    let extensions = request.extensions();
    let bytes = extensions.get::<Body>().map_or(&[][..], |body| &body.0);
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    if is_table(request) {
        let table = std::str::from_utf8(bytes).map_err(|error| {
            let text = format!("The table is no UTF-8 from byte {} on.", error.valid_up_to());
            Problem::new(Kind::MalformedRequest, text)
        })?;
        control::refuse_in_file(table)?;
        return Ok(serde_json::json!({ TABLE: table }));
    }
    let body: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = format!("The body is no JSON: see line {line}, column {column}.");
        Problem::new(Kind::MalformedRequest, text)
    })?;
    if body.is_object() {
        control::refuse(&body)?;
        return Ok(body);
    }
    Err(Problem::new(Kind::Invalid, "The body must be a JSON object.").at(""))
}

/// Refuses fields that nobody reads, where that is a mistake. A table has its own columns.
pub(super) fn check_fields(request: &HttpRequest, body: &Value) -> Result<(), Problem> {
    if is_table(request) { Ok(()) } else { contract::check_body(request, body) }
}

fn is_table(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("text/csv")
}

fn key(request: &HttpRequest, limits: &Limits) -> Result<String, Problem> {
    let Some(header) = request.headers().get("idempotency-key") else {
        return Err(Problem::new(
            Kind::KeyRequired,
            "A request that changes something needs the header Idempotency-Key.",
        )
        .suggest("Send a fresh UUID, and the same one again when you retry."));
    };
    let most = limits.key_bytes;
    let key = header.to_str().unwrap_or_default().trim();
    if (1..=most).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        free_text::refuse_card_number_as_name(key)?;
        return Ok(key.to_owned());
    }
    let text = format!("An idempotency key has 1 to {most} printable characters without spaces.");
    Err(Problem::new(Kind::KeyInvalid, text).limit(most as u64))
}

//! Problems (RFC 9457): what every refusal and every fault looks like from outside.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

pub use super::dialect::Dialect;
use super::{acp::error_wire, kinds::Kind, ucp01};
use crate::base::{Chain, CheckoutId};

/// Version of the protocol named in problems of its routes.
const UCP_VERSION: &str = "2026-04-08";

/// A refusal or a fault on its way to the caller.
///
/// Boxed: it travels in every `Result`, and most results are not problems.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    kind: Kind,
    detail: Cow<'static, str>,
    pointer: Option<String>,
    limit: Option<u64>,
    retry_after: Option<Duration>,
    suggestion: Option<Cow<'static, str>>,
    place: Option<Place>,
    checkout: Option<CheckoutId>,
    fault: Option<Arc<dyn Error + Send + Sync>>,
}

/// A place in a text that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// Characters before it.
    pub offset: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The line, and below it a caret under the place.
    pub excerpt: String,
}

/// The body of a problem.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout_id: Option<CheckoutId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ucp: Option<Ucp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Messages<'a>>,
}

/// What the protocols have for it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Messages<'a> {
    Ucp([Message<'a>; 1]),
    Ucp202601([ucp01::error_wire::MessageWire<'a>; 1]),
}

/// The protocol's own envelope, beside the problem, on the protocol's routes.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct Ucp {
    version: &'static str,
    status: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct Message<'a> {
    r#type: &'static str,
    code: &'a str,
    severity: &'a str,
    content: &'a str,
}

/// Where a problem arose: what its body says besides the refusal itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scene<'a> {
    /// The public address of this shop, without a slash at the end.
    pub base_url: &'a str,
    /// The path asked for.
    pub path: Option<&'a str>,
    /// The request's id.
    pub request_id: Option<&'a str>,
    /// The trace it is part of, where its caller says so.
    pub trace_id: Option<&'a str>,
    /// Whose words it is told in.
    pub dialect: Dialect,
}

impl Problem {
    /// A problem of this kind, explained to whoever has to act on it.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            kind,
            detail: detail.into(),
            pointer: None,
            limit: None,
            retry_after: kind.row().retry_after,
            suggestion: None,
            place: None,
            checkout: None,
            fault: None,
        }))
    }

    /// A fault: the caller hears that it is ours, the log hears what it was and what it came of.
    pub fn fault(kind: Kind, what: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(kind, kind.row().title);
        problem.0.fault = Some(Arc::from(what.into()));
        problem
    }

    /// The field it is about, as a JSON Pointer (RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// The limit that was passed.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// When to come back.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// What to do instead.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<Cow<'static, str>>) -> Self {
        self.0.suggestion = Some(suggestion.into());
        self
    }

    /// The checkout whose payment came to nothing: its judgement is found by it.
    #[must_use]
    pub const fn about(mut self, checkout: CheckoutId) -> Self {
        self.0.checkout = Some(checkout);
        self
    }

    /// The place in the field's text.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// Which row of the table it is.
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The field it is about, as a JSON Pointer.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// A JSON Pointer (RFC 6901) as a path (RFC 9535): `/line_items/0/id` is `$.line_items[0].id`.
    pub fn json_path(pointer: &str) -> String {
        let mut path = String::from("$");
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            let is_plain =
                |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
                path.push_str(&format!("[{name}]"));
            } else if !name.is_empty() && is_plain(&name) {
                path.push_str(&format!(".{name}"));
            } else {
                path.push_str(&format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")));
            }
        }
        path
    }

    /// What to do instead.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// What broke with everything that it came of, for the log.
    pub fn what_broke(&self) -> Option<Chain<'_>> {
        self.0.fault.as_ref().map(|fault| Chain(&**fault))
    }

    /// The body.
    pub fn body(&self, scene: Scene<'_>) -> String {
        if scene.dialect == Dialect::Acp {
            return error_wire::body(self);
        }
        let row = self.0.kind.row();
        let messages = match scene.dialect {
            Dialect::Ucp => Some(Messages::Ucp([Message {
                r#type: "error",
                code: row.ucp_code,
                severity: row.ucp_severity,
                content: &self.0.detail,
            }])),
            Dialect::Ucp202601 => {
                Some(Messages::Ucp202601([ucp01::error_wire::MessageWire::of(self)]))
            }
            Dialect::Plain | Dialect::Acp => None,
        };
        let is_ucp = scene.dialect == Dialect::Ucp;
        let body = Body {
            r#type: format!("{}/problems/{}", scene.base_url, row.code),
            title: row.title,
            status: self.status(scene.dialect),
            code: row.code,
            detail: &self.0.detail,
            instance: scene.path,
            request_id: scene.request_id,
            trace_id: scene.trace_id,
            pointer: self.0.pointer.as_deref(),
            limit: self.0.limit,
            retry_after_ms: self.0.retry_after.map(millis),
            suggestion: self.0.suggestion.as_deref(),
            place: self.0.place.as_ref(),
            checkout_id: self.0.checkout,
            ucp: is_ucp.then_some(Ucp { version: UCP_VERSION, status: "error" }),
            messages,
        };
        serde_json::to_string(&body).expect("invariant: a problem is plain text and numbers")
    }

    /// The status in these words.
    pub fn status(&self, dialect: Dialect) -> u16 {
        match dialect {
            Dialect::Acp => error_wire::status(self.0.kind),
            Dialect::Ucp202601 => ucp01::error_wire::status(self.0.kind),
            Dialect::Ucp | Dialect::Plain => self.0.kind.row().status,
        }
    }

    /// The whole answer.
    pub fn response(&self, scene: Scene<'_>) -> HttpResponse {
        self.head(scene.dialect).body(self.body(scene))
    }

    fn head(&self, dialect: Dialect) -> HttpResponseBuilder {
        let media = match dialect {
            Dialect::Acp => "application/json",
            Dialect::Ucp | Dialect::Ucp202601 | Dialect::Plain => "application/problem+json",
        };
        let mut head = HttpResponse::build(code(self.status(dialect)));
        head.insert_header((header::CONTENT_TYPE, media));
        head.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(after) = self.0.retry_after {
            head.insert_header((header::RETRY_AFTER, after.as_secs().max(1)));
        }
        if self.0.kind == Kind::EncodingUnsupported {
            head.insert_header((header::ACCEPT_ENCODING, "identity"));
        }
        if self.0.kind == Kind::Unauthorized {
            head.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        head
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn millis(after: Duration) -> u64 {
    u64::try_from(after.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        code(self.0.kind.row().status)
    }

    /// The door writes the body again once it knows the request's id; see `admission`.
    fn error_response(&self) -> HttpResponse {
        self.response(Scene::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_problem_names_the_field_the_limit_and_the_request() {
        let problem = Problem::new(Kind::LimitExceeded, "At most 5 lines.").at("/lines").limit(5);
        let scene = Scene {
            base_url: "https://shop.example",
            path: Some("/v1/orders"),
            request_id: Some("r-1"),
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            dialect: Dialect::Plain,
        };
        let body: Value = serde_json::from_str(&problem.body(scene)).expect("JSON");
        assert_eq!(
            body,
            json!({
                "type": "https://shop.example/problems/limit_exceeded",
                "title": "A limit was passed", "status": 422, "code": "limit_exceeded",
                "detail": "At most 5 lines.", "instance": "/v1/orders", "request_id": "r-1",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "pointer": "/lines", "limit": 5
            })
        );
    }

    #[test]
    fn a_problem_of_the_protocol_speaks_it_too() {
        let scene = Scene { dialect: Dialect::Ucp, ..Scene::default() };
        let text = Problem::new(Kind::NotFound, "No such checkout.").body(scene);
        let body: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(body["ucp"]["status"], "error");
        assert_eq!(body["messages"][0]["code"], "not_found");
        assert_eq!(body["messages"][0]["severity"], "unrecoverable");
    }

    #[test]
    fn a_fault_tells_the_log_and_not_the_caller() {
        let problem = Problem::fault(Kind::Internal, "column price is gone");
        assert!(!problem.body(Scene::default()).contains("column"));
        assert_eq!(told(&problem), "column price is gone");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the product is not read")]
    struct Unread(#[source] std::io::Error);

    fn told(problem: &Problem) -> String {
        problem.what_broke().expect("it is a fault").to_string()
    }

    // breaks: keep the text of the fault alone in `Problem::fault`
    #[test]
    fn what_a_fault_came_of_is_told_as_well() {
        let fault = Unread(std::io::Error::other("the disk is gone"));
        let problem = Problem::fault(Kind::Internal, fault);
        assert_eq!(told(&problem), "the product is not read: the disk is gone");
        assert!(!problem.body(Scene::default()).contains("disk"));
    }

    #[test]
    fn retry_after_is_whole_seconds_and_at_least_one() {
        let problem = Problem::new(Kind::Overloaded, "full").retry_after(Duration::from_millis(40));
        let response = problem.response(Scene::default());
        assert_eq!(response.headers().get("retry-after").expect("set"), "1");
        assert!(problem.body(Scene::default()).contains("\"retry_after_ms\":40"));
    }
}

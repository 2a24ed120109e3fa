//! Errors as this protocol tells them: flat, with a type, a code and a path.

use schemars::JsonSchema;
use serde::Serialize;

use super::VERSION;
use crate::http::{kinds::Kind, problem::Problem};

/// An error of the Agentic Commerce Protocol.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AcpError")]
pub(in crate::http) struct ErrorWire<'a> {
    r#type: &'static str,
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_versions: Option<[&'static str; 1]>,
}

/// The error's body.
pub fn body(problem: &Problem) -> String {
    let kind = problem.kind();
    let message = match problem.suggestion() {
        Some(suggestion) => format!("{} {suggestion}", problem.detail()),
        None => problem.detail().to_owned(),
    };
    let wire = ErrorWire {
        r#type: class(kind),
        code: code(kind),
        message,
        param: problem.pointer().map(Problem::json_path),
        supported_versions: (kind == Kind::VersionUnsupported).then_some([VERSION]),
    };
    serde_json::to_string(&wire).expect("invariant: an error is plain text")
}

/// The status: that of the kind, but for fields and versions, whose refusal is 400 here, and goods
/// that are gone.
pub const fn status(kind: Kind) -> u16 {
    match kind {
        // A challenge as an error is a request that lacks what the bank wants to see.
        Kind::Invalid
        | Kind::LimitExceeded
        | Kind::CardNumber
        | Kind::VersionUnsupported
        | Kind::PaymentChallenged => 400,
        // Nothing of what a new session asks for can be sold, whatever the reason.
        Kind::OutOfStock => 422,
        _ => kind.row().status,
    }
}

/// Whose turn it is: the caller's, or ours, now or later.
pub const fn class(kind: Kind) -> &'static str {
    match status(kind) {
        503 => "service_unavailable",
        402 | 500..=599 => "processing_error",
        _ => "invalid_request",
    }
}

/// Its code: that of the kind, but for a challenge, which the protocol has a word for.
pub const fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::PaymentChallenged => "requires_3ds",
        _ => kind.row().code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(problem: &Problem) -> Value {
        serde_json::from_str(&body(problem)).expect("JSON")
    }

    #[test]
    fn an_error_is_flat_and_names_the_field_by_its_path() {
        let problem = Problem::new(Kind::Invalid, "Wrong.").at("/line_items/0/id");
        assert_eq!(
            told(&problem),
            json!({"type": "invalid_request", "code": "invalid_request", "message": "Wrong.",
                   "param": "$.line_items[0].id"})
        );
        assert_eq!(Problem::json_path(""), "$");
        assert_eq!(Problem::json_path("/a~1b/it's"), r"$['a/b']['it\'s']");
    }

    #[test]
    fn every_kind_has_a_status_and_a_class_that_agree() {
        for kind in Kind::ALL.iter().copied() {
            let (status, class) = (status(kind), class(kind));
            match class {
                "service_unavailable" => assert_eq!(status, 503, "{kind:?}"),
                "processing_error" => assert!([402, 500].contains(&status), "{kind:?}"),
                _ => assert!((400..500).contains(&status), "{kind:?}"),
            }
        }
    }

    #[test]
    fn only_a_version_that_is_refused_names_those_that_are_not() {
        let versions = |kind| told(&Problem::new(kind, "x"))["supported_versions"].clone();
        assert_eq!(versions(Kind::VersionUnsupported), json!([VERSION]));
        assert_eq!(versions(Kind::NotFound), Value::Null);
    }
}

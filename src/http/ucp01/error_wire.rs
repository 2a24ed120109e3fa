//! Errors as this protocol tells them: a problem (RFC 9457) with one message in the protocol's form
//! beside it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{kinds::Kind, problem::Problem};

/// `messages` of an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct MessageWire<'a> {
    r#type: &'static str,
    code: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    content: &'a str,
}

impl<'a> MessageWire<'a> {
    /// A problem as a message. This version knows no error that nobody resolves: what cannot be
    /// mended is resolved by asking for something else.
    pub fn of(problem: &'a Problem) -> Self {
        let row = problem.kind().row();
        let severity = match problem.kind() {
            Kind::PaymentChallenged => "requires_buyer_input",
            _ => "recoverable",
        };
        Self {
            r#type: "error",
            code: row.ucp_code,
            severity,
            path: problem.pointer().map(Problem::json_path),
            content: problem.detail(),
        }
    }
}

/// The status: that of the kind, but for what the shop cannot sell as it was asked for, which is
/// 400 here, and a key that was used, which is 409 for every request.
pub const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::OutOfStock
        | Kind::ItemUnavailable
        | Kind::CurrencyMismatch
        | Kind::DeliveryOpen
        | Kind::Undeliverable
        | Kind::VersionUnsupported => 400,
        Kind::KeyConflict => 409,
        _ => kind.row().status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::{Dialect, Scene};
    use serde_json::{Value, json};

    #[test]
    fn an_error_is_a_problem_and_a_message_with_the_path_of_its_field() {
        let problem = Problem::new(Kind::Invalid, "Wrong.").at("/line_items/0/quantity");
        let scene = Scene { dialect: Dialect::Ucp202601, ..Scene::default() };
        let body: Value = serde_json::from_str(&problem.body(scene)).expect("JSON");
        assert_eq!((&body["detail"], &body["status"]), (&json!("Wrong."), &json!(422)));
        let message = json!({"type": "error", "code": "invalid", "severity": "recoverable",
            "path": "$.line_items[0].quantity", "content": "Wrong."});
        assert_eq!(body["messages"], json!([message]));
        assert_eq!(body.get("ucp"), None, "the version of another protocol's envelope");
    }

    #[test]
    fn no_business_failure_is_a_success() {
        for kind in Kind::ALL.iter().copied() {
            assert!((400..600).contains(&status(kind)), "{kind:?}");
        }
        let business = [Kind::OutOfStock, Kind::ItemUnavailable, Kind::DeliveryOpen];
        assert!(business.into_iter().all(|kind| status(kind) == 400));
    }
}

//! Rate, errors and duration of every route.

use actix_web::http::{Method, StatusCode};
use std::time::Instant;

use super::{kinds::Kind, problem::Problem};
use crate::telemetry::metrics::{self, Refusal};

/// Measures one request.
#[derive(Debug)]
pub struct Timer(Instant);

impl Timer {
    /// Starts now.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "measures; decides nothing")]
        let now = Instant::now();
        Self(now)
    }

    /// Counts the request. Routes are patterns, never paths: their number is known.
    pub fn stop(&self, method: &Method, route: &str, status: StatusCode) {
        let (method, took) = (metrics::Method::of(method.as_str()), self.0.elapsed());
        let status = status.as_u16();
        metrics::http_request(route, method, status, took);
        tracing::debug!(http.route = route, http.status = status, ?took, "answered {status}");
    }
}

/// Counts a refusal by its reason. Faults are in the rate of errors already.
pub fn count(problem: &Problem) {
    if let Some(reason) = reason(problem.kind()) {
        metrics::refused(reason);
    }
}

const fn reason(kind: Kind) -> Option<Refusal> {
    Some(match kind {
        Kind::MalformedRequest
        | Kind::KeyRequired
        | Kind::KeyInvalid
        | Kind::MethodNotAllowed
        | Kind::BodyTimeout
        | Kind::BodyTooLarge
        | Kind::EncodingUnsupported
        | Kind::HostNotServed
        | Kind::BatchTooLarge
        | Kind::Invalid
        | Kind::LimitExceeded
        | Kind::VersionUnsupported
        | Kind::CurrencyMismatch
        | Kind::DiscountRefused
        | Kind::DeliveryOpen
        | Kind::Undeliverable
        | Kind::OtherProtocol
        | Kind::DigestMismatch
        | Kind::AlgorithmUnsupported
        | Kind::ProfileMalformed
        | Kind::ProfileUnreachable
        | Kind::TotalTooLarge => Refusal::Invalid,
        Kind::CardNumber => Refusal::CardNumber,
        Kind::Unauthorized
        | Kind::Forbidden
        | Kind::SignatureMissing
        | Kind::SignatureInvalid
        | Kind::KeyNotFound => Refusal::Access,
        Kind::NotFound => Refusal::NotFound,
        Kind::CheckoutEnded | Kind::NotCancelable => Refusal::Ended,
        Kind::CheckoutCompleting => Refusal::Completing,
        Kind::KeyInFlight => Refusal::KeyInFlight,
        Kind::KeyConflictUcp | Kind::KeyConflict => Refusal::KeyConflict,
        Kind::OutOfStock | Kind::StockPromised | Kind::LineShort => Refusal::NotEnough,
        Kind::TotalChanged => Refusal::TotalChanged,
        Kind::VersionMismatch => Refusal::VersionMismatch,
        Kind::ItemUnavailable => Refusal::ItemUnavailable,
        Kind::PaymentDeclined | Kind::PaymentChallenged => Refusal::PaymentDeclined,
        Kind::PaymentUnavailable => Refusal::PaymentUnknown,
        Kind::Overloaded | Kind::Busy | Kind::Draining => Refusal::Overloaded,
        Kind::LedgerUnreachable => Refusal::LedgerUnreachable,
        Kind::CaseEnded
        | Kind::CaseClaimed
        | Kind::LastAdminKey
        | Kind::ListInUse
        | Kind::InReview
        | Kind::NotCaptured
        | Kind::RefundTooLarge
        | Kind::AlreadyShipped
        | Kind::Unpaid
        | Kind::NothingAuthorized
        | Kind::CaptureTooLarge
        | Kind::CannotRecord
        | Kind::Internal
        | Kind::DeadlinePassed => return None,
    })
}

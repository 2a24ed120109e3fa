//! PayPal's words for a no in ours.

use super::wire::{Authorization, ErrorBody};
use crate::payment::{Decline, DeclineCode};

/// A 422: nothing was done.
pub(super) fn decline(error: &ErrorBody) -> Decline {
    let issue = error.issue();
    Decline::new(of_issue(issue), issue)
}

/// An authorization that the issuer, or PayPal's own risk checks, denied.
pub(super) fn denied(authorization: &Authorization) -> Decline {
    let processor = authorization.processor_response.as_ref();
    match processor.and_then(|processor| processor.response_code.as_deref()) {
        Some(code) => Decline::new(of_response(code), code),
        None => Decline::new(DeclineCode::Declined, "DENIED"),
    }
}

fn of_issue(issue: &str) -> DeclineCode {
    match issue {
        "CARD_EXPIRED" | "REFERENCED_CARD_EXPIRED" | "INVALID_EXPIRY_DATE" => {
            DeclineCode::ExpiredCard
        }
        "TOKEN_EXPIRED"
        | "TOKEN_ID_NOT_FOUND"
        | "AGREEMENT_ALREADY_CANCELLED"
        | "BILLING_AGREEMENT_NOT_FOUND"
        | "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE"
        | "INVALID_PAYER_ID"
        | "INVALID_RESOURCE_ID"
        | "PAYER_ACCOUNT_LOCKED_OR_CLOSED"
        | "PAYER_ACCOUNT_RESTRICTED" => DeclineCode::InvalidInstrument,
        "TRANSACTION_LIMIT_EXCEEDED"
        | "TRANSACTION_RECEIVING_LIMIT_EXCEEDED"
        | "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED"
        | "MAX_VALUE_EXCEEDED" => DeclineCode::LimitExceeded,
        "COMPLIANCE_VIOLATION" | "TRANSACTION_BLOCKED_BY_PAYEE" | "PAYEE_BLOCKED_TRANSACTION" => {
            DeclineCode::SuspectedFraud
        }
        "ORDER_NOT_APPROVED" | "PAYER_ACTION_REQUIRED" => DeclineCode::AuthenticationFailed,
        "ORDER_EXPIRED" => DeclineCode::Canceled,
        "INVALID_CURRENCY_CODE"
        | "CURRENCY_NOT_SUPPORTED"
        | "DECIMAL_PRECISION"
        | "DOMESTIC_TRANSACTION_REQUIRED"
        | "AUTH_CAPTURE_NOT_ENABLED"
        | "NOT_ENABLED_FOR_CARD_PROCESSING"
        | "CARD_BRAND_NOT_SUPPORTED"
        | "UNSUPPORTED_INTENT_FOR_PAYMENT_SOURCE" => DeclineCode::NotPermitted,
        _ => DeclineCode::Declined,
    }
}

/// The processor's response codes, as PayPal lists them.
fn of_response(code: &str) -> DeclineCode {
    match code {
        "5120" => DeclineCode::InsufficientFunds,
        "5160" | "5170" | "PPTV" => DeclineCode::LimitExceeded,
        "5400" | "PPEX" => DeclineCode::ExpiredCard,
        "1330" | "5180" | "5930" | "PPII" => DeclineCode::InvalidInstrument,
        "5110" | "00N7" | "PCVV" => DeclineCode::IncorrectCode,
        "9520" => DeclineCode::LostOrStolen,
        "9500" | "9510" | "9530" => DeclineCode::SuspectedFraud,
        "5700" | "5800" => DeclineCode::NotPermitted,
        "5650" => DeclineCode::AuthenticationFailed,
        "9100" | "0100" => DeclineCode::IssuerUnavailable,
        _ => DeclineCode::Declined,
    }
}

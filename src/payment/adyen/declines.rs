//! Adyen's refusal reasons in our words. Source: Adyen, "Refusal reasons", by their codes.

use super::wire::PaymentAnswer;
use crate::payment::{Decline, DeclineCode};

/// What an answer that says no says; Adyen's own reason stays beside it.
pub(super) fn decline(answer: &PaymentAnswer) -> Decline {
    let raw = answer.refusal_reason.clone().unwrap_or_else(|| answer.result_code.clone());
    let code = match answer.result_code.as_str() {
        "Cancelled" => DeclineCode::Canceled,
        "Error" => DeclineCode::IssuerUnavailable,
        _ => answer.refusal_reason_code.as_deref().map_or(DeclineCode::Declined, code),
    };
    Decline::new(code, raw)
}

/// What a notification says, which has a reason and no code.
pub(super) fn told(reason: &str) -> Decline {
    let word = reason.to_ascii_lowercase();
    let has = |part: &str| word.contains(part);
    let code = match () {
        () if has("not enough balance") || has("insufficient") => DeclineCode::InsufficientFunds,
        () if has("expired") => DeclineCode::ExpiredCard,
        () if has("cvc") => DeclineCode::IncorrectCode,
        () if has("fraud") => DeclineCode::SuspectedFraud,
        () if has("3d") || has("authentication") => DeclineCode::AuthenticationFailed,
        () if has("shopper cancelled") => DeclineCode::Canceled,
        () if has("invalid card") => DeclineCode::InvalidInstrument,
        () => DeclineCode::Declined,
    };
    Decline::new(code, reason)
}

fn code(number: &str) -> DeclineCode {
    match number {
        // Blocked card; withdrawal limits; restricted.
        "5" | "27" | "28" | "31" => DeclineCode::NotPermitted,
        "6" => DeclineCode::ExpiredCard,
        // Invalid amount, number or PIN.
        "7" | "8" | "25" => DeclineCode::InvalidInstrument,
        // The issuer, or the acquirer, does not answer.
        "4" | "9" => DeclineCode::IssuerUnavailable,
        // Not supported; not permitted.
        "10" | "23" | "36" => DeclineCode::NotPermitted,
        "11" | "38" | "42" => DeclineCode::AuthenticationFailed,
        "12" => DeclineCode::InsufficientFunds,
        "14" | "20" | "22" => DeclineCode::SuspectedFraud,
        "15" | "16" => DeclineCode::Canceled,
        "24" => DeclineCode::IncorrectCode,
        "26" | "29" | "30" => DeclineCode::LimitExceeded,
        _ => DeclineCode::Declined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: a code that a notification and an answer read differently
    #[test]
    fn a_reason_reads_the_same_from_an_answer_and_from_a_notification() {
        let cases = [
            ("12", "Not enough balance", DeclineCode::InsufficientFunds),
            ("6", "Expired Card", DeclineCode::ExpiredCard),
            ("24", "CVC Declined", DeclineCode::IncorrectCode),
            ("20", "FRAUD", DeclineCode::SuspectedFraud),
            ("11", "3D Not Authenticated", DeclineCode::AuthenticationFailed),
            ("16", "Shopper Cancelled", DeclineCode::Canceled),
            ("8", "Invalid Card Number", DeclineCode::InvalidInstrument),
            ("2", "Refused", DeclineCode::Declined),
        ];
        for (number, reason, expected) in cases {
            assert_eq!(code(number), expected, "{number}");
            assert_eq!(told(reason).code, expected, "{reason}");
        }
    }
}

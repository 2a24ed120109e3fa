//! Stripe's decline codes in our words.

use super::wire::ErrorBody;
use crate::payment::{Decline, DeclineCode};

/// Stripe's word in our vocabulary; what it does not name stays beside it as it was.
pub(super) fn decline(error: &ErrorBody) -> Decline {
    let word = error.decline_code.as_deref().or(error.code.as_deref()).unwrap_or("card_declined");
    Decline::new(code(word), word)
}

fn code(word: &str) -> DeclineCode {
    match word {
        "insufficient_funds" => DeclineCode::InsufficientFunds,
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" | "amount_too_large" => {
            DeclineCode::LimitExceeded
        }
        "expired_card" => DeclineCode::ExpiredCard,
        "incorrect_number"
        | "invalid_number"
        | "invalid_expiry_month"
        | "invalid_expiry_year"
        | "invalid_account"
        | "new_account_information_available"
        | "resource_missing"
        | "payment_method_invalid_parameter" => DeclineCode::InvalidInstrument,
        "incorrect_cvc" | "invalid_cvc" => DeclineCode::IncorrectCode,
        "lost_card" | "stolen_card" | "pickup_card" => DeclineCode::LostOrStolen,
        "fraudulent" | "merchant_blacklist" | "restricted_card" | "security_violation" => {
            DeclineCode::SuspectedFraud
        }
        "card_not_supported"
        | "currency_not_supported"
        | "not_permitted"
        | "service_not_allowed"
        | "transaction_not_allowed"
        | "amount_too_small" => DeclineCode::NotPermitted,
        "authentication_required"
        | "payment_intent_authentication_failure"
        | "authentication_not_handled"
        | "online_or_offline_pin_required"
        | "offline_pin_required" => DeclineCode::AuthenticationFailed,
        "issuer_not_available" | "processing_error" | "reenter_transaction" | "try_again_later" => {
            DeclineCode::IssuerUnavailable
        }
        _ => DeclineCode::Declined,
    }
}

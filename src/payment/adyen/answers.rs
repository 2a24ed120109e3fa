//! What an answer about a payment means.

use super::{calls::unknown, declines::decline, wire::PaymentAnswer};
use crate::{
    base::Verification,
    payment::{Authorized, Challenge, GatewayFault, Lookup},
};

/// The definite answer to an authorization.
///
/// # Errors
/// Where it is about another payment, or tells nothing definite.
pub(super) fn authorized(
    answer: &PaymentAnswer,
    asked: &Lookup,
) -> Result<Authorized, GatewayFault> {
    check(answer, asked)?;
    match answer.result_code.as_str() {
        "Authorised" => match &answer.psp_reference {
            Some(psp_reference) => Ok(Authorized::Approved {
                authorization: psp_reference.clone(),
                verification: verification(answer),
                expires_at: None,
            }),
            None => Err(unknown("Adyen approves a payment without a `pspReference`")),
        },
        "RedirectShopper" => match redirect(answer) {
            Some(url) => Ok(Authorized::Challenged(Challenge { id: None, url, until: None })),
            None => Err(unknown("it wants something of the buyer that has no address")),
        },
        "Refused" | "Cancelled" | "Error" => Ok(Authorized::Declined(decline(answer))),
        other => Err(unknown(&format!("Adyen says `{other}`"))),
    }
}

/// Refuses an answer about another payment, amount or currency: nothing is settled by it.
fn check(answer: &PaymentAnswer, asked: &Lookup) -> Result<(), GatewayFault> {
    let reference = answer.merchant_reference.as_deref();
    let amount = answer.amount.as_ref().map(|amount| amount.money());
    let is_reference = reference.is_none_or(|told| told == asked.reference.to_string());
    let is_amount = amount.is_none_or(|told| told == Some(asked.amount));
    if is_reference && is_amount {
        return Ok(());
    }
    tracing::error!(
        attempt.id = %asked.reference, ?reference, ?amount,
        "Adyen's payment is not the one that was asked about"
    );
    Err(unknown("Adyen's answer is about another payment than was asked about"))
}

/// An address that a browser goes to; a form to be posted is none.
fn redirect(answer: &PaymentAnswer) -> Option<String> {
    let action = answer.action.as_ref()?;
    let is_get = action.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case("get"));
    action.url.clone().filter(|_| is_get)
}

/// What the issuer said of the buyer, as far as the account's settings show it.
fn verification(answer: &PaymentAnswer) -> Verification {
    Verification {
        address_matches: answer.text("avsResult").and_then(|result| match number(result) {
            // Postal code and address match, with or without the name.
            7 | 20 | 24 => Some(true),
            // One of both does not match.
            1 | 2 | 6 | 10 | 13 | 16 | 17 | 26 => Some(false),
            _ => None,
        }),
        code_matches: answer.text("cvcResult").and_then(|result| match number(result) {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        }),
        authenticated: match (answer.text("threeDOffered"), answer.text("threeDAuthenticated")) {
            (_, Some("true")) => Some(true),
            (Some("true"), Some("false")) => Some(false),
            _ => None,
        },
    }
}

/// The number that a result begins with (`1 Matches`).
fn number(result: &str) -> u32 {
    let digits = result.split(|digit: char| !digit.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

//! What a PaymentIntent means.

use std::time::Duration;

use super::{
    declines::decline,
    form,
    wire::{Charge, Checks, Intent},
};
use crate::{
    base::{Timestamp, Verification},
    payment::{Authorized, Challenge, Decline, DeclineCode, Found, GatewayFault, Lookup},
};

/// An authorization of a card lasts so long at Stripe, where it does not say until when.
pub(super) const AUTHORIZATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What became of a payment, as its PaymentIntent tells.
///
/// # Errors
/// Where it is not the payment that was asked about, or tells nothing definite.
pub(super) fn found(intent: &Intent, asked: &Lookup) -> Result<Found, GatewayFault> {
    check(intent, asked)?;
    let charge = intent.latest_charge.as_ref();
    let currency = asked.amount.currency();
    let minor = |amount: Option<i64>| form::minor(amount.unwrap_or(0), currency);
    let answered = |answer, voided| Found::Answered {
        answer,
        captured_minor: minor(intent.amount_received),
        refunded_minor: minor(charge.and_then(|charge| charge.amount_refunded)),
        voided,
    };
    Ok(match intent.status.as_str() {
        "requires_capture" | "succeeded" => answered(approved(intent), false),
        "canceled" => {
            let ended = Decline::new(DeclineCode::Canceled, "canceled");
            answered(Authorized::Declined(ended), false)
        }
        "requires_payment_method" => match &intent.last_payment_error {
            Some(error) => answered(Authorized::Declined(decline(error)), false),
            None => Found::Nothing,
        },
        "requires_confirmation" => Found::Nothing,
        "requires_action" => match redirect(intent) {
            Some(url) => {
                let challenge = Challenge { id: Some(intent.id.clone()), url, until: None };
                answered(Authorized::Challenged(challenge), false)
            }
            None => return Err(unknown("it wants something of the buyer that has no address")),
        },
        "processing" => return Err(unknown("Stripe still works on it")),
        other => return Err(unknown(&format!("Stripe says `{other}`, which nobody here knows"))),
    })
}

/// The definite answer to an authorization.
///
/// # Errors
/// As [`found`]; and where nothing was tried yet.
pub(super) fn authorized(intent: &Intent, asked: &Lookup) -> Result<Authorized, GatewayFault> {
    match found(intent, asked)? {
        Found::Answered { answer, .. } => Ok(answer),
        Found::Nothing => Err(unknown("the payment was created and not tried")),
    }
}

/// Refuses a PaymentIntent of another attempt, amount or currency: nothing is settled by it.
fn check(intent: &Intent, asked: &Lookup) -> Result<(), GatewayFault> {
    let (reference, amount) = (intent.reference(), intent.money());
    if reference == Some(asked.reference) && amount == Some(asked.amount) {
        return Ok(());
    }
    tracing::error!(
        attempt.id = %asked.reference, intent = intent.id, ?reference, ?amount,
        "Stripe's payment is not the one that was asked about"
    );
    Err(unknown(&format!("{} is another payment than was asked about", intent.id)))
}

fn approved(intent: &Intent) -> Authorized {
    let charge = intent.latest_charge.as_ref();
    Authorized::Approved {
        authorization: intent.id.clone(),
        verification: charge.map(verification).unwrap_or_default(),
        expires_at: Some(expires_at(intent)),
    }
}

fn expires_at(intent: &Intent) -> Timestamp {
    let card = intent.latest_charge.as_ref().and_then(|charge| {
        charge.payment_method_details.as_ref().and_then(|details| details.card.as_ref())
    });
    let said = card.and_then(|card| card.capture_before);
    let moment = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    said.map_or_else(|| moment(intent.created).plus(AUTHORIZATION), moment)
}

fn redirect(intent: &Intent) -> Option<String> {
    intent.next_action.as_ref()?.redirect_to_url.as_ref()?.url.clone()
}

/// What the issuer said of the buyer. `unavailable` and `unchecked` say nothing.
fn verification(charge: &Charge) -> Verification {
    let details = charge.payment_method_details.as_ref();
    let Some(card) = details.and_then(|details| details.card.as_ref()) else {
        return Verification::default();
    };
    let checks = card.checks.clone().unwrap_or_default();
    let result = card.three_d_secure.as_ref().and_then(|secure| secure.result.as_deref());
    Verification {
        address_matches: address(&checks),
        code_matches: passed(checks.cvc_check.as_deref()),
        authenticated: match result {
            Some("authenticated" | "attempt_acknowledged") => Some(true),
            Some("failed") => Some(false),
            _ => None,
        },
    }
}

fn address(checks: &Checks) -> Option<bool> {
    let parts = [&checks.address_line1_check, &checks.address_postal_code_check];
    let said: Vec<_> = parts.into_iter().filter_map(|part| passed(part.as_deref())).collect();
    (!said.is_empty()).then(|| said.into_iter().all(|passed| passed))
}

fn passed(check: Option<&str>) -> Option<bool> {
    match check {
        Some("pass") => Some(true),
        Some("fail") => Some(false),
        _ => None,
    }
}

pub(super) fn unknown(why: &str) -> GatewayFault {
    GatewayFault::Unknown(why.to_owned())
}

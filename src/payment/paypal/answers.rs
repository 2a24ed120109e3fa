//! What an order of PayPal's means.

use std::time::Duration;

use super::{
    PayPal,
    calls::unknown,
    declines::denied,
    wire::{Authorization, Movement, Order, time},
};
use crate::{
    base::{Timestamp, Verification},
    payment::{Authorized, Challenge, Decline, DeclineCode, Found, GatewayFault, Lookup},
};

/// PayPal keeps an authorization for 29 days and honours it for three: after that a capture is at
/// the mercy of what the buyer's account still holds.
pub(super) const HONOURED: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl PayPal {
    /// What became of a payment, as its order tells.
    ///
    /// # Errors
    /// Where it is not the payment that was asked about, or tells nothing definite.
    pub(super) fn found(&self, order: &Order, asked: &Lookup) -> Result<Found, GatewayFault> {
        if belongs_to_another(order, asked) {
            // Whatever came of it came to that one.
            return Ok(ended("the order pays for another attempt"));
        }
        check(order, asked)?;
        match order.authorization() {
            Some(authorization) if authorization.status == "PENDING" => {
                Ok(answered(Authorized::Challenged(self.looked_into(order, asked)), order, false))
            }
            Some(authorization) => of_authorization(order, authorization),
            None => of_order(order),
        }
    }

    /// The definite answer to an authorization.
    ///
    /// # Errors
    /// As [`found`](Self::found); and where nothing was tried yet.
    pub(super) fn authorized(
        &self,
        order: &Order,
        asked: &Lookup,
    ) -> Result<Authorized, GatewayFault> {
        match self.found(order, asked)? {
            Found::Answered { answer, .. } => Ok(answer),
            Found::Nothing => Err(unknown("the order was created and not paid")),
        }
    }

    /// PayPal looks into an authorization, for a day perhaps: it waits, and is remembered by its
    /// order's name. The buyer has nothing to do but to look at our own page.
    fn looked_into(&self, order: &Order, asked: &Lookup) -> Challenge {
        let url = format!("{}/payments/return/{}", self.settings.public_url, asked.reference);
        Challenge { id: Some(order.id.clone()), url, until: None }
    }
}

/// Given up: nothing can come of it any more.
pub(super) fn ended(why: &str) -> Found {
    let decline = Decline::new(DeclineCode::Canceled, why);
    answered(Authorized::Declined(decline), &Order::default(), false)
}

/// An order that the buyer may still agree to, or that nobody has begun to pay.
fn of_order(order: &Order) -> Result<Found, GatewayFault> {
    match order.status.as_str() {
        "CREATED" | "SAVED" => Ok(Found::Nothing),
        "PAYER_ACTION_REQUIRED" | "APPROVED" => {
            Ok(answered(Authorized::Challenged(challenge(order)?), order, false))
        }
        "VOIDED" => Ok(ended("VOIDED")),
        "COMPLETED" => Err(unknown("the order is completed and tells of no authorization")),
        other => Err(unknown(&format!("PayPal says `{other}`, which nobody here knows"))),
    }
}

fn of_authorization(order: &Order, authorization: &Authorization) -> Result<Found, GatewayFault> {
    let approved = || Authorized::Approved {
        authorization: order.id.clone(),
        verification: verification(order, authorization),
        expires_at: expires_at(authorization),
    };
    match authorization.status.as_str() {
        "CREATED" | "CAPTURED" | "PARTIALLY_CAPTURED" => Ok(answered(approved(), order, false)),
        "VOIDED" => Ok(answered(approved(), order, true)),
        "DENIED" => Ok(answered(Authorized::Declined(denied(authorization)), order, false)),
        other => Err(unknown(&format!(
            "PayPal says `{other}` of the authorization, which nobody here knows"
        ))),
    }
}

fn answered(answer: Authorized, order: &Order, voided: bool) -> Found {
    let sum = |moved: &[Movement]| moved.iter().map(Movement::minor).sum();
    let payments = order.unit().map(|unit| &unit.payments);
    Found::Answered {
        answer,
        captured_minor: payments.map_or(0, |payments| sum(&payments.captures)),
        refunded_minor: payments.map_or(0, |payments| sum(&payments.refunds)),
        voided,
    }
}

/// Where the buyer goes. One that has agreed already just comes back to us.
pub(super) fn challenge(order: &Order) -> Result<Challenge, GatewayFault> {
    let url = order.payer_action();
    let url = url.ok_or_else(|| unknown("PayPal wants something of the buyer and not where"))?;
    Ok(Challenge { id: Some(order.id.clone()), url, until: None })
}

/// Whether an order that a platform brought us was taken by another attempt since.
pub(super) fn belongs_to_another(order: &Order, asked: &Lookup) -> bool {
    order.reference().is_some_and(|reference| reference != asked.reference)
}

/// Refuses an order of another attempt, amount or currency: nothing is settled by it.
pub(super) fn check(order: &Order, asked: &Lookup) -> Result<(), GatewayFault> {
    let (reference, amount) = (order.reference(), order.money());
    if reference == Some(asked.reference) && amount == Some(asked.amount) {
        return Ok(());
    }
    tracing::error!(
        attempt.id = %asked.reference, paypal_order = order.id, ?reference, ?amount,
        "PayPal's order is not the one that was asked about"
    );
    Err(unknown(&format!("{} is another payment than was asked about", order.id)))
}

/// Until when it can be captured without fear.
fn expires_at(authorization: &Authorization) -> Option<Timestamp> {
    let made = time(authorization.create_time.as_deref());
    let honoured = made.map(|made| made.plus(HONOURED));
    let expires = time(authorization.expiration_time.as_deref());
    [honoured, expires].into_iter().flatten().min()
}

/// What the issuer said of the buyer. What was not checked says nothing.
fn verification(order: &Order, authorization: &Authorization) -> Verification {
    let processor = authorization.processor_response.as_ref();
    let avs = processor.and_then(|processor| processor.avs_code.as_deref());
    let cvv = processor.and_then(|processor| processor.cvv_code.as_deref());
    Verification {
        address_matches: match avs {
            Some("D" | "F" | "M" | "X" | "Y" | "0") => Some(true),
            // None of it, or a part alone.
            Some("A" | "B" | "C" | "N" | "P" | "W" | "Z" | "1" | "2") => Some(false),
            _ => None,
        },
        code_matches: match cvv {
            Some("M" | "0") => Some(true),
            Some("N" | "1") => Some(false),
            _ => None,
        },
        authenticated: match order.authentication() {
            Some("Y" | "A") => Some(true),
            Some("N" | "R") => Some(false),
            _ => None,
        },
    }
}

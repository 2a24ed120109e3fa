//! What we read of Stripe's objects: as little as we need, and nothing that a new value could
//! break.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

use crate::base::{AttemptId, Currency, Money};

use super::form;

/// Our names in the metadata of a PaymentIntent.
pub(super) const ATTEMPT: &str = "attempt";
/// The order.
pub(super) const ORDER: &str = "order";
/// Which refund of an attempt.
pub(super) const PART: &str = "part";

/// A PaymentIntent.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) created: i64,
    #[serde(default)]
    pub(super) amount_capturable: Option<i64>,
    #[serde(default)]
    pub(super) amount_received: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) last_payment_error: Option<ErrorBody>,
    /// Present where it was asked for in full.
    #[serde(default, deserialize_with = "in_full")]
    pub(super) latest_charge: Option<Charge>,
}

impl Intent {
    /// The attempt it names.
    pub(super) fn reference(&self) -> Option<AttemptId> {
        self.metadata.as_ref()?.get(ATTEMPT)?.parse().ok()
    }

    /// What was asked for.
    pub(super) fn money(&self) -> Option<Money> {
        money(self.amount, &self.currency)
    }
}

/// An amount of Stripe's in a currency that is known.
pub(super) fn money(amount: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    Some(Money::from_minor(form::minor(amount, currency), currency))
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct NextAction {
    #[serde(default)]
    pub(super) redirect_to_url: Option<Redirect>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Redirect {
    #[serde(default)]
    pub(super) url: Option<String>,
}

/// A charge: what was tried with one instrument.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Charge {
    #[serde(default)]
    pub(super) amount_refunded: Option<i64>,
    #[serde(default)]
    pub(super) payment_method_details: Option<Details>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Details {
    #[serde(default)]
    pub(super) card: Option<Card>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Card {
    #[serde(default)]
    pub(super) checks: Option<Checks>,
    #[serde(default)]
    pub(super) three_d_secure: Option<ThreeDSecure>,
    /// Until when it can be captured.
    #[serde(default)]
    pub(super) capture_before: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Checks {
    #[serde(default)]
    pub(super) address_line1_check: Option<String>,
    #[serde(default)]
    pub(super) address_postal_code_check: Option<String>,
    #[serde(default)]
    pub(super) cvc_check: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ThreeDSecure {
    #[serde(default)]
    pub(super) result: Option<String>,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "id_of")]
    pub(super) payment_intent: Option<String>,
}

impl Refund {
    /// The attempt and the part it names.
    pub(super) fn name(&self) -> Option<(AttemptId, u8)> {
        let metadata = self.metadata.as_ref()?;
        let attempt = metadata.get(ATTEMPT)?.parse().ok()?;
        Some((attempt, metadata.get(PART)?.parse().ok()?))
    }
}

/// A dispute.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) evidence_details: Option<EvidenceDetails>,
    #[serde(default, deserialize_with = "id_of")]
    pub(super) payment_intent: Option<String>,
}

/// An early fraud warning.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Warning {
    pub(super) id: String,
    #[serde(default)]
    pub(super) fraud_type: String,
    #[serde(default, deserialize_with = "id_of")]
    pub(super) payment_intent: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct EvidenceDetails {
    #[serde(default)]
    pub(super) due_by: Option<i64>,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// An answer that is none.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Failure {
    pub(super) error: ErrorBody,
}

/// Why not.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    /// The payment as it stands: an error may carry the true state.
    #[serde(default)]
    pub(super) payment_intent: Option<Box<Intent>>,
}

/// A field that holds an object, or just its id.
fn in_full<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Charge>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(from)?;
    Ok(value.filter(serde_json::Value::is_object).and_then(|value| {
        // What is not as expected says nothing about the buyer; it does not fail the payment.
        serde_json::from_value(value).ok()
    }))
}

/// The id in a field that holds an object, or just its id.
fn id_of<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(from)?;
    let id = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Ok(value.as_ref().and_then(|value| id(value).or_else(|| value.get("id").and_then(id))))
}

//! What we read of Adyen's objects: as little as we need, and nothing that a new value could break.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::amounts;
use crate::base::Money;

/// An amount.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) value: i64,
    pub(super) currency: String,
}

impl Amount {
    /// Ours, as Adyen counts it.
    pub(super) fn of(amount: Money) -> Option<Self> {
        let currency = amount.currency().code().to_owned();
        Some(Self { value: amounts::value(amount)?, currency })
    }

    /// Adyen's, as we count it.
    pub(super) fn money(&self) -> Option<Money> {
        amounts::money(self.value, &self.currency)
    }
}

/// The answer to a payment, or to what its buyer brought back.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentAnswer {
    #[serde(default)]
    pub(super) result_code: String,
    #[serde(default)]
    pub(super) psp_reference: Option<String>,
    #[serde(default)]
    pub(super) merchant_reference: Option<String>,
    #[serde(default)]
    pub(super) refusal_reason: Option<String>,
    #[serde(default)]
    pub(super) refusal_reason_code: Option<String>,
    #[serde(default)]
    pub(super) amount: Option<Amount>,
    #[serde(default)]
    pub(super) action: Option<Action>,
    /// Which of it there is the merchant chooses in Adyen's Customer Area.
    #[serde(default)]
    pub(super) additional_data: BTreeMap<String, serde_json::Value>,
}

impl PaymentAnswer {
    /// A text of the additional data.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.additional_data.get(key).and_then(serde_json::Value::as_str)
    }
}

/// What the buyer has to do.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Action {
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) method: Option<String>,
}

/// The answer to a capture, cancel or refund.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModificationAnswer {
    pub(super) psp_reference: String,
}

/// Why not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceError {
    #[serde(default)]
    pub(super) error_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

impl ServiceError {
    /// In words.
    pub(super) fn words(&self) -> String {
        let code = self.error_code.as_deref().unwrap_or("no code");
        match &self.message {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        }
    }
}

/// A batch of notifications.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    pub(super) live: String,
    pub(super) notification_items: Vec<Wrapped>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Wrapped {
    #[serde(rename = "NotificationRequestItem")]
    pub(super) item: Item,
}

/// What it tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) psp_reference: String,
    #[serde(default)]
    pub(super) original_reference: String,
    pub(super) merchant_account_code: String,
    pub(super) merchant_reference: String,
    pub(super) amount: Amount,
    pub(super) event_code: String,
    pub(super) success: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) additional_data: BTreeMap<String, serde_json::Value>,
}

impl Item {
    /// Whether what it tells of has happened, or failed to.
    pub(super) fn is_success(&self) -> bool {
        self.success == "true"
    }

    /// A text of the additional data. The signature does not cover it.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.additional_data.get(key).and_then(serde_json::Value::as_str)
    }
}

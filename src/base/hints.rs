//! What a storefront tells about the buyer's instrument and device, for judging trust. All of it is
//! optional, and all of it redacts itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

use super::Timestamp;

/// Facts that only the storefront can see. What is not said is missing, not false and not zero.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hints {
    /// The gateway's name for the card itself, the same whatever token stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_fingerprint: Option<String>,
    /// The first six or eight digits: the issuer (ISO/IEC 7812-1), never more of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_bin: Option<String>,
    /// `credit`, `debit` or `prepaid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_funding: Option<String>,
    /// The issuer's country, ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_country: Option<String>,
    /// Whether the card is in a phone's wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<bool>,
    /// The device, as the storefront knows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The buyer's browser or app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The buyer's language, BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where the network address is, ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_country: Option<String>,
    /// The network the address belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_asn: Option<u32>,
    /// The storefront's name for the account; none for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Since when the account exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_created_at: Option<Timestamp>,
    /// When the buyer came to the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_started_at: Option<Timestamp>,
    /// The buyer's offset from UTC, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i16>,
    /// Whether software places the order for the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<bool>,
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hints]")
    }
}

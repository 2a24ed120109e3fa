//! What a card's issuer says about its holder when it is asked for money.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was checked, and what came of it. What was not checked is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Verification {
    /// Whether the address matched (AVS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_matches: Option<bool>,
    /// Whether the card's code matched (CVC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_matches: Option<bool>,
    /// Whether the buyer proved who they are (3-D Secure).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
}

impl Verification {
    /// Whether nothing was checked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

//! `[ucp]`.

use serde::{Deserialize, Serialize};

/// Whether platforms sign what they ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signatures {
    /// They may; a signature that is there must be right.
    #[default]
    Optional,
    /// They must.
    Required,
}

/// How the Universal Commerce Protocol is spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ucp {
    /// Whether platforms sign what they ask.
    pub signatures: Signatures,
}

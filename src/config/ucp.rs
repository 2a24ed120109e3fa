//! `[ucp]`.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether platforms sign what they ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signatures {
    /// They may; every signature that is there must be right.
    #[default]
    Optional,
    /// They must: by RFC 9421, or over 2026-01-11 by a detached JWS over the body.
    Required,
}

/// How the Universal Commerce Protocol is spoken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ucp {
    /// The version whose profile stands at `/.well-known/ucp`. Both are spoken, each at its own
    /// endpoint.
    pub default: UcpVersion,
    /// Whether platforms sign what they ask.
    pub signatures: Signatures,
    /// Who knows it may let orders ship that nobody ships, to try what follows. Unset: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulation_secret: Option<Secret>,
}

/// A version that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UcpVersion {
    /// 2026-04-08.
    #[default]
    #[serde(rename = "2026-04-08")]
    V20260408,
    /// 2026-01-11.
    #[serde(rename = "2026-01-11")]
    V20260111,
}

/// A text that nobody is shown.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text, for the one place that compares it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(from)?))
    }
}

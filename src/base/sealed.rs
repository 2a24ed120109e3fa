//! The one door through which personal data reaches storage.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// Text that holds personal data, as storage keeps it. Nothing else may carry it there.
///
/// Today the text stands as it is, under the scheme `plain`; the scheme is written in front so that
/// encryption with a customer's key can be added here, and only here, without touching a row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

/// The stored text does not open: another scheme, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored personal data does not open; was it written by a newer version?")]
pub struct Unsealable;

impl Sealed {
    /// Seals a text.
    pub fn seal(text: &str) -> Self {
        Self(format!("plain:{text}"))
    }

    /// Seals a value as JSON.
    pub fn seal_json(value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("personal records serialize");
        Self::seal(&text)
    }

    /// Opens a sealed text.
    pub fn open(&self) -> Result<&str, Unsealable> {
        self.0.strip_prefix("plain:").ok_or(Unsealable)
    }

    /// Opens a sealed JSON value.
    pub fn open_json<T: DeserializeOwned>(&self) -> Result<T, Unsealable> {
        serde_json::from_str(self.open()?).map_err(|_| Unsealable)
    }

    /// The text as stored.
    pub fn stored(&self) -> &str {
        &self.0
    }

    /// A text that comes from storage.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

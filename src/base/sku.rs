//! Stock-keeping unit codes.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// A stock-keeping unit code: 1–64 printable ASCII characters without spaces.
///
/// Cloning shares the text: one SKU stands in a cart, a hold, a batch and an order at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>")]
pub struct Sku(Arc<str>);

/// The text is not a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SKU is 1 to 64 printable ASCII characters without spaces")]
pub struct InvalidSku;

impl Sku {
    /// Reads a SKU.
    pub fn parse(raw: &str) -> Result<Self, InvalidSku> {
        let well_formed =
            (1..=64).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
        if well_formed { Ok(Self(raw.into())) } else { Err(InvalidSku) }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for Sku {
    type Error = InvalidSku;

    fn try_from(raw: std::borrow::Cow<'_, str>) -> Result<Self, InvalidSku> {
        Self::parse(&raw)
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

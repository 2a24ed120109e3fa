//! Stock-keeping unit codes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};

/// A stock-keeping unit code: 1–64 printable ASCII characters without spaces.
///
/// Cloning shares the text: one SKU stands in a cart, a hold, a batch and an order at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>")]
pub struct Sku(Arc<str>);

/// How the SKUs begin whose units are uses of discounts. Goods have no such SKU.
const USES: &str = "~uses/";

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

    /// The SKU whose units are uses of a discount: all that there may be, or the one use of this
    /// buyer, whose e-mail address is hashed. The discount's id has at most 40 bytes.
    pub fn of_uses(discount: &str, buyer: Option<&str>) -> Self {
        let Some(buyer) = buyer else { return Self(format!("{USES}{discount}").into()) };
        let hash = Sha256::digest(buyer.trim().to_lowercase());
        let short: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{USES}{discount}/{short}").into())
    }

    /// Whether its units are uses of a discount rather than goods.
    pub fn is_of_uses(&self) -> bool {
        self.0.starts_with(USES)
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

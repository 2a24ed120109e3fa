//! Stock-keeping unit codes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};

use super::Email;

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
#[error("a SKU is 1 to 64 printable ASCII characters without spaces, and not `{USES}…`")]
pub struct InvalidSku;

impl Sku {
    /// Reads a SKU.
    pub fn parse(raw: &str) -> Result<Self, InvalidSku> {
        let well_formed =
            (1..=64).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
        if well_formed { Ok(Self(raw.into())) } else { Err(InvalidSku) }
    }

    /// Reads the SKU of goods: one that stands for uses of a discount is none.
    pub fn parse_goods(raw: &str) -> Result<Self, InvalidSku> {
        Self::parse(raw).and_then(|sku| if sku.is_of_uses() { Err(InvalidSku) } else { Ok(sku) })
    }

    /// The SKU whose units are uses of a discount: all that there may be, or the one use of this
    /// buyer, whose [mailbox](Email::mailbox) is hashed. The discount's id has at most 40 bytes.
    pub fn of_uses(discount: &str, buyer: Option<&Email>) -> Self {
        let Some(buyer) = buyer else { return Self(format!("{USES}{discount}").into()) };
        let hash = Sha256::digest(buyer.mailbox());
        let short: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{USES}{discount}/{short}").into())
    }

    /// Whether its units are uses of a discount rather than goods.
    pub fn is_of_uses(&self) -> bool {
        self.0.starts_with(USES)
    }

    /// Whether its one unit is the use of a discount by one buyer.
    pub fn is_of_one_buyer(&self) -> bool {
        self.0.strip_prefix(USES).is_some_and(|rest| rest.contains('/'))
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

#[cfg(test)]
mod tests {
    use super::{Email, Sku};

    #[test]
    fn uses_are_known_by_their_sku_and_a_buyer_by_any_spelling() {
        let email = |raw: &str| Email::parse(raw).expect("an address");
        let all = Sku::of_uses("summer", None);
        let one = Sku::of_uses("summer", Some(&email("Ada@Example.com")));
        assert_eq!(one, Sku::of_uses("summer", Some(&email("ada+again@example.com."))));
        assert_ne!(one, Sku::of_uses("summer", Some(&email("bob@example.com"))));
        assert!(all.is_of_uses() && !all.is_of_one_buyer());
        assert!(one.is_of_uses() && one.is_of_one_buyer());
        assert!(!one.as_str().contains("ada") && Sku::parse(one.as_str()) == Ok(one));
        let longest = Sku::of_uses(&"x".repeat(40), Some(&email("ada@example.com")));
        assert_eq!(Sku::parse(longest.as_str()), Ok(longest));
    }
}

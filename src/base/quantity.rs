//! A positive count of units.

use serde::{Deserialize, Serialize};

/// How many units of one SKU: 1 to 2³²−1. Zero is the absence of a line, not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(std::num::NonZeroU32);

/// A quantity is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to 4294967295")]
pub struct InvalidQuantity;

impl Quantity {
    /// A quantity, unless it is zero.
    pub const fn new(count: u32) -> Option<Self> {
        match std::num::NonZeroU32::new(count) {
            Some(count) => Some(Self(count)),
            None => None,
        }
    }

    /// The count.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The sum, unless it overflows.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.get()) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

impl TryFrom<u32> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(count: u32) -> Result<Self, InvalidQuantity> {
        Self::new(count).ok_or(InvalidQuantity)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

//! Totals of a session: pure functions of their inputs.

use serde::{Deserialize, Serialize};

use crate::base::{Currency, Money, MoneyError};

/// What a session costs. Exactly one subtotal and one total; the sum is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The lines.
    pub subtotal: Money,
    /// What the buyer pays.
    pub total: Money,
}

impl Totals {
    /// Totals of nothing.
    pub const fn zero(currency: Currency) -> Self {
        let zero = Money::from_minor(0, currency);
        Self { subtotal: zero, total: zero }
    }

    /// Totals of lines of `(unit price, quantity)`, all in one currency.
    pub fn of(
        currency: Currency,
        lines: impl IntoIterator<Item = (Money, u32)>,
    ) -> Result<Self, MoneyError> {
        let zero = Money::from_minor(0, currency);
        let subtotal = lines.into_iter().try_fold(zero, |sum, (price, quantity)| {
            sum.checked_add(price.checked_mul(quantity)?)
        })?;
        Ok(Self { subtotal, total: subtotal })
    }
}

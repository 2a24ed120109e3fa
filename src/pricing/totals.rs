//! Totals of a session: pure functions of their inputs.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::priced::{Priced, Target, Tax};
use crate::base::{Currency, Money, MoneyError};

/// What a session costs. Exactly one subtotal and one total; what lies between them is
/// [told](Self::entries), and the sum is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The lines.
    pub subtotal: Money,
    /// What the buyer pays.
    pub total: Money,
}

/// What an amount of the breakdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The lines at their prices.
    Subtotal,
    /// Taken off lines: negative.
    ItemsDiscount,
    /// Sending it.
    Fulfillment,
    /// Taken off sending it: negative.
    Discount,
    /// A tax: one that is added, or of 0 where the prices contain it.
    Tax,
    /// What the buyer pays.
    Total,
}

/// One amount of the breakdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it is.
    pub kind: EntryKind,
    /// Its name for people, where it has one of its own.
    pub title: Option<Cow<'a, str>>,
    /// What it adds to the total, in minor units.
    pub minor: i64,
    /// What of the total is this tax already, in minor units, where the prices contain it.
    pub contained: Option<i64>,
}

impl Totals {
    /// Totals of nothing.
    pub const fn zero(currency: Currency) -> Self {
        let zero = Money::from_minor(0, currency);
        Self { subtotal: zero, total: zero }
    }

    /// Totals of lines of `(unit price, quantity)`, all in one currency.
    ///
    /// # Errors
    /// When the sum leaves the range of 63 bits.
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

    /// The breakdown in the order in which it is shown: the subtotal first, the total last, and
    /// those between them make up the difference exactly. A tax that prices contain adds 0, since
    /// platforms add up what they are told; its title says how much it is.
    pub fn entries<'a>(&self, priced: Option<&'a Priced>) -> Vec<Entry<'a>> {
        let entry = |kind, title: Option<&'a str>, minor| Entry {
            kind,
            title: title.map(Cow::Borrowed),
            minor,
            contained: None,
        };
        let mut entries = vec![entry(EntryKind::Subtotal, None, self.subtotal.minor())];
        if let Some(priced) = priced {
            let off = priced.off_lines();
            if off > 0 {
                entries.push(entry(EntryKind::ItemsDiscount, None, -off));
            }
            if let Some(option) = priced.shipping() {
                entries.push(entry(EntryKind::Fulfillment, Some(&option.title), option.minor));
            }
            let off = priced.taken_off(Target::Shipping);
            if off > 0 {
                entries.push(entry(EntryKind::Discount, None, -off));
            }
            for tax in &priced.taxes {
                entries.push(match tax.included {
                    true => self.contained(tax),
                    false => entry(EntryKind::Tax, Some(&tax.title), tax.minor),
                });
            }
        }
        entries.push(entry(EntryKind::Total, None, self.total.minor()));
        entries
    }

    fn contained<'a>(&self, tax: &Tax) -> Entry<'a> {
        let amount = Money::from_minor(tax.minor, self.total.currency());
        let title = format!("{} (included): {amount}", tax.title);
        let (kind, title) = (EntryKind::Tax, Some(Cow::Owned(title)));
        Entry { kind, title, minor: 0, contained: Some(tax.minor) }
    }
}

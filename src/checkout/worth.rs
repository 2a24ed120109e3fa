//! What the buyer pays for each line of an order: discounts and taxes shared out to the last minor
//! unit, so that the lines and what is not theirs (delivery) add up to the total.

use serde::Deserialize;

use super::desk::Checkout;
use crate::{
    base::{MovementId, share},
    ledger::{
        Authorization, LedgerFault,
        entry::{Sale, SaleLine},
        row::OrderRow,
    },
    pricing::{Priced, Target},
};

/// What one line comes to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineWorth {
    /// The line, from 1.
    pub line: u32,
    /// Its units at their price.
    pub subtotal_minor: i64,
    /// What discounts take off it.
    pub discount_minor: i64,
    /// The taxes that are added to it.
    pub tax_minor: i64,
}

impl LineWorth {
    /// What the buyer pays for all of its units.
    pub const fn paid_minor(&self) -> i64 {
        self.subtotal_minor - self.discount_minor + self.tax_minor
    }
}

/// What each line of goods comes to. Together never more than the order's total, whatever an older
/// document says or leaves out.
pub fn worth(row: &OrderRow, priced: Option<&Priced>) -> Vec<LineWorth> {
    let off = |target| priced.map_or(0, |priced| priced.taken_off(target));
    let line = |line: &crate::ledger::row::OrderLineRow| {
        let ordered = &line.ordered;
        let target = index_of(ordered.line).map(Target::Line);
        let subtotal = ordered.unit_price_minor.saturating_mul(i64::from(ordered.quantity));
        let tax = priced.zip(target).map_or(0, |(priced, target)| priced.tax_on(target));
        LineWorth {
            line: ordered.line,
            subtotal_minor: subtotal,
            discount_minor: target.map_or(0, off).clamp(0, subtotal),
            tax_minor: tax,
        }
    };
    let mut lines: Vec<LineWorth> = row.lines.iter().map(line).collect();
    share_older_taxes(&mut lines, priced);
    limit(&mut lines, row.total_minor);
    lines
}

/// The index in a session of the line that has this number in the order.
pub fn index_of(line: u32) -> Option<usize> {
    usize::try_from(line).ok()?.checked_sub(1)
}

/// Taxes that were not told by what is taxed are shared by what things cost.
fn share_older_taxes(lines: &mut [LineWorth], priced: Option<&Priced>) {
    let Some(priced) = priced else { return };
    let untold = priced.taxes.iter().filter(|tax| !tax.included && tax.allotments.is_empty());
    let minor: i64 = untold.map(|tax| tax.minor).sum();
    let shipping = priced.shipping().map_or(0, |option| option.minor);
    let shipping = (shipping - priced.taken_off(Target::Shipping)).max(0);
    let weights = lines.iter().map(|line| line.subtotal_minor - line.discount_minor);
    let weights: Vec<i64> = weights.chain([shipping]).collect();
    for (line, part) in lines.iter_mut().zip(share(minor, &weights)) {
        line.tax_minor += part;
    }
}

fn limit(lines: &mut [LineWorth], total_minor: i64) {
    let paid: Vec<i64> = lines.iter().map(LineWorth::paid_minor).collect();
    let sum = paid.iter().fold(0_i64, |sum, paid| sum.saturating_add(*paid));
    if sum <= total_minor {
        return;
    }
    for (line, part) in lines.iter_mut().zip(share(total_minor, &paid)) {
        line.discount_minor += line.paid_minor() - part;
    }
}

/// What an order's document says of its price. Tolerant: an older one may say nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    priced: Option<Box<Priced>>,
}

impl Checkout {
    /// What an order was sold for, as the ledger judges what happens to it after the sale.
    pub(super) async fn sale(&self, row: &OrderRow) -> Result<Sale, LedgerFault> {
        let attempt = self.store.find_attempt(row.attempt).await?;
        // Where there was nothing to pay no gateway is ever asked.
        let authorization = attempt.and_then(|attempt| attempt.authorization);
        let authorization = authorization.as_ref().and_then(Authorization::name);
        let authorization = authorization.unwrap_or_default().to_owned();
        let document: Document = serde_json::from_str(row.body.get()).unwrap_or_default();
        let now = self.now();
        let movement = || MovementId::new(now, &*self.chance);
        let line = |worth: LineWorth| SaleLine {
            line: worth.line,
            paid_minor: worth.paid_minor(),
            back: movement(),
        };
        Ok(Sale {
            attempt: row.attempt,
            authorization,
            lines: worth(row, document.priced.as_deref()).into_iter().map(line).collect(),
            uses: row.uses.iter().map(|uses| (uses.ordered.line, movement())).collect(),
        })
    }
}

//! Whether money adds up: orders, the attempts that paid for them, and the sandbox's book.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use super::report::Difference;
use crate::{
    base::{AttemptId, CheckoutId, Money, OrderId},
    ledger::{
        Authorization,
        row::{AttemptRow, AttemptState, OperationKind, OperationRow, OperationState, OrderRow},
    },
    payment::{Authorized, sandbox::Charge},
};

/// Idempotency keys are kept for so long at least (`retention.keys_days`).
const KEY_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What the audit keeps of an order.
#[derive(Debug, Clone)]
pub struct Paid {
    order: OrderId,
    attempt: AttemptId,
    total: Money,
    operations: Vec<OperationRow>,
}

impl From<&OrderRow> for Paid {
    fn from(order: &OrderRow) -> Self {
        Self {
            order: order.id,
            attempt: order.attempt,
            total: Money::from_minor(order.total_minor, order.currency),
            operations: order.operations.clone(),
        }
    }
}

/// The records about money, side by side.
#[derive(Debug, Default)]
pub struct Books {
    /// Every order.
    pub orders: Vec<Paid>,
    /// Every attempt.
    pub attempts: BTreeMap<AttemptId, AttemptRow>,
    /// Captures, voids and refunds owed.
    pub due: Vec<OperationRow>,
    /// Every charge in the sandbox's book, when there is one.
    pub charges: Option<BTreeMap<AttemptId, Charge>>,
}

impl Books {
    /// Everything that does not add up.
    pub fn check(&self) -> Vec<Difference> {
        let mut differences: Vec<Difference> =
            self.orders.iter().flat_map(|order| self.check_order(order)).collect();
        differences.extend(self.check_attempts());
        if let Some(charges) = &self.charges {
            differences.extend(self.check_charges(charges));
        }
        differences
    }

    /// An order stands on exactly one authorized attempt for its total.
    fn check_order(&self, paid: &Paid) -> Vec<Difference> {
        let tell = |finding: String| Difference::new(paid.order, finding);
        let Some(attempt) = self.attempts.get(&paid.attempt) else {
            return vec![tell(format!("was paid by {}, which is unknown", paid.attempt))];
        };
        let mut differences = Vec::new();
        if attempt.state != AttemptState::Authorized || attempt.order != paid.order {
            differences.push(tell(format!(
                "was paid by {}, which is {:?} for {}",
                attempt.id, attempt.state, attempt.order
            )));
        }
        let amount = Money::from_minor(attempt.amount_minor, attempt.currency);
        if amount != paid.total {
            let finding = format!("costs {}, its payment was for {amount}", paid.total);
            differences.push(tell(finding));
        }
        let is_of_nothing = attempt.authorization == Some(Authorization::NothingToPay);
        if is_of_nothing && (paid.total.minor() != 0 || !paid.operations.is_empty()) {
            let finding = format!(
                "costs {} and has {} operations, but its payment says there was nothing to pay",
                paid.total,
                paid.operations.len()
            );
            differences.push(tell(finding));
        }
        let charges = self.charges.as_ref();
        if is_of_nothing && charges.is_some_and(|charges| charges.contains_key(&attempt.id)) {
            differences.push(tell("has a charge in the book, but nothing was to pay".to_owned()));
        }
        if let Some(charges) = charges.filter(|_| is_sandbox(attempt) && !is_of_nothing) {
            differences.extend(check_charge_of(paid, charges.get(&attempt.id)));
        }
        differences
    }

    /// No authorized attempt without its order, and one live attempt per checkout at most.
    fn check_attempts(&self) -> Vec<Difference> {
        let paying: HashSet<AttemptId> = self.orders.iter().map(|paid| paid.attempt).collect();
        let mut live: HashMap<CheckoutId, u32> = HashMap::new();
        let mut differences = Vec::new();
        for attempt in self.attempts.values() {
            if attempt.state == AttemptState::Authorized && !paying.contains(&attempt.id) {
                differences.push(Difference::new(attempt.id, "is authorized and has no order"));
            }
            if matches!(attempt.state, AttemptState::Authorized | AttemptState::Pending) {
                *live.entry(attempt.checkout).or_default() += 1;
            }
        }
        let twice = live.into_iter().filter(|(_, count)| *count > 1);
        differences.extend(twice.map(|(checkout, count)| {
            Difference::new(
                checkout,
                format!("has {count} attempts that are pending or authorized"),
            )
        }));
        differences.extend(self.check_keys());
        differences.sort_by(|a, b| a.about.cmp(&b.about));
        differences
    }

    /// A request that is sent again under its key is paid for once. Keys are forgotten in time, and
    /// may then be used for something else.
    fn check_keys(&self) -> Vec<Difference> {
        let mut paid: HashMap<&(String, String), &AttemptRow> = HashMap::new();
        let mut differences = Vec::new();
        for attempt in self.attempts.values().filter(|row| row.state == AttemptState::Authorized) {
            let Some(key) = &attempt.waiting else { continue };
            let Some(before) = paid.insert(key, attempt) else { continue };
            if attempt.id.begun_at().since(before.id.begun_at()) < KEY_KEPT {
                let (caller, key) = key;
                let text = format!("is paid under the key {key} of {caller}, as {} is", before.id);
                differences.push(Difference::new(attempt.id, text));
            }
        }
        differences
    }

    /// What the book says, against the ledger.
    fn check_charges(&self, charges: &BTreeMap<AttemptId, Charge>) -> Vec<Difference> {
        let mut live: BTreeMap<CheckoutId, u32> = BTreeMap::new();
        let mut differences = Vec::new();
        for charge in charges.values() {
            let Some(attempt) = self.attempts.get(&charge.reference) else {
                let finding = "is in the book, but the ledger never asked for it";
                differences.push(Difference::new(charge.reference, finding));
                continue;
            };
            if charge.authorization().is_some() && !charge.voided {
                *live.entry(attempt.checkout).or_default() += 1;
            }
            if attempt.state != AttemptState::Authorized {
                differences.extend(self.check_orphan(attempt, charge));
            }
        }
        let twice = live.into_iter().filter(|(_, count)| *count > 1);
        differences.extend(twice.map(|(checkout, count)| {
            Difference::new(checkout, format!("has {count} live authorizations in the book"))
        }));
        differences
    }

    /// A charge whose attempt came to no order, or has not yet.
    fn check_orphan(&self, attempt: &AttemptRow, charge: &Charge) -> Option<Difference> {
        if charge.paid_minor() > 0 {
            let kept = Money::from_minor(charge.paid_minor(), charge.amount.currency());
            let finding = format!("{kept} are captured without an order");
            return Some(Difference::new(attempt.id, finding));
        }
        let settled = attempt.state != AttemptState::Pending;
        let voiding = self.due.iter().any(|due| {
            due.operation.attempt == attempt.id && due.operation.kind == OperationKind::Void
        });
        // One that is watched is found by the watch, which then voids it.
        let watched = attempt.watch_until.is_some();
        (charge.is_open() && settled && !voiding && !watched).then(|| {
            let finding = format!("is {:?}, but its authorization is open", attempt.state);
            Difference::new(attempt.id, finding)
        })
    }
}

fn is_sandbox(attempt: &AttemptRow) -> bool {
    attempt.gateway.contains("sandbox")
}

/// An order's charge: approved for its total, captured and given back as the ledger owes it.
fn check_charge_of(paid: &Paid, charge: Option<&Charge>) -> Vec<Difference> {
    let Some(charge) = charge else {
        return vec![Difference::new(paid.order, "is placed, but the book has no charge for it")];
    };
    let mut findings = Vec::new();
    if !matches!(charge.answer, Some(Authorized::Approved { .. })) {
        findings.push("is placed, but the book has no authorization for it".to_owned());
    }
    if charge.amount != paid.total {
        findings.push(format!("costs {}, the book has {}", paid.total, charge.amount));
    }
    let of =
        |kind: OperationKind| paid.operations.iter().filter(move |row| row.operation.kind == kind);
    let done = |row: &&OperationRow| row.state == OperationState::Done;
    let sum = |sum: i64, row: &OperationRow| sum + row.operation.amount_minor;
    let captures = of(OperationKind::Capture).filter(|row| row.state != OperationState::Refused);
    let (capturing, captured) = (captures.clone().fold(0, sum), captures.filter(done).fold(0, sum));
    if charge.captured_minor.is_some_and(|minor| minor > paid.total.minor()) {
        findings.push(format!("costs {}, more of it is captured", paid.total));
    }
    match charge.captured_minor {
        Some(_) if of(OperationKind::Capture).next().is_none() => {
            findings.push("was captured, though the ledger never owed a capture".to_owned());
        }
        Some(minor) if minor > capturing || minor < captured => {
            let finding = format!("captured were {minor} minor units, the ledger owes {capturing}");
            findings.push(finding);
        }
        None if captured > 0 => {
            findings.push("is captured by the ledger, but not in the book".to_owned());
        }
        _ => {}
    }
    if charge.voided && of(OperationKind::Void).next().is_none() {
        findings.push("has its authorization voided, though the ledger never owed it".to_owned());
    }
    let refunds = of(OperationKind::Refund).filter(|row| row.state != OperationState::Refused);
    let (owed, given) = (refunds.fold(0, sum), charge.refunded_minor.unwrap_or(0));
    if given > owed {
        findings.push(format!("was refunded {given} minor units, the ledger owes {owed}"));
    }
    let settled = of(OperationKind::Refund).filter(done).fold(0, sum);
    if given < settled {
        findings.push(format!("is refunded {settled} by the ledger, {given} in the book"));
    }
    if owed > paid.total.minor() {
        findings.push(format!("costs {}, {owed} minor units are to be refunded", paid.total));
    }
    findings.into_iter().map(|finding| Difference::new(paid.order, finding)).collect()
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;

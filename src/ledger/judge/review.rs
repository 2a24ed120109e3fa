//! Judgements, and the ends of cases: each moves money and units once.

use super::rows::Rows;
use crate::{
    base::{AttemptId, OperationId},
    ledger::{
        Authorization,
        changes::{ChangeInsert, LineDelta, MovementInsert},
        entry::{LineMoveKind, Moved, OrderChange, Parcel},
        outcome::{Done, LedgerRefused, Outcome},
        review::{Assess, CaseChange, CaseHead, CaseState, LabelsWrite, Resolve},
        row::{NewOperation, OperationKind, OperationState},
    },
};

impl Resolve {
    /// What it owes the gateway. Each kind has one operation per attempt, so that owing twice is
    /// owing once.
    pub const fn kind(&self) -> OperationKind {
        match self.to {
            CaseState::Open | CaseState::Approved => OperationKind::Capture,
            CaseState::Declined | CaseState::Expired => OperationKind::Void,
            CaseState::Refunded => OperationKind::Refund,
        }
    }
}

impl Rows {
    /// Keeps a judgement, and the answer it led to.
    pub(super) fn assess(&mut self, assess: &Assess) -> Outcome {
        self.key_is_free(Some(&assess.key))?;
        self.changes.assessments.push(assess.assessment.clone());
        self.keep_key(Some(&assess.key));
        Ok(Done::Written)
    }

    /// Keeps what was found out, and the answer. Orders never go: whoever asks has looked.
    pub(super) fn label(&mut self, write: &LabelsWrite) -> Outcome {
        self.key_is_free(Some(&write.key))?;
        self.changes.labels.extend(write.labels.iter().cloned());
        self.keep_key(Some(&write.key));
        Ok(Done::Written)
    }

    /// Ends a case. Whoever comes first decides: a person, another one, or time. Approved, its
    /// money is taken; declined or expired, its authorization is let go and what has not shipped
    /// goes back on sale; refunded, which needs the money to have been taken, both.
    pub(super) fn resolve(&mut self, resolve: &Resolve) -> Outcome {
        self.key_is_free(resolve.key.as_ref())?;
        let same = |case: &&CaseHead| case.attempt == resolve.attempt;
        let case = self.cases.get(&resolve.order).filter(same).copied();
        let case = case.ok_or(LedgerRefused::NoSuchCase)?;
        let mut amount_minor = resolve.amount_minor;
        let ended = Err(LedgerRefused::CaseEnded { state: case.state });
        match (case.state, resolve.to) {
            (_, CaseState::Open) => return ended,
            // What is left of the money, where some of it was given back before.
            (CaseState::Approved, CaseState::Refunded) => {
                amount_minor = match resolve.authorization {
                    Authorization::Named(_) => self.refundable(case.attempt)?,
                    Authorization::NothingToPay => 0,
                };
            }
            (CaseState::Open, CaseState::Refunded) => return Err(LedgerRefused::NotCaptured),
            (CaseState::Open, _) => {}
            _ => return ended,
        }
        let moved = match resolve.to {
            CaseState::Approved => Vec::new(),
            _ => self.put_back(resolve),
        };
        let operation = operation(case.attempt, resolve, amount_minor);
        if let Some(operation) = &operation
            && !self.operations.contains_key(&operation.id)
        {
            self.put_operation(operation, OperationState::Due, "", resolve.now);
        }
        if resolve.to != CaseState::Approved {
            self.changes.order_changes.push(ChangeInsert {
                order: resolve.order,
                change: OrderChange {
                    id: resolve.change,
                    moved,
                    money: operation.map(|operation| operation.id),
                    parcel: Parcel::default(),
                    reason: String::new(),
                    at: resolve.now,
                },
            });
        }
        if let Some(known) = self.cases.get_mut(&resolve.order) {
            known.state = resolve.to;
        }
        // One row is written once: what a batch says last is what stands.
        let from = self.changes.cases.iter().position(|change| change.order == resolve.order);
        let from = from.map_or(case.state, |place| self.changes.cases.remove(place).from);
        self.changes.cases.push(CaseChange {
            order: resolve.order,
            state: resolve.to,
            from,
            by: resolve.by.clone(),
            reason: resolve.reason.clone(),
            at: resolve.now,
        });
        self.changes.labels.extend(resolve.label.clone());
        self.changes.events.extend(resolve.events.iter().cloned());
        self.keep_key(resolve.key.as_ref());
        Ok(Done::Written)
    }

    /// Units of the order that have not left the house go back on sale.
    fn put_back(&mut self, resolve: &Resolve) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (number, id) in &resolve.lines {
            let Some(line) = self.lines.get_mut(&(resolve.order, *number)) else { continue };
            let quantity = line.quantity - line.shipped - line.restocked;
            if quantity == 0 {
                continue;
            }
            line.restocked += quantity;
            moved.push(Moved { line: *number, kind: LineMoveKind::Restock, quantity });
            let (sku, tracked) = (line.sku.clone(), line.tracked);
            if tracked {
                self.add_stock(&sku, 0, i64::from(quantity));
            }
            self.add_line_delta(LineDelta {
                order: resolve.order,
                line: *number,
                shipped: 0,
                returned: 0,
                restocked: quantity,
            });
            self.changes.movements.push(MovementInsert {
                id: *id,
                sku,
                kind: LineMoveKind::Restock.as_str(),
                quantity,
                reason: resolve.reason.clone(),
                order: Some(resolve.order),
                line: Some(*number),
                at: resolve.now,
            });
        }
        moved
    }
}

/// What the gateway is asked for; nothing where there was nothing to pay, or nothing is left to
/// give back.
fn operation(attempt: AttemptId, resolve: &Resolve, amount_minor: i64) -> Option<NewOperation> {
    let (kind, authorization) = (resolve.kind(), resolve.authorization.name()?);
    let is_nothing = kind == OperationKind::Refund && amount_minor == 0;
    (!is_nothing).then(|| NewOperation {
        id: OperationId::of(attempt, kind.number()),
        attempt,
        kind,
        amount_minor,
        authorization: authorization.to_owned(),
    })
}

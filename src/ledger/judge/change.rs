//! What happens to an order after the sale: every unit moves once, and no more money is given back
//! than was taken.

use super::rows::Rows;
use crate::{
    base::{AttemptId, OperationId, OrderId},
    ledger::{
        changes::{ChangeInsert, LineDelta, MovementInsert},
        entry::{ChangeOrder, LineMove, LineMoveKind, Moved, OrderChange, Refund},
        outcome::{Done, LedgerRefused, Outcome},
        review::{CaseHead, CaseState},
        row::{NewOperation, OperationKind, OperationRow, OperationState, refundable},
    },
};

/// Refunds beside the one that a review may decide, for one order: each has a number in a byte of
/// its id, and the gateway knows it by that. More than a shop gives back piece by piece.
pub const REFUNDS_MAX: u8 = 28;

/// Every operation there may be about the money of one attempt.
pub fn money_of(attempt: AttemptId) -> impl Iterator<Item = OperationId> {
    let last = OperationKind::Refund.number() + REFUNDS_MAX;
    (1..=last).map(move |number| OperationId::of(attempt, number))
}

impl Rows {
    /// Moves units of an order and gives money back: all of it, or nothing.
    pub(super) fn change_order(&mut self, change: &ChangeOrder) -> Outcome {
        self.key_is_free(change.key.as_ref())?;
        self.may_move(change)?;
        let refund = change.refund.as_ref();
        let refund = refund.map(|refund| self.may_refund(change.order, refund)).transpose()?;
        for moved in &change.moves {
            self.move_line(change, moved);
        }
        if let Some(operation) = &refund {
            self.owe(operation, change);
        }
        let moved = |moved: &LineMove| Moved {
            line: moved.line,
            kind: moved.kind,
            quantity: moved.quantity,
        };
        self.changes.order_changes.push(ChangeInsert {
            order: change.order,
            change: OrderChange {
                id: change.id,
                moved: change.moves.iter().map(moved).collect(),
                money: refund.map(|operation| operation.id),
                parcel: change.parcel.clone(),
                reason: change.reason.clone(),
                at: change.now,
            },
        });
        self.changes.events.extend(change.events.iter().cloned());
        self.keep_key(change.key.as_ref());
        Ok(Done::Written)
    }

    /// Owes a refund; those judged after it in this batch see it.
    fn owe(&mut self, operation: &NewOperation, change: &ChangeOrder) {
        self.put_operation(operation, OperationState::Due, "", change.now);
        let Some(attempt) = self.attempts.get(&operation.attempt) else { return };
        let row = OperationRow {
            operation: operation.clone(),
            state: OperationState::Due,
            currency: attempt.currency,
            order: change.order,
        };
        self.operations.insert(operation.id, row);
    }

    /// Whether every unit is where it is to be taken from, those of one line taken together.
    fn may_move(&self, change: &ChangeOrder) -> Result<(), LedgerRefused> {
        let waits = |case: &CaseHead| case.state == CaseState::Open;
        let ships = |moved: &LineMove| moved.kind == LineMoveKind::Ship;
        if change.moves.iter().any(ships) && self.cases.get(&change.order).is_some_and(waits) {
            return Err(LedgerRefused::InReview);
        }
        for moved in &change.moves {
            let line = self.lines.get(&(change.order, moved.line));
            let line = line.ok_or(LedgerRefused::NoSuchLine)?;
            let from_house = |kind| kind != LineMoveKind::Return;
            let available = if from_house(moved.kind) {
                line.quantity - line.shipped - line.restocked
            } else {
                line.shipped - line.returned
            };
            let same_place = |other: &&LineMove| {
                other.line == moved.line && from_house(other.kind) == from_house(moved.kind)
            };
            let wanted = change.moves.iter().filter(same_place);
            let wanted = wanted.fold(0_u32, |sum, other| sum.saturating_add(other.quantity));
            if available < wanted {
                return Err(LedgerRefused::LineShort { available });
            }
        }
        Ok(())
    }

    fn move_line(&mut self, change: &ChangeOrder, moved: &LineMove) {
        let Some(line) = self.lines.get_mut(&(change.order, moved.line)) else { return };
        let mut delta = LineDelta {
            order: change.order,
            line: moved.line,
            shipped: 0,
            returned: 0,
            restocked: 0,
        };
        let units = i64::from(moved.quantity);
        let (counter, total, on_hand, unallocated) = match moved.kind {
            LineMoveKind::Ship => (&mut delta.shipped, &mut line.shipped, -units, 0),
            LineMoveKind::Return => (&mut delta.returned, &mut line.returned, units, units),
            LineMoveKind::Restock => (&mut delta.restocked, &mut line.restocked, 0, units),
        };
        *counter = moved.quantity;
        *total += moved.quantity;
        let (sku, tracked) = (line.sku.clone(), line.tracked);
        if tracked {
            self.add_stock(&sku, on_hand, unallocated);
        }
        self.add_line_delta(delta);
        self.changes.movements.push(MovementInsert {
            id: moved.id,
            sku,
            kind: moved.kind.as_str(),
            quantity: moved.quantity,
            reason: change.reason.clone(),
            order: Some(change.order),
            line: Some(moved.line),
            at: change.now,
        });
    }

    /// The refund as an operation, if so much of the money was taken and is not given back yet.
    fn may_refund(&self, order: OrderId, refund: &Refund) -> Result<NewOperation, LedgerRefused> {
        let attempt = self.attempts.get(&refund.attempt).filter(|row| row.order == order);
        let attempt = attempt.ok_or(LedgerRefused::NoSuchAttempt)?.id;
        let left = self.refundable(attempt)?;
        if refund.amount_minor <= 0 || refund.amount_minor > left {
            return Err(LedgerRefused::RefundTooLarge { left });
        }
        let first = OperationKind::Refund.number() + 1;
        let free = (first..first + REFUNDS_MAX)
            .map(|number| OperationId::of(attempt, number))
            .find(|id| !self.operations.contains_key(id));
        Ok(NewOperation {
            id: free.ok_or(LedgerRefused::TooManyRefunds)?,
            attempt,
            kind: OperationKind::Refund,
            amount_minor: refund.amount_minor,
            authorization: refund.authorization.clone(),
        })
    }

    /// What was taken for this attempt and is neither given back nor about to be, in minor units.
    pub(super) fn refundable(&self, attempt: AttemptId) -> Result<i64, LedgerRefused> {
        let of = |row: &&OperationRow| row.operation.attempt == attempt;
        refundable(self.operations.values().filter(of)).ok_or(LedgerRefused::NotCaptured)
    }
}

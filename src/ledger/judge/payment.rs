//! T2, its rival unpin, and T3.

use super::rows::Rows;
use crate::{
    base::{AttemptId, CheckoutId, Sku, Timestamp},
    ledger::{
        changes::{
            AttemptChange, ChallengeChange, HeadChange, OperationChange, OrderInsert, Reopened,
        },
        entry::{Challenge, Document, OperationWrite, Place, Settle},
        outcome::{Done, LedgerRefused, Outcome},
        review::{CaseHead, CaseState, NewCase},
        row::{AttemptState, HoldRow, NewOperation, NewOrderLine, OperationState, SessionState},
        world::SessionHead,
    },
};
use std::collections::BTreeMap;

impl Rows {
    /// Sells: the pinned holds become sold units of an order. Needs the attempt pending and the
    /// holds pinned by it, and no particular session version: while pinned, nobody else writes it.
    pub(super) fn place(&mut self, place: &Place) -> Outcome {
        let attempt = self.pending(place.attempt)?;
        let (checkout, order) = (attempt.checkout, attempt.order);
        self.key_waits(place.key.as_ref())?;
        let pinned = self.pinned_by(checkout, place.attempt);
        if !same_units(&pinned, &place.order.lines) {
            return Err(LedgerRefused::PinsDiffer);
        }
        for hold in &pinned {
            self.remove_hold(checkout, &hold.sku);
        }
        self.change_attempt(AttemptChange {
            id: place.attempt,
            state: AttemptState::Authorized,
            authorization: Some(place.authorization.clone()),
            code: None,
            watch_until: None,
            settled_at: place.now,
        });
        let version = self.next_head(checkout, SessionState::Completed, None, place.now);
        self.changes.orders.push(OrderInsert {
            order: place.order.clone(),
            checkout,
            attempt: place.attempt,
            placed_at: place.now,
        });
        for operation in &place.operations {
            self.put_operation(operation, OperationState::Due, "", place.now);
        }
        self.changes.events.extend(place.events.iter().cloned());
        self.changes.assessments.extend(place.assessment.clone());
        self.changes.new_cases.extend(place.case.clone());
        self.answer_key(place.key.as_ref());
        Ok(Done::Placed { order, version })
    }

    /// Unpins: the attempt came to nothing, its holds live on unpinned and the session opens again;
    /// or, for the express lane, it leaves nothing behind.
    pub(super) fn settle(&mut self, settle: &Settle) -> Outcome {
        let checkout = self.pending(settle.attempt)?.checkout;
        self.key_waits(settle.key.as_ref())?;
        for hold in self.pinned_by(checkout, settle.attempt) {
            let expires_at = hold.expires_at.max(settle.hold_until);
            let unpinned = HoldRow { pinned_by: None, expires_at, ..hold };
            match settle.reopens {
                true => self.put_hold(unpinned),
                false => self.release(&unpinned),
            }
        }
        self.change_attempt(AttemptChange {
            id: settle.attempt,
            state: settle.state,
            authorization: None,
            code: Some(settle.code.clone()),
            watch_until: settle.watch_until,
            settled_at: settle.now,
        });
        let state = if settle.reopens { SessionState::Open } else { SessionState::Canceled };
        let version = self.next_head(checkout, state, Some(&settle.body), settle.now);
        self.changes.assessments.extend(settle.assessment.clone());
        self.answer_key(settle.key.as_ref());
        Ok(Done::Settled { version })
    }

    /// Waits for the buyer: the attempt stays pending, and its holds stay pinned.
    pub(super) fn challenge(&mut self, write: &Challenge) -> Outcome {
        let checkout = self.pending(write.attempt)?.checkout;
        self.key_waits(write.key.as_ref())?;
        let (attempt, challenge) = (write.attempt, write.challenge.clone());
        self.changes.challenges.retain(|known| known.attempt != attempt);
        self.changes.challenges.push(ChallengeChange { attempt, checkout, challenge });
        let body = Some(&write.body);
        let version = self.next_head(checkout, SessionState::Completing, body, write.now);
        self.answer_key(write.key.as_ref());
        Ok(Done::Session { version })
    }

    /// Records what is owed to a gateway, or what became of it. Saying the same twice is fine.
    pub(super) fn operate(&mut self, write: &OperationWrite) -> Outcome {
        let attempt = self.attempts.get(&write.operation.attempt);
        let attempt = attempt.ok_or(LedgerRefused::NoSuchAttempt)?;
        let is_of_order = attempt.state == AttemptState::Authorized;
        match self.operations.get(&write.operation.id).map(|row| row.state) {
            Some(state) if state == write.state => return Ok(Done::Written),
            Some(OperationState::Done | OperationState::Refused) => {
                return Err(LedgerRefused::OperationSettled);
            }
            Some(OperationState::Due) | None => {}
        }
        self.put_operation(&write.operation, write.state, &write.note, write.now);
        // What never became an order is nobody's to hear of.
        if is_of_order {
            self.changes.events.extend(write.events.iter().cloned());
            write.case.iter().for_each(|case| self.open_case(case, &write.note));
        }
        Ok(Done::Written)
    }

    /// Gives a person what the gateway refused; one that has ended before begins anew.
    fn open_case(&mut self, case: &NewCase, note: &str) {
        let (order, attempt) = (case.order, case.attempt);
        if self.cases.get(&order).is_some_and(|known| known.state == CaseState::Open) {
            return;
        }
        self.cases.insert(order, CaseHead { order, attempt, state: CaseState::Open });
        self.changes.reopened.push(Reopened { case: case.clone(), note: note.to_owned() });
    }

    fn pinned_by(&self, checkout: CheckoutId, attempt: AttemptId) -> Vec<HoldRow> {
        let mut holds = self.holds_of(checkout);
        holds.retain(|hold| hold.pinned_by == Some(attempt));
        holds
    }

    fn next_head(
        &mut self,
        checkout: CheckoutId,
        state: SessionState,
        body: Option<&Document>,
        now: Timestamp,
    ) -> u32 {
        let version = self.sessions.get(&checkout).map_or(0, |head| head.version) + 1;
        self.sessions.insert(checkout, SessionHead { checkout, version, state });
        let body = body.cloned();
        self.changes.heads.push(HeadChange { checkout, version, state, body, updated_at: now });
        version
    }

    pub(super) fn put_operation(
        &mut self,
        operation: &NewOperation,
        state: OperationState,
        note: &str,
        now: Timestamp,
    ) {
        if let Some(row) = self.operations.get_mut(&operation.id) {
            row.state = state;
        }
        // One row is written once: what a batch says last is what stands.
        self.changes.operations.retain(|change| change.id != operation.id);
        self.changes.operations.push(OperationChange {
            id: operation.id,
            attempt: operation.attempt,
            kind: operation.kind,
            amount_minor: operation.amount_minor,
            authorization: operation.authorization.clone(),
            state,
            note: note.to_owned(),
            at: now,
        });
    }
}

/// Whether the pinned holds are exactly the counted units the order promises.
fn same_units(pinned: &[HoldRow], lines: &[NewOrderLine]) -> bool {
    let mut owed: BTreeMap<&Sku, i64> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.tracked) {
        *owed.entry(&line.sku).or_default() += i64::from(line.quantity);
    }
    for hold in pinned {
        *owed.entry(&hold.sku).or_default() -= i64::from(hold.quantity);
    }
    owed.values().all(|difference| *difference == 0)
}

//! Judgements, and the ends of cases: each moves money and units once.

use super::{change::moved, rows::Rows};
use crate::{
    base::OperationId,
    ledger::{
        entry::{OrderChange, Parcel},
        outcome::{Done, LedgerRefused, Outcome},
        review::{Assess, CaseHead, CaseState, LabelsWrite, Resolve},
        row::{NewOperation, OperationKind},
    },
};

impl Rows {
    /// Keeps a judgement, and the answer it led to.
    pub(super) fn assess(&mut self, assess: &Assess) -> Outcome {
        self.key_is_free(Some(&assess.key))?;
        self.changes.assessments.push(assess.assessment.clone());
        self.take_key(Some(&assess.key));
        Ok(Done::Written)
    }

    /// Keeps what was found out, and the answer. Orders never go: whoever asks has looked.
    pub(super) fn label(&mut self, write: &LabelsWrite) -> Outcome {
        self.key_is_free(Some(&write.key))?;
        self.changes.labels.extend(write.labels.iter().cloned());
        self.take_key(Some(&write.key));
        Ok(Done::Written)
    }

    /// Ends a case. Whoever comes first decides: a person, another one, or time. Approved, what is
    /// left of its money is taken, unless that waits for its goods; declined or expired, what has
    /// not shipped goes back on sale and the authorization is let go; refunded, which needs the
    /// money to have been taken, all of it is given back.
    pub(super) fn resolve(&mut self, resolve: &Resolve) -> Outcome {
        self.key_is_free(resolve.key.as_ref())?;
        let (order, sale) = (resolve.order, &resolve.sale);
        let same = |case: &&CaseHead| case.attempt == sale.attempt;
        let case = self.cases.get(&order).filter(same).ok_or(LedgerRefused::NoSuchCase)?;
        let ended = Err(LedgerRefused::CaseEnded { state: case.state });
        match (case.state, resolve.to) {
            (_, CaseState::Open | CaseState::Canceled) => return ended,
            (CaseState::Open, CaseState::Refunded) => return Err(LedgerRefused::NotCaptured),
            (CaseState::Open, _) | (CaseState::Approved, CaseState::Refunded) => {}
            _ => return ended,
        }
        if resolve.claimed && case.state == CaseState::Open {
            self.is_theirs(resolve)?;
        }
        match resolve.to {
            CaseState::Approved => self.approve(resolve)?,
            _ => self.give_up(resolve)?,
        }
        let (by, reason) = (resolve.by.as_str(), resolve.reason.as_str());
        self.put_case(order, resolve.to, (by, reason), resolve.now);
        self.changes.labels.extend(resolve.label.clone());
        self.changes.events.extend(resolve.events.iter().cloned());
        self.take_key(resolve.key.as_ref());
        Ok(Done::Written)
    }

    /// Whoever decides has claimed the case, and still has it.
    fn is_theirs(&self, resolve: &Resolve) -> Result<(), LedgerRefused> {
        let claim = self.claims.get(&resolve.order).filter(|claim| claim.until > resolve.now);
        match claim {
            Some(claim) if claim.by == resolve.by => Ok(()),
            claim => Err(LedgerRefused::CaseNotTheirs { by: claim.map(|claim| claim.by.clone()) }),
        }
    }

    /// Takes what is left of the money, where it is taken at once.
    fn approve(&mut self, resolve: &Resolve) -> Result<(), LedgerRefused> {
        let (order, sale) = (resolve.order, &resolve.sale);
        let left = self.money(order, sale, &[])?.funds.capturable();
        if resolve.captures && left > 0 {
            let capture = self.next_operation(sale, OperationKind::Capture, left)?;
            self.owe(order, capture, resolve.now);
        }
        Ok(())
    }

    /// Puts what has not left back on sale, and lets the money go or gives it back.
    fn give_up(&mut self, resolve: &Resolve) -> Result<(), LedgerRefused> {
        let (order, sale, now) = (resolve.order, &resolve.sale, resolve.now);
        let moves = self.still_here(order, sale);
        let money = self.money(order, sale, &moves)?;
        let refunds = resolve.to == CaseState::Refunded;
        // Of an order that cost nothing there is nothing to give back.
        if refunds && money.funds.captured == 0 && money.funds.authorized > 0 {
            return Err(LedgerRefused::NotCaptured);
        }
        let settled = match refunds || money.is_given_up() {
            true => money.give_up()?,
            false => money.keep(),
        };
        let mut told = None;
        let left = money.funds.capturable();
        let void = OperationId::of(sale.attempt, OperationKind::Void.number());
        if left > 0 && !self.operations.contains_key(&void) {
            let void = self.next_operation(sale, OperationKind::Void, left)?;
            told = Some(void.id);
            self.owe(order, void, now);
        }
        if settled.refund > 0 {
            // A review gives back once: its refund has a number of its own.
            let id = OperationId::of(sale.attempt, OperationKind::Refund.number());
            let refund = self.next_operation(sale, OperationKind::Refund, settled.refund)?;
            let refund = if refunds { NewOperation { id, ..refund } } else { refund };
            told = Some(refund.id);
            self.owe(order, refund, now);
        }
        self.move_units(order, sale, &moves, &resolve.reason, now);
        self.remember(
            order,
            OrderChange {
                id: resolve.change,
                moved: moved(&moves),
                money: told,
                given: settled.given,
                parcel: Parcel::default(),
                reason: String::new(),
                at: now,
            },
        );
        Ok(())
    }
}

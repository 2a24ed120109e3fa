//! Charges that wait for their buyer: how the buyer, or the shop, ends that.

use super::{
    charge::{Charge, Op, Outcome, Record, authorization_of},
    charges::Charges,
};
use crate::{
    base::{AttemptId, Money, Timestamp, Verification},
    payment::{Authorized, Decline, GatewayFault},
};

/// Why a challenge that nobody passes is declined.
const NOT_PROVEN: &str = "authentication_failed";

/// Why what was ended is declined.
const ENDED: &str = "canceled";

impl Charges {
    /// The line that a buyer's proof, or their giving up, comes to.
    ///
    /// # Errors
    /// Where the reference never waited for its buyer.
    pub fn judge_proof(
        &self,
        reference: AttemptId,
        passes: bool,
        at: Timestamp,
    ) -> Result<Record, GatewayFault> {
        let nobody = || GatewayFault::Refused("nobody waits for this buyer".into());
        let charge = self.get(reference).ok_or_else(nobody)?;
        let outcome = match charge.answer {
            Some(Authorized::Challenged(_)) if passes => Outcome::Approved,
            Some(Authorized::Challenged(_)) => Outcome::Declined,
            Some(_) => Outcome::Repeated,
            None => return Err(nobody()),
        };
        let authenticated = (outcome == Outcome::Approved).then_some(true);
        Ok(Record {
            authorization: authenticated.map(|_| authorization_of(reference)),
            code: (outcome == Outcome::Declined).then(|| NOT_PROVEN.to_owned()),
            verification: Verification { authenticated, ..Verification::default() },
            ..line((reference, Op::Prove), outcome, charge.amount, at)
        })
    }

    /// The line that ending a payment comes to: one that is approved or declined stays that. One
    /// that was never heard of is declined from now on, whatever comes late.
    pub fn judge_end(&self, reference: AttemptId, amount: Money, at: Timestamp) -> Record {
        let charge = self.get(reference);
        let outcome = match charge.and_then(|charge| charge.answer.as_ref()) {
            Some(Authorized::Challenged(_)) | None => Outcome::Declined,
            Some(_) => Outcome::Repeated,
        };
        let amount = charge.map_or(amount, |charge| charge.amount);
        Record {
            code: (outcome == Outcome::Declined).then(|| ENDED.to_owned()),
            ..line((reference, Op::End), outcome, amount, at)
        }
    }

    /// Takes over what became of a charge that waited.
    pub(super) fn apply_answer(&mut self, record: &Record) -> Result<(), String> {
        let amount = record.amount();
        let charge = self
            .by_reference
            .entry(record.reference)
            .or_insert_with(|| Charge::new(record.reference, amount));
        let waits = matches!(charge.answer, Some(Authorized::Challenged(_)));
        let unheard = charge.answer.is_none() && record.op == Op::End;
        charge.answer = match record.outcome {
            Outcome::Repeated if !waits && !unheard => return Ok(()),
            Outcome::Approved if waits => Some(Authorized::Approved {
                authorization: record.authorization.clone().ok_or("no authorization")?,
                verification: record.verification,
                expires_at: None,
            }),
            Outcome::Declined if waits || unheard => {
                let code = record.code.as_deref().unwrap_or_default();
                Some(Authorized::Declined(Decline::read(code)))
            }
            outcome => return Err(format!("{outcome:?} cannot follow what stands before")),
        };
        Ok(())
    }
}

fn line(
    (reference, op): (AttemptId, Op),
    outcome: Outcome,
    amount: Money,
    at: Timestamp,
) -> Record {
    Record {
        reference,
        op,
        part: 0,
        amount_minor: amount.minor(),
        currency: amount.currency(),
        authorization: None,
        outcome,
        code: None,
        verification: Verification::default(),
        at,
    }
}

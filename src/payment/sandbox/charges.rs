//! Every charge the book tells of, and the rules by which the next line may be written.
//!
//! Judging and applying are apart: a line is judged, written down, and applied; a book read back is
//! applied alone, and a line that the rules would not have written is damage.

use std::collections::BTreeMap;

use super::{
    charge::{
        Charge, Op, Outcome, Record, authorization_of, challenge_of, is_uncapturable,
        uncapturable_of,
    },
    tokens::{Token, Verdict},
};
use crate::{
    base::{AttemptId, Money, Timestamp, Verification},
    payment::{Authorized, Decline, MoneyRequest},
};

/// The book in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charges {
    pub(super) by_reference: BTreeMap<AttemptId, Charge>,
}

impl Charges {
    /// What became of a reference.
    pub fn get(&self, reference: AttemptId) -> Option<&Charge> {
        self.by_reference.get(&reference)
    }

    /// Every charge, by reference.
    pub fn iter(&self) -> impl Iterator<Item = &Charge> {
        self.by_reference.values()
    }

    /// Whether the reference has its answer already.
    pub fn is_answered(&self, reference: AttemptId) -> bool {
        self.get(reference).is_some_and(|charge| charge.answer.is_some())
    }

    /// The line an authorization comes to.
    pub fn judge_authorize(
        &self,
        reference: AttemptId,
        amount: Money,
        (token, authenticate): (Token, bool),
        at: Timestamp,
    ) -> Record {
        let (outcome, code) = self.authorize_outcome(reference, amount, (token, authenticate));
        let authorization = (outcome == Outcome::Approved).then(|| match token {
            Token::Uncapturable => uncapturable_of(reference),
            _ => authorization_of(reference),
        });
        Record {
            reference,
            op: Op::Authorize,
            part: 0,
            amount_minor: amount.minor(),
            currency: amount.currency(),
            authorization,
            outcome,
            code: code.map(str::to_owned),
            verification: token.verification(),
            at,
        }
    }

    fn authorize_outcome(
        &self,
        reference: AttemptId,
        amount: Money,
        (token, authenticate): (Token, bool),
    ) -> (Outcome, Option<&'static str>) {
        if amount.minor() < 0 {
            return (Outcome::Refused, Some("an amount is never negative"));
        }
        let seen = self.get(reference);
        if let Some(charge) = seen.filter(|charge| charge.answer.is_some()) {
            return if charge.amount == amount {
                (Outcome::Repeated, None)
            } else {
                (Outcome::Refused, Some("the reference was used for another amount"))
            };
        }
        match token.verdict() {
            Verdict::Decline(code) => (Outcome::Declined, Some(code)),
            Verdict::Challenge => (Outcome::Challenged, None),
            // Whoever must prove who they are has done so with the token that says it.
            Verdict::FailOnce | Verdict::Approve
                if authenticate && token != Token::ChallengePassed =>
            {
                (Outcome::Challenged, None)
            }
            Verdict::FailOnce if seen.is_none() => (Outcome::Failed, None),
            Verdict::FailOnce | Verdict::Approve => (Outcome::Approved, None),
        }
    }

    /// The line a capture, void or refund comes to.
    pub fn judge_move(&self, op: Op, request: &MoneyRequest, at: Timestamp) -> Record {
        let asked = Record {
            reference: request.reference,
            op,
            part: request.part,
            amount_minor: request.amount.minor(),
            currency: request.amount.currency(),
            authorization: Some(request.authorization.clone()),
            outcome: Outcome::Refused,
            code: None,
            verification: Verification::default(),
            at,
        };
        match self.move_outcome(&asked) {
            Ok(outcome) => Record { outcome, ..asked },
            Err(why) => Record { code: Some(why.to_owned()), ..asked },
        }
    }

    fn move_outcome(&self, asked: &Record) -> Result<Outcome, &'static str> {
        let charge = self.get(asked.reference).ok_or("the reference was never authorized")?;
        if charge.authorization().is_none() {
            return Err("the reference was not approved");
        }
        if charge.authorization() != asked.authorization.as_deref() {
            return Err("the authorization belongs to another reference");
        }
        if charge.amount.currency() != asked.currency || asked.amount_minor < 0 {
            return Err("the amount is negative or in another currency than authorized");
        }
        match asked.op {
            Op::Authorize | Op::Prove | Op::End => Err("it moves no money"),
            Op::Capture if charge.voided && !charge.captures.contains_key(&asked.part) => {
                Err("the authorization was voided")
            }
            Op::Capture if charge.authorization().is_some_and(is_uncapturable) => {
                Err("the issuer refuses the capture")
            }
            Op::Capture => {
                let before = charge.captures.get(&asked.part).copied();
                let others = charge.captured_minor.unwrap_or(0) - before.unwrap_or(0);
                once(before, asked.amount_minor, charge.amount.minor() - others)
            }
            Op::Void if charge.voided => Ok(Outcome::Repeated),
            Op::Void if charge.captured_minor == Some(charge.amount.minor()) => {
                Err("it was captured: refund it")
            }
            Op::Void => Ok(Outcome::Done),
            Op::Refund => {
                let captured = charge.captured_minor.ok_or("it was not captured")?;
                let before = charge.refunds.get(&asked.part).copied();
                let others = charge.refunded_minor.unwrap_or(0) - before.unwrap_or(0);
                once(before, asked.amount_minor, captured - others)
            }
        }
    }

    /// Takes a line over. An error means that the rules would never have written it.
    pub fn apply(&mut self, record: &Record) -> Result<(), String> {
        match record.op {
            Op::Authorize => self.apply_authorize(record),
            Op::Prove | Op::End => self.apply_answer(record),
            Op::Capture | Op::Void | Op::Refund => self.apply_move(record),
        }
    }

    fn apply_authorize(&mut self, record: &Record) -> Result<(), String> {
        let answered = self.is_answered(record.reference);
        let answer = match record.outcome {
            Outcome::Refused => {
                if let Some(charge) = self.by_reference.get_mut(&record.reference) {
                    charge.attempts += 1;
                }
                return Ok(());
            }
            Outcome::Repeated if answered => None,
            Outcome::Failed if !answered => None,
            Outcome::Approved if !answered => {
                let authorization = record.authorization.clone();
                let authorization = authorization.ok_or("approved without an authorization")?;
                let verification = record.verification;
                Some(Authorized::Approved { authorization, verification, expires_at: None })
            }
            Outcome::Declined if !answered => {
                let code = record.code.as_deref().unwrap_or_default();
                Some(Authorized::Declined(Decline::read(code)))
            }
            Outcome::Challenged if !answered => {
                Some(Authorized::Challenged(challenge_of(record.reference)))
            }
            outcome => return Err(format!("{outcome:?} cannot follow what stands before")),
        };
        let amount = record.amount();
        let charge = self
            .by_reference
            .entry(record.reference)
            .or_insert_with(|| Charge::new(record.reference, amount));
        charge.attempts += 1;
        if !answered {
            charge.amount = amount;
            charge.answer = answer;
        }
        Ok(())
    }

    fn apply_move(&mut self, record: &Record) -> Result<(), String> {
        if record.outcome == Outcome::Refused {
            return Ok(());
        }
        let expected = self.move_outcome(record)?;
        if expected != record.outcome {
            return Err(format!("{:?} where {expected:?} is due", record.outcome));
        }
        let charge = self.by_reference.get_mut(&record.reference);
        let charge = charge.ok_or("the reference was never authorized")?;
        match (record.op, expected) {
            (Op::Capture, Outcome::Done) => {
                charge.captures.insert(record.part, record.amount_minor);
                charge.captured_minor = Some(charge.captures.values().sum());
            }
            (Op::Refund, Outcome::Done) => {
                charge.refunds.insert(record.part, record.amount_minor);
                charge.refunded_minor = Some(charge.refunds.values().sum());
            }
            (Op::Void, Outcome::Done) => charge.voided = true,
            _ => {}
        }
        let captured = charge.captured_minor.unwrap_or(0);
        assert!(captured <= charge.amount.minor(), "never more captured than authorized");
        assert!(
            charge.refunded_minor.unwrap_or(0) <= captured,
            "never more refunded than captured"
        );
        Ok(())
    }
}

/// Money moves once: the same amount again is a repetition, another one a contradiction.
fn once(moved: Option<i64>, asked: i64, at_most: i64) -> Result<Outcome, &'static str> {
    match moved {
        Some(before) if before == asked => Ok(Outcome::Repeated),
        Some(_) => Err("it was done before with another amount"),
        None if asked > at_most => Err("the amount is more than there is"),
        None => Ok(Outcome::Done),
    }
}

#[cfg(test)]
#[path = "charges_tests.rs"]
mod tests;

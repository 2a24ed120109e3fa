//! What the sandbox knows of one reference, and the line of the book that told it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{
    base::{AttemptId, Currency, Money, Timestamp, Verification},
    payment::{Authorized, Challenge, Found},
};

/// The buyer proves who they are under this address; the reference follows. A reserved name
/// (RFC 2606): nobody can be sent to a real site by mistake.
const CHALLENGE_URL: &str = "https://sandbox.doorbuster.example/challenge/";

/// How authorizations begin whose capture is refused.
const UNCAPTURABLE: &str = "sandbox_uncapturable_";

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Put money aside.
    Authorize,
    /// Take it.
    Capture,
    /// Let it go.
    Void,
    /// Give it back.
    Refund,
    /// Prove who one is, where that was asked for.
    Prove,
    /// End what waits for its buyer.
    End,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Authorized.
    Approved,
    /// Not authorized, for ever.
    Declined,
    /// Not authorized before the buyer proves who they are.
    Challenged,
    /// Broke before it acted.
    Failed,
    /// Captured, voided or refunded.
    Done,
    /// Was asked before with the same words; nothing moved again.
    Repeated,
    /// Contradicts what the book says; nothing moved.
    Refused,
}

/// One line of the book. It names money and references, never a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The caller's name for the attempt.
    pub reference: AttemptId,
    /// What was asked.
    pub op: Op,
    /// Which capture or refund under this reference.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u8,
    /// For how much, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// The authorization given or named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why not, when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the issuer said about the buyer.
    #[serde(default, skip_serializing_if = "Verification::is_empty")]
    pub verification: Verification,
    /// When.
    pub at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_first(part: &u8) -> bool {
    *part == 0
}

impl Record {
    /// The amount asked for.
    pub const fn amount(&self) -> Money {
        Money::from_minor(self.amount_minor, self.currency)
    }
}

/// Everything that became of one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The caller's name for the attempt.
    pub reference: AttemptId,
    /// What was asked for.
    pub amount: Money,
    /// The answer it has for ever; `None` while it only failed.
    pub answer: Option<Authorized>,
    /// Minor units captured, in all.
    pub captured_minor: Option<i64>,
    /// Minor units captured by each part, once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<u8, i64>,
    /// Minor units refunded, in all.
    pub refunded_minor: Option<i64>,
    /// Minor units refunded by each part, once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<u8, i64>,
    /// Whether what was not captured of the authorization was let go.
    pub voided: bool,
    /// How often an authorization was asked for under this reference.
    pub attempts: u32,
}

impl Charge {
    /// A reference seen for the first time.
    pub(super) const fn new(reference: AttemptId, amount: Money) -> Self {
        Self {
            reference,
            amount,
            answer: None,
            captured_minor: None,
            captures: BTreeMap::new(),
            refunded_minor: None,
            refunds: BTreeMap::new(),
            voided: false,
            attempts: 0,
        }
    }

    /// The authorization it has, when it was approved.
    pub fn authorization(&self) -> Option<&str> {
        match &self.answer {
            Some(Authorized::Approved { authorization, .. }) => Some(authorization),
            _ => None,
        }
    }

    /// Whether money is put aside for it: approved, neither captured nor voided.
    pub fn is_open(&self) -> bool {
        self.authorization().is_some() && self.captured_minor.is_none() && !self.voided
    }

    /// Minor units the buyer is out of: captured and not refunded.
    pub fn paid_minor(&self) -> i64 {
        self.captured_minor.unwrap_or(0) - self.refunded_minor.unwrap_or(0)
    }

    /// The same in the words of the gateway trait.
    pub fn found(&self) -> Found {
        match &self.answer {
            None => Found::Nothing,
            Some(answer) => Found::Answered {
                answer: answer.clone(),
                captured_minor: self.captured_minor.unwrap_or(0),
                refunded_minor: self.refunded_minor.unwrap_or(0),
                voided: self.voided,
            },
        }
    }
}

/// The authorization's name: one per reference, so that it cannot be given twice.
pub(super) fn authorization_of(reference: AttemptId) -> String {
    format!("sandbox_{}", reference.uuid().simple())
}

/// The name of an authorization whose capture the issuer will refuse.
pub(super) fn uncapturable_of(reference: AttemptId) -> String {
    format!("{UNCAPTURABLE}{}", reference.uuid().simple())
}

/// Whether the issuer refuses to capture this authorization.
pub(super) fn is_uncapturable(authorization: &str) -> bool {
    authorization.starts_with(UNCAPTURABLE)
}

/// Where the buyer of this reference proves who they are.
pub(super) fn challenge_of(reference: AttemptId) -> Challenge {
    let id = Some(authorization_of(reference));
    Challenge { id, url: format!("{CHALLENGE_URL}{reference}"), until: None }
}

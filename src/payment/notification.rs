//! What a gateway tells by itself: notifications (webhooks), read once they are known to be its
//! own.

use serde::{Deserialize, Serialize};

use super::answer::Authorized;
use crate::{
    base::{AttemptId, Money, Timestamp},
    ledger::row::OperationKind,
};

/// A notification as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// Its headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte: signatures are made over it.
    pub body: &'a [u8],
    /// When it arrived.
    pub now: Timestamp,
}

impl<'a> Notification<'a> {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A notification, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// What it tells; one may carry several, or none that concerns us.
    pub events: Vec<GatewayEvent>,
    /// What the gateway wants to read in the answer.
    pub answer: &'static str,
}

/// One thing a gateway tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayEvent {
    /// The gateway's name for it: what comes twice has one name.
    pub id: String,
    /// The gateway's word for it.
    pub kind: String,
    /// What it is about.
    pub about: About,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// Something happened to a payment: it is looked up.
    Payment(Named),
    /// A payment was answered, and the gateway that says so has no look-up: what it has told is
    /// what is known.
    Answered {
        /// Which payment.
        payment: Named,
        /// What became of it.
        answer: Authorized,
    },
    /// A capture, void or refund was taken note of: it is not asked for again.
    Accepted {
        /// Whose money; under the gateway's name for this movement.
        payment: Named,
        /// Which way.
        kind: OperationKind,
        /// Which capture or refund of it.
        part: u8,
    },
    /// A capture, void or refund that had been accepted has ended.
    Moved {
        /// Whose money.
        payment: Named,
        /// Which way.
        kind: OperationKind,
        /// Which capture or refund of it.
        part: u8,
        /// How much, where the gateway says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
        /// Done; or never to be done, and why.
        ended: Result<(), String>,
    },
    /// The buyer's bank takes the money back, or has decided whether it may.
    Dispute(Dispute),
    /// The buyer's bank says that it was fraud, before anybody disputes it (an early fraud warning;
    /// TC40 of Visa, SAFE of Mastercard).
    Warning(Warning),
    /// Nothing that concerns us.
    Other,
}

impl About {
    /// The payment it is about.
    pub const fn payment(&self) -> Option<&Named> {
        match self {
            Self::Payment(payment)
            | Self::Answered { payment, .. }
            | Self::Accepted { payment, .. }
            | Self::Moved { payment, .. } => Some(payment),
            Self::Dispute(dispute) => Some(&dispute.payment),
            Self::Warning(warning) => Some(&warning.payment),
            Self::Other => None,
        }
    }
}

/// A payment as a notification names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Our name, where it carries it.
    pub reference: Option<AttemptId>,
    /// The gateway's.
    pub id: Option<String>,
    /// The amount that was asked for, where it carries it.
    pub amount: Option<Money>,
}

/// A dispute (chargeback, claim).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The gateway's name for it.
    pub id: String,
    /// Which payment.
    pub payment: Named,
    /// How much is disputed.
    pub amount: Money,
    /// The gateway's word for why.
    pub reason: String,
    /// Whether it is about fraud; else about the goods.
    pub is_fraud: bool,
    /// Where it stands.
    pub state: DisputeState,
    /// Until when evidence is taken.
    pub evidence_due: Option<Timestamp>,
}

/// An early fraud warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The gateway's name for it.
    pub id: String,
    /// Which payment.
    pub payment: Named,
    /// The gateway's word for what kind of fraud it was.
    pub reason: String,
}

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// It was opened, and evidence is taken.
    Open,
    /// The bank looks at it.
    UnderReview,
    /// The money stays ours.
    Won,
    /// The money is gone.
    Lost,
}

/// A notification that is not believed, or not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationRefused {
    /// Its signature is missing or wrong.
    #[error("the signature is not ours to believe: {0}")]
    Forged(String),
    /// It was signed at another time.
    #[error(
        "it was signed {seconds} s away from this server's clock, and {tolerance} s are taken: \
         compare the clock with a time server"
    )]
    Stale {
        /// How far away, in seconds.
        seconds: u64,
        /// How far it may be, in seconds.
        tolerance: u64,
    },
    /// It does not read.
    #[error("it does not read: {0}")]
    Malformed(String),
    /// It is about another merchant or mode.
    #[error("it is not for this merchant: {0}")]
    Foreign(String),
    /// It could not be checked now; sending it again may work.
    #[error("it cannot be checked now: {0}")]
    NotNow(String),
    /// This gateway sends none.
    #[error("this gateway sends no notifications")]
    Unsupported,
}

//! What a gateway says.

use serde::{Deserialize, Serialize};

use super::decline::Decline;
use crate::base::{Timestamp, Verification};

/// A definite answer to an authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Authorized {
    /// The money is ours to capture.
    Approved {
        /// The gateway's name for the authorization.
        authorization: String,
        /// What the issuer said about the buyer.
        #[serde(default)]
        verification: Verification,
        /// Until when it can be captured, where the gateway says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// No, and it stays no: another try is another attempt.
    Declined(Decline),
    /// The buyer must prove who they are, or agree, at this address. The payment goes on there:
    /// what came of it is looked up.
    Challenged(Challenge),
}

/// A payment that waits for its buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The gateway's own name for the payment, where it has one already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where the buyer goes.
    pub url: String,
    /// Until when, where the gateway says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What a gateway knows of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "found")]
pub enum Found {
    /// Never heard of it. It may still arrive, until the gateway can no longer accept the
    /// reference.
    Nothing,
    /// It was answered like this.
    Answered {
        /// The answer.
        #[serde(flatten)]
        answer: Authorized,
        /// Minor units captured so far.
        captured_minor: i64,
        /// Minor units refunded so far.
        refunded_minor: i64,
        /// Whether the authorization was let go.
        voided: bool,
    },
}

/// What came of a capture, a void or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// It is done.
    Done,
    /// It was taken note of, and a notification tells how it ended. It stays owed until then;
    /// asking again is safe.
    Accepted,
}

/// No definite answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// It may have acted: a timeout, a broken connection, a 5xx, "still running", or a status that
    /// nobody here knows.
    #[error("the payment gateway gave no answer: {0}")]
    Unknown(String),
    /// It cannot have acted, and asking again later may work.
    #[error("the payment gateway could not be reached: {0}")]
    NotSent(String),
    /// It will never do this (capture of a voided authorization).
    #[error("the payment gateway refuses: {0}")]
    Refused(String),
}

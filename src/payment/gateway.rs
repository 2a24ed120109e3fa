//! What a payment gateway must do for us.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::base::{AttemptId, Money, Timestamp, Verification};

/// A token the gateway understands. Never stored, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credential(String);

impl Credential {
    /// A credential as the platform sent it.
    pub const fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, for the gateway alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[credential]")
    }
}

/// Asks for an authorization. The idempotency key is `reference`: one attempt, one authorization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// Our name for the attempt; the gateway finds the authorization by it.
    pub reference: AttemptId,
    /// How much.
    pub amount: Money,
    /// From what.
    pub credential: Credential,
    /// The gateway must refuse to start after this moment.
    pub not_after: Timestamp,
    /// The buyer must prove who they are (3-D Secure) before it says yes.
    #[serde(default)]
    pub authenticate: bool,
}

/// Moves authorized money. The idempotency key is `(reference, kind, part)`: capturing a part twice
/// is capturing it once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MoneyRequest {
    /// Our name for the attempt.
    pub reference: AttemptId,
    /// Which capture or refund under this reference; voids have but part 0.
    #[serde(default)]
    pub part: u8,
    /// The gateway's name for the authorization.
    pub authorization: String,
    /// How much.
    pub amount: Money,
}

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
    },
    /// No.
    Declined {
        /// Why: `declined`, `insufficient_funds`, ….
        code: String,
    },
    /// The buyer must prove who they are at this address; then a new attempt.
    Challenged {
        /// Where.
        url: String,
    },
}

/// What a gateway knows of a reference.
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

/// No definite answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// It may have acted: a timeout, a broken connection, a 5xx.
    #[error("the payment gateway gave no answer: {0}")]
    Unknown(String),
    /// It cannot have acted, and asking again later may work.
    #[error("the payment gateway could not be reached: {0}")]
    NotSent(String),
    /// It will never do this (capture of a voided authorization).
    #[error("the payment gateway refuses: {0}")]
    Refused(String),
}

/// A payment gateway.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Its name in attempts and metrics.
    fn name(&self) -> &'static str;

    /// Whether its money is for trying things out: nothing of it reaches a bank.
    fn is_test(&self) -> bool {
        false
    }

    /// Authorizes an amount. Asking twice with one reference answers twice the same.
    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault>;

    /// Captures an authorization, or a part of it, at most once per part, and never more in all
    /// than was authorized.
    async fn capture(&self, request: &MoneyRequest) -> Result<(), GatewayFault>;

    /// Lets go what is not captured of an authorization. Voiding twice is voiding once.
    async fn void(&self, request: &MoneyRequest) -> Result<(), GatewayFault>;

    /// Gives captured money back, at most once per part, and never more than was captured.
    async fn refund(&self, request: &MoneyRequest) -> Result<(), GatewayFault>;

    /// What became of a reference.
    async fn find(&self, reference: AttemptId) -> Result<Found, GatewayFault>;
}

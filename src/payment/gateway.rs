//! What a payment gateway must do for us.
//!
//! # Who names what
//!
//! We name an attempt by its [`AttemptId`] before any gateway hears of it, send that name with
//! every call, and make every idempotency key of it ([`AuthorizeRequest::key`],
//! [`MoneyRequest::key`]): never of anything that a crash or a new process would make anew. The
//! gateway's own name for the payment is opaque text, kept from the moment it is known.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

use super::{
    answer::{Authorized, Found, GatewayFault, Moved},
    listing::{Listing, Span},
    notification::{Notification, NotificationRefused, Notified},
};
use crate::{
    base::{AttemptId, Money, OrderId, Timestamp},
    ledger::row::{AttemptRow, OperationKind},
};

/// A token the gateway understands: a word, or a JSON document that its page in the browser made
/// (Adyen). Never stored, never printed.
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

/// Asks for an authorization, which is captured apart. One attempt, one authorization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// Our name for the attempt; the gateway finds the authorization by it.
    pub reference: AttemptId,
    /// The order it pays for, for people who look at the gateway's own pages.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// From what.
    pub credential: Credential,
    /// The gateway must refuse to start after this moment, where it can; a client does not start.
    pub not_after: Timestamp,
    /// The buyer must prove who they are (3-D Secure) before it says yes.
    #[serde(default)]
    pub authenticate: bool,
    /// Where the buyer comes back to from the gateway's pages.
    #[serde(default)]
    pub return_url: String,
}

impl AuthorizeRequest {
    /// The idempotency key: at most 64 characters, which is what the strictest gateway takes.
    pub fn key(&self) -> String {
        format!("{}-authorize", self.reference)
    }

    /// The same payment, to be looked up.
    pub fn lookup(&self) -> Lookup {
        let Self { reference, order, amount, .. } = self;
        let (reference, order, amount) = (*reference, *order, *amount);
        Lookup { reference, order, amount, not_after: self.not_after, known: None }
    }
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

impl MoneyRequest {
    /// The idempotency key of this part: at most 64 characters.
    pub fn key(&self, kind: OperationKind) -> String {
        format!("{}-{}-{}", self.reference, kind.as_str(), self.part)
    }
}

/// A payment to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Our name for the attempt.
    pub reference: AttemptId,
    /// The order it was to pay for.
    pub order: OrderId,
    /// How much was asked for. An answer about another amount is about another payment.
    pub amount: Money,
    /// Until when it may have been asked for.
    pub not_after: Timestamp,
    /// The gateway's own name for it, once it is known. A look-up never needs it: who waits for an
    /// answer that got lost does not have it.
    #[serde(default)]
    pub known: Option<String>,
}

impl From<&AttemptRow> for Lookup {
    fn from(row: &AttemptRow) -> Self {
        let amount = Money::from_minor(row.amount_minor, row.currency);
        let (reference, order, not_after) = (row.id, row.order, row.deadline);
        let authorized = row.authorization.as_ref().and_then(|known| known.name());
        let challenged = row.challenge.as_ref().and_then(|challenge| challenge.id.as_deref());
        let known = authorized.or(challenged).map(str::to_owned);
        Self { reference, order, amount, not_after, known }
    }
}

/// A payment gateway.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Its configured name, in attempts and metrics. Several of one kind have names of their own.
    fn name(&self) -> &str;

    /// Whether its money is for trying things out: nothing of it reaches a bank.
    fn is_test(&self) -> bool {
        false
    }

    /// Authorizes an amount, without capturing it. Asking twice with one reference answers twice
    /// the same.
    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault>;

    /// Captures an authorization, or a part of it, at most once per part, and never more in all
    /// than was authorized.
    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault>;

    /// Lets go what is not captured of an authorization. Voiding twice is voiding once.
    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault>;

    /// Gives captured money back, at most once per part, and never more than was captured.
    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault>;

    /// What became of a payment, found by our reference.
    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault>;

    /// How long an authorization can be captured, where the gateway has one rule for all.
    fn authorization_lasts(&self) -> Option<Duration> {
        None
    }

    /// Whether [`find`](Self::find) can be sure that it never heard of a payment. Where it cannot,
    /// what nobody has told of is [ended](Self::end) when its time is over.
    fn can_find(&self) -> bool {
        true
    }

    /// Goes on with a payment that waits for its buyer, who may have come back: does what is left
    /// to do at the gateway, and says what became of it. `returned` is the query of the address the
    /// buyer came back to, as the browser sent it: anybody may have written it. Going on twice is
    /// going on once.
    async fn resume(
        &self,
        lookup: &Lookup,
        _returned: Option<&str>,
    ) -> Result<Found, GatewayFault> {
        self.find(lookup).await
    }

    /// Ends a payment that waits for its buyer, or of which nobody has told, and says what is true
    /// then: approved, where the buyer was faster; declined or voided, where nothing can come of it
    /// any more. Ending twice is ending once.
    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault>;

    /// Our name for a payment that a notification names by the gateway's own.
    async fn reference_of(&self, _: &str) -> Result<Option<AttemptId>, GatewayFault> {
        Ok(None)
    }

    /// Reads a notification, once it is known to be the gateway's own. What it says is a hint: what
    /// is true says [`find`](Self::find).
    async fn read(&self, _: &Notification<'_>) -> Result<Notified, NotificationRefused> {
        Err(NotificationRefused::Unsupported)
    }

    /// One page of the gateway's own list of payments, in its order; `None` where it has no
    /// such list.
    async fn list(&self, _: &Span) -> Result<Option<Listing>, GatewayFault> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    // breaks: a key with a part that is made anew, or one longer than Adyen takes
    #[test]
    fn a_key_is_the_same_in_every_process_and_fits_everywhere() {
        let amount = Money::from_minor(100, "EUR".parse().expect("a currency"));
        let reference = AttemptId::from_uuid(Uuid::max());
        let request = MoneyRequest { reference, part: 255, authorization: "a".into(), amount };
        for kind in [OperationKind::Capture, OperationKind::Void, OperationKind::Refund] {
            let key = request.key(kind);
            assert_eq!(key, request.clone().key(kind));
            assert!(key.len() <= 64, "{key}");
            assert_ne!(key, MoneyRequest { part: 0, ..request.clone() }.key(kind));
        }
    }
}

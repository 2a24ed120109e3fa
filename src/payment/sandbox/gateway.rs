//! The sandbox as a gateway: reads the token, writes the book, answers in the token's pace.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc, time::Duration};

use super::{
    book::Book,
    charge::{Charge, Op, Outcome},
    charges::Charges,
    reading::BookFault,
    tokens::{Pace, Token},
};
use crate::{
    base::{AttemptId, Clock},
    payment::{
        AuthorizeRequest, Authorized, Found, Gateway, GatewayFault, Lookup, MoneyRequest, Moved,
    },
};

/// How the sandbox behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// Milliseconds until `slow_token` is answered.
    pub slow_ms: u64,
    /// Milliseconds after which a call without an answer is given up as unknown, as a client of a
    /// remote gateway would do.
    pub client_timeout_ms: u64,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { slow_ms: 2_000, client_timeout_ms: 5_000 }
    }
}

/// A payment gateway for trying things out. Moves no money; remembers everything.
pub struct Sandbox {
    book: Book,
    settings: SandboxSettings,
    clock: Arc<dyn Clock>,
}

impl Sandbox {
    /// Opens the sandbox whose book is the file at `book`.
    ///
    /// # Errors
    /// As [`Book::open`] does.
    pub fn open(
        book: impl AsRef<Path>,
        settings: SandboxSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BookFault> {
        Ok(Self { book: Book::open(book.as_ref())?, settings, clock })
    }

    /// Everything that was charged, in the order of references.
    pub fn charges(&self) -> Vec<Charge> {
        self.book.charges()
    }

    /// Authorizes as a server does: no time limit of its own, and for `lost_token` no answer ever.
    ///
    /// # Errors
    /// As the gateway trait says.
    pub async fn answer(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        let token = Token::read(request.credential.expose());
        let authorized = self.authorize_now(request, token).await?;
        match token.pace() {
            Pace::AtOnce => {}
            Pace::Late => tokio::time::sleep(Duration::from_millis(self.settings.slow_ms)).await,
            Pace::Never => std::future::pending().await,
        }
        Ok(authorized)
    }

    async fn authorize_now(
        &self,
        request: &AuthorizeRequest,
        token: Token,
    ) -> Result<Authorized, GatewayFault> {
        let judged = self.book.write(|charges| {
            let now = self.clock.now();
            // A reference that has its answer gets it again, however late: "not sent" would lie.
            if now > request.not_after && !charges.is_answered(request.reference) {
                return Err(GatewayFault::NotSent("the call came after its deadline".into()));
            }
            Ok({
                let asked = (token, request.authenticate);
                charges.judge_authorize(request.reference, request.amount, asked, now)
            })
        });
        let (record, charge) = judged.await?;
        match record.outcome {
            Outcome::Failed => Err(GatewayFault::Unknown("500 Internal Server Error".into())),
            Outcome::Refused => Err(GatewayFault::Refused(record.code.unwrap_or_default())),
            _ => charge
                .and_then(|charge| charge.answer)
                .ok_or_else(|| GatewayFault::Unknown("the book lost a charge".into())),
        }
    }

    async fn move_money(&self, op: Op, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let judged = |charges: &_| -> Result<_, GatewayFault> {
            Ok(Charges::judge_move(charges, op, request, self.clock.now()))
        };
        let (record, _) = self.in_time(self.book.write(judged)).await?;
        match record.outcome {
            Outcome::Refused => Err(GatewayFault::Refused(record.code.unwrap_or_default())),
            _ => Ok(Moved::Done),
        }
    }

    /// What became of a reference.
    ///
    /// # Errors
    /// When the book's disk fails.
    pub async fn look_up(&self, reference: AttemptId) -> Result<Found, GatewayFault> {
        let look = |charges: &Charges| charges.get(reference).map_or(Found::Nothing, Charge::found);
        self.in_time(self.book.look_up(look)).await
    }

    /// What the buyer does on the page of a challenge: proves who they are, or gives up. Whoever
    /// comes second finds what the first one did.
    ///
    /// # Errors
    /// When the book's disk fails, or nobody waits for this buyer.
    pub async fn prove(&self, reference: AttemptId, passes: bool) -> Result<(), GatewayFault> {
        let judge = |charges: &Charges| charges.judge_proof(reference, passes, self.clock.now());
        self.in_time(self.book.write(judge)).await.map(drop)
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, GatewayFault>>,
    ) -> Result<T, GatewayFault> {
        let limit = Duration::from_millis(self.settings.client_timeout_ms);
        let answered = tokio::time::timeout(limit, call).await;
        answered.unwrap_or_else(|_| Err(GatewayFault::Unknown(format!("silent for {limit:?}"))))
    }
}

#[async_trait]
impl Gateway for Sandbox {
    fn name(&self) -> &str {
        "sandbox"
    }

    fn is_test(&self) -> bool {
        true
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        self.in_time(self.answer(request)).await
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.move_money(Op::Capture, request).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.move_money(Op::Void, request).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.move_money(Op::Refund, request).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.look_up(lookup.reference).await
    }

    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let (reference, amount) = (lookup.reference, lookup.amount);
        let judge = |charges: &Charges| Ok(charges.judge_end(reference, amount, self.clock.now()));
        let (_, charge) = self.in_time(self.book.write(judge)).await?;
        Ok(charge.map_or(Found::Nothing, |charge| charge.found()))
    }
}

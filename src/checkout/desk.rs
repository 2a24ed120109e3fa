//! What the checkout works with, and the terms it works under.

use std::{sync::Arc, time::Duration};

use super::{
    answer::{Asked, CheckoutRefused, Operation, Render, Reply, Shown},
    collect::Collector,
    crash::Probe,
    session::Session,
    unpaid::{Unpaid, UnpaidCaps},
};
use crate::{
    base::{Chance, CheckoutId, Clock, Protocol, Timestamp},
    catalog::Catalog,
    fraud::Fraud,
    ledger::{
        Entry, EntryId, Fact, LedgerRefused, Outcome, Store, Writer,
        entry::{KeyWrite, SessionWrite, StoredAnswer},
        row::KeyRow,
    },
    payment::Gateways,
    pricing::Tariffs,
    sessions::HotSessions,
    stock::Stock,
};

/// When the money of an order is captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Capture {
    /// Right after the order is placed, or approved.
    #[default]
    Immediate,
    /// When goods leave: what leaves.
    OnShipment,
    /// When the back office says so.
    Manual,
}

/// What a shop decides about its checkouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A shopper has this long to pay; longer, and a flash sale starves on abandoned carts.
    pub hold_ttl: Duration,
    /// However often it is renewed, a checkout's hold ends so long after its first one. Who takes
    /// longer pays for what is there then.
    pub hold_life_max: Duration,
    /// Units of one SKU that may be held unpaid.
    pub unpaid: UnpaidCaps,
    /// A session ends by itself after this long (UCP's default is six hours).
    pub session_ttl: Duration,
    /// A cart ends by itself after this long without a change.
    pub cart_ttl: Duration,
    /// A gateway that has not answered by then is asked what became of the attempt.
    pub gateway_deadline: Duration,
    /// A buyer has so long to confirm a payment at their bank; the units wait as long.
    pub challenge_ttl: Duration,
    /// An attempt the gateway never heard of is asked about this long: a late call may still act.
    pub watch: Duration,
    /// When the money of an order is captured.
    pub capture: Capture,
    /// An authorization lasts so long: what is not captured by then is let go.
    pub authorization_ttl: Duration,
    /// So long before it lapses, an authorization that nobody captured is told.
    pub authorization_warning: Duration,
    /// When somebody should have looked at an order in review.
    pub review_due: Duration,
    /// An order nobody has looked at by then is declined: authorizations lapse after a week.
    pub review_max: Duration,
    /// Open cases that one reviewer may have claimed: who hoards them keeps others from work.
    pub review_claims_max: u32,
    /// How long a request waits for another one with its key before it is told to come back.
    pub key_wait: Duration,
    /// Whether a checkout of goods has to say how they come, where the tariff can send them.
    pub must_choose_delivery: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_secs(10 * 60),
            hold_life_max: Duration::from_secs(60 * 60),
            unpaid: UnpaidCaps { per_buyer: 1_000, unnamed: 100, per_caller: 100_000 },
            session_ttl: Duration::from_secs(6 * 60 * 60),
            cart_ttl: Duration::from_secs(7 * 24 * 60 * 60),
            gateway_deadline: Duration::from_secs(10),
            challenge_ttl: Duration::from_secs(15 * 60),
            watch: Duration::from_secs(24 * 60 * 60),
            capture: Capture::Immediate,
            authorization_ttl: Duration::from_secs(7 * 24 * 60 * 60),
            authorization_warning: Duration::from_secs(24 * 60 * 60),
            review_due: Duration::from_secs(4 * 60 * 60),
            review_max: Duration::from_secs(6 * 24 * 60 * 60),
            review_claims_max: 25,
            key_wait: Duration::from_secs(2),
            must_choose_delivery: false,
        }
    }
}

/// The checkout: every step of it is a method here, one file a step.
pub struct Checkout {
    /// The ledger, for reading.
    pub store: Arc<dyn Store>,
    /// The ledger, for writing.
    pub writer: Writer,
    /// The SKU actors.
    pub stock: Arc<Stock>,
    /// Who holds how much unpaid.
    pub unpaid: Unpaid,
    /// What is sold.
    pub catalog: Catalog,
    /// What the merchant set: discounts, shipping, taxes.
    pub tariffs: Arc<Tariffs>,
    /// Judges payments.
    pub fraud: Arc<Fraud>,
    /// Who takes the money.
    pub gateways: Gateways,
    /// The address that buyers know the shop by; they come back to it from a gateway's pages.
    pub public_url: String,
    /// Hot copies of sessions, where replicas share them.
    pub hot: Option<Arc<dyn HotSessions>>,
    /// Writes answers.
    pub render: Arc<dyn Render>,
    /// Captures and voids, after the reply.
    pub collector: Collector,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub chance: Arc<dyn Chance>,
    /// What the shop decided.
    pub terms: Terms,
    /// Crash points, for tests.
    pub probe: Arc<dyn Probe>,
}

impl Checkout {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Names a decision: nobody else's, here or on another replica, is mistaken for it.
    pub(super) fn decision(&self) -> impl std::fmt::Display {
        format!("{:016x}", self.chance.below(u64::MAX))
    }

    /// Writes a session's next version as a decision of its own.
    pub(super) async fn commit(&self, write: SessionWrite) -> Result<Outcome, CheckoutRefused> {
        let id = EntryId::session(write.checkout, write.version, self.decision());
        Ok(self.writer.write(Entry::new(id, Fact::Session(Box::new(write)))).await?)
    }

    /// Shows the session as it is, and keeps that as the answer to this request.
    pub(super) async fn answer(
        &self,
        session: &Session,
        asked: &Asked,
        operation: Operation,
    ) -> Result<Reply, CheckoutRefused> {
        let answer =
            self.render.render(asked.origin.protocol, Shown::Session { session, operation });
        self.keep_answer(asked, answer).await
    }

    /// Keeps an answer that no other fact carries.
    pub(super) async fn keep_answer(
        &self,
        asked: &Asked,
        answer: StoredAnswer,
    ) -> Result<Reply, CheckoutRefused> {
        let now = self.now();
        let id = EntryId::of(format_args!("answer/{}", CheckoutId::new(now, &*self.chance)));
        let key = asked.write(Some(answer.clone()), now);
        match self.writer.write(Entry::new(id, Fact::Answer(key))).await? {
            Ok(_) => Ok(Reply::Done(answer)),
            Err(LedgerRefused::KeyTaken(row)) => self.replay(asked, *row).await,
            Err(other) => Err(unexpected(&other)),
        }
    }

    /// The key stands already: the same request is answered the same, another one is told so, and
    /// one whose first sending is still under way waits a little for its answer.
    pub(super) async fn replay(
        &self,
        asked: &Asked,
        mut row: KeyRow,
    ) -> Result<Reply, CheckoutRefused> {
        if row.fingerprint != asked.fingerprint {
            return Err(CheckoutRefused::KeyConflict);
        }
        let give_up = self.now().plus(self.terms.key_wait);
        let mut pause = Duration::from_millis(10);
        loop {
            if let Some(answer) = row.answer {
                return Ok(Reply::Replay(answer));
            }
            if self.now() >= give_up {
                return Err(CheckoutRefused::KeyInFlight);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
            row = match self.store.find_key(&asked.caller, &asked.key).await? {
                Some(row) => row,
                None => return Err(CheckoutRefused::KeyInFlight),
            };
        }
    }

    /// The key with the answer this session is to it, for the commit that makes it true; and the
    /// answer.
    pub(super) fn answered(&self, key: &KeyWrite, session: &Session) -> (KeyWrite, StoredAnswer) {
        let operation = if session.express { Operation::Express } else { Operation::Complete };
        let protocol = Protocol::read(&key.dialect).unwrap_or_default();
        let answer = self.render.render(protocol, Shown::Session { session, operation });
        (KeyWrite { answer: Some(answer.clone()), now: self.now(), ..key.clone() }, answer)
    }
}

/// A refusal that no rule of ours can bring about here.
pub(super) fn unexpected(refused: &LedgerRefused) -> CheckoutRefused {
    CheckoutRefused::Ledger(crate::ledger::LedgerFault::Broken(refused.to_string()))
}

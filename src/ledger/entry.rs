//! What may be written: one entry is one durable fact with the id it is known by.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

use super::{
    authorization::Authorization,
    review::{Assess, LabelsWrite, NewAssessment, NewCase, Resolve},
    row::{
        AttemptChallenge, AttemptState, KeyRow, NewOperation, NewOrder, OperationState,
        SessionState,
    },
};
use crate::base::{
    AttemptId, CheckoutId, Currency, EventId, GrantId, HolderId, OrderId, Sealed, Sku, Timestamp,
};

/// A JSON document the ledger keeps and never looks into.
pub type Document = Arc<RawValue>;

pub use super::stored_answer::StoredAnswer;

pub use super::moves::{
    ChangeOrder, Given, LineMove, LineMoveKind, MoneyWish, MoveKind, Moved, News, OrderChange,
    Parcel, Sale, SaleLine, Shipping, StockMove,
};

/// The name under which a fact is recorded, so that writing it twice is writing it once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// A session write: the version it writes, and the writer's decision about it. Deciding again
    /// is a new fact; sending the same decision again is not. Two replicas that decide about one
    /// version must name their decisions apart, or the second would be told that the first one's
    /// is its own.
    pub fn session(checkout: CheckoutId, version: u32, decision: impl fmt::Display) -> Self {
        Self(format!("{checkout}/{version}/{decision}").into())
    }

    /// What ends a payment attempt (`placed`, `settled`), and the writer's decision about it.
    pub fn attempt(attempt: AttemptId, step: &str, decision: impl fmt::Display) -> Self {
        Self(format!("{attempt}/{step}/{decision}").into())
    }

    /// Any other fact, named by an id that only its writer makes.
    pub fn of(id: impl fmt::Display) -> Self {
        Self(id.to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One fact on its way into the ledger.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What it says.
    pub fact: Fact,
    /// Whether an earlier sending of it may still commit. A refusal is then recorded, so that the
    /// late one finds its id taken.
    pub resubmitted: bool,
}

impl Entry {
    /// A fact sent for the first time.
    pub const fn new(id: EntryId, fact: Fact) -> Self {
        Self { id, fact, resubmitted: false }
    }

    /// The checkout whose session it writes. A batch has at most one entry for each, so that every
    /// row is written once.
    pub fn checkout(&self) -> Option<CheckoutId> {
        match &self.fact {
            Fact::Session(write) => Some(write.checkout),
            Fact::Place(place) => Some(place.order.id.checkout()),
            Fact::Settle(settle) => Some(settle.checkout),
            Fact::Challenge(challenge) => Some(challenge.checkout),
            _ => None,
        }
    }
}

/// The facts of the ledger. Each says in full what it changes; the [judge](super::judge) says when
/// it may.
#[derive(Debug, Clone)]
pub enum Fact {
    /// T0 and T1: a session's next version, the holds it wants and, at T1, the attempt that pins
    /// them.
    Session(Box<SessionWrite>),
    /// T2: the order, once its payment is authorized.
    Place(Box<Place>),
    /// A payment attempt that came to nothing: unpins or releases the holds, reopens or cancels the
    /// session.
    Settle(Box<Settle>),
    /// A payment attempt goes on with its buyer: it stays pending, and its holds stay pinned.
    Challenge(Box<Challenge>),
    /// T3: a capture, void or refund is done, or is owed from now on.
    Operation(OperationWrite),
    /// An answer to a request that changed nothing else.
    Answer(KeyWrite),
    /// A judgement of a request that leaves nothing else behind, with its answer.
    Assess(Box<Assess>),
    /// Stock received, counted or written off.
    Move(StockMove),
    /// A replica wants a block of units.
    Grant(GrantWanted),
    /// Ends grants: recall, or a holder that leaves.
    CloseGrants(CloseGrants),
    /// Gives back holds whose time is over.
    Expire(Expire),
    /// Units of an order ship, come back, or go back on sale unshipped; money is given back.
    Change(Box<ChangeOrder>),
    /// What a person, or time, made of an order that waited for a decision.
    Resolve(Box<Resolve>),
    /// What was found out about orders.
    Labels(Box<LabelsWrite>),
}

/// A session's next version.
#[derive(Debug, Clone)]
pub struct SessionWrite {
    /// The checkout.
    pub checkout: CheckoutId,
    /// The version this writes; the one before must be current. 1 creates.
    pub version: u32,
    /// The state after.
    pub state: SessionState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// The session as the cart keeps it, without personal fields.
    pub body: Document,
    /// Replaces what is kept about the person, when given.
    pub personal: Option<Sealed>,
    /// Every hold this checkout has after the write, sorted by SKU; those not named are released.
    pub holds: Vec<HoldWanted>,
    /// Until when the holds live, pinned ones for ever. Expiry only grows.
    pub hold_until: Timestamp,
    /// The payment attempt that starts here and pins the holds.
    pub attempt: Option<NewAttempt>,
    /// The judgement that let the attempt begin, or kept it from it.
    pub assessment: Option<NewAssessment>,
    /// The request this answers.
    pub key: Option<KeyWrite>,
    /// When it was decided.
    pub now: Timestamp,
}

/// Units a checkout wants put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldWanted {
    /// Of what.
    pub sku: Sku,
    /// How many in all.
    pub quantity: u32,
    /// Where the units come from that an existing hold does not cover.
    pub source: Source,
}

/// Where held units come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The stock row, inside the commit.
    Direct,
    /// A block this replica was granted.
    Grant(GrantId),
}

/// A payment attempt, written before the gateway hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Our reference at the gateway.
    pub id: AttemptId,
    /// The order it pays for.
    pub order: OrderId,
    /// 1, 2, …: a new number only after a definite decline.
    pub number: u32,
    /// What it authorizes, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// Which gateway.
    pub gateway: String,
    /// When the caller gives up waiting; from then on the reconciler may settle it.
    pub deadline: Timestamp,
}

/// The order and everything that becomes true with it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The attempt that was authorized.
    pub attempt: AttemptId,
    /// What the attempt rests on.
    pub authorization: Authorization,
    /// The order, with the completed session's body.
    pub order: NewOrder,
    /// What we owe the gateway from now on (capture).
    pub operations: Vec<NewOperation>,
    /// The second judgement, on what the issuer said.
    pub assessment: Option<NewAssessment>,
    /// The case, when a person is to look at it before the money is taken.
    pub case: Option<NewCase>,
    /// What the world hears.
    pub events: Vec<NewEvent>,
    /// The answer to the request that paid.
    pub key: Option<KeyWrite>,
    /// When it was decided.
    pub now: Timestamp,
}

/// A definite end without an order.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its checkout.
    pub checkout: CheckoutId,
    /// `Declined` or `Unheard`.
    pub state: AttemptState,
    /// Why, in the gateway's or our words.
    pub code: String,
    /// Whether the session opens again with its holds; else it is canceled and they are released.
    pub reopens: bool,
    /// The session's body after it.
    pub body: Document,
    /// Until when the unpinned holds live.
    pub hold_until: Timestamp,
    /// Asks the gateway about the attempt until then, whatever it answered (unheard attempts).
    pub watch_until: Option<Timestamp>,
    /// The second judgement, on what the issuer said, when that ended it.
    pub assessment: Option<NewAssessment>,
    /// The answer to the request that tried to pay.
    pub key: Option<KeyWrite>,
    /// When it was decided.
    pub now: Timestamp,
}

/// An attempt that waits for its buyer.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its checkout.
    pub checkout: CheckoutId,
    /// What it waits for.
    pub challenge: AttemptChallenge,
    /// The session's body after it.
    pub body: Document,
    /// The answer to the request that tried to pay.
    pub key: Option<KeyWrite>,
    /// When it was decided.
    pub now: Timestamp,
}

/// A capture, void or refund: owed, or done.
#[derive(Debug, Clone)]
pub struct OperationWrite {
    /// The operation; inserted when it is new.
    pub operation: NewOperation,
    /// What became of it.
    pub state: OperationState,
    /// The gateway's word for it.
    pub note: String,
    /// What the world hears, when this settles it and there is an order.
    pub events: Vec<NewEvent>,
    /// What a person is to decide, when the gateway will never do it and there is an order.
    pub case: Option<NewCase>,
    /// When.
    pub now: Timestamp,
}

/// A request's idempotency key and, once known, its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyWrite {
    /// Who asked: keys of two callers never meet.
    pub caller: String,
    /// The client's name for the attempt.
    pub key: String,
    /// Hash of method, path and canonical body.
    pub fingerprint: String,
    /// How the answer is to be written (`ucp/2026-04-08`, `v1`), for whoever settles the request.
    pub dialect: String,
    /// The answer; `None` claims the key while the work goes on.
    pub answer: Option<StoredAnswer>,
    /// When.
    pub now: Timestamp,
}

impl KeyWrite {
    /// The caller and the key.
    pub fn name(&self) -> (String, String) {
        (self.caller.clone(), self.key.clone())
    }

    /// What stands under the key once it is written.
    pub fn row(&self) -> KeyRow {
        KeyRow {
            fingerprint: self.fingerprint.clone(),
            dialect: self.dialect.clone(),
            answer: self.answer.clone(),
        }
    }
}

/// A replica's wish for a block of units; it gets at most that many.
#[derive(Debug, Clone)]
pub struct GrantWanted {
    /// The block's id.
    pub id: GrantId,
    /// Of what.
    pub sku: Sku,
    /// For whom.
    pub holder: HolderId,
    /// A smaller block is not worth it.
    pub at_least: u32,
    /// At most so many; fewer when `unallocated / (2 × live replicas)` is less.
    pub at_most: u32,
    /// When.
    pub now: Timestamp,
}

/// Ends grants.
#[derive(Debug, Clone)]
pub struct CloseGrants {
    /// Which.
    pub grants: Vec<GrantId>,
    /// When.
    pub now: Timestamp,
}

/// Gives back holds whose time is over; those renewed or pinned meanwhile stay.
#[derive(Debug, Clone)]
pub struct Expire {
    /// Which.
    pub holds: Vec<(CheckoutId, Sku)>,
    /// Judged against this time, under the lock.
    pub now: Timestamp,
}

/// A public event, in the same commit as the change it tells of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// The order it belongs to; events of one order go out in order.
    pub order: OrderId,
    /// `order.placed`, `payment.captured`, …
    pub kind: String,
    /// What it says. Of an order that was placed, `null`: the order says it.
    pub body: Document,
    /// When it happened.
    pub at: Timestamp,
}

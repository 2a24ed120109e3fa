//! What a judged batch writes: one document, applied by the store that locked the world.

use serde::Serialize;

use super::{
    authorization::Authorization,
    entry::{Document, EntryId, KeyWrite, NewEvent, OrderChange},
    outcome::Outcome,
    review::{CaseChange, NewAssessment, NewCase, NewLabel},
    row::{
        AttemptChallenge, AttemptRow, AttemptState, GrantRow, HoldRow, NewOrder, OperationKind,
        OperationState, SessionState,
    },
};
use crate::base::{
    AttemptId, CheckoutId, GrantId, MovementId, OperationId, OrderId, Sealed, Sku, Timestamp,
};

/// Everything a judged batch writes, summed per row. A store applies it as set-based statements in
/// the order of these fields, in the transaction that locked the world.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Changes {
    /// Outcomes to record. Inserted first: a taken id means somebody else wrote it, and the batch
    /// is judged again.
    pub entries: Vec<RecordEntry>,
    /// Sessions inserted (version 1) or updated.
    pub sessions: Vec<SessionChange>,
    /// Session heads that change with their body but keep expiry and person (T2, settle).
    pub heads: Vec<HeadChange>,
    /// Holds inserted or replaced.
    pub holds: Vec<HoldRow>,
    /// Holds deleted.
    pub gone_holds: Vec<(CheckoutId, Sku)>,
    /// Stock deltas; a SKU without a row gets one.
    pub stock: Vec<StockDelta>,
    /// Grants inserted.
    pub new_grants: Vec<GrantRow>,
    /// Grants updated: units consumed by this batch, and whether still active.
    pub grants: Vec<GrantDelta>,
    /// Attempts inserted.
    pub new_attempts: Vec<AttemptInsert>,
    /// Attempts updated.
    pub attempts: Vec<AttemptChange>,
    /// Attempts that wait for their buyer from now on.
    pub challenges: Vec<ChallengeChange>,
    /// Orders inserted, with their lines.
    pub orders: Vec<OrderInsert>,
    /// Order line counters added to.
    pub lines: Vec<LineDelta>,
    /// Operations inserted or updated.
    pub operations: Vec<OperationChange>,
    /// Events inserted.
    pub events: Vec<NewEvent>,
    /// Movements inserted.
    pub movements: Vec<MovementInsert>,
    /// What happened to orders after the sale.
    pub order_changes: Vec<ChangeInsert>,
    /// Keys inserted: each belongs to its own request, so one that stands refuses the batch.
    pub new_keys: Vec<KeyWrite>,
    /// Keys answered where they stood unanswered.
    pub answers: Vec<KeyWrite>,
    /// Judgements inserted.
    pub assessments: Vec<NewAssessment>,
    /// Cases opened.
    pub new_cases: Vec<NewCase>,
    /// Cases ended.
    pub cases: Vec<CaseChange>,
    /// Cases opened, or opened again, after the sale.
    pub reopened: Vec<Reopened>,
    /// What was found out about orders.
    pub labels: Vec<NewLabel>,
}

impl Changes {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.new_keys.is_empty() && self.answers.is_empty()
    }
}

/// An outcome to record.
#[derive(Debug, Clone, Serialize)]
pub struct RecordEntry {
    /// The id.
    pub id: EntryId,
    /// The outcome.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// A session to write.
#[derive(Debug, Clone, Serialize)]
pub struct SessionChange {
    /// Which.
    pub checkout: CheckoutId,
    /// Its new version.
    pub version: u32,
    /// Its new state.
    pub state: SessionState,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Its new body.
    pub body: Document,
    /// Replaces the person when given.
    pub personal: Option<Sealed>,
    /// When.
    pub updated_at: Timestamp,
}

/// A session's new head and body.
#[derive(Debug, Clone, Serialize)]
pub struct HeadChange {
    /// Which.
    pub checkout: CheckoutId,
    /// Its new version.
    pub version: u32,
    /// Its new state.
    pub state: SessionState,
    /// Its new body; none, where its order has it from now on.
    pub body: Option<Document>,
    /// When.
    pub updated_at: Timestamp,
}

/// Stock deltas of one SKU.
#[derive(Debug, Clone, Serialize)]
pub struct StockDelta {
    /// Which.
    pub sku: Sku,
    /// Added to on hand.
    pub on_hand: i64,
    /// Added to unallocated.
    pub unallocated: i64,
}

/// A grant's change.
#[derive(Debug, Clone, Serialize)]
pub struct GrantDelta {
    /// Which.
    pub id: GrantId,
    /// Added to consumed.
    pub consumed: i64,
    /// Whether it stays active.
    pub active: bool,
}

/// An attempt to insert.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptInsert {
    /// The attempt, pending.
    #[serde(flatten)]
    pub row: AttemptRow,
    /// When.
    pub created_at: Timestamp,
}

/// An attempt's change.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptChange {
    /// Which.
    pub id: AttemptId,
    /// Its new state.
    pub state: AttemptState,
    /// What it rests on, once it is authorized.
    pub authorization: Option<Authorization>,
    /// The decline code.
    pub code: Option<String>,
    /// Until when it is watched.
    pub watch_until: Option<Timestamp>,
    /// When.
    pub settled_at: Timestamp,
}

/// An attempt that waits for its buyer.
#[derive(Debug, Clone, Serialize)]
pub struct ChallengeChange {
    /// Which.
    pub attempt: AttemptId,
    /// Its checkout.
    pub checkout: CheckoutId,
    /// What it waits for.
    #[serde(flatten)]
    pub challenge: AttemptChallenge,
}

/// An order to insert.
#[derive(Debug, Clone, Serialize)]
pub struct OrderInsert {
    /// The order.
    #[serde(flatten)]
    pub order: NewOrder,
    /// The checkout it came from; unique.
    pub checkout: CheckoutId,
    /// The attempt that paid.
    pub attempt: AttemptId,
    /// When.
    pub placed_at: Timestamp,
}

/// An order line's counters.
#[derive(Debug, Clone, Serialize)]
pub struct LineDelta {
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: u32,
    /// Added to shipped.
    pub shipped: u32,
    /// Added to returned.
    pub returned: u32,
    /// Added to restocked.
    pub restocked: u32,
}

/// An operation to insert or update.
#[derive(Debug, Clone, Serialize)]
pub struct OperationChange {
    /// Which.
    pub id: OperationId,
    /// Whose money.
    pub attempt: AttemptId,
    /// Which way.
    pub kind: OperationKind,
    /// How much.
    pub amount_minor: i64,
    /// The gateway's name for the authorization.
    pub authorization: String,
    /// Where it stands.
    pub state: OperationState,
    /// The gateway's word.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A movement to insert.
#[derive(Debug, Clone, Serialize)]
pub struct MovementInsert {
    /// Its id.
    pub id: MovementId,
    /// The SKU.
    pub sku: Sku,
    /// `receive`, `write_off`, `ship`, `return`, `restock`.
    pub kind: &'static str,
    /// How many.
    pub quantity: u32,
    /// Why.
    pub reason: String,
    /// The order line it belongs to.
    pub order: Option<OrderId>,
    /// The line.
    pub line: Option<u32>,
    /// When.
    pub at: Timestamp,
}

/// A case to open, or to open again.
#[derive(Debug, Clone, Serialize)]
pub struct Reopened {
    /// The case.
    #[serde(flatten)]
    pub case: NewCase,
    /// Why.
    pub note: String,
}

/// Something that happened to an order.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeInsert {
    /// The order.
    pub order: OrderId,
    /// What.
    #[serde(flatten)]
    pub change: OrderChange,
}

//! What a ledger database must do. Two do it: PostgreSQL and SQLite; one contract suite runs on
//! both.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    database::DatabaseFault,
    entry::{Entry, NewEvent},
    outcome::BatchReply,
    row::{
        AttemptRow, KeyRow, OperationRow, OperationState, OrderRow, OrderStatus, SessionRow,
        StockLevel,
    },
};
use crate::base::{
    AttemptId, CheckoutId, Currency, Email, GrantId, HolderId, MovementId, OrderId, Sku, Timestamp,
};

/// The database could not do it. Nothing is known to have changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerFault {
    /// No connection, a deadline, a server that restarts: worth trying again.
    #[error("the ledger is unreachable: {0}")]
    Unreachable(String),
    /// The statement failed: a bug, or damage.
    #[error("the ledger failed: {0}")]
    Broken(String),
}

/// Why a batch was not acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitFault {
    /// Serialization failure, deadlock, or an id taken meanwhile (40001, 40P01, 23505 on `entries`,
    /// `sessions` or `idempotency_keys`): judge the batch again.
    #[error("the batch met another: {0}")]
    Again(String),
    /// `commit` was sent and not answered, or the connection broke on the way: it may have
    /// happened.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// It did not happen.
    #[error(transparent)]
    Fault(#[from] LedgerFault),
}

/// Which orders a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only orders with this SKU.
    pub sku: Option<Sku>,
    /// Only orders placed at or after.
    pub placed_from: Option<Timestamp>,
    /// Only orders placed before.
    pub placed_before: Option<Timestamp>,
    /// Only orders with an operation in this state (`due`: money still moving).
    pub payment: Option<OperationState>,
    /// Only orders that stand there.
    pub status: Option<OrderStatus>,
    /// Only this order.
    pub id: Option<OrderId>,
    /// Only orders of this buyer.
    pub email: Option<Email>,
    /// Only orders of buyers of this name.
    pub name: Option<BuyerName>,
    /// Only orders whose total is at least this many minor units.
    pub min_minor: Option<i64>,
    /// Only orders whose total is at most this many minor units.
    pub max_minor: Option<i64>,
    /// Only orders in this currency.
    pub currency: Option<Currency>,
}

/// How a filter that a database answers by an index of its own is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// By the order's id.
    Id,
    /// By the buyer's e-mail address.
    Email,
    /// By the buyer's family name.
    Name,
    /// By going through orders, newest first.
    Time,
}

impl OrderFilter {
    /// The narrowest index there is for it.
    pub(super) const fn found_by(&self) -> FoundBy {
        match (&self.id, &self.email, &self.name) {
            (Some(_), _, _) => FoundBy::Id,
            (None, Some(_), _) => FoundBy::Email,
            (None, None, Some(_)) => FoundBy::Name,
            (None, None, None) => FoundBy::Time,
        }
    }

    /// The filter as statements read it. Case does not matter in names and addresses, as far as
    /// ASCII goes: both databases agree on no more.
    pub(super) fn parameter(&self, cursor: Option<OrderId>, limit: u32) -> Value {
        let email = self.email.as_ref().map(|email| email.expose().to_ascii_lowercase());
        json!({
            "sku": self.sku, "placed_from": self.placed_from,
            "placed_before": self.placed_before, "payment": self.payment, "id": self.id,
            "email": email, "name": self.name.as_ref().map(|name| &name.0),
            "family": self.name.as_ref().map(BuyerName::family), "min_minor": self.min_minor,
            "max_minor": self.max_minor, "currency": self.currency, "status": self.status,
            "cursor": cursor, "limit": limit,
        })
    }
}

/// A buyer's whole name, or the last word of it. It redacts itself.
#[derive(Clone, PartialEq, Eq)]
pub struct BuyerName(String);

impl BuyerName {
    /// Reads a name; none where there is no word.
    pub fn parse(raw: &str) -> Option<Self> {
        let words: Vec<&str> = raw.split_whitespace().collect();
        (!words.is_empty()).then(|| Self(words.join(" ").to_ascii_lowercase()))
    }

    fn family(&self) -> &str {
        self.0.rsplit(' ').next().unwrap_or_default()
    }
}

impl std::fmt::Debug for BuyerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[name]")
    }
}

/// A stock movement as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MovementRow {
    /// Its id; sorts by time.
    pub id: MovementId,
    /// The SKU.
    pub sku: Sku,
    /// `receive`, `write_off`, `ship`, `return`, `restock`.
    pub kind: String,
    /// How many.
    pub quantity: u32,
    /// Why.
    pub reason: String,
    /// The order line it belongs to.
    pub order: Option<OrderId>,
    /// When.
    pub at: Timestamp,
}

/// How long what is kept only for a while is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainSince {
    /// Answered idempotency keys older than this go.
    pub keys: Timestamp,
    /// Ended, never completed sessions older than this go, with their person and entries.
    pub sessions: Timestamp,
    /// Sent events older than this go.
    pub events: Timestamp,
}

/// How many rows a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Idempotency keys.
    pub keys: u64,
    /// Sessions.
    pub sessions: u64,
    /// Events.
    pub events: u64,
    /// Entries, which tell repeated writes apart.
    pub entries: u64,
}

impl Purged {
    /// Rows of the kind that most were removed of.
    pub fn most(&self) -> u64 {
        self.keys.max(self.sessions).max(self.events).max(self.entries)
    }
}

/// What the ledger says about itself, for the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Orders.
    pub orders: i64,
    /// Order lines.
    pub lines: i64,
    /// Units ordered.
    pub units: i64,
    /// SKUs with a stock row.
    pub skus: i64,
    /// Open holds.
    pub holds: i64,
    /// Sessions by state: open, completing, completed, canceled, expired.
    pub sessions: [i64; 5],
    /// Completed sessions without an order, and orders whose session is not completed.
    pub orphans: i64,
    /// Holds of sessions that have ended.
    pub dead_holds: i64,
    /// Pinned holds whose attempt is not pending.
    pub stray_pins: i64,
    /// Orders whose lines do not add up to the subtotal they were placed with are a bug of pricing;
    /// orders without exactly one authorized attempt are counted here.
    pub unpaid_orders: i64,
}

/// Connections by what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolReading {
    /// At work.
    pub busy: usize,
    /// Open and ready.
    pub idle: usize,
}

/// Commits batches: all the [writer](super::writer) needs.
#[async_trait]
pub trait Commit: Send + Sync + 'static {
    /// Judges and commits a batch in one transaction: lock and read the [`Ask`](super::world::Ask),
    /// [`judge`](super::judge::judge), apply the changes, commit.
    async fn commit(&self, batch: &[Entry], now: Timestamp) -> Result<BatchReply, CommitFault>;
}

/// The durable record of the checkout path.
#[async_trait]
pub trait Store: Commit {
    /// The database's time.
    async fn now(&self) -> Result<Timestamp, LedgerFault>;

    /// Whether commits can be made now: the schema is one this binary knows, and what is written
    /// reaches the disk. Changes nothing.
    async fn check_ready(&self) -> Result<(), DatabaseFault>;

    /// How many connections work and how many lie ready.
    fn pool(&self) -> PoolReading;

    /// Whether no other process can write here (SQLite under its lock): what memory knows is true.
    fn is_exclusive(&self) -> bool;

    /// A session with its person and holds.
    async fn find_session(&self, checkout: CheckoutId) -> Result<Option<SessionRow>, LedgerFault>;

    /// A session's version alone.
    async fn find_version(&self, checkout: CheckoutId) -> Result<Option<u32>, LedgerFault>;

    /// What stands under an idempotency key.
    async fn find_key(&self, caller: &str, key: &str) -> Result<Option<KeyRow>, LedgerFault>;

    /// An order with its lines and operations.
    async fn find_order(&self, order: OrderId) -> Result<Option<OrderRow>, LedgerFault>;

    /// Orders, newest first, those after (older than) `cursor`.
    async fn list_orders(
        &self,
        filter: &OrderFilter,
        cursor: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderRow>, LedgerFault>;

    /// One attempt.
    async fn find_attempt(&self, attempt: AttemptId) -> Result<Option<AttemptRow>, LedgerFault>;

    /// Records that a pending attempt goes to another gateway than the one recorded. `false` where
    /// it is not pending any more, or went to another one.
    async fn redirect_attempt(
        &self,
        attempt: AttemptId,
        from: &str,
        to: &str,
    ) -> Result<bool, LedgerFault>;

    /// Pending attempts whose deadline has passed, oldest first.
    async fn list_overdue_attempts(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault>;

    /// Unheard attempts still watched, oldest first, after `cursor`.
    async fn list_watched_attempts(
        &self,
        now: Timestamp,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault>;

    /// Authorized attempts of orders that are neither captured whole nor voided, by id, from
    /// `after` until `until`, both moments at which attempts begin.
    async fn list_uncaptured(
        &self,
        after: AttemptId,
        until: AttemptId,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault>;

    /// Operations due that were recorded before `older_than`, oldest first.
    async fn list_due_operations(
        &self,
        older_than: Timestamp,
        limit: u32,
    ) -> Result<Vec<OperationRow>, LedgerFault>;

    /// Unpinned holds whose time is over.
    async fn list_expired_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(CheckoutId, Sku)>, LedgerFault>;

    /// Open sessions whose time is over.
    async fn list_expired_sessions(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CheckoutId>, LedgerFault>;

    /// Stock of these SKUs; those without a row are left out.
    async fn find_stock(&self, skus: &[Sku]) -> Result<Vec<StockLevel>, LedgerFault>;

    /// Stock by SKU, after `cursor`.
    async fn list_stock(
        &self,
        cursor: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<StockLevel>, LedgerFault>;

    /// Movements of a SKU, newest first, before `cursor`.
    async fn list_movements(
        &self,
        sku: &Sku,
        cursor: Option<MovementId>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, LedgerFault>;

    /// Events not sent yet, in order.
    async fn list_unsent_events(&self, limit: u32) -> Result<Vec<NewEvent>, LedgerFault>;

    /// Registers a process lifetime as live.
    async fn register_holder(
        &self,
        holder: HolderId,
        label: &str,
        now: Timestamp,
    ) -> Result<(), LedgerFault>;

    /// Says that a holder lives; `false` when it has been fenced: it revives nobody.
    async fn heartbeat(&self, holder: HolderId, now: Timestamp) -> Result<bool, LedgerFault>;

    /// Marks a live holder dead whose heartbeat is before `stale_before` (under its row lock), and
    /// in the next statement of the same transaction closes its grants. Returns those closed.
    async fn fence(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault>;

    /// Live holders whose heartbeat is before `stale_before`.
    async fn list_stale_holders(
        &self,
        stale_before: Timestamp,
    ) -> Result<Vec<HolderId>, LedgerFault>;

    /// Removes what has been kept long enough, at most `limit` rows of each kind.
    async fn purge(&self, since: RetainSince, limit: u32) -> Result<Purged, LedgerFault>;

    /// Removes the raw signals of people whose sessions ended before `before`, of at most `limit`.
    /// Returns of how many.
    async fn purge_raw_signals(&self, before: Timestamp, limit: u32) -> Result<u64, LedgerFault>;

    /// Counts for the audit.
    async fn figures(&self) -> Result<Figures, LedgerFault>;

    /// Attempts by id, after `cursor`, for the audit.
    async fn list_attempts(
        &self,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault>;

    /// Closes every connection.
    async fn close(&self);
}

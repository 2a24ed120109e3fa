//! A ledger on a bench: facts in few words, and levels that are checked whenever they are read.

use doorbuster::{
    base::{
        AttemptId, CheckoutId, Clock, EventId, GrantId, HolderId, ManualClock, MovementId,
        OperationId, OrderId, Sealed, SeededChance, Sku, Timestamp,
    },
    ledger::{
        BatchReply, CommitFault, Database, DatabaseOptions, Document, Entry, EntryId, Fact,
        LedgerFault, Outcome, Pooling, Store,
        entry::{
            CloseGrants, Expire, GrantWanted, HoldWanted, KeyWrite, MoveKind, NewAttempt, NewEvent,
            OperationWrite, Place, SessionWrite, Settle, Source, StockMove, StoredAnswer,
        },
        row::{
            AttemptState, NewOperation, NewOrder, NewOrderLine, OperationKind, OperationState,
            SessionState, StockLevel,
        },
    },
};
use std::{sync::Arc, time::Duration};

use super::{pooler, servers};

/// How long holds live.
pub(crate) const HOLD: Duration = Duration::from_secs(600);

/// How often a batch is judged again. More than this are not meetings but a fault.
pub(crate) const AGAIN_MAX: usize = 1000;

/// One ledger with its clock and its chance.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    pub(crate) chance: SeededChance,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    pub(crate) async fn postgres() -> Self {
        Self::at(servers::postgres().await).await
    }

    /// A ledger in PostgreSQL behind a pooler that gives each transaction another session.
    pub(crate) async fn pooled() -> Self {
        let address = pooler::to(&servers::postgres().await);
        let pooling = Pooling::Transaction;
        Self::open(DatabaseOptions { pooling, ..DatabaseOptions::new(address) }, None, 1).await
    }

    /// A ledger at this address.
    pub(crate) async fn at(address: String) -> Self {
        Self::open(DatabaseOptions::new(address), None, 1).await
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = folder.path().display().to_string();
        let bench = Self::open(DatabaseOptions::new(location), Some(folder), 1).await;
        bench.database.migrate().await.expect("the schema applies");
        bench
    }

    /// The same ledger in a new process's hands.
    pub(crate) async fn opened_again(mut self) -> Self {
        let folder = self._folder.take().expect("an embedded ledger has a folder");
        self.store.close().await;
        drop(self);
        let location = folder.path().display().to_string();
        Self::open(DatabaseOptions::new(location), Some(folder), 2).await
    }

    async fn open(options: DatabaseOptions, folder: Option<tempfile::TempDir>, seed: u64) -> Self {
        let database = Database::open(&options).await.expect("the database opens");
        let start = Timestamp::parse("2026-11-27T08:00:00Z").expect("a moment");
        Self {
            store: database.store(),
            database,
            clock: ManualClock::new(start),
            chance: SeededChance::new(seed),
            _folder: folder,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn checkout(&self) -> CheckoutId {
        CheckoutId::new(self.now(), &self.chance)
    }

    pub(crate) fn attempt(&self) -> AttemptId {
        AttemptId::new(self.now(), &self.chance)
    }

    pub(crate) fn grant(&self) -> GrantId {
        GrantId::new(self.now(), &self.chance)
    }

    /// Commits a batch that the database must be able to commit.
    pub(crate) async fn batch(&self, entries: &[Entry]) -> BatchReply {
        self.try_batch(entries).await.expect("the batch is judged")
    }

    pub(crate) async fn try_batch(&self, entries: &[Entry]) -> Result<BatchReply, CommitFault> {
        for _ in 0..AGAIN_MAX {
            match self.store.commit(entries, self.now()).await {
                Err(CommitFault::Again(_)) => {}
                settled => return settled,
            }
        }
        panic!("the batch meets another one each of {AGAIN_MAX} times");
    }

    /// Commits one entry.
    pub(crate) async fn one(&self, entry: Entry) -> Outcome {
        self.batch(&[entry]).await.outcomes.pop().expect("one entry, one outcome")
    }

    /// A SKU's level, whose sum must be right.
    pub(crate) async fn level(&self, sku: &str) -> StockLevel {
        let level = self.store.find_stock(&[self::sku(sku)]).await.expect("stock reads").pop();
        let level = level.expect("the SKU has stock");
        assert!(level.is_conserved(), "{level:?} does not add up");
        level
    }

    /// `[on hand, unallocated, granted, held, sold]` of a SKU.
    pub(crate) async fn levels(&self, sku: &str) -> [i64; 5] {
        let level = self.level(sku).await;
        [level.on_hand, level.unallocated, level.granted, level.held, level.sold]
    }

    /// Runs a statement past the ledger, as no code of ours would.
    pub(crate) async fn by_hand(&self, sql: &'static str) -> Result<(), LedgerFault> {
        match &self.database {
            Database::Sqlite(database) => {
                let run = database.write(move |connection| {
                    Box::pin(async move { sqlx::query(sql).execute(connection).await.map(drop) })
                });
                run.await
            }
            Database::Postgres(database) => {
                let run = database.run(move |connection| {
                    Box::pin(async move { sqlx::query(sql).execute(connection).await.map(drop) })
                });
                run.await
            }
        }
    }

    pub(crate) fn moved(&self, name: &str, kind: MoveKind, quantity: u32) -> Entry {
        let id = MovementId::new(self.now(), &self.chance);
        let (reason, now) = ("count".to_owned(), self.now());
        let moved = StockMove { id, sku: sku(name), kind, quantity, reason, key: None, now };
        Entry::new(EntryId::of(id), Fact::Move(moved))
    }

    pub(crate) async fn receive(&self, name: &str, quantity: u32) {
        let entry = self.moved(name, MoveKind::Receive, quantity);
        self.one(entry).await.expect("receiving is never refused");
    }

    /// A session that wants these units directly.
    pub(crate) fn session(
        &self,
        checkout: CheckoutId,
        version: u32,
        wants: &[(&str, u32)],
    ) -> SessionWrite {
        let holds = wants.iter().map(|(name, quantity)| HoldWanted {
            sku: sku(name),
            quantity: *quantity,
            source: Source::Direct,
        });
        SessionWrite {
            checkout,
            version,
            state: SessionState::Open,
            expires_at: self.now().plus(HOLD * 3),
            body: document(&format!("{{\"v\":{version}}}")),
            personal: (version == 1).then(|| Sealed::seal("ada")),
            holds: holds.collect(),
            hold_until: self.now().plus(HOLD),
            attempt: None,
            assessment: None,
            key: None,
            now: self.now(),
        }
    }

    /// The same, pinned by a payment attempt (T1).
    pub(crate) fn pinning(
        &self,
        checkout: CheckoutId,
        version: u32,
        wants: &[(&str, u32)],
        attempt: AttemptId,
    ) -> SessionWrite {
        let new = NewAttempt {
            id: attempt,
            order: OrderId::of(checkout),
            number: version,
            amount_minor: 100,
            currency: "EUR".parse().expect("a currency"),
            gateway: "sandbox".into(),
            deadline: self.now().plus(Duration::from_secs(20)),
        };
        let session = self.session(checkout, version, wants);
        SessionWrite { state: SessionState::Completing, attempt: Some(new), ..session }
    }

    /// T2 for what a checkout holds.
    pub(crate) fn place(
        &self,
        checkout: CheckoutId,
        attempt: AttemptId,
        lines: &[(&str, u32)],
    ) -> Entry {
        let currency = "EUR".parse().expect("a currency");
        let order = OrderId::of(checkout);
        let line = |(line, (name, quantity)): (u32, &(&str, u32))| NewOrderLine {
            line,
            sku: sku(name),
            quantity: *quantity,
            unit_price_minor: 10,
            tracked: true,
        };
        let lines = (1..).zip(lines).map(line).collect();
        let body = document(r#"{"placed":true}"#);
        let operation = NewOperation {
            id: OperationId::of(attempt, OperationKind::Capture.number()),
            attempt,
            kind: OperationKind::Capture,
            amount_minor: 100,
            authorization: "auth-1".into(),
        };
        let event = NewEvent {
            id: EventId::new(self.now(), &self.chance),
            order,
            kind: "order.placed".into(),
            body: document("null"),
            at: self.now(),
        };
        let place = Place {
            attempt,
            authorization: "auth-1".into(),
            order: NewOrder { id: order, total_minor: 100, currency, body, lines },
            operations: vec![operation],
            events: vec![event],
            assessment: None,
            case: None,
            key: None,
            now: self.now(),
        };
        Entry::new(EntryId::attempt(attempt, "placed", 0), Fact::Place(Box::new(place)))
    }

    pub(crate) fn settle(&self, checkout: CheckoutId, attempt: AttemptId, reopens: bool) -> Entry {
        let settle = Settle {
            attempt,
            checkout,
            state: AttemptState::Declined,
            code: "insufficient_funds".into(),
            reopens,
            body: document("{}"),
            hold_until: self.now().plus(HOLD),
            watch_until: None,
            assessment: None,
            key: None,
            now: self.now(),
        };
        Entry::new(EntryId::attempt(attempt, "settled", 0), Fact::Settle(Box::new(settle)))
    }

    pub(crate) fn key(&self, name: &str, answer: Option<&str>) -> KeyWrite {
        KeyWrite {
            caller: "shop".into(),
            key: name.into(),
            fingerprint: "f".into(),
            dialect: "v1".into(),
            answer: answer.map(|text| StoredAnswer {
                status: 201,
                body: Sealed::seal(text).into(),
                version: 1,
            }),
            now: self.now(),
        }
    }

    /// A debt to the gateway that is settled.
    pub(crate) fn settled(&self, operation: NewOperation, state: OperationState) -> Entry {
        let id = EntryId::of(EventId::new(self.now(), &self.chance));
        let (note, events, now) = (String::new(), Vec::new(), self.now());
        let case = None;
        let write = OperationWrite { operation, state, note, events, case, now };
        Entry::new(id, Fact::Operation(write))
    }

    pub(crate) async fn replica(&self) -> HolderId {
        let holder = HolderId::new(self.now(), &self.chance);
        self.store.register_holder(holder, "r1", self.now()).await.expect("registers");
        holder
    }

    pub(crate) fn granted(
        &self,
        grant: GrantId,
        holder: HolderId,
        name: &str,
        at_most: u32,
    ) -> Entry {
        let sku = sku(name);
        let fact = GrantWanted { id: grant, sku, holder, at_least: 1, at_most, now: self.now() };
        Entry::new(EntryId::of(grant), Fact::Grant(fact))
    }

    pub(crate) fn close(&self, grants: &[GrantId]) -> Entry {
        let id = MovementId::new(self.now(), &self.chance);
        let close = CloseGrants { grants: grants.to_vec(), now: self.now() };
        Entry::new(EntryId::of(id), Fact::CloseGrants(close))
    }

    pub(crate) fn expire(&self, holds: Vec<(CheckoutId, Sku)>) -> Entry {
        let id = MovementId::new(self.now(), &self.chance);
        Entry::new(EntryId::of(id), Fact::Expire(Expire { holds, now: self.now() }))
    }
}

/// A session as an entry, decided for the first time.
pub(crate) fn write(session: SessionWrite) -> Entry {
    let id = EntryId::session(session.checkout, session.version, 0);
    Entry::new(id, Fact::Session(Box::new(session)))
}

/// The same session with its units from a grant.
pub(crate) fn from_grant(mut session: SessionWrite, grant: GrantId) -> SessionWrite {
    for hold in &mut session.holds {
        hold.source = Source::Grant(grant);
    }
    session
}

pub(crate) fn sku(name: &str) -> Sku {
    Sku::parse(name).expect("a SKU")
}

pub(crate) fn document(json: &str) -> Document {
    let raw: Box<serde_json::value::RawValue> = serde_json::from_str(json).expect("JSON");
    raw.into()
}

//! What a test can break inside the shop: a commit, a crash point, an actor's source of chance.

use async_trait::async_trait;
use doorbuster::{
    base::{Chance, SeededChance, Timestamp},
    checkout::{CrashPoint, Probe},
    ledger::{BatchReply, Commit, CommitFault, Entry, Fact, LedgerFault, Store},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// The ledger cannot be reached; nothing happened.
    Before,
    /// It happened, and the answer is lost.
    After,
    /// The batch met another one; nothing happened.
    Again,
}

type Which = fn(&Fact) -> bool;

/// The ledger's commits, the next of which can be made to fail.
#[derive(Default)]
pub(crate) struct Commits {
    store: Mutex<Option<Arc<dyn Store>>>,
    next: Mutex<Option<(Which, Failing)>>,
}

impl Commits {
    /// Stands before this ledger from now on.
    pub(crate) fn stand_before(&self, store: Arc<dyn Store>) {
        *self.store.lock().unwrap() = Some(store);
    }

    /// Lets the ledger go, so that it can be closed.
    pub(crate) fn stand_aside(&self) {
        *self.store.lock().unwrap() = None;
    }

    /// The next commit with such a fact fails like this.
    pub(crate) fn next(&self, which: Which, failing: Failing) {
        *self.next.lock().unwrap() = Some((which, failing));
    }

    fn take(&self, batch: &[Entry]) -> Option<Failing> {
        let mut next = self.next.lock().unwrap();
        let (_, failing) =
            next.take_if(|(which, _)| batch.iter().any(|entry| which(&entry.fact)))?;
        Some(failing)
    }
}

#[async_trait]
impl Commit for Commits {
    async fn commit(&self, batch: &[Entry], now: Timestamp) -> Result<BatchReply, CommitFault> {
        let store = self.store.lock().unwrap().clone();
        let store = store.expect("it stands before a ledger");
        let why = || "the cable was pulled".to_owned();
        match self.take(batch) {
            None => store.commit(batch, now).await,
            Some(Failing::Before) => Err(LedgerFault::Unreachable(why()).into()),
            Some(Failing::Again) => Err(CommitFault::Again(why())),
            Some(Failing::After) => {
                store.commit(batch, now).await?;
                Err(CommitFault::Unknown(why()))
            }
        }
    }
}

/// Panics once at a chosen crash point.
#[derive(Debug, Default)]
pub(crate) struct Fuse(Mutex<Option<CrashPoint>>);

impl Fuse {
    pub(crate) fn arm(&self, point: CrashPoint) {
        *self.0.lock().unwrap() = Some(point);
    }

    pub(crate) fn has_blown(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

impl Probe for Fuse {
    fn reach(&self, point: CrashPoint) {
        let blown = self.0.lock().unwrap().take_if(|armed| *armed == point);
        assert!(blown.is_none(), "crashed at {point:?}, as the test wants it");
    }
}

/// Seeded chance that panics once when told to: whoever asks for it next dies.
pub(crate) struct Dice {
    seeded: SeededChance,
    armed: AtomicBool,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seeded: SeededChance::new(seed), armed: AtomicBool::new(false) })
    }

    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_blown(&self) -> bool {
        !self.armed.load(Ordering::SeqCst)
    }
}

impl Chance for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(!self.armed.swap(false, Ordering::SeqCst), "died of chance, as the test wants it");
        self.seeded.fill(bytes);
    }
}

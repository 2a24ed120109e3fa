//! What everybody at a sale shares: where replicas are, the log of promises, the counts, and what
//! should never have happened.

use std::{
    collections::BTreeMap,
    fmt,
    io::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{streets::Streets, told::Told};
use crate::drive::acks::AckLog;

/// The SKU most buyers want, sold from grants.
pub const HOT: u32 = 0;

/// A SKU that comes in small lots and is sold out most of the time, decided by the ledger.
pub const SCARCE: u32 = 1;

/// All other SKUs, by Zipf's law.
pub const TAIL: u32 = 200;

/// How many findings of a kind are kept.
const KEPT: usize = 20;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// More units held and sold than there are.
    Oversold,
    /// An acknowledged order that is not there, or is another.
    LostOrder,
    /// Units that were promised to a checkout and could not be bought.
    LostHold,
    /// A buyer who paid twice, or for nothing.
    DoubleCharge,
    /// "Sold out" while there were units.
    FalseSoldOut,
    /// Anything else that should not be.
    Other,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Oversold,
        Self::LostOrder,
        Self::LostHold,
        Self::DoubleCharge,
        Self::FalseSoldOut,
        Self::Other,
    ];

    /// Its key in the JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Oversold => "oversold",
            Self::LostOrder => "lost_orders",
            Self::LostHold => "lost_holds",
            Self::DoubleCharge => "double_charges",
            Self::FalseSoldOut => "false_sold_out",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// Counts that are only ever added to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Orders acknowledged.
    pub orders: AtomicU64,
    /// Answers that units are gone.
    pub sold_out: AtomicU64,
    /// Payments declined.
    pub declined: AtomicU64,
    /// Requests sent again because the connection broke or nobody answered in time.
    pub unanswered: AtomicU64,
    /// Requests sent again because they were refused (429, 503).
    pub refused: AtomicU64,
    /// Requests sent again because the first sending was still worked on.
    pub in_flight: AtomicU64,
    /// Requests sent again after another 5xx.
    pub faults: AtomicU64,
    /// Payments whose outcome was unknown at first.
    pub unknown: AtomicU64,
    /// Longest time between two acknowledged orders, in microseconds.
    pub longest_gap: AtomicU64,
    last_order: AtomicU64,
}

/// Adds one.
pub fn count(to: &AtomicU64) {
    to.fetch_add(1, Ordering::Relaxed);
}

/// A sale under way.
#[derive(Debug)]
pub struct Sale {
    /// Where replicas are.
    pub streets: Streets,
    /// What was counted.
    pub tally: Tally,
    log: AckLog,
    began: Instant,
    over: AtomicBool,
    patience_ends: Mutex<Option<Instant>>,
    broken: Mutex<BTreeMap<Broken, (u64, Vec<String>)>>,
}

impl Sale {
    /// A sale without replicas yet.
    pub fn new(log: AckLog) -> Self {
        Self {
            streets: Streets::default(),
            tally: Tally::default(),
            log,
            began: Instant::now(),
            over: AtomicBool::new(false),
            patience_ends: Mutex::default(),
            broken: Mutex::default(),
        }
    }

    /// Notes a promise before anything else happens.
    pub fn told(&self, told: &Told) {
        if let Err(error) = self.log.append(told) {
            self.breaks(Broken::Other, format!("the log of promises cannot be written: {error}"));
        }
        if matches!(told, Told::Order { .. }) {
            count(&self.tally.orders);
            let now = self.began.elapsed().as_micros() as u64;
            let before = self.tally.last_order.swap(now, Ordering::Relaxed);
            self.tally.longest_gap.fetch_max(now.saturating_sub(before), Ordering::Relaxed);
        }
    }

    /// Orders acknowledged so far.
    pub fn orders(&self) -> u64 {
        self.tally.orders.load(Ordering::Relaxed)
    }

    /// Notes something that should never have happened, and says so at once.
    pub fn breaks(&self, broken: Broken, what: String) {
        let mut all = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, kept) = all.entry(broken).or_default();
        *count += 1;
        if kept.len() < KEPT {
            let _unread = writeln!(std::io::stderr(), "BROKEN {broken}: {what}");
            kept.push(what);
        }
    }

    /// What was broken how often, with the first findings.
    pub fn broken(&self) -> BTreeMap<Broken, (u64, Vec<String>)> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, what is asked must have its answer within this time.
    pub fn wait_at_most(&self, patience: Duration) {
        let mut ends = self.patience_ends.lock().unwrap_or_else(PoisonError::into_inner);
        *ends = Some(Instant::now() + patience);
    }

    /// Nobody begins anything new; what was begun must have its answer within this time.
    pub fn close(&self, patience: Duration) {
        self.wait_at_most(patience);
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether nobody may begin anything new.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Whether those who still wait for an answer give up.
    pub fn is_hopeless(&self) -> bool {
        let ends = *self.patience_ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.is_some_and(|end| Instant::now() > end)
    }
}

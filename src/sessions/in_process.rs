//! Hot copies in this process's memory, for one replica without Redis.
//!
//! Sessions are written far more often than forgotten, and each write renews the copy; so the order
//! of writing is the order of expiry, and one queue serves both the time limit and the size limit.

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{HotCopy, HotFault, HotSessions};
use crate::base::{CheckoutId, Clock, Timestamp};

/// Locks are held for a map operation; sixteen of them keep two cores apart.
const SHARDS: usize = 16;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InProcessLimits {
    /// Copies at most. A flash sale's 100,000 live carts, twice.
    pub entries: usize,
    /// Bytes of all copies at most: a cart of a thousand lines takes as much as a hundred others.
    pub bytes: usize,
    /// How long a copy is kept after it was written.
    pub ttl: Duration,
}

impl Default for InProcessLimits {
    fn default() -> Self {
        let ttl = Duration::from_secs(6 * 60 * 60);
        Self { entries: 200_000, bytes: 256 * 1024 * 1024, ttl }
    }
}

/// Hot copies in memory. Full, it forgets what was written longest ago.
pub struct InProcessSessions {
    shards: Box<[Mutex<Shard>]>,
    per_shard: InProcessLimits,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Shard {
    copies: HashMap<CheckoutId, Kept>,
    /// Copies in the order they were written.
    written: BTreeMap<u64, CheckoutId>,
    writes: u64,
    bytes: usize,
}

struct Kept {
    copy: HotCopy,
    write: u64,
    until: Timestamp,
}

impl InProcessSessions {
    /// An empty memory with these limits.
    pub fn new(limits: InProcessLimits, clock: Arc<dyn Clock>) -> Self {
        let per_shard = InProcessLimits {
            entries: limits.entries.div_ceil(SHARDS),
            bytes: limits.bytes.div_ceil(SHARDS),
            ..limits
        };
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, per_shard, clock }
    }

    /// Copies kept now.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| open(shard).copies.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, checkout: CheckoutId) -> MutexGuard<'_, Shard> {
        // The last byte of an id is random.
        let [.., last] = *checkout.uuid().as_bytes();
        open(&self.shards[usize::from(last) % SHARDS])
    }
}

fn open(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn forget(&mut self, checkout: CheckoutId) {
        if let Some(kept) = self.copies.remove(&checkout) {
            self.written.remove(&kept.write);
            self.bytes -= kept.copy.body.len();
        }
    }

    fn keep(&mut self, checkout: CheckoutId, copy: HotCopy, until: Timestamp) {
        self.forget(checkout);
        self.writes += 1;
        self.bytes += copy.body.len();
        self.written.insert(self.writes, checkout);
        self.copies.insert(checkout, Kept { copy, write: self.writes, until });
    }

    fn shrink(&mut self, limits: InProcessLimits, now: Timestamp) {
        while let Some(oldest) = self.written.first_entry().map(|entry| *entry.get()) {
            let over = self.copies.len() > limits.entries || self.bytes > limits.bytes;
            let expired = self.copies.get(&oldest).is_some_and(|kept| kept.until <= now);
            if !over && !expired {
                break;
            }
            self.forget(oldest);
        }
    }
}

#[async_trait]
impl HotSessions for InProcessSessions {
    async fn find(&self, checkout: CheckoutId) -> Result<Option<HotCopy>, HotFault> {
        let now = self.clock.now();
        let shard = self.shard(checkout);
        let kept = shard.copies.get(&checkout).filter(|kept| kept.until > now);
        Ok(kept.map(|kept| kept.copy.clone()))
    }

    async fn put(&self, checkout: CheckoutId, copy: HotCopy) -> Result<(), HotFault> {
        let now = self.clock.now();
        let mut shard = self.shard(checkout);
        let newer = |kept: &Kept| kept.until > now && kept.copy.version > copy.version;
        if !shard.copies.get(&checkout).is_some_and(newer) {
            shard.keep(checkout, copy, now.plus(self.per_shard.ttl));
            shard.shrink(self.per_shard, now);
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), HotFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;
    use uuid::Uuid;

    /// Ids that all fall into one shard, so that its limits can be counted.
    fn checkout(number: u128) -> CheckoutId {
        CheckoutId::from_uuid(Uuid::from_u128(number << 8))
    }

    fn copy(version: u32, bytes: usize) -> HotCopy {
        HotCopy { version, body: vec![b'x'; bytes] }
    }

    fn memory(entries: usize, bytes: usize) -> (InProcessSessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let (entries, bytes) = (entries * SHARDS, bytes * SHARDS);
        let limits = InProcessLimits { entries, bytes, ttl: Duration::from_secs(60) };
        (InProcessSessions::new(limits, clock.clone()), clock)
    }

    async fn known(sessions: &InProcessSessions, among: std::ops::Range<u128>) -> Vec<u128> {
        let mut known = Vec::new();
        for number in among {
            if sessions.find(checkout(number)).await.expect("memory answers").is_some() {
                known.push(number);
            }
        }
        known
    }

    #[tokio::test]
    async fn what_was_written_longest_ago_goes_first() {
        let (sessions, _) = memory(3, 1000);
        for (number, version) in [(0, 1), (1, 1), (2, 1), (0, 2), (3, 1), (4, 1)] {
            sessions.put(checkout(number), copy(version, 10)).await.expect("kept");
        }
        assert_eq!(known(&sessions, 0..5).await, [0, 3, 4]);
    }

    #[tokio::test]
    async fn bytes_are_limited_too() {
        let (sessions, _) = memory(100, 1000);
        for number in 0..4 {
            sessions.put(checkout(number), copy(1, 400)).await.expect("kept");
        }
        assert_eq!(known(&sessions, 0..4).await, [2, 3]);
        sessions.put(checkout(9), copy(1, 1001)).await.expect("no room, and no fault");
        assert_eq!(sessions.len(), 0);
        sessions.put(checkout(1), copy(1, 1000)).await.expect("kept");
        assert_eq!(known(&sessions, 0..4).await, [1]);
    }

    #[tokio::test]
    async fn copies_expire_and_their_memory_is_given_back() {
        let (sessions, clock) = memory(100, 1000);
        sessions.put(checkout(1), copy(5, 10)).await.expect("kept");
        clock.advance(Duration::from_secs(30));
        sessions.put(checkout(2), copy(5, 10)).await.expect("kept");
        clock.advance(Duration::from_secs(30));
        assert_eq!(known(&sessions, 0..4).await, [2]);
        sessions.put(checkout(3), copy(1, 10)).await.expect("kept");
        assert_eq!(sessions.len(), 2, "the expired copy still takes room");
        sessions.put(checkout(1), copy(4, 10)).await.expect("kept");
        assert_eq!(known(&sessions, 0..4).await, [1, 2, 3], "an expired copy stands in no way");
    }
}

//! Builds the memory that replicas share anew, from the ledger, when it was lost.
//!
//! ```text
//!  a mark is missing: judged on what each process saw itself, degraded
//!   └► one replica begins another epoch
//!       └► tells it what was judged ─► writes the marks ─► the ledger says: whole
//!           └► all follow within a second; what was judged meanwhile is told a moment later
//! ```
//! **Owns:** when a memory is believed. **Invariant:** a memory that is believed was told every
//! attempt of the longest window that the ledger has, each once: whoever judged without it has said
//! so in the judgement, and only those are told once more. For some ten seconds it lacks the last
//! five before it was believed. An epoch whose builder failed is never gone on with.
//! **Not here:** the marks themselves (see [`velocity`](super::velocity)), and labels, which are
//! [learned](super::learning) once more from the beginning.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    bench::Bench,
    history::History,
    learning::LearnFault,
    memory::{Memory, Redis},
    past::{REMEMBERED_SPAN, Retold},
    velocity::{Passing, Velocity},
};
use crate::base::{AssessmentId, Chance, Clock, Timestamp};

/// Judgements read at once.
const PAGE: u32 = 2_000;

/// Attempts told in one round trip: some thousand entities.
const TOLD_AT_ONCE: usize = 100;

/// A judgement is in the ledger this long after it was made: what is later is lost to the memory.
const SETTLED: Duration = Duration::from_secs(5);

/// All replicas know of a new epoch this long after it is whole: they look every second.
const FOLLOWED: Duration = Duration::from_secs(5);

/// Whoever builds says so with each page; one that is silent this long is dead.
const ABANDONED: Duration = Duration::from_secs(60);

/// Whoever asks a memory that is whole says so as often as this …
const FED: Duration = Duration::from_secs(5);

/// … and one that nobody was said to ask for this long was left, if payments were judged meanwhile.
const LEFT: Duration = Duration::from_secs(15);

/// Stands for "nobody tends it".
const NOBODY: Timestamp = Timestamp::from_micros(0);

/// Tends one memory that replicas share.
pub struct Rebuilder {
    bench: Arc<Bench>,
    memory: Arc<Memory>,
    redis: Redis,
    history: History,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    building: Mutex<Option<Building>>,
    late: Mutex<Option<Late>>,
}

/// An epoch that this process builds, and how far it has come.
struct Building {
    epoch: String,
    began: Timestamp,
    cursor: Option<AssessmentId>,
    count: usize,
    /// Whether nothing was ever judged, so that there is nothing to wait for.
    is_first_payment: bool,
}

/// Judgements after `from`, which an epoch lacks when it is first believed: those that were made
/// before it `began`, and until `until` those that say so themselves.
#[derive(Debug, Clone, Copy)]
struct Late {
    from: Timestamp,
    began: Timestamp,
    until: Timestamp,
}

impl Rebuilder {
    /// Tends this memory in Redis.
    pub(super) fn new(
        bench: Arc<Bench>,
        (memory, redis): (Arc<Memory>, Redis),
        history: History,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        let (building, late) = (Mutex::default(), Mutex::default());
        Self { bench, memory, redis, history, clock, chance, building, late }
    }

    /// The memory.
    pub(super) const fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Looks after the memory: follows what another replica built, or builds it when it was lost.
    ///
    /// # Errors
    /// When the ledger or Redis cannot be reached; the next round goes on, or begins again.
    pub(super) async fn round(&self) -> Result<(), LearnFault> {
        self.catch_up().await?;
        let building = self.building().take();
        if let Some(building) = building {
            return self.goes_on(building).await;
        }
        let now = self.clock.now();
        let Some(known) = self.history.memory(self.memory.name()).await? else {
            return self.begin(None).await;
        };
        let epoch = known.epoch.as_str();
        if !known.whole {
            self.redis.shared.enter(epoch, false);
            let abandoned = now.since(known.tended_at) > ABANDONED;
            return if abandoned { self.begin(Some(epoch)).await } else { Ok(()) };
        }
        if self.redis.shared.has_lost(epoch) || !self.redis.shared.holds(epoch).await? {
            return self.begin(Some(epoch)).await;
        }
        if !self.redis.shared.is_whole() && self.was_left(known.tended_at, now).await? {
            return self.begin(Some(epoch)).await;
        }
        if now.since(known.tended_at) > FED {
            self.history.tend_memory(self.memory.name(), epoch, now).await?;
        }
        self.redis.shared.enter(epoch, true);
        Ok(())
    }

    /// Whether payments were judged with other memories since anybody told this one: it stands in
    /// Redis as it was left, and lacks them.
    async fn was_left(&self, fed_at: Timestamp, now: Timestamp) -> Result<bool, LearnFault> {
        if fed_at == NOBODY {
            return Ok(true);
        }
        if now.since(fed_at) <= LEFT {
            return Ok(false);
        }
        let mut from = (fed_at.minus(SETTLED), None);
        loop {
            let page = self.bench.retell(&self.memory.set, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(false) };
            from.1 = Some(last.id);
            if page.iter().any(|past| past.was_apart) {
                return Ok(true);
            }
        }
    }

    /// Nobody asks this memory here any more: unless others do, and say so, it lacks from now on
    /// what is judged.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub(super) async fn leave(&self) -> Result<(), LearnFault> {
        let name = self.memory.name();
        if let Some(known) = self.history.memory(name).await? {
            self.history.tend_memory(name, &known.epoch, NOBODY).await?;
        }
        Ok(())
    }

    /// Begins another epoch and builds it, unless another replica does.
    async fn begin(&self, from: Option<&str>) -> Result<(), LearnFault> {
        // There has to be somewhere to write to.
        self.redis.shared.ping().await?;
        let now = self.clock.now();
        let epoch = format!("{:x}-{:x}", now.micros(), self.chance.below(u64::MAX));
        let memory = self.memory.name();
        if !self.history.begin_memory(memory, (from, &epoch), now).await? {
            return Ok(());
        }
        self.redis.shared.enter(&epoch, false);
        self.redis.writer.build(&epoch);
        self.goes_on(Building { epoch, began: now, cursor: None, count: 0, is_first_payment: true })
            .await
    }

    async fn goes_on(&self, building: Building) -> Result<(), LearnFault> {
        let (memory, epoch) = (self.memory.name(), building.epoch.clone());
        let built = self.build(building).await;
        if built.is_err() {
            // Another one is begun at once; should this not be said either, then a little later.
            let _said = self.history.tend_memory(memory, &epoch, NOBODY).await;
        }
        built
    }

    /// Goes on until all that was judged before the epoch began is told; in the next round, if need
    /// be.
    async fn build(&self, mut building: Building) -> Result<(), LearnFault> {
        let (memory, epoch) = (self.memory.name(), building.epoch.clone());
        let since = building.began.minus(REMEMBERED_SPAN);
        let until = loop {
            let until = self.clock.now().minus(SETTLED);
            let from = (since, building.cursor);
            let page = self.bench.retell(&self.memory.set, from, PAGE).await?;
            building.is_first_payment &= page.is_empty();
            let settled = page.iter().take_while(|past| past.at <= until);
            let settled: Vec<&Retold> = settled.collect();
            building.cursor = settled.last().map(|past| past.id).or(building.cursor);
            building.count += self.tell(&settled).await?;
            if !self.history.tend_memory(memory, &epoch, self.clock.now()).await? {
                return Ok(());
            }
            if settled.len() < PAGE as usize {
                break until;
            }
        };
        let Building { began, count, is_first_payment, .. } = building;
        if until < began && !is_first_payment {
            *self.building() = Some(building);
            return Ok(());
        }
        self.redis.writer.mark().await?;
        if !self.history.end_memory(memory, &epoch).await? {
            return Ok(());
        }
        self.redis.shared.enter(&epoch, true);
        let followed = self.clock.now().plus(FOLLOWED);
        *self.late() = Some(Late { from: until, began, until: followed });
        tracing::info!(count, "the memory of past payments in Redis was built from the ledger");
        Ok(())
    }

    /// Tells what was judged without the memory between the end of its building and the moment when
    /// all believed it.
    async fn catch_up(&self) -> Result<(), LearnFault> {
        let Some(late) = *self.late() else { return Ok(()) };
        let Late { from, began, until } = late;
        if self.clock.now() < until.plus(SETTLED) {
            return Ok(());
        }
        // Once, whatever comes of it: what was told a part of is not told again.
        *self.late() = None;
        let mut cursor: Option<AssessmentId> = None;
        loop {
            let page = self.bench.retell(&self.memory.set, (from, cursor), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            cursor = Some(last.id);
            let without = |past: &&Retold| {
                let at = past.at;
                at > from && at <= until && (at < began || !past.was_told)
            };
            let without: Vec<&Retold> = page.iter().filter(without).collect();
            self.tell(&without).await?;
        }
    }

    /// Tells the memory of attempts, in their order. How many it was told.
    async fn tell(&self, past: &[&Retold]) -> Result<usize, LearnFault> {
        let told = past.iter().filter_map(|past| past.passing.clone());
        let told: Vec<Passing> = told.filter(|passing| passing.counts).collect();
        for some in told.chunks(TOLD_AT_ONCE) {
            self.redis.writer.pass(some).await?;
            let failed = some.iter().filter(|passing| passing.event.failed);
            let failed: Vec<_> = failed.map(|passing| passing.event.clone()).collect();
            if !failed.is_empty() {
                self.redis.writer.failed(&failed).await?;
            }
        }
        Ok(told.len())
    }

    fn building(&self) -> MutexGuard<'_, Option<Building>> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, Option<Late>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

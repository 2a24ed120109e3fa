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
    assessment::Degraded,
    bench::Bench,
    cases::{Cases, Remembered},
    history::History,
    learning::LearnFault,
    policy::FraudMode,
    velocity::{Passing, RedisVelocity, Velocity},
};
use crate::base::{AssessmentId, Chance, Clock, Timestamp};

/// The longest window that counts look back over.
pub const REMEMBERED_SPAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

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

/// Tends the shared memory.
pub struct Rebuilder {
    bench: Arc<Bench>,
    shared: Arc<RedisVelocity>,
    /// The same Redis with the patience of somebody nobody waits for.
    writer: RedisVelocity,
    cases: Cases,
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
    /// Tends `shared`, and writes through `writer`.
    pub fn new(
        (bench, cases): (Arc<Bench>, Cases),
        (shared, writer): (Arc<RedisVelocity>, RedisVelocity),
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        let history = cases.history();
        let (building, late) = (Mutex::default(), Mutex::default());
        Self { bench, shared, writer, cases, history, clock, chance, building, late }
    }

    /// Looks after the memory: follows what another replica built, or builds it when it was lost.
    ///
    /// # Errors
    /// When the ledger or Redis cannot be reached; the next round goes on, or begins again.
    pub async fn round(&self) -> Result<(), LearnFault> {
        if self.bench.policy.mode == FraudMode::Off {
            return Ok(());
        }
        self.catch_up().await?;
        let building = self.building().take();
        if let Some(building) = building {
            return self.goes_on(building).await;
        }
        let now = self.clock.now();
        let Some(known) = self.history.memory(self.shared.memory()).await? else {
            return self.begin(None).await;
        };
        let epoch = known.epoch.as_str();
        if !known.whole {
            self.shared.enter(epoch, false);
            let abandoned = now.since(known.tended_at) > ABANDONED;
            return if abandoned { self.begin(Some(epoch)).await } else { Ok(()) };
        }
        if self.shared.has_lost(epoch) || !self.shared.holds(epoch).await? {
            return self.begin(Some(epoch)).await;
        }
        self.shared.enter(epoch, true);
        Ok(())
    }

    /// Begins another epoch and builds it, unless another replica does.
    async fn begin(&self, from: Option<&str>) -> Result<(), LearnFault> {
        // There has to be somewhere to write to.
        self.shared.ping().await?;
        let now = self.clock.now();
        let epoch = format!("{:x}-{:x}", now.micros(), self.chance.below(u64::MAX));
        let memory = self.shared.memory();
        if !self.history.begin_memory(memory, (from, &epoch), now).await? {
            return Ok(());
        }
        self.shared.enter(&epoch, false);
        self.writer.build(&epoch);
        self.goes_on(Building { epoch, began: now, cursor: None, count: 0, is_first_payment: true })
            .await
    }

    async fn goes_on(&self, building: Building) -> Result<(), LearnFault> {
        let (memory, epoch) = (self.shared.memory(), building.epoch.clone());
        let built = self.build(building).await;
        if built.is_err() {
            // Another one is begun at once; should this not be said either, then a little later.
            let nobody = Timestamp::from_micros(0);
            let _said = self.history.tend_memory(memory, &epoch, nobody).await;
        }
        built
    }

    /// Goes on until all that was judged before the epoch began is told; in the next round, if need
    /// be.
    async fn build(&self, mut building: Building) -> Result<(), LearnFault> {
        let (memory, epoch) = (self.shared.memory(), building.epoch.clone());
        let since = building.began.minus(REMEMBERED_SPAN);
        let until = loop {
            let until = self.clock.now().minus(SETTLED);
            let page = self.cases.list_past(since, building.cursor, PAGE).await?;
            building.is_first_payment &= page.is_empty();
            let settled = page.iter().take_while(|past| past.row.at <= until);
            let settled: Vec<&Remembered> = settled.collect();
            building.cursor = settled.last().map(|past| past.row.id).or(building.cursor);
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
        self.writer.mark().await?;
        if !self.history.end_memory(memory, &epoch).await? {
            return Ok(());
        }
        self.shared.enter(&epoch, true);
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
            let page = self.cases.list_past(from, cursor, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            cursor = Some(last.row.id);
            let without = |past: &&Remembered| {
                let at = past.row.at;
                at > from && at <= until && (at <= began || self.was_without(past))
            };
            let without: Vec<&Remembered> = page.iter().filter(without).collect();
            self.tell(&without).await?;
        }
    }

    fn was_without(&self, past: &Remembered) -> bool {
        let read = self.bench.read_back(past);
        read.is_some_and(|(judged, _)| judged.degraded.contains(&Degraded::Velocity))
    }

    /// Tells the memory of attempts, in their order. How many it was told.
    async fn tell(&self, past: &[&Remembered]) -> Result<usize, LearnFault> {
        let read = past.iter().filter_map(|past| self.bench.read_back(past));
        let told: Vec<Passing> = read.map(|(_, passing)| passing).filter(|p| p.counts).collect();
        for some in told.chunks(TOLD_AT_ONCE) {
            self.writer.pass(some).await?;
            let failed = some.iter().filter(|passing| passing.event.failed);
            let failed: Vec<_> = failed.map(|passing| passing.event.clone()).collect();
            if !failed.is_empty() {
                self.writer.failed(&failed).await?;
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

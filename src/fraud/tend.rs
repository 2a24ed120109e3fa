//! Looks after the memories: tells those that are new what was judged before they began.
//!
//! ```text
//!  other models ─► Setup::next opens a memory ─► in this process: held, told, whole   (past)
//!                                              └► in Redis: an epoch is built, or found (rebuild)
//!  whole ─► the guard and the models ask it; the one before is let go
//! ```
//! **Owns:** when a memory is built, and by whom. **Invariant:** until the live model's memory is
//! whole its judgements say `degraded`, and the guard asks the memory that it had. **Not here:**
//! labels, which are [learned](super::learning) by a memory once it is whole.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Mutex;

use super::{
    bench::Bench, history::Span, learning::LearnFault, memory::Memory, past::REMEMBERED_SPAN,
    policy::FraudMode, rebuild::Rebuilder, setup::Setup,
};
use crate::base::{Chance, Clock, Timestamp};

/// A judgement is in the ledger this long after it was made.
const SETTLED: Duration = Duration::from_secs(5);

/// Judgements that Redis is told before the service starts: some seconds' work. More are told
/// beside it.
const AT_ONCE_MAX: u64 = 10_000;

/// The least there is.
const MOMENT: Duration = Duration::from_micros(1);

/// What this process remembers at least while Redis is told of the rest: as much of the last day as
/// takes a moment.
const LATELY: [Duration; 3] =
    [Duration::from_secs(24 * 60 * 60), Duration::from_secs(60 * 60), Duration::from_secs(10 * 60)];

/// Looks after the memories.
pub struct Tender {
    bench: Arc<Bench>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    rebuilders: RwLock<Vec<Arc<Rebuilder>>>,
    /// One round at a time.
    busy: Mutex<()>,
}

impl Tender {
    /// Looks after the memories of this bench.
    pub fn new(bench: Arc<Bench>, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self { bench, clock, chance, rebuilders: RwLock::default(), busy: Mutex::default() }
    }

    /// Before the first payment: whatever can be told at once is told, so that it is judged on the
    /// whole of the past.
    ///
    /// # Errors
    /// When the ledger cannot be read. Redis may be away.
    pub async fn start(&self) -> Result<(), LearnFault> {
        if self.bench.policy.mode == FraudMode::Off {
            return Ok(());
        }
        let _busy = self.busy.lock().await;
        for memory in self.bench.setup().memories() {
            match self.rebuilder(memory) {
                Some(rebuilder) => self.start_shared(&rebuilder).await?,
                None if memory.is_whole() => {}
                // Nobody has judged anything yet: all there is was judged before.
                None => self.build(memory, self.clock.now().plus(MOMENT)).await?,
            }
        }
        self.bench.settle();
        Ok(())
    }

    /// Goes on with what is not told yet.
    ///
    /// # Errors
    /// When the ledger or Redis cannot be reached; the next round goes on, or begins again.
    pub async fn round(&self) -> Result<(), LearnFault> {
        if self.bench.policy.mode == FraudMode::Off {
            return Ok(());
        }
        let _busy = self.busy.lock().await;
        let setup = self.bench.setup();
        self.let_go(&setup).await?;
        let settled = self.clock.now().minus(SETTLED);
        let mut done = Ok(());
        for memory in setup.memories() {
            let round = match self.rebuilder(memory) {
                Some(rebuilder) => rebuilder.round().await,
                None if memory.is_whole() || memory.began > settled => Ok(()),
                None => self.build(memory, memory.began).await,
            };
            // One that cannot be reached is no reason to leave the others.
            done = done.and(round);
        }
        self.bench.settle();
        done
    }

    /// Says of memories in Redis that nobody asks here any more that they are left, before one of
    /// the same name is looked at.
    async fn let_go(&self, setup: &Setup) -> Result<(), LearnFault> {
        let is_asked = |rebuilder: &Arc<Rebuilder>| {
            setup.memories().iter().any(|memory| Arc::ptr_eq(memory, rebuilder.memory()))
        };
        let gone: Vec<Arc<Rebuilder>> = {
            let known = self.rebuilders.read().unwrap_or_else(PoisonError::into_inner);
            known.iter().filter(|rebuilder| !is_asked(rebuilder)).cloned().collect()
        };
        for rebuilder in gone {
            rebuilder.leave().await?;
            let mut known = self.rebuilders.write().unwrap_or_else(PoisonError::into_inner);
            known.retain(|other| !Arc::ptr_eq(other, &rebuilder));
        }
        Ok(())
    }

    async fn build(&self, memory: &Memory, until: Timestamp) -> Result<(), LearnFault> {
        let count = self.bench.build(memory, until).await?;
        if count > 0 {
            let memory = memory.name();
            tracing::info!(count, memory, "remembered payments judged before");
        }
        Ok(())
    }

    async fn start_shared(&self, rebuilder: &Rebuilder) -> Result<(), LearnFault> {
        let Some(cases) = &self.bench.cases else { return Ok(()) };
        let (history, now, memory) = (cases.history(), self.clock.now(), rebuilder.memory());
        let past = history.count(Span::of(now.minus(REMEMBERED_SPAN), now)).await?;
        if past <= AT_ONCE_MAX
            && let Err(fault) = rebuilder.round().await
        {
            tracing::warn!(%fault, "what Redis remembers of the past is looked at later: {fault}");
        }
        if memory.is_whole() {
            return Ok(());
        }
        // The guard is not blind meanwhile.
        for span in LATELY {
            let since = now.minus(span);
            if history.count(Span::of(since, now)).await? <= AT_ONCE_MAX {
                let past = (since, now.plus(MOMENT));
                let count = self.bench.tell_local(memory, past).await?;
                tracing::info!(count, "remembered payments of lately, until Redis has them");
                break;
            }
        }
        Ok(())
    }

    /// Who tends this memory; none when it is this process's own.
    fn rebuilder(&self, memory: &Arc<Memory>) -> Option<Arc<Rebuilder>> {
        let redis = memory.redis.clone()?;
        let cases = self.bench.cases.as_ref()?;
        let mut rebuilders = self.rebuilders.write().unwrap_or_else(PoisonError::into_inner);
        let found = rebuilders.iter().find(|known| Arc::ptr_eq(known.memory(), memory));
        if let Some(found) = found {
            return Some(found.clone());
        }
        let made = Arc::new(Rebuilder::new(
            self.bench.clone(),
            (memory.clone(), redis),
            cases.history(),
            self.clock.clone(),
            self.chance.clone(),
        ));
        rebuilders.push(made.clone());
        Some(made)
    }
}

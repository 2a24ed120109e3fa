//! A fraud actor: a shell around [`Bench`], one on each thread that runs carts, so that asking it
//! costs no hop.

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, ResponseFuture, WrapFuture};
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::sync::oneshot;

use super::{
    assessment::Outcome,
    bench::{Bench, Judged},
    messages::{Failed, Judge},
    registry::Threads,
    setup::{Attempt, Recollected, Told},
    signals::Signals,
    velocity::Passing,
};
use crate::telemetry::metrics;

/// Attempts in one round trip: whoever queued while the one before was under way. So many keep a
/// Redis busy for some ten milliseconds, a fifth of what their answer may take.
const BATCH_MAX: usize = 64;

/// Round trips under way at once. The second goes while the first comes back; more would make their
/// batches small, and each trip wakes three processes however many ride on it.
const TRIPS_MAX: usize = 2;

struct Waiting {
    signals: Arc<Signals>,
    attempt: Attempt,
    reply: oneshot::Sender<Judged>,
}

/// The actor. It answers from this process's memory at once; where replicas share one, what comes
/// while round trips are under way goes with the next.
pub struct FraudActor {
    bench: Arc<Bench>,
    threads: Threads,
    waiting: Vec<Waiting>,
    failed: Vec<Told>,
    /// Round trips that have not come back.
    under_way: usize,
}

impl FraudActor {
    /// An actor of this bench.
    pub fn new(bench: Arc<Bench>, threads: Threads) -> Self {
        Self { bench, threads, waiting: Vec::new(), failed: Vec::new(), under_way: 0 }
    }

    /// Sends what waits to the shared memories, in as many round trips as may be under way.
    fn send(&mut self, ctx: &mut Context<Self>) {
        while self.under_way < TRIPS_MAX && !(self.waiting.is_empty() && self.failed.is_empty()) {
            self.under_way += 1;
            let (batch, failed) = (self.next_batch(), std::mem::take(&mut self.failed));
            let bench = self.bench.clone();
            let work = async move {
                let failures = judge_together(&bench, batch).await;
                note_failures(failed.into_iter().chain(failures).collect()).await;
            };
            ctx.spawn(work.into_actor(self).map(move |(), act, ctx| {
                act.under_way -= 1;
                act.send(ctx);
            }));
        }
    }

    /// Those who waited longest, as far as the same models and memories judge them.
    fn next_batch(&mut self) -> Vec<Waiting> {
        let Some(first) = self.waiting.first() else { return Vec::new() };
        let setup = first.attempt.setup.clone();
        let other = |waiting: &Waiting| !Arc::ptr_eq(&waiting.attempt.setup, &setup);
        let end = self.waiting.iter().position(other).unwrap_or(self.waiting.len());
        let rest = self.waiting.split_off(end.min(BATCH_MAX));
        std::mem::replace(&mut self.waiting, rest)
    }
}

/// One round trip to each memory for all of them. Without the live model's each is judged on what
/// this process remembers, and says so. Returns those that were declined: they count as failures.
async fn judge_together(bench: &Bench, batch: Vec<Waiting>) -> Vec<Told> {
    let Some(first) = batch.first() else { return Vec::new() };
    let asked = bench.now();
    let memories = first.attempt.setup.memories().iter().enumerate();
    let recalled = join_all(memories.map(|(place, memory)| {
        let passings = batch.iter().map(|waiting| waiting.attempt.passings[place].clone());
        let passings: Vec<Passing> = passings.collect();
        async move { memory.pass(&passings).await }
    }));
    let mut recalled = recalled.await;
    metrics::fraud_recalled(bench.now().since(asked));
    let mut failed = Vec::new();
    for (place, Waiting { signals, attempt, reply }) in batch.into_iter().enumerate() {
        let own = recalled.iter_mut().map(|all| Recollected {
            recalled: all.recalled.get_mut(place).map(std::mem::take).unwrap_or_default(),
            is_whole: all.is_whole,
        });
        let judged = bench.judge(&signals, attempt, own.collect());
        failed.extend(came_to_nothing(bench, &judged));
        let _gone = reply.send(judged);
    }
    failed
}

/// Tells the shared memories, each in one go. A fault is the circuit's to count; failures are then
/// known here alone.
async fn note_failures(mut failed: Vec<Told>) {
    while let Some(Told { memory, event, .. }) = failed.pop() {
        let mut events = vec![event];
        failed.retain(|other| {
            let same = Arc::ptr_eq(&other.memory, &memory);
            if same {
                events.push(other.event.clone());
            }
            !same
        });
        if let Some(shared) = &memory.shared {
            let _gone = shared.failed(&events).await;
        }
    }
}

/// A payment that is declined here has failed as much as one that a bank declined.
fn came_to_nothing(bench: &Bench, judged: &Judged) -> Vec<Told> {
    if !judged.counted || judged.outcome != Outcome::Decline {
        return Vec::new();
    }
    bench.failed_here(&judged.told, &judged.storefront);
    judged.told.clone()
}

impl Actor for FraudActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.threads.enter(ctx.address());
    }
}

impl Handler<Judge> for FraudActor {
    type Result = ResponseFuture<Judged>;

    fn handle(&mut self, msg: Judge, ctx: &mut Self::Context) -> Self::Result {
        let Judge { signals, tried } = msg;
        let setup = self.bench.setup();
        let attempt = setup.attempt(&signals, &tried);
        if !setup.is_shared() {
            let judged = self.bench.judge_here(&signals, attempt);
            came_to_nothing(&self.bench, &judged);
            return Box::pin(std::future::ready(judged));
        }
        let (reply, judged) = oneshot::channel();
        let bench = self.bench.clone();
        let known = signals.clone();
        self.waiting.push(Waiting { signals, attempt, reply });
        self.send(ctx);
        Box::pin(async move { judged.await.unwrap_or_else(|_| bench.out_of_time(&known)) })
    }
}

impl Handler<Failed> for FraudActor {
    type Result = ();

    fn handle(&mut self, msg: Failed, ctx: &mut Self::Context) {
        self.bench.failed_here(&msg.told, &msg.storefront);
        if msg.told.iter().any(|told| told.memory.shared.is_some()) {
            self.failed.extend(msg.told);
            self.send(ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{ManualClock, Timestamp},
        fraud::{
            event::{Event, Label},
            policy::{FraudMode, Policy},
            registry::Fraud,
            serving::Serving,
            signals,
            velocity::{InProcessVelocity, Recalled, Velocity, VelocityFault},
        },
    };
    use async_trait::async_trait;
    use std::{
        sync::{Mutex, PoisonError},
        time::Duration,
    };
    use tokio::sync::Semaphore;

    /// A memory that answers when it is let.
    struct Gated {
        gate: Semaphore,
        batches: Mutex<Vec<usize>>,
    }

    impl Gated {
        fn batches(&self) -> Vec<usize> {
            self.batches.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    #[async_trait]
    impl Velocity for Gated {
        async fn pass(&self, batch: &[Passing]) -> Result<Vec<Recalled>, VelocityFault> {
            self.batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch.len());
            self.gate.acquire().await.expect("it is never closed").forget();
            Ok(vec![Recalled::default(); batch.len()])
        }

        async fn failed(&self, _: &[Event]) -> Result<(), VelocityFault> {
            Ok(())
        }

        async fn learn(&self, _: &Event, _: Label, _: Timestamp) -> Result<(), VelocityFault> {
            Ok(())
        }

        async fn found_out(&self, _: &Event, _: Timestamp) -> Result<(), VelocityFault> {
            Ok(())
        }

        async fn taken_back(
            &self,
            _: &Event,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<(), VelocityFault> {
            Ok(())
        }

        fn is_up(&self) -> bool {
            true
        }
    }

    #[actix_web::test]
    async fn what_queues_behind_the_trips_under_way_goes_together_with_the_next() {
        const LATER: usize = BATCH_MAX + 3;
        let shared = Arc::new(Gated { gate: Semaphore::new(0), batches: Mutex::new(Vec::new()) });
        let serving = Serving::configured(None).expect("the bundled model");
        let local = InProcessVelocity::new(serving.layout.clone(), usize::MAX);
        let deadline = Duration::from_secs(60);
        let policy = Policy { mode: FraudMode::Live, deadline, ..Policy::default() };
        let clock = Arc::new(ManualClock::new(signals::tests::bare().at));
        let memory: Option<Arc<dyn Velocity>> = Some(shared.clone());
        let bench = Arc::new(Bench::new(serving, local, memory, policy, clock));
        let fraud = Fraud::start(bench, Vec::new());
        let ask = || fraud.assess(signals::tests::bare(), &[]);
        let asking = join_all((0..TRIPS_MAX + LATER).map(|_| ask()));
        let watching = async {
            while shared.batches().len() < TRIPS_MAX || fraud.waiting() < TRIPS_MAX + LATER {
                tokio::task::yield_now().await;
            }
            // Long enough for a third one to be sent.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(shared.batches(), [1; TRIPS_MAX], "each went at once, and no more");
            shared.gate.add_permits(1_000);
        };
        let both = async { tokio::join!(asking, watching) };
        let ended = tokio::time::timeout(Duration::from_secs(30), both).await;
        let (judged, ()) = ended.expect("two trips are under way at once");
        assert_eq!(shared.batches(), [1, 1, BATCH_MAX, LATER - BATCH_MAX]);
        let degraded = |judged: &Option<Judged>| {
            judged.as_ref().is_none_or(|judged| !judged.assessment.degraded.is_empty())
        };
        assert!(!judged.iter().any(degraded), "each has its answer");
    }
}

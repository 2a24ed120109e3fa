//! A fraud actor: a shell around [`Bench`], one on each thread that runs carts, so that asking it
//! costs no hop.

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, ResponseFuture, WrapFuture};
use std::sync::Arc;
use tokio::sync::oneshot;

use super::{
    assessment::{Degraded, Outcome},
    bench::{Bench, Judged},
    event::Event,
    messages::{Failed, Judge},
    registry::Threads,
    signals::Signals,
    velocity::{Passing, Velocity},
};

/// Attempts in one round trip. More at once are no faster each, and the last of them would wait for
/// all.
const BATCH_MAX: usize = 8;

struct Waiting {
    signals: Arc<Signals>,
    passing: Passing,
    reply: oneshot::Sender<Judged>,
}

/// The actor. It answers from this process's memory at once; where replicas share one, what comes
/// while a round trip is under way goes with the next.
pub struct FraudActor {
    bench: Arc<Bench>,
    threads: Threads,
    waiting: Vec<Waiting>,
    failed: Vec<Event>,
    under_way: bool,
}

impl FraudActor {
    /// An actor of this bench.
    pub fn new(bench: Arc<Bench>, threads: Threads) -> Self {
        Self { bench, threads, waiting: Vec::new(), failed: Vec::new(), under_way: false }
    }

    /// Sends what waits to the shared memory, unless something is on its way.
    fn send(&mut self, shared: &Arc<dyn Velocity>, ctx: &mut Context<Self>) {
        if self.under_way || (self.waiting.is_empty() && self.failed.is_empty()) {
            return;
        }
        self.under_way = true;
        let rest = self.waiting.split_off(self.waiting.len().min(BATCH_MAX));
        let batch = std::mem::replace(&mut self.waiting, rest);
        let failed = std::mem::take(&mut self.failed);
        let (bench, shared) = (self.bench.clone(), shared.clone());
        let again = shared.clone();
        let work = async move {
            let failures = judge_together(&bench, &*shared, batch).await;
            let failed: Vec<Event> = failed.into_iter().chain(failures).collect();
            if !failed.is_empty() {
                // A fault is the circuit's to count; failures are then known here alone.
                let _gone = shared.failed(&failed).await;
            }
        };
        ctx.spawn(work.into_actor(self).map(move |(), act, ctx| {
            act.under_way = false;
            act.send(&again, ctx);
        }));
    }
}

/// One round trip for all of them. Without it each is judged on what this process remembers, and
/// says so. Returns those that were declined: they count as failures.
async fn judge_together(bench: &Bench, shared: &dyn Velocity, batch: Vec<Waiting>) -> Vec<Event> {
    let passing: Vec<Passing> = batch.iter().map(|waiting| waiting.passing.clone()).collect();
    let recalled = match passing.is_empty() {
        true => Ok(Vec::new()),
        false => shared.pass(&passing).await,
    };
    // Noted here in any case, so that something is known when the others are not to be reached.
    let local = bench.local.pass_now(&passing);
    let mut failed = Vec::new();
    for (place, (waiting, local)) in batch.into_iter().zip(local).enumerate() {
        let Waiting { signals, passing, reply } = waiting;
        let judged = match recalled.as_ref().ok().and_then(|recalled| recalled.get(place)) {
            Some(recalled) => bench.judge(&signals, passing, recalled, Vec::new()),
            None => bench.judge(&signals, passing, &local, vec![Degraded::Velocity]),
        };
        failed.extend(came_to_nothing(bench, &judged));
        let _gone = reply.send(judged);
    }
    failed
}

/// A payment that is declined here has failed as much as one that a bank declined.
fn came_to_nothing(bench: &Bench, judged: &Judged) -> Option<Event> {
    let event = judged.event.as_ref().filter(|_| judged.counted)?;
    if judged.outcome != Outcome::Decline {
        return None;
    }
    bench.failed_here(event);
    Some(event.clone())
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
        let passing = self.bench.passing(&signals, &tried);
        let Some(shared) = self.bench.shared.clone() else {
            let memory = self.bench.local.pass_now(std::slice::from_ref(&passing));
            let memory = memory.into_iter().next().unwrap_or_default();
            let judged = self.bench.judge(&signals, passing, &memory, Vec::new());
            came_to_nothing(&self.bench, &judged);
            return Box::pin(std::future::ready(judged));
        };
        let (reply, judged) = oneshot::channel();
        let bench = self.bench.clone();
        let known = signals.clone();
        self.waiting.push(Waiting { signals, passing, reply });
        self.send(&shared, ctx);
        Box::pin(async move { judged.await.unwrap_or_else(|_| bench.out_of_time(&known)) })
    }
}

impl Handler<Failed> for FraudActor {
    type Result = ();

    fn handle(&mut self, msg: Failed, ctx: &mut Self::Context) {
        self.bench.failed_here(&msg.0);
        if let Some(shared) = self.bench.shared.clone() {
            self.failed.push(msg.0);
            self.send(&shared, ctx);
        }
    }
}

//! The fraud actors of all threads, and the one way to ask them.

use actix::{Actor, Addr, ArbiterHandle};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
};

use super::{
    actor::FraudActor,
    assessment::Assessment,
    bench::{Bench, Judged},
    messages::{Failed, Judge},
    policy::FraudMode,
    signals::Signals,
};
use crate::{
    base::{AttemptId, CheckoutId, Timestamp},
    ledger::LedgerFault,
    telemetry::metrics,
};

/// Which actor runs on which thread.
#[derive(Clone, Default)]
pub struct Threads(Arc<RwLock<HashMap<ThreadId, Addr<FraudActor>>>>);

impl Threads {
    /// This thread's actor is this one.
    pub fn enter(&self, actor: Addr<FraudActor>) {
        let mut threads = self.0.write().unwrap_or_else(PoisonError::into_inner);
        threads.insert(thread::current().id(), actor);
    }

    /// The living actor of this thread, once it has entered.
    fn own(&self) -> Option<Addr<FraudActor>> {
        let threads = self.0.read().unwrap_or_else(PoisonError::into_inner);
        threads.get(&thread::current().id()).filter(|actor| actor.connected()).cloned()
    }
}

/// One payment that waits, however its waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn on(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Judges payments.
pub struct Fraud {
    bench: Arc<Bench>,
    threads: Threads,
    arbiters: Vec<ArbiterHandle>,
    /// One for each arbiter. It takes questions before it has entered its thread.
    actors: RwLock<Vec<Addr<FraudActor>>>,
    waiting: AtomicUsize,
}

impl Fraud {
    /// Starts an actor on each of these arbiters; without any, one on this thread.
    pub fn start(bench: Arc<Bench>, arbiters: Vec<ArbiterHandle>) -> Self {
        let (threads, waiting) = (Threads::default(), AtomicUsize::new(0));
        let fraud = Self { bench, threads, arbiters, actors: RwLock::default(), waiting };
        fraud.start_actors();
        fraud
    }

    /// Starts an actor wherever none is alive.
    fn start_actors(&self) {
        let mut actors = self.actors.write().unwrap_or_else(PoisonError::into_inner);
        for place in 0..self.arbiters.len().max(1) {
            if actors.get(place).is_some_and(Addr::connected) {
                continue;
            }
            let actor = FraudActor::new(self.bench.clone(), self.threads.clone());
            let started = match self.arbiters.get(place) {
                Some(arbiter) => FraudActor::start_in_arbiter(arbiter, move |_| actor),
                None => {
                    let own = actor.start();
                    self.threads.enter(own.clone());
                    own
                }
            };
            match actors.get_mut(place) {
                Some(dead) => *dead = started,
                None => actors.push(started),
            }
        }
    }

    /// The actor of this thread, else any.
    fn near(&self) -> Option<Addr<FraudActor>> {
        self.threads.own().or_else(|| {
            let actors = self.actors.read().unwrap_or_else(PoisonError::into_inner);
            actors.iter().find(|actor| actor.connected()).cloned()
        })
    }

    /// How many payments wait to be judged.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many actors there are.
    pub fn live_count(&self) -> usize {
        self.actors.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the actors share.
    pub const fn bench(&self) -> &Arc<Bench> {
        &self.bench
    }

    /// Judges a payment within the policy's deadline. None when judging is off.
    pub async fn assess(&self, mut signals: Signals, tried: &[(u64, Timestamp)]) -> Option<Judged> {
        let policy = &self.bench.policy;
        if policy.mode == FraudMode::Off {
            return None;
        }
        let began = self.bench.now();
        self.bench.whereabouts().locate(&mut signals);
        let signals = Arc::new(signals);
        let judge = Judge { signals: signals.clone(), tried: tried.to_vec() };
        let waiting = Waiting::on(&self.waiting);
        let judged = match self.near() {
            Some(actor) => tokio::time::timeout(policy.deadline, actor.send(judge)).await,
            None => Ok(Err(actix::MailboxError::Closed)),
        };
        drop(waiting);
        let mut judged = match judged {
            Ok(Ok(judged)) => judged,
            Ok(Err(_)) => {
                self.start_again();
                self.bench.out_of_time(&signals)
            }
            Err(_) => self.bench.out_of_time(&signals),
        };
        let took = self.bench.now().since(began);
        judged.assessment.latency_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        metrics::fraud_latency(took);
        Some(judged)
    }

    /// A second look at a payment, on what the issuer said; None when no rule for it matches.
    pub fn look_again(&self, mut signals: Signals, first: Option<&Assessment>) -> Option<Judged> {
        self.bench.whereabouts().locate(&mut signals);
        self.bench.look_again(&signals, first)
    }

    /// The judgement that an attempt began with, as the ledger keeps it; none when there is none,
    /// or when it was made with other features.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn judged_before(
        &self,
        checkout: CheckoutId,
        attempt: AttemptId,
    ) -> Result<Option<Judged>, LedgerFault> {
        self.bench.judged_before(checkout, attempt).await
    }

    /// A payment that was let through has come to nothing at the gateway.
    pub async fn failed(&self, judged: &Judged) {
        if judged.event.is_none() || !judged.counted {
            return;
        }
        if let Some(actor) = self.near() {
            let (told, storefront) = (judged.told.clone(), judged.storefront.clone());
            let _dead = actor.send(Failed { told, storefront }).await;
        }
    }

    /// A payment was authorized.
    pub fn succeeded(&self, judged: &Judged) {
        self.bench.succeeded(judged);
    }

    /// A fraud actor died: another one takes its place.
    fn start_again(&self) {
        tracing::error!("a fraud actor died; another one is started");
        self.start_actors();
    }
}

//! Velocity in this process's memory, for one replica without Redis. What it forgets with the
//! process, whoever starts it tells it again from the ledger.

use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Passing, Recalled, Velocity, VelocityFault, known_by};
use crate::{
    base::Timestamp,
    fraud::{
        event::{Event, Label},
        features::{Engine, InProcess, Layout, Recall},
    },
};

/// The engine that trained, under a lock. It never waits for anybody: a turn takes microseconds.
#[derive(Debug)]
pub struct InProcessVelocity {
    engine: Mutex<Engine>,
    /// Whether features ask for a kind.
    recalls: Vec<bool>,
}

impl InProcessVelocity {
    /// A memory of at most so many entities that has seen nothing.
    pub fn new(layout: Arc<Layout>, limit: usize) -> Self {
        let recalls = (0..layout.entities.len()).map(|kind| layout.recalls(kind)).collect();
        Self { engine: Mutex::new(Engine::new(layout, InProcess::new(limit))), recalls }
    }

    /// As [`Velocity::pass`], in the same turn.
    pub fn pass_now(&self, batch: &[Passing]) -> Vec<Recalled> {
        let mut engine = self.open();
        let pass = |passing: &Passing| {
            engine.advance(passing.event.at);
            let recalled = self.recall(&engine, &passing.event);
            if passing.counts {
                engine.note(&passing.event);
            }
            recalled
        };
        batch.iter().map(pass).collect()
    }

    /// Notes attempts of the past, in their order, and reads nothing: for a start from the ledger.
    pub fn remember(&self, past: &[Passing]) {
        let mut engine = self.open();
        for Passing { event, .. } in past.iter().filter(|passing| passing.counts) {
            engine.advance(event.at);
            engine.note(event);
            if event.failed {
                engine.failed(event);
            }
        }
    }

    /// As [`Velocity::failed`], in the same turn.
    pub fn failed_now(&self, events: &[Event]) {
        let mut engine = self.open();
        events.iter().for_each(|event| engine.failed(event));
    }

    /// As [`Velocity::learn`], in the same turn.
    pub fn learn_now(&self, event: &Event, label: Label, now: Timestamp) {
        self.open().learn(event, known_by(label, now));
    }

    /// As [`Velocity::found_out`], in the same turn.
    pub fn found_out_now(&self, event: &Event, at: Timestamp) {
        self.open().found_out(event, at);
    }

    /// As [`Velocity::taken_back`], in the same turn.
    pub fn taken_back_now(&self, event: &Event, found_at: Timestamp, now: Timestamp) {
        self.open().taken_back(event, found_at, now);
    }

    /// How many entities were forgotten before their time, because memory is bounded.
    pub fn forgotten(&self) -> u64 {
        self.open().memory().forgotten()
    }

    fn recall(&self, engine: &Engine, event: &Event) -> Recalled {
        let entities = event.entities().filter_map(|(kind, key)| {
            let place = usize::from(kind);
            let entity = self.recalls[place].then(|| engine.memory().recall(place, key))??;
            Some((kind, key, entity.clone()))
        });
        Recalled { entities: entities.collect() }
    }

    fn open(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Velocity for InProcessVelocity {
    async fn pass(&self, batch: &[Passing]) -> Result<Vec<Recalled>, VelocityFault> {
        Ok(self.pass_now(batch))
    }

    async fn failed(&self, events: &[Event]) -> Result<(), VelocityFault> {
        self.failed_now(events);
        Ok(())
    }

    async fn learn(
        &self,
        event: &Event,
        label: Label,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        self.learn_now(event, label, now);
        Ok(())
    }

    async fn found_out(&self, event: &Event, at: Timestamp) -> Result<(), VelocityFault> {
        self.found_out_now(event, at);
        Ok(())
    }

    async fn taken_back(
        &self,
        event: &Event,
        found_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        self.taken_back_now(event, found_at, now);
        Ok(())
    }

    fn is_up(&self) -> bool {
        true
    }
}

//! Velocity in this process's memory, for one replica without Redis. What it forgets with the
//! process, whoever starts it tells it again from the ledger.

use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Passing, Recalled, Velocity, VelocityFault, known_by};
use crate::{
    base::Timestamp,
    fraud::{
        event::{Event, Label},
        features::{Engine, InProcess, Layout, Recall},
    },
};

/// What happens while the past is still being told waits in its order, this much of it at most:
/// some minutes of a busy shop, 30 MB. The oldest are then lost to the memory.
const HELD_MAX: usize = 100_000;

/// The engine that trained, under a lock. It never waits for anybody: a turn takes microseconds.
#[derive(Debug)]
pub struct InProcessVelocity {
    engine: Mutex<State>,
    /// Whether features ask for a kind.
    recalls: Vec<bool>,
    limit: usize,
}

#[derive(Debug)]
struct State {
    engine: Engine,
    /// What happened since the building began; none when the memory is whole.
    held: Option<VecDeque<Held>>,
}

/// What waits until the past was told.
#[derive(Debug)]
enum Held {
    Attempt(Event),
    Failure(Event),
}

impl State {
    fn hold(&mut self, event: Held) {
        let Some(held) = &mut self.held else { return };
        if held.len() == HELD_MAX {
            held.pop_front();
        }
        held.push_back(event);
    }
}

impl InProcessVelocity {
    /// A memory of at most so many entities that has seen nothing.
    pub fn new(layout: Arc<Layout>, limit: usize) -> Self {
        let recalls = (0..layout.entities.len()).map(|kind| layout.recalls(kind)).collect();
        let state = State { engine: Engine::new(layout, InProcess::new(limit)), held: None };
        Self { engine: Mutex::new(state), recalls, limit }
    }

    /// The same, to be told the past first: until [`end_building`](Self::end_building) it recalls
    /// nothing, and what happens waits.
    #[must_use]
    pub fn to_be_built(self) -> Self {
        self.open().held = Some(VecDeque::new());
        self
    }

    /// Forgets what it was told of the past, to be told from the beginning.
    pub fn begin_building(&self) {
        let mut state = self.open();
        let layout = state.engine.layout().clone();
        state.engine = Engine::new(layout, InProcess::new(self.limit));
    }

    /// The past was told: what happened since is noted, and all of it is recalled from now on.
    pub fn end_building(&self) {
        let mut state = self.open();
        for event in state.held.take().unwrap_or_default() {
            match event {
                Held::Attempt(event) => {
                    state.engine.advance(event.at);
                    state.engine.note(&event);
                }
                Held::Failure(event) => state.engine.failed(&event),
            }
        }
    }

    /// As [`Velocity::pass`], in the same turn. None while it is being built.
    pub fn pass_if_whole(&self, batch: &[Passing]) -> Option<Vec<Recalled>> {
        let mut state = self.open();
        if state.held.is_some() {
            for passing in batch.iter().filter(|passing| passing.counts) {
                state.hold(Held::Attempt(passing.event.clone()));
            }
            return None;
        }
        let engine = &mut state.engine;
        let pass = |passing: &Passing| {
            engine.advance(passing.event.at);
            let recalled = self.recall(engine, &passing.event);
            if passing.counts {
                engine.note(&passing.event);
            }
            recalled
        };
        Some(batch.iter().map(pass).collect())
    }

    /// As [`Velocity::pass`], in the same turn. Nothing is recalled while it is being built.
    pub fn pass_now(&self, batch: &[Passing]) -> Vec<Recalled> {
        self.pass_if_whole(batch).unwrap_or_else(|| vec![Recalled::default(); batch.len()])
    }

    /// Notes attempts of the past, in their order, and reads nothing: for a start from the ledger.
    pub fn remember(&self, past: &[Passing]) {
        let engine = &mut self.open().engine;
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
        let mut state = self.open();
        for event in events {
            match state.held.is_some() {
                true => state.hold(Held::Failure(event.clone())),
                false => state.engine.failed(event),
            }
        }
    }

    /// As [`Velocity::learn`], in the same turn.
    pub fn learn_now(&self, event: &Event, label: Label, now: Timestamp) {
        self.open().engine.learn(event, known_by(label, now));
    }

    /// As [`Velocity::found_out`], in the same turn.
    pub fn found_out_now(&self, event: &Event, at: Timestamp) {
        self.open().engine.found_out(event, at);
    }

    /// As [`Velocity::taken_back`], in the same turn.
    pub fn taken_back_now(&self, event: &Event, found_at: Timestamp, now: Timestamp) {
        self.open().engine.taken_back(event, found_at, now);
    }

    /// How many entities were forgotten before their time, because memory is bounded.
    pub fn forgotten(&self) -> u64 {
        self.open().engine.memory().forgotten()
    }

    fn recall(&self, engine: &Engine, event: &Event) -> Recalled {
        let entities = event.entities().filter_map(|(kind, key)| {
            let place = usize::from(kind);
            let entity = self.recalls[place].then(|| engine.memory().recall(place, key))??;
            Some((kind, key, entity.clone()))
        });
        Recalled { entities: entities.collect() }
    }

    fn open(&self) -> MutexGuard<'_, State> {
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

    fn is_whole(&self) -> bool {
        self.open().held.is_none()
    }
}

//! What judges at one time: the models with their features, and the memories that these read.
//!
//! ```text
//!  models  live, and perhaps one that is watched
//!  memories  [live] [the former one, which the guard asks until the live one is whole] [watched]
//! ```
//! It is replaced as a whole. An attempt that began with one ends with it: its events are read for
//! just these memories.

use std::sync::Arc;

use super::{
    event::Event,
    feature_set::FeatureSet,
    features::engine::RETRY_MICROS,
    guard::Guarded,
    memory::Memory,
    serving::Serving,
    signals::Signals,
    velocity::{Passing, Recalled},
};
use crate::base::Timestamp;

/// What judges at one time.
#[derive(Debug)]
pub struct Setup {
    /// The models.
    pub serving: Arc<Serving>,
    /// The live model's first; each once.
    memories: Vec<Arc<Memory>>,
    /// Which of them the guard asks, and what it looks at there.
    guard: (usize, Guarded),
    /// Which of them a watched model asks that reads other features.
    watched: usize,
}

/// An attempt on its way through the memories.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What judges it.
    pub setup: Arc<Setup>,
    /// As each of the memories sees it.
    pub passings: Vec<Passing>,
}

/// An attempt as a memory was told of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which memory.
    pub memory: Arc<Memory>,
    /// The attempt.
    pub event: Event,
    /// Whether it was told where replicas remember.
    pub everywhere: bool,
}

/// What one memory recalled of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Recollected {
    /// What it recalled.
    pub recalled: Recalled,
    /// Whether that is all there is.
    pub is_whole: bool,
}

impl Setup {
    /// These models over one memory.
    pub fn new(serving: Serving, memory: Arc<Memory>) -> Self {
        let guard = (0, Guarded::of(&memory.set.remembered));
        Self { serving: Arc::new(serving), memories: vec![memory], guard, watched: 0 }
    }

    /// The next one, with other models. Memories that there are stay; those that there are not are
    /// opened. Until the live model's is whole, the guard goes on with the one it has.
    ///
    /// # Errors
    /// When a memory cannot be opened.
    pub fn next<E>(
        &self,
        serving: Serving,
        open: impl Fn(&Arc<FeatureSet>) -> Result<Arc<Memory>, E>,
    ) -> Result<Self, E> {
        let find = |set: &Arc<FeatureSet>| {
            let known = self.memories.iter().find(|memory| memory.set.remembers_as(set));
            known.map_or_else(|| open(set), |known| Ok(known.clone()))
        };
        let mut next = {
            let memory = find(serving.set())?;
            Self::new(serving, memory)
        };
        let (guards, _) = self.guard;
        let former = &self.memories[guards];
        if !next.memories[0].is_whole() && former.is_whole() {
            next.guard = (next.place(former), Guarded::of(&former.set.remembered));
        }
        if let Some(watched) = next.serving.watched_apart() {
            let memory = find(&watched.set)?;
            next.watched = next.place(&memory);
        }
        Ok(next)
    }

    /// The same once the live model's memory is whole: the guard asks it from now on. None while
    /// it is not, or when it does already.
    pub fn settled(&self) -> Option<Self> {
        if self.guard.0 == 0 || !self.memories[0].is_whole() {
            return None;
        }
        let mut next = Self {
            serving: self.serving.clone(),
            memories: vec![self.memories[0].clone()],
            guard: (0, Guarded::of(&self.memories[0].set.remembered)),
            watched: 0,
        };
        next.watched = next.place(&self.memories[self.watched]);
        Some(next)
    }

    /// Where this memory stands; behind the others if it is new.
    fn place(&mut self, memory: &Arc<Memory>) -> usize {
        let found = self.memories.iter().position(|known| Arc::ptr_eq(known, memory));
        found.unwrap_or_else(|| {
            self.memories.push(memory.clone());
            self.memories.len() - 1
        })
    }

    /// The memories, the live model's first.
    pub fn memories(&self) -> &[Arc<Memory>] {
        &self.memories
    }

    /// The live model's memory.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memories[0]
    }

    /// What the guard looks at, and in which memory.
    pub const fn guard(&self) -> (usize, Guarded) {
        self.guard
    }

    /// Which memory a model asks that is watched and reads other features than the live one.
    pub const fn watched(&self) -> usize {
        self.watched
    }

    /// Whether replicas remember together.
    pub fn is_shared(&self) -> bool {
        self.memories.iter().any(|memory| memory.shared.is_some())
    }

    /// The attempt as each of the memories sees it. Instruments tried before in this cart tell
    /// retries.
    pub fn attempt(self: &Arc<Self>, signals: &Signals, tried: &[(u64, Timestamp)]) -> Attempt {
        let passing = |(place, memory): (usize, &Arc<Memory>)| {
            // Plain facts are the live model's, whoever opened its memory.
            let set = if place == 0 { self.serving.set() } else { &memory.set };
            let event = set.reader().event(signals);
            let retry = event.attempt.is_some_and(|key| {
                let last = tried.iter().find(|(tried, _)| *tried == key.raw()).map(|(_, at)| *at);
                last.is_some_and(|last| event.at.micros() - last.micros() <= RETRY_MICROS)
            });
            Passing { event, counts: !retry }
        };
        let passings = self.memories.iter().enumerate().map(passing).collect();
        Attempt { setup: self.clone(), passings }
    }
}

impl Attempt {
    /// What was told to which memory, given how each recalled it.
    pub fn told(&self, recalled: &[Recollected]) -> Vec<Told> {
        let memories = self.setup.memories.iter().zip(&self.passings).zip(recalled);
        let told = |((memory, passing), recalled): ((&Arc<Memory>, &Passing), &Recollected)| Told {
            memory: memory.clone(),
            event: passing.event.clone(),
            everywhere: recalled.is_whole,
        };
        memories.map(told).collect()
    }
}

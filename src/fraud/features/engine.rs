//! Features over time: reads an event's, then notes it, and lets labels in when they are due.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{
    declared::Layout,
    entity::Labels,
    memory::{InProcess, Recall},
    payments::{Keeps, Paid},
};
use crate::{
    base::Timestamp,
    fraud::event::{Event, Key, Label},
};

/// Attempts of one instrument in one cart count once until there was none for so long.
pub const RETRY_MICROS: i64 = 60 * 60 * 1_000_000;

/// The kind under which retries are remembered, beside the layout's own.
const RETRIES: u8 = u8::MAX;

/// Whether an attempt counts, or is a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It counts.
    Yes,
    /// The same instrument in the same cart was counted a moment ago.
    Retry,
}

/// The engine over the memory of this process.
///
/// Order is defined: events count in the order in which they are given, also those of one moment;
/// a label due at a moment is known to every event of it.
#[derive(Debug)]
pub struct Engine {
    layout: Arc<Layout>,
    partners: Vec<Vec<usize>>,
    learns: Vec<bool>,
    keeps: Vec<Keeps>,
    counts_failures: bool,
    memory: InProcess,
    waiting: BinaryHeap<Reverse<Due>>,
    sequence: u64,
}

/// Labels that are due at a moment, in the order in which their events came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    sequence: u64,
    keys: Box<[(u8, Key)]>,
    paid: Paid,
    due: u32,
    frauds: u32,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(layout: Arc<Layout>, memory: InProcess) -> Self {
        let kinds = 0..layout.entities.len();
        Self {
            partners: kinds.clone().map(|kind| layout.partners(kind)).collect(),
            learns: kinds.clone().map(|kind| layout.learns(kind)).collect(),
            keeps: kinds.map(|kind| layout.keeps(kind)).collect(),
            counts_failures: layout.counts_failures(),
            layout,
            memory,
            waiting: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// What the features are.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// What is remembered.
    pub fn memory(&self) -> &InProcess {
        &self.memory
    }

    /// One event of a history, whole: appends its features to `out`, then notes it, its outcome
    /// and its label. Serving does the same in steps.
    pub fn pass(&mut self, event: &Event, label: Option<Label>, out: &mut Vec<f32>) {
        self.advance(event.at);
        self.features(event, out);
        let counted = self.observe(event);
        if event.failed && counted == Counted::Yes {
            self.failed(event);
        }
        if let Some(label) = label {
            self.learn(event, label);
        }
    }

    /// Lets in the labels that are due by now.
    pub fn advance(&mut self, now: Timestamp) {
        while self.waiting.peek().is_some_and(|Reverse(next)| next.at <= now) {
            let Some(Reverse(next)) = self.waiting.pop() else { return };
            let learned = Labels { due: next.due, frauds: next.frauds };
            for (kind, key) in next.keys {
                let paid = self.outcome(kind, next.paid);
                self.memory.entity(kind, key, next.at).note_outcome(next.at, learned, paid);
            }
        }
    }

    /// The payment, where outcomes of the kind are kept.
    fn outcome(&self, kind: u8, paid: Paid) -> Option<Paid> {
        self.keeps[usize::from(kind)].has(Keeps::OUTCOMES).then_some(paid)
    }

    /// Appends the features of an event that is not noted yet.
    pub fn features(&self, event: &Event, out: &mut Vec<f32>) {
        self.layout.compute(event, &self.memory, out);
    }

    /// Notes an attempt.
    pub fn observe(&mut self, event: &Event) -> Counted {
        if let Some(attempt) = event.attempt {
            let before = self.memory.recall(usize::from(RETRIES), attempt);
            let last = before.and_then(|before| before.last_seen(event.at));
            let entity = self.memory.entity(RETRIES, attempt, event.at);
            entity.note(event.at, None, std::iter::empty());
            if last.is_some_and(|last| event.at.micros() - last.micros() <= RETRY_MICROS) {
                return Counted::Retry;
            }
        }
        self.note(event);
        Counted::Yes
    }

    /// Notes an attempt that counts, by the word of whoever knows its cart.
    pub fn note(&mut self, event: &Event) {
        for (kind, key) in event.entities() {
            let partners = event.partners(&self.partners[usize::from(kind)]);
            let keeps = self.keeps[usize::from(kind)];
            let entity = self.memory.entity(kind, key, event.at);
            entity.note_payment(event.at, event.amount, partners, keeps);
        }
    }

    /// Notes that an attempt that counted has failed.
    pub fn failed(&mut self, event: &Event) {
        if self.counts_failures {
            for (kind, key) in event.entities() {
                self.memory.entity(kind, key, event.at).note_failure(event.at);
            }
        }
    }

    /// Takes an event's label, to be used from its delay on, and as fraud from when it is known.
    pub fn learn(&mut self, event: &Event, label: Label) {
        for (at, learned) in self.layout.dues(event, label) {
            self.wait(at, event, learned);
        }
    }

    /// An attempt whose label was good until now turns out to be fraud: it counts as one from `at`
    /// on, though not before its delay, and not as due once more.
    pub fn found_out(&mut self, event: &Event, at: Timestamp) {
        let (at, learned) = self.layout.found_out(event, at);
        self.wait(at, event, learned);
    }

    /// A fraud that was found out at this moment was none after all. Labels due by now are let in
    /// first: it may be among them. One that waits still is taken back when its time has come.
    pub fn taken_back(&mut self, event: &Event, found_at: Timestamp, now: Timestamp) {
        self.advance(now);
        let (from, back) = self.layout.taken_back(event, found_at);
        if from > now {
            return self.wait(from, event, back);
        }
        for (kind, key) in self.taught(event) {
            let paid = self.outcome(kind, event.paid());
            self.memory.entity(kind, key, now).note_outcome(from, back, paid);
        }
    }

    /// The entities that learn from an event's label.
    fn taught(&self, event: &Event) -> Box<[(u8, Key)]> {
        event.entities().filter(|(kind, _)| self.learns[usize::from(*kind)]).collect()
    }

    fn wait(&mut self, at: Timestamp, event: &Event, learned: Labels) {
        let (keys, paid) = (self.taught(event), event.paid());
        if !keys.is_empty() {
            self.sequence += 1;
            let (Labels { due, frauds }, sequence) = (learned, self.sequence);
            self.waiting.push(Reverse(Due { at, sequence, keys, paid, due, frauds }));
        }
    }
}

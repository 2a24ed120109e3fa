//! Features of the ledger's past, computed anew: what was judged with one schema becomes training
//! rows of another.
//!
//! Judgements pass in their order through the engine that serves, with their labels. Keys of
//! entities that the schema of then had are read from the judgement, and so are its plain facts.
//! What it did not have is read from the checkout again, as long as its person and session are
//! known; after that it is missing, and counted here.

use std::collections::BTreeMap;

use crate::fraud::{
    bench::Written,
    event::Label,
    feature_set::FeatureSet,
    features::{Engine, InProcess},
    history::Past,
    schemas::Schemas,
    signals::Signals,
};

/// Passes the past through one schema's features.
#[derive(Debug)]
pub struct Replayed<'a> {
    set: &'a FeatureSet,
    schemas: &'a Schemas,
    engine: Engine,
    /// What could not be made, by the names of entities and facts, and for how many attempts.
    pub lacking: BTreeMap<String, u64>,
    /// Attempts with these features recorded.
    pub recorded: u64,
    /// Attempts whose features were computed anew.
    pub replayed: u64,
    /// Attempts that were judged with a schema that nobody kept, or that could not be judged.
    pub passed: u64,
}

impl<'a> Replayed<'a> {
    /// Nothing has passed yet. Remembers this many entities at most.
    pub fn new(set: &'a FeatureSet, schemas: &'a Schemas, memory: usize) -> Self {
        Self {
            set,
            schemas,
            engine: Engine::new(set.remembered.clone(), InProcess::new(memory)),
            lacking: BTreeMap::new(),
            recorded: 0,
            replayed: 0,
            passed: 0,
        }
    }

    /// Whether what was kept of a judgement is not all that the features need, so that its checkout
    /// has to be read.
    pub fn needs_signals(&self, written: &Written) -> bool {
        written.event.is_some() && written.assessment.features_hash != self.set.hash
    }

    /// The features of one attempt, which is then remembered with its label. None when they cannot
    /// be made at all.
    pub fn pass(
        &mut self,
        past: &Past,
        written: &Written,
        signals: Option<&Signals>,
    ) -> Option<Vec<f32>> {
        let judged = &written.assessment;
        let from = self.schemas.find(&judged.features_hash);
        let (Some(kept), Some(from)) = (&written.event, from) else {
            self.passed += 1;
            return None;
        };
        let read = signals.map(|signals| self.set.reader().event(signals));
        let places = self.set.places_in(&from);
        let keys = match kept.others.get(&self.set.memory) {
            Some(keys) => self.set.places_in(self.set).keys(keys),
            None => places.keys(&kept.keys),
        };
        let mut event = kept.with(keys, past.at, past.failed);
        if let (Some(signals), false) = (signals, kept.others.contains_key(&self.set.memory)) {
            places.fill(&mut event, self.set, signals);
        }
        let known = self.set.numbers_from(&from, &judged.features);
        let fact = |(place, known): (usize, &Option<f32>)| {
            known.or_else(|| read.as_ref().map(|read| read.numbers[place])).unwrap_or(f32::NAN)
        };
        event.numbers = known.iter().enumerate().map(fact).collect();
        self.engine.advance(event.at);
        let is_recorded = judged.features_hash == self.set.hash
            && judged.features.len() == self.set.layout.features.len();
        let values = match is_recorded {
            true => judged.features.clone(),
            false => {
                let mut values = Vec::with_capacity(self.set.layout.features.len());
                self.set.layout.compute(&event, self.engine.memory(), &mut values);
                values
            }
        };
        if kept.counted {
            self.engine.note(&event);
            if event.failed {
                self.engine.failed(&event);
            }
        }
        if past.placed {
            let fraud = past.label.as_ref().filter(|label| label.fraud);
            let label = Label { fraud: fraud.is_some(), known_at: fraud.map(|label| label.at) };
            self.engine.learn(&event, label);
        }
        match is_recorded {
            true => self.recorded += 1,
            false => {
                self.replayed += 1;
                if read.is_none() {
                    self.count_lacking(&from, &known);
                }
            }
        }
        Some(values)
    }

    fn count_lacking(&mut self, from: &FeatureSet, known: &[Option<f32>]) {
        let kinds = self.set.layout.entities.iter().filter(|kind| {
            !from.remembered.entities.iter().any(|other| other.columns == kind.columns)
        });
        let facts = self.set.layout.numbers.iter().zip(known).filter(|(_, known)| known.is_none());
        let names = kinds.map(|kind| &kind.name).chain(facts.map(|(fact, _)| &fact.name));
        for name in names {
            *self.lacking.entry(name.clone()).or_default() += 1;
        }
    }
}

//! A history, replayed as serving goes: attempts in batches, outcomes and labels after them.

use doorbuster::{
    base::{Chance, SeededChance, Timestamp},
    fraud::{
        event::{Event, Key, Label},
        features::{Engine, InProcess, Layout, engine::RETRY_MICROS},
        velocity::{Passing, Velocity},
    },
};
use std::{collections::HashMap, sync::Arc};

/// An attempt with what became of it.
pub(super) type Told = (Event, Option<Label>);

/// What a cart knows of its instruments.
#[derive(Default)]
pub(super) struct Carts(HashMap<Key, Timestamp>);

impl Carts {
    pub(super) fn pass(&mut self, event: &Event) -> Passing {
        let before = event.attempt.and_then(|attempt| self.0.insert(attempt, event.at));
        let retry = |last: Timestamp| event.at.micros() - last.micros() <= RETRY_MICROS;
        Passing { event: event.clone(), counts: !before.is_some_and(retry) }
    }
}

/// How a history reaches velocity.
#[derive(Clone, Copy)]
pub(super) struct Turns {
    /// Attempts in one batch at most.
    pub(super) batch_max: u64,
    /// Ends a batch with each failure, so that all pass after it is known, as in training.
    pub(super) failures_end: bool,
    /// Labels that come after their attempt was taken for good; the others are learned at once.
    pub(super) found_out: bool,
    pub(super) seed: u64,
}

/// The features of each attempt. Whoever of `homes` has the turn takes the next batch.
pub(super) async fn replayed(
    layout: &Layout,
    homes: &[&dyn Velocity],
    history: &[Told],
    turns: Turns,
) -> Vec<Vec<f32>> {
    let chance = SeededChance::new(turns.seed);
    let (mut carts, mut rows) = (Carts::default(), Vec::new());
    let mut rest = history;
    while !rest.is_empty() {
        let most = usize::try_from(chance.below(turns.batch_max) + 1).expect("few");
        let failed = |(event, _): &Told| turns.failures_end && event.failed;
        let end = rest.iter().position(failed).map_or(rest.len(), |place| place + 1);
        // Attempts of one turn are moments apart: no label of one is due before another.
        let due = rest[0].0.at.plus(layout.label_delay);
        let before = rest.iter().take_while(|(event, _)| event.at < due).count();
        let (now, later) = rest.split_at(end.min(most).min(before.max(1)));
        rest = later;
        let home = || homes[usize::try_from(chance.below(homes.len() as u64)).expect("few")];
        let batch: Vec<Passing> = now.iter().map(|(event, _)| carts.pass(event)).collect();
        let recalled = home().pass(&batch).await.expect("it answers");
        assert_eq!(recalled.len(), batch.len());
        for (passing, recalled) in batch.iter().zip(&recalled) {
            let mut row = Vec::new();
            layout.compute(&passing.event, recalled, &mut row);
            rows.push(row);
        }
        let failed = batch.iter().filter(|passing| passing.counts && passing.event.failed);
        let failed: Vec<Event> = failed.map(|passing| passing.event.clone()).collect();
        home().failed(&failed).await.expect("it answers");
        for (event, label) in now {
            let Some(label) = *label else { continue };
            if turns.found_out && label.fraud {
                let good = Label { fraud: false, known_at: None };
                home().learn(event, good, event.at).await.expect("it answers");
                let at = label.known_at.unwrap_or(event.at);
                home().found_out(event, at).await.expect("it answers");
                // Somebody was wrong, and then right again.
                home().taken_back(event, at, event.at).await.expect("it answers");
                home().found_out(event, at).await.expect("it answers");
            } else {
                home().learn(event, label, event.at).await.expect("it answers");
            }
        }
    }
    rows
}

/// The features that training sees.
pub(super) fn trained(layout: &Arc<Layout>, history: &[Told]) -> Vec<Vec<f32>> {
    let mut engine = Engine::new(layout.clone(), InProcess::new(usize::MAX));
    let pass = |(event, label): &Told| {
        let mut row = Vec::new();
        engine.pass(event, *label, &mut row);
        row
    };
    history.iter().map(pass).collect()
}

/// Bit by bit.
#[track_caller]
pub(super) fn assert_same(layout: &Layout, seen: &[Vec<f32>], expected: &[Vec<f32>], who: &str) {
    assert_eq!(seen.len(), expected.len(), "{who}");
    for (number, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        for ((feature, seen), expected) in layout.features.iter().zip(seen).zip(expected) {
            let name = layout.name(*feature);
            assert_eq!(
                seen.to_bits(),
                expected.to_bits(),
                "{who}: {name} of attempt {number} is {seen} instead of {expected}"
            );
        }
    }
}

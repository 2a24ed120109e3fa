//! Hands labels to velocity when they are due, so that features know an entity's past frauds.
//!
//! An order is good until somebody says otherwise: after the layout's delay it is learned of, with
//! the label it has by then; a fraud that is told later is found out from then on. Attempts that
//! became no order teach nothing: nobody knows what they were.
//!
//! **Owns:** how far that has come. **Invariant:** each order is learned of once, and found out
//! once, by one replica where they share a memory; the place is written down before the teaching,
//! so that a crash between the two loses a page of labels rather than counting it twice. What a
//! later label takes back is no longer counted, however often an order changes sides.
//! **Not here:** keeping labels, which are facts of the [`ledger`](crate::ledger::review).

use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

use super::{
    bench::{Bench, Written},
    event::{Event, Label},
    history::{History, Past, Span},
    memory::Memory,
    policy::FraudMode,
    velocity::VelocityFault,
};
use crate::{
    base::{Clock, Timestamp},
    ledger::LedgerFault,
};

/// Judgements and labels read at once.
const PAGE: u32 = 500;

/// A step over history in a shared memory: what a crash may lose of it at most, together with the
/// pages in it.
const STEP: Duration = Duration::from_secs(60 * 60);

/// Labels older than the longest window that counts them teach nothing any more.
const LOOK_BACK: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far labels have been learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Grows by one with each step.
    pub round: u64,
    /// Orders judged before this have been learned of.
    pub judged_until: Timestamp,
    /// Labels up to this one have been heard.
    pub labels_until: i64,
}

/// Not everything could be learned; the next round goes on where this one ended.
#[derive(Debug, thiserror::Error)]
pub enum LearnFault {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The memory that replicas share.
    #[error(transparent)]
    Velocity(#[from] VelocityFault),
}

/// Learns from labels.
pub struct Learner {
    bench: Arc<Bench>,
    history: History,
    clock: Arc<dyn Clock>,
}

impl Learner {
    /// One that has learned nothing.
    pub fn new(bench: Arc<Bench>, history: History, clock: Arc<dyn Clock>) -> Self {
        Self { bench, history, clock }
    }

    /// Learns what has become due, and what was found out. Returns how many orders were heard of.
    ///
    /// # Errors
    /// When the ledger or the shared memory cannot be reached; the next round goes on.
    pub async fn round(&self) -> Result<usize, LearnFault> {
        if self.bench.policy.mode == FraudMode::Off {
            return Ok(0);
        }
        // Once: a clock that goes on would make every step one more.
        let (now, mut heard) = (self.clock.now(), 0);
        for memory in self.bench.setup().memories() {
            // While a memory is built anew nothing is taught, and then all of it once more.
            if memory.is_whole() {
                heard += self.teach(memory, now).await?;
            }
        }
        Ok(heard)
    }

    async fn teach(&self, memory: &Memory, now: Timestamp) -> Result<usize, LearnFault> {
        let mut own = memory.learned.lock().await;
        let mut heard = 0;
        let due = now.minus(memory.set.remembered.label_delay);
        loop {
            let place = match self.place(memory, *own, due).await? {
                Some(place) => place,
                None => continue,
            };
            let judged_until = place.judged_until.plus(step(memory)).min(due);
            let judged_until = judged_until.max(place.judged_until);
            let last = self.history.last_label().await?.max(place.labels_until);
            let next = Place { round: place.round + 1, judged_until, labels_until: last };
            if (next.judged_until, last) == (place.judged_until, place.labels_until) {
                *own = Some(place);
                return Ok(heard);
            }
            if memory.shared.is_some()
                && !self.history.move_place(memory.name(), place, next).await?
            {
                // Another replica has taken this step.
                return Ok(heard);
            }
            *own = Some(next);
            heard += self.learn(memory, (place, next), now).await?;
            heard += self.find_out(memory, (place, next), now).await?;
        }
    }

    /// Where learning stands; none when that was only just written down.
    async fn place(
        &self,
        memory: &Memory,
        own: Option<Place>,
        due: Timestamp,
    ) -> Result<Option<Place>, LedgerFault> {
        let is_shared = memory.shared.is_some();
        let found = match is_shared {
            true => self.history.place(memory.name()).await?,
            false => own,
        };
        if let Some(found) = found {
            return Ok(Some(found));
        }
        let labels_until = self.history.last_label().await?;
        let first = Place { round: 1, judged_until: due.minus(LOOK_BACK), labels_until };
        if !is_shared {
            return Ok(Some(first));
        }
        self.history.start_place(memory.name(), first).await?;
        Ok(None)
    }

    /// Orders whose delay is over, with the labels that were heard before.
    async fn learn(
        &self,
        memory: &Memory,
        (from, to): (Place, Place),
        now: Timestamp,
    ) -> Result<usize, LearnFault> {
        let labels_until = Some(from.labels_until);
        let span = Span { labels_until, ..Span::of(from.judged_until, to.judged_until) };
        let (mut cursor, mut heard) = (None, 0);
        loop {
            let page = self.history.list(span, cursor, PAGE).await?;
            let Some(last) = page.last() else { return Ok(heard) };
            cursor = Some(last.id);
            for past in page.iter().filter(|past| past.placed) {
                let Some(event) = self.event(memory, &past.written()?, past.at).await? else {
                    continue;
                };
                memory.learn(&event, label(past), now).await?;
                heard += 1;
            }
        }
    }

    /// Labels that say something else of orders than was believed when they were learned of, or
    /// since.
    async fn find_out(
        &self,
        memory: &Memory,
        (from, to): (Place, Place),
        now: Timestamp,
    ) -> Result<usize, LearnFault> {
        let (mut after, mut heard) = (from.labels_until, 0);
        loop {
            let page = self.history.list_labels(after, to.labels_until, PAGE).await?;
            let Some(last) = page.last() else { return Ok(heard) };
            after = last.seq;
            for label in page.iter().filter(|label| label.fraud != label.was_fraud()) {
                let judged = label.judged.as_ref().filter(|judged| judged.at < to.judged_until);
                let Some(judged) = judged else { continue };
                let damaged = |error| {
                    LedgerFault::Broken(format!("judgement {} does not read: {error}", judged.id))
                };
                let written = serde_json::from_str(judged.body.get()).map_err(damaged)?;
                let Some(event) = self.event(memory, &written, judged.at).await? else { continue };
                match label.before.as_ref().filter(|_| !label.fraud) {
                    Some(before) => memory.taken_back(&event, before.at, now).await?,
                    None => memory.found_out(&event, now).await?,
                }
                heard += 1;
            }
        }
    }

    /// The event again, as the memory takes it; none when nobody kept its schema.
    async fn event(
        &self,
        memory: &Memory,
        written: &Written,
        at: Timestamp,
    ) -> Result<Option<Event>, LedgerFault> {
        self.bench.schemas().look_up([&*written.assessment.features_hash]).await?;
        let passing = self.bench.translate(written, (at, false), &memory.set, None);
        Ok(passing.map(|passing| passing.event))
    }
}

/// A crash loses a memory of one's own whole: there, small steps would save nothing, and cost a
/// thousand questions at each start.
fn step(memory: &Memory) -> Duration {
    if memory.shared.is_some() { STEP } else { LOOK_BACK }
}

fn label(past: &Past) -> Label {
    let fraud = past.label.as_ref().filter(|label| label.fraud);
    Label { fraud: fraud.is_some(), known_at: fraud.map(|label| label.at) }
}

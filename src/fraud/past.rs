//! What a bench does with the past: remembers it at a start, reads it back, learns how it ended.

use super::{
    assessment::Assessment,
    bench::{Bench, Judged, Written},
    cases::Remembered,
    event::{Event, Label},
    links::LinkKeys,
    velocity::{Passing, VelocityFault},
};
use crate::{
    base::{AttemptId, CheckoutId, Timestamp},
    ledger::LedgerFault,
};

impl Bench {
    /// Remembers judgements of the past, in their order: what this process knew before it ended.
    /// Those made with other features are passed over. Returns how many were remembered.
    pub fn remember(&self, past: &[Remembered]) -> usize {
        let serving = self.serving();
        let read = past.iter().filter_map(|past| {
            let (judged, passing) = self.read_back(past)?;
            serving.note(past.row.at, &judged.features, judged.score);
            Some(passing)
        });
        let events: Vec<Passing> = read.collect();
        self.local.remember(&events);
        events.len()
    }

    /// A judgement of the past, and its attempt as memory takes it; none when it was made with
    /// other features.
    pub(super) fn read_back(&self, past: &Remembered) -> Option<(Assessment, Passing)> {
        let serving = self.serving();
        let Written { assessment, event, .. } =
            serde_json::from_str::<Written>(past.row.body.get()).ok()?;
        let event = event?;
        let same = assessment.features_hash == serving.features_hash
            && event.keys.len() == serving.layout.entities.len();
        same.then(|| {
            let counts = event.counted;
            (assessment, Passing { counts, event: event.read(past.row.at, past.failed) })
        })
    }

    /// The judgement that an attempt began with. What was judged with other features is no event
    /// that memory takes, and no snapshot that rules read.
    pub(super) async fn judged_before(
        &self,
        checkout: CheckoutId,
        attempt: AttemptId,
    ) -> Result<Option<Judged>, LedgerFault> {
        let Some(cases) = &self.cases else { return Ok(None) };
        let rows = cases.list_assessments(checkout).await?;
        let Some(row) = rows.into_iter().find(|row| row.attempt == Some(attempt)) else {
            return Ok(None);
        };
        let past = Remembered { row, failed: true };
        let read = self.read_back(&past);
        Ok(read.map(|(assessment, passing)| Judged {
            outcome: assessment.outcome,
            assessment,
            event: Some(passing.event),
            counted: passing.counts,
            storefront: Box::default(),
            links: LinkKeys::default(),
        }))
    }

    /// Learns of an order whose delay is over, where replicas remember.
    ///
    /// # Errors
    /// When what they share cannot be reached.
    pub async fn learn(
        &self,
        event: &Event,
        label: Label,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.learn(event, label, now).await,
            None => {
                self.local.learn_now(event, label, now);
                Ok(())
            }
        }
    }

    /// An order that was learned of as good turns out to be fraud.
    ///
    /// # Errors
    /// See [`Self::learn`].
    pub async fn found_out(&self, event: &Event, at: Timestamp) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.found_out(event, at).await,
            None => {
                self.local.found_out_now(event, at);
                Ok(())
            }
        }
    }

    /// An order that was fraud by what was found out at a moment is none after all.
    ///
    /// # Errors
    /// See [`Self::learn`].
    pub async fn taken_back(
        &self,
        event: &Event,
        found_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.taken_back(event, found_at, now).await,
            None => {
                self.local.taken_back_now(event, found_at, now);
                Ok(())
            }
        }
    }
}

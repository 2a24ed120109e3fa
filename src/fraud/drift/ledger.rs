//! Counts drift from the ledger: the same orders in every replica, also after a restart, and for a
//! model that has only just gone live.
//!
//! Time is cut into spans, and of each the first judgements are counted, up to a number: all of a
//! small shop, a sample of a busy one. Scores are the live model's on the features that were
//! recorded, whichever model scored then.

use std::{sync::Arc, time::Duration};

use super::counts::DAYS;
use crate::{
    base::{Clock, Timestamp},
    fraud::{bench::Bench, history::Span, serving::Serving},
    ledger::LedgerFault,
};

/// Drift is told this often, and is this old at most.
const SPAN: Duration = Duration::from_secs(10 * 60);

/// Judgements of one span that are counted at most: 43,000 on a day, of which ten bins each have
/// thousands, for a megabyte of reading.
const COUNTED_MAX: u32 = 300;

/// Spans that are read in one round, a day: after a start the week is read within some minutes.
const SPANS_AT_ONCE: i64 = 144;

/// A judgement is in the ledger this long after it was made.
const SETTLED: Duration = Duration::from_secs(5);

/// Reads judgements for the drift.
pub struct DriftReader {
    bench: Arc<Bench>,
    clock: Arc<dyn Clock>,
}

impl DriftReader {
    /// Reads them for this bench.
    pub fn new(bench: Arc<Bench>, clock: Arc<dyn Clock>) -> Self {
        Self { bench, clock }
    }

    /// Counts what was judged in spans that are over. Whether there is more to read.
    ///
    /// # Errors
    /// When the ledger cannot be read; the next round goes on.
    pub async fn round(&self) -> Result<bool, LedgerFault> {
        let serving = self.bench.serving();
        let (Some(counts), Some(cases)) = (serving.counts(), &self.bench.cases) else {
            return Ok(false);
        };
        let micros = SPAN.as_micros() as i64;
        let over = self.clock.now().minus(SETTLED).micros().div_euclid(micros);
        let oldest = over - DAYS as i64 * 24 * 60 * 60 * 1_000_000 / micros;
        let next = counts.read_until().max(oldest);
        let until = over.min(next + SPANS_AT_ONCE);
        for span in next..until {
            let at = |span: i64| Timestamp::from_micros(span * micros);
            let span_read = Span::of(at(span), at(span + 1));
            for past in cases.history().list(span_read, None, COUNTED_MAX).await? {
                let judged = past.written()?.assessment;
                count(&serving, past.at, &judged.features_hash, &judged.features);
            }
            counts.read_to(span + 1);
        }
        Ok(until < over)
    }
}

/// Counts one judgement, if it was made with the live model's features.
fn count(serving: &Serving, at: Timestamp, hash: &str, features: &[f32]) {
    let Some(live) = serving.live() else { return };
    if hash == serving.features_hash && features.len() == serving.layout.features.len() {
        serving.note(at, features, Some(live.model.score(features).points));
    }
}

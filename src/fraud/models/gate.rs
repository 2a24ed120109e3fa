//! What has to be known of a model before its score decides: that it was watched long enough,
//! on orders enough, and that these look like those it was trained on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{
    base::Timestamp,
    fraud::{
        drift::{counts::LEAST, psi, reference::Bins},
        history::{History, Span},
        serving::Versioned,
    },
    ledger::LedgerFault,
};

/// Attempts that are looked at, at most: some seconds' reading.
const SEEN_MAX: usize = 20_000;

/// Judgements read at once.
const PAGE: u32 = 500;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is asked of a model before it goes live.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateTerms {
    /// Days that it was watched beside the live one.
    pub days: u32,
    /// Orders that both scored meanwhile.
    pub orders: u32,
    /// How far its scores may have drifted from those of its training: a population stability
    /// index.
    pub psi: f64,
    /// How many people have to want it: 1 or 2.
    pub people: u8,
}

impl Default for GateTerms {
    fn default() -> Self {
        // A week has every hour and weekday; with fewer orders than these a figure of ten bins
        // drifts by chance; from .25 on it is another population (Siddiqi 2006); and nobody
        // changes alone who is declined.
        Self { days: 7, orders: LEAST, psi: crate::fraud::drift::ACT, people: 2 }
    }
}

/// What is known of a model that is to go live, beside what is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// Since when it is watched; none while it is not.
    pub watched_since: Option<Timestamp>,
    /// Days that it was watched.
    pub days: f64,
    /// Days that are needed.
    pub days_needed: u32,
    /// Orders that it scored beside the live model; counting stops at 20,000.
    pub orders: u32,
    /// Orders that are needed.
    pub orders_needed: u32,
    /// How far its scores are from those of its training; none with fewer than 1,000 orders, or
    /// when its training left no reference. What is not known is not held against it.
    pub score_psi: Option<f64>,
    /// More than this is too far.
    pub score_psi_max: f64,
    /// What is lacking, in words; nothing when it may go live.
    pub lacking: Vec<String>,
}

impl Gate {
    /// Whether the model may go live.
    pub fn is_open(&self) -> bool {
        self.lacking.is_empty()
    }

    /// Looks at what is known of a model that is watched since a moment.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) async fn of(
        (terms, versioned): (GateTerms, &Versioned),
        watched_since: Option<Timestamp>,
        history: &History,
        now: Timestamp,
    ) -> Result<Self, LedgerFault> {
        let scores = match watched_since {
            Some(since) => scores(history, &versioned.version, Span::of(since, now)).await?,
            None => Vec::new(),
        };
        let bins =
            versioned.reference.as_ref().map(|reference| (&reference.score, reference.orders));
        Ok(Self::judge(terms, (watched_since, now), &scores, bins))
    }

    fn judge(
        terms: GateTerms,
        (watched_since, now): (Option<Timestamp>, Timestamp),
        scores: &[u16],
        trained: Option<(&Bins, f64)>,
    ) -> Self {
        let watched = watched_since.map_or(Duration::ZERO, |since| now.since(since));
        let orders = u32::try_from(scores.len()).unwrap_or(u32::MAX);
        let trained = trained.filter(|_| orders >= LEAST);
        let mut gate = Self {
            watched_since,
            days: (watched.as_secs_f64() / DAY.as_secs_f64() * 10.0).floor() / 10.0,
            days_needed: terms.days,
            orders,
            orders_needed: terms.orders,
            score_psi: trained.map(|(bins, orders)| drifted(bins, orders, scores)),
            score_psi_max: terms.psi,
            lacking: Vec::new(),
        };
        if watched_since.is_none() {
            gate.lacking.push("it is not watched beside the live model".to_owned());
        } else if watched < DAY * terms.days {
            let (days, needed) = (gate.days, terms.days);
            gate.lacking.push(format!("it was watched for {days} of {needed} days"));
        }
        if orders < terms.orders {
            let needed = terms.orders;
            gate.lacking.push(format!("it scored {orders} of {needed} orders"));
        }
        if let Some(psi) = gate.score_psi.filter(|psi| *psi > terms.psi) {
            let most = terms.psi;
            gate.lacking.push(format!(
                "its scores have drifted from those of its training: {psi:.2} of at most {most}"
            ));
        }
        gate
    }
}

/// The scores of a model that was watched.
async fn scores(history: &History, version: &str, span: Span) -> Result<Vec<u16>, LedgerFault> {
    let (mut scores, mut seen, mut cursor) = (Vec::new(), 0, None);
    while seen < SEEN_MAX {
        let page = history.list(span, cursor, PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(last.id);
        seen += page.len();
        for past in &page {
            let challenger = past.written()?.assessment.challenger;
            scores.extend(challenger.filter(|c| c.model == version).map(|c| c.score));
        }
    }
    Ok(scores)
}

fn drifted(bins: &Bins, orders: f64, scores: &[u16]) -> f64 {
    let mut counts = vec![0_u32; bins.shares.len()];
    for score in scores {
        let score = f32::from(*score);
        counts[bins.cuts.iter().filter(|cut| **cut <= score).count()] += 1;
    }
    let trained: Vec<f64> = bins.shares.iter().map(|share| share * orders).collect();
    psi(counts.into_iter().map(f64::from), &trained)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn bins() -> Bins {
        Bins::of((0..100_u16).map(|score| (f32::from(score * 10), 1.0)).collect())
    }

    fn gate(days: u64, scores: &[u16]) -> Gate {
        let since = NOW.minus(DAY * u32::try_from(days).expect("days"));
        Gate::judge(GateTerms::default(), (Some(since), NOW), scores, Some((&bins(), 1e6)))
    }

    fn like_the_training(orders: u16) -> Vec<u16> {
        (0..orders).map(|order| order % 100 * 10).collect()
    }

    // breaks: leave out any of the three checks of `judge`
    #[test]
    fn a_model_goes_live_after_days_and_orders_that_look_like_its_training() {
        assert!(gate(7, &like_the_training(1_000)).is_open());
        let lacks = |gate: Gate| gate.lacking.join("; ");
        assert!(lacks(gate(6, &like_the_training(1_000))).contains("6 of 7 days"));
        assert!(lacks(gate(7, &like_the_training(999))).contains("999 of 1000 orders"));
        let other = vec![990; 1_000];
        assert!(lacks(gate(7, &other)).contains("drifted"));
        let unknown = Gate::judge(GateTerms::default(), (None, NOW), &[], None);
        assert_eq!((unknown.lacking.len(), unknown.score_psi), (2, None));
    }
}

//! Figures over scored rows, by their usual definitions.

use serde::Serialize;
use std::collections::BTreeMap;

use super::Scored;
use crate::fraud::policy::Policy;

/// The false-positive rate at which recall is told.
const FALSE_POSITIVES: f64 = 0.01;

/// The share of orders that people look at, for which the money they find is told.
const REVIEWED: f64 = 0.005;

/// What an evaluation came to. Rows whose outcome is unknown are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The chance that a fraud scores higher than a good row; ties count half.
    pub roc_auc: f64,
    /// Σ (recall − recall before) × precision, over falling distinct scores.
    pub average_precision: f64,
    /// The largest recall whose false-positive rate is at most 1%.
    pub recall_at_1pct_fpr: f64,
    /// Mean squared distance of probability and outcome.
    pub brier: f64,
    /// Rows with a known outcome.
    pub n: usize,
    /// Frauds among them.
    pub positives: usize,
    /// Model and reasons for one row, in microseconds: the median.
    pub score_p50_us: f64,
    /// … and the 99th percentile.
    pub score_p99_us: f64,
    /// The probability from which on false positives stay within 1%.
    pub threshold_at_1pct_fpr: f64,
    /// The share of fraud money among the 0.5% of orders that score highest.
    pub money_caught_by_score: f64,
    /// … and among as many whose probability times amount is highest.
    pub money_caught_by_expected_loss: f64,
    /// Figures per group, where rows have one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Group>,
}

/// A group's share in the figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// Rows with a known outcome.
    pub n: usize,
    /// Frauds among them.
    pub positives: usize,
    /// Rows at or over the threshold of 1% false positives of all rows.
    pub flagged: usize,
    /// Rows that the policy reviews unless it is told otherwise.
    pub reviewed: usize,
    /// Flagged frauds ÷ frauds; none without frauds.
    pub recall: Option<f64>,
}

/// A step of the ranking: everything that scores at least so much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The score.
    pub score: f64,
    /// Frauds that score at least so much.
    pub hits: usize,
    /// Good rows that do.
    pub misses: usize,
}

/// The ranking: one step per distinct score, the highest first.
pub fn ranking(rows: &[(f64, bool)]) -> Vec<Step> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut steps: Vec<Step> = Vec::new();
    let (mut hits, mut misses) = (0, 0);
    for (score, fraud) in sorted {
        hits += usize::from(fraud);
        misses += usize::from(!fraud);
        match steps.last_mut() {
            Some(last) if last.score == score => *last = Step { score, hits, misses },
            _ => steps.push(Step { score, hits, misses }),
        }
    }
    steps
}

impl Figures {
    /// The figures of these rows; none without a fraud and a good row among them.
    pub fn of(scored: &[Scored]) -> Option<Self> {
        let rows: Vec<(f64, bool)> =
            scored.iter().filter_map(|row| Some((row.probability, row.fraud?))).collect();
        let steps = ranking(&rows);
        let last = *steps.last()?;
        let (frauds, good) = (last.hits, last.misses);
        if frauds == 0 || good == 0 {
            return None;
        }
        let (mut auc, mut precision) = (0.0, 0.0);
        let mut before = Step { score: f64::INFINITY, hits: 0, misses: 0 };
        for step in &steps {
            let (hits, misses) = ((step.hits - before.hits) as f64, step.misses - before.misses);
            auc += misses as f64 * (before.hits as f64 + hits / 2.0);
            precision += hits * step.hits as f64 / (step.hits + step.misses) as f64;
            before = *step;
        }
        let allowed = |step: &&Step| step.misses as f64 <= FALSE_POSITIVES * good as f64;
        let at = steps.iter().take_while(allowed).last();
        let squares =
            rows.iter().map(|(score, fraud)| (score - f64::from(u8::from(*fraud))).powi(2));
        let threshold = at.map_or(f64::INFINITY, |step| step.score);
        let mut nanos: Vec<u64> = scored.iter().map(|row| row.nanos).collect();
        nanos.sort_unstable();
        Some(Self {
            roc_auc: auc / (frauds as f64 * good as f64),
            average_precision: precision / frauds as f64,
            recall_at_1pct_fpr: at.map_or(0.0, |step| step.hits as f64 / frauds as f64),
            brier: squares.sum::<f64>() / rows.len() as f64,
            n: rows.len(),
            positives: frauds,
            score_p50_us: quantile(&nanos, 0.5) / 1000.0,
            score_p99_us: quantile(&nanos, 0.99) / 1000.0,
            threshold_at_1pct_fpr: if threshold.is_finite() { threshold } else { 1.0 },
            money_caught_by_score: money_caught(scored, |row| row.probability),
            money_caught_by_expected_loss: money_caught(scored, |row| {
                row.probability * row.paid as f64
            }),
            groups: groups(scored, threshold),
        })
    }
}

fn quantile(sorted: &[u64], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * quantile).round() as usize).map_or(0.0, |nanos| *nanos as f64)
}

/// The share of fraud money that is found by looking at the orders that rank first.
fn money_caught(scored: &[Scored], rank: impl Fn(&Scored) -> f64) -> f64 {
    let mut rows: Vec<&Scored> = scored.iter().filter(|row| row.fraud.is_some()).collect();
    rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let looked_at = (rows.len() as f64 * REVIEWED).round() as usize;
    let money = |rows: &[&Scored]| -> f64 {
        let frauds = rows.iter().filter(|row| row.fraud == Some(true));
        frauds.map(|row| row.paid as f64).sum()
    };
    let all = money(&rows);
    if all > 0.0 { money(&rows[..looked_at]) / all } else { 0.0 }
}

fn groups(scored: &[Scored], threshold: f64) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, (Group, usize)> = BTreeMap::new();
    let review = Policy::default().thresholds.review;
    for row in scored {
        let (Some(group), Some(fraud)) = (&row.group, row.fraud) else { continue };
        let (group, hits) = groups.entry(group.to_string()).or_default();
        let flagged = row.probability >= threshold;
        group.n += 1;
        group.positives += usize::from(fraud);
        group.flagged += usize::from(flagged);
        group.reviewed += usize::from(row.points >= review);
        *hits += usize::from(fraud && flagged);
    }
    let finish = |(name, (mut group, hits)): (String, (Group, usize))| {
        group.recall = (group.positives > 0).then(|| hits as f64 / group.positives as f64);
        (name, group)
    };
    groups.into_iter().map(finish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(scores: &[(f64, u8)]) -> Vec<Scored> {
        let row = |(place, (probability, fraud)): (usize, &(f64, u8))| Scored {
            probability: *probability,
            points: if *probability > 0.5 { 1000 } else { 0 },
            fraud: Some(*fraud == 1),
            nanos: 1000 * (place as u64 + 1),
            group: Some(if place % 2 == 0 { "even" } else { "odd" }.into()),
            paid: 100,
        };
        scores.iter().enumerate().map(row).collect()
    }

    /// The example of scikit-learn's documentation for both figures.
    #[test]
    fn figures_follow_their_definitions() {
        let scored = rows(&[(0.1, 0), (0.4, 0), (0.35, 1), (0.8, 1)]);
        let figures = Figures::of(&scored).expect("both kinds");
        assert!((figures.roc_auc - 0.75).abs() < 1e-12);
        assert!((figures.average_precision - 0.833_333_333_333).abs() < 1e-9);
        assert_eq!((figures.n, figures.positives), (4, 2));
        assert_eq!(figures.recall_at_1pct_fpr, 0.5);
        assert_eq!(figures.threshold_at_1pct_fpr, 0.8);
        let brier = (0.01 + 0.16 + 0.4225 + 0.04) / 4.0;
        assert!((figures.brier - brier).abs() < 1e-12);
        assert_eq!((figures.score_p50_us, figures.score_p99_us), (3.0, 4.0));
        assert_eq!(figures.groups["odd"].recall, Some(1.0));
        assert_eq!(figures.groups["even"].recall, Some(0.0));
        assert_eq!((figures.groups["odd"].reviewed, figures.groups["even"].reviewed), (1, 0));
    }

    // breaks: rank by the amount alone, or count what failed
    #[test]
    fn money_is_found_by_score_and_by_what_would_be_lost() {
        let mut scored = rows(&[(0.01, 0); 398]);
        scored.extend(rows(&[(0.9, 1), (0.5, 1)]));
        (scored[398].paid, scored[399].paid) = (100, 900);
        let figures = Figures::of(&scored).expect("both kinds");
        assert!((figures.money_caught_by_score - 1.0).abs() < 1e-12, "two of 400 are looked at");
        (scored[0].probability, scored[1].probability) = (0.95, 0.9);
        let figures = Figures::of(&scored).expect("both kinds");
        assert_eq!(figures.money_caught_by_score, 0.0);
        assert!((figures.money_caught_by_expected_loss - 0.9).abs() < 1e-12);
    }

    #[test]
    fn ties_count_half_and_stand_together() {
        let figures = Figures::of(&rows(&[(0.5, 0), (0.5, 1), (0.5, 0), (0.5, 1)])).expect("both");
        assert!((figures.roc_auc - 0.5).abs() < 1e-12);
        assert!((figures.average_precision - 0.5).abs() < 1e-12);
        assert_eq!(figures.recall_at_1pct_fpr, 0.0);
    }

    #[test]
    fn without_both_kinds_there_are_no_figures_and_the_unknown_are_left_out() {
        assert_eq!(Figures::of(&rows(&[(0.5, 1)])), None);
        assert_eq!(Figures::of(&[]), None);
        let mut scored = rows(&[(0.2, 0), (0.9, 1), (0.99, 0)]);
        scored[2].fraud = None;
        let figures = Figures::of(&scored).expect("both kinds");
        assert_eq!((figures.n, figures.roc_auc), (2, 1.0));
    }
}

//! What is told of judging payments.

use metrics::counter;
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{DriftBar, JudgedAs, Missing, Verdict, record};

/// Rules that are counted by name in one process: twice as many as a shop may have at a time.
/// Whoever makes and removes more has them counted together, so that names fill no memory.
const COUNTED_RULES_MAX: usize = 400;

static COUNTED_RULES: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// A rule matched a payment, live or in shadow.
pub fn rule_matched(rule: &str, shadow: bool) {
    record(|_| {
        let mode = if shadow { "shadow" } else { "live" };
        let name = counted_as(rule, COUNTED_RULES_MAX);
        counter!("fraud_rule_matches_total", "rule" => name, "mode" => mode).increment(1);
    });
}

/// The rule's own name, as long as there is room for it.
fn counted_as(rule: &str, most: usize) -> String {
    let mut known = COUNTED_RULES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if !known.contains(rule) && known.len() >= most {
        return "other".to_owned();
    }
    known.insert(rule.to_owned());
    rule.to_owned()
}

/// A payment was judged.
pub fn assessed(outcome: JudgedAs) {
    record(|meters| meters.assessed.of(outcome).increment(1));
}

/// Something was missing for it.
pub fn fraud_degraded(missing: Missing) {
    record(|meters| meters.degraded.of(missing).increment(1));
}

/// It was stopped as card testing.
pub fn fraud_guarded() {
    record(|meters| meters.guarded.increment(1));
}

/// A judgement took so long, from asking to knowing.
pub fn fraud_latency(took: Duration) {
    record(|meters| meters.judging.record(took));
}

/// After so long the memory that replicas share had answered, or failed to, what it knows of the
/// past of some payments.
pub fn fraud_recalled(took: Duration) {
    record(|meters| meters.recalling.record(took));
}

/// Whether payments fail as when cards are tested.
pub fn attack_mode(on: bool) {
    record(|meters| meters.attack_mode.set(if on { 1.0 } else { 0.0 }));
}

/// How far the score has drifted from the training (PSI).
pub fn fraud_score_psi(psi: f64) {
    record(|meters| meters.score_psi.set(psi));
}

/// So many features have drifted further than a bar (PSI).
pub fn fraud_features_drifted(bar: DriftBar, features: usize) {
    record(|meters| meters.features_drifted.of(bar).set(features as f64));
}

/// What a watched model would have made of a payment, beside the live one.
pub fn fraud_challenger(verdict: Verdict) {
    record(|meters| meters.challenger.of(verdict).increment(1));
}

/// So many orders wait for a person, so many too long, and the oldest of them so long.
pub fn review_queue(open: u64, overdue: u64, oldest: Duration) {
    record(|meters| {
        meters.cases_open.set(open as f64);
        meters.cases_overdue.set(overdue as f64);
        meters.cases_oldest.set(oldest.as_secs_f64());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: leave the look at the number of names out of `counted_as`
    #[test]
    fn so_many_rules_are_counted_by_name() {
        let most = COUNTED_RULES_MAX;
        for number in 0..most {
            let rule = format!("rule_{number}");
            assert_eq!(counted_as(&rule, most), rule);
        }
        assert_eq!(counted_as("one_more", most), "other");
        assert_eq!(counted_as("rule_1", most), "rule_1", "known ones stay");
    }
}

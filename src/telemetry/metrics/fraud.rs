//! What is told of judging payments.

use std::time::Duration;

use super::{DriftBar, JudgedAs, Missing, Verdict, record};

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

//! What is told of judging payments.

use std::time::Duration;

use super::{JudgedAs, Missing, record};

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

/// Whether payments fail as when cards are tested.
pub fn attack_mode(on: bool) {
    record(|meters| meters.attack_mode.set(if on { 1.0 } else { 0.0 }));
}

//! What became of webhooks.

use std::time::Duration;

use super::{Delivered, record};

/// An attempt to deliver ended.
pub fn delivered(outcome: Delivered) {
    record(|meters| meters.delivered.of(outcome).increment(1));
}

/// So many deliveries are due, so many given up, and the oldest that is due waits so long.
pub fn webhook_backlog(due: u64, parked: u64, oldest: Duration) {
    record(|meters| {
        meters.webhooks_due.set(due as f64);
        meters.webhooks_parked.set(parked as f64);
        meters.webhooks_oldest.set(oldest.as_secs_f64());
    });
}

//! A breaker: after a failure nobody asks for a while, so that a dead neighbor costs nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::base::{Clock, Timestamp};

/// No failure stands.
const CLOSED: i64 = i64::MIN;

/// Lets callers through until one fails; then, after a pause, one at a time until one succeeds.
pub(super) struct Circuit {
    /// When the next one may try, in microseconds, or [`CLOSED`].
    next_try: AtomicI64,
    /// Late answers in a row, so far.
    late: AtomicU32,
    late_max: u32,
    pause: Duration,
    clock: Arc<dyn Clock>,
}

impl Circuit {
    /// A circuit that lets everyone through.
    pub(super) fn new(pause: Duration, late_max: u32, clock: Arc<dyn Clock>) -> Self {
        let (next_try, late) = (AtomicI64::new(CLOSED), AtomicU32::new(0));
        Self { next_try, late, late_max, pause, clock }
    }

    /// Whether no failure stands.
    pub(super) fn is_closed(&self) -> bool {
        self.next_try.load(Ordering::Relaxed) == CLOSED
    }

    /// Whether this caller may ask. Once the pause is over, the first who wants to is let through
    /// and a new pause begins for the others; so one that never comes back blocks nobody for long.
    pub(super) fn lets_through(&self) -> bool {
        let next = self.next_try.load(Ordering::Acquire);
        if next == CLOSED {
            return true;
        }
        let now = self.clock.now();
        now >= Timestamp::from_micros(next)
            && self
                .next_try
                .compare_exchange(next, self.after(now), Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// The neighbor answered.
    pub(super) fn succeeded(&self) {
        if self.next_try.load(Ordering::Relaxed) != CLOSED {
            self.next_try.store(CLOSED, Ordering::Release);
        }
        if self.late.load(Ordering::Relaxed) != 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }

    /// The neighbor was late. Whether that is borne: it answered before, and was not late too often
    /// in a row. One that failed already is given no such credit.
    pub(super) fn bears_a_late_one(&self) -> bool {
        self.is_closed() && self.late.fetch_add(1, Ordering::Relaxed) < self.late_max
    }

    /// The neighbor failed.
    pub(super) fn failed(&self) {
        self.late.store(0, Ordering::Relaxed);
        self.next_try.store(self.after(self.clock.now()), Ordering::Release);
    }

    fn after(&self, now: Timestamp) -> i64 {
        now.plus(self.pause).micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    #[test]
    fn after_a_failure_one_tries_per_pause_and_a_success_opens_the_way() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let circuit = Circuit::new(Duration::from_secs(1), 0, clock.clone());
        assert!(circuit.lets_through() && circuit.lets_through());
        circuit.failed();
        assert!(!circuit.lets_through());
        clock.advance(Duration::from_secs(1));
        assert!(circuit.lets_through(), "nobody tries again");
        assert!(!circuit.lets_through(), "everyone tries at once");
        clock.advance(Duration::from_secs(1));
        assert!(circuit.lets_through(), "a try that never came back blocks the way");
        circuit.succeeded();
        assert!(circuit.lets_through() && circuit.lets_through());
    }
    #[test]
    fn late_answers_are_borne_until_they_come_in_a_row() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let circuit = Circuit::new(Duration::from_secs(1), 2, clock.clone());
        assert!(circuit.bears_a_late_one() && circuit.bears_a_late_one());
        circuit.succeeded();
        assert!(circuit.bears_a_late_one() && circuit.bears_a_late_one());
        assert!(!circuit.bears_a_late_one(), "the third in a row");
        circuit.failed();
        clock.advance(Duration::from_secs(1));
        assert!(circuit.lets_through() && !circuit.bears_a_late_one(), "it failed already");
        circuit.succeeded();
        assert!(circuit.bears_a_late_one(), "it is well again");
    }
}

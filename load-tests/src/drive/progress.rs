//! A line a second while a load runs.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::window::Live;

/// Counts at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    started: u64,
    ended: u64,
    orders: u64,
    refused: u64,
    failed: u64,
    good: u64,
    good_micros: u64,
}

impl Counts {
    fn of(live: &Live) -> Self {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            started: read(&live.started),
            ended: read(&live.ended),
            orders: read(&live.orders),
            refused: read(&live.refused),
            failed: read(&live.failed),
            good: read(&live.good),
            good_micros: read(&live.good_micros),
        }
    }

    /// What happened since the counts before.
    fn line(self, before: Self, seconds: f64) -> String {
        let good = (self.good - before.good).max(1) as f64;
        format!(
            "{seconds:>5.0} s  {:>7} orders/s  {:>6} in flight  mean {:>8.1} ms  {:>6} refused  \
             {:>5} failed",
            self.orders - before.orders,
            self.started.saturating_sub(self.ended),
            (self.good_micros - before.good_micros) as f64 / good / 1000.0,
            self.refused - before.refused,
            self.failed - before.failed,
        )
    }
}

/// Writes a line each second until the other end of `done` is dropped.
pub fn watch(live: &Arc<Live>, done: &Receiver<()>, out: &mut dyn Write) {
    let (began, mut before) = (Instant::now(), Counts::of(live));
    while done.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        let now = Counts::of(live);
        // Nobody looks any more: then nobody needs to know.
        let _closed = writeln!(out, "{}", now.line(before, began.elapsed().as_secs_f64()));
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_the_last_second_alone() {
        let before = Counts { orders: 100, good: 100, good_micros: 1_000_000, ..Counts::default() };
        let now = Counts {
            started: 170,
            ended: 160,
            orders: 150,
            good: 150,
            good_micros: 1_200_000,
            ..before
        };
        let line = now.line(before, 3.2);
        assert!(line.contains("50 orders/s") && line.contains("10 in flight"), "{line}");
        assert!(line.contains("mean      4.0 ms"), "{line}");
    }
}

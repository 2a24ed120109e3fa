//! What is told of the ledger's commits.

use std::time::Duration;

use super::{JudgedOn, PoolState, record};

/// A batch became durable.
pub fn ledger_committed(entries: usize, took: Duration) {
    record(|meters| {
        meters.batch_size.record(entries as f64);
        meters.commit_duration.record(took);
    });
}

/// So many facts wait for the writer.
pub fn ledger_queue_depth(facts: usize) {
    record(|meters| meters.queue_depth.set(facts as f64));
}

/// A batch met another and is judged again.
pub fn ledger_retried() {
    record(|meters| meters.retries.increment(1));
}

/// A batch was judged on rows of this kind.
pub fn ledger_judged(on: JudgedOn) {
    record(|meters| meters.judged.of(on).increment(1));
}

/// The outcome of a commit is unknown.
pub fn ledger_commit_unknown() {
    record(|meters| meters.unknown_commits.increment(1));
}

/// So many connections are in a state.
pub fn ledger_pool(state: PoolState, connections: usize) {
    record(|meters| meters.pool.of(state).set(connections as f64));
}

/// Whether Redis takes writes.
pub fn redis_up(up: bool) {
    record(|meters| meters.redis_up.set(f64::from(u8::from(up))));
}

/// How far this process's clock was off when it was last compared.
pub fn clock_offset(off: Duration) {
    record(|meters| meters.clock_offset.set(off.as_secs_f64()));
}

/// This process's clock was put forward.
pub fn clock_jumped() {
    record(|meters| meters.clock_jumps.increment(1));
}

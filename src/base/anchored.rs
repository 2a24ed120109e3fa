//! The clock of a running service: a known moment plus the monotonic time since, compared with
//! others now and then, and steered.

use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};
use time::OffsetDateTime;

use super::time::{Clock, Timestamp};

/// Differences up to this are the network's and the scheduler's.
pub const TOLERATED: Duration = Duration::from_millis(250);

/// What one reference alone is believed: more than an hour off may be the reference's own mistake.
pub const BELIEVED_ALONE: Duration = Duration::from_secs(60 * 60);

/// Two references that differ by less tell the same time.
pub const AGREE: Duration = Duration::from_secs(60);

/// A known moment plus the monotonic time since: no jump of the system clock can move it, and it
/// never goes back.
///
/// Production anchors it on the database's time, so that replicas agree about expiry. A machine
/// that was suspended, and a database whose clock was put right, are found out by comparing: see
/// [`steer`](Self::steer).
#[derive(Debug)]
pub struct AnchoredClock(RwLock<Course>);

/// From a moment on, at which rate. Ahead of the right time, it runs at half speed until it is
/// right: holds lapse later, and never twice.
#[derive(Debug, Clone, Copy)]
struct Course {
    from: Instant,
    at: Timestamp,
    ahead: Duration,
}

/// What came of comparing a clock with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steered {
    /// It is right.
    Right,
    /// It was behind by this, and has jumped: what lapsed meanwhile has lapsed.
    Jumped(Duration),
    /// It is ahead by this, and runs slower until it is not.
    Slowed(Duration),
    /// It is off by more than one reference is believed, and the other says something else: it goes
    /// on as it was.
    Doubted(Duration),
}

impl Course {
    fn read(&self, now: Instant) -> Timestamp {
        let passed = now.saturating_duration_since(self.from);
        self.at.plus(passed - (passed / 2).min(self.ahead))
    }
}

impl AnchoredClock {
    /// A clock that reads `anchor` now.
    pub fn new(anchor: Timestamp) -> Self {
        let course = Course { from: instant(), at: anchor, ahead: Duration::ZERO };
        Self(RwLock::new(course))
    }

    /// A clock anchored on the system's.
    pub fn from_system() -> Self {
        Self::new(system_time())
    }

    /// Compares with what the ledger's database and this machine's clock said when this one read
    /// `ours`, and steers by the database: within [`BELIEVED_ALONE`] alone, beyond only when both
    /// agree.
    pub fn steer(&self, ours: Timestamp, ledger: Timestamp, system: Timestamp) -> Steered {
        let steered = judge(ours, ledger, system);
        let mut course = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let now = instant();
        let at = course.read(now);
        match steered {
            Steered::Right | Steered::Doubted(_) => {}
            Steered::Jumped(by) => {
                *course = Course { from: now, at: at.plus(by), ahead: Duration::ZERO }
            }
            Steered::Slowed(ahead) => *course = Course { from: now, at, ahead },
        }
        steered
    }
}

/// What is to be done about a difference.
fn judge(ours: Timestamp, ledger: Timestamp, system: Timestamp) -> Steered {
    let apart = |one: Timestamp, other: Timestamp| one.since(other).max(other.since(one));
    let off = apart(ours, ledger);
    match () {
        () if off <= TOLERATED => Steered::Right,
        () if off > BELIEVED_ALONE && apart(ledger, system) > AGREE => Steered::Doubted(off),
        () if ours < ledger => Steered::Jumped(off),
        () => Steered::Slowed(off),
    }
}

/// What this machine's clock says.
pub fn system_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is where ambient time enters")]
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000;
    Timestamp::from_micros(i64::try_from(now).unwrap_or(0))
}

fn instant() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is where ambient time enters")]
    let now = Instant::now();
    now
}

impl Clock for AnchoredClock {
    fn now(&self) -> Timestamp {
        self.0.read().unwrap_or_else(PoisonError::into_inner).read(instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_764_000_000_000_000).plus(SECOND * u32::try_from(seconds).unwrap())
    }

    // breaks: any arm of `judge`
    #[test]
    fn a_clock_follows_the_ledger_within_bounds() {
        let hour = 60 * 60;
        let near = |moment: Timestamp| moment.plus(TOLERATED);
        for (ours, ledger, system, steered) in [
            (at(10), near(at(10)), at(10), Steered::Right),
            (near(at(10)), at(10), at(10), Steered::Right),
            (at(10), at(70), at(10), Steered::Jumped(60 * SECOND)),
            (at(70), at(10), at(70), Steered::Slowed(60 * SECOND)),
            // Suspended over a weekend: ledger and machine agree.
            (
                at(10),
                at(10 + 60 * hour),
                at(11 + 60 * hour),
                Steered::Jumped(60 * 60 * 60 * SECOND),
            ),
            (at(10 + 2 * hour), at(10), at(10), Steered::Slowed(2 * 60 * 60 * SECOND)),
            // A database that woke up in another year, alone.
            (at(10), at(10 + 9_000 * hour), at(10), Steered::Doubted(9_000 * 60 * 60 * SECOND)),
            (at(10 + 2 * hour), at(10), at(10 + 2 * hour), Steered::Doubted(2 * 60 * 60 * SECOND)),
        ] {
            assert_eq!(judge(ours, ledger, system), steered, "{ours} {ledger} {system}");
        }
    }

    // breaks: leave the jump out of `steer`
    #[test]
    fn a_jump_is_made_at_once_and_a_clock_that_is_ahead_waits() {
        let clock = AnchoredClock::new(at(0));
        let ours = clock.now();
        assert_eq!(clock.steer(ours, at(600), at(600)), Steered::Jumped(at(600).since(ours)));
        let jumped = clock.now();
        assert!(jumped >= at(600) && jumped < at(660), "{jumped}");
        assert!(matches!(clock.steer(jumped, at(0), at(0)), Steered::Slowed(_)));
        assert!(clock.now() >= jumped, "it never goes back");
    }

    proptest! {
        // breaks: give up more than half of the time that passed
        #[test]
        fn no_course_goes_back_and_each_ends_at_the_right_time(
            ahead in 0_u64..10_000_000, steps in prop::collection::vec(0_u64..5_000_000, 1..20),
        ) {
            let from = instant();
            let ahead = Duration::from_micros(ahead);
            let course = Course { from, at: at(100), ahead };
            let (mut passed, mut before) = (Duration::ZERO, at(100));
            for step in steps {
                passed += Duration::from_micros(step);
                let read = course.read(from + passed);
                prop_assert!(read >= before);
                prop_assert!(read.since(at(100)) <= passed);
                prop_assert!(read >= at(100).plus(passed / 2), "at half speed at least");
                if passed >= ahead * 2 {
                    prop_assert_eq!(read, at(100).plus(passed - ahead));
                }
                before = read;
            }
        }
    }
}

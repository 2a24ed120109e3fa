//! A circuit breaker: whether a gateway that keeps failing is asked at all.
//!
//! It is *closed* while calls are answered. When too many of the last ones failed it *opens*: for a
//! pause nothing is sent, so nothing can have acted, buyers hear at once, and the next gateway is
//! asked. Then one call is let through: an answer closes it, a failure doubles the pause.
//! (M. Nygard, *Release It!*, "Circuit Breaker".)

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::base::Timestamp;

/// So many failures one after another open it, whatever was before.
const IN_A_ROW: u32 = 5;

/// Calls that are remembered; half of them failed opens it.
const WINDOW: u32 = u32::BITS;

/// The first pause.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest pause: a gateway that is well again waits no longer than that.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What is known of a gateway's calls.
#[derive(Debug)]
enum State {
    /// Calls go out. A bit for each of the last ones, 1 where it failed, the latest lowest.
    Closed { failures: u32 },
    /// Nothing goes out until then.
    Open { until: Timestamp, pause: Duration },
    /// One call is out to see whether it is answered; should nobody hear of its end, another may
    /// follow after then.
    Probing { until: Timestamp, pause: Duration },
}

/// A circuit breaker.
#[derive(Debug)]
pub struct Breaker(Mutex<State>);

/// It is open: nothing is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// For so long.
    pub wait: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self(Mutex::new(State::Closed { failures: 0 }))
    }
}

impl Breaker {
    /// Whether a call may go out now.
    ///
    /// # Errors
    /// When it may not, and for how long.
    pub fn admit(&self, now: Timestamp) -> Result<(), Open> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } | State::Probing { until, .. } if now < until => {
                Err(Open { wait: until.since(now) })
            }
            State::Open { pause, .. } | State::Probing { pause, .. } => {
                *state = State::Probing { until: now.plus(pause), pause };
                Ok(())
            }
        }
    }

    /// How a call ended that was let out. Returns whether it is open now.
    pub fn ended(&self, failed: bool, now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = match (&*state, failed) {
            (State::Closed { failures }, _) => {
                let failures = (failures << 1) | u32::from(failed);
                let in_a_row = failures.trailing_ones() >= IN_A_ROW;
                match in_a_row || failures.count_ones() >= WINDOW / 2 {
                    true => State::Open { until: now.plus(PAUSE), pause: PAUSE },
                    false => State::Closed { failures },
                }
            }
            (State::Open { .. } | State::Probing { .. }, false) => State::Closed { failures: 0 },
            (State::Probing { pause, .. }, true) => {
                let pause = (*pause * 2).min(PAUSE_MAX);
                State::Open { until: now.plus(pause), pause }
            }
            // A call that went out before it opened.
            (State::Open { until, pause }, true) => State::Open { until: *until, pause: *pause },
        };
        !matches!(*state, State::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    // breaks: a breaker that opens never, for one failure, or for failures with answers between
    #[test]
    fn it_opens_when_calls_keep_failing_and_not_for_a_few() {
        let breaker = Breaker::default();
        for second in 0..40 {
            assert_eq!(breaker.admit(at(second)), Ok(()));
            assert!(!breaker.ended(second % 3 == 1, at(second)), "a third fails");
        }
        for second in 40..44 {
            assert!(!breaker.ended(true, at(second)), "the fourth in a row");
        }
        assert!(breaker.ended(true, at(44)));
        let open = breaker.admit(at(45)).expect_err("open");
        assert_eq!(open.wait, Duration::from_secs(4));
    }

    // breaks: failures that are forgotten as soon as one call is answered
    #[test]
    fn every_second_failure_opens_it_too() {
        let breaker = Breaker::default();
        let opened = (0..64).find(|call| breaker.ended(call % 2 == 0, at(0)));
        assert_eq!(opened, Some(30), "sixteen of thirty-one");
    }

    // breaks: more than one call that probes, or a pause that stays the same
    #[test]
    fn one_call_probes_and_its_answer_closes() {
        let breaker = Breaker::default();
        for call in 1..=5 {
            assert_eq!(breaker.ended(true, at(0)), call == 5);
        }
        assert!(breaker.admit(at(4)).is_err());
        assert_eq!(breaker.admit(at(5)), Ok(()), "the pause is over");
        assert!(breaker.admit(at(5)).is_err(), "one is out already");
        assert!(breaker.ended(true, at(6)));
        assert!(breaker.admit(at(15)).is_err(), "twice as long");
        assert_eq!(breaker.admit(at(16)), Ok(()));
        assert!(!breaker.ended(false, at(17)));
        assert_eq!(breaker.admit(at(17)), Ok(()));
        assert_eq!(breaker.admit(at(17)), Ok(()), "everybody again");
    }

    // breaks: a probe whose end nobody hears, and which keeps the gateway shut
    #[test]
    fn a_probe_that_is_never_heard_of_is_followed_by_another() {
        let breaker = Breaker::default();
        for call in 1..=5 {
            assert_eq!(breaker.ended(true, at(0)), call == 5);
        }
        assert_eq!(breaker.admit(at(5)), Ok(()));
        assert!(breaker.admit(at(9)).is_err());
        assert_eq!(breaker.admit(at(10)), Ok(()));
    }
}

//! When a delivery is tried again, and when it has ended. Pure.

use std::time::Duration;

use super::delivery::{DeliveryState, Outcome};
use crate::base::{Chance, Timestamp};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long to wait after each failed attempt: soon for a receiver that restarts, then over three
/// days, so that one that fails on a Friday evening is mended on Monday before it is given up.
pub const WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// Attempts until a delivery is parked: the first, and one after each wait.
#[expect(clippy::cast_possible_truncation, reason = "nine waits")]
pub const ATTEMPTS: u32 = WAITS.len() as u32 + 1;

/// The part of a wait, in percent, that chance may add, so that deliveries which failed together
/// do not come back together.
const JITTER_PERCENT: u64 = 20;

/// Where an attempt leaves its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It stays due, and is tried again then.
    Again(Timestamp),
    /// It has ended so; never [`DeliveryState::Due`].
    Ended(DeliveryState),
}

/// Where this outcome of the attempt with this number (from 1) leaves its delivery.
///
/// Only 2xx is success. 410 says that the receiver wants no more, as does a profile that names no
/// address. All else, redirects included
/// (nobody has checked where they lead), is tried again.
///
/// Waits are `percent` of the usual ones.
pub fn settle(
    attempt: u32,
    outcome: &Outcome,
    percent: u32,
    now: Timestamp,
    chance: &dyn Chance,
) -> Settlement {
    match outcome {
        Outcome::Answered(200..=299) => return Settlement::Ended(DeliveryState::Delivered),
        Outcome::Answered(410) | Outcome::Unwanted(_) => {
            return Settlement::Ended(DeliveryState::Disabled);
        }
        Outcome::Answered(_) | Outcome::Failed(_) => {}
    }
    let wait = attempt.checked_sub(1).and_then(|failed| WAITS.get(failed as usize));
    wait.map_or(Settlement::Ended(DeliveryState::Parked), |wait| {
        let wait = *wait * percent / 100;
        let most = wait.as_millis() as u64 * JITTER_PERCENT / 100;
        let jitter = Duration::from_millis(chance.below(most + 1));
        Settlement::Again(now.plus(wait).plus(jitter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededChance;

    fn after(attempt: u32, outcome: &Outcome) -> Settlement {
        settle(attempt, outcome, 100, Timestamp::from_micros(0), &SeededChance::new(7))
    }

    #[test]
    fn only_2xx_is_success_and_410_ends_it() {
        for status in 100..=599 {
            let settled = after(1, &Outcome::Answered(status));
            match status {
                200..=299 => assert_eq!(settled, Settlement::Ended(DeliveryState::Delivered)),
                410 => assert_eq!(settled, Settlement::Ended(DeliveryState::Disabled)),
                _ => assert!(matches!(settled, Settlement::Again(_)), "{status}: {settled:?}"),
            }
        }
    }

    #[test]
    fn each_wait_is_used_once_with_bounded_jitter_and_then_it_is_parked() {
        let silent = Outcome::Failed("no answer".into());
        for (attempt, wait) in (1..).zip(WAITS) {
            let Settlement::Again(at) = after(attempt, &silent) else {
                panic!("attempt {attempt} of {ATTEMPTS} gives up")
            };
            let waited = at.since(Timestamp::from_micros(0));
            assert!(waited >= wait && waited <= wait.mul_f64(1.2), "{attempt}: {waited:?}");
        }
        assert_eq!(after(ATTEMPTS, &silent), Settlement::Ended(DeliveryState::Parked));
    }
}

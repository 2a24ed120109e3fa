//! How payments go at each storefront (each API key), and what that means for buyers nobody knows.
//!
//! A card tester who comes with a new e-mail address, device and network address each time fails
//! once as each of them, and no count of an address or a device ever grows. What does grow is the
//! number of failures at the storefront. Where payments fail as when cards are tested, whoever
//! brings no good past is challenged: the bank asks them to prove who they are before anything is
//! authorized, which a buyer can do and a tester cannot. And only so many of them get that far:
//! [`STRANGERS_PER_SUCCESS`] for each payment that succeeded lately. A shop whose buyers pay goes
//! on selling to new ones; where all fails, strangers are declined before the gateway hears of
//! them.

use std::collections::{HashMap, VecDeque};

use super::assessment::Outcome;
use crate::base::Timestamp;

/// What an attack looks like: failures within a time, and in how many of a hundred payments.
struct Burst {
    micros: i64,
    failures: u32,
    percent: u32,
}

/// A fast tester shows in the midst of a busy sale within seconds; a slow one where little else
/// happens, after ten cards at most. In quiet times one payment in twenty fails.
const BURSTS: [Burst; 4] = [
    Burst { micros: 10 * 1_000_000, failures: 8, percent: 33 },
    Burst { micros: 60 * 1_000_000, failures: 8, percent: 50 },
    Burst { micros: 60 * 1_000_000, failures: 15, percent: 25 },
    Burst { micros: 600 * 1_000_000, failures: 8, percent: 75 },
];

/// An attack fails so many times as often as is usual at this storefront. One that sells where
/// banks decline one in six is not under attack for that.
pub const OVER_USUAL: u32 = 4;

/// Payments from which the usual share of failures is known; the past before as many again counts
/// half.
pub const USUAL_AFTER: u32 = 500;

/// Attack mode lasts this long after it was last seen.
pub const ATTACK_LASTS_MICROS: i64 = 10 * 60 * 1_000_000;

/// How far back payments that succeeded, and strangers who were challenged, are counted.
pub const LATELY_MICROS: i64 = 10 * 60 * 1_000_000;

/// Strangers who may be challenged for each payment that succeeded lately. Some come back and are
/// challenged again; in a shop half of whose buyers are new, most of those who ask may be testers.
pub const STRANGERS_PER_SUCCESS: u32 = 5;

/// Strangers who may be challenged within [`HOUR_MICROS`] though nothing has succeeded lately: a
/// shop that has just opened has to begin with somebody.
pub const FIRST_STRANGERS: u32 = 2;

/// What is remembered of a storefront, second by second.
const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;

/// Why a stranger is challenged. The record of the payment says it.
pub const STRANGER: &str = "stranger_in_attack";

/// Why a stranger is declined.
pub const TOO_MANY_STRANGERS: &str = "strangers_in_attack";

/// Storefronts that are looked at; a shop has a few. Those beyond share one count.
const STOREFRONTS_MAX: usize = 1_024;

/// What happened within one second.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    attempts: u32,
    failures: u32,
    successes: u32,
    /// Strangers who were challenged, …
    challenged: u32,
    /// … and how often one of them passed.
    passed: u32,
}

/// How payments go at one storefront.
#[derive(Debug, Clone, Default)]
struct Storefront {
    seconds: VecDeque<(i64, Counts)>,
    /// Attempts and failures in quiet times.
    usual: (u32, u32),
    attack_seen: Option<Timestamp>,
}

/// How payments go at each storefront, as far as this process sees.
#[derive(Debug, Clone, Default)]
pub struct Storefronts(HashMap<Box<str>, Storefront>);

impl Storefronts {
    /// A payment is attempted. Returns what it comes to for that, and why.
    pub fn attempted(
        &mut self,
        storefront: &str,
        now: Timestamp,
        is_stranger: bool,
    ) -> Option<(Outcome, &'static str)> {
        let storefront = self.get(storefront);
        storefront.second(now).attempts += 1;
        if !storefront.is_attack(now) {
            storefront.learn_usual(1, 0);
            return None;
        }
        if !is_stranger {
            return None;
        }
        let lately = storefront.since(now, LATELY_MICROS);
        let may_come = lately.successes.saturating_mul(STRANGERS_PER_SUCCESS);
        let are_first = storefront.since(now, HOUR_MICROS).challenged < FIRST_STRANGERS;
        if lately.challenged >= may_come && !are_first {
            return Some((Outcome::Decline, TOO_MANY_STRANGERS));
        }
        storefront.second(now).challenged += 1;
        storefront.look(now);
        Some((Outcome::Challenge, STRANGER))
    }

    /// A payment came to nothing. Returns whether that turned attack mode on.
    pub fn failed(&mut self, storefront: &str, now: Timestamp) -> bool {
        let storefront = self.get(storefront);
        storefront.second(now).failures += 1;
        let was_on = storefront.is_attack(now);
        let is_on = storefront.look(now);
        if !is_on && !was_on {
            storefront.learn_usual(0, 1);
        }
        is_on && !was_on
    }

    /// A payment succeeded; `why` the guard had challenged it, if it had.
    pub fn succeeded(&mut self, storefront: &str, now: Timestamp, why: Option<&str>) {
        let counts = self.get(storefront).second(now);
        counts.successes += 1;
        counts.passed += u32::from(why == Some(STRANGER));
    }

    /// Whether any storefront is under attack.
    pub fn is_attack(&self, now: Timestamp) -> bool {
        self.0.values().any(|storefront| storefront.is_attack(now))
    }

    fn get(&mut self, name: &str) -> &mut Storefront {
        let name = match self.0.contains_key(name) || self.0.len() < STOREFRONTS_MAX {
            true => name,
            false => "",
        };
        self.0.entry(name.into()).or_default()
    }
}

impl Storefront {
    fn is_attack(&self, now: Timestamp) -> bool {
        self.attack_seen.is_some_and(|seen| now.micros() - seen.micros() <= ATTACK_LASTS_MICROS)
    }

    /// Looks whether payments fail as in an attack, and notes it. A stranger who was challenged and
    /// has not passed is as suspect as one who failed: else an attack that meets nothing but
    /// challenges would seem to be over. Who passes was challenged twice, before and with the
    /// proof.
    fn look(&mut self, now: Timestamp) -> bool {
        let is_on = BURSTS.iter().any(|burst| {
            let lately = self.since(now, burst.micros);
            let suspects = lately.challenged.saturating_sub(lately.passed.saturating_mul(2));
            let bad = lately.failures + suspects;
            let is_large = u64::from(bad) * 100 >= u64::from(burst.percent * lately.attempts);
            bad >= burst.failures && is_large && self.is_unusual(bad, lately.attempts)
        });
        if is_on {
            self.attack_seen = Some(now);
        }
        is_on
    }

    /// Whether so many of these attempts are far more than the usual share.
    fn is_unusual(&self, bad: u32, attempts: u32) -> bool {
        let (usual_attempts, usual_failures) = self.usual;
        let usual = u64::from(usual_failures) * u64::from(OVER_USUAL) * u64::from(attempts);
        usual_attempts < USUAL_AFTER || u64::from(bad) * u64::from(usual_attempts) >= usual
    }

    fn learn_usual(&mut self, attempts: u32, failures: u32) {
        self.usual.0 += attempts;
        self.usual.1 += failures;
        if self.usual.0 >= 2 * USUAL_AFTER {
            self.usual = (self.usual.0 / 2, self.usual.1 / 2);
        }
    }

    fn since(&self, now: Timestamp, micros: i64) -> Counts {
        let oldest = (now.micros() - micros).div_euclid(1_000_000);
        let recent = self.seconds.iter().rev().take_while(|(at, _)| *at > oldest);
        recent.fold(Counts::default(), |all, (_, one)| Counts {
            attempts: all.attempts + one.attempts,
            failures: all.failures + one.failures,
            successes: all.successes + one.successes,
            challenged: all.challenged + one.challenged,
            passed: all.passed + one.passed,
        })
    }

    fn second(&mut self, now: Timestamp) -> &mut Counts {
        let second = now.micros().div_euclid(1_000_000);
        let oldest = second - HOUR_MICROS / 1_000_000;
        while self.seconds.front().is_some_and(|(at, _)| *at <= oldest) {
            self.seconds.pop_front();
        }
        // Two threads may see the clock in another order by a moment.
        if self.seconds.back().is_none_or(|(at, _)| *at < second) {
            self.seconds.push_back((second, Counts::default()));
        }
        &mut self.seconds.back_mut().expect("one was pushed").1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// Payments of people somebody knows, one a second, of which one in `one_in` fails.
    fn quiet(storefronts: &mut Storefronts, seconds: std::ops::Range<i64>, one_in: i64) {
        for second in seconds {
            storefronts.attempted("shop", at(second), false);
            if second % one_in == 0 {
                storefronts.failed("shop", at(second));
            } else {
                storefronts.succeeded("shop", at(second), None);
            }
        }
    }

    // breaks: leave `is_unusual` out of `look`
    #[test]
    fn a_storefront_whose_banks_decline_much_is_not_under_attack_for_that() {
        let mut storefronts = Storefronts::default();
        quiet(&mut storefronts, 0..2_000, 5);
        for second in 2_000..2_020 {
            storefronts.attempted("shop", at(second), false);
            if second % 3 > 0 {
                storefronts.failed("shop", at(second));
            }
        }
        assert!(!storefronts.is_attack(at(2_020)));
    }

    // breaks: key `Storefronts::get` by nothing
    #[test]
    fn an_attack_on_one_storefront_is_none_on_another() {
        let mut storefronts = Storefronts::default();
        for _ in 0..8 {
            storefronts.attempted("attacked", at(1), true);
            storefronts.failed("attacked", at(1));
        }
        let challenged = Some((Outcome::Challenge, STRANGER));
        assert_eq!(storefronts.attempted("attacked", at(2), true), challenged);
        assert_eq!(
            storefronts.attempted("attacked", at(2), false),
            None,
            "known for its good past"
        );
        assert_eq!(storefronts.attempted("another", at(2), true), None);
    }

    // breaks: do not subtract those who passed in `look`
    #[test]
    fn attack_mode_ends_while_strangers_pass_their_challenges() {
        let mut storefronts = Storefronts::default();
        quiet(&mut storefronts, 0..600, 20);
        for _ in 0..40 {
            storefronts.attempted("shop", at(600), true);
            storefronts.failed("shop", at(600));
        }
        assert!(storefronts.is_attack(at(601)));
        for second in 601..1_300 {
            storefronts.attempted("shop", at(second), true);
            storefronts.attempted("shop", at(second), true);
            storefronts.succeeded("shop", at(second), Some(STRANGER));
        }
        assert!(!storefronts.is_attack(at(1_300)));
    }
}

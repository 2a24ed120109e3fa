//! The spans of time that counts look back over.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::base::Timestamp;

/// A span that ends now.
///
/// A span is counted in steps: it covers the step that now falls in and those before it, so its
/// true length lies between the nominal one and one step less. That keeps what is remembered of
/// one entity small however busy it is, and a hash of counters in another store means the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Window {
    /// 10 minutes, in steps of one.
    #[serde(rename = "10m")]
    TenMinutes,
    /// An hour, in steps of 5 minutes.
    #[serde(rename = "1h")]
    Hour,
    /// 24 hours, in steps of one.
    #[serde(rename = "24h")]
    Day,
    /// 7 days, in steps of 6 hours.
    #[serde(rename = "7d")]
    Week,
    /// 30 days, in steps of one.
    #[serde(rename = "30d")]
    Month,
}

const MINUTE: i64 = 60 * 1_000_000;

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::TenMinutes, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Length of one step in microseconds.
    pub const fn step_micros(self) -> i64 {
        match self {
            Self::TenMinutes => MINUTE,
            Self::Hour => 5 * MINUTE,
            Self::Day => 60 * MINUTE,
            Self::Week => 6 * 60 * MINUTE,
            Self::Month => 24 * 60 * MINUTE,
        }
    }

    /// How many steps it covers.
    pub const fn steps(self) -> i64 {
        match self {
            Self::TenMinutes => 10,
            Self::Hour => 12,
            Self::Day => 24,
            Self::Week => 28,
            Self::Month => 30,
        }
    }

    /// Nominal length in microseconds.
    pub const fn micros(self) -> i64 {
        self.step_micros() * self.steps()
    }

    /// The step that a moment falls in.
    pub const fn step_of(self, at: Timestamp) -> i64 {
        at.micros().div_euclid(self.step_micros())
    }

    /// Whether a step is covered by the span that ends at `now`. What lies ahead of `now` is: two
    /// processes may disagree about the time by a moment.
    pub const fn covers(self, step: i64, now: Timestamp) -> bool {
        step > self.step_of(now) - self.steps()
    }

    /// As it is written in a schema and in a feature's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenMinutes => "10m",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// As a person says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TenMinutes => "10 minutes",
            Self::Hour => "an hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_covers_its_steps_and_not_the_one_before() {
        for window in Window::ALL {
            let now = Timestamp::from_micros(1_000 * window.step_micros() + 7);
            assert!(window.covers(1_000, now) && window.covers(1_001 - window.steps(), now));
            assert!(!window.covers(1_000 - window.steps(), now), "{window}");
        }
    }
}

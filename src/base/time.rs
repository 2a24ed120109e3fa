//! Time as an argument.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use time::{
    OffsetDateTime,
    format_description::{FormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// Fixed width, so that text sorts as time does (SQLite keeps times as text).
const FIXED: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A moment in UTC, in whole microseconds. Reads RFC 3339; writes it with six digits and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `duration` later; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier; saturates.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339.
    pub fn parse(raw: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(raw, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1000).ok().map(Self)
    }

    /// The same moment in the `time` crate's type.
    pub fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The digits of [`FIXED`] without reading its description: an order writes a dozen times. None
    /// before the year 0.
    fn digits(self) -> Option<[u8; 27]> {
        let moment = self.to_offset();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |mut number: u32, end: usize, width: usize| {
            for digit in text[end - width..end].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(u32::try_from(moment.year()).ok()?, 4, 4);
        put(u8::from(moment.month()).into(), 7, 2);
        put(moment.day().into(), 10, 2);
        put(moment.hour().into(), 13, 2);
        put(moment.minute().into(), 16, 2);
        put(moment.second().into(), 19, 2);
        put(moment.microsecond(), 26, 6);
        Some(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            Some(digits) => f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?),
            None => f.write_str(&self.to_offset().format(FIXED).map_err(|_| fmt::Error)?),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let digits = self.digits();
        match digits.as_ref().and_then(|digits| str::from_utf8(digits).ok()) {
            Some(text) => to.serialize_str(text),
            None => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&raw).ok_or_else(|| D::Error::custom("expected an RFC 3339 time"))
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A clock that can be put forward, for trying things out: everything that lapses does so early.
pub struct TestClock {
    real: Arc<dyn Clock>,
    ahead: AtomicI64,
}

impl TestClock {
    /// A clock that reads what this one reads, for now.
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self { real, ahead: AtomicI64::new(0) }
    }

    /// Puts the clock forward; it never goes back.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let further = |ahead: i64| Some(ahead.saturating_add(micros));
        let _always = self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, further);
    }

    /// How far ahead of the real time it is.
    pub fn ahead(&self) -> Duration {
        let micros = self.ahead.load(Ordering::SeqCst);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.real.now().plus(self.ahead())
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClock").field("ahead", &self.ahead()).finish_non_exhaustive()
    }
}

/// A clock that moves when told.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_a_fixed_width_and_read_back_from_any_offset() {
        let moment = Timestamp::from_micros(1_764_000_000_120_000);
        assert_eq!(moment.to_string(), "2025-11-24T16:00:00.120000Z");
        assert_eq!(Timestamp::parse("2025-11-24T17:00:00.12+01:00"), Some(moment));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    // breaks: a place or a width of `digits`
    #[test]
    fn digits_are_those_of_the_description() {
        let year = 366 * 24 * 60 * 60 * 1_000_000_i64;
        let from = Timestamp::parse("0000-01-01T00:00:00Z").expect("a time").micros();
        let moments = (0..9_900).map(|at| from + at * year + at * 86_399_999_983);
        for moment in moments.chain([-1, 0, 1, 999_999, from - 1]).map(Timestamp::from_micros) {
            let expected = moment.to_offset().format(FIXED).expect("it is written");
            assert_eq!(moment.to_string(), expected);
            assert_eq!(serde_json::to_value(moment).expect("a text"), expected);
        }
    }

    #[test]
    fn a_test_clock_runs_ahead_of_the_real_one_and_never_back() {
        let real = Arc::new(ManualClock::new(Timestamp::from_micros(5)));
        let clock = TestClock::new(real.clone());
        assert_eq!(clock.now(), real.now());
        clock.advance(Duration::from_secs(60));
        real.advance(Duration::from_secs(1));
        clock.advance(Duration::from_secs(30));
        assert_eq!(clock.now().since(real.now()), Duration::from_secs(90));
        clock.advance(Duration::MAX);
        assert!(clock.now() > real.now());
    }

    #[test]
    fn since_never_goes_below_zero() {
        let early = Timestamp::from_micros(5);
        assert_eq!(early.since(early.plus(Duration::from_secs(1))), Duration::ZERO);
        assert_eq!(early.plus(Duration::from_secs(1)).since(early), Duration::from_secs(1));
    }
}

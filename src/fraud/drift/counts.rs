//! How many orders fell into each bin, day by day.

use serde::Serialize;
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use super::{ACT, WATCH, psi, reference::Reference};
use crate::base::Timestamp;

/// Days that are counted together: a week, in which every hour and weekday has its turn.
pub(super) const DAYS: usize = 7;

/// With fewer orders a figure of ten bins drifts by a hundredth and more by chance alone.
pub const LEAST: u32 = 1_000;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// What was counted against a reference. Figures are the features in their order, then the score.
#[derive(Debug)]
pub struct Counts {
    reference: Reference,
    /// The cuts of all figures, one behind the other.
    cuts: Box<[f32]>,
    /// For each figure, where its cuts begin; its bins begin as many places later as there are
    /// figures before it.
    starts: Box<[usize]>,
    week: Mutex<[Day; DAYS]>,
    /// Up to which span of time the ledger was read.
    read_until: AtomicI64,
}

/// One day's orders.
#[derive(Debug, Clone, Default)]
struct Day {
    number: i64,
    orders: u32,
    bins: Box<[u32]>,
}

/// How far orders have drifted from the training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Orders judged in the last seven days that were counted.
    pub orders: u32,
    /// Orders the training saw.
    pub trained_on: f64,
    /// The score; none while there are fewer than [`LEAST`] orders.
    pub score_psi: Option<f64>,
    /// The features, those that drifted most first; none while there are too few orders.
    pub features: Vec<Drifted>,
}

/// A feature's drift.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drifted {
    /// The feature.
    pub name: String,
    /// Its population stability index.
    pub psi: f64,
}

impl Reading {
    /// How many features are above a bar.
    pub fn above(&self, bar: f64) -> usize {
        self.features.iter().filter(|feature| feature.psi > bar).count()
    }

    /// A word for an index.
    pub fn word(psi: f64) -> &'static str {
        match psi {
            _ if psi > ACT => "drifted",
            _ if psi > WATCH => "watch",
            _ => "stable",
        }
    }
}

impl Counts {
    /// Nothing counted yet.
    pub fn against(reference: Reference) -> Self {
        let features = reference.features.iter().map(|named| &named.bins);
        let (mut cuts, mut starts) = (Vec::new(), Vec::new());
        for bins in features.chain([&reference.score]) {
            starts.push(cuts.len());
            cuts.extend_from_slice(&bins.cuts);
        }
        let day = Day { bins: vec![0; cuts.len() + starts.len()].into(), ..Day::default() };
        Self {
            cuts: cuts.into(),
            starts: starts.into(),
            week: Mutex::new(std::array::from_fn(|_| day.clone())),
            read_until: AtomicI64::new(0),
            reference,
        }
    }

    fn week(&self) -> MutexGuard<'_, [Day; DAYS]> {
        self.week.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span of time up to which the ledger was read.
    pub(super) fn read_until(&self) -> i64 {
        self.read_until.load(Ordering::Relaxed)
    }

    /// The ledger was read up to this span. One reader at a time.
    pub(super) fn read_to(&self, span: i64) {
        self.read_until.store(span, Ordering::Relaxed);
    }

    /// Counts a judgement. Increments in an array, and nothing else. Features of another layout are
    /// not counted.
    pub fn note(&self, at: Timestamp, features: &[f32], points: u16) {
        if features.len() + 1 != self.starts.len() {
            return;
        }
        let number = at.micros().div_euclid(DAY_MICROS);
        let mut week = self.week();
        let day = &mut week[number.rem_euclid(DAYS as i64) as usize];
        if day.number < number {
            day.bins.fill(0);
            (day.number, day.orders) = (number, 0);
        } else if day.number > number {
            return;
        }
        day.orders += 1;
        let values = features.iter().copied().chain([f32::from(points)]);
        for (figure, value) in values.enumerate() {
            let (start, end) = self.cuts_of(figure);
            let bin = self.cuts[start..end].iter().filter(|cut| **cut <= value).count();
            day.bins[start + figure + bin] += 1;
        }
    }

    fn cuts_of(&self, figure: usize) -> (usize, usize) {
        let end = self.starts.get(figure + 1).copied().unwrap_or(self.cuts.len());
        (self.starts[figure], end)
    }

    /// How far orders of the last seven days have drifted.
    pub fn read(&self, now: Timestamp) -> Reading {
        let oldest = now.micros().div_euclid(DAY_MICROS) - DAYS as i64;
        let mut sums = vec![0_u32; self.cuts.len() + self.starts.len()];
        let mut orders = 0;
        for day in self.week().iter().filter(|day| day.number > oldest) {
            orders += day.orders;
            sums.iter_mut().zip(&day.bins).for_each(|(sum, count)| *sum += count);
        }
        let trained_on = self.reference.orders;
        if orders < LEAST {
            return Reading { orders, trained_on, score_psi: None, features: vec![] };
        }
        let index = |figure: usize, shares: &[f64]| {
            let (start, end) = self.cuts_of(figure);
            let now = sums[start + figure..=end + figure].iter().map(|count| f64::from(*count));
            let trained: Vec<f64> = shares.iter().map(|share| share * trained_on).collect();
            psi(now, &trained)
        };
        let named = self.reference.features.iter().enumerate();
        let mut features: Vec<Drifted> = named
            .map(|(figure, named)| Drifted {
                name: named.name.clone(),
                psi: index(figure, &named.bins.shares),
            })
            .collect();
        features.sort_by(|a, b| b.psi.total_cmp(&a.psi));
        let score_psi = Some(index(features.len(), &self.reference.score.shares));
        Reading { orders, trained_on, score_psi, features }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{Bins, Named};
    use super::*;

    /// Two features, `even` from 0 to 99 and `rare`, 0 but for one in a hundred.
    fn counts() -> Counts {
        let bins = |value: fn(u16) -> f32| Bins::of((0..100).map(|n| (value(n), 1.0)).collect());
        let named = |name: &str, bins| Named { name: name.into(), bins };
        let even = named("even", bins(f32::from));
        let rare = named("rare", bins(|n| f32::from(u8::from(n == 99))));
        Counts::against(Reference::new(100_000.0, bins(|n| f32::from(n * 10)), vec![rare, even]))
    }

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(number * DAY_MICROS + 5)
    }

    /// A day of a thousand orders as in the training, each value moved by so much.
    fn pass(counts: &Counts, at: i64, moved: f32) {
        for n in 0..1_000_u16 {
            let place = f32::from(n % 100);
            let rare = f32::from(u8::from(n % 100 == 99));
            counts.note(day(at), &[rare, place + moved], n % 100 * 10);
        }
    }

    #[test]
    fn orders_like_those_of_the_training_have_not_drifted() {
        let counts = counts();
        pass(&counts, 20_000, 0.0);
        let reading = counts.read(day(20_000));
        assert_eq!(reading.orders, 1_000);
        assert!(reading.score_psi.is_some_and(|psi| psi < 0.01), "{reading:?}");
        assert_eq!((reading.above(0.01), reading.features.len()), (0, 2));
    }

    #[test]
    fn what_moved_comes_first_and_is_above_the_bars() {
        let counts = counts();
        pass(&counts, 20_000, 40.0);
        let reading = counts.read(day(20_000));
        assert_eq!(reading.features[0].name, "even");
        assert_eq!((reading.above(ACT), reading.above(WATCH)), (1, 1), "{reading:?}");
        assert_eq!(Reading::word(reading.features[0].psi), "drifted");
        let missing = self::counts();
        (0..1_000).for_each(|_| missing.note(day(20_000), &[0.0, -1.0], 500));
        assert!(missing.read(day(20_000)).features[0].psi > 5.0, "missing values are a bin");
    }

    #[test]
    fn a_week_counts_and_older_days_are_forgotten() {
        let counts = counts();
        (0..9).for_each(|back| pass(&counts, 20_000 + back, if back < 2 { 90.0 } else { 0.0 }));
        let reading = counts.read(day(20_008));
        assert_eq!((reading.orders, reading.above(WATCH)), (7_000, 0), "{reading:?}");
        assert_eq!(counts.read(day(20_012)).orders, 3_000);
        pass(&counts, 20_001, 0.0);
        assert_eq!(counts.read(day(20_008)).orders, 7_000, "what is older than a week stays out");
    }

    #[test]
    fn too_few_orders_say_nothing() {
        let counts = counts();
        (0..LEAST - 1).for_each(|_| counts.note(day(20_000), &[5.0, -1.0], 0));
        let reading = counts.read(day(20_000));
        assert_eq!((reading.orders, reading.score_psi), (LEAST - 1, None));
        counts.note(day(20_000), &[5.0], 0);
        assert_eq!(counts.read(day(20_000)).orders, LEAST - 1, "another layout's are not counted");
    }
}

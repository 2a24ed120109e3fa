//! When buyers come, decided before anybody knows how fast they will be served: an open model.
//!
//! With Λ(t) the number of buyers expected by time t, the k-th comes at Λ⁻¹(k) when they come
//! evenly, and at Λ⁻¹ of a sum of k exponential steps when they come by chance (a Poisson process
//! of varying rate by time change: Çinlar, *Introduction to Stochastic Processes*, 1975, §4.7).

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::Deserialize;
use std::time::Duration;

/// A while in which the rate goes from one value to another, in a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// How long.
    pub seconds: f64,
    /// Buyers per second at its beginning.
    pub from: f64,
    /// Buyers per second at its end.
    pub to: f64,
}

impl Stage {
    /// Buyers expected in all of it.
    pub fn buyers(&self) -> f64 {
        self.seconds * f64::midpoint(self.from, self.to)
    }

    /// After how many seconds so many buyers are expected. Solves from·t + (to − from)·t²/2s = n in
    /// the form that stands a flat rate.
    fn when(&self, buyers: f64) -> f64 {
        let slope = (self.to - self.from) / self.seconds;
        let root = (self.from * self.from + 2.0 * slope * buyers).max(0.0).sqrt();
        let seconds = 2.0 * buyers / (self.from + root);
        if seconds.is_finite() { seconds.min(self.seconds) } else { 0.0 }
    }
}

/// How buyers are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// Evenly.
    Constant,
    /// Independently of one another.
    #[default]
    Poisson,
}

/// The times at which buyers come, counted from the beginning; the same for the same seed.
#[derive(Debug)]
pub struct Arrivals {
    stages: Vec<Stage>,
    spacing: Spacing,
    chance: SmallRng,
    /// The stage that runs, when it began, and the buyers before it.
    stage: usize,
    began: f64,
    before: f64,
    /// Where on Λ the last buyer stood.
    at: f64,
}

impl Arrivals {
    /// Arrivals through these stages. One of several drivers takes its share: so many buyers in so
    /// many, shifted so that together they are evenly spaced.
    pub fn new(
        stages: &[Stage],
        spacing: Spacing,
        seed: u64,
        (share, shares): (usize, usize),
    ) -> Self {
        let part = shares.max(1) as f64;
        let cut = |stage: &Stage| Stage { from: stage.from / part, to: stage.to / part, ..*stage };
        let at = match spacing {
            Spacing::Constant => share as f64 / part - 1.0,
            Spacing::Poisson => 0.0,
        };
        let chance = SmallRng::seed_from_u64(seed.wrapping_add(share as u64));
        let stages = stages.iter().map(cut).collect();
        Self { stages, spacing, chance, stage: 0, began: 0.0, before: 0.0, at }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.at += match self.spacing {
            Spacing::Constant => 1.0,
            // 1 − u is never 0, whose logarithm would be an arrival that never comes.
            Spacing::Poisson => -(1.0 - self.chance.random::<f64>()).ln(),
        };
        while let Some(stage) = self.stages.get(self.stage) {
            let inside = self.at - self.before;
            if inside < stage.buyers() {
                return Some(Duration::from_secs_f64(self.began + stage.when(inside.max(0.0))));
            }
            self.before += stage.buyers();
            self.began += stage.seconds;
            self.stage += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(rate: f64, seconds: f64) -> Stage {
        Stage { seconds, from: rate, to: rate }
    }

    fn all(stages: &[Stage], spacing: Spacing, seed: u64) -> Vec<f64> {
        Arrivals::new(stages, spacing, seed, (0, 1)).map(|at| at.as_secs_f64()).collect()
    }

    #[test]
    fn a_constant_rate_is_constant() {
        let times = all(&[steady(100.0, 2.0)], Spacing::Constant, 1);
        assert_eq!(times.len(), 200);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0] - 0.01).abs() < 1e-9, "{pair:?}");
        }
    }

    #[test]
    fn poisson_has_the_rate_and_the_spread_of_one_and_a_seed() {
        let times = all(&[steady(1000.0, 20.0)], Spacing::Poisson, 7);
        // 20,000 expected, with a standard deviation of √20,000 ≈ 141.
        assert!((19_400..20_600).contains(&times.len()), "{}", times.len());
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let spread = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // The standard deviation of exponential gaps equals their mean; of even ones it is 0.
        assert!((0.95..1.05).contains(&(spread.sqrt() / mean)), "{}", spread.sqrt() / mean);
        assert_eq!(times, all(&[steady(1000.0, 20.0)], Spacing::Poisson, 7));
        assert_ne!(times, all(&[steady(1000.0, 20.0)], Spacing::Poisson, 8));
    }

    #[test]
    fn a_ramp_grows_in_a_straight_line_and_a_spike_is_where_it_should_be() {
        let ramp = Stage { seconds: 10.0, from: 0.0, to: 200.0 };
        let times = all(&[ramp], Spacing::Constant, 1);
        assert!((999..=1000).contains(&times.len()), "{}", times.len());
        let first_half = times.iter().filter(|at| **at < 5.0).count();
        assert!((249..=251).contains(&first_half), "a quarter of a triangle: {first_half}");
        let spike = [steady(10.0, 5.0), steady(1000.0, 1.0), steady(10.0, 5.0)];
        let times = all(&spike, Spacing::Constant, 1);
        let inside = times.iter().filter(|at| (5.0..6.0).contains(*at)).count();
        assert!((999..=1001).contains(&inside) && (1098..=1101).contains(&times.len()));
        assert!(times.is_sorted());
    }

    #[test]
    fn drivers_share_the_rate_and_together_are_even() {
        let stages = [steady(100.0, 1.0)];
        let mut times: Vec<f64> = (0..4)
            .flat_map(|share| Arrivals::new(&stages, Spacing::Constant, 1, (share, 4)))
            .map(|at| at.as_secs_f64())
            .collect();
        times.sort_by(f64::total_cmp);
        assert_eq!(times.len(), 100);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0] - 0.01).abs() < 1e-6, "{pair:?}");
        }
    }

    #[test]
    fn nobody_comes_at_a_rate_of_zero() {
        assert_eq!(all(&[steady(0.0, 3.0)], Spacing::Poisson, 1), [0.0; 0]);
        assert_eq!(all(&[], Spacing::Constant, 1), [0.0; 0]);
    }
}

//! From raw scores to probabilities and points.

/// Points go from 0 to this.
pub const MOST_POINTS: u16 = 1000;

/// A hair of the raw score keeps apart what the steps of an isotonic fit would tie.
const TIEBREAK: f64 = 1e-6;

/// What a raw score means.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Raw scores, rising, and the share of fraud found at each; between them straight lines.
    pub(super) curve: Vec<(f32, f32)>,
    /// For each point from 1 to 1000, the raw score from which on it is given.
    pub(super) cuts: Vec<f32>,
}

/// A curve that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calibration does not hold: {0}")]
pub struct BadCalibration(pub(super) &'static str);

impl Calibration {
    /// A calibration from its parts.
    ///
    /// # Errors
    /// When scores do not rise, a share is none, or there are not as many cuts as points.
    pub fn new(curve: Vec<(f32, f32)>, cuts: Vec<f32>) -> Result<Self, BadCalibration> {
        if curve.is_empty() || !curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1) {
            return Err(BadCalibration("the curve does not rise"));
        }
        let share = |share: f32| (0.0..=1.0).contains(&share);
        if curve.iter().any(|(raw, fraud)| !raw.is_finite() || !share(*fraud)) {
            return Err(BadCalibration("a share is not between 0 and 1"));
        }
        if cuts.len() != usize::from(MOST_POINTS) || !cuts.is_sorted() {
            return Err(BadCalibration("there are not 1000 rising cuts"));
        }
        Ok(Self { curve, cuts })
    }

    /// The probability of fraud. Rises with the raw score, strictly.
    pub fn probability(&self, raw: f64) -> f64 {
        let after = self.curve.partition_point(|(x, _)| f64::from(*x) <= raw);
        let at = |place: usize| (f64::from(self.curve[place].0), f64::from(self.curve[place].1));
        let share = if after == 0 {
            at(0).1
        } else if after == self.curve.len() {
            at(after - 1).1
        } else {
            let ((x0, y0), (x1, y1)) = (at(after - 1), at(after));
            y0 + (y1 - y0) * (raw - x0) / (x1 - x0)
        };
        share * (1.0 - TIEBREAK) + TIEBREAK * raw.clamp(0.0, 1.0)
    }

    /// Points: of 1000 good orders like those of the training, 1000 − points score as high.
    pub fn points(&self, raw: f64) -> u16 {
        let reached = self.cuts.partition_point(|cut| f64::from(*cut) <= raw);
        u16::try_from(reached).unwrap_or(MOST_POINTS).min(MOST_POINTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let cuts = (0..1000_u16).map(|place| f32::from(place) / 1000.0).collect();
        Calibration::new(vec![(0.1, 0.0), (0.5, 0.2), (0.6, 0.2), (0.9, 1.0)], cuts).expect("holds")
    }

    #[test]
    fn probabilities_rise_with_the_score_also_where_the_fit_is_flat() {
        let calibration = calibration();
        assert!((calibration.probability(0.3) - 0.1).abs() < 1e-5);
        assert!((calibration.probability(0.0)).abs() < 1e-5);
        assert!((calibration.probability(0.95) - 1.0).abs() < 1e-5);
        let rising: Vec<f64> =
            (0..100).map(|n| calibration.probability(f64::from(n) / 100.0)).collect();
        assert!(rising.is_sorted_by(|a, b| a < b), "{rising:?}");
    }

    #[test]
    fn points_count_the_cuts_that_are_reached() {
        let calibration = calibration();
        assert_eq!(calibration.points(-1.0), 0);
        assert_eq!(calibration.points(0.0), 1);
        assert_eq!(calibration.points(0.9899), 990);
        assert_eq!(calibration.points(2.0), 1000);
    }

    #[test]
    fn what_does_not_rise_is_refused() {
        let cuts = || vec![0.5_f32; 1000];
        assert!(Calibration::new(vec![], cuts()).is_err());
        assert!(Calibration::new(vec![(0.5, 0.2), (0.4, 0.3)], cuts()).is_err());
        assert!(Calibration::new(vec![(0.4, 0.3), (0.5, 0.2)], cuts()).is_err());
        assert!(Calibration::new(vec![(0.4, f32::NAN)], cuts()).is_err());
        assert!(Calibration::new(vec![(0.4, 0.5)], vec![0.5; 999]).is_err());
    }
}

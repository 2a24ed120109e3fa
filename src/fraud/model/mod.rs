//! The trained model: trees in flat arrays, a calibration, and what it expects to be given.
//!
//! ```text
//!  features ─► Forest::explain ─► raw score and contributions (one per feature)   (forest.rs)
//!              raw ─► Calibration: probability, and points by false positives     (calibration.rs)
//!              contributions ─► reasons ─► sentences                              (reasons.rs)
//!  bytes ◄─► Model: versioned, hashed, checked once when loaded                   (file.rs)
//! ```
//! Plain data without a lock: shared through an `Arc`, and replaced by another `Arc`.

pub mod calibration;
pub mod file;
pub mod forest;
mod of_payments;
pub mod reasons;

pub use calibration::Calibration;
pub use file::ModelFault;
pub use forest::{Forest, GrownNode};
pub use reasons::Reason;

/// A model that can score.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// [`Layout::hash`](super::features::Layout::hash) of the features it was trained on. Others
    /// would be nonsense to it.
    pub features_hash: [u8; 32],
    /// The trees.
    pub forest: Forest,
    /// From raw scores to probabilities and points.
    pub calibration: Calibration,
}

/// What a model says about one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The mean over the trees.
    pub raw: f64,
    /// The calibrated probability of fraud, 0–1, as far as the training labels tell.
    pub probability: f64,
    /// 0–1000, tied to false positives: of 1000 good orders, 1000 − points score as high.
    pub points: u16,
}

impl Model {
    /// Scores features and leaves each one's contribution to the raw score in `contributions`.
    ///
    /// # Panics
    /// When either has another length than the features the model was trained on. Whoever loads a
    /// model compares hashes first.
    pub fn explain(&self, features: &[f32], contributions: &mut [f64]) -> Score {
        self.score_of(self.forest.explain(features, contributions))
    }

    /// Scores features without reasons.
    ///
    /// # Panics
    /// As [`explain`](Self::explain).
    pub fn score(&self, features: &[f32]) -> Score {
        self.score_of(self.forest.predict(features))
    }

    fn score_of(&self, raw: f64) -> Score {
        let probability = self.calibration.probability(raw);
        Score { raw, probability, points: self.calibration.points(raw) }
    }
}

//! Trains a model from a history: features as serving would have seen them, trees on 0/1 labels by
//! the learner that suits them, a calibration from rows each tree did not see.
//!
//! ```text
//!  rows, sorted ─► Engine ─► Samples: all frauds, a drawn share of the good  (sample.rs)
//!               ─► which learner, by the last of the rows                 (choose.rs)
//!               ─► a forest, a few trees at a time                       (grow.rs)
//!                  or boosted trees, one after the other                 (bins.rs, boost.rs)
//!                  that keep to what is known                            (monotone.rs)
//!               ─► Forest, laid flat
//!               ─► out-of-bag scores ─► isotonic curve, points            (calibrate.rs)
//!               ─► what rows and scores looked like                   (reference.rs)
//! ```
//! Deterministic: the same rows, options and seed give the same bytes. Never asked while serving.

pub mod bins;
pub mod boost;
pub mod calibrate;
pub mod choose;
pub mod grow;
pub mod monotone;
pub mod reference;
pub mod replayed;
pub mod sample;

use std::sync::Arc;

use super::{
    drift::Reference,
    features::Layout,
    model::{Model, calibration::BadCalibration, forest::BadTrees},
    progress::Progress,
    schema::read::Row,
};
use crate::base::Timestamp;

pub use choose::{Learner, Validation};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Rows from here on are trained on; earlier ones are history for features alone.
    pub from: Option<Timestamp>,
    /// Rows before this are trained on; later ones are not looked at.
    pub until: Option<Timestamp>,
    /// Draws rows, bootstrap samples and candidate features.
    pub seed: u64,
    /// What grows trees.
    pub learner: Learner,
    /// How many trees; of boosted ones at most four times as many.
    pub trees: usize,
    /// How deep a tree may be, the root counted.
    pub depth: u16,
    /// The fewest training rows in a leaf; five times as many in a boosted one.
    pub min_leaf: usize,
    /// Features drawn as candidates for each split, a quarter of them if 0; for each boosted tree,
    /// half of them if 0.
    pub candidates: usize,
    /// Good rows to train on at most. All frauds are.
    pub most_good: usize,
    /// Entities to remember at most.
    pub memory: usize,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            from: None,
            until: None,
            seed: 1,
            learner: Learner::Auto,
            trees: 100,
            depth: 12,
            min_leaf: 10,
            candidates: 0,
            most_good: 150_000,
            memory: super::features::memory::DEFAULT_LIMIT,
        }
    }
}

impl TrainOptions {
    /// How many features are drawn for each split, of so many.
    pub fn candidates_of(&self, features: usize) -> usize {
        match self.candidates {
            // More than the usual square root: most features look back over one of five windows,
            // and a draw that has none of the right kind wastes the split.
            0 => features.div_ceil(4),
            asked => asked.min(features),
        }
    }
}

/// Rows that teach nothing, or a library that failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainFault {
    /// There is nothing to tell apart.
    #[error(
        "{good} good rows and {frauds} frauds are too few to train on; at least {least} of each \
         are needed"
    )]
    TooFew {
        /// Good rows in the span.
        good: usize,
        /// Frauds in it.
        frauds: usize,
        /// What is needed of each.
        least: usize,
    },
    /// The library refused.
    #[error("growing trees failed: {0}")]
    Grow(String),
    /// What was grown does not hold.
    #[error(transparent)]
    Trees(#[from] BadTrees),
    /// What was calibrated does not hold.
    #[error(transparent)]
    Calibration(#[from] BadCalibration),
}

/// A trained model and what is worth telling of its training.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// By what it was grown.
    pub learner: Learner,
    /// Why by that; none where it was asked for, or there are too few rows to compare.
    pub validation: Option<Validation>,
    /// What it was trained on.
    pub samples: sample::Samples,
    /// What that looked like.
    pub reference: Reference,
}

/// Trains a model from rows in the order of time.
///
/// # Errors
/// When the rows are too few, or the trees do not hold.
pub fn train(
    layout: &Arc<Layout>,
    rows: &[Row],
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Trained, TrainFault> {
    let samples = sample::collect(layout, rows, options, progress)?;
    fit(layout, samples, options, progress)
}

/// Trains a model from rows whose features were recorded, in the order of time.
///
/// # Errors
/// As [`train`].
pub fn train_recorded(
    layout: &Layout,
    rows: sample::Recorded,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Trained, TrainFault> {
    let samples = sample::draw_recorded(layout.features.len(), &rows, options)?;
    drop(rows);
    fit(layout, samples, options, progress)
}

fn fit(
    layout: &Layout,
    samples: sample::Samples,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Trained, TrainFault> {
    let readings = monotone::readings(layout);
    let chosen = choose::choose(&samples, &readings, options, progress)?;
    let calibration = calibrate::calibrate(&samples, &chosen.unseen)?;
    let reference = reference::reference(layout, &samples, &chosen.unseen, &calibration);
    let model = Model { features_hash: layout.hash(), forest: chosen.forest, calibration };
    let (learner, validation) = (chosen.learner, chosen.validation);
    Ok(Trained { model, learner, validation, samples, reference })
}

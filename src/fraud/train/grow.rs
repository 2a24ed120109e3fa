//! Grows the trees, with the library, and takes them from it.
//!
//! The library keeps its trees to itself, and its serialized form is the only way to them. A few
//! trees are grown at a time: that form is large, and progress can be told.

use serde::Deserialize;
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};

use super::{
    TrainFault, TrainOptions,
    monotone::{self, Reading},
    sample::Samples,
};
use crate::fraud::{
    model::{Forest, GrownNode, forest::GrownSplit},
    progress::Progress,
};

/// Trees grown at a time: sorting the rows anew for each call costs about as much as one tree.
const AT_A_TIME: usize = 10;

/// Trees, and for each row the mean score of those that did not see it.
#[derive(Debug)]
pub struct Grown {
    /// The trees.
    pub trees: Vec<Vec<GrownNode>>,
    /// One score per row; none when every tree saw it.
    pub out_of_bag: Vec<Option<f64>>,
}

/// Grows a forest.
///
/// # Errors
/// When the library refuses, or what it gives does not read.
pub fn grow(
    samples: &Samples,
    readings: &[Reading],
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Grown, TrainFault> {
    let read: Vec<usize> = (0..samples.features).filter(|at| readings[*at].is_read()).collect();
    let labels: Vec<f32> = samples.frauds.iter().map(|fraud| f32::from(u8::from(*fraud))).collect();
    let mut trees = Vec::with_capacity(options.trees);
    let mut unseen = vec![(0.0, 0_u32); samples.len()];
    progress.stage("trees", options.trees as u64);
    while trees.len() < options.trees {
        let count = AT_A_TIME.min(options.trees - trees.len());
        // A tree's own seed is the call's plus its place: calls must be further apart than that.
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(trees.len() as u64 * 1_009);
        let depth = options.depth;
        let library = Library { features: &read, depth, trees: count, seed, keep_seen: true };
        let forest = library.fit(samples, &labels, options)?;
        let Taken { trees: more, seen } = take(&forest)?;
        drop(forest);
        for (mut tree, seen) in more.into_iter().zip(seen) {
            name_features(&mut tree, &read);
            let counts = monotone::counts(&tree, samples);
            monotone::order(&mut tree, readings, &counts);
            let alone = Forest::flatten(samples.features, std::slice::from_ref(&tree))?;
            let places = seen.iter().zip(&mut unseen).enumerate();
            for (place, (_, unseen)) in places.filter(|(_, (seen, _))| !**seen) {
                unseen.0 += alone.predict(samples.row(place));
                unseen.1 += 1;
            }
            trees.push(tree);
        }
        progress.advance(count as u64);
    }
    let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
    Ok(Grown { trees, out_of_bag: unseen.into_iter().map(mean).collect() })
}

/// How the library grows a few trees at once.
#[derive(Debug)]
pub(super) struct Library<'a> {
    /// The features it may ask.
    pub(super) features: &'a [usize],
    /// How deep.
    pub(super) depth: u16,
    /// How many trees.
    pub(super) trees: usize,
    /// Where it starts.
    pub(super) seed: u64,
    /// Whether it keeps which rows each tree has seen.
    pub(super) keep_seen: bool,
}

impl Library<'_> {
    /// A forest on as many of the first rows as there are targets.
    pub(super) fn fit(
        &self,
        samples: &Samples,
        targets: &Vec<f32>,
        options: &TrainOptions,
    ) -> Result<LibraryForest, TrainFault> {
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(self.trees)
            .with_max_depth(self.depth)
            .with_min_samples_leaf(options.min_leaf)
            .with_min_samples_split(2 * options.min_leaf.max(1))
            .with_keep_samples(self.keep_seen)
            .with_m(options.candidates_of(self.features.len()))
            .with_seed(self.seed);
        let matrix = matrix(samples, self.features, targets.len())?;
        RandomForestRegressor::fit(&matrix, targets, parameters).map_err(grow_fault)
    }
}

/// The library counts the features that it was given; ours have the numbers of the layout.
pub(super) fn name_features(tree: &mut [GrownNode], features: &[usize]) {
    let splits = tree.iter_mut().filter_map(|node| node.split.as_mut());
    splits.for_each(|split| split.feature = features[split.feature]);
}

/// A forest of the library's.
pub type LibraryForest = RandomForestRegressor<f32, f32, Matrix, Vec<f32>>;

type Matrix = DenseMatrix<f32>;

/// What a forest of the library's consists of.
#[derive(Debug)]
pub struct Taken {
    /// Its trees.
    pub trees: Vec<Vec<GrownNode>>,
    /// For each tree, which rows it has seen; empty when the forest did not keep that.
    pub seen: Vec<Vec<bool>>,
}

/// Takes the trees out of a forest of the library's.
///
/// # Errors
/// When its serialized form is not the one we know.
pub fn take(forest: &LibraryForest) -> Result<Taken, TrainFault> {
    let written = serde_json::to_vec(forest).map_err(grow_fault)?;
    let written: Written = serde_json::from_slice(&written).map_err(grow_fault)?;
    let Ensemble { trees, samples } = written.forest_regressor;
    let grown =
        |tree: WrittenTree| tree.nodes.into_iter().map(WrittenNode::grown).collect::<Vec<_>>();
    let trees = trees.into_iter().map(grown).collect();
    Ok(Taken { trees, seen: samples.unwrap_or_default() })
}

/// The rows column by column, as the library reads them fastest.
fn matrix(samples: &Samples, read: &[usize], rows: usize) -> Result<Matrix, TrainFault> {
    let mut columns = Vec::with_capacity(rows * read.len());
    for feature in read {
        let column = samples.values.iter().skip(*feature).step_by(samples.features);
        columns.extend(column.take(rows));
    }
    DenseMatrix::new(rows, read.len(), columns, true).map_err(grow_fault)
}

fn grow_fault(fault: impl ToString) -> TrainFault {
    TrainFault::Grow(fault.to_string())
}

/// The library's serialized form, as far as it is wanted.
#[derive(Deserialize)]
struct Written {
    forest_regressor: Ensemble,
}

#[derive(Deserialize)]
struct Ensemble {
    trees: Vec<WrittenTree>,
    samples: Option<Vec<Vec<bool>>>,
}

#[derive(Deserialize)]
struct WrittenTree {
    nodes: Vec<WrittenNode>,
}

#[derive(Deserialize)]
struct WrittenNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

impl WrittenNode {
    /// A node without children may keep a split that was not carried out; it is a leaf.
    fn grown(self) -> GrownNode {
        let split = match (self.split_value, self.true_child, self.false_child) {
            (Some(threshold), Some(below), Some(above)) => {
                Some(GrownSplit { feature: self.split_feature, threshold, below, above })
            }
            _ => None,
        };
        GrownNode { value: self.output, split }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{progress::Silent, train::sample::Tally};

    /// Fraud where the first feature is high and the third low, with some noise.
    fn samples(rows: usize) -> Samples {
        let mut values = vec![];
        let mut frauds = vec![];
        let mut state = 7_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        for _ in 0..rows {
            let row = [draw(), draw() * 100.0, draw()];
            frauds.push((row[0] > 0.7 && row[2] < 0.4) != (draw() < 0.02));
            values.extend(row);
        }
        let tally = Tally::default();
        Samples { features: 3, values, frauds, weight_of_good: 1.0, tally }
    }

    /// Our evaluator decides at every threshold as the library does.
    #[test]
    fn our_forest_says_what_the_library_says() {
        let samples = samples(600);
        let options = TrainOptions { trees: 7, depth: 6, candidates: 2, ..TrainOptions::default() };
        let grown = grow(&samples, &[Reading::FREELY; 3], &options, &mut Silent).expect("it grows");
        let forest = Forest::flatten(3, &grown.trees).expect("trees");
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(7)
            .with_max_depth(6)
            .with_min_samples_leaf(options.min_leaf)
            .with_min_samples_split(2 * options.min_leaf)
            .with_m(2)
            .with_seed(1_000_003);
        let labels: Vec<f32> = samples.frauds.iter().map(|f| f32::from(u8::from(*f))).collect();
        let matrix = matrix(&samples, &[0, 1, 2], samples.len()).expect("a matrix");
        let library = RandomForestRegressor::fit(&matrix, &labels, parameters).expect("it fits");
        let theirs = library.predict(&matrix).expect("it predicts");
        for (place, theirs) in theirs.iter().enumerate() {
            let ours = forest.predict(samples.row(place));
            assert!((ours - f64::from(*theirs)).abs() < 1e-5, "row {place}: {ours} not {theirs}");
        }
        let unseen = grown.out_of_bag.iter().flatten().count();
        assert!(unseen > 500, "{unseen} rows have an out-of-bag score");
    }

    #[test]
    fn the_same_seed_grows_the_same_trees_and_another_does_not() {
        let samples = samples(300);
        let options = |seed| TrainOptions { seed, trees: 12, depth: 5, ..TrainOptions::default() };
        let trees = |seed| {
            let grown = grow(&samples, &[Reading::FREELY; 3], &options(seed), &mut Silent);
            grown.expect("it grows").trees
        };
        let first = trees(3);
        assert_eq!(first, trees(3));
        assert_ne!(first, trees(4));
        assert_ne!(first[0], first[10], "calls do not repeat one another");
    }
}

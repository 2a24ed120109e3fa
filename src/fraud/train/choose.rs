//! Which learner a model is grown by, and how boosted trees become a model.
//!
//! ```text
//!  rows, by time ─► the first four fifths: a forest, and boosted trees
//!                └► the last fifth: which ranks frauds better, and after how many trees
//!  all rows ─► the better one; boosted trees once more for each part of the rows that they
//!              have not seen, so that calibration is told by others than those grown on
//! ```
//! A flat forest's score is the mean of its trees, between 0 and 1. Boosted trees add up, in
//! log-odds: each is laid flat as so many times itself, shrunk to the span of the training's
//! log-odds, so that their mean is the sum, reasons add up to it, and the file stays what it is.

use serde::Serialize;
use std::{fmt, str::FromStr};

use super::{
    TrainFault, TrainOptions,
    bins::Binned,
    boost::{Boosted, Booster},
    grow,
    monotone::Reading,
    sample::{LEAST, Samples, drawn},
};
use crate::fraud::{
    model::{Forest, GrownNode},
    progress::Progress,
};

/// The share of rows that come last in time, which learners are compared on: one in so many.
const VALIDATED: usize = 5;

/// Parts of the rows that are scored by trees grown on the others.
const FOLDS: u64 = 4;

/// Boosted trees are small: so many of them at most for each tree of a forest.
const ROUNDS_PER_TREE: usize = 4;

/// Rounds without a smaller loss on rows not grown on, after which there will be none.
const PATIENCE: usize = 50;

/// Log-odds are laid into 0–1 with as much room beside as this: rows that come later go further.
const ROOM: f64 = 1.5;

/// What grows trees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Learner {
    /// Whichever ranks the last fifth of the rows better, grown on those before.
    #[default]
    Auto,
    /// A random forest.
    Forest,
    /// Gradient boosting.
    Boosting,
}

impl fmt::Display for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Forest => "forest",
            Self::Boosting => "boosting",
        })
    }
}

impl FromStr for Learner {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let all = [Self::Auto, Self::Forest, Self::Boosting];
        let found = all.into_iter().find(|learner| learner.to_string() == raw);
        found.ok_or_else(|| format!("expected auto, forest or boosting, found `{raw}`"))
    }
}

/// How both fared on the last fifth of the rows, grown on those before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Validation {
    /// Average precision of a forest; none where it was not asked.
    pub forest: Option<f64>,
    /// Average precision of boosted trees.
    pub boosting: f64,
    /// After so many trees their loss was least.
    pub rounds: usize,
    /// Rows.
    pub rows: usize,
    /// Frauds among them.
    pub frauds: usize,
}

/// What was grown.
#[derive(Debug)]
pub struct Chosen {
    /// By what: never [`Learner::Auto`].
    pub learner: Learner,
    /// Why; none where a forest was asked for, or there are too few rows to compare.
    pub validation: Option<Validation>,
    /// Laid flat.
    pub forest: Forest,
    /// For each row the score of trees that have not seen it; none when all have.
    pub unseen: Vec<Option<f64>>,
}

/// Grows trees by the learner that is asked for.
///
/// # Errors
/// When the library refuses, or trees do not hold.
pub fn choose(
    samples: &Samples,
    readings: &[Reading],
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Chosen, TrainFault> {
    if options.learner == Learner::Forest {
        return forest(samples, readings, options, None, progress);
    }
    let read: Vec<usize> = (0..samples.features).filter(|at| readings[*at].is_read()).collect();
    let binned = Binned::of(samples, &read);
    let booster = Booster { samples, binned: &binned, readings, options };
    let validation = booster.validate(progress)?;
    let wins = match validation {
        Some(Validation { forest: Some(forest), boosting, .. }) => boosting > forest,
        Some(Validation { forest: None, .. }) => true,
        None => options.learner == Learner::Boosting,
    };
    match wins {
        true => booster.boosted(validation, progress),
        false => forest(samples, readings, options, validation, progress),
    }
}

fn forest(
    samples: &Samples,
    readings: &[Reading],
    options: &TrainOptions,
    validation: Option<Validation>,
    progress: &mut dyn Progress,
) -> Result<Chosen, TrainFault> {
    let grown = grow::grow(samples, readings, options, progress)?;
    let forest = Forest::flatten(samples.features, &grown.trees)?;
    Ok(Chosen { learner: Learner::Forest, validation, forest, unseen: grown.out_of_bag })
}

impl Booster<'_> {
    fn rounds_most(&self) -> usize {
        ROUNDS_PER_TREE * self.options.trees
    }

    /// Compares on the last rows; none where there are too few frauds among them, or before.
    fn validate(&self, progress: &mut dyn Progress) -> Result<Option<Validation>, TrainFault> {
        let samples = self.samples;
        let cut = samples.len() - samples.len() / VALIDATED;
        let frauds = |rows: &[bool]| rows.iter().filter(|fraud| **fraud).count();
        let (before, last) = samples.frauds.split_at(cut);
        if frauds(before).min(frauds(last)) < LEAST {
            return Ok(None);
        }
        let rows: Vec<u32> = (0..cut as u32).collect();
        let (mut best, mut ranked) = ((f64::INFINITY, 0), Vec::new());
        progress.stage("validation", self.rounds_most() as u64);
        self.boost(&rows, self.rounds_most(), |round, scores| {
            let loss = loss(&scores[cut..], last);
            if loss < best.0 {
                best = (loss, round);
                ranked = scores[cut..].to_vec();
            }
            progress.advance(1);
            round < best.1 + PATIENCE
        });
        let weights: Vec<f64> = (cut..samples.len()).map(|row| samples.weight(row)).collect();
        let precision = |scores: &[f64]| average_precision(scores, last, &weights);
        let forest = match self.options.learner {
            Learner::Auto => {
                let grown = grow::grow(&samples.first(cut), self.readings, self.options, progress)?;
                let forest = Forest::flatten(samples.features, &grown.trees)?;
                let score = |row| forest.predict(samples.row(row));
                Some(precision(&(cut..samples.len()).map(score).collect::<Vec<f64>>()))
            }
            Learner::Forest | Learner::Boosting => None,
        };
        let (boosting, frauds, rows) = (precision(&ranked), frauds(last), last.len());
        Ok(Some(Validation { forest, boosting, rounds: best.1, rows, frauds }))
    }

    /// Boosts on all rows, and on all but each part of them.
    fn boosted(
        &self,
        validation: Option<Validation>,
        progress: &mut dyn Progress,
    ) -> Result<Chosen, TrainFault> {
        let rounds = validation.map_or(self.rounds_most() / 2, |validation| validation.rounds);
        let rounds = rounds.max(1);
        progress.stage("trees", (FOLDS + 1) * rounds as u64);
        let mut boost = |rows: &[u32]| {
            self.boost(rows, rounds, |_, _| {
                progress.advance(1);
                true
            })
        };
        let all: Vec<u32> = (0..self.samples.len() as u32).collect();
        let boosted = boost(&all);
        let span = Span::of(&boosted.scores);
        // Apart from the draws of rows for trees.
        let seed = self.options.seed.rotate_left(32);
        let fold = |row: u32| (drawn(seed, row.into()) * FOLDS as f64) as u64;
        let mut unseen = vec![None; self.samples.len()];
        for part in 0..FOLDS {
            let others: Vec<u32> = all.iter().copied().filter(|row| fold(*row) != part).collect();
            let scores = boost(&others).scores;
            for row in all.iter().filter(|row| fold(**row) == part) {
                unseen[*row as usize] = Some(span.lay(scores[*row as usize]));
            }
        }
        let forest = Forest::flatten(self.samples.features, &span.lay_trees(boosted))?;
        Ok(Chosen { learner: Learner::Boosting, validation, forest, unseen })
    }
}

/// Log-odds up to this, on either side of even, come to lie between 0 and 1.
#[derive(Debug, Clone, Copy)]
struct Span(f64);

impl Span {
    fn of(scores: &[f64]) -> Self {
        Self(ROOM * scores.iter().fold(1.0_f64, |most, score| most.max(score.abs())))
    }

    fn lay(self, score: f64) -> f64 {
        0.5 + score / (2.0 * self.0)
    }

    /// Trees whose mean is where their sum comes to lie.
    fn lay_trees(self, boosted: Boosted) -> Vec<Vec<GrownNode>> {
        let (base, mut trees) = (self.lay(boosted.base), boosted.trees);
        let times = trees.len() as f64 / (2.0 * self.0);
        for node in trees.iter_mut().flatten() {
            node.value = base + times * node.value;
        }
        trees
    }
}

/// Mean logistic loss.
fn loss(scores: &[f64], frauds: &[bool]) -> f64 {
    let loss = |(score, fraud): (&f64, &bool)| {
        let against = if *fraud { -score } else { *score };
        // ln(1 + e^x) without overflow.
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    };
    scores.iter().zip(frauds).map(loss).sum::<f64>() / scores.len() as f64
}

/// Σ (recall − recall before) × precision over falling distinct scores, drawn rows counted as often
/// as they stand for others.
fn average_precision(scores: &[f64], frauds: &[bool], weights: &[f64]) -> f64 {
    let mut ranked: Vec<usize> = (0..scores.len()).collect();
    ranked.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let all = frauds.iter().filter(|fraud| **fraud).count() as f64;
    let (mut good, mut found, mut area) = (0.0, 0.0, 0.0);
    for tied in ranked.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let (more, others): (Vec<usize>, Vec<usize>) = tied.iter().partition(|row| frauds[**row]);
        good += others.iter().map(|row| weights[*row]).sum::<f64>();
        found += more.len() as f64;
        area += more.len() as f64 / all * found / (found + good);
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{
        progress::Silent,
        train::{calibrate::calibrate, sample::Tally},
    };

    /// Fraud by chance, whose log-odds are a sum over six features.
    fn samples(rows: usize) -> Samples {
        let features = 6;
        let (mut values, mut frauds) = (Vec::new(), Vec::new());
        for row in 0..rows as u64 {
            let of: Vec<f32> = (0..features).map(|at| drawn(at, row) as f32 - 0.5).collect();
            let chance = 1.0 / (1.0 + (2.0 - 4.0 * f64::from(of.iter().sum::<f32>())).exp());
            frauds.push(drawn(99, row) < chance);
            values.extend(of);
        }
        let (features, tally) = (features as usize, Tally::default());
        Samples { features, values, frauds, weight_of_good: 2.0, tally }
    }

    fn chosen(samples: &Samples, learner: Learner, readings: &[Reading]) -> Chosen {
        let options = TrainOptions { learner, trees: 15, depth: 6, ..TrainOptions::default() };
        choose(samples, readings, &options, &mut Silent).expect("it grows")
    }

    // breaks: choose the forest where boosting wins, or validate on the first rows
    #[test]
    fn boosting_is_chosen_where_it_ranks_later_rows_better() {
        let samples = samples(3_000);
        let readings = [Reading::FREELY; 6];
        let auto = chosen(&samples, Learner::Auto, &readings);
        let told = auto.validation.expect("enough of both");
        assert_eq!((auto.learner, told.rows), (Learner::Boosting, 600));
        assert!(told.boosting > told.forest.expect("it was asked"), "{told:?}");
        assert_eq!(auto.forest.trees(), told.rounds);
        let boosting = chosen(&samples, Learner::Boosting, &readings);
        assert_eq!((boosting.forest, boosting.unseen), (auto.forest, auto.unseen));
        let forest = chosen(&samples, Learner::Forest, &readings);
        assert_eq!((forest.learner, forest.validation), (Learner::Forest, None));
        // Three rows in a hundred of a hundred rows are too few to tell.
        let few = chosen(&self::samples(60), Learner::Auto, &readings);
        assert_eq!((few.learner, few.validation), (Learner::Forest, None));
    }

    // breaks: `ROOM` to be 0.5, or a tree's value without its share of the base
    #[test]
    fn boosted_trees_are_a_forest_whose_reasons_add_up() {
        let samples = samples(2_000);
        let readings = [Reading::FREELY; 6];
        let boosted = chosen(&samples, Learner::Boosting, &readings);
        let (mut contributions, mut apart) = ([0.0; 6], 0.0_f64);
        for row in 0..samples.len() {
            let raw = boosted.forest.explain(samples.row(row), &mut contributions);
            let added = boosted.forest.bias() + contributions.iter().sum::<f64>();
            assert!((added - raw).abs() < 1e-12, "{added} not {raw}");
            assert!((0.0..1.0).contains(&raw), "{raw}");
            apart = apart.max((boosted.unseen[row].expect("in one part") - raw).abs());
        }
        assert!(apart > 1e-4 && apart < 0.3, "{apart} between those who saw a row and not");
        let calibration = calibrate(&samples, &boosted.unseen).expect("it calibrates");
        let mean = |fraud| {
            let rows = (0..samples.len()).filter(|row| samples.frauds[*row] == fraud);
            let chance = |row| calibration.probability(boosted.forest.predict(samples.row(row)));
            let all: Vec<f64> = rows.map(chance).collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        assert!(mean(true) > 2.0 * mean(false), "{} and {}", mean(true), mean(false));
    }

    // breaks: count ties one after the other, or drawn rows once
    #[test]
    fn average_precision_counts_ties_together_and_drawn_rows_as_often_as_they_stand_for() {
        let (scores, frauds) = ([0.9, 0.5, 0.5, 0.1], [true, true, false, false]);
        let precision = |weight| average_precision(&scores, &frauds, &[1.0, 1.0, weight, weight]);
        assert!((precision(1.0) - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        assert!((precision(3.0) - (0.5 + 0.5 * 2.0 / 5.0)).abs() < 1e-12);
        let sure = loss(&[800.0, -800.0], &[true, false]);
        assert!(sure.abs() < 1e-12 && (loss(&[0.0], &[true]) - 2.0_f64.ln()).abs() < 1e-12);
    }
}

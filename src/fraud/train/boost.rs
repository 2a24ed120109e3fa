//! Gradient boosting: trees one after the other, each grown on what those before it leave unsaid.
//!
//! Logistic loss, second order (Friedman 2001; Chen and Guestrin 2016), on histograms and leaf by
//! leaf (Ke et al. 2017). Each tree is made to keep to what is known beforehand as a forest's are,
//! and the next one makes up for what that has cost. Sums go row by row in their order: the same
//! rows and seed give the same trees.

use super::{
    TrainOptions,
    bins::{Binned, Column},
    monotone::{self, Reading},
    sample::{Samples, drawn},
};
use crate::fraud::model::{GrownNode, forest::GrownSplit};

/// Leaves of a tree. Few, so that each tree says little and many say it.
const LEAVES: usize = 15;

/// How much of what a leaf would say is believed: small steps generalize better.
const RATE: f64 = 0.05;

/// The share of rows that a tree is grown on, drawn anew for each.
const ROWS: f64 = 0.8;

/// Added to what a leaf weighs: what few rows say is taken for less (L2).
const RESTRAINT: f64 = 5.0;

/// A boosted leaf takes a step for all its rows and is not averaged with a hundred others: it needs
/// so many times the rows of a forest's.
const MORE_ROWS: usize = 5;

/// A split that gains less gains nothing but rounding.
const LEAST_GAIN: f64 = 1e-6;

/// Rows, and how trees are grown on them.
#[derive(Debug)]
pub struct Booster<'a> {
    /// The rows.
    pub samples: &'a Samples,
    /// The same by bins.
    pub binned: &'a Binned,
    /// How features may be read.
    pub readings: &'a [Reading],
    /// How to train.
    pub options: &'a TrainOptions,
}

/// Trees whose values are steps in log-odds, and what they come to.
#[derive(Debug)]
pub struct Boosted {
    /// Log-odds before any tree.
    pub base: f64,
    /// The trees.
    pub trees: Vec<Vec<GrownNode>>,
    /// Log-odds of every row, also of those that were not grown on.
    pub scores: Vec<f64>,
}

/// What a bin's rows come to.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    gradient: f64,
    weight: f64,
    rows: u32,
}

/// A leaf that may be split.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    depth: u16,
    sums: Vec<Vec<Sum>>,
    best: Option<Best>,
}

/// The best split of a leaf.
#[derive(Debug, Clone, Copy)]
struct Best {
    gain: f64,
    column: usize,
    bin: u8,
}

/// What a tree is grown on.
struct Round<'a> {
    columns: Vec<&'a Column>,
    /// By row: the gradient of the loss, and its curvature.
    slopes: Vec<(f64, f64)>,
    rows_least: u32,
    depth_most: u16,
}

impl Booster<'_> {
    /// Boosts on these rows. After each tree `goes_on` is told how many there are, and the log-odds
    /// of all rows.
    pub fn boost(
        &self,
        rows: &[u32],
        rounds: usize,
        mut goes_on: impl FnMut(usize, &[f64]) -> bool,
    ) -> Boosted {
        let frauds = rows.iter().filter(|row| self.samples.frauds[**row as usize]).count() as f64;
        // As if one more of each had been seen: no log-odds are infinite.
        let base = ((frauds + 1.0) / (rows.len() as f64 - frauds + 1.0)).ln();
        let mut boosted =
            Boosted { base, trees: Vec::new(), scores: vec![base; self.samples.len()] };
        for round in 0..rounds {
            let tree = self.tree(rows, round as u64, &boosted.scores);
            let (tree, leaves) = self.keep_to_order(tree);
            let steps = boosted.scores.iter_mut().zip(leaves);
            steps.for_each(|(score, leaf)| *score += tree[leaf as usize].value);
            boosted.trees.push(tree);
            if !goes_on(round + 1, &boosted.scores) {
                break;
            }
        }
        boosted
    }

    /// A tree on what is left unsaid.
    fn tree(&self, rows: &[u32], round: u64, scores: &[f64]) -> Vec<GrownNode> {
        let seed = self.options.seed.wrapping_mul(1_000_003).wrapping_add(2 * round);
        let slope = |(score, fraud): (&f64, &bool)| {
            let chance = 1.0 / (1.0 + (-score).exp());
            (chance - f64::from(u8::from(*fraud)), chance * (1.0 - chance))
        };
        let round = Round {
            columns: self.drawn_columns(seed + 1),
            slopes: scores.iter().zip(&self.samples.frauds).map(slope).collect(),
            rows_least: u32::try_from(MORE_ROWS * self.options.min_leaf).unwrap_or(u32::MAX),
            depth_most: self.options.depth,
        };
        let is_drawn = |row: &&u32| drawn(seed, u64::from(**row)) < ROWS;
        round.grow(rows.iter().filter(is_drawn).copied().collect())
    }

    /// Half of the features, or as many as are asked for.
    fn drawn_columns(&self, seed: u64) -> Vec<&Column> {
        let columns = self.binned.columns();
        let count = match self.options.candidates {
            0 => columns.len().div_ceil(2),
            asked => asked.min(columns.len()),
        };
        let mut ranked: Vec<usize> = (0..columns.len()).collect();
        ranked.sort_by(|a, b| drawn(seed, *a as u64).total_cmp(&drawn(seed, *b as u64)));
        ranked.truncate(count);
        ranked.sort_unstable();
        ranked.into_iter().map(|place| &columns[place]).collect()
    }

    /// The tree without contradictions to what is known beforehand, its inner nodes with the mean
    /// of their rows; and for each row the leaf that it comes to.
    fn keep_to_order(&self, mut tree: Vec<GrownNode>) -> (Vec<GrownNode>, Vec<u32>) {
        let mut counts = vec![0.0; tree.len()];
        let mut leaf_of = |row: &[f32]| {
            let mut at = 0;
            counts[at] += 1.0;
            while let Some(split) = tree[at].split {
                let below = f64::from(row[split.feature]) <= split.threshold;
                at = if below { split.below } else { split.above };
                counts[at] += 1.0;
            }
            at as u32
        };
        let leaves = (0..self.samples.len()).map(|row| leaf_of(self.samples.row(row))).collect();
        monotone::order(&mut tree, self.readings, &counts);
        monotone::mean(&mut tree, 0, &counts);
        (tree, leaves)
    }
}

impl Round<'_> {
    /// Splits the leaf that gains most until there are enough.
    fn grow(&self, rows: Vec<u32>) -> Vec<GrownNode> {
        let sums = self.sums(&rows);
        let mut tree = vec![GrownNode { value: value(total(&sums)), split: None }];
        let mut leaves = vec![self.leaf(0, rows, 1, sums)];
        while leaves.len() < LEAVES {
            let gains = leaves.iter().enumerate().filter_map(|(n, leaf)| Some((n, leaf.best?)));
            // Of equals the first.
            let best = gains.reduce(|one, next| if next.1.gain > one.1.gain { next } else { one });
            let Some((place, best)) = best else { break };
            let leaf = leaves.swap_remove(place);
            let node = leaf.node;
            let (below, above) = self.split(leaf, best, tree.len());
            let column = self.columns[best.column];
            tree[node].split = Some(GrownSplit {
                feature: column.feature,
                threshold: column.ends[usize::from(best.bin)],
                below: below.node,
                above: above.node,
            });
            for leaf in [below, above] {
                tree.push(GrownNode { value: value(total(&leaf.sums)), split: None });
                leaves.push(leaf);
            }
        }
        tree
    }

    /// The two leaves that a split makes; sums are taken of the smaller one, and the other's are
    /// what is left.
    fn split(&self, leaf: Leaf, best: Best, node: usize) -> (Leaf, Leaf) {
        let bins = &self.columns[best.column].bins;
        let (below, above): (Vec<u32>, Vec<u32>) =
            leaf.rows.iter().partition(|row| bins[**row as usize] <= best.bin);
        let less = self.sums(if below.len() <= above.len() { &below } else { &above });
        let mut more = leaf.sums;
        for (more, less) in more.iter_mut().flatten().zip(less.iter().flatten()) {
            more.gradient -= less.gradient;
            more.weight -= less.weight;
            more.rows -= less.rows;
        }
        let (one, other) = if below.len() <= above.len() { (less, more) } else { (more, less) };
        let depth = leaf.depth + 1;
        (self.leaf(node, below, depth, one), self.leaf(node + 1, above, depth, other))
    }

    fn leaf(&self, node: usize, rows: Vec<u32>, depth: u16, sums: Vec<Vec<Sum>>) -> Leaf {
        let best = (depth < self.depth_most).then(|| self.best(&sums)).flatten();
        Leaf { node, rows, depth, sums, best }
    }

    fn sums(&self, rows: &[u32]) -> Vec<Vec<Sum>> {
        let slopes: Vec<(f64, f64)> = rows.iter().map(|row| self.slopes[*row as usize]).collect();
        let of = |column: &&Column| {
            let mut sums = vec![Sum::default(); column.ends.len() + 1];
            for (row, (gradient, weight)) in rows.iter().zip(&slopes) {
                let sum = &mut sums[usize::from(column.bins[*row as usize])];
                sum.gradient += gradient;
                sum.weight += weight;
                sum.rows += 1;
            }
            sums
        };
        self.columns.iter().map(of).collect()
    }

    fn best(&self, sums: &[Vec<Sum>]) -> Option<Best> {
        let all = total(sums);
        let mut best: Option<Best> = None;
        for (column, sums) in sums.iter().enumerate() {
            let mut below = Sum::default();
            for (bin, sum) in sums.iter().enumerate().take(sums.len() - 1) {
                below = below.and(*sum);
                let above = all.but(below);
                if below.rows.min(above.rows) < self.rows_least {
                    continue;
                }
                let gain = strength(below) + strength(above) - strength(all);
                if gain > best.map_or(LEAST_GAIN, |best| best.gain) {
                    best = Some(Best { gain, column, bin: bin as u8 });
                }
            }
        }
        best
    }
}

impl Sum {
    fn and(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            weight: self.weight + other.weight,
            rows: self.rows + other.rows,
        }
    }

    fn but(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
            rows: self.rows - other.rows,
        }
    }
}

/// All rows of a leaf: every column has them.
fn total(sums: &[Vec<Sum>]) -> Sum {
    sums.first().into_iter().flatten().fold(Sum::default(), |all, sum| all.and(*sum))
}

/// The step that a leaf takes.
fn value(sum: Sum) -> f64 {
    -RATE * sum.gradient / (sum.weight + RESTRAINT)
}

/// How much a leaf's step lowers the loss, twice.
fn strength(sum: Sum) -> f64 {
    sum.gradient * sum.gradient / (sum.weight + RESTRAINT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{features::Reads, train::sample::Tally};

    /// Fraud where the first feature is high; but for the highest, which a rising order forbids.
    fn samples() -> Samples {
        let (mut values, mut frauds) = (Vec::new(), Vec::new());
        for row in 0..3_000 {
            let of = [drawn(1, row) as f32 * 10.0, drawn(2, row) as f32];
            let chance = if of[0] > 9.0 { 0.05 } else { f64::from(of[0]) / 12.0 };
            frauds.push(drawn(3, row) < chance);
            values.extend(of);
        }
        let tally = Tally::default();
        Samples { features: 2, values, frauds, weight_of_good: 1.0, tally }
    }

    fn boosted(samples: &Samples, readings: &[Reading], seed: u64) -> Boosted {
        let options = TrainOptions { seed, ..TrainOptions::default() };
        let binned = Binned::of(samples, &[0, 1]);
        let booster = Booster { samples, binned: &binned, readings, options: &options };
        let rows: Vec<u32> = (0..samples.len() as u32).collect();
        booster.boost(&rows, 40, |_, _| true)
    }

    // breaks: the seed not part of what draws rows, or of what draws features
    #[test]
    fn the_same_seed_grows_the_same_trees_and_another_does_not() {
        let (samples, readings) = (samples(), [Reading::FREELY; 2]);
        let first = boosted(&samples, &readings, 3);
        assert_eq!(first.trees, boosted(&samples, &readings, 3).trees);
        assert_ne!(first.trees, boosted(&samples, &readings, 4).trees);
        let told = first.scores.iter().zip(&samples.frauds);
        let (right, all) = told.fold((0, 0), |(right, all), (score, fraud)| {
            (right + usize::from((*score > 0.0) == *fraud), all + 1)
        });
        assert!(right * 100 > 72 * all, "{right} of {all}");
        assert!(first.trees.iter().all(|tree| tree.len() < 2 * LEAVES));
    }

    // breaks: leave `monotone::order` out of `keep_to_order`
    #[test]
    fn boosted_trees_keep_to_what_is_known_beforehand() {
        let samples = samples();
        let score = |readings: &[Reading], value: f32| {
            let row = [value, 0.5];
            let step = |tree: &Vec<GrownNode>| {
                let mut at = 0;
                while let Some(split) = tree[at].split {
                    let below = f64::from(row[split.feature]) <= split.threshold;
                    at = if below { split.below } else { split.above };
                }
                tree[at].value
            };
            boosted(&samples, readings, 1).trees.iter().map(step).sum::<f64>()
        };
        let free = [Reading::FREELY; 2];
        assert!(score(&free, 9.5) < score(&free, 8.5) - 1.0, "as the rows have it");
        let rising = [Reading::of(Reads::Rising), Reading::FREELY];
        let scores: Vec<f64> = [2.0, 8.5, 9.5, 11.0].map(|value| score(&rising, value)).to_vec();
        assert!(scores.is_sorted() && scores[0] < scores[1], "{scores:?}");
    }
}

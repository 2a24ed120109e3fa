//! Makes grown trees keep to what is known beforehand: more of one thing never lowers a score, more
//! of another never raises it.
//!
//! The library grows trees as the rows would have it. A leaf is a box; where a box may hold a row
//! that differs from a row of another box by a rise alone, the other's value may not be lower.
//! Leaves that contradict are pooled by their rows until none does (projections onto one constraint
//! after the other; Boyle and Dykstra 1986), so that a tree stays as near to its rows as it can.
//! Sums of such trees and calibrations that rise keep it.

use std::collections::BTreeMap;

use super::sample::Samples;
use crate::fraud::{
    features::{Acquaintance, Aggregate, Feature, Layout, MISSING, Reads},
    model::GrownNode,
};

/// Rounds of pooling; what is left then is lifted.
const ROUNDS: usize = 60;

/// A leaf that none of the rows comes to yields to any other.
const LEAST_ROWS: f64 = 1e-3;

/// What a missing value is to those that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Something else: nobody told.
    Apart,
    /// Less than any: it was not seen before, so it is as new as can be.
    Least,
    /// More than any: there is nothing before it to be a small part of.
    Most,
}

/// How a feature may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    reads: Reads,
    missing: Missing,
    /// Whether values below zero are known ones, beside the missing one.
    is_signed: bool,
}

impl Reading {
    /// As the trees like.
    pub const FREELY: Self =
        Self { reads: Reads::Freely, missing: Missing::Apart, is_signed: false };

    /// For tests of what grows trees.
    #[cfg(test)]
    pub(super) const fn of(reads: Reads) -> Self {
        Self { reads, ..Self::FREELY }
    }

    /// Whether it may be read at all.
    pub fn is_read(self) -> bool {
        self.reads != Reads::No
    }

    /// How.
    pub fn reads(self) -> Reads {
        self.reads
    }
}

/// How each feature of a layout may be read. An amount and a number may be below zero; sums and
/// ratios of amounts are held to their order from zero on.
pub fn readings(layout: &Layout) -> Vec<Reading> {
    let reading = |(place, feature): (usize, &Feature)| Reading {
        reads: layout.reads.get(place).copied().unwrap_or(Reads::Freely),
        missing: match feature {
            Feature::Of(_, Aggregate::Since | Aggregate::Age) => Missing::Least,
            Feature::Of(
                _,
                Aggregate::ToMean(_)
                | Aggregate::ToMax(_)
                | Aggregate::ToLifeMean
                | Aggregate::ToMedian
                // Nothing like it ever happened: longer ago than anything.
                | Aggregate::SinceOutlier
                | Aggregate::SinceStreak
                | Aggregate::SinceFraud,
            ) => Missing::Most,
            _ => Missing::Apart,
        },
        is_signed: match feature {
            Feature::Amount | Feature::Of(_, Aggregate::Deviation) => true,
            Feature::Number(place) => !layout.numbers[*place].is_flag,
            _ => false,
        },
    };
    layout.features.iter().enumerate().map(reading).collect()
}

/// Values above the first and up to the second.
type Span = (f64, f64);

const ALL: Span = (f64::NEG_INFINITY, f64::INFINITY);

struct Leaf {
    node: usize,
    spans: BTreeMap<usize, Span>,
    rows: f64,
}

/// Orders a tree to whose nodes so many rows come.
pub fn order(tree: &mut [GrownNode], readings: &[Reading], counts: &[f64]) {
    let ordered = |reads| !matches!(reads, Reads::No | Reads::Freely | Reads::Settled);
    let is_bound =
        |node: &GrownNode| node.split.is_some_and(|split| ordered(readings[split.feature].reads));
    if !tree.iter().any(is_bound) {
        return;
    }
    let mut leaves = Vec::new();
    collect(tree, (0, &BTreeMap::new()), counts, &mut leaves);
    let mut bounds = Vec::new();
    for low in 0..leaves.len() {
        let above = |high: &usize| *high != low && may_rise(&leaves[low], &leaves[*high], readings);
        bounds.extend((0..leaves.len()).filter(above).map(|high| (low, high)));
    }
    let mut values: Vec<f64> = leaves.iter().map(|leaf| tree[leaf.node].value).collect();
    pool(&mut values, &leaves, &bounds);
    for (leaf, value) in leaves.iter().zip(values) {
        tree[leaf.node].value = value;
    }
    mean(tree, 0, counts);
}

/// How many rows come to each node.
pub fn counts(tree: &[GrownNode], samples: &Samples) -> Vec<f64> {
    let mut counts = vec![0.0; tree.len()];
    for row in 0..samples.len() {
        let (row, mut at) = (samples.row(row), 0);
        counts[at] += 1.0;
        while let Some(split) = tree[at].split {
            let below = f64::from(row[split.feature]) <= split.threshold;
            at = if below { split.below } else { split.above };
            counts[at] += 1.0;
        }
    }
    counts
}

fn collect(
    tree: &[GrownNode],
    (at, spans): (usize, &BTreeMap<usize, Span>),
    counts: &[f64],
    leaves: &mut Vec<Leaf>,
) {
    let Some(split) = tree[at].split else {
        let rows = counts[at].max(LEAST_ROWS);
        leaves.push(Leaf { node: at, spans: spans.clone(), rows });
        return;
    };
    let (low, high) = spans.get(&split.feature).copied().unwrap_or(ALL);
    let mut narrow = |child, span| {
        let mut spans = spans.clone();
        spans.insert(split.feature, span);
        collect(tree, (child, &spans), counts, leaves);
    };
    narrow(split.below, (low, high.min(split.threshold)));
    narrow(split.above, (low.max(split.threshold), high));
}

/// Whether a row of one leaf may come to the other by a rise of what may not lower the score, a
/// fall of what may not raise it, and by somebody who is known being a stranger.
fn may_rise(from: &Leaf, to: &Leaf, readings: &[Reading]) -> bool {
    let spans = |feature: &usize| {
        let of = |leaf: &Leaf| leaf.spans.get(feature).copied().unwrap_or(ALL);
        (of(from), of(to))
    };
    from.spans.keys().chain(to.spans.keys()).all(|feature| {
        let (from, to) = spans(feature);
        let reading = readings[*feature];
        match reading.reads {
            Reads::No | Reads::Freely | Reads::Settled => meet(from, to),
            Reads::Rising => reading.reaches(from, to),
            Reads::Falling => reading.reaches(to, from),
            Reads::Known | Reads::Around => true,
        }
    }) && may_forget(from, to, readings)
}

/// Whether a buyer who is known in the first leaf may be a stranger in the other, all else being
/// the same; or is the same in both. What others use, too, may be known then.
fn may_forget(known: &Leaf, stranger: &Leaf, readings: &[Reading]) -> bool {
    let bound = readings.iter().enumerate().map(|(feature, reading)| {
        let of = |leaf: &Leaf| leaf.spans.get(&feature).copied().unwrap_or(ALL);
        (reading.reads, of(known), of(stranger))
    });
    let (mut stays, mut moves) = (true, true);
    for (reads, known, stranger) in bound {
        let forgets = holds(known, Acquaintance::Known) && holds(stranger, Acquaintance::Stranger);
        match reads {
            Reads::Known => {
                stays &= meet(known, stranger);
                moves &= forgets || (lacks(known) && lacks(stranger));
            }
            Reads::Around => {
                stays &= meet(known, stranger);
                moves &= forgets || meet(known, stranger);
            }
            // Whoever is known by all of their things, or by none, has none of it.
            Reads::Settled => moves &= known.0 < 0.0 && stranger.0 < 0.0,
            _ => {}
        }
    }
    stays || moves
}

fn holds(span: Span, acquaintance: Acquaintance) -> bool {
    let value = f64::from(acquaintance as u8);
    span.0 < value && value <= span.1
}

fn meet(one: Span, other: Span) -> bool {
    one.0.max(other.0) < one.1.min(other.1)
}

/// Whether a missing value is in the span.
fn lacks(span: Span) -> bool {
    let absent = f64::from(MISSING);
    span.0 < absent && absent <= span.1
}

impl Reading {
    /// Whether a value of the first span is at most one of the second.
    fn reaches(self, low: Span, high: Span) -> bool {
        let knows = |span: Span| self.is_signed || span.1 >= 0.0;
        let known = knows(low) && knows(high) && low.0 < high.1;
        match self.missing {
            Missing::Least => low.0 < high.1,
            Missing::Apart => known || (lacks(low) && lacks(high)),
            Missing::Most => known || lacks(high),
        }
    }
}

fn pool(values: &mut [f64], leaves: &[Leaf], bounds: &[(usize, usize)]) {
    for _ in 0..ROUNDS {
        let mut pooled = false;
        for (low, high) in bounds {
            if values[*low] > values[*high] {
                let (one, other) = (leaves[*low].rows, leaves[*high].rows);
                let mean = (values[*low] * one + values[*high] * other) / (one + other);
                (values[*low], values[*high]) = (mean, mean);
                pooled = true;
            }
        }
        if !pooled {
            return;
        }
    }
    // What little is left: nothing may be lower than what it must not be lower than.
    let mut lifted = true;
    while lifted {
        lifted = false;
        for (low, high) in bounds {
            if values[*low] > values[*high] {
                values[*high] = values[*low];
                lifted = true;
            }
        }
    }
}

/// Values of inner nodes, which reasons are told by, follow those of the leaves.
pub(super) fn mean(tree: &mut [GrownNode], at: usize, counts: &[f64]) -> f64 {
    if let Some(split) = tree[at].split {
        let (below, above) = (mean(tree, split.below, counts), mean(tree, split.above, counts));
        let (one, other) =
            (counts[split.below].max(LEAST_ROWS), counts[split.above].max(LEAST_ROWS));
        tree[at].value = (below * one + above * other) / (one + other);
    }
    tree[at].value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{
        model::{Forest, forest::GrownSplit},
        train::sample::Tally,
    };
    use proptest::prelude::*;

    /// A feature of each kind: free, rising, rising from missing, falling, rising from below zero.
    const READINGS: [Reading; 5] = [
        Reading::FREELY,
        Reading { reads: Reads::Rising, missing: Missing::Apart, is_signed: false },
        Reading { reads: Reads::Rising, missing: Missing::Most, is_signed: false },
        Reading { reads: Reads::Falling, missing: Missing::Least, is_signed: false },
        Reading { reads: Reads::Rising, missing: Missing::Apart, is_signed: true },
    ];

    /// The step before zero that is not what stands for a missing value.
    const MISSING_TO_COME: f32 = -2.0;

    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![1 => Just(MISSING), 4 => (0..5_u8).prop_map(f32::from)]
    }

    fn tree() -> impl Strategy<Value = Vec<GrownNode>> {
        let split = (0..5_usize, -3..5_i8, 0.0..1.0_f64, any::<prop::sample::Index>());
        prop::collection::vec(split, 1..25).prop_map(|splits| {
            let leaf = |value| GrownNode { value, split: None };
            let mut tree = vec![leaf(0.5)];
            for (feature, threshold, value, which) in splits {
                let leaves: Vec<usize> =
                    (0..tree.len()).filter(|at| tree[*at].split.is_none()).collect();
                let (at, below) = (leaves[which.index(leaves.len())], tree.len());
                let threshold = f64::from(threshold) + 0.5;
                tree[at].split = Some(GrownSplit { feature, threshold, below, above: below + 1 });
                tree.extend([leaf(value), leaf(1.0 - value)]);
            }
            tree
        })
    }

    /// The next value that may not score lower: a step up, or down, or from what is missing.
    fn worse(feature: usize, value: f32) -> Option<f32> {
        match feature {
            1 => (0.0..6.0).contains(&value).then_some(value + 1.0),
            2 => (value >= 0.0).then_some(if value > 3.0 { MISSING } else { value + 1.0 }),
            3 => (value >= 0.0).then_some(value - 1.0),
            // From below what stands for a missing value over zero, and never by way of it.
            4 => (value < 6.0 && value != MISSING).then_some(match value {
                MISSING_TO_COME => 0.0,
                value => value + 1.0,
            }),
            _ => None,
        }
    }

    proptest! {
        // breaks: leave `lift` out of `pool`, `Missing::Most` to be `Apart`, or no `is_signed`
        #[test]
        fn whatever_was_grown_keeps_to_it(
            mut tree in tree(),
            rows in prop::collection::vec(prop::array::uniform5(value()), 1..40),
            mut row in prop::array::uniform5(value()),
            feature in 1..5_usize,
        ) {
            let (frauds, values) = (vec![false; rows.len()], rows.concat());
            let tally = Tally::default();
            let samples = Samples { features: 5, values, frauds, weight_of_good: 1.0, tally };
            let counts = counts(&tree, &samples);
            order(&mut tree, &READINGS, &counts);
            let forest = Forest::flatten(5, &[tree]).expect("a tree");
            if feature == 4 {
                row[4] = -4.0;
            }
            let mut least = forest.predict(&row);
            while let Some(next) = worse(feature, row[feature]) {
                row[feature] = next;
                let score = forest.predict(&row);
                prop_assert!(score >= least, "{score} not {least} at {row:?}");
                least = score;
            }
        }
    }

    // breaks: pool without regard to rows
    #[test]
    fn what_contradicts_is_pooled_by_its_rows_and_what_agrees_stays() {
        let split =
            |threshold, below| GrownSplit { feature: 1, threshold, below, above: below + 1 };
        let node = |value, split| GrownNode { value, split };
        let mut tree = vec![
            node(0.0, Some(split(0.5, 1))),
            node(0.4, None),
            node(0.0, Some(split(1.5, 3))),
            node(0.1, None),
            node(0.9, None),
        ];
        let values: Vec<f32> =
            [[0.0_f32; 5], [0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]].concat();
        let frauds = vec![false; 3];
        let tally = Tally::default();
        let samples = Samples { features: 5, values, frauds, weight_of_good: 1.0, tally };
        let counts = counts(&tree, &samples);
        order(&mut tree, &READINGS, &counts);
        let values = [1, 3, 4].map(|leaf: usize| tree[leaf].value);
        assert!((values[0] - 0.2).abs() < 1e-9 && (values[1] - 0.2).abs() < 1e-9, "{values:?}");
        assert_eq!(values[2], 0.9);
    }
}

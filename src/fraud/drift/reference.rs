//! What orders looked like in the training: bins of every feature and of the score.

use serde::{Deserialize, Serialize};

use crate::fraud::features::MISSING;

/// Into so many parts of about the same weight the known values of a figure are cut.
const PARTS: f64 = 10.0;

/// The version of the file.
const VERSION: u32 = 1;

/// What a training saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    version: u32,
    /// How many orders it is about.
    pub orders: f64,
    /// The score, in points.
    pub score: Bins,
    /// Every feature, in the order of the layout.
    pub features: Vec<Named>,
}

/// A feature's bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The feature's name.
    pub name: String,
    /// Its bins.
    #[serde(flatten)]
    pub bins: Bins,
}

/// Bins of one figure. A value belongs to the bin behind the last cut that is not above it. Missing
/// values have a bin to themselves: the first where nothing is below zero, else one in between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Where bins begin, but for the first; rising.
    pub cuts: Vec<f32>,
    /// The share of orders in each: one more than there are cuts.
    pub shares: Vec<f64>,
}

/// A file that is no reference, or belongs to other features.
#[derive(Debug, thiserror::Error)]
pub enum BadReference {
    /// It does not read.
    #[error("the reference does not read: {0}")]
    Read(#[from] serde_json::Error),
    /// It does not hold.
    #[error("the reference does not hold: {0}")]
    Holds(&'static str),
}

impl Bins {
    /// Cuts values, each with its weight, where about a tenth of the weight lies in between. Equal
    /// values stay together, and missing ones apart from the others.
    pub fn of(mut values: Vec<(f32, f64)>) -> Self {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let weight = |values: &[(f32, f64)]| values.iter().map(|(_, weight)| weight).sum::<f64>();
        let all = weight(&values);
        let (missing, known): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|(value, _)| *value == MISSING);
        let part = weight(&known) / PARTS;
        let (below, above) = known.split_at(known.partition_point(|(value, _)| *value < MISSING));
        let (mut cuts, mut weights) = (vec![], vec![0.0]);
        fill(below, part, (&mut cuts, &mut weights));
        let mut begin = |cut, weight| {
            cuts.push(cut);
            weights.push(weight);
        };
        if known.first().is_some_and(|(least, _)| *least < 0.0) {
            begin(MISSING, weight(&missing));
            begin(MISSING.next_up(), 0.0);
        } else {
            begin(0.0, 0.0);
            weights[0] = weight(&missing);
        }
        fill(above, part, (&mut cuts, &mut weights));
        // Six digits: one order in a million, and the same text on every machine.
        let share = |weight: &f64| (weight / all.max(1.0) * 1e6).round() / 1e6;
        Self { shares: weights.iter().map(share).collect(), cuts }
    }

    /// One bin for everything: nothing to watch.
    pub fn unwatched() -> Self {
        Self { cuts: vec![], shares: vec![1.0] }
    }

    fn holds(&self) -> bool {
        let sum: f64 = self.shares.iter().sum();
        self.shares.len() == self.cuts.len() + 1
            && self.cuts.is_sorted_by(|a, b| a < b)
            && self.shares.iter().all(|share| (0.0..=1.0).contains(share))
            && (sum - 1.0).abs() < 1e-3
    }
}

/// Fills the last bin with values that rise, and begins another where it has its part.
fn fill(values: &[(f32, f64)], part: f64, (cuts, weights): (&mut Vec<f32>, &mut Vec<f64>)) {
    let mut last = None;
    for (value, weight) in values {
        let bin = weights.len() - 1;
        if last.is_some_and(|last| *value > last) && weights[bin] >= part {
            cuts.push(*value);
            weights.push(*weight);
        } else {
            weights[bin] += weight;
        }
        last = Some(*value);
    }
}

impl Reference {
    /// A reference from its parts.
    pub fn new(orders: f64, score: Bins, features: Vec<Named>) -> Self {
        Self { version: VERSION, orders: orders.round(), score, features }
    }

    /// As it is written: JSON with a line for each figure, so that changes can be read.
    ///
    /// # Panics
    /// Never: numbers, lists and names serialize.
    pub fn to_text(&self) -> String {
        let line = |part: serde_json::Result<String>| part.expect("invariant: plain data");
        let features: Vec<String> =
            self.features.iter().map(|named| line(serde_json::to_string(named))).collect();
        format!(
            "{{\"version\": {}, \"orders\": {:?},\n\"score\": {},\n\"features\": [\n{}\n]}}\n",
            self.version,
            self.orders,
            line(serde_json::to_string(&self.score)),
            features.join(",\n")
        )
    }

    /// Reads a reference and checks that it belongs to these features.
    ///
    /// # Errors
    /// When it does not read, does not hold, or tells of others.
    pub fn parse(text: &str, names: &[String]) -> Result<Self, BadReference> {
        let read: Self = serde_json::from_str(text)?;
        let bins = || read.features.iter().map(|named| &named.bins).chain([&read.score]);
        if read.version != VERSION {
            return Err(BadReference::Holds("it is of a version this build does not know"));
        }
        if !read.features.iter().map(|named| &named.name).eq(names) {
            return Err(BadReference::Holds("it tells of other features"));
        }
        if !read.orders.is_finite() || read.orders < 0.0 || !bins().all(Bins::holds) {
            return Err(BadReference::Holds("shares and cuts of a figure do not fit"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(values: &[f32]) -> Bins {
        Bins::of(values.iter().map(|value| (*value, 2.0)).collect())
    }

    #[test]
    fn bins_weigh_about_the_same_and_the_missing_stand_apart() {
        let mut values: Vec<f32> = (0..1_000_u16).map(f32::from).collect();
        values.extend([-1.0; 250]);
        let bins = bins(&values);
        assert_eq!(bins.cuts, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0]);
        assert_eq!(bins.shares[0], 0.2);
        assert!(bins.shares[1..].iter().all(|share| (share - 0.08).abs() < 1e-9), "{bins:?}");
    }

    // breaks: take values below zero for missing ones
    #[test]
    fn values_below_zero_are_known_and_the_missing_stand_between_them() {
        let mut values: Vec<f32> = (-500..500_i16).map(|n| f32::from(n) + 0.25).collect();
        values.extend([MISSING; 250]);
        let Bins { cuts, shares } = bins(&values);
        let missing = cuts.iter().position(|cut| *cut == MISSING).expect("a cut at the missing");
        assert_eq!(cuts[missing + 1], MISSING.next_up());
        assert!((shares[missing + 1] - 0.2).abs() < 1e-6, "{shares:?}");
        assert!(cuts.is_sorted_by(|a, b| a < b) && cuts.len() == 11, "{cuts:?}");
        assert!(shares[0] > 0.07 && cuts[0] < -390.0, "{shares:?} {cuts:?}");
        let all_below = self::bins(&[-3.0, -2.0]);
        assert_eq!(all_below.cuts, [-2.0, MISSING, MISSING.next_up()]);
    }

    #[test]
    fn equal_values_stay_together_and_rare_ones_keep_a_bin() {
        let mut values = vec![0.0; 980];
        values.extend([1.0; 15]);
        values.extend([7.0; 5]);
        let bins = bins(&values);
        assert_eq!(bins.cuts, [0.0, 1.0]);
        assert_eq!(bins.shares, [0.0, 0.98, 0.02]);
    }

    #[test]
    fn a_reference_reads_back_and_only_for_its_features() {
        let named = |name: &str| Named { name: name.into(), bins: bins(&[0.0, 0.5, 3.25]) };
        let reference = Reference::new(3.0, bins(&[1.0, 900.0]), vec![named("a"), named("b.c")]);
        let text = reference.to_text();
        let parse = |text: &str, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Reference::parse(text, &names)
        };
        assert_eq!(parse(&text, &["a", "b.c"]).expect("it reads"), reference);
        assert!(parse(&text, &["a", "c"]).is_err());
        assert!(parse(&text, &["a"]).is_err());
        for (from, to) in [("0.5", "0.0"), ("\"version\": 1", "\"version\": 2"), ("0.3", "0.9")] {
            let bent = text.replacen(from, to, 1);
            assert!(bent != text && parse(&bent, &["a", "b.c"]).is_err(), "{bent}");
        }
    }
}

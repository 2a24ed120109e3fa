//! What scores mean, learned from rows that the scoring trees had not seen.

use super::sample::Samples;
use crate::fraud::model::{
    Calibration,
    calibration::{BadCalibration, MOST_POINTS},
};

/// Isotonic regression of labels on out-of-bag scores (pool adjacent violators; Zadrozny and Elkan
/// 2002), and points by the share of good rows that score as high.
///
/// # Errors
/// When there is no such row.
pub fn calibrate(
    samples: &Samples,
    out_of_bag: &[Option<f64>],
) -> Result<Calibration, BadCalibration> {
    let scored = out_of_bag.iter().enumerate();
    let mut rows: Vec<(f64, f64, bool)> = scored
        .filter_map(|(place, raw)| Some(((*raw)?, samples.weight(place), samples.frauds[place])))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    Calibration::new(curve(&rows), cuts(&rows))
}

/// Neighbors whose shares fall instead of rising, pooled.
#[derive(Debug, Clone, Copy)]
struct Block {
    weight: f64,
    frauds: f64,
    scores: f64,
}

impl Block {
    fn with(self, other: Self) -> Self {
        Self {
            weight: self.weight + other.weight,
            frauds: self.frauds + other.frauds,
            scores: self.scores + other.scores,
        }
    }

    fn share(&self) -> f64 {
        self.frauds / self.weight
    }

    fn score(&self) -> f64 {
        self.scores / self.weight
    }
}

fn curve(rows: &[(f64, f64, bool)]) -> Vec<(f32, f32)> {
    let mut blocks: Vec<Block> = Vec::new();
    for (raw, weight, fraud) in rows {
        let frauds = if *fraud { *weight } else { 0.0 };
        let mut block = Block { weight: *weight, frauds, scores: raw * weight };
        while let Some(last) = blocks.pop_if(|last| last.share() >= block.share()) {
            block = last.with(block);
        }
        blocks.push(block);
    }
    let mut curve: Vec<(f32, f32)> = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let (raw, share) = (block.score() as f32, (block.share() as f32).clamp(0.0, 1.0));
        match curve.last_mut() {
            // Two blocks may be nearer than singles can tell.
            Some(last) if last.0 >= raw => last.1 = last.1.max(share),
            _ => curve.push((raw, share)),
        }
    }
    curve
}

/// For each point the score from which on it is given: at 990, one good row in 100 scores as high.
fn cuts(rows: &[(f64, f64, bool)]) -> Vec<f32> {
    let good: Vec<f64> = rows.iter().filter(|(.., fraud)| !fraud).map(|(raw, ..)| *raw).collect();
    let cut = |point: u16| {
        let below = good.len() * usize::from(point) / usize::from(MOST_POINTS);
        match good.get(below) {
            Some(raw) => *raw as f32,
            // The last point is for what no good row reached.
            None => good.last().map_or(0.0, |raw| (*raw as f32).next_up()),
        }
    };
    (1..=MOST_POINTS).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::train::sample::Tally;

    fn samples(frauds: Vec<bool>, weight_of_good: f64) -> Samples {
        Samples { features: 0, values: vec![], frauds, weight_of_good, tally: Tally::default() }
    }

    #[test]
    fn shares_are_found_back_and_drawn_rows_stand_for_all() {
        // Raw score r is fraud with probability r; of the good one in four was drawn.
        let (mut frauds, mut raw) = (vec![], vec![]);
        for step in 1..100 {
            for row in 0..400 {
                let fraud = row < 4 * step;
                if fraud || row % 4 == 0 {
                    frauds.push(fraud);
                    raw.push(Some(f64::from(step) / 100.0));
                }
            }
        }
        let calibration = calibrate(&samples(frauds, 4.0), &raw).expect("it calibrates");
        for at in [0.1, 0.35, 0.8] {
            let got = calibration.probability(at);
            assert!((got - at).abs() < 0.02, "{got} at {at}");
        }
    }

    #[test]
    fn points_are_the_share_of_good_rows_below() {
        let rows = 10_000;
        let raw = (0..rows).map(|row| Some(f64::from(row) / f64::from(rows))).collect::<Vec<_>>();
        let frauds: Vec<bool> = (0..rows).map(|row| row % 100 == 99).collect();
        let calibration = calibrate(&samples(frauds, 1.0), &raw).expect("it calibrates");
        for (score, points) in [(0.5, 500), (0.9901, 990), (0.9999, 999), (1.1, 1000)] {
            let got = calibration.points(score);
            assert!(got.abs_diff(points) <= 1, "{got} not {points} at {score}");
        }
    }

    #[test]
    fn scores_that_mislead_are_pooled() {
        let frauds = vec![true, false, false, true];
        let raw = [0.1, 0.2, 0.3, 0.4].map(Some);
        let calibration = calibrate(&samples(frauds, 1.0), &raw).expect("it calibrates");
        assert!((calibration.probability(0.2) - 1.0 / 3.0).abs() < 1e-3);
    }
}

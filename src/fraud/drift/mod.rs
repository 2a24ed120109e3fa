//! Whether orders still look like those a model was trained on.
//!
//! ```text
//!  training ─► Reference: bins of every feature and of the score, with shares   (reference.rs)
//!  judging  ─► Counts: how many fell into each bin, day by day, a week long     (counts.rs)
//!  ledger   ─► what was judged, the same for every replica                      (ledger.rs)
//!  both     ─► psi, one number per figure; 0.1 and 0.25 are the usual bars      (here)
//! ```
//! **Owns:** the bins, the counts, the index. **Invariant:** every value falls into one bin;
//! counting allocates nothing. **Not here:** what is done about it. Drift says that a model is
//! asked about orders it does not know, not that it is wrong about them.

pub mod counts;
pub mod ledger;
pub mod reference;

pub use counts::{Counts, Drifted, Reading};
pub use ledger::DriftReader;
pub use reference::{BadReference, Reference};

/// Above this a figure is worth a look.
pub const WATCH: f64 = 0.1;

/// Above this it is another population: train again.
pub const ACT: f64 = 0.25;

/// Put into every bin before shares are taken, on both sides (Jeffreys' prior), so that an empty
/// bin gives a large number and not an infinite one.
const SMOOTHING: f64 = 0.5;

/// The population stability index `Σ (a − e) · ln(a ÷ e)` over bins with shares `a` now and `e`
/// in the training (Siddiqi, Credit Risk Scorecards, 2006, where the bars of 0.1 and 0.25 are
/// from, too). Half an order is added to every bin.
///
/// By chance alone it comes to about (bins − 1) × (1 ÷ orders now + 1 ÷ orders trained on).
pub fn psi(now: impl Iterator<Item = f64> + Clone, trained: &[f64]) -> f64 {
    let whole = |sum: f64| sum + SMOOTHING * trained.len() as f64;
    let (all_now, all_trained) = (whole(now.clone().sum()), whole(trained.iter().sum()));
    let parts = now.zip(trained).map(|(now, trained)| {
        let now = (now + SMOOTHING) / all_now;
        let trained = (trained + SMOOTHING) / all_trained;
        (now - trained) * (now / trained).ln()
    });
    parts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_index_follows_its_definition() {
        let index = psi([30_000.0, 70_000.0].into_iter(), &[50_000.0, 50_000.0]);
        let expected = -0.2 * 0.6_f64.ln() + 0.2 * 1.4_f64.ln();
        assert!((index - expected).abs() < 1e-4, "{index} not {expected}");
        assert!(psi([10.0, 20.0, 30.0].into_iter(), &[10.0, 20.0, 30.0]).abs() < 1e-12);
    }

    #[test]
    fn an_empty_bin_is_far_away_and_not_infinitely_far() {
        let index = psi([0.0, 2_000.0].into_iter(), &[1_000.0, 1_000.0]);
        // Shares of 0.5 ÷ 2001 and a half.
        let (now, trained) = (0.5 / 2_001.0, 1_000.5 / 2_001.0_f64);
        let expected = (now - trained) * (now / trained).ln()
            + (1.0 - now - 0.5) * ((1.0 - now) / 0.5_f64).ln();
        assert!((index - expected).abs() < 1e-3, "{index} not {expected}");
        assert!(psi([0.0, 0.0].into_iter(), &[0.0, 0.0]).abs() < 1e-12);
    }

    proptest! {
        /// It is never below zero, and zero for the same shares however many orders there are.
        #[test]
        fn the_index_is_a_distance(
            bins in prop::collection::vec((0..5_000_u32, 0..5_000_u32), 1..12)
        ) {
            let trained: Vec<f64> = bins.iter().map(|(_, trained)| f64::from(*trained)).collect();
            let now = bins.iter().map(|(now, _)| f64::from(*now));
            prop_assert!(psi(now, &trained) >= -1e-12);
        }
    }
}

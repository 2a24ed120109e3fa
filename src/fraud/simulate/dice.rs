//! Chance in whole numbers, so that every machine draws the same.

use crate::base::Chance;

/// Draws.
#[derive(Clone, Copy)]
pub struct Dice<'a>(&'a dyn Chance);

impl<'a> Dice<'a> {
    /// Dice over a source of chance.
    pub fn new(chance: &'a dyn Chance) -> Self {
        Self(chance)
    }

    /// From 0 to, not including, `below`.
    pub fn below(&self, below: u32) -> u32 {
        u32::try_from(self.0.below(u64::from(below))).unwrap_or(0)
    }

    /// From `least` to `most`, both included.
    pub fn between(&self, least: u32, most: u32) -> u32 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Yes so many times in a thousand.
    pub fn per_mille(&self, times: u32) -> bool {
        self.below(1_000) < times
    }

    /// One of these.
    pub fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(u32::try_from(of.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// The place of one of these weights, as often as it weighs.
    pub fn weighted(&self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// Small ones often, large ones seldom: the product of two draws.
    pub fn skewed(&self, below: u32) -> u32 {
        let product = u64::from(self.below(below)) * u64::from(self.below(below));
        u32::try_from(product / u64::from(below.max(1))).unwrap_or(0)
    }
}

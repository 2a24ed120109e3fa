//! What buyers want: SKUs by chance, some far more popular than others.

use rand::{Rng, rngs::SmallRng};
use serde::Deserialize;
use std::sync::Arc;

use super::request::Line;

/// How buyers choose among the SKUs.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// Each SKU as often as any other.
    Uniform,
    /// The k-th most popular in proportion to 1/k^s (Zipf's law).
    Zipf(f64),
}

/// Fills carts.
#[derive(Debug, Clone)]
pub struct Picker {
    /// Cumulative shares of the SKUs, the last of which is 1; empty when all are equal.
    shares: Arc<[f64]>,
    skus: u32,
    lines: u32,
    quantity: u32,
}

impl Picker {
    /// Carts of so many lines of different SKUs, each of so many units.
    pub fn new(pick: Pick, skus: u32, lines: u32, quantity: u32) -> Self {
        let shares = match pick {
            Pick::Uniform => Vec::new(),
            Pick::Zipf(exponent) => {
                let mut sum = 0.0;
                let mut shares: Vec<f64> = (1..=skus)
                    .map(|rank| {
                        sum += f64::from(rank).powf(-exponent);
                        sum
                    })
                    .collect();
                shares.iter_mut().for_each(|share| *share /= sum);
                shares
            }
        };
        Self { shares: shares.into(), skus, lines: lines.min(skus), quantity }
    }

    /// A cart.
    pub fn fill(&self, chance: &mut SmallRng, cart: &mut Vec<Line>) {
        cart.clear();
        while cart.len() < self.lines as usize {
            let sku = self.choose(chance);
            if cart.iter().all(|line| line.sku != sku) {
                cart.push(Line { sku, quantity: self.quantity });
            }
        }
    }

    fn choose(&self, chance: &mut SmallRng) -> u32 {
        if self.skus == 1 {
            return 0;
        }
        if self.shares.is_empty() {
            return chance.random_range(0..self.skus);
        }
        let point: f64 = chance.random();
        let rank = self.shares.partition_point(|share| *share <= point);
        u32::try_from(rank).unwrap_or(0).min(self.skus - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn zipf_gives_each_rank_its_share() {
        let picker = Picker::new(Pick::Zipf(1.0), 1000, 1, 1);
        let mut chance = SmallRng::seed_from_u64(3);
        let (mut cart, mut counts) = (Vec::new(), vec![0_u32; 1000]);
        for _ in 0..200_000 {
            picker.fill(&mut chance, &mut cart);
            counts[cart[0].sku as usize] += 1;
        }
        // The harmonic number H(1000) = 7.4855: the first rank gets 13.4%, the second half of it.
        let share = |rank: usize| f64::from(counts[rank]) / 200_000.0;
        assert!((share(0) - 0.1336).abs() < 0.004, "{}", share(0));
        assert!((share(1) - 0.0668).abs() < 0.003, "{}", share(1));
    }

    #[test]
    fn a_basket_never_has_a_sku_twice() {
        let picker = Picker::new(Pick::Zipf(1.5), 4, 3, 2);
        let (mut chance, mut cart) = (SmallRng::seed_from_u64(1), Vec::new());
        for _ in 0..1000 {
            picker.fill(&mut chance, &mut cart);
            let mut skus: Vec<u32> = cart.iter().map(|line| line.sku).collect();
            skus.sort_unstable();
            skus.dedup();
            assert_eq!(skus.len(), 3);
        }
        assert_eq!(Picker::new(Pick::Uniform, 1, 3, 1).lines, 1);
    }
}

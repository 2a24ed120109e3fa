//! What is bought: prices around the shop's own median, and what is sold again easily.

use super::{dice::Dice, world::World};

/// Prices in percent of the shop's median, as often as each other: few are dear.
const PRICES: [u32; 16] =
    [12, 20, 28, 36, 45, 55, 68, 82, 100, 120, 150, 190, 250, 350, 550, 1_200];

/// Where the dear ones begin.
const DEAR: u32 = 13;

/// Whoever sells to other shops sells by the dozen.
const DOZEN: u32 = 12;

/// What is in a cart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Basket {
    /// What it costs, in cents.
    pub cents: u32,
    /// Lines.
    pub lines: u8,
    /// Units.
    pub units: u16,
    /// Whether it is all digital.
    pub digital: bool,
    /// Whether a gift card is among it.
    pub gift_card: bool,
}

fn price(world: &World, place: u32) -> u32 {
    world.habits.price * PRICES[place as usize] / 100
}

/// What somebody buys who spends so many percent of what others do.
pub fn basket(world: &World, budget: u32, dice: &Dice<'_>) -> Basket {
    let most = if world.is_wholesale { 40 } else { 6 };
    let lines = 1 + dice.skewed(most);
    let (mut cents, mut units) = (0_u32, 0_u32);
    for _ in 0..lines {
        let several = if dice.per_mille(150) { dice.skewed(5) } else { 0 };
        let many = match world.is_wholesale {
            true => 1 + dice.skewed(3 * DOZEN),
            false => 1 + several,
        };
        // By the dozen it costs less.
        let unit = price(world, dice.below(PRICES.len() as u32)) / if many > 6 { 4 } else { 1 };
        units += many;
        cents = cents.saturating_add(unit.saturating_mul(many));
    }
    Basket {
        cents: (u64::from(cents) * u64::from(budget) / 100).clamp(100, 50_000_000) as u32,
        lines: lines as u8,
        units: units.min(60_000) as u16,
        digital: dice.per_mille(world.habits.digital),
        gift_card: dice.per_mille(world.habits.gift_cards),
    }
}

/// What is sold again easily: one thing, dear, or codes that need no parcel.
pub fn resale(world: &World, dice: &Dice<'_>) -> Basket {
    let place = dice.between(DEAR, PRICES.len() as u32 - 1);
    let units = if dice.per_mille(600) { dice.between(2, 6) } else { 1 };
    let is_code = dice.per_mille(300);
    Basket {
        cents: price(world, place).saturating_mul(units).max(100),
        lines: 1,
        units: units as u16,
        digital: is_code,
        gift_card: is_code && dice.per_mille(600),
    }
}

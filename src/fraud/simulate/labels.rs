//! What the shop comes to believe about an order, and when.

use super::{
    dice::Dice,
    order::{Attack, Order},
};

/// Ten times as many of a thousand good orders as are called fraud by mistake.
const ACCUSED_PER_10: u32 = 1;

/// Sets an order's label: late as disputes are, missing where nobody complains, wrong where a
/// buyer or a reviewer errs.
pub fn set(order: &mut Order, dice: &Dice<'_>) {
    // How many of a thousand are found out, and within which days.
    let (found, soonest, latest) = match order.attack {
        None if dice.per_mille(ACCUSED_PER_10) => (100, 5, 50),
        None => (0, 5, 50),
        // Refused attempts cost nobody money; the burst is seen in the daily numbers.
        Some(Attack::CardTesting) => (950, 1, 5),
        Some(Attack::StolenCard) => (930, 5, 60),
        Some(Attack::Takeover) => (900, 2, 40),
        Some(Attack::Reshipper) => (930, 5, 60),
        Some(Attack::Promotion) => (500, 1, 30),
        Some(Attack::Friendly) => (950, 15, 75),
    };
    order.label = dice.per_mille(found);
    order.label_day = dice.between(soonest, latest) as u16;
}

//! Where an order comes through, and what that place tells of it.
//!
//! Many storefronts tell little, and a model that never saw an empty cell takes it for something
//! odd. Where an order comes through is drawn from its cart and card alone, so that what is missing
//! says nothing about who buys.

use super::{dice::Dice, order::Order};

/// A place that orders come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Storefront {
    /// A shop's own pages: tells everything.
    Web,
    /// A shop's server that places orders for its pages: the net and the device it sees are its
    /// own, so it tells none.
    Server,
    /// One that leaves cards to somebody else and never sees them.
    Cardless,
    /// One that asks for an e-mail address and nothing more.
    Mail,
    /// One that knows what is in the basket, and nobody.
    Basket,
}

/// Cells that a storefront tells together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The card, its first digits, its country, whether it is in a wallet.
    Card,
    /// The IP address and its country.
    Net,
    /// The device, and whether an agent uses it.
    Device,
    /// The addresses of bill and goods.
    Address,
    /// The e-mail address.
    Email,
    /// The account and its age.
    Account,
    /// How long the buyer has been there.
    Session,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Card,
        Self::Net,
        Self::Device,
        Self::Address,
        Self::Email,
        Self::Account,
        Self::Session,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Of a thousand orders so many come through each, over many worlds.
pub const SHARES: [(Storefront, u32); 5] = [
    (Storefront::Web, 600),
    (Storefront::Server, 120),
    (Storefront::Cardless, 140),
    (Storefront::Mail, 90),
    (Storefront::Basket, 50),
];

/// Of a thousand orders so many lack a part that their storefront tells: scripts are blocked, goods
/// need no address.
pub const GAPS: u32 = 20;

impl Storefront {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Server => "server",
            Self::Cardless => "cardless",
            Self::Mail => "mail",
            Self::Basket => "basket",
        }
    }

    /// What it tells besides the basket.
    pub const fn tells(self) -> &'static [Part] {
        match self {
            Self::Web => &Part::ALL,
            Self::Server => &[Part::Card, Part::Address, Part::Email, Part::Account],
            Self::Cardless => {
                &[Part::Net, Part::Device, Part::Address, Part::Email, Part::Account, Part::Session]
            }
            Self::Mail => &[Part::Email],
            Self::Basket => &[Part::Session],
        }
    }
}

/// What is told of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Where it came through.
    pub storefront: Storefront,
    parts: u8,
}

impl Told {
    /// Everything, as a shop's own pages tell it.
    pub const EVERYTHING: Self = Self { storefront: Storefront::Web, parts: u8::MAX };

    /// Whether this is told.
    pub const fn tells(self, part: Part) -> bool {
        self.parts & part.bit() != 0
    }
}

/// Sends every order through a storefront. One card on one cart stays with one: tried again, it
/// tells the same.
pub fn send(orders: &mut [Order], shares: &[u32], dice: &Dice<'_>) {
    let salt = u64::from(dice.below(u32::MAX));
    for order in orders {
        let cart_and_card = (u64::from(order.cart) << 32) | u64::from(order.card);
        order.told = told(shares, mixed(cart_and_card ^ mixed(salt)));
    }
}

fn told(shares: &[u32], drawn: u64) -> Told {
    let mut left = drawn % shares.iter().map(|share| u64::from(*share)).sum::<u64>().max(1);
    let mut storefront = Storefront::Web;
    for ((candidate, _), share) in SHARES.iter().zip(shares) {
        if left < u64::from(*share) {
            storefront = *candidate;
            break;
        }
        left -= u64::from(*share);
    }
    let is_there = |part: &&Part| per_mille(mixed(drawn ^ u64::from(part.bit()))) >= GAPS;
    let parts = storefront.tells().iter().filter(is_there).fold(0, |bits, part| bits | part.bit());
    Told { storefront, parts }
}

fn per_mille(drawn: u64) -> u32 {
    (drawn % 1_000) as u32
}

/// Spreads a number over all bits (SplitMix64: Steele, Lea and Flood 2014).
const fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::SeededChance,
        fraud::simulate::{SimulateOptions, simulate},
    };

    fn orders(worlds: u16) -> Vec<Order> {
        let options = SimulateOptions { orders: 100_000, worlds, ..SimulateOptions::default() };
        simulate(options, &SeededChance::new(11))
    }

    /// Of a thousand of these, so many are that.
    fn share<'a>(of: impl Iterator<Item = &'a Order>, that: impl Fn(&Order) -> bool) -> f64 {
        let (mut all, mut those) = (0_u32, 0_u32);
        for order in of {
            all += 1;
            those += u32::from(that(order));
        }
        f64::from(those) * 1_000.0 / f64::from(all.max(1))
    }

    #[test]
    fn every_storefront_has_its_share_and_tells_what_it_tells() {
        let orders = orders(50);
        for (storefront, expected) in SHARES {
            let through = |order: &Order| order.told.storefront == storefront;
            let found = share(orders.iter(), through);
            let far = (found / f64::from(expected) - 1.0).abs();
            assert!(far < 0.4, "{storefront:?}: {found}, which differs from world to world");
            for part in Part::ALL {
                let here = orders.iter().filter(|order| through(order));
                let told = share(here, |order| order.told.tells(part));
                let expected = match storefront.tells().contains(&part) {
                    true => f64::from(1_000 - GAPS),
                    false => 0.0,
                };
                assert!((told - expected).abs() < 10.0, "{storefront:?} {part:?}: {told}");
            }
        }
    }

    #[test]
    fn what_is_missing_says_nothing_about_who_buys() {
        let orders = orders(1);
        let good = || orders.iter().filter(|order| order.attack.is_none());
        let frauds = || orders.iter().filter(|order| order.attack.is_some());
        assert!(frauds().count() > 100);
        for part in Part::ALL {
            let missing = |order: &Order| !order.told.tells(part);
            let (of_good, of_frauds) = (share(good(), missing), share(frauds(), missing));
            // Three standard errors of a share of a hundred frauds, and attempts of one attack
            // that come together.
            assert!((of_good - of_frauds).abs() < 180.0, "{part:?}: {of_good} and {of_frauds}");
        }
    }

    #[test]
    fn a_card_tried_again_tells_the_same() {
        let orders = orders(1);
        let same = |pair: &&[Order]| (pair[0].cart, pair[0].card) == (pair[1].cart, pair[1].card);
        let mut again = 0;
        for pair in orders.windows(2).filter(same) {
            again += 1;
            assert_eq!(pair[0].told, pair[1].told);
        }
        assert!(again > 100, "{again} cards are tried again");
    }
}

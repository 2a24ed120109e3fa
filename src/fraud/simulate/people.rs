//! Who buys: customers with their cards, devices, homes and workplaces.

use super::{calendar::Calendar, dice::Dice, order::THROWN_AWAY};

/// Numbers of one kind never meet those of another: attackers count from here on.
pub const STRANGERS: u32 = 1 << 30;

/// People who share an office's address.
const PER_OFFICE: u32 = 60;

/// People who share a mobile carrier's address.
const PER_CARRIER: u32 = 400;

/// Buyers of different countries, in percent: the shop is German.
const AT_HOME: [u32; 5] = [78, 8, 6, 4, 4];

/// Where somebody goes online, most of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// At home.
    Home,
    /// In an office.
    Office(u32),
    /// With a carrier.
    Carrier(u32),
}

/// A customer.
#[derive(Debug, Clone)]
pub struct Person {
    /// Number of account, e-mail and own things.
    pub id: u32,
    /// Who shares address and line.
    pub household: u32,
    /// Line used besides the home's.
    pub line: Line,
    /// Country.
    pub country: u8,
    /// E-mail domain.
    pub domain: u8,
    /// Digits in the e-mail address.
    pub email_digits: u8,
    /// Day the account was made, counted from the first simulated one; none for eternal guests.
    pub joined: Option<i64>,
    /// Spends so many percent of what others do.
    pub budget: u32,
    /// Whether the card is in a wallet.
    pub wallet: bool,
    /// Issuer of the card.
    pub issuer: u8,
}

/// Everybody.
#[derive(Debug)]
pub struct People {
    everybody: Vec<Person>,
    next_thing: u32,
}

impl People {
    /// So many people.
    pub fn new(count: u32, calendar: &Calendar, dice: &Dice<'_>) -> Self {
        let mut household = 0;
        let person = |id: u32| {
            // One in four lives with the one before.
            if !dice.per_mille(250) {
                household = id;
            }
            let line = match dice.below(100) {
                0..20 => Line::Office(dice.below(count / PER_OFFICE + 1)),
                20..35 => Line::Carrier(dice.below(count / PER_CARRIER + 1)),
                _ => Line::Home,
            };
            // Three in five were there before the first day; a third never makes an account.
            let days = calendar.days();
            let joined = if dice.per_mille(600) {
                -i64::from(dice.below(2_000)) - 1
            } else {
                i64::from(dice.below(days))
            };
            Person {
                id,
                household,
                line,
                country: dice.weighted(&AT_HOME) as u8,
                domain: if dice.per_mille(850) {
                    dice.below(u32::from(THROWN_AWAY)) as u8
                } else if dice.per_mille(30) {
                    THROWN_AWAY
                } else {
                    7 + dice.below(2) as u8
                },
                email_digits: if dice.per_mille(350) { dice.between(1, 4) as u8 } else { 0 },
                joined: dice.per_mille(670).then_some(joined),
                budget: dice.between(50, 180),
                wallet: dice.per_mille(220),
                issuer: dice.below(12) as u8,
            }
        };
        Self { everybody: (0..count).map(person).collect(), next_thing: count }
    }

    /// Somebody who is a customer on that day; some come often, most seldom.
    pub fn somebody(&self, day: i64, dice: &Dice<'_>) -> &Person {
        let count = u32::try_from(self.everybody.len()).unwrap_or(1);
        for _ in 0..20 {
            let person = &self.everybody[dice.skewed(count) as usize];
            if person.joined.is_none_or(|joined| joined <= day) {
                return person;
            }
        }
        &self.everybody[0]
    }

    /// A number for a new card, device or address of a good customer.
    pub fn new_thing(&mut self) -> u32 {
        self.next_thing += 1;
        self.next_thing
    }
}

/// The IP address of a line: offices and carriers have one each, homes one per household.
pub fn ip_of(person: &Person, line: Line) -> u32 {
    let (block, number) = match line {
        Line::Home => (80 + u32::from(person.country), person.household),
        Line::Office(number) => (160, number * 256 + 7),
        Line::Carrier(number) => (190, number * 256 + 9),
    };
    // Spread over prefixes: neighbors in number are no neighbors in the net.
    (block << 24) | (number.wrapping_mul(2_654_435_761) >> 8)
}

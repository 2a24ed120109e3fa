//! Who buys: customers with their cards, devices, homes and workplaces.

use std::cell::Cell;

use super::{
    calendar::Calendar,
    countries::email_digits,
    dice::Dice,
    order::{FREE_DOMAINS, THROWN_AWAY, WORK_DOMAINS},
    world::World,
};

/// Numbers of one kind never meet those of another: new things count from here on.
const NEW_THINGS: u32 = 1 << 30;

/// Lockers and offices, as addresses.
const LOCKERS: u32 = 1 << 28;
const OFFICES: u32 = 1 << 29;

/// People who share an office's address.
const PER_OFFICE: u32 = 60;

/// People who share a mobile carrier's address.
const PER_CARRIER: u32 = 400;

/// People who share a virtual network's address.
const PER_TUNNEL: u32 = 150;

/// People who collect from one locker.
const PER_LOCKER: u32 = 80;

/// Homes in one part of the net.
const PER_STREET: u32 = 24;

/// Where somebody goes online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// At home.
    Home,
    /// In an office.
    Office(u32),
    /// With a carrier.
    Carrier(u32),
    /// Through a virtual network, wherever they are.
    Tunnel(u32),
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
    /// Where goods go.
    pub address: u32,
    /// Country.
    pub country: u8,
    /// Country of the card.
    pub card_country: u8,
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
    /// Whether an agent buys.
    pub agent: bool,
    /// Issuer of the card.
    pub issuer: u8,
}

/// Everybody.
#[derive(Debug)]
pub struct People {
    everybody: Vec<Person>,
    next_thing: Cell<u32>,
}

impl People {
    /// So many people.
    pub fn new(count: u32, world: &World, calendar: &Calendar, dice: &Dice<'_>) -> Self {
        let mut household = 0;
        let everybody = (0..count).map(|id| {
            if !dice.per_mille(world.habits.together) {
                household = id;
            }
            person(id, household, count, (world, calendar), dice)
        });
        Self { everybody: everybody.collect(), next_thing: Cell::new(NEW_THINGS) }
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

    /// A number for a card, a device, an address or an e-mail address that nobody has had.
    pub fn new_thing(&self) -> u32 {
        self.next_thing.set(self.next_thing.get() + 1);
        self.next_thing.get()
    }
}

fn person(
    id: u32,
    household: u32,
    count: u32,
    (world, calendar): (&World, &Calendar),
    dice: &Dice<'_>,
) -> Person {
    let habits = &world.habits;
    let office = dice.below(count / PER_OFFICE + 1);
    let line = match dice.below(100) {
        _ if dice.per_mille(habits.tunnels) => Line::Tunnel(dice.below(count / PER_TUNNEL + 1)),
        0..20 => Line::Office(office),
        20..40 => Line::Carrier(dice.below(count / PER_CARRIER + 1)),
        _ => Line::Home,
    };
    let address = match () {
        () if dice.per_mille(habits.lockers) => LOCKERS + dice.below(count / PER_LOCKER + 1),
        () if dice.per_mille(habits.offices) => OFFICES + office,
        () => household,
    };
    let joined = match dice.per_mille(habits.settled) {
        true => -i64::from(dice.below(2_000)) - 1,
        false => i64::from(dice.below(calendar.days())),
    };
    let country = world.country(habits.abroad, dice);
    let is_expat = dice.per_mille(habits.expats);
    Person {
        id,
        household,
        line,
        address,
        country,
        card_country: if is_expat { world.country(1_000, dice) } else { country },
        domain: domain(habits.throwaway, dice),
        email_digits: email_digits(country, dice),
        joined: (!dice.per_mille(habits.guests)).then_some(joined),
        budget: dice.between(50, 180),
        wallet: dice.per_mille(habits.wallets),
        agent: dice.per_mille(habits.agents),
        issuer: dice.below(12) as u8,
    }
}

/// The domain of an e-mail address; so many of a thousand are thrown away after use.
pub fn domain(throwaway: u32, dice: &Dice<'_>) -> u8 {
    match () {
        () if dice.per_mille(throwaway) => dice.one(&THROWN_AWAY),
        () if dice.per_mille(120) => dice.one(&WORK_DOMAINS),
        () => dice.one(&FREE_DOMAINS),
    }
}

/// The network address of a line: 16 bits of its part of the net, 8 of its own. Offices, carriers
/// and virtual networks have one for all; homes one per household, which changes now and then.
pub fn ip_of(person: &Person, line: Line, is_new: bool, dice: &Dice<'_>) -> u32 {
    let (kind, number, host) = match line {
        Line::Home if is_new => (0, person.household / PER_STREET, dice.between(100, 254)),
        Line::Home => (0, person.household / PER_STREET, 1 + person.household % PER_STREET),
        Line::Office(number) => (1, number, 7),
        Line::Carrier(number) => (2, number, 9),
        Line::Tunnel(number) => (3, number, 11),
    };
    (part_of_net(kind, number) << 8) | host
}

/// A part of the net: neighbors in number are no neighbors in it.
pub fn part_of_net(kind: u32, number: u32) -> u32 {
    (number.wrapping_mul(4).wrapping_add(kind)).wrapping_mul(2_654_435_761) >> 16
}

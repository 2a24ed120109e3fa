//! Shops' years, made up: customers who come back, households, lockers and offices behind one
//! address, seasons and sales peaks, with attacks woven in and labels that come late and are partly
//! wrong. Half of the orders come through storefronts that tell little ([`storefront`]); cells they
//! do not tell are empty.
//!
//! ```text
//!  Mix ─► World: habits of buyers, ways of attackers, drawn anew for each    (world.rs)
//!   Calendar · People ─► Scene ─► good orders             (good.rs, goods.rs, people.rs)
//!                              └► attacks, copies of them (attacks.rs, stranger.rs)
//!   ─► labels ─► storefronts ─► CSV
//! ```
//! It is made to have something to train on before a shop has labels of its own, and to see where
//! a model is blind. It is no measure of any real shop. The same seed gives the same file, on any
//! machine: chance is drawn in whole numbers.

pub mod attacks;
pub mod calendar;
pub mod countries;
pub mod dice;
pub mod good;
pub mod goods;
pub mod labels;
pub mod order;
pub mod people;
pub mod storefront;
pub mod stranger;
pub mod world;

use std::io::Write;

use self::{calendar::Calendar, dice::Dice, order::Order, people::People, world::World};
use super::progress::Progress;
use crate::base::Chance;

/// The schema of the columns written.
pub const SCHEMA: &str = include_str!("schema.toml");

/// Which worlds are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// As the bundled model was trained.
    Usual,
    /// Of another setting: other habits, and attackers who are slower, spread wider and better
    /// disguised than anything it was trained on.
    Unseen,
}

/// What is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulateOptions {
    /// About so many attempts to pay, attacks included.
    pub orders: u32,
    /// In so many shops, each with its share of the attempts.
    pub worlds: u16,
    /// Which worlds.
    pub mix: Mix,
    /// The first day, counted from 1970-01-01.
    pub first_day: i64,
    /// How many days, in each of them.
    pub days: u16,
}

/// 2025-01-01.
pub const FIRST_DAY: i64 = 20_089;

/// A world begins when so many parts of the one before have passed: so many are open at once, and a
/// memory that forgets what is over holds them all.
const OPEN_AT_ONCE: u16 = 8;

impl Default for SimulateOptions {
    fn default() -> Self {
        Self { orders: 300_000, worlds: 1, mix: Mix::Usual, first_day: FIRST_DAY, days: 365 }
    }
}

/// A shop while its orders are made up.
pub struct Scene<'a> {
    /// What it is like.
    pub world: &'a World,
    /// When people buy.
    pub calendar: &'a Calendar,
    /// Who buys.
    pub people: &'a People,
    /// Chance.
    pub dice: &'a Dice<'a>,
}

/// Makes up the orders, in the order of time.
pub fn simulate(options: SimulateOptions, chance: &dyn Chance) -> Vec<Order> {
    let dice = Dice::new(chance);
    let worlds = options.worlds.max(1);
    let mut orders = Vec::with_capacity(options.orders as usize);
    for number in 0..worlds {
        let first_day =
            options.first_day + i64::from(number) * i64::from(options.days / OPEN_AT_ONCE);
        let attempts = (options.orders / u32::from(worlds)) as usize;
        orders.append(&mut shop(number, options, (first_day, attempts), &dice));
    }
    orders.sort_by_key(|order| order.second);
    for (number, order) in orders.iter_mut().enumerate() {
        order.number = number as u32;
    }
    orders
}

/// One shop's orders, so many attempts from this day on.
fn shop(
    number: u16,
    options: SimulateOptions,
    (first_day, attempts): (i64, usize),
    dice: &Dice<'_>,
) -> Vec<Order> {
    let world = World::draw(number, options.mix, dice);
    let calendar = Calendar::draw(first_day, options.days, dice);
    let customers = attempts as u32 / dice.between(2, 8) + 50;
    let people = People::new(customers, &world, &calendar, dice);
    let scene = Scene { world: &world, calendar: &calendar, people: &people, dice };
    let mut orders = Vec::with_capacity(attempts);
    attacks::add(&scene, &mut orders, attempts * world.habits.attacked as usize / 100_000);
    while orders.len() < attempts {
        good::add(&scene, &mut orders);
    }
    orders.iter_mut().for_each(|order| labels::set(order, dice));
    storefront::send(&mut orders, &world.storefronts, dice);
    orders
}

/// Writes orders as CSV.
///
/// # Errors
/// When the output does not take them.
pub fn write(
    orders: &[Order],
    out: &mut dyn Write,
    progress: &mut dyn Progress,
) -> std::io::Result<()> {
    progress.stage("orders", orders.len() as u64);
    writeln!(out, "{}", order::HEADER)?;
    for order in orders {
        writeln!(out, "{order}")?;
        progress.advance(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::SeededChance,
        fraud::{
            progress::Silent,
            schema::{Schema, read::read_rows},
        },
    };
    use std::collections::BTreeMap;

    fn file(seed: u64, mix: Mix) -> (Vec<Order>, String) {
        let options = SimulateOptions {
            orders: 60_000,
            worlds: 12,
            mix,
            days: 120,
            ..SimulateOptions::default()
        };
        let orders = simulate(options, &SeededChance::new(seed));
        let mut out = Vec::new();
        write(&orders, &mut out, &mut Silent).expect("memory takes it");
        (orders, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn the_same_seed_gives_the_same_year_and_its_schema_reads_it() {
        let (orders, text) = file(5, Mix::Usual);
        assert_eq!(text, file(5, Mix::Usual).1);
        assert_ne!(text, file(6, Mix::Usual).1);
        let schema = Schema::parse(SCHEMA).expect("the schema holds");
        let rows = read_rows(&schema, Some("attack"), text.as_bytes()).expect("it reads");
        assert_eq!(rows.len(), orders.len());
        assert!(rows.is_sorted_by_key(|row| row.event.at));
        assert!(rows.iter().all(|row| row.label.is_some() && row.event.amount > Some(0)));
    }

    #[test]
    fn every_attack_happens_and_labels_are_late_and_partly_wrong() {
        for mix in [Mix::Usual, Mix::Unseen] {
            let (orders, _) = file(7, mix);
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for order in &orders {
                *counts.entry(order.attack.map_or("none", |attack| attack.name())).or_default() +=
                    1;
            }
            assert_eq!(counts.len(), 7, "{counts:?}");
            let attacked = orders.len() - counts["none"];
            // Of a thousand attempts one to ten, as real shops have it.
            assert!((60..600).contains(&attacked), "{counts:?}");
            let missed = orders.iter().filter(|o| o.attack.is_some() && !o.label).count();
            let accused = orders.iter().filter(|o| o.attack.is_none() && o.label).count();
            assert!(missed > 5 && missed < attacked / 3, "{missed} of {attacked} go unreported");
            assert!(accused > 0 && accused < 30, "{accused} good orders are called fraud");
            let late = orders.iter().filter(|o| o.label && o.label_day > 30).count();
            assert!(late > 10, "{late} labels take over a month");
        }
    }

    #[test]
    fn entities_are_shared_as_they_are_in_life() {
        let (orders, _) = file(9, Mix::Usual);
        let mut buyers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let good = orders.iter().filter(|order| order.attack.is_none());
        good.clone().for_each(|order| buyers.entry(order.ip).or_default().push(order.email));
        let shared = buyers.values_mut().filter_map(|emails| {
            emails.sort_unstable();
            emails.dedup();
            (emails.len() > 10).then_some(())
        });
        assert!(shared.count() > 5, "offices and carriers stand behind one address");
        let mut returning: BTreeMap<u32, usize> = BTreeMap::new();
        good.for_each(|order| *returning.entry(order.email).or_default() += 1);
        assert!(returning.values().filter(|count| **count > 3).count() > 500);
    }

    /// What may tell.
    type Sign = fn(&Order) -> bool;

    /// What one world's attackers do, another's good people do as often.
    // breaks: a range of `WAYS` that no range of `HABITS` overlaps, say agents (0, 0)
    #[test]
    fn no_sign_alone_tells_attackers_from_good_people() {
        let options = SimulateOptions { orders: 120_000, worlds: 24, ..SimulateOptions::default() };
        let orders = simulate(options, &SeededChance::new(11));
        let signs: [(&str, Sign); 8] = [
            ("digits", |order| order.email_digits >= 5),
            ("agents", |order| order.agent),
            ("wallets", |order| order.wallet),
            ("throwaway", |order| order::THROWN_AWAY.contains(&order.domain)),
            ("hurry", |order| order.session_seconds <= 30),
            ("another address", |order| order.billing_differs),
            ("a net abroad", |order| order.ip_country != order.billing_country),
            ("a card abroad", |order| order.card_country != order.shipping_country),
        ];
        for (name, sign) in signs {
            let of = |attacked: bool| {
                let those = orders.iter().filter(move |order| order.attack.is_some() == attacked);
                (those.clone().filter(|order| sign(order)).count(), those.count())
            };
            let ((good, _), (bad, attacked)) = (of(false), of(true));
            assert!(bad > 0 && bad < attacked, "{name}: {bad} of {attacked} attacked ones");
            assert!(good > 2 * bad, "{name}: {good} good ones, {bad} attacked ones");
        }
    }
}

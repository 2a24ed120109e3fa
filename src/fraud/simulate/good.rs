//! What good customers do, and what about it looks odd without being so.

use super::{
    Scene,
    goods::{Basket, basket},
    order::Order,
    people::{Line, Person, ip_of},
    storefront::Told,
};

/// From this house on addresses are lockers and offices, which are nobody's bill's.
const SHARED_ADDRESSES: u32 = 1 << 28;

/// A good order, as this person places it on an ordinary day.
pub fn ordinary(scene: &Scene<'_>, person: &Person, second: i64) -> Order {
    let Scene { world, calendar, people, dice } = scene;
    let habits = &world.habits;
    let line = match person.line {
        Line::Tunnel(_) => person.line,
        _ if dice.per_mille(600) => Line::Home,
        line => line,
    };
    let is_tunnel = matches!(line, Line::Tunnel(_));
    let day = calendar.day_of(second);
    let account_days = person.joined.map(|joined| u32::try_from(day - joined).unwrap_or(0));
    let peak = if calendar.is_peak(second) { 3 } else { 1 };
    let discount = dice.per_mille((habits.discounts * peak).min(900));
    let is_hurried = person.agent || dice.per_mille(habits.hurried);
    let order = Order {
        world: world.number,
        number: 0,
        second,
        cart: dice.below(u32::MAX),
        customer: person.joined.map(|_| person.id),
        email: person.id,
        domain: person.domain,
        email_digits: person.email_digits,
        // Some have a second card and a second device.
        card: person.id * 2 + u32::from(dice.per_mille(100)),
        issuer: person.issuer,
        card_country: person.card_country,
        wallet: person.wallet,
        ip: ip_of(person, line, dice.per_mille(habits.new_nets), dice),
        ip_country: if is_tunnel { world.country(700, dice) } else { person.country },
        device: match () {
            () if dice.per_mille(habits.new_devices) => people.new_thing(),
            // A household's tablet, a kiosk in an office: who shares a line may share a device.
            () if dice.per_mille(habits.shared_devices) => shared_device(person),
            () => person.id * 2 + u32::from(dice.per_mille(150)),
        },
        address: person.address,
        // Some keep their bank's address for the bill.
        billing_country: match dice.per_mille(400) {
            true => person.card_country,
            false => person.country,
        },
        shipping_country: person.country,
        billing_differs: person.address >= SHARED_ADDRESSES,
        cents: 0,
        lines: 0,
        units: 0,
        gift_card: false,
        digital: false,
        discount,
        account_days,
        session_seconds: if is_hurried { dice.between(1, 30) } else { 40 + dice.skewed(1_800) },
        agent: person.agent && dice.per_mille(800),
        failed: false,
        label: false,
        label_day: 0,
        attack: None,
        told: Told::EVERYTHING,
    };
    order.with(basket(world, person.budget, dice))
}

/// Devices that several use, beside everybody's own.
const SHARED_DEVICES: u32 = 1 << 29;

fn shared_device(person: &Person) -> u32 {
    SHARED_DEVICES
        + match person.line {
            Line::Office(number) => number * 2 + 1,
            _ => person.household * 2,
        }
}

/// Adds a good order, with the failed attempts before it.
pub fn add(scene: &Scene<'_>, orders: &mut Vec<Order>) {
    let Scene { world, calendar, people, dice } = scene;
    let day = calendar.day(dice);
    let person = people.somebody(calendar.day_of(day * 86_400), dice).clone();
    let mut order = ordinary(scene, &person, calendar.second(day, person.country, dice));
    odd(scene, &mut order);
    if dice.per_mille(world.habits.declined) {
        // A wrong number, a full limit: the same card again a moment later, or another one.
        for _ in 0..=dice.skewed(6) {
            orders.push(Order { failed: true, ..order.clone() });
            order.second += i64::from(dice.between(15, 240));
            if dice.per_mille(400) {
                order.card = people.new_thing();
            }
        }
        if dice.per_mille(200) {
            return;
        }
    }
    orders.push(order);
}

/// What is odd and yet fine: a new card, a present, a journey, a large order.
fn odd(scene: &Scene<'_>, order: &mut Order) {
    let Scene { world, people, dice, .. } = scene;
    let habits = &world.habits;
    if dice.per_mille(habits.new_cards) {
        order.card = people.new_thing();
        order.issuer = dice.below(12) as u8;
    }
    if dice.per_mille(habits.presents) {
        order.address = people.new_thing();
        order.billing_differs = true;
        if dice.per_mille(250) {
            order.shipping_country = world.country(800, dice);
        }
    }
    if dice.per_mille(habits.journeys) {
        order.ip = dice.below(1 << 24);
        order.ip_country = world.country(1_000, dice);
    }
    if dice.per_mille(habits.large) {
        let times = dice.between(3, 8);
        let Basket { cents, units, .. } = order.basket();
        order.cents = cents.saturating_mul(times).min(50_000_000);
        order.units = units.saturating_mul(times as u16);
    }
}

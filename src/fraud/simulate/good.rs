//! What good customers do, and what about it looks odd without being so.

use super::{
    calendar::Calendar,
    dice::Dice,
    order::Order,
    people::{Line, People, Person, ip_of},
    storefront::Told,
};

/// Prices of what is sold, in cents.
pub const PRICES: [u32; 14] = [
    490, 890, 1_290, 1_590, 1_990, 2_490, 2_990, 3_990, 4_990, 5_990, 7_990, 9_990, 14_990, 24_990,
];

/// A good order, as this person places it on an ordinary day.
pub fn ordinary(person: &Person, second: i64, calendar: &Calendar, dice: &Dice<'_>) -> Order {
    let line = if dice.per_mille(600) { Line::Home } else { person.line };
    let day = calendar.day_of(second);
    let (cents, lines, units) = goods(person.budget, dice);
    let account_days = person.joined.map(|joined| u32::try_from(day - joined).unwrap_or(0));
    let agent = dice.per_mille(40);
    let discount = dice.per_mille(if calendar.is_peak(second) { 400 } else { 110 });
    Order {
        number: 0,
        second,
        cart: dice.below(u32::MAX),
        customer: person.joined.map(|_| person.id),
        email: person.id,
        domain: person.domain,
        email_digits: person.email_digits,
        // Some have a second card and a second device.
        card: person.id * 2 + u32::from(dice.per_mille(150)),
        issuer: person.issuer,
        card_country: person.country,
        wallet: person.wallet,
        ip: ip_of(person, line),
        ip_country: person.country,
        device: person.id * 2 + u32::from(dice.per_mille(300)),
        address: person.household,
        billing_country: person.country,
        shipping_country: person.country,
        billing_differs: false,
        cents,
        lines,
        units,
        gift_card: dice.per_mille(18),
        digital: dice.per_mille(60),
        discount,
        account_days,
        session_seconds: if agent { dice.between(3, 25) } else { 40 + dice.skewed(1_800) },
        agent,
        failed: false,
        label: false,
        label_day: 0,
        attack: None,
        told: Told::EVERYTHING,
    }
}

/// Amount in cents, lines and units.
pub fn goods(budget: u32, dice: &Dice<'_>) -> (u32, u8, u8) {
    let lines = 1 + dice.skewed(6);
    let (mut cents, mut units) = (0, 0);
    for _ in 0..lines {
        let many = 1 + if dice.per_mille(150) { dice.skewed(5) } else { 0 };
        units += many;
        cents += PRICES[dice.skewed(PRICES.len() as u32) as usize] * many;
    }
    ((cents * budget / 100).max(100), lines as u8, units.min(255) as u8)
}

/// Adds a good order, with the failed attempts before it.
pub fn add(orders: &mut Vec<Order>, (calendar, people): (&Calendar, &mut People), dice: &Dice<'_>) {
    let second = calendar.second(dice);
    let person = people.somebody(calendar.day_of(second), dice).clone();
    let mut order = ordinary(&person, second, calendar, dice);
    odd(&mut order, people, dice);
    if dice.per_mille(35) {
        // A wrong number, a full limit: the same card again a moment later, or another one.
        for _ in 0..=dice.skewed(4) {
            orders.push(Order { failed: true, ..order.clone() });
            order.second += i64::from(dice.between(15, 240));
            if dice.per_mille(250) {
                order.card = people.new_thing() * 2;
            }
        }
        if dice.per_mille(200) {
            return;
        }
    }
    orders.push(order);
}

/// What is odd and yet fine: a new phone, a present, a journey, a large order.
fn odd(order: &mut Order, people: &mut People, dice: &Dice<'_>) {
    if dice.per_mille(35) {
        order.device = people.new_thing() * 2;
    }
    if dice.per_mille(30) {
        order.card = people.new_thing() * 2;
        order.issuer = dice.below(12) as u8;
    }
    if dice.per_mille(60) {
        order.address = people.new_thing();
        order.billing_differs = true;
        if dice.per_mille(150) {
            order.shipping_country = dice.below(6) as u8;
        }
    }
    if dice.per_mille(25) {
        order.ip = (dice.between(1, 60) << 24) | dice.below(1 << 24);
        order.ip_country = dice.below(8) as u8;
    }
    if dice.per_mille(15) {
        order.card_country = dice.below(6) as u8;
    }
    if dice.per_mille(12) {
        order.cents = order.cents.saturating_mul(dice.between(3, 8));
        order.units = order.units.saturating_mul(3);
    }
}

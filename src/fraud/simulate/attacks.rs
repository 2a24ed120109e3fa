//! The attacks. Each attacker draws ways of their own, copies good people as far as those go, and
//! adapts to what is declined.

use super::{
    Scene,
    good::ordinary,
    goods::{basket, resale},
    order::{Attack, Order},
    people::Person,
    stranger::{adapt, go_online, stranger},
    world::Ways,
};

/// Of a hundred attacked attempts so many belong to each attack, more in one world and less in
/// another.
const ATTACKS: [(Attack, u32); 6] = [
    (Attack::CardTesting, 28),
    (Attack::StolenCard, 27),
    (Attack::Takeover, 17),
    (Attack::Reshipper, 14),
    (Attack::Promotion, 8),
    (Attack::Friendly, 6),
];

/// Adds every attack's share of so many attempts.
pub fn add(scene: &Scene<'_>, orders: &mut Vec<Order>, attempts: usize) {
    let weights = ATTACKS.iter().zip(scene.world.attacks).map(|((_, often), of)| often * of);
    let weights: Vec<u32> = weights.collect();
    let all: u32 = weights.iter().sum();
    for ((attack, _), weight) in ATTACKS.into_iter().zip(weights) {
        let end = orders.len() + attempts * weight as usize / all as usize;
        while orders.len() < end {
            let before = orders.len();
            let ways = scene.world.ways(scene.dice);
            match attack {
                Attack::CardTesting => card_testing(scene, &ways, orders),
                Attack::StolenCard => stolen_card(scene, &ways, orders),
                Attack::Takeover => takeover(scene, &ways, orders),
                Attack::Reshipper => reshipper(scene, &ways, orders),
                Attack::Promotion => promotion(scene, &ways, orders),
                Attack::Friendly => friendly(scene, orders),
            }
            orders.truncate(end);
            orders[before..].iter_mut().for_each(|order| order.attack = Some(attack));
        }
    }
}

/// Many cards, one after the other. Testers change what they can; what they keep gives them away,
/// and numbers that are counted through are of one issuer.
fn card_testing(scene: &Scene<'_>, ways: &Ways, orders: &mut Vec<Order>) {
    let Scene { world, calendar, people, dice } = scene;
    let mut second = calendar.any_second(5, dice);
    let first = stranger(scene, ways, second);
    let [cart, device, net, email, address, issuer] = [(); 6].map(|()| dice.per_mille(ways.keeps));
    let is_tiny = dice.per_mille(ways.tiny);
    for _ in 0..dice.between(8, 80) {
        let mut order = stranger(scene, ways, second);
        if cart {
            order.cart = first.cart;
        }
        if device {
            order.device = first.device;
        }
        if net {
            (order.ip, order.ip_country) = (first.ip, first.ip_country);
        }
        if email {
            (order.email, order.domain, order.email_digits) =
                (first.email, first.domain, first.email_digits);
            (order.customer, order.account_days) = (first.customer, first.account_days);
        }
        if address {
            (order.address, order.shipping_country) = (first.address, first.shipping_country);
        }
        if issuer {
            (order.issuer, order.card_country) = (first.issuer, first.card_country);
        }
        order.card = people.new_thing();
        order = order.with(basket(world, 60, dice));
        if is_tiny {
            order.cents = dice.between(100, 1_500);
            (order.lines, order.units) = (1, 1);
        }
        order.failed = dice.per_mille(ways.fails);
        orders.push(order);
        second += i64::from(dice.between(1, 2 * ways.pace));
    }
}

/// A stolen card, used for goods until it is blocked.
fn stolen_card(scene: &Scene<'_>, ways: &Ways, orders: &mut Vec<Order>) {
    let Scene { world, calendar, dice, .. } = scene;
    let mut order = stranger(scene, ways, calendar.any_second(3, dice));
    for _ in 0..=dice.skewed(5) {
        order.failed = dice.per_mille(300);
        order.cart = dice.below(u32::MAX);
        orders.push(order.clone());
        order.second += i64::from(dice.between(120, 40_000));
        match order.failed {
            true => adapt(scene, ways, &mut order),
            false if dice.per_mille(ways.resale) => order = order.with(resale(world, dice)),
            false => {}
        }
    }
}

/// A good customer's account in other hands: the account and its card are old, device and network
/// are not, and what is bought is sold again.
fn takeover(scene: &Scene<'_>, ways: &Ways, orders: &mut Vec<Order>) {
    let Scene { world, calendar, people, dice } = scene;
    let second = calendar.any_second(3, dice);
    let victim = victim(scene, second);
    let mut order = ordinary(scene, victim, second);
    order.device = people.new_thing();
    go_online(scene, ways, &mut order);
    if dice.per_mille(ways.hurried) {
        order.session_seconds = dice.between(1, 30);
    }
    if dice.per_mille(ways.resale) {
        order = order.with(resale(world, dice));
    }
    // What needs no parcel goes nowhere.
    if !order.digital && dice.per_mille(if world.is_unseen() { 650 } else { 800 }) {
        order.address = people.new_thing();
        order.billing_differs = true;
    }
    if dice.per_mille(250) {
        order.card = people.new_thing();
    }
    for _ in 0..=dice.skewed(4) {
        order.failed = dice.per_mille(120);
        orders.push(order.clone());
        order.second += i64::from(dice.between(60, 3_000));
        order.cart = dice.below(u32::MAX);
        if order.failed {
            adapt(scene, ways, &mut order);
        }
    }
}

/// Somebody whose account is old and in use: those are worth taking.
fn victim<'a>(scene: &Scene<'a>, second: i64) -> &'a Person {
    let Scene { calendar, people, dice, .. } = scene;
    let draw = || people.somebody(calendar.day_of(second), dice);
    let drawn = (0..20).map(|_| draw());
    let old = drawn.filter(|person| person.joined.is_some_and(|joined| joined < -60));
    // Those who come often stand first.
    old.min_by_key(|person| person.id).unwrap_or_else(draw)
}

/// Stolen cards, goods to the same few addresses.
fn reshipper(scene: &Scene<'_>, ways: &Ways, orders: &mut Vec<Order>) {
    let Scene { world, calendar, people, dice } = scene;
    let addresses: Vec<u32> = (0..dice.between(1, 4)).map(|_| people.new_thing()).collect();
    let devices: Vec<u32> = (0..dice.between(1, 5)).map(|_| people.new_thing()).collect();
    let mut second = calendar.any_second(21, dice);
    for _ in 0..dice.between(5, 25) {
        let mut order = stranger(scene, ways, second);
        order.address = dice.one(&addresses);
        order.billing_differs = true;
        order.shipping_country = world.home;
        if dice.per_mille(ways.keeps) {
            order.device = dice.one(&devices);
        }
        order.failed = dice.per_mille(250);
        orders.push(order);
        second += i64::from(dice.between(1_800, 90_000));
    }
}

/// One person, many accounts, every first-order discount.
fn promotion(scene: &Scene<'_>, ways: &Ways, orders: &mut Vec<Order>) {
    let Scene { world, calendar, dice, .. } = scene;
    let mut second = calendar.any_second(14, dice);
    let home = stranger(scene, ways, second);
    for _ in 0..dice.between(4, 20) {
        let mut order = stranger(scene, ways, second);
        (order.address, order.ip, order.ip_country) = (home.address, home.ip, world.home);
        if dice.per_mille(ways.keeps) {
            order.device = home.device;
        }
        order.customer = Some(order.email);
        order.account_days = Some(0);
        order.card = if dice.per_mille(600) { home.card } else { order.card };
        (order.card_country, order.billing_country) = (world.home, world.home);
        (order.shipping_country, order.billing_differs) = (world.home, false);
        order = order.with(basket(world, 60, dice));
        order.discount = true;
        orders.push(order);
        second += i64::from(dice.between(600, 80_000));
    }
}

/// Nothing tells it from a good order but the dispute; some do it again.
fn friendly(scene: &Scene<'_>, orders: &mut Vec<Order>) {
    let Scene { calendar, people, dice, .. } = scene;
    let mut second = calendar.any_second(60, dice);
    let person = people.somebody(calendar.day_of(second), dice);
    for _ in 0..=dice.skewed(4) {
        orders.push(ordinary(scene, person, second));
        second += i64::from(dice.between(86_400, 1_200_000));
    }
}

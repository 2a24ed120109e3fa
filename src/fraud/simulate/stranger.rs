//! Somebody with a card that is not theirs: a copy of a real customer's order in which everything
//! is new, and something may not match.

use super::{
    Scene,
    countries::email_digits,
    good::ordinary,
    goods::resale,
    order::Order,
    people::{domain, ip_of, part_of_net},
    world::Ways,
};

/// Networks of hosting companies, beside those of customers.
const HOSTING: u32 = 3;

/// A stranger's order.
pub fn stranger(scene: &Scene<'_>, ways: &Ways, second: i64) -> Order {
    let Scene { world, calendar, people, dice } = scene;
    let copied = people.somebody(calendar.day_of(second), dice);
    let mut order = ordinary(scene, copied, second);
    order.email = people.new_thing();
    order.email_digits = email_digits(copied.country, dice);
    order.domain = domain(ways.throwaway, dice);
    order.customer = dice.per_mille(ways.accounts).then_some(order.email);
    order.account_days = order.customer.map(|_| match dice.per_mille(ways.aged) {
        true => dice.between(14, 120),
        false => dice.below(3),
    });
    order.card = people.new_thing();
    order.issuer = dice.below(12) as u8;
    order.card_country = world.country(ways.card_abroad, dice);
    order.wallet = dice.per_mille(ways.wallets);
    order.device = people.new_thing();
    order.address = people.new_thing();
    // The bill is the card's, as far as a stranger knows it.
    order.billing_country = if dice.per_mille(700) { order.card_country } else { copied.country };
    order.billing_differs = dice.per_mille(ways.bill_differs);
    order.shipping_country = match () {
        () if dice.per_mille(ways.ships_abroad) => world.country(1_000, dice),
        () if order.billing_differs => copied.country,
        () => order.billing_country,
    };
    order.agent = dice.per_mille(ways.agents);
    order.session_seconds =
        if dice.per_mille(ways.hurried) { dice.between(1, 30) } else { 40 + dice.skewed(1_800) };
    go_online(scene, ways, &mut order);
    if dice.per_mille(ways.resale) {
        order = order.with(resale(world, dice));
    }
    order
}

/// Goes online somewhere else: in the network of a real customer, or rented.
pub fn go_online(scene: &Scene<'_>, ways: &Ways, order: &mut Order) {
    let Scene { world, calendar, people, dice } = scene;
    if dice.per_mille(ways.real_nets) {
        let host = people.somebody(calendar.day_of(order.second), dice);
        order.ip = ip_of(host, host.line, true, dice);
        order.ip_country = host.country;
    } else {
        let part = part_of_net(HOSTING, people.new_thing());
        order.ip = (part << 8) | dice.between(1, 254);
        order.ip_country = world.country(ways.net_abroad, dice);
    }
}

/// Adapts to a no: something else, and less of it.
pub fn adapt(scene: &Scene<'_>, ways: &Ways, order: &mut Order) {
    let Scene { people, dice, .. } = scene;
    if dice.per_mille(500) {
        order.cents = (order.cents / 2).max(100);
    }
    if dice.per_mille(500) {
        order.card = people.new_thing();
    }
    if dice.per_mille(300) {
        go_online(scene, ways, order);
    }
    if dice.per_mille(150) {
        order.device = people.new_thing();
    }
}

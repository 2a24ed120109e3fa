//! The attacks, in the usual way and in one no model was trained on.

use super::{
    Mix, SimulateOptions,
    calendar::Calendar,
    dice::Dice,
    good::{goods, ordinary},
    order::{Attack, Order, THROWN_AWAY},
    people::{People, STRANGERS},
};

/// Of a thousand attempts so many belong to each attack.
const SHARES: [(Attack, u32); 6] = [
    (Attack::CardTesting, 7),
    (Attack::StolenCard, 5),
    (Attack::Takeover, 2),
    (Attack::Reshipper, 3),
    (Attack::Promotion, 3),
    (Attack::Friendly, 2),
];

/// The shop and its attackers while attacks are added.
struct Scene<'a> {
    calendar: &'a Calendar,
    people: &'a People,
    dice: &'a Dice<'a>,
    mix: Mix,
    next: u32,
}

/// Adds every attack's share of the orders.
pub fn add(
    orders: &mut Vec<Order>,
    options: SimulateOptions,
    (calendar, people): (&Calendar, &People),
    dice: &Dice<'_>,
) {
    let mut scene = Scene { calendar, people, dice, mix: options.mix, next: STRANGERS };
    for (attack, share) in SHARES {
        let wanted = orders.len() + (options.orders / 1_000 * share) as usize;
        while orders.len() < wanted {
            let before = orders.len();
            match attack {
                Attack::CardTesting => scene.card_testing(orders),
                Attack::StolenCard => scene.stolen_card(orders),
                Attack::Takeover => scene.takeover(orders),
                Attack::Reshipper => scene.reshipper(orders),
                Attack::Promotion => scene.promotion(orders),
                Attack::Friendly => scene.friendly(orders),
            }
            orders.truncate(wanted.max(before + 1));
            orders[before..].iter_mut().for_each(|order| order.attack = Some(attack));
        }
    }
}

impl Scene<'_> {
    /// A number nobody has had.
    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn unseen(&self) -> bool {
        self.mix == Mix::Unseen
    }

    /// An address of a hosting company or, better disguised, of somebody's home.
    fn ip(&mut self) -> u32 {
        let block = if self.unseen() { 80 } else { 45 };
        (block << 24) | (self.fresh().wrapping_mul(2_654_435_761) >> 8)
    }

    /// A stranger with a stolen card: everything new, little of it matching.
    fn stranger(&mut self, second: i64) -> Order {
        let victim = self.people.somebody(self.calendar.day_of(second), self.dice);
        let mut order = ordinary(victim, second, self.calendar, self.dice);
        let dice = self.dice;
        order.email = self.fresh();
        order.customer = dice.per_mille(400).then_some(order.email);
        order.account_days = order.customer.map(|_| dice.below(3));
        order.domain = if dice.per_mille(350) {
            THROWN_AWAY + dice.below(3) as u8
        } else {
            dice.below(u32::from(THROWN_AWAY)) as u8
        };
        order.email_digits = dice.between(0, 6) as u8;
        order.card = self.fresh();
        order.issuer = dice.below(12) as u8;
        order.card_country = dice.one(&[0, 0, 0, 3, 5, 5]);
        order.wallet = false;
        order.ip = self.ip();
        order.ip_country = dice.one(&[0, 0, 5, 6, 7]);
        order.device = self.fresh();
        order.address = self.fresh();
        order.billing_country = order.card_country;
        order.billing_differs = dice.per_mille(800);
        order.session_seconds = 15 + dice.skewed(400);
        order.agent = false;
        if self.unseen() {
            // Prepared for weeks, in the card's own country, in no hurry.
            order.customer = Some(order.email);
            order.account_days = Some(dice.between(20, 60));
            order.domain = dice.below(u32::from(THROWN_AWAY)) as u8;
            (order.card_country, order.ip_country, order.billing_country) = (0, 0, 0);
            order.billing_differs = dice.per_mille(300);
            order.session_seconds = 60 + dice.skewed(1_500);
        }
        order
    }

    fn card_testing(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let attempts = dice.between(30, 260);
        let mut second = self.calendar.any_second(10, dice);
        let first = self.stranger(second);
        let single_ip = dice.per_mille(400);
        for _ in 0..attempts {
            let mut order = Order { second, ..first.clone() };
            (order.card, order.issuer) = (self.fresh(), dice.below(12) as u8);
            order.card_country = dice.one(&[0, 3, 5, 5]);
            order.cents = dice.between(100, 1_500);
            (order.lines, order.units) = (1, 1);
            order.failed = dice.per_mille(850);
            order.session_seconds = dice.between(2, 20);
            if !single_ip {
                order.ip = self.ip();
                order.ip_country = dice.one(&[0, 5, 6, 7]);
            }
            if self.unseen() {
                // A new cart, device and address each time, an ordinary amount, hours apart.
                order = Order { card: order.card, failed: order.failed, ..self.stranger(second) };
                second += i64::from(dice.between(600, 5_400));
            } else {
                second += i64::from(dice.between(2, 40));
            }
            orders.push(order);
        }
    }

    fn stolen_card(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let mut order = self.stranger(self.calendar.any_second(3, dice));
        for _ in 0..=dice.skewed(4) {
            let (cents, lines, units) = goods(dice.between(100, 300), dice);
            let times = if self.unseen() { 1 } else { dice.between(1, 4) };
            order.cents = cents * times;
            (order.lines, order.units) = (lines, units);
            order.gift_card = dice.per_mille(150);
            order.failed = dice.per_mille(300);
            order.cart = dice.below(u32::MAX);
            orders.push(order.clone());
            order.second += i64::from(dice.between(120, 40_000));
            if dice.per_mille(300) {
                order.card = self.fresh();
            }
        }
    }

    fn takeover(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let second = self.calendar.any_second(3, dice);
        let mut victim = self.people.somebody(self.calendar.day_of(second), dice);
        for _ in 0..50 {
            // Old accounts are worth taking.
            if victim.joined.is_some_and(|joined| joined < -100) {
                break;
            }
            victim = self.people.somebody(self.calendar.day_of(second), dice);
        }
        let mut order = ordinary(victim, second, self.calendar, dice);
        order.device = self.fresh();
        order.ip = self.ip();
        order.session_seconds = 20 + dice.skewed(250);
        let (cents, lines, units) = goods(dice.between(150, 350), dice);
        (order.cents, order.lines, order.units) = (cents, lines, units);
        if self.unseen() {
            // What needs no parcel.
            order.digital = true;
            order.gift_card = dice.per_mille(600);
        } else {
            order.ip_country = dice.one(&[0, 5, 6, 7]);
            order.address = self.fresh();
            order.billing_differs = true;
            order.gift_card = dice.per_mille(250);
        }
        for _ in 0..=dice.skewed(3) {
            orders.push(order.clone());
            order.second += i64::from(dice.between(60, 3_000));
            order.cart = dice.below(u32::MAX);
        }
    }

    fn reshipper(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let addresses: Vec<u32> = (0..dice.between(1, 4)).map(|_| self.fresh()).collect();
        let devices: Vec<u32> = (0..dice.between(1, 5)).map(|_| self.fresh()).collect();
        let mut second = self.calendar.any_second(21, dice);
        for _ in 0..dice.between(8, 40) {
            let mut order = self.stranger(second);
            order.address = dice.one(&addresses);
            if !self.unseen() {
                order.device = dice.one(&devices);
            }
            order.shipping_country = 0;
            let (cents, lines, units) = goods(dice.between(150, 400), dice);
            (order.cents, order.lines, order.units) = (cents, lines, units);
            order.failed = dice.per_mille(250);
            orders.push(order);
            second += i64::from(dice.between(1_800, 90_000));
        }
    }

    fn promotion(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let mut second = self.calendar.any_second(14, dice);
        let home = self.stranger(second);
        for _ in 0..dice.between(4, 20) {
            let mut order = self.stranger(second);
            (order.address, order.ip, order.ip_country) = (home.address, home.ip, 0);
            if !self.unseen() {
                order.device = home.device;
            }
            order.customer = Some(order.email);
            order.account_days = Some(0);
            order.card = if dice.per_mille(600) { home.card } else { order.card };
            (order.card_country, order.billing_country, order.shipping_country) = (0, 0, 0);
            order.billing_differs = false;
            order.discount = true;
            let (cents, lines, units) = goods(60, dice);
            (order.cents, order.lines, order.units) = (cents, lines, units);
            orders.push(order);
            second += i64::from(dice.between(600, 80_000));
        }
    }

    /// Nothing tells it from a good order but the dispute; some do it again.
    fn friendly(&mut self, orders: &mut Vec<Order>) {
        let dice = self.dice;
        let second = self.calendar.any_second(60, dice);
        let person = self.people.somebody(self.calendar.day_of(second), dice);
        let mut later = second;
        for _ in 0..=dice.skewed(4) {
            let mut order = ordinary(person, later, self.calendar, dice);
            order.digital = dice.per_mille(350);
            orders.push(order);
            later += i64::from(dice.between(86_400, 1_200_000));
        }
    }
}

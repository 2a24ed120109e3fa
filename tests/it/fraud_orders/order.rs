//! Orders written by hand, and a shop that has some past.

use doorbuster::{
    base::{Address, Buyer, CheckoutId, Email, Hints, Money, Timestamp},
    fraud::{
        assessment::Outcome,
        event::{Event, Label},
        features::{Engine, InProcess},
        guard::Guarded,
        model::Score,
        policy::Policy,
        serving::Serving,
        signals::{Discounts, Goods, Signals},
    },
};
use std::time::Duration;

/// When the order that is looked at comes in.
pub(super) const NOW: i64 = 1_760_000_000_000_000;

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// An order, and what became of its payment.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) signals: Signals,
    failed: bool,
    fraud: bool,
}

/// An order of somebody at home, as a storefront tells it that tells everything.
pub(super) fn by(name: &str) -> Order {
    let at = Timestamp::from_micros(NOW);
    let mut signals = Signals::unknown(CheckoutId::from_uuid(uuid::Uuid::nil()), at);
    signals.storefront = "shop".into();
    signals.goods = Goods { lines: 1, units: 1, ..Goods::default() };
    signals.person.hints = Some(Box::new(Hints {
        card_bin: Some("41111111".into()),
        wallet: Some(false),
        agent: Some(false),
        ..Hints::default()
    }));
    let order = Order { signals, failed: false, fraud: false };
    // Somewhere in the net, the same for the same name.
    let place = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let ip = format!("80.{}.{}.{}", place >> 8 & 255, place >> 16 & 255, place & 255);
    order
        .euros(45)
        .email(&format!("{name}@freemail.example"))
        .card(&format!("{name}'s card"))
        .device(&format!("{name}'s phone"))
        .ip(&ip, "DE")
        .card_from("DE")
        .bill(&format!("{name} street 1"), "DE")
        .ship(&format!("{name} street 1"), "DE")
        .account(name, 400)
        .seconds(300)
}

impl Order {
    fn hints(mut self, set: impl FnOnce(&mut Hints)) -> Self {
        set(self.signals.person.hints.get_or_insert_default());
        self
    }

    pub(super) fn euros(mut self, euros: i64) -> Self {
        self.signals.amount = Money::from_minor(euros * 100, "EUR".parse().expect("a currency"));
        self
    }

    pub(super) fn email(mut self, email: &str) -> Self {
        let email = Some(Email::parse(email).expect("an address"));
        self.signals.person.buyer = Some(Box::new(Buyer { email, ..Buyer::default() }));
        self
    }

    pub(super) fn card(self, card: &str) -> Self {
        self.hints(|hints| hints.card_fingerprint = Some(card.into()))
    }

    pub(super) fn bin(self, bin: &str) -> Self {
        self.hints(|hints| hints.card_bin = Some(bin.into()))
    }

    pub(super) fn card_from(self, country: &str) -> Self {
        self.hints(|hints| hints.card_country = Some(country.into()))
    }

    pub(super) fn device(self, device: &str) -> Self {
        self.hints(|hints| hints.device_id = Some(device.into()))
    }

    pub(super) fn ip(mut self, ip: &str, country: &str) -> Self {
        self.signals.person.ip = Some(ip.into());
        self.hints(|hints| hints.ip_country = Some(country.into()))
    }

    pub(super) fn bill(mut self, street: &str, country: &str) -> Self {
        self.signals.person.billing = Some(Box::new(address(street, country)));
        self
    }

    pub(super) fn ship(mut self, street: &str, country: &str) -> Self {
        self.signals.person.shipping = Some(Box::new(address(street, country)));
        self
    }

    pub(super) fn account(self, name: &str, days: u64) -> Self {
        let made = self.signals.at.minus(Duration::from_secs(days * DAY));
        self.hints(|hints| {
            hints.customer_id = Some(name.into());
            hints.account_created_at = Some(made);
        })
    }

    pub(super) fn guest(self) -> Self {
        self.hints(|hints| (hints.customer_id, hints.account_created_at) = (None, None))
    }

    pub(super) fn wallet(self) -> Self {
        self.hints(|hints| hints.wallet = Some(true))
    }

    pub(super) fn agent(self) -> Self {
        self.hints(|hints| hints.agent = Some(true)).seconds(4)
    }

    pub(super) fn seconds(mut self, seconds: u64) -> Self {
        let from = self.signals.at.minus(Duration::from_secs(seconds));
        self.signals.opened_at = Some(from);
        self.hints(|hints| hints.session_started_at = Some(from))
    }

    pub(super) fn units(mut self, units: u32) -> Self {
        self.signals.goods.units = units;
        self
    }

    pub(super) fn gift_card(mut self) -> Self {
        self.signals.goods.gift_card = true;
        self.digital()
    }

    pub(super) fn digital(mut self) -> Self {
        self.signals.goods.digital = true;
        self
    }

    pub(super) fn discount(mut self) -> Self {
        self.signals.discounts = Discounts { count: 1, codes: 1, tried: 1, minor: 500 };
        self
    }

    /// The same so many seconds before, in a cart of its own.
    pub(super) fn ago(mut self, seconds: u64) -> Self {
        let ago = Duration::from_secs(seconds);
        let signals = &mut self.signals;
        signals.at = signals.at.minus(ago);
        signals.cart = CheckoutId::from_uuid(uuid::Uuid::from_u128(u128::from(seconds) + 1));
        signals.opened_at = signals.opened_at.map(|at| at.minus(ago));
        self.hints(|hints| {
            for at in [&mut hints.account_created_at, &mut hints.session_started_at] {
                *at = at.map(|at| at.minus(ago));
            }
        })
    }

    /// In the same cart as the order that is looked at.
    pub(super) fn same_cart(mut self) -> Self {
        self.signals.cart = CheckoutId::from_uuid(uuid::Uuid::nil());
        self
    }

    pub(super) fn failed(self) -> Self {
        Self { failed: true, ..self }
    }

    pub(super) fn fraud(self) -> Self {
        Self { fraud: true, ..self }
    }

    /// What a storefront tells that asks for an e-mail address and nothing more.
    pub(super) fn mail_alone(mut self) -> Self {
        let person = &mut self.signals.person;
        (person.ip, person.billing, person.shipping, person.hints) = (None, None, None, None);
        self
    }

    /// … and for nothing.
    pub(super) fn basket_alone(self) -> Self {
        let mut order = self.mail_alone();
        order.signals.person.buyer = None;
        order
    }

    /// … and for everything but the card.
    pub(super) fn without_card(self) -> Self {
        self.hints(|hints| {
            (hints.card_fingerprint, hints.card_bin, hints.card_country) = (None, None, None);
        })
    }
}

fn address(street: &str, country: &str) -> Address {
    Address {
        street_address: Some(street.into()),
        address_country: Some(country.into()),
        ..Address::default()
    }
}

/// A shop with the bundled model live, the guard, and two months of good customers.
pub(super) struct Shop {
    pub(super) serving: Serving,
    guard: Guarded,
}

/// Good customers of the shop's past.
const CUSTOMERS: u64 = 60;

impl Shop {
    pub(super) fn open() -> Self {
        let serving = Serving::configured(None).expect("the bundled model");
        let guard = Guarded::of(&serving.layout);
        Self { serving, guard }
    }

    /// What the shop remembers after its two months and these orders.
    pub(super) fn after(&self, past: &[Order]) -> Engine {
        let usual = (0..CUSTOMERS).flat_map(|buyer| {
            let order = by(&format!("customer-{buyer}")).euros(20 + (buyer * 7 % 80) as i64);
            [40, 25, 9, 3].map(|days| order.clone().ago(days * DAY + buyer * 97))
        });
        let mut orders: Vec<Order> = usual.chain(past.iter().cloned()).collect();
        orders.sort_by_key(|order| order.signals.at);
        let mut engine = Engine::new(self.serving.layout.clone(), InProcess::new(100_000));
        for order in &orders {
            let event = Event { failed: order.failed, ..self.event(order) };
            let label = Label { fraud: order.fraud, known_at: None };
            engine.pass(&event, Some(label), &mut Vec::new());
        }
        engine.advance(Timestamp::from_micros(NOW));
        engine
    }

    pub(super) fn event(&self, order: &Order) -> Event {
        self.serving.reader().event(&order.signals)
    }

    pub(super) fn score(&self, engine: &Engine, order: &Order) -> Score {
        self.serving.score(&self.event(order), engine.memory()).score.expect("a score")
    }

    /// What guard and score make of an order after this past.
    pub(super) fn outcome(&self, past: &[Order], order: &Order) -> (Outcome, u16) {
        let engine = self.after(past);
        let points = self.score(&engine, order).points;
        let guard = self.guard.judge(&self.event(order), engine.memory(), false);
        let guard = guard.map_or(Outcome::Approve, |(outcome, _)| outcome);
        (guard.max(Policy::default().thresholds.by_score(points)), points)
    }
}

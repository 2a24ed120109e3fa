//! The built-in guard against card testing: many cards tried one after the other to see which are
//! good. It looks at what failed lately, for those who came here and for the shop as a whole.
//!
//! | seen within 10 minutes | then |
//! |---|---|
//! | one cart: [`CARDS_PER_CART`] cards, or [`FAILURES`] failures | decline |
//! | one card, IP address or device: [`FAILURES`] failures, and half of the attempts failed | decline |
//! | one part of the net: [`PREFIX_FAILURES`] failures, and most attempts failed | challenge |
//! | one issuer: [`BIN_FAILURES`] failures, and most attempts failed | challenge |
//! | in attack mode: any failure of this cart, IP address, device or part of the net | decline after [`WARY_FAILURES`], else challenge |
//!
//! A payment that is declined here counts as a failure, so whoever goes on stays out, and who stops
//! is welcome again after ten minutes. Limits are about failures and not about attempts: an office
//! that buys through one address in a sale is not held up.

use std::collections::VecDeque;

use super::{
    assessment::Outcome,
    event::Event,
    features::{Layout, Recall, Window, entity::Attempts},
};
use crate::base::Timestamp;

/// A buyer has two or three cards; four and a typing error are rare.
pub const CARDS_PER_CART: usize = 5;

/// A buyer gives up before this.
pub const FAILURES: u32 = 5;

/// A part of the net is a street or a company.
pub const PREFIX_FAILURES: u32 = 20;

/// Cards of one issuer fail together when its numbers are counted through.
pub const BIN_FAILURES: u32 = 20;

/// In attack mode: the second failure is one too many.
pub const WARY_FAILURES: u32 = 2;

/// The shop is under attack when so many payments failed within [`PULSE_MICROS`], …
pub const ATTACK_FAILURES: u32 = 15;

/// … and they are so large a share: one in four, where usually one in twenty fails.
pub const ATTACK_SHARE: u32 = 4;

/// How far back the shop's pulse goes: an attack is to be seen within a minute.
pub const PULSE_MICROS: i64 = 60 * 1_000_000;

/// Attack mode lasts this long after it was last seen.
pub const ATTACK_LASTS_MICROS: i64 = 10 * 60 * 1_000_000;

/// Where the kinds that the guard looks at stand in a layout; a schema may lack some.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guarded {
    cart: Option<usize>,
    card: Option<usize>,
    ip: Option<usize>,
    prefix: Option<usize>,
    device: Option<usize>,
    bin: Option<usize>,
}

impl Guarded {
    /// Finds them by the names of the bundled schema.
    pub fn of(layout: &Layout) -> Self {
        let find = |name: &str| layout.entities.iter().position(|kind| kind.name == name);
        Self {
            cart: find("cart"),
            card: find("card"),
            ip: find("ip"),
            prefix: find("ip_prefix"),
            device: find("device"),
            bin: find("bin"),
        }
    }

    /// Judges an attempt on what is remembered of those who take part. `attack`: the shop is under
    /// attack.
    pub fn judge(
        &self,
        event: &Event,
        memory: &impl Recall,
        attack: bool,
    ) -> Option<(Outcome, &'static str)> {
        let lately = |kind: Option<usize>| {
            let kind = kind?;
            let entity = memory.recall(kind, event.keys[kind]?)?;
            Some(entity.attempts(Window::TenMinutes, event.at))
        };
        let failed = |kind, least: u32, share: u32| {
            lately(kind).is_some_and(|seen: Attempts| {
                seen.failures >= least && seen.failures * share >= seen.count
            })
        };
        let any = |kind, least| failed(kind, least, u32::MAX / 1_000);
        let cards = self.cards_of_cart(event, memory);
        let decline = |why| Some((Outcome::Decline, why));
        let challenge = |why| Some((Outcome::Challenge, why));
        let near = [self.cart, self.ip, self.device, self.prefix];
        match () {
            () if cards >= CARDS_PER_CART => decline("cards_per_cart"),
            () if any(self.cart, FAILURES) => decline("failures_per_cart"),
            () if failed(self.card, FAILURES, 2) => decline("failures_per_card"),
            () if failed(self.ip, FAILURES, 2) => decline("failures_per_ip"),
            () if failed(self.device, FAILURES, 2) => decline("failures_per_device"),
            () if attack && near.iter().any(|kind| any(*kind, WARY_FAILURES)) => {
                decline("attack_mode")
            }
            () if failed(self.prefix, PREFIX_FAILURES, 2) => challenge("failures_per_prefix"),
            () if failed(self.bin, BIN_FAILURES, 2) => challenge("failures_per_issuer"),
            () if attack && near.iter().any(|kind| any(*kind, 1)) => challenge("attack_mode"),
            () => None,
        }
    }

    fn cards_of_cart(&self, event: &Event, memory: &impl Recall) -> usize {
        let count = || {
            let (cart, card) = (self.cart?, self.card?);
            let entity = memory.recall(cart, event.keys[cart]?)?;
            Some(entity.distinct(u8::try_from(card).ok()?, Window::TenMinutes, event.at))
        };
        count().unwrap_or(0)
    }
}

/// How payments go in this shop right now, as far as this process sees.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    /// By second: when it began, attempts, failures.
    seconds: VecDeque<(i64, u32, u32)>,
    attack_seen: Option<Timestamp>,
}

impl Pulse {
    /// A payment was attempted.
    pub fn attempted(&mut self, now: Timestamp) {
        self.second(now).1 += 1;
    }

    /// A payment came to nothing. Returns whether that turned attack mode on.
    pub fn failed(&mut self, now: Timestamp) -> bool {
        self.second(now).2 += 1;
        let (attempts, failures) = self
            .seconds
            .iter()
            .fold((0, 0), |(attempts, failures), s| (attempts + s.1, failures + s.2));
        if failures < ATTACK_FAILURES || failures * ATTACK_SHARE < attempts {
            return false;
        }
        let was_on = self.is_attack(now);
        self.attack_seen = Some(now);
        !was_on
    }

    /// Whether the shop is under attack.
    pub fn is_attack(&self, now: Timestamp) -> bool {
        self.attack_seen.is_some_and(|seen| now.micros() - seen.micros() <= ATTACK_LASTS_MICROS)
    }

    fn second(&mut self, now: Timestamp) -> &mut (i64, u32, u32) {
        let second = now.micros().div_euclid(1_000_000);
        let oldest = second - PULSE_MICROS / 1_000_000;
        while self.seconds.front().is_some_and(|(at, ..)| *at <= oldest) {
            self.seconds.pop_front();
        }
        // Two threads may see the clock in another order by a moment.
        if self.seconds.back().is_none_or(|(at, ..)| *at < second) {
            self.seconds.push_back((second, 0, 0));
        }
        self.seconds.back_mut().expect("one was pushed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CheckoutId, Hints};
    use crate::fraud::{
        columns::Reader,
        features::{Engine, InProcess},
        schema::Schema,
        signals::{Signals, tests::bare},
    };
    use std::sync::Arc;

    struct Street {
        engine: Engine,
        reader: Reader,
        guarded: Guarded,
        pulse: Pulse,
        reached: usize,
        refused: usize,
    }

    impl Street {
        fn new() -> Self {
            let schema = Schema::parse(include_str!("../../models/fraud/1/schema")).expect("reads");
            let layout = Arc::new(schema.layout(std::time::Duration::ZERO).expect("holds"));
            Self {
                guarded: Guarded::of(&layout),
                engine: Engine::new(layout, InProcess::new(1_000_000)),
                reader: Reader::of(&schema),
                pulse: Pulse::default(),
                reached: 0,
                refused: 0,
            }
        }

        /// Someone tries a card. Whoever is let through to the gateway fails if the card is bad.
        fn tries(&mut self, signals: &Signals, bad: bool) -> Option<Outcome> {
            let event = self.reader.event(signals);
            let attack = self.pulse.is_attack(event.at);
            let judged = self.guarded.judge(&event, self.engine.memory(), attack);
            self.engine.observe(&event);
            self.pulse.attempted(event.at);
            let declined = judged.is_some_and(|(outcome, _)| outcome == Outcome::Decline);
            match declined {
                true => self.refused += 1,
                false => self.reached += 1,
            }
            if declined || bad {
                self.engine.failed(&event);
                self.pulse.failed(event.at);
            }
            judged.map(|(outcome, _)| outcome)
        }
    }

    fn someone(number: u32, second: i64, ip: [u8; 4], card: u32) -> Signals {
        let mut signals = bare();
        signals.at = Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000);
        signals.cart = CheckoutId::from_uuid(uuid::Uuid::from_u128(u128::from(number) + 1));
        let [a, b, c, d] = ip;
        signals.person.ip = Some(format!("{a}.{b}.{c}.{d}"));
        let card = Some(format!("card{card}"));
        signals.person.hints = Some(Box::new(Hints { card_fingerprint: card, ..Hints::default() }));
        signals
    }

    /// 1,674 attempts an hour from one address, a new card and cart each time.
    #[test]
    fn a_card_tester_at_one_address_is_stopped_after_a_few() {
        let mut street = Street::new();
        for number in 0..1_674_u32 {
            let second = i64::from(number) * 3_600 / 1_674;
            street.tries(&someone(number, second, [192, 0, 2, 7], number), true);
        }
        assert!(street.reached <= 10, "{} reached the gateway", street.reached);
        assert_eq!(street.reached + street.refused, 1_674);
    }

    /// 5,000 attempts an hour from 500 addresses, among 6,000 buyers of whom one in twenty fails
    /// and tries again.
    #[test]
    fn an_attack_from_many_addresses_turns_attack_mode_on_and_spares_the_others() {
        let mut street = Street::new();
        let (mut seen_after, mut buyers, mut affected) = (None, 0, 0);
        let mut number = 0;
        for tick in 0..36_000_i64 {
            let second = tick / 10;
            if tick % 36 < 5 {
                number += 1;
                let at = number % 500;
                let ip = [198, 51, u8::try_from(at / 100).expect("few"), at as u8];
                street.tries(&someone(number, second, ip, number), true);
            }
            if tick % 6 == 0 {
                number += 1;
                let ip = [10, (number >> 12) as u8, (number >> 4) as u8, number as u8];
                let fails = number % 20 == 0;
                let judged = [
                    street.tries(&someone(number, second, ip, number), fails),
                    fails
                        .then(|| street.tries(&someone(number, second, ip, number), false))
                        .flatten(),
                ];
                buyers += 1;
                let stopped = |outcome: &Option<Outcome>| *outcome >= Some(Outcome::Decline);
                affected += u32::from(judged.iter().any(stopped));
            }
            if seen_after.is_none() && street.pulse.is_attack(someone(0, second, [0; 4], 0).at) {
                seen_after = Some(second);
            }
        }
        assert!(seen_after.is_some_and(|after| after <= 60), "seen after {seen_after:?} s");
        assert!(affected * 100 < buyers, "{affected} of {buyers} buyers were declined");
        assert!(street.refused > 2_500, "only {} of 5,000 were refused", street.refused);
    }

    #[test]
    fn attack_mode_ends_by_itself() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let mut pulse = Pulse::default();
        for second in 0..20 {
            pulse.attempted(at(second));
            let turned_on = pulse.failed(at(second));
            assert_eq!(turned_on, second == 14, "at {second} s");
        }
        assert!(pulse.is_attack(at(600)));
        assert!(!pulse.is_attack(at(700)));
    }

    #[test]
    fn many_good_buyers_behind_one_address_are_left_alone() {
        let mut street = Street::new();
        for number in 0..2_000_u32 {
            let fails = number % 20 == 0;
            let judged =
                street.tries(&someone(number, i64::from(number) / 4, [10, 0, 0, 1], number), fails);
            assert_eq!(judged, None, "buyer {number}");
        }
    }
}

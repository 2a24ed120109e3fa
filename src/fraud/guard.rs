//! The built-in guard against card testing: many cards tried one after the other to see which are
//! good. It looks at what failed lately, for those who came here and for the shop as a whole.
//!
//! | seen within 10 minutes | then |
//! |---|---|
//! | one cart: [`CARDS_PER_CART`] cards, or [`FAILURES`] failures | decline |
//! | one card, IP address or device: [`FAILURES`] failures, and half of the attempts failed | decline |
//! | one part of the net: [`PREFIX_FAILURES`] failures, and most attempts failed | challenge |
//! | one issuer: [`BIN_FAILURES`] failures, and most attempts failed | challenge |
//! | a [storefront](super::storefronts) under attack: whoever brings no good past | challenge, and decline beyond a share of those who pay |
//! | in attack mode: any failure of this cart, IP address, device or part of the net | decline after [`WARY_FAILURES`], else challenge |
//!
//! A payment that is declined here counts as a failure, so whoever goes on stays out, and who stops
//! is welcome again after ten minutes. Limits are about failures and not about attempts: an office
//! that buys through one address in a sale is not held up.

use std::collections::VecDeque;

use super::{
    assessment::Outcome,
    event::Event,
    features::{Aggregate, EntityKind, Feature, Layout, Recall, Window, entity::Attempts},
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

/// A past is one from this age on: a tester's cards and addresses are younger than the attack.
pub const PAST_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Where the kinds that the guard looks at stand in a layout; one that is not remembered for the
/// guard may lack some.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guarded {
    cart: Option<usize>,
    card: Option<usize>,
    ip: Option<usize>,
    prefix: Option<usize>,
    device: Option<usize>,
    bin: Option<usize>,
    email: Option<usize>,
}

/// The columns of the kinds that the guard looks at, one of each.
const COLUMNS: [&str; 7] = ["cart", "card", "ip", "ip_prefix", "device", "card_bin", "email"];

/// What has to be remembered where these features are served: what they are made of, and what the
/// guard looks at, whether the schema names it or not. Kinds that the guard alone looks at stand
/// behind the others. The features themselves stay as they are.
pub fn remembered_for(layout: &Layout) -> Layout {
    let mut remembered = layout.clone();
    for column in COLUMNS {
        let kind = place(&remembered, column).unwrap_or_else(|| {
            remembered.entities.push(EntityKind {
                // No schema has a name with a point.
                name: format!("guard.{column}"),
                says: format!("this {column}"),
                columns: vec![column.to_owned()],
            });
            remembered.entities.len() - 1
        });
        // Whoever is asked about failures is remembered, and so are failures.
        let failures = Aggregate::Failures(Window::TenMinutes);
        remembered.features.push(Feature::Of(kind, failures));
    }
    if let (Some(cart), Some(card)) = (place(&remembered, "cart"), place(&remembered, "card")) {
        let cards = Aggregate::Distinct(card, Window::TenMinutes);
        remembered.features.push(Feature::Of(cart, cards));
    }
    remembered
}

fn place(layout: &Layout, column: &str) -> Option<usize> {
    layout.entities.iter().position(|kind| kind.columns == [column])
}

impl Guarded {
    /// Finds them by the columns that they are made of.
    pub fn of(layout: &Layout) -> Self {
        let find = |column: &str| place(layout, column);
        Self {
            cart: find("cart"),
            card: find("card"),
            ip: find("ip"),
            prefix: find("ip_prefix"),
            device: find("device"),
            bin: find("card_bin"),
            email: find("email"),
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

    /// Whether the card, the device or the e-mail address has paid here before, a day ago or
    /// longer, and not mostly in vain.
    pub fn has_good_past(&self, event: &Event, memory: &impl Recall) -> bool {
        let is_good = |kind: Option<usize>| {
            let kind = kind?;
            let entity = memory.recall(kind, event.keys[kind]?)?;
            let first = entity.first_seen(event.at)?;
            let seen = entity.attempts(Window::Month, event.at);
            let is_old = event.at.micros() - first.micros() >= PAST_MICROS;
            Some(is_old && (seen.count == 0 || seen.failures.saturating_mul(2) < seen.count))
        };
        let known = [self.card, self.device, self.email];
        known.into_iter().any(|kind| is_good(kind).unwrap_or(false))
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
mod tests;

//! The relay: takes events as they were committed, keeps a delivery for each receiver that wants
//! them, and sends what is due until it is confirmed.

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};
use tracing::{Instrument, Span};

use super::{
    delivery::{Delivery, DeliveryState, NewDelivery, Outcome, UnsentEvent},
    endpoint::Endpoint,
    endpoints::{ENDPOINTS_MAX, Endpoints, EndpointsRefused},
    receiver::{Platform, Receiver},
    retry::{ATTEMPTS, Settlement, settle},
    sender::Sender,
    store::Deliveries,
    telling::Tells,
};
use crate::{
    base::{Chance, Clock, DeliveryId},
    ledger::LedgerFault,
    outbound::Target,
    telemetry::metrics::{self, Delivered},
};

/// Time between two looks for events: how late one is sent that nobody waits for.
const ROUND: Duration = Duration::from_secs(1);

/// Time between two looks for deliveries that may be forgotten: they are kept for days.
const SLOW_ROUND: Duration = Duration::from_secs(600);

/// Events taken at once: some hundred kilobytes of orders.
const EVENTS_AT_ONCE: u32 = 256;

/// Events forgotten at once when nobody wants to hear of any: a statement of some milliseconds.
const FORGOTTEN_AT_ONCE: u32 = 4096;

/// Deliveries under way to one receiver at once, each of another order.
const CALLS_AT_ONCE: u32 = 16;

/// Deliveries put off at once: a statement of some milliseconds.
const PUT_OFF_AT_ONCE: u32 = 1024;

/// What was found out about where a platform listens is believed for a minute at least; nothing
/// changes before.
const ADDRESS_KEPT: Duration = Duration::from_secs(60);

/// Platforms that are told at once; the others wait for one of them. Bounds the connections.
const PLATFORMS_AT_ONCE: usize = 64;

/// Platforms with something due that are looked at in one round: some that do not answer must not
/// hide the others.
const PLATFORMS_LOOKED_AT: u32 = 1024;

/// How long an address that answered 410 is not asked: long enough to mean it, and a platform that
/// comes back to the same address is found again.
const GONE_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Sends what happened to orders to those who want to hear of it.
pub struct Relay {
    /// The events, and what became of each.
    pub deliveries: Deliveries,
    /// Who hears of them.
    pub endpoints: Endpoints,
    /// Reaches receivers.
    pub sender: Sender,
    /// What an event looks like.
    pub tells: Arc<dyn Tells>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids, and spreads retries.
    pub chance: Arc<dyn Chance>,
    /// How long a retry waits, in percent of the usual.
    pub retry_wait_percent: u32,
    /// How long a delivery is kept once it has ended.
    pub keep: Duration,
}

/// What the log knows of everything that is done about a delivery.
fn span(delivery: &Delivery) -> Span {
    tracing::info_span!(
        parent: None,
        "deliver",
        delivery.id = %delivery.id,
        event.id = %delivery.event_id,
        order.id = %delivery.order_id,
    )
}

impl Relay {
    /// Relays until told to stop. Taking events and sending them go on side by side, and a slow
    /// endpoint delays nobody but itself.
    pub async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        tokio::join!(self.take_events(stop.clone()), self.send(stop.clone()), self.forget(stop));
    }

    async fn take_events(&self, mut stop: watch::Receiver<bool>) {
        let mut ticks = every(ROUND);
        loop {
            tokio::select! {
                _ = ticks.tick() => if let Err(fault) = self.hand_on().await {
                    tracing::warn!(%fault, "events wait for the ledger");
                },
                _ = stop.changed() => break,
            }
        }
    }

    /// Forgets old deliveries, beside the events: after a peak they are many.
    async fn forget(&self, mut stop: watch::Receiver<bool>) {
        let mut ticks = every(SLOW_ROUND);
        loop {
            tokio::select! {
                _ = ticks.tick() => if let Err(fault) = self.forget_old(&stop).await {
                    tracing::warn!(%fault, "old deliveries are kept for now");
                },
                _ = stop.changed() => break,
            }
        }
    }

    async fn send(&self, mut stop: watch::Receiver<bool>) {
        let mut busy: HashSet<String> = HashSet::new();
        let mut working = FuturesUnordered::new();
        let mut ticks = every(ROUND);
        loop {
            tokio::select! {
                _ = ticks.tick() => match self.receivers().await {
                    Ok(receivers) => for receiver in receivers {
                        if working.len() < ENDPOINTS_MAX + PLATFORMS_AT_ONCE
                            && busy.insert(receiver.key())
                        {
                            working.push(self.deliver(receiver));
                        }
                    },
                    Err(fault) => tracing::warn!(%fault, "deliveries wait for the ledger"),
                },
                Some((receiver, result)) = working.next(), if !working.is_empty() => {
                    busy.remove(&receiver);
                    if let Err(fault) = result {
                        tracing::warn!(%receiver, %fault, "deliveries wait for the ledger");
                    }
                }
                _ = stop.changed() => break,
            }
        }
    }

    /// Those who may have something due, endpoints first: there is always room for them.
    async fn receivers(&self) -> Result<Vec<Receiver>, LedgerFault> {
        let endpoints = self.endpoints.list().await?;
        let platforms =
            self.deliveries.platforms_due(PLATFORMS_LOOKED_AT, self.clock.now()).await?;
        let active = endpoints.into_iter().filter(|endpoint| endpoint.active);
        let platforms = platforms.iter().filter_map(|key| Platform::read(key));
        Ok(active.map(Receiver::Endpoint).chain(platforms.map(Receiver::Platform)).collect())
    }

    /// Keeps a delivery for each receiver that wants an event, until few events are left.
    async fn hand_on(&self) -> Result<(), LedgerFault> {
        loop {
            if self.endpoints.list().await?.is_empty() {
                while self.deliveries.pass_over(FORGOTTEN_AT_ONCE).await? > 0 {}
            }
            // Events first: an endpoint that stood when one was committed is seen by this look.
            let events = self.deliveries.unsent(EVENTS_AT_ONCE).await?;
            let endpoints = self.endpoints.list().await?;
            let kept = join_all(events.iter().map(|event| self.deliveries_of(event, &endpoints)));
            let kept: Vec<_> = kept.await.into_iter().collect::<Result<Vec<_>, _>>()?;
            let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
            let now = self.clock.now();
            if !numbers.is_empty() {
                self.deliveries.hand_on(&numbers, &kept.concat(), now).await?;
            }
            // What comes meanwhile waits for the next round, and is taken together.
            if events.len() < EVENTS_AT_ONCE as usize {
                return self.tell_backlog().await;
            }
        }
    }

    /// Forgets deliveries that ended long ago.
    async fn forget_old(&self, stop: &watch::Receiver<bool>) -> Result<(), LedgerFault> {
        let before = self.clock.now().minus(self.keep);
        while !*stop.borrow() && self.deliveries.purge(before, FORGOTTEN_AT_ONCE).await? > 0 {}
        Ok(())
    }

    async fn tell_backlog(&self) -> Result<(), LedgerFault> {
        let backlog = self.deliveries.backlog().await?;
        let now = self.clock.now();
        let waits = backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        metrics::webhook_backlog(backlog.due, backlog.parked, waits);
        Ok(())
    }

    /// One event, told to each who wants it in its form.
    async fn deliveries_of(
        &self,
        unsent: &UnsentEvent,
        endpoints: &[Endpoint],
    ) -> Result<Vec<NewDelivery>, LedgerFault> {
        let event = &unsent.event;
        let Some(order) = &unsent.order else { return Ok(Vec::new()) };
        let opened = self.tells.opened(order);
        let hear = endpoints.iter().filter(|one| one.hears(&event.kind, &opened)).cloned();
        let receivers = hear.map(Receiver::Endpoint);
        let platform = Platform::of(&opened.origin).map(Receiver::Platform);
        let mut deliveries = Vec::new();
        for receiver in receivers.chain(platform) {
            let told = self.tells.tell(receiver.form(), event, order).await?;
            deliveries.extend(told.map(|body| NewDelivery {
                id: DeliveryId::new(self.clock.now(), &*self.chance),
                event_id: event.id,
                seq: unsent.seq,
                order_id: event.order,
                receiver: receiver.key(),
                kind: event.kind.clone(),
                body,
                stamped_at: event.at,
                is_kept_only: receiver.is_off(),
            }));
        }
        Ok(deliveries)
    }

    /// Sends what is due to one receiver, until nothing is or it wants no more.
    async fn deliver(&self, receiver: Receiver) -> (String, Result<(), EndpointsRefused>) {
        (receiver.key(), self.deliver_due(&receiver).await)
    }

    async fn deliver_due(&self, receiver: &Receiver) -> Result<(), EndpointsRefused> {
        let key = receiver.key();
        loop {
            let target = match self.address(receiver).await? {
                Ok(target) => target,
                Err(outcome) => return Ok(self.put_off(&key, &outcome).await?),
            };
            let now = self.clock.now();
            let due = self.deliveries.claim(&key, CALLS_AT_ONCE, now).await?;
            if due.is_empty() {
                return Ok(());
            }
            let attempts = due.iter().map(|due| self.attempt(receiver, &target, due));
            let mut is_gone = false;
            for outcome in join_all(attempts).await {
                is_gone |= outcome? == Outcome::Answered(410);
            }
            if is_gone {
                return self.give_up(receiver, &target).await;
            }
        }
    }

    /// Counts an attempt for all that is due to a receiver without an address: however much that
    /// is, a peak does not pay for somebody who cannot be reached.
    async fn put_off(&self, receiver: &str, outcome: &Outcome) -> Result<(), LedgerFault> {
        let (Outcome::Failed(fault) | Outcome::Unwanted(fault)) = outcome else { return Ok(()) };
        let now = self.clock.now();
        let soonest = now.plus(ADDRESS_KEPT * self.retry_wait_percent / 100);
        let settle = |attempt| {
            let percent = self.retry_wait_percent;
            match settle(attempt, outcome, percent, now, &*self.chance) {
                Settlement::Again(at) => Settlement::Again(at.max(soonest)),
                ended @ Settlement::Ended(_) => ended,
            }
        };
        let plan: Vec<Settlement> = (1..=ATTEMPTS).map(settle).collect();
        loop {
            let put = self.deliveries.put_off((receiver, fault), &plan, PUT_OFF_AT_ONCE, now);
            let put = put.await?;
            put.iter().for_each(|state| metrics::delivered(counted(*state)));
            let parked = put.iter().filter(|state| **state == DeliveryState::Parked).count();
            if parked > 0 {
                tracing::error!(deliveries = parked, to = receiver, fault, "webhooks are given up");
            }
            if put.len() < PUT_OFF_AT_ONCE as usize {
                return Ok(());
            }
        }
    }

    /// Where a receiver listens; an address that is gone is not asked.
    async fn address(&self, receiver: &Receiver) -> Result<Result<Target, Outcome>, LedgerFault> {
        let address = self.sender.address(receiver).await;
        let (Receiver::Platform(_), Ok(target)) = (receiver, &address) else { return Ok(address) };
        let since = self.clock.now().minus(GONE_FOR);
        Ok(match self.deliveries.is_gone(target.as_str(), since).await? {
            true => Err(Outcome::Unwanted("it answered 410 Gone before".to_owned())),
            false => address,
        })
    }

    async fn attempt(
        &self,
        receiver: &Receiver,
        target: &Target,
        delivery: &Delivery,
    ) -> Result<Outcome, LedgerFault> {
        let sending = self.sender.send(receiver, target, delivery);
        let outcome = sending.instrument(span(delivery)).await;
        let now = self.clock.now();
        let percent = self.retry_wait_percent;
        let settlement = settle(delivery.attempts, &outcome, percent, now, &*self.chance);
        metrics::delivered(match settlement {
            Settlement::Again(_) => Delivered::Failed,
            Settlement::Ended(state) => counted(state),
        });
        if settlement == Settlement::Ended(DeliveryState::Parked) {
            let (id, order, to) = (delivery.id, delivery.order_id, &delivery.receiver);
            tracing::error!(delivery.id = %id, order.id = %order, to, "a webhook is given up");
        }
        self.deliveries.settle(delivery, &outcome, settlement, now).await?;
        Ok(outcome)
    }

    /// Notes that a receiver wants no more.
    async fn give_up(&self, receiver: &Receiver, target: &Target) -> Result<(), EndpointsRefused> {
        match receiver {
            Receiver::Endpoint(endpoint) => {
                let mut after = endpoint.clone();
                after.active = false;
                after.disabled = Some("it answered 410 Gone".to_owned());
                self.endpoints.change(endpoint, &after).await
            }
            Receiver::Platform(platform) => {
                let now = self.clock.now();
                let times = (now.minus(GONE_FOR), now);
                Ok(self.deliveries.gone(&platform.key(), target.as_str(), times).await?)
            }
        }
    }
}

/// What an attempt counts as that left its delivery so.
const fn counted(state: DeliveryState) -> Delivered {
    match state {
        DeliveryState::Due => Delivered::Failed,
        DeliveryState::Delivered => Delivered::Confirmed,
        DeliveryState::Disabled => Delivered::Gone,
        DeliveryState::Parked => Delivered::Parked,
    }
}

/// Ticks at once and then in this time; a late one delays those after it.
fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

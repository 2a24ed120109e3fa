//! The relay: takes events as they were committed, keeps a delivery for each endpoint that wants
//! them, and sends what is due until it is confirmed.

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    delivery::{Delivery, DeliveryState, NewDelivery, Outcome, UnsentEvent},
    endpoint::Endpoint,
    endpoints::{Endpoints, EndpointsRefused},
    retry::{Settlement, settle},
    signature::signature,
    store::Deliveries,
};
use crate::{
    base::{Chance, Clock, DeliveryId, EndpointId},
    ledger::{LedgerFault, Store, entry::NewEvent, row::OrderRow},
    outbound::GuardedClient,
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

/// Deliveries under way to one endpoint at once, each of another order.
const CALLS_AT_ONCE: u32 = 16;

/// How long an endpoint may take to answer: it confirms, and works afterwards.
const DEADLINE: Duration = Duration::from_secs(10);

/// What an event looks like to an endpoint. Handed down by `app`: it shows orders as `http` does.
pub type Rendered = Arc<dyn Fn(&NewEvent, OrderRow) -> String + Send + Sync>;

/// Sends what happened to orders to those who want to hear of it.
pub struct Relay {
    /// The events, and what became of each.
    pub deliveries: Deliveries,
    /// Who hears of them.
    pub endpoints: Endpoints,
    /// The ledger, for the orders.
    pub store: Arc<dyn Store>,
    /// Reaches endpoints, and nothing private.
    pub client: GuardedClient,
    /// What an event looks like.
    pub render: Rendered,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids, and spreads retries.
    pub chance: Arc<dyn Chance>,
    /// How long a retry waits, in percent of the usual.
    pub retry_wait_percent: u32,
    /// How long a delivery is kept once it has ended.
    pub keep: Duration,
}

impl Relay {
    /// Relays until told to stop. Taking events and sending them go on side by side, and a slow
    /// endpoint delays nobody but itself.
    pub async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        tokio::join!(self.take_events(stop.clone()), self.send(stop));
    }

    async fn take_events(&self, mut stop: watch::Receiver<bool>) {
        let (mut ticks, mut slow_ticks) = (every(ROUND), every(SLOW_ROUND));
        loop {
            tokio::select! {
                _ = ticks.tick() => if let Err(fault) = self.hand_on().await {
                    tracing::warn!(%fault, "events wait for the ledger");
                },
                _ = slow_ticks.tick() => if let Err(fault) = self.forget_old().await {
                    tracing::warn!(%fault, "old deliveries are kept for now");
                },
                _ = stop.changed() => break,
            }
        }
    }

    async fn send(&self, mut stop: watch::Receiver<bool>) {
        let mut busy: HashSet<EndpointId> = HashSet::new();
        let mut working = FuturesUnordered::new();
        let mut ticks = every(ROUND);
        loop {
            tokio::select! {
                _ = ticks.tick() => match self.endpoints.list().await {
                    Ok(endpoints) => for endpoint in endpoints {
                        if endpoint.active && busy.insert(endpoint.id) {
                            working.push(self.deliver(endpoint));
                        }
                    },
                    Err(fault) => tracing::warn!(%fault, "deliveries wait for the ledger"),
                },
                Some((endpoint, result)) = working.next(), if !working.is_empty() => {
                    busy.remove(&endpoint);
                    if let Err(fault) = result {
                        tracing::warn!(%endpoint, %fault, "deliveries wait for the ledger");
                    }
                }
                _ = stop.changed() => break,
            }
        }
    }

    /// Keeps a delivery for each endpoint that wants an event, until no event is left.
    async fn hand_on(&self) -> Result<(), LedgerFault> {
        if self.endpoints.list().await?.is_empty() {
            while self.deliveries.pass_over(FORGOTTEN_AT_ONCE).await? > 0 {}
            return Ok(());
        }
        loop {
            // Events first: an endpoint that stood when one was committed is seen by this look.
            let events = self.deliveries.unsent(EVENTS_AT_ONCE).await?;
            let endpoints = self.endpoints.list().await?;
            if events.is_empty() || endpoints.is_empty() {
                return self.tell_backlog().await;
            }
            let kept = join_all(events.iter().map(|event| self.deliveries_of(event, &endpoints)));
            let kept: Vec<_> = kept.await.into_iter().collect::<Result<Vec<_>, _>>()?;
            let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
            let now = self.clock.now();
            self.deliveries.hand_on(&numbers, &kept.concat(), now).await?;
        }
    }

    /// Forgets deliveries that ended long ago.
    async fn forget_old(&self) -> Result<(), LedgerFault> {
        let before = self.clock.now().minus(self.keep);
        while self.deliveries.purge(before, FORGOTTEN_AT_ONCE).await? > 0 {}
        Ok(())
    }

    async fn tell_backlog(&self) -> Result<(), LedgerFault> {
        let backlog = self.deliveries.backlog().await?;
        let now = self.clock.now();
        let waits = backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        metrics::webhook_backlog(backlog.due, backlog.parked, waits);
        Ok(())
    }

    async fn deliveries_of(
        &self,
        unsent: &UnsentEvent,
        endpoints: &[Endpoint],
    ) -> Result<Vec<NewDelivery>, LedgerFault> {
        let event = &unsent.event;
        let hear: Vec<_> = endpoints.iter().filter(|one| one.hears(&event.kind)).collect();
        if hear.is_empty() {
            return Ok(Vec::new());
        }
        let Some(order) = self.store.find_order(event.order).await? else { return Ok(Vec::new()) };
        let body = (self.render)(event, order);
        let delivery = |endpoint: &Endpoint| NewDelivery {
            id: DeliveryId::new(self.clock.now(), &*self.chance),
            event_id: event.id,
            seq: unsent.seq,
            order_id: event.order,
            receiver: endpoint.id.to_string(),
            kind: event.kind.clone(),
            body: body.clone(),
            stamped_at: event.at,
        };
        Ok(hear.into_iter().map(delivery).collect())
    }

    /// Sends what is due to one endpoint, until nothing is or it wants no more.
    async fn deliver(&self, endpoint: Endpoint) -> (EndpointId, Result<(), EndpointsRefused>) {
        (endpoint.id, self.deliver_due(&endpoint).await)
    }

    async fn deliver_due(&self, endpoint: &Endpoint) -> Result<(), EndpointsRefused> {
        let receiver = endpoint.id.to_string();
        loop {
            let now = self.clock.now();
            let due = self.deliveries.claim(&receiver, CALLS_AT_ONCE, now).await?;
            if due.is_empty() {
                return Ok(());
            }
            let sent = join_all(due.iter().map(|delivery| self.attempt(endpoint, delivery))).await;
            let mut wants_no_more = false;
            for ended in sent {
                wants_no_more |= ended? == Settlement::Ended(DeliveryState::Disabled);
            }
            if wants_no_more {
                let mut after = endpoint.clone();
                after.active = false;
                after.disabled = Some("it answered 410 Gone".to_owned());
                return self.endpoints.change(endpoint, &after).await;
            }
        }
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
    ) -> Result<Settlement, LedgerFault> {
        let outcome = self.call(endpoint, delivery).await;
        let now = self.clock.now();
        let percent = self.retry_wait_percent;
        let settlement = settle(delivery.attempts, &outcome, percent, now, &*self.chance);
        metrics::delivered(match settlement {
            Settlement::Again(_) => Delivered::Failed,
            Settlement::Ended(DeliveryState::Delivered) => Delivered::Confirmed,
            Settlement::Ended(DeliveryState::Disabled) => Delivered::Gone,
            Settlement::Ended(_) => Delivered::Parked,
        });
        if settlement == Settlement::Ended(DeliveryState::Parked) {
            let (id, order) = (delivery.id, delivery.order_id);
            tracing::error!(delivery = %id, %order, to = %endpoint.id, "a webhook is given up");
        }
        self.deliveries.settle(delivery, &outcome, settlement, now).await?;
        Ok(settlement)
    }

    async fn call(&self, endpoint: &Endpoint, delivery: &Delivery) -> Outcome {
        let target = match self.client.target(&endpoint.url) {
            Ok(target) => target,
            Err(refused) => return Outcome::Failed(refused.to_string()),
        };
        let now = self.clock.now();
        let (id, timestamp) = (delivery.event_id.to_string(), now.micros().div_euclid(1_000_000));
        let body = delivery.body.as_bytes();
        let signed = signature(endpoint.secrets(now), &id, timestamp, body);
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", &*id),
            ("webhook-timestamp", &*timestamp),
            ("webhook-signature", &*signed),
            ("user-agent", "Doorbuster"),
        ];
        match self.client.post(&target, &headers, body.to_vec(), DEADLINE).await {
            Ok(answer) => Outcome::Answered(answer.status),
            Err(fault) => Outcome::Failed(fault.to_string()),
        }
    }
}

/// Ticks at once and then in this time; a late one delays those after it.
fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

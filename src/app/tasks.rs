//! The tasks of a running service, in the order in which they end.

use actix_web::web::Data;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};

use super::{
    hot,
    judging::Learning,
    parts::Ground,
    timekeeper::{COMPARE, Timekeeper},
};
use crate::{
    base::Clock,
    cart::Keeper,
    checkout::Checkout,
    config::Config,
    fraud::{
        Bench,
        drift::{ACT, DriftReader, WATCH},
        learning::Learner,
        rules::Rules,
        tend::Tender,
    },
    http::{Door, Telling},
    ledger::{LedgerFault, writer::QUEUE_BOUND},
    outbox::{Relay, Sender},
    pricing::Tariffs,
    signing::SigningKeys,
    stock::Holder,
    telemetry::{
        Readings,
        metrics::{self, ActorKind, DriftBar, Exporter, PoolState},
        saturation,
    },
};

/// Time between two rounds of the keeper, and between two looks for lapsed holds: how late one is
/// back on sale.
pub(super) const ROUND: Duration = Duration::from_secs(1);

/// Time between two slow rounds.
const SLOW_ROUND: Duration = Duration::from_secs(60);

/// Time between two looks for idle actors.
const RETIRE: Duration = Duration::from_secs(30);

/// Time between two heartbeats. A holder may miss three before it is fenced; who fences is late by
/// one at most.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Time between two looks for rules, models and tariffs that were changed elsewhere: how late a
/// change is here.
const RULES: Duration = Duration::from_secs(1);

/// Time between two looks for signing keys: a key is published for minutes before it signs.
const SIGNING_KEYS: Duration = Duration::from_secs(60);

/// Time between two looks for labels: their delay is days.
const LABELS: Duration = Duration::from_secs(10);

/// Time between two looks for judgements that others may be linked to: a reviewer who opens a case
/// sees what was bought some seconds before.
const LINKS: Duration = Duration::from_secs(2);

/// Time between two looks at the memory in Redis: how late a replica believes a new one.
const MEMORY: Duration = Duration::from_secs(1);

/// Time between two readings of the gauges.
const GAUGES: Duration = Duration::from_secs(1);

/// Time between two readings of the drift: a few thousand divisions, and nothing in a hurry.
const DRIFT: Duration = Duration::from_secs(60);

/// Starts a task on this thread's runtime.
#[expect(clippy::disallowed_methods, reason = "tasks are started here, and stopped here")]
pub(super) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(task)
}

/// What runs beside the requests.
pub(super) struct Tasks {
    stop: watch::Sender<bool>,
    rounds: Vec<JoinHandle<()>>,
    last: Vec<JoinHandle<()>>,
    timekeeper: Option<Arc<Timekeeper>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            stop: watch::channel(false).0,
            rounds: Vec::new(),
            last: Vec::new(),
            timekeeper: None,
        }
    }
}

impl Tasks {
    /// Turns `true` when the service stops.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// A task that ends by itself when nobody needs it any more.
    pub(super) fn last(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.last.push(spawn(task));
    }

    /// A server that answers until the service has stopped.
    pub(super) fn beside(&mut self, server: actix_web::dev::Server) {
        let handle = server.handle();
        let mut stop = self.stop.subscribe();
        self.rounds.push(spawn(async move {
            let serving = spawn(server);
            let _gone = stop.changed().await;
            handle.stop(false).await;
            let _served = serving.await;
        }));
    }

    /// Repeats something until the service stops. A round that takes long delays the next.
    pub(super) fn every<F>(
        &mut self,
        period: Duration,
        mut round: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let mut stop = self.stop.subscribe();
        self.rounds.push(spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => round().await,
                    _ = stop.changed() => break,
                }
            }
        }));
    }

    /// The keeper's rounds, and sleep for actors nobody needs.
    pub(super) fn rounds(&mut self, keeper: &Arc<Keeper>, config: &Config) {
        let quick = keeper.clone();
        self.every(ROUND, move || {
            let keeper = quick.clone();
            async move { log(keeper.round().await.err()) }
        });
        // Units wait for nobody's gateway, and money for no purge: each goes round on its own.
        let holds = keeper.clone();
        self.every(ROUND, move || {
            let keeper = holds.clone();
            async move { log(keeper.free_lapsed_holds().await.err()) }
        });
        let slow = keeper.clone();
        self.every(SLOW_ROUND, move || {
            let keeper = slow.clone();
            async move { log(keeper.slow_round().await.err()) }
        });
        let old = keeper.clone();
        self.every(SLOW_ROUND, move || {
            let keeper = old.clone();
            async move { log(keeper.purge().await.err()) }
        });
        let idle = Duration::from_secs(config.stock.passivate_after_seconds);
        let keeper = keeper.clone();
        self.every(RETIRE, move || {
            let keeper = keeper.clone();
            async move {
                keeper.carts.retire_idle(idle).await;
                keeper.desk.stock.retire_idle(idle).await;
            }
        });
    }

    /// Says that this process lives, fences those that have stopped saying so, and keeps time.
    pub(super) fn heartbeat(&mut self, holder: &Arc<Holder>, desk: &Arc<Checkout>) {
        let (holder, desk) = (holder.clone(), desk.clone());
        let hot_was_up = Arc::new(AtomicBool::new(true));
        if let Some(keeper) = self.timekeeper.clone() {
            self.every(COMPARE, move || {
                let keeper = keeper.clone();
                async move { log(keeper.compare().await.err()) }
            });
        }
        self.every(HEARTBEAT, move || {
            let (holder, desk, hot_was_up) = (holder.clone(), desk.clone(), hot_was_up.clone());
            async move {
                // First, so that a silent Redis never makes this process look dead.
                log(holder.beat(&desk.stock).await.err());
                hot::look(desk.hot.as_deref(), &hot_was_up).await;
            }
        });
    }

    /// Keeps the clock right, where it is one that can be steered.
    pub(super) fn keep_time(&mut self, ground: &Ground) {
        self.timekeeper = Timekeeper::of(ground).map(Arc::new);
    }

    /// Tells endpoints what happens to orders.
    pub(super) fn relay(&mut self, desk: &Arc<Checkout>, door: &Door, config: &Config) {
        let webhooks = door.webhooks.clone();
        self.signing_keys(&door.trust.keys, &desk.clock);
        let sender = Sender {
            client: webhooks.client,
            platforms: door.trust.platforms.clone(),
            keys: door.trust.keys.clone(),
            profile: format!("{}/.well-known/ucp", door.site().base_url).into(),
            clock: desk.clock.clone(),
        };
        let relay = Relay {
            deliveries: webhooks.deliveries,
            endpoints: webhooks.endpoints,
            sender,
            tells: Arc::new(Telling { answers: door.answers.clone(), cases: door.cases.clone() }),
            clock: desk.clock.clone(),
            chance: desk.chance.clone(),
            retry_wait_percent: config.webhooks.retry_wait_percent,
            keep: Duration::from_secs(u64::from(config.retention.events_days) * 24 * 60 * 60),
        };
        self.rounds.push(spawn(Arc::new(relay).run(self.stop.subscribe())));
    }

    /// Follows the shop's signing keys: one that was made elsewhere is published here soon.
    fn signing_keys(&mut self, keys: &Arc<SigningKeys>, clock: &Arc<dyn Clock>) {
        let (keys, clock) = (keys.clone(), clock.clone());
        self.every(SIGNING_KEYS, move || {
            let (keys, now) = (keys.clone(), clock.now());
            async move { log(keys.follow(now).await.err()) }
        });
    }

    /// Follows the rulebook and the tariff: what was changed at another replica is in force here
    /// soon.
    pub(super) fn settings(&mut self, rules: &Arc<Rules>, tariffs: &Arc<Tariffs>) {
        let (rules, tariffs) = (rules.clone(), tariffs.clone());
        self.every(RULES, move || {
            let (rules, tariffs) = (rules.clone(), tariffs.clone());
            async move {
                log(rules.refresh_if_changed().await.err());
                log(tariffs.follow().await.err());
            }
        });
    }

    /// Counts and tells how far orders have drifted from those the model was trained on.
    fn drift(&mut self, bench: &Arc<Bench>, clock: &Arc<dyn Clock>) {
        let reader = Arc::new(DriftReader::new(bench.clone(), clock.clone()));
        let bench = bench.clone();
        self.every(DRIFT, move || {
            let (reader, bench) = (reader.clone(), bench.clone());
            async move {
                let more = reader.round().await;
                if let Err(fault) = more {
                    tracing::warn!(%fault, "the drift is counted later: {fault}");
                }
                let reading = bench.drift();
                if let Some(reading) = &reading
                    && let Some(psi) = reading.score_psi
                {
                    metrics::fraud_score_psi(psi);
                    metrics::fraud_features_drifted(DriftBar::Watch, reading.above(WATCH));
                    metrics::fraud_features_drifted(DriftBar::Act, reading.above(ACT));
                }
            }
        });
    }

    /// Follows the registry of models, where what was promoted at another replica scores here soon,
    /// and labels.
    pub(super) fn learning(&mut self, learning: &Learning) {
        self.labels(&learning.learner);
        self.links(learning);
        self.memory(&learning.tender);
        let follower = learning.follower.clone();
        self.every(RULES, move || {
            let follower = follower.clone();
            async move { log(follower.follow().await.err()) }
        });
    }

    /// Hands labels that are due to velocity.
    fn labels(&mut self, learner: &Arc<Learner>) {
        let learner = learner.clone();
        self.every(LABELS, move || {
            let learner = learner.clone();
            async move {
                if let Err(fault) = learner.round().await {
                    tracing::warn!(%fault, "what labels teach is learned later: {fault}");
                }
            }
        });
    }

    /// Notes what orders share, so that they are found from each other, and what judgements are
    /// asked by.
    fn links(&mut self, learning: &Learning) {
        let Learning { links, search, cases, clock, .. } = learning;
        let all = (links.clone(), search.clone(), cases.clone());
        let clock = clock.clone();
        self.every(LINKS, move || {
            let ((links, search, cases), now) = (all.clone(), clock.now());
            async move {
                log(links.round(now).await.err());
                log(search.round(now).await.err());
                log(cases.tell_open(now).await.err());
            }
        });
    }

    /// Tends what is remembered.
    fn memory(&mut self, tender: &Arc<Tender>) {
        let tender = tender.clone();
        self.every(MEMORY, move || {
            let tender = tender.clone();
            async move {
                if let Err(fault) = tender.round().await {
                    tracing::warn!(%fault, "what is remembered is looked at later: {fault}");
                }
            }
        });
    }

    /// Keeps the gauges true.
    pub(super) fn gauges(&mut self, exporter: Exporter, keeper: &Arc<Keeper>, door: &Data<Door>) {
        self.drift(keeper.desk.fraud.bench(), &keeper.desk.clock);
        let (keeper, working) = (keeper.clone(), door.working.clone());
        let in_flight_limit = door.limits.in_flight as u64;
        self.every(GAUGES, move || {
            let writer = &keeper.desk.writer;
            let readings = Readings {
                in_flight: working.inside() as u64,
                in_flight_limit,
                queue_depth: writer.depth() as u64,
                queue_bound: QUEUE_BOUND as u64,
                commit_share: writer.take_busy_share(),
            };
            metrics::admission_in_flight(working.inside());
            metrics::ledger_queue_depth(writer.depth());
            let pool = keeper.desk.store.pool();
            metrics::ledger_pool(PoolState::Busy, pool.busy);
            metrics::ledger_pool(PoolState::Idle, pool.idle);
            metrics::mailbox_depth(ActorKind::Cart, keeper.carts.waiting());
            let fraud = &keeper.desk.fraud;
            metrics::mailbox_depth(ActorKind::Fraud, fraud.waiting());
            metrics::live_actors(ActorKind::Fraud, fraud.live_count());
            metrics::attack_mode(fraud.bench().is_attack());
            metrics::live_actors(ActorKind::Cart, keeper.carts.live_count());
            metrics::live_actors(ActorKind::Sku, keeper.desk.stock.live_count());
            metrics::saturation(saturation(readings));
            exporter.upkeep();
            std::future::ready(())
        });
    }

    /// Ends the rounds; one under way is finished.
    pub(super) async fn end_rounds(&mut self) {
        self.stop.send_replace(true);
        for round in self.rounds.drain(..) {
            let _panicked = round.await;
        }
    }

    /// Waits for the tasks that end by themselves, this long at most.
    pub(super) async fn finish(self, at_most: Duration) {
        for task in self.last {
            if tokio::time::timeout(at_most, task).await.is_err() {
                tracing::warn!(
                    "a task did not end in time; what it left is found by the next start"
                );
            }
        }
    }
}

pub(super) fn log(fault: Option<LedgerFault>) {
    if let Some(fault) = fault {
        tracing::warn!(%fault, "a round was cut short; the next one tries again");
    }
}

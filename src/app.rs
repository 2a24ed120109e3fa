//! The composition root: this file and those below it alone name every concrete type.
//!
//! Start goes up the import order, from the ledger to the door; shutdown goes down it: no new work,
//! the work at hand finished, grants given back, the ledger closed.

mod browsers;
pub(crate) mod gateways;
mod hot;
mod judging;
mod parts;
mod rounds;
mod tasks;
mod timekeeper;

use actix::{Arbiter, ArbiterHandle};
use actix_web::{
    dev::ServerHandle,
    web::{Data, ServiceConfig},
};
use anyhow::Context;
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;

use crate::{
    base::{Chance, Clock},
    cart::{Carts, Keeper, Notifications},
    checkout::{Checkout, Probe, Terms},
    config::{Config, Mode, UcpVersion},
    customers::Addresses,
    fraud::{cases::Cases, rules::Rules, velocity::VelocityLimits},
    http::{
        Answers, Door, Draining, Site, server,
        ucp01::{self, simulation::SimulationSecret},
    },
    ledger::{Commit, Database, Store},
    payment::{Gateways, inbox::Inbox},
    reconcile::{Reconciler, Records},
    sessions::RedisLimits,
    stock::Holder,
    telemetry::metrics,
};
pub use judging::Learning;
use judging::open_learning;
use parts::{
    Ground, open_access, open_database, open_desk, open_door, open_keeper, open_shop, open_trust,
    open_webhooks, public_url, threads,
};
use tasks::Tasks;

/// Puts something between the writer and the ledger.
pub type Between = Box<dyn FnOnce(Arc<dyn Store>) -> Arc<dyn Commit>>;

/// What a test may replace. In production everything comes from the configuration.
#[derive(Default)]
pub struct Replaced {
    /// Tells the time.
    pub clock: Option<Arc<dyn Clock>>,
    /// Makes ids.
    pub chance: Option<Arc<dyn Chance>>,
    /// Takes the money.
    pub gateways: Option<Gateways>,
    /// Hears of crash points.
    pub probe: Option<Arc<dyn Probe>>,
    /// How long payments wait for what Redis remembers.
    pub velocity: Option<VelocityLimits>,
    /// How long checkouts wait for hot copies in Redis.
    pub sessions: Option<RedisLimits>,
    /// Stands between the writer and the ledger.
    pub commits: Option<Between>,
    /// Changes the terms of the checkout.
    pub terms: Option<fn(Terms) -> Terms>,
    /// Leaves the keeper's rounds to the test.
    pub no_rounds: bool,
}

/// What is mounted beside the routes that every shop has.
fn more(
    config: &Config,
    exporter: &metrics::Exporter,
) -> impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static {
    let figures = server::beside(exporter, config.mode == Mode::Dev);
    let simulation = config.ucp.simulation_secret.as_ref();
    let ucp01 = ucp01::root::Beside {
        at_root: config.ucp.default == UcpVersion::V20260111,
        simulation: simulation.map(|secret| SimulationSecret::of(secret.expose())),
    };
    move |config: &mut ServiceConfig| {
        ucp01.mount(config);
        config.configure(figures);
    }
}

/// Those who look into what gateways tell, and into what they list.
fn followers(
    door: &Door,
    carts: &Arc<Carts>,
    desk: &Arc<Checkout>,
    database: Database,
) -> (Arc<Notifications>, Arc<Reconciler>) {
    let reconciler = Reconciler {
        store: desk.store.clone(),
        records: Records::new(database),
        gateways: desk.gateways.clone(),
        clock: desk.clock.clone(),
    };
    (Arc::new(Notifications::of(&door.inbox, carts, desk)), Arc::new(reconciler))
}

/// A running service.
pub struct App {
    /// Where the API listens.
    pub address: SocketAddr,
    /// The checkout and everything below it.
    pub desk: Arc<Checkout>,
    /// The live carts.
    pub carts: Arc<Carts>,
    /// Makes the rounds.
    pub keeper: Arc<Keeper>,
    /// Looks into what gateways tell.
    pub notifications: Arc<Notifications>,
    /// Compares gateways' own lists with the ledger.
    pub reconciler: Arc<Reconciler>,
    /// Those who learn while the service runs.
    pub learning: Learning,
    holder: Arc<Holder>,
    draining: Arc<Draining>,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    tasks: Tasks,
    arbiters: Vec<Arbiter>,
}

impl App {
    /// Builds and starts the service. Must run inside an actix system.
    ///
    /// # Errors
    /// When something it needs is not there; the message says what to do.
    pub async fn start(config: &Config, replaced: Replaced) -> anyhow::Result<Self> {
        let exporter = metrics::install()?;
        let arbiters: Vec<Arbiter> = (0..threads(config)).map(|_| Arbiter::new()).collect();
        let handles: Vec<ArbiterHandle> = arbiters.iter().map(Arbiter::handle).collect();
        let (listener, address) = listen(config)?;
        let (with_rounds, velocity) = (!replaced.no_rounds, replaced.velocity.unwrap_or_default());

        let mut tasks = Tasks::default();
        let database = open_database(config).await?;
        let answers = open_answers(config, address, &database).await?;
        let ground = Ground::lay(config, replaced, &database).await?;
        tasks.keep_time(&ground);
        let (holder, test_clock) = (ground.register(config).await?, ground.test_clock.clone());
        let rules = Arc::new(Rules::load(database.clone(), ground.clock.clone()).await?);
        let desk = open_desk(
            config,
            ground,
            &database,
            &answers,
            (&holder, &handles),
            &rules,
            &mut tasks,
        )?;
        open_shop(config, &desk).await?;
        let carts = Arc::new(Carts::new(desk.clone(), handles));
        let cases = Cases::new(database.clone());
        let keeper = Arc::new(open_keeper(config, &desk, &carts, &cases, tasks.stopping()));

        let learning = open_learning(config, velocity, &database, (&desk, &cases)).await?;
        let access = open_access(config, &database, &desk.clock, address).await?;
        let trust = open_trust(config, &database, &desk.clock).await?;
        let (addresses, inbox) = (Addresses::new(database.clone()), Inbox::new(database.clone()));
        let door = Data::new(open_door(
            config,
            &desk,
            (open_webhooks(config, &database)?, trust, addresses, inbox),
            (&carts, &cases, &rules, &learning.models),
            access,
            answers,
            test_clock,
        ));
        let (notifications, reconciler) = followers(&door, &carts, &desk, database);
        let more = more(config, &exporter);
        let running = server::server(door.clone(), vec![listener], threads(config), more)?;
        let (server, serving) = (running.handle(), tasks::spawn(running));
        if let Some(listener) = listen_for_figures(config)? {
            tasks.beside(server::figures(door.clone(), exporter.clone(), listener)?);
        }
        if with_rounds {
            tasks.heartbeat(&holder, &desk);
            tasks.settings(&rules, &desk.tariffs);
            tasks.learning(&learning);
            tasks.go_round(config, (&keeper, &notifications, &reconciler), &door);
        }
        tasks.gauges(exporter, &keeper, &door);
        Ok(Self {
            address,
            desk,
            carts,
            keeper,
            notifications,
            reconciler,
            learning,
            holder,
            draining: door.draining.clone(),
            server,
            serving,
            tasks,
            arbiters,
        })
    }

    /// Waits until no debt is due and no attempt is pending, so that an audit finds the books
    /// closed.
    ///
    /// # Errors
    /// When they do not close in time, or the ledger cannot be read.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let store = &self.desk.store;
        let far = self.desk.now().plus(Duration::from_secs(24 * 60 * 60));
        for _ in 0..SETTLE_TRIES {
            let due = store.list_due_operations(far, 1).await?;
            let pending = store.list_overdue_attempts(far, 1).await?;
            if due.is_empty() && pending.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("payments were still under way after {SETTLE_TRIES} looks")
    }

    /// Stops admitting, finishes what is inside, gives the grants back, closes the ledger.
    pub async fn stop(mut self) {
        self.draining.begin();
        self.server.stop(true).await;
        let _served = self.serving.await;
        self.tasks.end_rounds().await;
        self.carts.rest(REST_MAX).await;
        self.holder.leave(&self.desk.stock).await;
        let store = self.desk.store.clone();
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        drop((self.carts, self.keeper, self.notifications, self.desk));
        for arbiter in self.arbiters {
            let _panicked = arbiter.join();
        }
        self.tasks.finish(REST_MAX).await;
        store.close().await;
    }
}

/// Takes the address of the API.
fn listen(config: &Config) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let wanted = config.server.listen;
    let listener =
        TcpListener::bind(wanted).with_context(|| format!("cannot listen on {wanted}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Writes answers, once what never changes in them is kept.
async fn open_answers(
    config: &Config,
    address: SocketAddr,
    database: &Database,
) -> anyhow::Result<Arc<Answers>> {
    let site = Site::at(&public_url(config, address));
    Ok(Arc::new(Answers::of(site).kept_in(database).await?))
}

/// Metrics have a port of their own in production, and where one is asked for.
fn figures_address(config: &Config) -> Option<SocketAddr> {
    let production = config.mode == Mode::Production;
    let usual = SocketAddr::from(([127, 0, 0, 1], 9464));
    config.server.metrics_listen.or(production.then_some(usual))
}

/// Where metrics are asked for, apart from the API.
fn listen_for_figures(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = figures_address(config) else { return Ok(None) };
    let listener = TcpListener::bind(address);
    Ok(Some(listener.with_context(|| format!("cannot listen on {address} for metrics"))?))
}

/// How often [`App::settle`] looks, every 50 ms: a lost answer is settled within its deadline.
const SETTLE_TRIES: u32 = 1200;

/// How long the work at hand may take after the door is closed. What takes longer is found again by
/// whoever starts next.
const REST_MAX: Duration = Duration::from_secs(15);

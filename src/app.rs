//! The composition root: the only file that names every concrete type.
//!
//! Start goes up the import order, from the ledger to the door; shutdown goes down it: no new work,
//! the work at hand finished, grants given back, the ledger closed.

mod tasks;

use actix::{Arbiter, ArbiterHandle};
use actix_web::{dev::ServerHandle, web::Data};
use anyhow::Context;
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::task::JoinHandle;

use crate::{
    access::{Access, Keys},
    base::{AnchoredClock, Chance, Clock, HolderId, MovementId, SystemChance},
    cart::{Carts, Keeper, keeper::Retention},
    catalog::{Catalog, demo},
    checkout::{Checkout, Collection, NoProbe, Probe, Terms},
    commands::database_options,
    config::{Capture, Config, GatewayChoice, Mode},
    http::{Answers, Door, Draining, Site, server},
    ledger::{
        Commit, Database, Entry, EntryId, Fact, Store, Writer,
        entry::{MoveKind, StockMove},
    },
    outbound::{Client, OutboundSettings},
    payment::{
        Gateway,
        remote::RemoteSandbox,
        sandbox::{Sandbox, SandboxSettings},
    },
    sessions::{HotSessions, InProcessLimits, InProcessSessions, RedisLimits, RedisSessions},
    stock::{GrantTerms, Stock},
    telemetry::metrics,
};
use tasks::Tasks;

/// The name of the sandbox's book in the data folder.
pub const BOOK: &str = "sandbox-book.jsonl";

/// What a test may replace. In production everything comes from the configuration.
#[derive(Default)]
pub struct Replaced {
    /// Tells the time.
    pub clock: Option<Arc<dyn Clock>>,
    /// Makes ids.
    pub chance: Option<Arc<dyn Chance>>,
    /// Takes the money.
    pub gateway: Option<Arc<dyn Gateway>>,
    /// Hears of crash points.
    pub probe: Option<Arc<dyn Probe>>,
    /// Stands between the writer and the ledger.
    pub commits: Option<Box<dyn FnOnce(Arc<dyn Store>) -> Arc<dyn Commit>>>,
    /// Changes the terms of the checkout.
    pub terms: Option<fn(Terms) -> Terms>,
    /// Leaves the keeper's rounds to the test.
    pub no_rounds: bool,
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
    holder: Arc<tasks::Holder>,
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
        let database = open_database(config).await?;
        let store = database.store();
        let clock = match replaced.clock {
            Some(clock) => clock,
            None => Arc::new(AnchoredClock::new(store.now().await?)),
        };
        let chance = replaced.chance.unwrap_or_else(|| Arc::new(SystemChance));
        let gateway = match replaced.gateway {
            Some(gateway) => gateway,
            None => open_gateway(config, &clock)?,
        };
        let probe = replaced.probe.unwrap_or_else(|| Arc::new(NoProbe));
        let arbiters: Vec<Arbiter> = (0..threads(config)).map(|_| Arbiter::new()).collect();
        let handles: Vec<ArbiterHandle> = arbiters.iter().map(Arbiter::handle).collect();

        let mut tasks = Tasks::default();
        let holder = tasks::Holder::register(&store, &clock, &chance).await?;
        let commits: Arc<dyn Commit> = match replaced.commits {
            Some(between) => between(store.clone()),
            None => store.clone(),
        };
        let (writer, stock) =
            start_ledger(config, commits, &clock, &chance, holder.id(), &handles, &mut tasks);
        let (collector, collecting) = Collection {
            writer: writer.clone(),
            gateway: gateway.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            probe: probe.clone(),
        }
        .start();
        tasks.last(collecting);
        let listener = TcpListener::bind(config.server.listen)
            .with_context(|| format!("cannot listen on {}", config.server.listen))?;
        let address = listener.local_addr()?;
        let answers = Arc::new(Answers::of(Site::at(&public_url(config, address))));
        let catalog = Catalog::new(database.clone());
        let desk = Arc::new(Checkout {
            store: store.clone(),
            writer: writer.clone(),
            stock: stock.clone(),
            catalog: catalog.clone(),
            gateway,
            hot: open_hot(config, &clock)?,
            render: answers.clone(),
            collector,
            clock: clock.clone(),
            chance: chance.clone(),
            terms: replaced.terms.map_or(terms(config), |change| change(terms(config))),
            probe,
        });
        if config.demo.catalogue && config.mode == Mode::Dev {
            open_demo_shop(&desk).await?;
        }
        let carts = Arc::new(Carts::new(desk.clone(), handles));
        let keeper = Arc::new(Keeper {
            desk: desk.clone(),
            carts: carts.clone(),
            retention: retention(config),
        });
        let draining = Arc::new(Draining::default());
        let door = Door {
            carts: carts.clone(),
            store: store.clone(),
            writer: writer.clone(),
            catalog,
            clock: clock.clone(),
            chance,
            limits: config.limits.clone(),
            access: open_access(config, &database, &clock, address).await?,
            answers,
            draining: draining.clone(),
            working: Arc::default(),
            reading: Arc::default(),
        };
        let working = door.working.clone();
        let door = Data::new(door);
        let more = server::beside(&exporter, config.mode == Mode::Dev);
        let running = server::server(door.clone(), vec![listener], threads(config), more)?;
        let server = running.handle();
        let serving = tasks::spawn(running);
        if let Some(address) = figures_address(config) {
            let listener = TcpListener::bind(address)
                .with_context(|| format!("cannot listen on {address} for metrics"))?;
            tasks.beside(server::figures(door, exporter.clone(), listener)?);
        }
        if !replaced.no_rounds {
            tasks.rounds(&keeper, &carts, &stock, config);
            tasks.heartbeat(&holder, &desk);
        }
        tasks.gauges(exporter, desk.clone(), carts.clone(), working, config.limits.in_flight);
        Ok(Self {
            address,
            desk,
            carts,
            keeper,
            holder,
            draining,
            server,
            serving,
            tasks,
            arbiters,
        })
    }

    /// Waits until no debt is due and no attempt is pending, so that an audit finds the books closed.
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
        self.holder.leave(&self.desk).await;
        let store = self.desk.store.clone();
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        drop((self.carts, self.keeper, self.desk));
        for arbiter in self.arbiters {
            let _panicked = arbiter.join();
        }
        self.tasks.finish(REST_MAX).await;
        store.close().await;
    }
}

/// How often [`App::settle`] looks, every 50 ms: a lost answer is settled within its deadline.
const SETTLE_TRIES: u32 = 1200;

/// How long the work at hand may take after the door is closed. What takes longer is found again by
/// whoever starts next.
const REST_MAX: Duration = Duration::from_secs(15);

fn threads(config: &Config) -> usize {
    match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

fn public_url(config: &Config, address: SocketAddr) -> String {
    config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"))
}

async fn open_database(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(&database_options(config)).await?;
    // An embedded database is made on first use, and so is a developer's; production migrates on purpose.
    if config.storage.database.is_none() || config.mode == Mode::Dev {
        database.migrate().await?;
    }
    database.check().await?;
    Ok(database)
}

/// Open on one's own machine; by key for everybody else, and never open on a public address.
async fn open_access(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
    address: SocketAddr,
) -> anyhow::Result<Access> {
    if config.mode == Mode::Dev {
        anyhow::ensure!(
            address.ip().is_loopback(),
            "dev mode is open to everybody and listens on loopback only; set mode = \"production\" \
             and make an API key with `doorbuster keys create` to listen on {address}"
        );
        return Ok(Access::Open);
    }
    let keys = Keys::new(database.clone(), clock.clone());
    let usable = keys.list().await?.iter().any(|key| key.revoked_at.is_none());
    anyhow::ensure!(
        usable,
        "production mode lets in only who has an API key, and there is none; make one with \
         `doorbuster keys create --label … --scope …`"
    );
    Ok(Access::Keys(Arc::new(keys)))
}

/// Metrics have a port of their own in production, and where one is asked for.
fn figures_address(config: &Config) -> Option<SocketAddr> {
    let production = config.mode == Mode::Production;
    let usual = SocketAddr::from(([127, 0, 0, 1], 9464));
    config.server.metrics_listen.or(production.then_some(usual))
}

fn open_gateway(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Gateway>> {
    let lost = Duration::from_millis(config.payment.sandbox_lost_ms);
    Ok(match &config.payment.gateway {
        GatewayChoice::Sandbox => {
            let settings = SandboxSettings {
                slow_ms: config.payment.sandbox_slow_ms,
                client_timeout_ms: config.payment.sandbox_lost_ms,
            };
            std::fs::create_dir_all(&config.storage.data)?;
            let book = config.storage.data.join(BOOK);
            Arc::new(Sandbox::open(book, settings, clock.clone())?)
        }
        GatewayChoice::Remote(url) => {
            let client = Client::new(&OutboundSettings::default())?;
            Arc::new(RemoteSandbox::new(url, client, lost))
        }
    })
}

fn open_hot(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn HotSessions>> {
    Ok(match &config.storage.redis {
        Some(url) => {
            Arc::new(RedisSessions::new(url.expose(), RedisLimits::default(), clock.clone())?)
        }
        None => Arc::new(InProcessSessions::new(InProcessLimits::default(), clock.clone())),
    })
}

/// The writer tells the SKU actors what each batch said about their grants; they ask it for more.
fn start_ledger(
    config: &Config,
    commits: Arc<dyn Commit>,
    clock: &Arc<dyn Clock>,
    chance: &Arc<dyn Chance>,
    holder: HolderId,
    arbiters: &[ArbiterHandle],
    tasks: &mut Tasks,
) -> (Writer, Arc<Stock>) {
    let hears: Arc<OnceLock<std::sync::Weak<Stock>>> = Arc::default();
    let heard = hears.clone();
    let tell = move |reply: &crate::ledger::BatchReply| {
        if let Some(stock) = heard.get().and_then(std::sync::Weak::upgrade) {
            stock.heard(reply);
        }
    };
    let (writer, writing) = Writer::new(commits, clock.clone(), Arc::new(tell));
    tasks.last(writing);
    let terms = GrantTerms {
        holds_per_second: config.stock.grants_at_holds_per_second,
        block_max: config.stock.grant_max_block,
        ..GrantTerms::default()
    };
    let (clock, chance) = (clock.clone(), chance.clone());
    let stock = Stock::new(writer.clone(), clock, chance, terms, holder, arbiters.to_vec());
    let stock = Arc::new(stock);
    // Set once, here: the only writer's only listener.
    let _first = hears.set(Arc::downgrade(&stock));
    (writer, stock)
}

fn terms(config: &Config) -> Terms {
    Terms {
        hold_ttl: config.hold_ttl(),
        session_ttl: config.session_ttl(),
        gateway_deadline: config.gateway_deadline(),
        capture_at_once: config.checkout.capture == Capture::Immediate,
        ..Terms::default()
    }
}

fn retention(config: &Config) -> Retention {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    Retention {
        keys: days(config.retention.keys_days),
        sessions: days(config.retention.sessions_days),
        events: days(config.retention.events_days),
    }
}

/// Fills an empty store with a small shop.
async fn open_demo_shop(desk: &Checkout) -> anyhow::Result<()> {
    if !desk.catalog.list(None, 1).await?.is_empty() {
        return Ok(());
    }
    let now = desk.now();
    let rows = demo::demo(now);
    let products: Vec<_> = rows.iter().map(|row| row.product.clone()).collect();
    desk.catalog.save(&products).await?;
    for row in rows {
        let Some(quantity) = row.stock.filter(|stock| *stock > 0) else { continue };
        let id = MovementId::new(now, &*desk.chance);
        let (sku, reason) = (row.product.sku, "opening stock of the demo shop".to_owned());
        let kind = MoveKind::Receive;
        let moved = StockMove { id, sku, kind, quantity, reason, key: None, now };
        desk.writer.write(Entry::new(EntryId::of(id), Fact::Move(moved))).await??;
    }
    tracing::info!("opened with the demo catalogue");
    Ok(())
}

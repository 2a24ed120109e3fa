//! The parts of a service, each opened as the configuration says.

use actix::ArbiterHandle;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use tokio::sync::watch;

use super::{
    Replaced, browsers, gateways, hot, judging::open_fraud, tasks::Tasks, timekeeper::Clocks,
};
use crate::{
    access::{Access, Keys},
    base::{AnchoredClock, Chance, Clock, MovementId, SystemChance, TestClock},
    cart::{Carts, Keeper, keeper::Retention, lapses::Lapses},
    catalog::{Catalog, demo},
    checkout::{Capture, Checkout, Collection, NoProbe, Probe, Terms, Unpaid},
    commands::database_options,
    config::{self, Config, Delivery, Mode, Signatures},
    customers::Addresses,
    fraud::{Fraud, cases::Cases, models::Models, rules::Rules, velocity::VelocityLimits},
    http::{Answers, Door, Trust, Webhooks, health::Ready},
    ledger::{
        BatchReply, Commit, Database, Entry, EntryId, Fact, Store, Writer,
        entry::{MoveKind, StockMove},
    },
    outbound::{GuardedClient, OutboundSettings, Reach},
    outbox::{Deliveries, Endpoints},
    payment::{Gateways, inbox::Inbox},
    platforms::Platforms,
    pricing::{Item, Tariffs, demo::demo as demo_tariff},
    sessions::RedisLimits,
    signing::SigningKeys,
    stock::{GrantTerms, Holder, Stock},
};

pub(super) fn threads(config: &Config) -> usize {
    match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

pub(super) fn public_url(config: &Config, address: SocketAddr) -> String {
    config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"))
}

pub(super) async fn open_database(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(&database_options(config)).await?;
    // An embedded database is made on first use, and so is a developer's; production migrates on
    // purpose.
    if config.storage.database.is_none() || config.mode == Mode::Dev {
        database.migrate().await?;
    }
    database.check().await?;
    Ok(database)
}

/// Open on one's own machine; by key for everybody else, and never open on a public address.
pub(super) async fn open_access(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
    address: SocketAddr,
) -> anyhow::Result<(Access, Arc<Keys>)> {
    let keys = Arc::new(Keys::new(database.clone(), clock.clone()));
    if config.mode == Mode::Dev {
        anyhow::ensure!(
            address.ip().is_loopback(),
            "dev mode is open to everybody and listens on loopback only; set mode = \"production\" \
             and make an API key with `doorbuster keys create` to listen on {address}"
        );
        return Ok((Access::Open, keys));
    }
    let usable = keys.list().await?.iter().any(|key| key.is_in_force(keys.now()));
    anyhow::ensure!(
        usable,
        "production mode lets in only who has an API key, and there is none; make one with \
         `doorbuster keys create --label … --scope …`"
    );
    Ok((Access::Keys(keys.clone()), keys))
}

/// What stands below the checkout and may be replaced by a test.
pub(super) struct Ground {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// The one below it, where it can be steered.
    pub(super) anchored: Option<Arc<AnchoredClock>>,
    /// The same, where it may be put forward.
    pub(super) test_clock: Option<Arc<TestClock>>,
    pub(super) chance: Arc<dyn Chance>,
    gateways: Gateways,
    probe: Arc<dyn Probe>,
    terms: Terms,
    commits: Arc<dyn Commit>,
    velocity: VelocityLimits,
    sessions: RedisLimits,
}

impl Ground {
    /// What the test brings, else what the configuration says.
    pub(super) async fn lay(
        config: &Config,
        replaced: Replaced,
        database: &Database,
    ) -> anyhow::Result<Self> {
        let store = database.store();
        let Clocks { clock, anchored, test_clock } =
            Clocks::lay(config.mode, replaced.clock, &*store).await?;
        let gateways = match replaced.gateways {
            Some(gateways) => gateways,
            None => gateways::open(config, &clock, Inbox::new(database.clone()))?,
        };
        let chance = replaced.chance.unwrap_or_else(|| Arc::new(SystemChance));
        let probe = replaced.probe.unwrap_or_else(|| Arc::new(NoProbe));
        let terms = replaced.terms.map_or(terms(config), |change| change(terms(config)));
        let commits: Arc<dyn Commit> = match replaced.commits {
            Some(between) => between(store.clone()),
            None => store.clone(),
        };
        let velocity = replaced.velocity.unwrap_or_default();
        let sessions = replaced.sessions.unwrap_or_default();
        Ok(Self {
            store,
            clock,
            anchored,
            test_clock,
            chance,
            gateways,
            probe,
            terms,
            commits,
            velocity,
            sessions,
        })
    }

    /// Makes this process known to the ledger as one that may hold grants.
    pub(super) async fn register(&self, config: &Config) -> anyhow::Result<Arc<Holder>> {
        let label = config.server.replica_id.clone().unwrap_or_default();
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Ok(Holder::register(store, clock, self.chance.clone(), label).await?)
    }
}

/// The checkout, with the ledger writer, the SKU actors and the collector it works through. The
/// writer tells the SKU actors what each batch said about their grants; they ask it for more.
pub(super) fn open_desk(
    config: &Config,
    ground: Ground,
    database: &Database,
    answers: &Arc<Answers>,
    (holder, arbiters): (&Holder, &[ArbiterHandle]),
    rules: &Arc<Rules>,
    tasks: &mut Tasks,
) -> anyhow::Result<Arc<Checkout>> {
    let Ground {
        store, clock, chance, gateways, probe, terms, commits, velocity, sessions, ..
    } = ground;
    let hears: Arc<OnceLock<Weak<Stock>>> = Arc::default();
    let heard = hears.clone();
    let tell = move |reply: &BatchReply| {
        if let Some(stock) = heard.get().and_then(Weak::upgrade) {
            stock.heard(reply);
        }
    };
    let (writer, writing) = Writer::new(commits, clock.clone(), Arc::new(tell));
    tasks.last(writing);
    let stock = Arc::new(Stock::new(
        writer.clone(),
        clock.clone(),
        chance.clone(),
        grant_terms(config),
        holder.id(),
        arbiters.to_vec(),
    ));
    // Set once, here: the only writer's only listener.
    let _first = hears.set(Arc::downgrade(&stock));
    let collection = Collection {
        store: store.clone(),
        writer: writer.clone(),
        gateways: gateways.clone(),
        clock: clock.clone(),
        chance: chance.clone(),
        probe: probe.clone(),
        review_due: hours(config.fraud.review_due_hours),
        review_max: hours(config.fraud.review_max_hours),
    };
    let (collector, collecting) = collection.start();
    tasks.last(collecting);
    let hot = hot::open(config, sessions, &clock)?;
    let catalog = Catalog::new(database.clone());
    let tariffs = Arc::new(Tariffs::new(database.clone()));
    let judged = (rules, Cases::new(database.clone()), database);
    let bench = open_fraud(config, velocity, &clock, judged)?;
    let fraud = Arc::new(Fraud::start(bench, arbiters.to_vec()));
    Ok(Arc::new(Checkout {
        store,
        writer,
        stock,
        unpaid: Unpaid::default(),
        catalog,
        tariffs,
        fraud,
        gateways,
        public_url: answers.site().base_url.clone(),
        hot,
        render: answers.clone(),
        collector,
        clock,
        chance,
        terms,
        probe,
    }))
}

/// Largest profile of a platform that is read: they are some kilobytes.
const PROFILE_BYTES_MAX: usize = 256 * 1024;

/// Who hears of what happens to orders. In development that may be a server on this machine.
pub(super) fn open_webhooks(config: &Config, database: &Database) -> anyhow::Result<Webhooks> {
    Ok(Webhooks {
        endpoints: Endpoints::new(database.clone()),
        deliveries: Deliveries::new(database.clone()),
        client: GuardedClient::new(&OutboundSettings::default(), reach(config))?,
    })
}

/// Which addresses of others may be asked.
fn reach(config: &Config) -> Reach {
    match config.mode {
        Mode::Dev => Reach::PublicAndLoopback,
        Mode::Production => Reach::Public,
    }
}

/// How platforms and we believe each other. The first start makes the first signing key.
pub(super) async fn open_trust(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Trust> {
    let keys = SigningKeys::new(database.clone());
    keys.follow(clock.now()).await?;
    let of_profiles =
        OutboundSettings { body_bytes: PROFILE_BYTES_MAX, ..OutboundSettings::default() };
    let client = GuardedClient::new(&of_profiles, reach(config))?;
    Ok(Trust {
        platforms: Platforms::new(client, clock.clone()),
        keys: Arc::new(keys),
        must_sign: config.ucp.signatures == Signatures::Required,
    })
}

/// What every handler may reach.
pub(super) fn open_door(
    config: &Config,
    desk: &Arc<Checkout>,
    (webhooks, trust, addresses, inbox): (Webhooks, Trust, Addresses, Inbox),
    (carts, cases, rules, models): (&Arc<Carts>, &Cases, &Arc<Rules>, &Arc<Models>),
    (access, keys): (Access, Arc<Keys>),
    answers: Arc<Answers>,
    test_clock: Option<Arc<TestClock>>,
) -> Door {
    Door {
        inbox,
        carts: carts.clone(),
        desk: desk.clone(),
        cases: cases.clone(),
        database: cases.database().clone(),
        store: desk.store.clone(),
        writer: desk.writer.clone(),
        catalog: desk.catalog.clone(),
        webhooks,
        trust,
        addresses,
        rules: rules.clone(),
        models: models.clone(),
        clock: desk.clock.clone(),
        test_clock,
        chance: desk.chance.clone(),
        limits: config.limits.clone(),
        browsers: browsers::open(config, &answers),
        access,
        keys,
        answers,
        draining: Arc::default(),
        ready: Ready::default(),
        working: Arc::default(),
        reading: Arc::default(),
    }
}

fn grant_terms(config: &Config) -> GrantTerms {
    GrantTerms {
        holds_per_second: config.stock.grants_at_holds_per_second,
        block_max: config.stock.grant_max_block,
        ..GrantTerms::default()
    }
}

pub(super) fn terms(config: &Config) -> Terms {
    Terms {
        hold_ttl: config.hold_ttl(),
        hold_life_max: Duration::from_secs(config.stock.hold_life_max_seconds)
            .max(config.hold_ttl()),
        unpaid: config.unpaid_caps(),
        session_ttl: config.session_ttl(),
        gateway_deadline: config.gateway_deadline(),
        must_choose_delivery: config.checkout.delivery == Delivery::Required,
        capture: match config.checkout.capture {
            config::Capture::Immediate => Capture::Immediate,
            config::Capture::OnShipment => Capture::OnShipment,
            config::Capture::Manual => Capture::Manual,
        },
        authorization_ttl: hours(config.checkout.authorization_hours),
        authorization_warning: hours(config.checkout.authorization_warning_hours),
        review_due: hours(config.fraud.review_due_hours),
        review_max: hours(config.fraud.review_max_hours),
        review_claims_max: config.fraud.review_claims_max,
        ..Terms::default()
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 60 * 60)
}

/// Who makes the rounds.
pub(super) fn open_keeper(
    config: &Config,
    desk: &Arc<Checkout>,
    carts: &Arc<Carts>,
    cases: &Cases,
    stop: watch::Receiver<bool>,
) -> Keeper {
    let (desk, carts, cases) = (desk.clone(), carts.clone(), Some(cases.clone()));
    let lapses = Lapses::default();
    Keeper { desk, carts, cases, retention: retention(config), stop, lapses }
}

fn retention(config: &Config) -> Retention {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    Retention {
        keys: days(config.retention.keys_days),
        sessions: days(config.retention.sessions_days),
        events: days(config.retention.events_days),
        raw_signals: days(config.fraud.raw_signals_days),
    }
}

/// Reads the tariff, and fills an empty store with a small shop.
pub(super) async fn open_shop(config: &Config, desk: &Checkout) -> anyhow::Result<()> {
    desk.tariffs.follow().await?;
    let wanted = config.demo.catalogue && config.mode == Mode::Dev;
    if !wanted || !desk.catalog.list(None, 1).await?.is_empty() {
        return Ok(());
    }
    let now = desk.now();
    let rows = demo::demo(now);
    let products: Vec<_> = rows.iter().map(|row| row.product.clone()).collect();
    desk.catalog.save_groups(&demo::demo_groups(now)).await?;
    desk.catalog.save(&products).await?;
    for row in rows {
        let Some(quantity) = row.stock.filter(|stock| *stock > 0) else { continue };
        let id = MovementId::new(now, &*desk.chance);
        let (sku, reason) = (row.product.sku, "opening stock of the demo shop".to_owned());
        let kind = MoveKind::Receive;
        let moved = StockMove { id, sku, kind, quantity, reason, key: None, now };
        desk.writer.write(Entry::new(EntryId::of(id), Fact::Move(moved))).await??;
    }
    for (kind, document) in demo_tariff() {
        let item = kind.read(&document)?;
        if let Item::Discount(discount) = &item {
            desk.count_uses(discount).await??;
        }
        desk.tariffs.save(&item, &document, "demo", now).await?;
    }
    tracing::info!("opened with the demo catalogue");
    Ok(())
}

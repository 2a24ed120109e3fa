//! One replica: the real actors, registries, saga, collector, keeper, holder and writer, composed
//! as `app` composes them, on a set of tasks of its own that can be frozen, or dropped as a crash
//! drops a process.

use doorbuster::{
    base::{Chance, Clock, Money, SeededChance, Sku, Timestamp},
    cart::{Ask, Carts, Keeper, keeper::Retention, lapses::Lapses},
    catalog::{Catalog, Product, Shelf, StockPolicy},
    checkout::{
        Capture, Checkout, CheckoutRefused, Collection, CrashPoint, Probe, Reply, Terms, Unpaid,
        UnpaidCaps,
    },
    http::{Answers, Site},
    ledger::{BatchReply, LedgerFault, Writer},
    payment::Gateways,
    pricing::{Tariff, Tariffs},
    stock::{GrantTerms, Holder, Stock},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{LocalSet, spawn_local},
};

use super::{bank::Bank, cache::Cache, chaos::Chaos, ledger::Ledger};
use crate::support::judges;

/// What a shop of the simulation decides: everything is over soon.
pub(crate) const TERMS: Terms = Terms {
    hold_ttl: Duration::from_secs(8),
    hold_life_max: Duration::from_secs(60),
    unpaid: UnpaidCaps { per_buyer: 1_000, unnamed: 100, per_caller: 100_000 },
    session_ttl: Duration::from_secs(120),
    cart_ttl: Duration::from_secs(120),
    gateway_deadline: Duration::from_secs(4),
    challenge_ttl: Duration::from_secs(20),
    watch: Duration::from_secs(120),
    capture: Capture::Immediate,
    authorization_ttl: Duration::from_secs(7 * 24 * 60 * 60),
    authorization_warning: Duration::from_secs(24 * 60 * 60),
    review_due: Duration::from_secs(60),
    review_max: Duration::from_secs(120),
    review_claims_max: 25,
    key_wait: Duration::from_millis(500),
    must_choose_delivery: false,
};

/// A request and where its answer goes.
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) reply: oneshot::Sender<Result<Reply, CheckoutRefused>>,
}

/// Where requests go in.
pub(crate) type Door = mpsc::UnboundedSender<Request>;

/// What every replica reaches.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) chaos: Arc<Chaos>,
    pub(crate) ledger: Ledger,
    pub(crate) bank: Bank,
    pub(crate) cache: Arc<Cache>,
    pub(crate) products: Arc<Products>,
    /// Replicas that died of a panic no actor contains.
    pub(crate) doomed: mpsc::UnboundedSender<usize>,
}

/// The world's time, a little off.
struct Watch {
    chaos: Arc<Chaos>,
    ahead: Duration,
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        self.chaos.now().plus(self.ahead)
    }
}

/// Panics now and then at a crash point. Without the panic hook: thousands of backtraces are no
/// news.
struct Fate {
    number: usize,
    chaos: Arc<Chaos>,
    doomed: mpsc::UnboundedSender<usize>,
}

impl Probe for Fate {
    fn reach(&self, point: CrashPoint) {
        if !self.chaos.strikes(self.chaos.plan.rates.panic) {
            return;
        }
        self.chaos.tell(|| format!("replica {} panics at {point:?}", self.number));
        if matches!(point, CrashPoint::InCollection | CrashPoint::InSweep) {
            // These run in the process's own tasks: it does not live on without them.
            let _over = self.doomed.send(self.number);
        }
        std::panic::resume_unwind(Box::new("a simulated panic"));
    }
}

/// What is sold, in memory.
#[derive(Default)]
pub(crate) struct Products(Mutex<BTreeMap<Sku, Product>>);

#[async_trait::async_trait]
impl Shelf for Products {
    async fn find(&self, skus: &[Sku]) -> Result<Vec<Product>, LedgerFault> {
        let products = self.0.lock().unwrap();
        Ok(skus.iter().filter_map(|sku| products.get(sku).cloned()).collect())
    }

    async fn list(&self, cursor: Option<&Sku>, limit: u32) -> Result<Vec<Product>, LedgerFault> {
        let products = self.0.lock().unwrap();
        let after = products.values().filter(|one| cursor.is_none_or(|cursor| one.sku > *cursor));
        Ok(super::tables::page(after.cloned(), limit))
    }

    async fn save(&self, products: &[Product]) -> Result<(), LedgerFault> {
        let named = products.iter().map(|product| (product.sku.clone(), product.clone()));
        self.0.lock().unwrap().extend(named);
        Ok(())
    }
}

/// A product for EUR 19.90.
pub(crate) fn product(sku: Sku, now: Timestamp) -> Product {
    Product {
        title: format!("The {sku}"),
        sku,
        price: Money::from_minor(1990, "EUR".parse().expect("a currency")),
        tax_category: "standard".into(),
        image_url: None,
        attributes: BTreeMap::new(),
        stock_policy: StockPolicy::Tracked,
        active: true,
        updated_at: now,
        group: None,
        options: Vec::new(),
        description: None,
        categories: Vec::new(),
        max_per_order: None,
        archived_at: None,
        list_prices: Vec::new(),
    }
}

/// Starts a process: everything it does runs in this set of tasks.
pub(crate) fn start(world: &World, number: usize, lifetime: u64) -> (LocalSet, Door) {
    let (door, inbox) = mpsc::unbounded_channel();
    let tasks = LocalSet::new();
    let mut world = world.clone();
    world.ledger.sender = Some((number, world.doomed.clone()));
    // A new process knows nothing.
    world.ledger.known = Arc::default();
    tasks.spawn_local(async move { live(world, number, lifetime, inbox).await });
    (tasks, door)
}

async fn live(
    world: World,
    number: usize,
    lifetime: u64,
    mut inbox: mpsc::UnboundedReceiver<Request>,
) {
    let ahead = world.chaos.between(0, 150);
    let clock: Arc<dyn Clock> = Arc::new(Watch { chaos: world.chaos.clone(), ahead });
    let seed = world.chaos.below(u64::MAX) ^ lifetime;
    let chance: Arc<dyn Chance> = Arc::new(SeededChance::new(seed));
    let store: Arc<Ledger> = Arc::new(world.ledger.clone());
    let holder = loop {
        let (store, label) = (store.clone(), format!("replica {number}"));
        match Holder::register(store, clock.clone(), chance.clone(), label).await {
            Ok(holder) => break holder,
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    };
    world.chaos.tell(|| format!("replica {number} lives as {}", holder.id()));
    let desk = open(&world, number, &holder, &clock, &chance);
    let carts = Arc::new(Carts::new(desk.clone(), Vec::new()));
    let (retention, stop) = (Retention::default(), watch::channel(false).1);
    let keeper = Arc::new(Keeper {
        desk: desk.clone(),
        carts: carts.clone(),
        cases: None,
        retention,
        stop,
        lapses: Lapses::default(),
    });
    rounds(&world, &keeper, &holder);
    while let Some(Request { ask, reply }) = inbox.recv().await {
        let carts = carts.clone();
        spawn_local(async move {
            let _gone = reply.send(carts.ask(ask).await);
        });
    }
}

/// The checkout and what it works through.
fn open(
    world: &World,
    number: usize,
    holder: &Holder,
    clock: &Arc<dyn Clock>,
    chance: &Arc<dyn Chance>,
) -> Arc<Checkout> {
    let store = Arc::new(world.ledger.clone());
    let hears: Arc<OnceLock<Weak<Stock>>> = Arc::default();
    let heard = hears.clone();
    let tell = move |reply: &BatchReply| {
        if let Some(stock) = heard.get().and_then(Weak::upgrade) {
            stock.heard(reply);
        }
    };
    let (writer, writing) = Writer::new(store.clone(), clock.clone(), Arc::new(tell));
    spawn_local(writing);
    let terms = GrantTerms { holds_per_second: 1, block_max: 4, block_min: 1 };
    let (stock_clock, stock_chance) = (clock.clone(), chance.clone());
    let stock =
        Stock::new(writer.clone(), stock_clock, stock_chance, terms, holder.id(), Vec::new());
    let stock = Arc::new(stock);
    let _first = hears.set(Arc::downgrade(&stock));
    let gateways = Gateways::only(Arc::new(world.bank.clone()));
    let (chaos, doomed) = (world.chaos.clone(), world.doomed.clone());
    let probe: Arc<dyn Probe> = Arc::new(Fate { number, chaos, doomed });
    let collection = Collection {
        store: store.clone(),
        writer: writer.clone(),
        gateways: gateways.clone(),
        clock: clock.clone(),
        chance: chance.clone(),
        probe: probe.clone(),
        review_due: TERMS.review_due,
        review_max: TERMS.review_max,
    };
    let (collector, collecting) = collection.start();
    spawn_local(collecting);
    Arc::new(Checkout {
        store,
        writer,
        stock,
        unpaid: Unpaid::default(),
        catalog: Catalog::over(world.products.clone()),
        tariffs: Arc::new(Tariffs::fixed(Tariff::default())),
        // What judging adds to a checkout is a record in commits that are played.
        fraud: judges::nobody(clock),
        gateways,
        public_url: "https://shop.example".to_owned(),
        hot: Some(world.cache.clone()),
        render: Arc::new(Answers::of(Site::at("https://shop.example"))),
        collector,
        clock: clock.clone(),
        chance: chance.clone(),
        terms: TERMS,
        probe,
    })
}

/// The keeper's rounds, sleep for actors nobody needs, and heartbeats, each in its time.
fn rounds(world: &World, keeper: &Arc<Keeper>, holder: &Arc<Holder>) {
    let quick = keeper.clone();
    let busy = |seconds| (world.chaos.clone(), Duration::from_secs(seconds));
    every(busy(2), move || {
        let keeper = quick.clone();
        async move { drop(keeper.round().await) }
    });
    let holds = keeper.clone();
    every(busy(2), move || {
        let keeper = holds.clone();
        async move { drop(keeper.free_lapsed_holds().await) }
    });
    let slow = keeper.clone();
    every(busy(15), move || {
        let keeper = slow.clone();
        async move { drop(keeper.slow_round().await) }
    });
    let (idle, chaos) = (keeper.clone(), world.chaos.clone());
    every(busy(5), move || {
        let (keeper, after) = (idle.clone(), chaos.between(500, 8000));
        async move {
            keeper.carts.retire_idle(after).await;
            keeper.desk.stock.retire_idle(after).await;
        }
    });
    let (keeper, holder) = (keeper.clone(), holder.clone());
    every(busy(1), move || {
        let (keeper, holder) = (keeper.clone(), holder.clone());
        async move { drop(holder.beat(&keeper.desk.stock).await) }
    });
}

fn every<F: Future<Output = ()> + 'static>(
    (chaos, period): (Arc<Chaos>, Duration),
    mut round: impl FnMut() -> F + 'static,
) {
    spawn_local(async move {
        loop {
            round().await;
            // When the troubles are over there is nothing to hurry for; and nobody is fenced as
            // long as all beat alike.
            let slower = if chaos.is_calm() { 3 } else { 1 };
            tokio::time::sleep(period * slower).await;
        }
    });
}

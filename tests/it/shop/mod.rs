//! A shop for tests, on either ledger: the real service with a clock that stands, chance with a
//! seed, and a bank that breaks when told to. Speaks of shoppers, stock and charges.

pub(crate) mod bank;
mod books;
pub(crate) mod shopper;
pub(crate) mod troubles;

use doorbuster::{
    app::{App, Replaced},
    base::{Clock, ManualClock, Money, MovementId, Sku, Timestamp},
    catalog::{Product, StockPolicy},
    checkout::Terms,
    config::{Config, SecretUrl},
    fraud::velocity::VelocityLimits,
    ledger::{
        Entry, EntryId, Fact, Store,
        entry::{MoveKind, StockMove},
        row::StockLevel,
    },
    payment::{Gateways, Takes},
    sessions::RedisLimits,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::support::servers;
use bank::Bank;
use shopper::Away;
pub(crate) use shopper::{Shopper, Told};
use troubles::{Commits, Dice, Fuse};

/// A judgement may take so long on a machine that runs many tests.
pub(crate) const PATIENT_JUDGE_MS: u64 = 10_000;

/// Nor is a busy machine taken for a dead Redis.
const PATIENT: VelocityLimits =
    VelocityLimits { wait: Duration::from_secs(5), pause: Duration::from_secs(1), late_max: 0 };

/// Which ledger a case runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    Postgres,
    Sqlite,
}

/// Runs each case on both ledgers, inside an actor system.
macro_rules! in_shops_on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[actix::test]
            async fn $case() {
                super::$case(crate::shop::On::Postgres).await;
            })+
        }
        mod sqlite {
            $(#[actix::test]
            async fn $case() {
                super::$case(crate::shop::On::Sqlite).await;
            })+
        }
    };
}
pub(crate) use in_shops_on_both;

impl On {
    /// An empty shop.
    pub(crate) async fn shop(self) -> TestShop {
        self.shop_with(|_| ()).await
    }

    /// An empty shop with changed settings.
    pub(crate) async fn shop_with(self, change: impl FnOnce(&mut Config)) -> TestShop {
        self.shop_of(change, false).await
    }

    async fn shop_of(self, change: impl FnOnce(&mut Config), has_spare: bool) -> TestShop {
        let folder = Arc::new(tempfile::tempdir().expect("a folder for the test"));
        let mut config = Config::default();
        config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.server.workers = 1;
        config.demo.catalogue = false;
        config.storage.data = folder.path().to_owned();
        // The judge's time is real also where the shop's stands: a busy machine decides nothing.
        config.fraud.deadline_ms = PATIENT_JUDGE_MS;
        if let Self::Postgres = self {
            config.storage.database = Some(SecretUrl::new(servers::postgres().await));
        }
        change(&mut config);
        let start = Timestamp::parse("2026-11-27T08:00:00Z").expect("a moment");
        let clock = Arc::new(ManualClock::new(start));
        let bank = Bank::open(folder.path(), clock.clone());
        let spare = has_spare.then(|| Bank::named("spare", folder.path(), clock.clone()));
        TestShop::open(config, clock, (bank, spare), folder, 1).await
    }

    /// An empty shop whose money somebody else moves than its bank.
    pub(crate) async fn shop_paying_at(
        self,
        gateways: impl FnOnce(Arc<dyn Clock>) -> Gateways,
    ) -> TestShop {
        let mut shop = self.shop().await;
        shop.gateways = Some(gateways(shop.clock.clone()));
        shop.opens_again().await;
        shop
    }

    /// An empty shop with a second bank.
    pub(crate) async fn shop_with_spare(self) -> TestShop {
        self.shop_of(|_| (), true).await
    }
}

/// A shop under test.
pub(crate) struct TestShop {
    app: Option<App>,
    config: Config,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) bank: Arc<Bank>,
    /// Who takes the money instead of the bank.
    gateways: Option<Gateways>,
    /// A second one that is asked where the first cannot have acted.
    pub(crate) spare: Option<Arc<Bank>>,
    pub(crate) commits: Arc<Commits>,
    pub(crate) fuse: Arc<Fuse>,
    /// The checkouts of this shop's shoppers, in the order they came.
    seen: Mutex<Vec<doorbuster::base::CheckoutId>>,
    keys: AtomicU64,
    folder: Arc<tempfile::TempDir>,
}

impl TestShop {
    async fn open(
        config: Config,
        clock: Arc<ManualClock>,
        (bank, spare): (Arc<Bank>, Option<Arc<Bank>>),
        folder: Arc<tempfile::TempDir>,
        seed: u64,
    ) -> Self {
        let mut shop = Self {
            app: None,
            config,
            clock,
            dice: Dice::new(seed),
            bank,
            gateways: None,
            spare,
            commits: Arc::default(),
            fuse: Arc::default(),
            seen: Mutex::default(),
            keys: AtomicU64::new(seed * 1_000_000),
            folder,
        };
        shop.start().await;
        shop
    }

    async fn start(&mut self) {
        let commits = self.commits.clone();
        let banks = [Some(&self.bank), self.spare.as_ref()].into_iter().flatten();
        let gateways = banks.map(|bank| (bank.clone() as _, Takes::default())).collect();
        let replaced = Replaced {
            clock: Some(self.clock.clone()),
            chance: Some(self.dice.clone()),
            // Where the configuration names gateways, they are opened as it says.
            gateways: self
                .config
                .payment
                .gateways
                .is_empty()
                .then(|| self.gateways.clone().unwrap_or(Gateways::new(gateways))),
            probe: Some(self.fuse.clone()),
            commits: Some(Box::new(move |store| {
                commits.stand_before(store);
                commits
            })),
            velocity: Some(PATIENT),
            sessions: Some(RedisLimits { wait: PATIENT.wait, ..RedisLimits::default() }),
            terms: Some(|terms| Terms { key_wait: Duration::ZERO, ..terms }),
            no_rounds: true,
        };
        self.app = Some(App::start(&self.config, replaced).await.expect("the shop opens"));
    }

    /// Another replica of this shop: the same ledger, bank and clock, its own memory.
    pub(crate) async fn beside(&self) -> Self {
        let (config, clock) = (self.config.clone(), self.clock.clone());
        Self::open(config, clock, (self.bank.clone(), self.spare.clone()), self.folder.clone(), 2)
            .await
    }

    /// Closes the shop and opens it again on the same ledger.
    pub(crate) async fn opens_again(&mut self) {
        self.app.take().expect("it is open").stop().await;
        self.commits.stand_aside();
        self.start().await;
    }

    /// Closes the shop, whose books must be right.
    pub(crate) async fn closes(mut self) {
        self.assert_books().await;
        self.app.take().expect("it is open").stop().await;
    }

    /// Closes one replica of several.
    pub(crate) async fn leaves(mut self) {
        self.app.take().expect("it is open").stop().await;
    }

    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().expect("it is open")
    }

    /// Where its data is, for as long as it is kept.
    pub(crate) fn folder(&self) -> Arc<tempfile::TempDir> {
        self.folder.clone()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.app().desk.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time passes, and the keeper frees lapsed holds and makes a round.
    pub(crate) async fn after(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
        self.app().keeper.free_lapsed_holds().await.expect("the ledger answers");
        self.app().keeper.round().await.expect("the ledger answers");
        self.debts_are_paid().await;
    }

    /// Waits until the collector has done what it can do. What stays due for a second is handed to
    /// it again, as the keeper does whose rounds are the test's: a disk that was slow for longer
    /// than the bank is waited for leaves a debt whose answer nobody heard.
    pub(crate) async fn debts_are_paid(&self) {
        for look in 1..=400 {
            let far = self.now().plus(Duration::from_secs(3600));
            let due = self.store().list_due_operations(far, 100).await.expect("the ledger answers");
            if due.is_empty() {
                return;
            }
            if look % 100 == 0 {
                due.into_iter().for_each(|due| self.app().desk.collector.collect(due));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("debts are still due:\n{}", self.state().await);
    }

    /// Puts a product on sale for EUR 19.90 with so many units.
    pub(crate) async fn stock(&self, sku: &str, units: u32) {
        self.sells(sku, StockPolicy::Tracked, "EUR", units).await;
    }

    pub(crate) async fn sells(&self, name: &str, policy: StockPolicy, currency: &str, units: u32) {
        let product = Product {
            sku: sku(name),
            title: format!("The {name}"),
            price: Money::from_minor(1990, currency.parse().expect("a currency")),
            tax_category: "standard".into(),
            image_url: None,
            attributes: Default::default(),
            stock_policy: policy,
            active: true,
            updated_at: self.now(),
            group: None,
            options: Vec::new(),
            description: None,
            categories: Vec::new(),
            max_per_order: None,
            archived_at: None,
            list_prices: Vec::new(),
        };
        self.app().desk.catalog.save(&[product]).await.expect("saved");
        if units > 0 {
            let id = MovementId::new(self.now(), &*self.dice);
            let (kind, now) = (MoveKind::Receive, self.now());
            let reason = "opening".to_owned();
            let moved =
                StockMove { id, sku: sku(name), kind, quantity: units, reason, key: None, now };
            let entry = Entry::new(EntryId::of(id), Fact::Move(moved));
            self.app().desk.writer.write(entry).await.expect("reachable").expect("recorded");
        }
    }

    pub(crate) async fn level(&self, name: &str) -> StockLevel {
        let mut found = self.store().find_stock(&[sku(name)]).await.expect("the ledger answers");
        found.pop().expect("the SKU has stock")
    }

    /// A shopper with an empty cart.
    pub(crate) fn shopper(&self) -> Shopper<'_> {
        Shopper::comes(self)
    }

    /// A shopper who was here before.
    pub(crate) fn comes_back(&self, away: Away) -> Shopper<'_> {
        Shopper::returns(self, away)
    }

    /// A key nobody used.
    pub(crate) fn fresh_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) fn sku(name: &str) -> Sku {
    Sku::parse(name).expect("a SKU")
}

/// Whether the whole counts are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("DOORBUSTER_TEST_FULL").is_some()
}

//! A whole shop in one process, asked through its front door.

mod parts;

use self::parts::{answers, arbiters, clocks, collector, ledger, migrated, trust, webhooks};
pub(crate) use super::http_answer::Answer;
use crate::support::judges;
use actix_web::{
    App,
    http::Method,
    middleware::from_fn,
    test::{TestRequest, init_service, try_call_service},
    web::{Data, ServiceConfig},
};
use doorbuster::{
    access::{Access, KeyWish, Keys, Scope},
    base::{Chance, Limits, Money, MovementId, Sku, SystemChance},
    cart::Carts,
    catalog::{Catalog, Product, StockPolicy},
    checkout::{Checkout, NoProbe, Terms, Unpaid},
    customers::Addresses,
    fraud::{cases::Cases, models::Models, policy::Policy, rules::Rules},
    http::{Browsers, Door, Draining, Gate, Trust, admission, health::Ready, routes},
    ledger::{
        Database, Entry, EntryId, Fact,
        entry::{MoveKind, StockMove},
        row::OperationState,
    },
    payment::{
        Gateways,
        inbox::Inbox,
        sandbox::{Sandbox, SandboxSettings},
    },
    pricing::Tariffs,
};
use serde_json::Value;
use std::{
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

/// Where the shop says it is.
pub(crate) const BASE_URL: &str = "https://shop.example";

/// A shop that sells a tee (5 in stock), a cap (1) and an e-book (never runs out).
pub(crate) struct Shop {
    pub(crate) door: Data<Door>,
    pub(crate) bank: Arc<Sandbox>,
    database: Database,
    _folder: Arc<tempfile::TempDir>,
}

/// A fault tells the log and not the caller; a failing test shows it.
fn show_faults() {
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN);
    let _other_test_was_first = log.with_test_writer().try_init();
}

impl Shop {
    /// Waits until nothing is owed to the bank about this order.
    pub(crate) async fn collects(&self, order: &str) {
        let order = order.parse().expect("an id");
        for _ in 0..1000 {
            let row = self.door.store.find_order(order).await.expect("reads").expect("is there");
            if row.operations.iter().all(|row| row.state != OperationState::Due) {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a debt of {order} is not collected");
    }

    pub(crate) async fn open() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::under(limits, Terms::default(), SandboxSettings::default()).await
    }

    /// A shop whose bank takes `slow_ms` for a slow token, and in which a request waits for
    /// `key_wait` for another one with its key.
    pub(crate) async fn with_slow_bank(limits: Limits, slow_ms: u64, key_wait: Duration) -> Self {
        let terms = Terms { key_wait, ..Terms::default() };
        Self::under(limits, terms, SandboxSettings { slow_ms, ..Default::default() }).await
    }

    /// A shop with these terms.
    pub(crate) async fn with_terms(terms: Terms) -> Self {
        Self::under(Limits::default(), terms, SandboxSettings::default()).await
    }

    /// A shop that sells nothing yet.
    pub(crate) async fn bare() -> Self {
        Self::built(Limits::default(), Terms::default(), SandboxSettings::default()).await
    }

    async fn under(limits: Limits, terms: Terms, bank: SandboxSettings) -> Self {
        let shop = Self::built(limits, terms, bank).await;
        shop.fill().await;
        shop
    }

    async fn built(limits: Limits, terms: Terms, bank: SandboxSettings) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let location = folder.path().display().to_string();
        Self::built_on(folder, location, limits, terms, bank).await
    }

    /// A shop on the database at this address.
    pub(crate) async fn on(database: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let bank = SandboxSettings::default();
        let (limits, terms) = (Limits::default(), Terms::default());
        let shop = Self::built_on(folder, database.to_owned(), limits, terms, bank).await;
        shop.fill().await;
        shop
    }

    async fn built_on(
        folder: tempfile::TempDir,
        location: String,
        limits: Limits,
        terms: Terms,
        bank: SandboxSettings,
    ) -> Self {
        show_faults();
        let database = migrated(&location).await;
        let (test_clock, clock) = clocks();
        let (store, chance): (_, Arc<dyn Chance>) = (database.store(), Arc::new(SystemChance));
        let (writer, stock) = ledger(&store, &clock, &chance).await;
        let book = folder.path().join("sandbox.jsonl");
        let gateway = Arc::new(Sandbox::open(book, bank, clock.clone()).expect("a new book"));
        let collector = collector((&store, &writer), &gateway, &clock, &chance);
        let answers = answers(&database).await;
        let (catalog, inbox) = (Catalog::new(database.clone()), Inbox::new(database.clone()));
        let rules = Arc::new(Rules::load(database.clone(), clock.clone()).await.expect("rules"));
        let models = Models::new(database.clone(), folder.path().join("models"), clock.clone());
        let desk = Arc::new(Checkout {
            store: store.clone(),
            writer: writer.clone(),
            stock,
            unpaid: Unpaid::default(),
            catalog: catalog.clone(),
            tariffs: Arc::new(Tariffs::new(database.clone())),
            fraud: judges::judge(Policy { test_emails: true, ..Policy::default() }, &clock, &rules),
            gateways: Gateways::only(gateway.clone()),
            public_url: BASE_URL.to_owned(),
            hot: None,
            render: answers.clone(),
            collector,
            clock: clock.clone(),
            chance: chance.clone(),
            terms,
            probe: Arc::new(NoProbe),
        });
        Self {
            door: Data::new(Door {
                inbox,
                webhooks: webhooks(&database),
                trust: trust(&database, &clock).await,
                addresses: Addresses::new(database.clone()),
                carts: Arc::new(Carts::new(desk.clone(), arbiters())),
                desk,
                cases: Cases::new(database.clone()),
                database: database.clone(),
                store,
                writer,
                catalog,
                rules,
                models: Arc::new(models),
                clock: clock.clone(),
                test_clock: Some(test_clock),
                chance,
                limits,
                browsers: Browsers::default(),
                access: Access::Open,
                keys: Arc::new(Keys::new(database.clone(), clock.clone())),
                answers,
                draining: Arc::new(Draining::default()),
                ready: Ready::default(),
                working: Arc::new(Gate::default()),
                reading: Arc::new(Gate::default()),
            }),
            bank: gateway,
            database,
            _folder: Arc::new(folder),
        }
    }

    /// The same shop, open to who has a key, with a key for each of so many storefronts.
    pub(crate) async fn with_keys(self, storefronts: usize) -> (Self, Vec<String>) {
        self.keyed(Scope::Checkout, storefronts).await
    }

    /// The same shop, open to who has a key, with one that allows this.
    pub(crate) async fn with_key_for(self, scope: Scope) -> (Self, String) {
        let (shop, mut keys) = self.keyed(scope, 1).await;
        (shop, keys.remove(0))
    }

    async fn keyed(self, scope: Scope, many: usize) -> (Self, Vec<String>) {
        self.with_keys_for(&vec![scope; many]).await
    }

    /// The same shop, open to who has a key, with a key for each of these scopes.
    pub(crate) async fn with_keys_for(self, scopes: &[Scope]) -> (Self, Vec<String>) {
        let keys = self.door.keys.clone();
        let mut made = Vec::new();
        for (number, scope) in scopes.iter().enumerate() {
            let label = format!("storefront {number}");
            let wish = KeyWish { label, scopes: vec![*scope], ..KeyWish::default() };
            let key = keys.create(&wish, &SystemChance).await;
            made.push(key.expect("made").text);
        }
        let Self { door, bank, database, _folder } = self;
        let door = Arc::into_inner(door.into_inner()).expect("nobody else has the door yet");
        let door = Data::new(Door { access: Access::Keys(keys), ..door });
        (Self { door, bank, database, _folder }, made)
    }

    /// The same shop, in which platforms must sign what they ask.
    pub(crate) fn that_wants_signatures(self) -> Self {
        let Self { door, bank, database, _folder } = self;
        let door = Arc::into_inner(door.into_inner()).expect("nobody else has the door yet");
        let trust = Trust { must_sign: true, ..door.trust.clone() };
        let door = Data::new(Door { trust, ..door });
        Self { door, bank, database, _folder }
    }

    /// The same shop, to browsers that may do this.
    pub(crate) fn with_browsers(self, browsers: Browsers) -> Self {
        let Self { door, bank, database, _folder } = self;
        let door = Arc::into_inner(door.into_inner()).expect("nobody else has the door yet");
        Self { door: Data::new(Door { browsers, ..door }), bank, database, _folder }
    }

    /// Another replica of the shop: carts of its own over the same ledger. Both are open to all.
    pub(crate) fn twin(&self) -> Self {
        let door = &self.door;
        let twin = Door {
            inbox: door.inbox.clone(),
            webhooks: webhooks(&self.database),
            trust: door.trust.clone(),
            addresses: Addresses::new(self.database.clone()),
            carts: Arc::new(Carts::new(door.desk.clone(), arbiters())),
            desk: door.desk.clone(),
            cases: Cases::new(self.database.clone()),
            database: self.database.clone(),
            store: door.store.clone(),
            writer: door.writer.clone(),
            catalog: door.catalog.clone(),
            rules: door.rules.clone(),
            models: door.models.clone(),
            clock: door.clock.clone(),
            test_clock: door.test_clock.clone(),
            chance: door.chance.clone(),
            limits: door.limits.clone(),
            browsers: door.browsers.clone(),
            access: Access::Open,
            keys: door.keys.clone(),
            answers: door.answers.clone(),
            draining: Arc::new(Draining::default()),
            ready: Ready::default(),
            working: Arc::new(Gate::default()),
            reading: Arc::new(Gate::default()),
        };
        let (bank, database) = (self.bank.clone(), self.database.clone());
        Self { door: Data::new(twin), bank, database, _folder: self._folder.clone() }
    }

    async fn fill(&self) {
        self.sells("TEE", 1990, StockPolicy::Tracked, 5).await;
        self.sells("CAP", 900, StockPolicy::Tracked, 1).await;
        self.sells("EBOOK", 499, StockPolicy::Untracked, 0).await;
    }

    /// Puts a product on sale with so many units.
    pub(crate) async fn sells(&self, sku: &str, minor: i64, stock_policy: StockPolicy, units: u32) {
        let sku = Sku::parse(sku).expect("a SKU");
        let now = self.door.clock.now();
        let product = Product {
            sku: sku.clone(),
            title: format!("The {sku}"),
            price: Money::from_minor(minor, "EUR".parse().expect("a currency")),
            tax_category: "standard".into(),
            image_url: Some(format!("{BASE_URL}/{sku}.png")),
            attributes: Default::default(),
            stock_policy,
            active: true,
            updated_at: now,
            group: None,
            options: Vec::new(),
            description: None,
            categories: Vec::new(),
            max_per_order: None,
            archived_at: None,
            list_prices: Vec::new(),
        };
        self.door.catalog.save(&[product]).await.expect("saved");
        if units > 0 {
            let id = MovementId::new(now, &*self.door.chance);
            let (kind, reason) = (MoveKind::Receive, "opening".to_owned());
            let moved = StockMove { id, sku, kind, quantity: units, reason, key: None, now };
            let entry = Entry::new(EntryId::of(id), Fact::Move(moved));
            self.door.writer.write(entry).await.expect("reachable").expect("recorded");
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        self.send_with(request, |_| ()).await
    }

    /// Sends a request to a shop with further routes.
    pub(crate) async fn send_with(
        &self,
        request: TestRequest,
        more: impl FnOnce(&mut ServiceConfig),
    ) -> Answer {
        let app = App::new()
            .wrap(from_fn(admission::admit))
            .app_data(self.door.clone())
            .configure(more)
            .configure(routes);
        let app = init_service(app).await;
        let response = match try_call_service(&app, request.to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = actix_web::body::to_bytes(response.into_body()).await.expect("a whole body");
        Answer { status, headers, bytes: bytes.to_vec() }
    }

    /// Gets a resource.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Changes something under a fresh key.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.ask_as(&fresh_key(), method, path, body).await
    }

    /// Sends a table under this key.
    pub(crate) async fn posts_table(&self, key: &str, path: &str, table: &str) -> Answer {
        let request = TestRequest::post().uri(path).set_payload(table.to_owned());
        let request = request.insert_header(("content-type", "text/csv; charset=utf-8"));
        self.send(request.insert_header(("idempotency-key", key))).await
    }

    /// Changes something under this key.
    pub(crate) async fn ask_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Answer {
        let request = TestRequest::default().method(method).uri(path).set_payload(body.to_string());
        let request = request
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", body.to_string().len()))
            .insert_header(("idempotency-key", key));
        self.send(request).await
    }

    /// Posts under a fresh key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, body).await
    }
}

/// A key nobody used.
pub(crate) fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Each case on a shop over PostgreSQL and on one over SQLite.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[actix_web::test]
            async fn $case() {
                let address = crate::support::servers::postgres().await;
                super::$case(crate::http_shop::Shop::on(&address).await).await;
            })+
        }
        mod sqlite {
            $(#[actix_web::test]
            async fn $case() {
                super::$case(crate::http_shop::Shop::open().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

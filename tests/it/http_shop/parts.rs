//! What a shop is put together from.

use actix::{ArbiterHandle, System};
use doorbuster::{
    base::{AnchoredClock, Chance, Clock, HolderId, TestClock},
    checkout::{Collection, Collector, NoProbe},
    http::{Answers, Site, Trust, Webhooks},
    ledger::{BatchReply, Database, DatabaseOptions, Store, Writer},
    outbound::{GuardedClient, OutboundSettings, Reach},
    outbox::{Deliveries, Endpoints},
    payment::{Gateways, sandbox::Sandbox},
    platforms::Platforms,
    signing::SigningKeys,
    stock::{GrantTerms, Stock},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// What is said, and kept as in production: what never changes in it once.
pub(super) async fn answers(database: &Database) -> Arc<Answers> {
    let answers = Answers::of(Site::at(super::BASE_URL)).kept_in(database).await;
    Arc::new(answers.expect("parts of answers are kept"))
}

/// A database with all its tables.
pub(super) async fn migrated(location: &str) -> Database {
    let database = Database::open(&DatabaseOptions::new(location)).await.expect("opens");
    database.migrate().await.expect("migrates");
    database
}

/// Endpoints as in production: nothing private is asked.
pub(super) fn webhooks(database: &Database) -> Webhooks {
    Webhooks {
        endpoints: Endpoints::new(database.clone()),
        deliveries: Deliveries::new(database.clone()),
        client: GuardedClient::new(&OutboundSettings::default(), Reach::Public).expect("a client"),
    }
}

/// Profiles are asked for on this machine, too; nobody has to sign.
pub(super) async fn trust(database: &Database, clock: &Arc<dyn Clock>) -> Trust {
    let keys = SigningKeys::new(database.clone());
    keys.follow(clock.now()).await.expect("a key is made");
    let reach = Reach::PublicAndLoopback;
    let client = GuardedClient::new(&OutboundSettings::default(), reach).expect("a client");
    let platforms = Platforms::new(client, clock.clone());
    Trust { platforms, keys: Arc::new(keys), must_sign: false }
}

/// A clock that tests may put forward, twice.
pub(super) fn clocks() -> (Arc<TestClock>, Arc<dyn Clock>) {
    let clock = Arc::new(TestClock::new(Arc::new(AnchoredClock::from_system())));
    (clock.clone(), clock)
}

/// The ledger's writer and the SKU actors that hear of its commits.
pub(super) async fn ledger(
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    chance: &Arc<dyn Chance>,
) -> (Writer, Arc<Stock>) {
    let stock: Arc<OnceLock<Arc<Stock>>> = Arc::default();
    let listening = stock.clone();
    let heard = Arc::new(move |reply: &BatchReply| {
        if let Some(stock) = listening.get() {
            stock.heard(reply);
        }
    });
    let (writer, task) = Writer::new(store.clone(), clock.clone(), heard);
    actix_web::rt::spawn(task);
    let holder = HolderId::new(clock.now(), &**chance);
    store.register_holder(holder, "test", clock.now()).await.expect("registers");
    let terms = GrantTerms::default();
    let (kept, told, rolled) = (writer.clone(), clock.clone(), chance.clone());
    let actors = Arc::new(Stock::new(kept, told, rolled, terms, holder, arbiters()));
    stock.set(actors.clone()).ok().expect("set once");
    (writer, actors)
}

/// Collects what is owed for as long as the test runs.
pub(super) fn collector(
    (store, writer): (&Arc<dyn Store>, &Writer),
    gateway: &Arc<Sandbox>,
    clock: &Arc<dyn Clock>,
    chance: &Arc<dyn Chance>,
) -> Collector {
    let (collector, collecting) = Collection {
        store: store.clone(),
        writer: writer.clone(),
        gateways: Gateways::only(gateway.clone()),
        clock: clock.clone(),
        chance: chance.clone(),
        probe: Arc::new(NoProbe),
        review_due: Duration::from_secs(4 * 60 * 60),
        review_max: Duration::from_secs(6 * 24 * 60 * 60),
    }
    .start();
    actix_web::rt::spawn(collecting);
    collector
}

/// All actors of a test run on its own thread.
pub(super) fn arbiters() -> Vec<ArbiterHandle> {
    vec![System::current().arbiter().clone()]
}

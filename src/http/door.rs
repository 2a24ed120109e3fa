//! Everything a handler may reach.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{cors::Cors, gate::Gate, health::Ready, hosts::Hosts, render::Answers};
use crate::{
    access::{Access, Keys},
    base::{Chance, Clock, Limits, TestClock},
    cart::Carts,
    catalog::Catalog,
    checkout::Checkout,
    customers::Addresses,
    fraud::{cases::Cases, models::Models, rules::Rules},
    ledger::{Database, Store, Writer},
    outbound::GuardedClient,
    outbox::{Deliveries, Endpoints},
    payment::inbox::Inbox,
    platforms::Platforms,
    signing::SigningKeys,
};

/// How the shop presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The public address, without a slash at the end.
    pub base_url: String,
    /// Where the privacy policy stands.
    pub privacy_url: String,
    /// Where the terms of service stand.
    pub terms_url: String,
    /// Name under which our payment handler is announced, in reverse-DNS form.
    pub payment_handler: String,
}

impl Site {
    /// A shop at this address, with its own small policy pages.
    pub fn at(base_url: &str) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self {
            privacy_url: format!("{base_url}/policies/privacy"),
            terms_url: format!("{base_url}/policies/terms"),
            payment_handler: "dev.doorbuster.sandbox".to_owned(),
            base_url,
        }
    }
}

/// Whether this replica is on its way out: it finishes what it has and begins nothing.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    /// From now on readiness says no and new changes are refused.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Everything a handler may reach. One for the whole process, shared by all workers.
pub struct Door {
    /// The live carts.
    pub carts: Arc<Carts>,
    /// The checkout, for what concerns orders and no cart.
    pub desk: Arc<Checkout>,
    /// What gateways have told.
    pub inbox: Inbox,
    /// Orders that wait for a person.
    pub cases: Cases,
    /// The database, for changes of tables that belong to slices.
    pub database: Database,
    /// The ledger, for reading.
    pub store: Arc<dyn Store>,
    /// The ledger, for writing.
    pub writer: Writer,
    /// The catalogue.
    pub catalog: Catalog,
    /// Who hears of what happens to orders.
    pub webhooks: Webhooks,
    /// How platforms and we believe each other.
    pub trust: Trust,
    /// Where customers who are known had goods sent to.
    pub addresses: Addresses,
    /// The rules over orders.
    pub rules: Arc<Rules>,
    /// The models that may score.
    pub models: Arc<Models>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The same, where it may be put forward: in dev mode.
    pub test_clock: Option<Arc<TestClock>>,
    /// Makes ids.
    pub chance: Arc<dyn Chance>,
    /// What callers may send.
    pub limits: Limits,
    /// What pages in browsers may ask and read.
    pub browsers: Browsers,
    /// Who may do what.
    pub access: Access,
    /// The keys they have, or would have where access is open.
    pub keys: Arc<Keys>,
    /// Writes answers; the same that `checkout` renders with.
    pub answers: Arc<Answers>,
    /// The way out.
    pub draining: Arc<Draining>,
    /// Whether the ledger takes commits.
    pub ready: Ready,
    /// Requests being worked on.
    pub working: Arc<Gate>,
    /// Requests whose body is still arriving.
    pub reading: Arc<Gate>,
}

/// Who hears of what happens to orders, and what became of it.
#[derive(Clone)]
pub struct Webhooks {
    /// Who.
    pub endpoints: Endpoints,
    /// What.
    pub deliveries: Deliveries,
    /// Says which addresses may be asked.
    pub client: GuardedClient,
}

/// What pages in browsers may ask and read.
#[derive(Debug, Clone, Default)]
pub struct Browsers {
    /// Which pages may read answers.
    pub cors: Cors,
    /// The names this service answers to.
    pub hosts: Hosts,
}

/// How platforms and we believe each other.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Where platforms say who they are.
    pub platforms: Platforms,
    /// What platforms believe us by.
    pub keys: Arc<SigningKeys>,
    /// Whether platforms must sign what they ask.
    pub must_sign: bool,
}

impl Door {
    /// How the shop presents itself.
    pub fn site(&self) -> &Site {
        self.answers.site()
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("site", self.site()).finish_non_exhaustive()
    }
}

//! All live carts: finds the actor of a checkout, starts it on first use, starts it again after a
//! panic, puts it to sleep when idle.

use actix::{Actor, Addr, ArbiterHandle, MailboxError};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    actor::CartActor,
    messages::{Ask, Awaited, Retire, Show, Tend},
};
use crate::{
    base::{CheckoutId, Timestamp},
    checkout::{Checkout, CheckoutRefused, Reply, Session},
    ledger::row::SessionState,
};

/// Locks shared by few enough carts that two requests rarely meet.
const SHARDS: usize = 32;

/// One who waits for a command, for as long as they do: a caller may go away at any moment.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    alive: Arc<()>,
}

impl<'a> Waiting<'a> {
    fn on(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count, alive: Arc::default() }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Live {
    addr: Addr<CartActor>,
    used_at: Timestamp,
}

/// The registry of live carts.
pub struct Carts {
    desk: Arc<Checkout>,
    arbiters: Vec<ArbiterHandle>,
    shards: Vec<Mutex<HashMap<CheckoutId, Live>>>,
    waiting: AtomicUsize,
}

impl Carts {
    /// A registry whose actors run on these arbiters.
    pub fn new(desk: Arc<Checkout>, arbiters: Vec<ArbiterHandle>) -> Self {
        Self {
            desk,
            arbiters,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Has a command carried out. Once begun it goes on when the caller goes away; while it waits
    /// for its turn it is dropped with this future.
    ///
    /// An actor that dies under the command leaves its outcome unknown here: asking again with the
    /// same key tells, since key and work are one commit.
    pub async fn ask(&self, ask: Ask) -> Result<Reply, CheckoutRefused> {
        let checkout = ask.checkout;
        let waiting = Waiting::on(&self.waiting);
        let (ask, waits) = (Box::new(ask), Arc::downgrade(&waiting.alive));
        let answer = self.actor(checkout).send(Awaited { ask, waits }).await;
        drop(waiting);
        answer.unwrap_or_else(|error| Err(dead(error)))
    }

    /// Shows a checkout.
    pub async fn show(&self, show: Show) -> Result<Arc<Session>, CheckoutRefused> {
        self.show_any(show, false).await
    }

    /// Shows a cart, and one that stands as it is priced now: nothing is held for it, so nothing
    /// holds its prices either.
    pub async fn show_cart(&self, show: Show) -> Result<Arc<Session>, CheckoutRefused> {
        let cart = self.show_any(show, true).await?;
        match cart.state {
            SessionState::Open => Ok(Arc::new(self.desk.priced_now(&cart).await?)),
            _ => Ok(cart),
        }
    }

    async fn show_any(&self, show: Show, is_cart: bool) -> Result<Arc<Session>, CheckoutRefused> {
        let checkout = show.checkout;
        let shown = self.actor(checkout).send(show).await.unwrap_or_else(|error| Err(dead(error)));
        let session = Some(shown?).filter(|session| session.is_cart == is_cart);
        session.ok_or(CheckoutRefused::NotFound(checkout))
    }

    /// Looks after a session nobody asked about.
    pub async fn tend(&self, checkout: CheckoutId) -> Result<(), CheckoutRefused> {
        self.actor(checkout).send(Tend { checkout }).await.unwrap_or_else(|error| Err(dead(error)))
    }

    /// How many commands wait for a cart, those being carried out included.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many carts are live.
    pub fn live_count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Puts carts to sleep that nobody asked for since `idle`. Returns how many.
    pub async fn retire_idle(&self, idle: Duration) -> usize {
        let before = self.desk.now().minus(idle);
        let mut count = 0;
        for shard in &self.shards {
            let mut due: Vec<_> = lock(shard)
                .iter()
                .filter(|(_, live)| live.used_at <= before)
                .map(|(checkout, live)| (*checkout, live.addr.clone()))
                .collect();
            due.sort_unstable_by_key(|(checkout, _)| *checkout);
            for (checkout, addr) in due {
                if addr.send(Retire).await.unwrap_or(true) {
                    // Stopped or dead: the next one to ask starts a new actor, or has already.
                    let mut live = lock(shard);
                    if live.get(&checkout).is_some_and(|entry| entry.addr == addr) {
                        live.remove(&checkout);
                    }
                    count += 1;
                }
            }
        }
        count
    }

    /// Puts every cart to sleep as it finishes what it has, this long at most.
    pub async fn rest(&self, at_most: Duration) {
        let give_up = self.desk.now().plus(at_most);
        while self.retire_idle(Duration::ZERO).await > 0 || self.live_count() > 0 {
            if self.desk.now() >= give_up {
                tracing::warn!(
                    carts = self.live_count(),
                    "carts were still at work when time was up"
                );
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The actor of a checkout. One that died is replaced: it was a cache of decisions.
    fn actor(&self, checkout: CheckoutId) -> Addr<CartActor> {
        // A version 7 UUID ends in random bits: they spread evenly.
        let bits = checkout.uuid().as_u128();
        let pick = |bits: u128, of: usize| usize::try_from(bits % of.max(1) as u128).unwrap_or(0);
        let mut live = lock(&self.shards[pick(bits, SHARDS)]);
        let used_at = self.desk.now();
        if let Some(entry) = live.get_mut(&checkout).filter(|entry| entry.addr.connected()) {
            entry.used_at = used_at;
            return entry.addr.clone();
        }
        let desk = self.desk.clone();
        let addr = match self.arbiters.get(pick(bits >> 8, self.arbiters.len())) {
            Some(arbiter) => CartActor::start_in_arbiter(arbiter, |_| CartActor::new(desk)),
            None => CartActor::new(desk).start(),
        };
        live.insert(checkout, Live { addr: addr.clone(), used_at });
        addr
    }
}

/// The actor died, or its arbiter stopped: what was asked may or may not have been done.
fn dead(_: MailboxError) -> CheckoutRefused {
    CheckoutRefused::KeyInFlight
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while holding it leaves at worst a missing entry, which is started again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

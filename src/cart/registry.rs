//! All live carts: finds the actor of a checkout, starts it on first use, starts it again after a
//! panic, puts it to sleep when idle.

use actix::{Addr, ArbiterHandle, MailboxError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tracing::Span;

use super::{
    actor::CartActor,
    carts::LiveCarts,
    messages::{Ask, Awaited, Retire, Show, Tend},
};
use crate::{
    base::CheckoutId,
    checkout::{Checkout, CheckoutRefused, Reply, Session},
    ledger::row::SessionState,
};

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

/// The registry of live carts.
pub struct Carts {
    desk: Arc<Checkout>,
    arbiters: Vec<ArbiterHandle>,
    live: Arc<LiveCarts>,
    waiting: AtomicUsize,
}

impl Carts {
    /// A registry whose actors run on these arbiters.
    pub fn new(desk: Arc<Checkout>, arbiters: Vec<ArbiterHandle>) -> Self {
        Self { desk, arbiters, live: LiveCarts::new(), waiting: AtomicUsize::new(0) }
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
        let awaited = Awaited { ask, waits, span: Span::current() };
        let answer = self.actor(checkout).send(awaited).await;
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
        let shown = match self.live.find(checkout, self.desk.now()) {
            Some(cart) => cart.send(show).await.unwrap_or_else(|error| Err(dead(error))),
            // Nobody needs an actor to be shown what the ledger has.
            None => show.read(&self.desk).await,
        };
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
        self.live.count()
    }

    /// Puts carts to sleep that nobody asked for since `idle`. Returns how many.
    pub async fn retire_idle(&self, idle: Duration) -> usize {
        let before = self.desk.now().minus(idle);
        let mut count = 0;
        for due in self.live.unused_since(before) {
            for (checkout, addr) in due {
                if addr.send(Retire).await.unwrap_or(true) {
                    // Stopped or dead: the next one to ask starts a new actor, or has already.
                    self.live.remove(checkout, &addr);
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

    fn actor(&self, checkout: CheckoutId) -> Addr<CartActor> {
        self.live.find_or_start(checkout, &self.desk, &self.arbiters)
    }
}

/// The actor died, or its arbiter stopped: what was asked may or may not have been done.
fn dead(_: MailboxError) -> CheckoutRefused {
    CheckoutRefused::KeyInFlight
}

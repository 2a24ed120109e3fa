//! The addresses of live carts.

use actix::{Actor, Addr, ArbiterHandle};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::actor::CartActor;
use crate::{
    base::{CheckoutId, Timestamp},
    checkout::Checkout,
};

/// Locks shared by few enough carts that two requests rarely meet.
const SHARDS: usize = 32;

struct Live {
    addr: Addr<CartActor>,
    used_at: Timestamp,
}

/// Which actor a checkout has. The registry and the actors share it: one whose checkout has ended
/// takes itself out.
pub(super) struct LiveCarts {
    shards: Vec<Mutex<HashMap<CheckoutId, Live>>>,
}

impl LiveCarts {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() })
    }

    /// How many carts are live.
    pub(super) fn count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// The actor that a checkout has, if it has one.
    pub(super) fn find(&self, checkout: CheckoutId, now: Timestamp) -> Option<Addr<CartActor>> {
        let mut live = self.shard(checkout);
        let entry = live.get_mut(&checkout).filter(|entry| entry.addr.connected())?;
        entry.used_at = now;
        Some(entry.addr.clone())
    }

    /// The actor of a checkout, started when there is none. One that died is replaced: it was a
    /// cache of decisions.
    pub(super) fn find_or_start(
        self: &Arc<Self>,
        checkout: CheckoutId,
        desk: &Arc<Checkout>,
        arbiters: &[ArbiterHandle],
    ) -> Addr<CartActor> {
        let used_at = desk.now();
        let mut live = self.shard(checkout);
        if let Some(entry) = live.get_mut(&checkout).filter(|entry| entry.addr.connected()) {
            entry.used_at = used_at;
            return entry.addr.clone();
        }
        let (desk, home) = (desk.clone(), self.clone());
        let cart = move || CartActor::new(checkout, desk, home);
        let addr = match arbiters.get(pick(bits(checkout) >> 8, arbiters.len())) {
            Some(arbiter) => CartActor::start_in_arbiter(arbiter, |_| cart()),
            None => cart().start(),
        };
        live.insert(checkout, Live { addr: addr.clone(), used_at });
        addr
    }

    /// Takes a cart out if this actor still is its own. Returns whether it was.
    pub(super) fn remove(&self, checkout: CheckoutId, addr: &Addr<CartActor>) -> bool {
        let mut live = self.shard(checkout);
        let is_its_own = live.get(&checkout).is_some_and(|entry| entry.addr == *addr);
        if is_its_own {
            live.remove(&checkout);
        }
        is_its_own
    }

    /// Those nobody asked for since then, shard by shard, each in the order of their ids.
    pub(super) fn unused_since(
        &self,
        before: Timestamp,
    ) -> impl Iterator<Item = Vec<(CheckoutId, Addr<CartActor>)>> {
        self.shards.iter().map(move |shard| {
            let live = lock(shard);
            let unused = live.iter().filter(|(_, live)| live.used_at <= before);
            let mut due: Vec<_> = unused.map(|(id, live)| (*id, live.addr.clone())).collect();
            due.sort_unstable_by_key(|(checkout, _)| *checkout);
            due
        })
    }

    fn shard(&self, checkout: CheckoutId) -> MutexGuard<'_, HashMap<CheckoutId, Live>> {
        lock(&self.shards[pick(bits(checkout), SHARDS)])
    }
}

/// A version 7 UUID ends in random bits: they spread evenly.
fn bits(checkout: CheckoutId) -> u128 {
    checkout.uuid().as_u128()
}

fn pick(bits: u128, of: usize) -> usize {
    usize::try_from(bits % of.max(1) as u128).unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while holding it leaves at worst a missing entry, which is started again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

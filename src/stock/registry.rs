//! All live SKUs: finds the actor of a SKU, starts it on first use, starts it again after a panic,
//! puts it to sleep when idle.

use actix::{Actor, Addr, ArbiterHandle, MailboxError};
use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use super::{
    actor::SkuActor,
    grants::GrantTerms,
    messages::{Landed, Retire, Seen, TakeUnits},
};
use crate::{
    base::{Chance, Clock, GrantId, HolderId, Sku, Timestamp},
    ledger::{
        BatchReply, Done, Entry, EntryId, Fact, Writer,
        entry::{CloseGrants, GrantWanted, Source},
    },
};

/// Locks shared by few enough SKUs that two requests rarely meet.
const SHARDS: usize = 32;

/// What every SKU actor needs of the world.
pub struct Desk {
    writer: Writer,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    terms: GrantTerms,
    holder: RwLock<HolderId>,
}

impl Desk {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When grants are earned.
    pub const fn terms(&self) -> GrantTerms {
        self.terms
    }

    /// Asks the ledger for a block. `None` when it has none to give, or this holder was fenced.
    pub async fn ask_for_a_grant(&self, sku: Sku) -> Option<(GrantId, i64)> {
        let now = self.clock.now();
        let id = GrantId::new(now, &*self.chance);
        let holder = *self.holder.read().unwrap_or_else(PoisonError::into_inner);
        let GrantTerms { block_min: at_least, block_max: at_most, .. } = self.terms;
        let fact = Fact::Grant(GrantWanted { id, sku, holder, at_least, at_most, now });
        match self.writer.write(Entry::new(EntryId::of(id), fact)).await {
            Ok(Ok(Done::Granted { grant, granted })) => Some((grant, granted)),
            _ => None,
        }
    }

    /// Gives grants back. What cannot be given back now is fenced with this holder later.
    pub async fn give_back(&self, grants: Vec<GrantId>) {
        let Some(first) = grants.first() else { return };
        let id = EntryId::of(format_args!("close/{first}"));
        let fact = Fact::CloseGrants(CloseGrants { grants, now: self.clock.now() });
        if let Err(fault) = self.writer.write(Entry::new(id, fact)).await {
            tracing::warn!(%fault, "grants could not be given back; fencing will return them");
        }
    }
}

struct Live {
    addr: Addr<SkuActor>,
    used_at: Timestamp,
}

/// The registry of live SKUs.
pub struct Stock {
    desk: Arc<Desk>,
    arbiters: Vec<ArbiterHandle>,
    shards: Vec<Mutex<HashMap<Sku, Live>>>,
    /// The same in every process: only products of the catalogue get this far, so nobody can
    /// choose names that crowd one shard, and a seed reproduces a run.
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Stock {
    /// A registry whose actors run on these arbiters.
    pub fn new(
        writer: Writer,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        terms: GrantTerms,
        holder: HolderId,
        arbiters: Vec<ArbiterHandle>,
    ) -> Self {
        let desk = Desk { writer, clock, chance, terms, holder: RwLock::new(holder) };
        Self {
            desk: Arc::new(desk),
            arbiters,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: BuildHasherDefault::default(),
        }
    }

    /// Takes units for a hold. An actor that died is started again: its memory is only a cache.
    pub async fn take(&self, sku: &Sku, quantity: u32) -> Source {
        for _ in 0..2 {
            match self.actor(sku).send(TakeUnits { quantity }).await {
                Ok(source) => return source,
                Err(MailboxError::Closed) => self.forget_dead(sku),
                Err(MailboxError::Timeout) => break,
            }
        }
        Source::Direct
    }

    /// The commit that used units is known.
    pub async fn landed(&self, sku: &Sku, source: Source, quantity: u32) {
        let Source::Grant(grant) = source else { return };
        if let Some(addr) = self.live(sku) {
            // A dead actor has no memory to correct.
            let _dead = addr.send(Landed { grant, quantity }).await;
        }
    }

    /// A batch told about grants. Called by the ledger writer before it answers.
    pub fn heard(&self, reply: &BatchReply) {
        for seen in &reply.grants {
            if let Some(addr) = self.live(&seen.sku) {
                // A full mailbox leaves memory as it was: the ledger refuses what is gone.
                let _full = addr.try_send(Seen(seen.clone()));
            }
        }
    }

    /// How many SKUs are live.
    pub fn live_count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Puts SKUs to sleep that nobody asked for since `idle`. Returns how many.
    pub async fn retire_idle(&self, idle: Duration) -> usize {
        let before = self.desk.now().minus(idle);
        let mut count = 0;
        for shard in &self.shards {
            let mut due: Vec<_> = lock(shard)
                .iter()
                .filter(|(_, live)| live.used_at <= before)
                .map(|(sku, live)| (sku.clone(), live.addr.clone()))
                .collect();
            due.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            for (sku, addr) in due {
                if addr.send(Retire).await.unwrap_or(true) {
                    // It still counts as connected for a moment.
                    let mut live = lock(shard);
                    if live.get(&sku).is_some_and(|entry| entry.addr == addr) {
                        live.remove(&sku);
                    }
                    count += 1;
                }
            }
        }
        count
    }

    /// From now on grants are asked for under this holder; the old one was fenced.
    pub fn become_holder(&self, holder: HolderId) {
        *self.desk.holder.write().unwrap_or_else(PoisonError::into_inner) = holder;
    }

    fn shard(&self, sku: &Sku) -> (u64, &Mutex<HashMap<Sku, Live>>) {
        let hash = self.hasher.hash_one(sku);
        // Fewer shards than 2³²: the remainder always fits.
        let at = usize::try_from(hash % self.shards.len() as u64).unwrap_or(0);
        (hash, &self.shards[at])
    }

    fn live(&self, sku: &Sku) -> Option<Addr<SkuActor>> {
        lock(self.shard(sku).1).get(sku).map(|live| live.addr.clone())
    }

    fn actor(&self, sku: &Sku) -> Addr<SkuActor> {
        let (hash, shard) = self.shard(sku);
        let used_at = self.desk.now();
        let mut live = lock(shard);
        if let Some(entry) = live.get_mut(sku).filter(|entry| entry.addr.connected()) {
            entry.used_at = used_at;
            return entry.addr.clone();
        }
        let at = usize::try_from((hash >> 32) % self.arbiters.len().max(1) as u64).unwrap_or(0);
        let (desk, name) = (self.desk.clone(), sku.clone());
        let addr = match self.arbiters.get(at) {
            Some(arbiter) => {
                SkuActor::start_in_arbiter(arbiter, move |_| SkuActor::new(name, desk))
            }
            None => SkuActor::new(name, desk).start(),
        };
        live.insert(sku.clone(), Live { addr: addr.clone(), used_at });
        addr
    }

    /// Drops the entry of an actor that has stopped, unless a new one took its place already.
    fn forget_dead(&self, sku: &Sku) {
        let mut live = lock(self.shard(sku).1);
        if live.get(sku).is_some_and(|entry| !entry.addr.connected()) {
            live.remove(sku);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while holding it leaves at worst a missing entry, which is started again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

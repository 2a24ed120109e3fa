//! The real code in simulation: actors, registries, saga, collector, keeper, holder, writer and
//! judge, with a ledger, a bank and a cache in memory, on one thread and on virtual time. A seed
//! decides everything: who buys what, what breaks when, who freezes, who dies.
//!
//! Every run ends with a [reckoning], and every seed is played twice: the hash of all events must
//! be the same, or something ambient has crept in.
//!
//! The stage is a plain current-thread runtime with paused time. Of a network simulator's work
//! (`turmoil` was tried) nothing is needed, as no replica speaks to another; and what is needed
//! it does not do: freeze a process for longer than its heartbeat is waited for while the others
//! go on. Here each replica is a set of tasks that is polled, or not, or dropped. Actors start
//! where they are asked for, so they live and die with their replica.

mod apply;
mod bank;
mod cache;
mod cases;
mod chaos;
mod known;
mod ledger;
mod locks;
mod reckoning;
mod replica;
mod sabotage;
mod seen;
mod shopper;
mod stage;
mod store;
mod tables;

use chaos::{Chaos, Run};
use doorbuster::{
    base::{MovementId, SeededChance, Sku},
    ledger::{
        Commit, Entry, EntryId, Fact,
        entry::{MoveKind, StockMove},
    },
};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

use replica::{Products, World, product};
use shopper::Street;

/// Plays a seed from the opening to the reckoning.
pub(crate) fn run(seed: u64, sabotage: Option<sabotage::Sabotage>, keeps_log: bool) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let chaos = Arc::new(Chaos::new(seed, sabotage, keeps_log));
        let (doomed, dying) = mpsc::unbounded_channel();
        let ledger = ledger::Ledger::new(chaos.clone());
        let world = World {
            ledger: ledger.clone(),
            bank: bank::Bank::new(chaos.clone()),
            cache: Arc::new(cache::Cache::new(chaos.clone())),
            products: Arc::new(Products::default()),
            doomed,
            chaos: chaos.clone(),
        };
        let skus = Arc::new(open(&world, seed).await);
        let street = Street {
            chaos: chaos.clone(),
            doors: Arc::new(Mutex::new((0..chaos.plan.replicas).map(|_| None).collect())),
            receipts: Arc::default(),
            tables: ledger.tables.clone(),
            skus,
        };
        stage::play(world, dying, street).await;
        chaos.verdict()
    })
}

/// Puts products on sale, before anything goes wrong.
async fn open(world: &World, seed: u64) -> Vec<Sku> {
    use doorbuster::catalog::Shelf;
    let dice = SeededChance::new(seed);
    let (now, plan) = (world.chaos.now(), world.chaos.plan);
    let skus: Vec<Sku> =
        (0..plan.skus).map(|at| Sku::parse(&format!("SKU-{at}")).expect("a SKU")).collect();
    for sku in &skus {
        world.products.save(&[product(sku.clone(), now)]).await.expect("it is kept");
        let id = MovementId::new(now, &dice);
        let quantity = u32::try_from(plan.units).expect("few");
        let (kind, reason, sku) = (MoveKind::Receive, "opening".to_owned(), sku.clone());
        let moved = StockMove { id, sku, kind, quantity, reason, key: None, now };
        let entry = [Entry::new(EntryId::of(id), Fact::Move(moved))];
        while world.ledger.commit(&entry, now).await.is_err() {}
    }
    skus
}

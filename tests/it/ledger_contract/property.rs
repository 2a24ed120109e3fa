//! Any mix of facts comes to the same on both databases, and every SKU adds up after each batch.

use doorbuster::{
    base::{AttemptId, CheckoutId, Clock, GrantId, HolderId},
    ledger::{
        Entry, EntryId,
        entry::{LineMoveKind, MoveKind},
    },
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::time::Duration;

use crate::support::bench::{Bench, from_grant, sku, write};

const SKUS: [&str; 2] = ["A", "B"];

/// One step of a shopper, a clerk or a replica.
#[derive(Debug, Clone)]
enum Step {
    Hold { who: usize, a: u32, b: u32, granted: bool, twice: bool },
    Pin { who: usize, a: u32, b: u32 },
    Place { who: usize },
    Settle { who: usize, reopens: bool },
    Grant { sku: usize, at_most: u32 },
    CloseGrants,
    Move { sku: usize, receive: bool, quantity: u32 },
    Line { who: usize, kind: usize, quantity: u32 },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..4_usize;
    prop_oneof![
        4 => (who.clone(), 0..4_u32, 0..4_u32, any::<bool>(), any::<bool>())
            .prop_map(|(who, a, b, granted, twice)| Step::Hold { who, a, b, granted, twice }),
        3 => (who.clone(), 0..4_u32, 0..4_u32).prop_map(|(who, a, b)| Step::Pin { who, a, b }),
        2 => who.clone().prop_map(|who| Step::Place { who }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, reopens)| Step::Settle { who, reopens }),
        2 => (0..2_usize, 1..6_u32).prop_map(|(sku, at_most)| Step::Grant { sku, at_most }),
        1 => Just(Step::CloseGrants),
        2 => (0..2_usize, any::<bool>(), 1..6_u32)
            .prop_map(|(sku, receive, quantity)| Step::Move { sku, receive, quantity }),
        2 => (who, 0..3_usize, 1..3_u32)
            .prop_map(|(who, kind, quantity)| Step::Line { who, kind, quantity }),
        1 => Just(Step::Expire),
    ]
}

/// What a shop remembers between batches. Both databases are fed from one such memory.
struct Memory {
    shoppers: [Shopper; 4],
    grants: Vec<(GrantId, &'static str)>,
    holder: HolderId,
    decisions: u32,
}

struct Shopper {
    checkout: CheckoutId,
    version: u32,
    attempt: Option<AttemptId>,
    lines: Vec<(&'static str, u32)>,
}

impl Memory {
    fn wants(a: u32, b: u32) -> Vec<(&'static str, u32)> {
        SKUS.into_iter().zip([a, b]).filter(|(_, quantity)| *quantity > 0).collect()
    }

    fn session(&mut self, bench: &Bench, who: usize, wants: &[(&str, u32)]) -> Entry {
        self.decisions += 1;
        let shopper = &self.shoppers[who];
        let mut entry = write(bench.session(shopper.checkout, shopper.version + 1, wants));
        entry.id = EntryId::session(shopper.checkout, shopper.version + 1, self.decisions);
        entry
    }

    fn entries(&mut self, bench: &Bench, step: &Step) -> Vec<Entry> {
        match *step {
            Step::Hold { who, a, b, granted, twice } => {
                let mut entry = self.session(bench, who, &Self::wants(a, b));
                if let doorbuster::ledger::Fact::Session(session) = &mut entry.fact
                    && granted
                    && let Some((grant, of)) = self.grants.last().copied()
                {
                    let mut of_grant = (**session).clone();
                    of_grant.holds.retain(|hold| hold.sku == sku(of));
                    **session = from_grant(of_grant, grant);
                }
                let copies = if twice { 2 } else { 1 };
                vec![entry; copies]
            }
            Step::Pin { who, a, b } => {
                let wants = Self::wants(a, b);
                let mut entry = self.session(bench, who, &wants);
                let attempt = bench.attempt();
                let shopper = &mut self.shoppers[who];
                let pinning = bench.pinning(shopper.checkout, shopper.version + 1, &wants, attempt);
                entry.fact = write(pinning).fact;
                vec![entry]
            }
            Step::Place { who } => self.with_attempt(who, |shopper, attempt| {
                bench.place(shopper.checkout, attempt, &shopper.lines)
            }),
            Step::Settle { who, reopens } => self.with_attempt(who, |shopper, attempt| {
                bench.settle(shopper.checkout, attempt, reopens)
            }),
            Step::Grant { sku, at_most } => {
                let grant = bench.grant();
                self.grants.push((grant, SKUS[sku]));
                vec![bench.granted(grant, self.holder, SKUS[sku], at_most)]
            }
            Step::CloseGrants => {
                let grants: Vec<_> = self.grants.iter().map(|(grant, _)| *grant).collect();
                vec![bench.close(&grants)]
            }
            Step::Move { sku, receive, quantity } => {
                let kind = if receive { MoveKind::Receive } else { MoveKind::WriteOff };
                vec![bench.moved(SKUS[sku], kind, quantity)]
            }
            Step::Line { who, kind, quantity } => {
                let kinds = [LineMoveKind::Ship, LineMoveKind::Return, LineMoveKind::Restock];
                let shopper = &self.shoppers[who];
                let attempt = shopper.attempt.unwrap_or_else(|| bench.attempt());
                vec![bench.moves((shopper.checkout, attempt), kinds[kind], quantity)]
            }
            Step::Expire => {
                bench.clock.advance(Duration::from_secs(301));
                let all = self
                    .shoppers
                    .iter()
                    .flat_map(|shopper| SKUS.map(|name| (shopper.checkout, sku(name))));
                vec![bench.expire(all.collect())]
            }
        }
    }

    fn with_attempt(&self, who: usize, make: impl Fn(&Shopper, AttemptId) -> Entry) -> Vec<Entry> {
        let shopper = &self.shoppers[who];
        shopper.attempt.map(|attempt| make(shopper, attempt)).into_iter().collect()
    }

    /// Learns from what stands, as a cart does when it comes back.
    async fn learn(&mut self, bench: &Bench) {
        for shopper in &mut self.shoppers {
            let row = bench.store.find_session(shopper.checkout).await.expect("reads");
            let Some(row) = row else { continue };
            shopper.version = row.version;
            shopper.attempt = row.holds.iter().find_map(|hold| hold.pinned_by);
            let line = |name| {
                let hold = row.holds.iter().find(|hold| hold.sku == sku(name))?;
                Some((name, hold.quantity))
            };
            shopper.lines = SKUS.into_iter().filter_map(line).collect();
        }
    }
}

/// At most one entry for a checkout, as the writer has it; the same entry may come twice.
fn batch_of(steps: &[Step], memory: &mut Memory, bench: &Bench) -> Vec<Entry> {
    let mut batch: Vec<Entry> = Vec::new();
    for step in steps {
        for entry in memory.entries(bench, step) {
            let same = |other: &Entry| other.id != entry.id && other.checkout() == entry.checkout();
            if entry.checkout().is_none() || !batch.iter().any(same) {
                batch.push(entry);
            }
        }
    }
    batch
}

async fn the_same_on_both(batches: Vec<Vec<Step>>) {
    let (postgres, sqlite) = (Bench::postgres().await, Bench::sqlite().await);
    let both = [&postgres, &sqlite];
    let holder = postgres.replica().await;
    sqlite.store.register_holder(holder, "r1", sqlite.now()).await.expect("registers");
    for name in SKUS {
        let entry = postgres.moved(name, MoveKind::Receive, 8);
        for bench in both {
            bench.one(entry.clone()).await.expect("receives");
        }
    }
    let shoppers = [(); 4].map(|()| Shopper {
        checkout: postgres.checkout(),
        version: 0,
        attempt: None,
        lines: Vec::new(),
    });
    let mut memory = Memory { shoppers, grants: Vec::new(), holder, decisions: 0 };
    for steps in batches {
        let batch = batch_of(&steps, &mut memory, &postgres);
        sqlite.clock.advance(postgres.now().since(sqlite.clock.now()));
        let [left, right] = [postgres.batch(&batch).await, sqlite.batch(&batch).await];
        assert_eq!(left.outcomes, right.outcomes, "{batch:#?}");
        // A batch judged on known rows tells of those it moved alone.
        assert!(left.grants.iter().all(|seen| right.grants.contains(seen)), "{left:?}, {right:?}");
        assert!(left.stock.iter().all(|seen| right.stock.contains(seen)), "{left:?}, {right:?}");
        for name in SKUS {
            assert_eq!(postgres.level(name).await, sqlite.level(name).await);
        }
        memory.learn(&postgres).await;
    }
    let [left, right] = both.map(|bench| bench.store.figures());
    let (left, right) = (left.await.expect("counts"), right.await.expect("counts"));
    assert_eq!(left, right);
    assert_eq!((left.orphans, left.dead_holds), (0, 0), "{left:?}");
    assert_eq!((left.stray_pins, left.unpaid_orders), (0, 0), "{left:?}");
    postgres.store.close().await;
}

#[test]
fn random_batches_come_to_the_same_on_both_and_every_sku_adds_up() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases: 24, max_shrink_iters: 200, ..Config::default() };
    let batches = prop::collection::vec(prop::collection::vec(step(), 1..5), 4..20);
    let run = TestRunner::new(config).run(&batches, |batches| {
        runtime.block_on(the_same_on_both(batches));
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

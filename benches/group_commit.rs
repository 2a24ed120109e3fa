//! One hot SKU on PostgreSQL, fsync on: order facts per second through the ledger writer, against
//! the same facts committed one transaction each.
//!
//! A sale is two facts: T1 (session, person, hold, attempt, key, entry; a unit leaves the stock
//! row) and T2 (order, line, operation, event, answer, entry; the hold is sold). Every contender
//! writes the same rows into a database of its own on one server. They take turns in every round,
//! and each round's ratio is taken by itself.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod by_hand;
#[allow(dead_code, reason = "each bench uses its part")]
mod figures;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../tests/it/support/servers.rs"]
mod servers;

use anyhow::Context;
use by_hand::{
    Ground, Way,
    sale::{Sale, Wish},
};
use doorbuster::{
    base::{
        Address, AttemptId, Buyer, CheckoutId, Clock, Email, EventId, Person, Sku, SystemChance,
    },
    http::{Answers, Site},
    ledger::{CommitFault, Entry, Store, Writer},
};
use figures::{Spread, now};
use sqlx::PgPool;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// As the service itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1200);
const WARM_UP: Duration = Duration::from_millis(300);

/// Requests that wait for the writer at once: what the door admits.
const CALLERS: usize = 1024;

/// The gateway's word for every authorization.
const AUTHORIZATION: &str = "auth_0123456789abcdef";

/// How facts reach the ledger.
#[derive(Clone)]
enum Lane {
    Writer(Writer),
    Store(Arc<dyn Store>),
    ByHand(Way, PgPool),
}

struct Contender {
    name: &'static str,
    callers: usize,
    ground: Ground,
    lane: Lane,
    answers: Arc<Answers>,
    facts_per_second: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let sync_before = figures::sync_ms()?;
    let mut contenders = contenders().await?;
    for contender in &contenders {
        contender.drive(WARM_UP).await?;
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            let facts = contender.drive(ROUND).await?;
            contender.facts_per_second.push(facts as f64 / ROUND.as_secs_f64());
        }
    }
    let rows = contenders[0].ground.rows_per_order(&hot()).await?;
    for contender in &contenders {
        let theirs = contender.ground.rows_per_order(&hot()).await?;
        anyhow::ensure!(theirs == rows, "{} wrote {theirs:?}, not {rows:?}", contender.name);
    }
    report(&contenders, sync_before).await
}

async fn contenders() -> anyhow::Result<Vec<Contender>> {
    let answers = Arc::new(Answers::of(Site::at("http://127.0.0.1:8080")));
    let stand = |name, callers, ground, lane| {
        let answers = answers.clone();
        Contender { name, callers, ground, lane, answers, facts_per_second: Vec::new() }
    };
    let ground = Ground::with(&hot(), 2).await?;
    let (writer, task) =
        Writer::new(ground.store.clone(), ground.clock.clone(), Arc::new(|_reply| ()));
    tokio::runtime::Handle::current().spawn(task);
    let mut all = vec![stand("the writer, in groups", CALLERS, ground, Lane::Writer(writer))];
    for callers in [1, 16] {
        let ground = Ground::with(&hot(), 16).await?;
        let lane = Lane::Store(ground.store.clone());
        all.push(stand("our store, batches of one", callers, ground, lane));
    }
    let by_hand = [
        ("by hand, one transaction of statements", Way::Statements),
        ("by hand, one statement", Way::OneStatement),
    ];
    for (name, way) in by_hand {
        for callers in [1, 16] {
            let ground = Ground::with(&hot(), 1).await?;
            let pool = ground.pool(u32::try_from(callers)?).await?;
            all.push(stand(name, callers, ground, Lane::ByHand(way, pool)));
        }
    }
    Ok(all)
}

impl Contender {
    /// Sells for this long. Returns how many facts were durable by the end; what is under way then
    /// is finished and not counted.
    async fn drive(&self, round: Duration) -> anyhow::Result<usize> {
        let until = now() + round;
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            let (lane, answers) = (self.lane.clone(), self.answers.clone());
            let clock = self.ground.clock.clone();
            callers.spawn(async move {
                let mut facts = 0;
                while now() < until {
                    facts += lane.sell(&sale(&*clock, &answers), &*clock, until).await?;
                }
                anyhow::Ok(facts)
            });
        }
        let mut facts = 0;
        while let Some(caller) = callers.join_next().await {
            facts += caller??;
        }
        Ok(facts)
    }
}

impl Lane {
    /// Places one order. Returns how many of its two facts were durable in time.
    async fn sell(&self, sale: &Sale, clock: &dyn Clock, until: Instant) -> anyhow::Result<usize> {
        let in_time = || usize::from(now() < until);
        match self {
            Self::Writer(writer) => {
                writer.write(sale.begin()).await??;
                let begun = in_time();
                writer.write(sale.place(AUTHORIZATION)).await??;
                Ok(begun + in_time())
            }
            Self::Store(store) => {
                alone(&**store, sale.begin(), clock).await?;
                let begun = in_time();
                alone(&**store, sale.place(AUTHORIZATION), clock).await?;
                Ok(begun + in_time())
            }
            Self::ByHand(way, pool) => {
                way.begin(&mut *pool.acquire().await?, sale).await?;
                let begun = in_time();
                way.place(&mut *pool.acquire().await?, sale, AUTHORIZATION).await?;
                Ok(begun + in_time())
            }
        }
    }
}

/// Commits a batch of one.
async fn alone(store: &dyn Store, entry: Entry, clock: &dyn Clock) -> anyhow::Result<()> {
    let batch = [entry];
    loop {
        match store.commit(&batch, clock.now()).await {
            Err(CommitFault::Again(_)) => {}
            done => {
                done?.outcomes.pop().context("one entry, one outcome")??;
                return Ok(());
            }
        }
    }
}

async fn report(contenders: &[Contender], sync_before: f64) -> anyhow::Result<()> {
    let sync_after = figures::sync_ms()?;
    println!("group_commit: {}", figures::machine());
    println!("{}, {ROUNDS} rounds of {ROUND:?} each", by_hand::server().await?);
    println!("a durable write: {sync_before:.2} ms before, {sync_after:.2} ms after\n");
    let row = |contender: &Contender| {
        let spread = Spread::of(&contender.facts_per_second);
        vec![contender.name.to_owned(), contender.callers.to_string(), format!("{spread:.0}")]
    };
    let rows: Vec<_> = contenders.iter().map(row).collect();
    figures::print(&["facts/s, one hot SKU", "callers", "median (min–max)"], &rows);
    let [ours, alone_1, alone_16, statements_1, statements_16, one_1, one_16] = contenders else {
        anyhow::bail!("there are seven contenders");
    };
    let against = |name: &str, a: &Contender, b: &Contender| {
        let better = a.facts_per_second.iter().zip(&b.facts_per_second).map(|(a, b)| a.max(*b));
        let better: Vec<f64> = better.collect();
        let ratio = Spread::of_ratios(&ours.facts_per_second, &better);
        vec![name.to_owned(), format!("{ratio:.1}")]
    };
    println!();
    figures::print(
        &["the writer ÷ the better of 1 and 16", "median (min–max)"],
        &[
            against(
                "by hand, one transaction of statements (target ≥ 20)",
                statements_1,
                statements_16,
            ),
            against("by hand, one statement", one_1, one_16),
            against("our store, batches of one", alone_1, alone_16),
        ],
    );
    Ok(())
}

fn hot() -> Sku {
    Sku::parse("FLASH-SNEAKER-42").expect("a SKU")
}

fn sale(clock: &dyn Clock, answers: &Answers) -> Sale {
    let now = clock.now();
    let checkout = CheckoutId::new(now, &SystemChance);
    let key = format!("express-{checkout}");
    let wish = Wish {
        sku: hot(),
        quantity: 1,
        person: person(),
        key,
        fingerprint: format!("{:064x}", checkout.uuid().as_u128()),
    };
    let attempt = AttemptId::new(now, &SystemChance);
    Sale::new(wish, now, (checkout, attempt, EventId::new(now, &SystemChance)), answers)
}

fn person() -> Person {
    let buyer = Buyer {
        first_name: Some("Ada".into()),
        last_name: Some("Lovelace".into()),
        email: Some(Email::parse("ada@example.com").expect("an address")),
        ..Buyer::default()
    };
    let shipping = Address {
        street_address: Some("12 St James's Square".into()),
        address_locality: Some("London".into()),
        postal_code: Some("SW1Y 4JH".into()),
        address_country: Some("GB".into()),
        ..Address::default()
    };
    Person { buyer: Some(Box::new(buyer)), shipping: Some(Box::new(shipping)), ..Person::default() }
}

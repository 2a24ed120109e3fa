//! One round trip of velocity with Redis on loopback: attempts of a made-up shop, with the entities
//! and features of the bundled model, in batches of 1, 16 and 64; by one replica, and by four.
//!
//! Redis is filled with a month of the shop first, so that entities have a past. Each attempt is
//! read and noted, and its features are computed, all of which is timed.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod figures;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../tests/it/support/servers.rs"]
mod servers;

use doorbuster::{
    base::{AnchoredClock, SeededChance},
    fraud::{
        event::{Event, Label},
        features::Layout,
        progress::Silent,
        schema::{Schema, read::read_rows},
        simulate::{self, SCHEMA, SimulateOptions},
        velocity::{Passing, RedisVelocity, Velocity, VelocityLimits},
    },
};
use figures::Spread;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// As the service itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORDERS: u32 = 120_000;
const DAYS: u16 = 60;

/// Attempts that Redis has seen when the first is timed.
const PAST: usize = 60_000;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1500);

/// What is timed is the tail as well, not where it is cut off.
const LIMITS: VelocityLimits =
    VelocityLimits { wait: Duration::from_secs(2), pause: Duration::from_secs(1), late_max: 0 };

fn main() -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(run())
}

/// Replicas of one shop, and what comes to them.
struct Ground {
    layout: Arc<Layout>,
    replicas: Vec<RedisVelocity>,
    orders: Vec<Passing>,
}

async fn run() -> anyhow::Result<()> {
    let ground = ground().await?;
    let mut next = PAST;
    let mut rows = Vec::new();
    for (callers, size) in [(1, 1), (1, 16), (1, 64), (4, 1), (4, 16), (4, 64)] {
        let mut figures: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let (mut took, passed) = ground.drive(callers, size, &mut next).await?;
            took.sort_unstable();
            let ms = |place: usize| took[place].as_secs_f64() * 1000.0;
            figures[0].push(ms(took.len() / 2));
            figures[1].push(ms(took.len() * 99 / 100));
            figures[2].push(passed as f64 / ROUND.as_secs_f64());
        }
        let spreads = figures.iter().map(|values| Spread::of(values).to_string());
        rows.push([callers.to_string(), size.to_string()].into_iter().chain(spreads).collect());
    }
    println!("velocity: {}", figures::machine());
    let (features, kinds) = (ground.layout.features.len(), ground.layout.entities.len());
    println!("{features} features of {kinds} entities, {PAST} attempts before the first\n");
    figures::print(&["at once", "batch", "p50 ms", "p99 ms", "attempts/s"], &rows);
    Ok(())
}

async fn ground() -> anyhow::Result<Ground> {
    let schema = Schema::parse(SCHEMA)?;
    let layout = Arc::new(schema.layout(schema.label_delay.0)?);
    let options = SimulateOptions { orders: ORDERS, days: DAYS, ..SimulateOptions::default() };
    let mut file = Vec::new();
    let made = simulate::simulate(options, &SeededChance::new(1));
    simulate::write(&made, &mut file, &mut Silent)?;
    let rows = read_rows(&schema, None, file.as_slice())?;
    let orders = rows.into_iter().map(|row| Passing { event: row.event, counts: true }).collect();
    let replica = || {
        let clock = Arc::new(AnchoredClock::from_system());
        RedisVelocity::new(servers::redis(), layout.clone(), LIMITS, clock)
    };
    let replicas = (0..4).map(|_| replica()).collect::<Result<Vec<_>, _>>()?;
    let ground = Ground { layout, replicas, orders };
    let good = Label { fraud: false, known_at: None };
    for past in ground.orders[..PAST].chunks(64) {
        ground.replicas[0].pass(past).await?;
        let events: Vec<Event> = past.iter().map(|passing| passing.event.clone()).collect();
        for event in &events {
            ground.replicas[0].learn(event, good, event.at).await?;
        }
    }
    Ok(ground)
}

impl Ground {
    /// Callers that each pass batch after batch: how long each took, and how many attempts passed.
    async fn drive(
        &self,
        callers: usize,
        size: usize,
        next: &mut usize,
    ) -> anyhow::Result<(Vec<Duration>, usize)> {
        let until = figures::now() + ROUND;
        let share = (self.orders.len() - PAST) / callers;
        let start = *next - PAST;
        let drives = self.replicas[..callers].iter().enumerate().map(|(number, replica)| {
            // Each goes through a part of its own, round and round.
            let first = PAST + number * share;
            self.pass(replica, &self.orders[first..first + share], start % share, size, until)
        });
        let took = futures_util::future::try_join_all(drives).await?.concat();
        let passed = took.len() * size;
        *next += passed;
        Ok((took, passed))
    }

    async fn pass(
        &self,
        replica: &RedisVelocity,
        orders: &[Passing],
        start: usize,
        size: usize,
        until: Instant,
    ) -> anyhow::Result<Vec<Duration>> {
        let (mut took, mut row) = (Vec::new(), Vec::new());
        for batch in orders.chunks_exact(size).cycle().skip(start / size) {
            let began = figures::now();
            if began >= until {
                break;
            }
            for (passing, recalled) in batch.iter().zip(replica.pass(batch).await?) {
                row.clear();
                self.layout.compute(&passing.event, &recalled, &mut row);
            }
            took.push(began.elapsed());
        }
        Ok(took)
    }
}

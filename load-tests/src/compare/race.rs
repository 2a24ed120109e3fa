//! The races for throughput: everybody in turn, again and again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    house::{Goods, House},
    options::{Contender, Options, Race},
    turn::{Turned, Turning, take},
};
use crate::drive::{cart::Pick, flow::Flow, run::Load, window::Live};

/// Connections that are tried.
const SWEEP: [usize; 4] = [4, 8, 16, 32];

/// Where payments are judged nearly everybody is somebody else, as in a sale. What is remembered of
/// one who bought everything would say nothing about that.
const PEOPLE: u32 = 300_000;

/// The turns of everybody.
pub type Turns = BTreeMap<Contender, Vec<Turned>>;

/// What a race is over. Stock is deep: these races are about speed, not about the last unit.
pub fn turning(race: Race, options: &Options) -> Turning {
    let (skus, lines, pick) = match race {
        Race::Zipf => (100_000, 1, Pick::Zipf(1.0)),
        Race::Basket => (1_000, 3, Pick::Uniform),
        _ => (1, 1, Pick::Uniform),
    };
    Turning {
        goods: Goods { skus, units: 100_000_000, lines },
        pick,
        flow: Flow::Complete,
        load: Load::Closed { in_flight: options.in_flight },
        warm_up: options.warm_up(),
        measure: options.measure(),
        threads: options.threads,
        people: if race == Race::Judged { PEOPLE } else { 0 },
    }
}

/// The best number of connections for somebody in a race: as given, or by trying some.
///
/// # Errors
/// When a turn fails.
pub fn best_connections(
    house: &mut House,
    contender: Contender,
    options: &Options,
    turning: &Turning,
    live: &Arc<Live>,
) -> anyhow::Result<usize> {
    if let Some((_, given)) = options.connections.iter().find(|(name, _)| *name == contender) {
        return Ok(*given);
    }
    if matches!(contender, Contender::Ours | Contender::Echo | Contender::Batch) {
        return Ok(0);
    }
    let key = (turning.goods, contender);
    if let Some(known) = house.connections.get(&key) {
        return Ok(*known);
    }
    let short = Turning {
        warm_up: Duration::from_secs(1),
        measure: Duration::from_secs(2),
        ..turning.clone()
    };
    let mut best = (0.0, SWEEP[0]);
    for connections in SWEEP {
        let turned = take(house, contender, connections, &short, live)?;
        let rate = turned.figures.orders_per_second();
        eprintln!("  {contender} with {connections} connections: {rate:.0} orders/s");
        if rate > best.0 {
            best = (rate, connections);
        }
    }
    house.connections.insert(key, best.1);
    Ok(best.1)
}

/// Races.
///
/// # Errors
/// When a turn fails.
pub fn run(
    house: &mut House,
    race: Race,
    options: &Options,
    live: &Arc<Live>,
) -> anyhow::Result<Turns> {
    let turning = turning(race, options);
    let racers: Vec<Contender> =
        Contender::ALL.into_iter().filter(|contender| options.wants(*contender)).collect();
    let mut connections = BTreeMap::new();
    for contender in &racers {
        let best = best_connections(house, *contender, options, &turning, live)?;
        connections.insert(*contender, best);
    }
    let mut turns = Turns::new();
    for round in 0..options.repeat.max(1) {
        for contender in &racers {
            let turned = take(house, *contender, connections[contender], &turning, live)?;
            eprintln!(
                "  {} round {}: {contender:<5} {:>8.0} orders/s  {:>4.0} + {:>3.0} cpu-µs  \
                 {:.3} commits, {:.1} rows written, {:.1} fetched, \
                 {:.0} B and {:.1} records of log/order",
                race.key(),
                round + 1,
                turned.figures.orders_per_second(),
                turned.micros_per_order(turned.service_cpu),
                turned.micros_per_order(turned.postgres_cpu),
                turned.commits_per_order(),
                turned.rows_written_per_order(),
                turned.tuples_fetched_per_order(),
                turned.wal_bytes_per_order(),
                turned.wal_records_per_order(),
            );
            turns.entry(*contender).or_default().push(turned);
        }
    }
    Ok(turns)
}

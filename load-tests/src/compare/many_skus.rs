//! Few SKUs and very many, each bought as often as any other: what it costs that hardly any of them
//! is at hand.
//!
//! With 1,000 SKUs everything they need is in memory after a moment: actors, prices, rows. With
//! 1,000,000 nearly every checkout is the first for its SKU for a long time: an actor to start, a
//! price to look up, and, after the checkpoint that every turn begins with, a page of stock that
//! PostgreSQL writes to its log as a whole. N2 has the last of these in common with ours.

use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

use super::{
    house::{Goods, House},
    options::{Contender, Options, Race},
    race::{best_connections, turning},
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turned, Turning, take},
};
use crate::drive::{cart::Pick, window::Live};

/// SKUs, few and many.
const SKUS: [u32; 2] = [1_000, 1_000_000];

/// Units of each: nothing runs out.
const UNITS: u32 = 1_000_000;

/// Races, and says what came of it.
///
/// # Errors
/// When a turn fails.
pub fn run(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<Findings> {
    let over = |skus| Turning {
        goods: Goods { skus, units: UNITS, lines: 1 },
        pick: Pick::Uniform,
        ..turning(Race::ManySkus, options)
    };
    let racers = [Contender::Ours, Contender::N2].into_iter().filter(|one| options.wants(*one));
    let racers: Vec<Contender> = racers.collect();
    let mut turns: BTreeMap<(Contender, u32), Vec<Turned>> = BTreeMap::new();
    for round in 0..options.repeat.max(1) {
        for contender in &racers {
            let connections = best_connections(house, *contender, options, &over(SKUS[0]), live)?;
            for skus in SKUS {
                let turned = take(house, *contender, connections, &over(skus), live)?;
                eprintln!(
                    "  many_skus round {}: {contender:<5} {skus:>9} SKUs {:>8.0} orders/s  {:>6.1} \
                     cpu-µs",
                    round + 1,
                    turned.figures.orders_per_second(),
                    turned.cpu_micros_per_order(),
                );
                turns.entry((*contender, skus)).or_default().push(turned);
            }
        }
    }
    let told = |contender| Some((contender, told(&turns, contender)?));
    let figures = racers.into_iter().filter_map(told);
    let figures: Value = figures.map(|(one, told)| (one.name().to_owned(), told)).collect();
    Ok(Findings::from_iter([(Race::ManySkus.key().to_owned(), figures)]))
}

fn told(turns: &BTreeMap<(Contender, u32), Vec<Turned>>, contender: Contender) -> Option<Value> {
    let of = |skus, figure: fn(&Turned) -> f64| {
        Spread::of(turns.get(&(contender, skus))?.iter().map(figure))
    };
    let [few, many] = SKUS.map(|skus| of(skus, |turned| turned.figures.orders_per_second()));
    let [few_cpu, many_cpu] = SKUS.map(|skus| of(skus, Turned::cpu_micros_per_order));
    let (few, many, few_cpu, many_cpu) = (few?, many?, few_cpu?, many_cpu?);
    Some(json!({
        "with_1000": rounded(few.median),
        "with_1000000": rounded(many.median),
        "ratio": rounded(many.median / few.median),
        "cpu_us_per_order": {
            "with_1000": rounded(few_cpu.median),
            "with_1000000": rounded(many_cpu.median),
        },
        "spread": { "with_1000": few.range(), "with_1000000": many.range() },
    }))
}

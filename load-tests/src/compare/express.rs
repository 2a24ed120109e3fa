//! The express lane with one request in flight: what the house adds to a handler that commits the
//! attempt before the gateway and the outcome after it, which is what N2's does.

use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

use super::{
    house::House,
    options::{Contender, Options, Race},
    race::{best_connections, turning},
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turning, take},
};
use crate::drive::{flow::Flow, run::Load, window::Live};

/// Races, and says what came of it.
///
/// # Errors
/// When a turn fails.
pub fn run(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<Findings> {
    let turning = Turning {
        flow: Flow::Express,
        load: Load::Closed { in_flight: 1 },
        ..turning(Race::Express, options)
    };
    let mut medians: BTreeMap<Contender, Vec<f64>> = BTreeMap::new();
    for round in 0..options.repeat.max(1) {
        for contender in [Contender::Ours, Contender::N2] {
            // One request in flight needs one connection per HTTP thread.
            let turned = take(house, contender, 2, &turning, live)?;
            let micros = turned.figures.good().micros(0.5) as f64;
            let round = round + 1;
            eprintln!("  express round {round}: {contender:<5} p50 {micros:.0} µs");
            medians.entry(contender).or_default().push(micros);
        }
    }
    let of = |contender| {
        Spread::of(medians.get(&contender).into_iter().flatten().copied()).unwrap_or_default()
    };
    let (ours, n2) = (of(Contender::Ours), of(Contender::N2));
    let figures = json!({
        "ours_p50_us": ours.median,
        "n2_p50_us": n2.median,
        "ratio": rounded(ours.median / n2.median),
        "spread": { "ours_p50_us": ours.range(), "n2_p50_us": n2.range() },
    });
    Ok(Findings::from_iter([(Race::Express.key().to_owned(), figures)]))
}

/// What N2 can do at most, in orders per second: from the race over one SKU, or measured now.
///
/// # Errors
/// When a turn fails.
pub fn saturation(
    house: &mut House,
    contender: Contender,
    options: &Options,
    live: &Arc<Live>,
) -> anyhow::Result<(f64, usize)> {
    let turning = turning(Race::HotSku, options);
    let connections = best_connections(house, contender, options, &turning, live)?;
    let mut rates = Vec::new();
    for _ in 0..options.repeat.max(1) {
        let turned = take(house, contender, connections, &turning, live)?;
        rates.push(turned.figures.orders_per_second());
    }
    let rate = Spread::of(rates).unwrap_or_default().median;
    eprintln!("  {contender} does {rate:.0} orders/s at most");
    Ok((rate, connections))
}

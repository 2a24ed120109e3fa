//! Latency in an open model: buyers come by chance, at 80% of what N2 can do at most, to ours and
//! to N2 alike. It counts from when each meant to come.

use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

use super::{
    express::saturation,
    house::House,
    options::{Contender, Options, Race},
    race::turning,
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turning, take},
};
use crate::drive::{
    arrivals::{Spacing, Stage},
    run::Load,
    window::Live,
};

/// Flows at once at most. At 80% nobody should come near it.
const MOST_IN_FLIGHT: usize = 4096;

/// Buyers who come by chance at one rate, through warm-up and measuring.
pub fn steady(options: &Options, rate: f64) -> Load {
    let seconds = options.warm_up().as_secs_f64() + options.measure().as_secs_f64();
    Load::Open {
        stages: vec![Stage { seconds, from: rate, to: rate }],
        spacing: Spacing::Poisson,
        most_in_flight: MOST_IN_FLIGHT,
    }
}

/// Races, and says what came of it.
///
/// # Errors
/// When a turn fails.
pub fn run(
    house: &mut House,
    options: &Options,
    known: Option<f64>,
    live: &Arc<Live>,
) -> anyhow::Result<Findings> {
    let (most, connections) = match known {
        Some(rate) => {
            let turning = turning(Race::HotSku, options);
            let best = super::race::best_connections(house, Contender::N2, options, &turning, live);
            (rate, best?)
        }
        None => saturation(house, Contender::N2, options, live)?,
    };
    let rate = most * 0.8;
    let turning = Turning { load: steady(options, rate), ..turning(Race::Latency, options) };
    let mut seen: BTreeMap<Contender, [Vec<f64>; 2]> = BTreeMap::new();
    for round in 0..options.repeat.max(1) {
        for contender in [Contender::Ours, Contender::N2] {
            let turned = take(house, contender, connections, &turning, live)?;
            let latency = turned.figures.good();
            let [p50, p99] = [0.5, 0.99].map(|quantile| latency.micros(quantile) as f64);
            let round = round + 1;
            eprintln!("  latency round {round}: {contender:<5} p50 {p50:.0} µs, p99 {p99:.0} µs");
            let [p50s, p99s] = seen.entry(contender).or_default();
            p50s.push(p50);
            p99s.push(p99);
        }
    }
    let of = |contender, which: usize| {
        let figures = seen.get(&contender).map(|both| both[which].clone()).unwrap_or_default();
        Spread::of(figures).unwrap_or_default()
    };
    let (ours, n2) = (of(Contender::Ours, 1), of(Contender::N2, 1));
    let figures = json!({
        "rate": rounded(rate),
        "ours_p99_us": ours.median,
        "n2_p99_us": n2.median,
        "ratio": rounded(ours.median / n2.median),
        "ours_p50_us": of(Contender::Ours, 0).median,
        "n2_p50_us": of(Contender::N2, 0).median,
        "spread": { "ours_p99_us": ours.range(), "n2_p99_us": n2.range() },
    });
    Ok(Findings::from_iter([(Race::Latency.key().to_owned(), figures)]))
}

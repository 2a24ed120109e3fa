//! What a PgBouncer in transaction mode between the service and PostgreSQL costs: on a flash sale,
//! and on the express lane with one request in flight. Both use the same two cores.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{
    house::House,
    options::{Contender, Options, Race},
    race::turning,
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turned, Turning, take},
};
use crate::drive::{flow::Flow, run::Load, window::Live};

/// Direct, and through the pooler.
const WAYS: [(&str, bool); 2] = [("direct", false), ("pooled", true)];

/// Figures of both ways, in the order of [`WAYS`].
type Both = [Vec<f64>; 2];

/// Races, and says what came of it.
///
/// # Errors
/// When a turn fails, or there is no PgBouncer.
pub fn run(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<Findings> {
    let sale = turning(Race::Pooled, options);
    let single = Turning {
        flow: Flow::Express,
        load: Load::Closed { in_flight: 1 },
        ..turning(Race::Pooled, options)
    };
    let [mut rates, mut costs, mut medians]: [Both; 3] = Default::default();
    for round in 0..options.repeat.max(1) {
        for (at, (name, pooled)) in WAYS.into_iter().enumerate() {
            let [sold, alone] = [&sale, &single].map(|turning| {
                house.pooled = pooled;
                let turned = take(house, Contender::Ours, 0, turning, live);
                house.pooled = false;
                turned
            });
            let (sold, alone): (Turned, Turned) = (sold?, alone?);
            rates[at].push(sold.figures.orders_per_second());
            costs[at].push(sold.cpu_micros_per_order());
            medians[at].push(alone.figures.good().micros(0.5) as f64);
            eprintln!(
                "  pooled round {}: {name} {:>8.0} orders/s  {:>6.1} cpu-µs  \
                 express p50 {:.0} µs",
                round + 1,
                sold.figures.orders_per_second(),
                sold.cpu_micros_per_order(),
                alone.figures.good().micros(0.5) as f64,
            );
        }
    }
    let figures = [
        ("orders_per_second", told(&rates)),
        ("cpu_us_per_order", told(&costs)),
        ("express_single_in_flight_p50_us", told(&medians)),
    ];
    let figures: Map<String, Value> =
        figures.into_iter().map(|(name, told)| (name.to_owned(), told)).collect();
    Ok(Findings::from_iter([(Race::Pooled.key().to_owned(), Value::Object(figures))]))
}

fn told(both: &Both) -> Value {
    let [direct, pooled] =
        [0, 1].map(|at: usize| Spread::of(both[at].iter().copied()).unwrap_or_default());
    json!({
        "direct": rounded(direct.median),
        "pooled": rounded(pooled.median),
        "pooled_to_direct": rounded(pooled.median / direct.median),
        "spread": { "direct": direct.range(), "pooled": pooled.range() },
    })
}

//! The same service in two ways, turn by turn: on a flash sale, and on the express lane with one
//! request in flight.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{
    house::House,
    judging,
    options::{Contender, Options, Race},
    race::turning,
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turned, Turning, take},
};
use crate::drive::{flow::Flow, run::Load, window::Live};

/// The two ways.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// The race they are.
    pub race: Race,
    /// What they are called.
    pub names: [&'static str; 2],
    /// Makes the house serve the first way, or the second.
    pub choose: fn(&mut House, bool),
}

/// PostgreSQL directly, and through a PgBouncer in transaction mode on the same two cores.
pub const POOLED: Ways = Ways {
    race: Race::Pooled,
    names: ["direct", "pooled"],
    choose: |house, pooled| house.pooled = pooled,
};

/// Without judging payments, and with: features, model, rules, guard, and the record of it all.
pub const JUDGED: Ways = Ways {
    race: Race::Judged,
    names: ["unjudged", "judged"],
    choose: |house, judged| house.unjudged = !judged,
};

/// Without anybody who hears of orders, and with a platform for which each is rendered and kept.
/// Nobody reaches it, as in an outage of its own.
pub const TOLD: Ways =
    Ways { race: Race::Told, names: ["untold", "told"], choose: |house, told| house.told = told };

/// Figures of both ways, in their order.
type Both = [Vec<f64>; 2];

/// Races, and says what came of it. Afterwards the house serves the usual way.
///
/// # Errors
/// When a turn fails, or something it needs is not there.
pub fn run(
    house: &mut House,
    options: &Options,
    live: &Arc<Live>,
    ways: Ways,
) -> anyhow::Result<Findings> {
    let sale = turning(ways.race, options);
    let single = Turning {
        flow: Flow::Express,
        load: Load::Closed { in_flight: 1 },
        ..turning(ways.race, options)
    };
    let [mut rates, mut costs, mut medians]: [Both; 3] = Default::default();
    let mut judged = [(0.5, Vec::new()), (0.99, Vec::new())];
    for round in 0..options.repeat.max(1) {
        for (at, name) in ways.names.into_iter().enumerate() {
            (ways.choose)(house, at == 1);
            let taken =
                [&sale, &single].map(|turning| take(house, Contender::Ours, 0, turning, live));
            (house.pooled, house.unjudged, house.told) = (false, false, false);
            let [sold, alone] = taken;
            let (sold, alone): (Turned, Turned) = (sold?, alone?);
            rates[at].push(sold.figures.orders_per_second());
            costs[at].push(sold.cpu_micros_per_order());
            medians[at].push(alone.figures.good().micros(0.5) as f64);
            let told = sold.told.as_deref().unwrap_or_default();
            for (share, edges) in &mut judged {
                edges.extend(judging::within(told, *share));
            }
            eprintln!(
                "  {} round {}: {name} {:>8.0} orders/s  {:>6.1} cpu-µs  express p50 {:.0} µs",
                ways.race.key(),
                round + 1,
                sold.figures.orders_per_second(),
                sold.cpu_micros_per_order(),
                alone.figures.good().micros(0.5) as f64,
            );
        }
    }
    let figures = [
        ("orders_per_second", told(&rates, ways.names)),
        ("cpu_us_per_order", told(&costs, ways.names)),
        ("express_single_in_flight_p50_us", told(&medians, ways.names)),
    ];
    let mut figures: Map<String, Value> =
        figures.into_iter().map(|(name, told)| (name.to_owned(), told)).collect();
    // Only the race about judging has a way in which nothing is judged.
    if matches!(ways.race, Race::Judged) {
        let within = |(share, edges): &(f64, Vec<f64>)| {
            let name = format!("judged_p{:.0}_within_us", share * 100.0);
            (name, json!(Spread::of(edges.iter().copied()).map(|edges| edges.median)))
        };
        figures.extend(judged.iter().map(within));
    }
    Ok(Findings::from_iter([(ways.race.key().to_owned(), Value::Object(figures))]))
}

fn told(both: &Both, [first, second]: [&str; 2]) -> Value {
    let [one, other] =
        [0, 1].map(|at: usize| Spread::of(both[at].iter().copied()).unwrap_or_default());
    json!({
        first: rounded(one.median),
        second: rounded(other.median),
        format!("{second}_to_{first}"): rounded(other.median / one.median),
        "spread": { first: one.range(), second: other.range() },
    })
}

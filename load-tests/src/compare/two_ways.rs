//! The same service in two ways, turn by turn: on a flash sale, and on the express lane with one
//! request in flight.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{
    house::House,
    judging::Judging,
    latency,
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
pub const TOLD: Ways = Ways {
    race: Race::Told,
    names: ["untold", "told"],
    choose: |house, told| house.for_platform = told,
};

/// What one way came to: on the sale, with one request in flight, and below saturation.
struct Taken {
    sold: Turned,
    alone: Turned,
    steady: Option<Turned>,
}

/// How much of what it can do at most comes when latency is looked at.
const STEADY: f64 = 0.8;

/// Takes the turns of one way; the one below saturation where `judged` says that it is about that.
fn turns(
    house: &mut House,
    judged: bool,
    [sale, single]: [&Turning; 2],
    options: &Options,
    live: &Arc<Live>,
) -> anyhow::Result<Taken> {
    let mut turn = |turning: &Turning| take(house, Contender::Ours, 0, turning, live);
    let (sold, alone) = (turn(sale)?, turn(single)?);
    let steady = judged.then(|| {
        let rate = sold.figures.orders_per_second() * STEADY;
        turn(&Turning { load: latency::steady(options, rate), ..sale.clone() })
    });
    Ok(Taken { sold, alone, steady: steady.transpose()? })
}

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
    // Only that race has a way in which nothing is judged.
    let about_judging = matches!(ways.race, Race::Judged);
    let sale = turning(ways.race, options);
    let single = Turning {
        flow: Flow::Express,
        load: Load::Closed { in_flight: 1 },
        ..turning(ways.race, options)
    };
    let [mut rates, mut costs, mut medians]: [Both; 3] = Default::default();
    let [mut saturated, mut below]: [Judging; 2] = Default::default();
    for round in 0..options.repeat.max(1) {
        for (at, name) in ways.names.into_iter().enumerate() {
            (ways.choose)(house, at == 1);
            let judged = about_judging && at == 1;
            let taken = turns(house, judged, [&sale, &single], options, live);
            (house.pooled, house.unjudged, house.for_platform) = (false, false, false);
            let Taken { sold, alone, steady } = taken?;
            saturated.add(&sold.metrics);
            below.add(&steady.map(|turned| turned.metrics).unwrap_or_default());
            rates[at].push(sold.figures.orders_per_second());
            costs[at].push(sold.cpu_micros_per_order());
            medians[at].push(alone.figures.good().micros(0.5) as f64);
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
    if about_judging {
        figures.insert("judging_saturated".to_owned(), saturated.told());
        figures.insert("judging_at_80pct".to_owned(), below.told());
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

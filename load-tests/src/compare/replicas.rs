//! Several replicas over one ledger: whether each does as much as one alone, and how seldom they
//! have to speak to the stock row.
//!
//! Two cores cannot show that eight machines do eight times as much. They can show what would keep
//! them from it: each replica gets the same small load, one alone and eight at once, on one hot SKU
//! with plenty of units.

use anyhow::{Context, ensure};
use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{
    house::House,
    options::{Contender, Options, Race},
    race::turning,
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turning, counters},
};
use crate::{
    check,
    drive::{
        acks::{AckLog, read_acks},
        arrivals::{Spacing, Stage},
        figures::Figures,
        flow::Ending,
        run::{Load, Plan, drive},
        window::Live,
    },
    servers::shop::Service,
};

/// Replicas over one ledger.
const MANY: usize = 8;

/// Checkouts per second that begin at each: eight times as many are far from what two cores can do.
const RATE: f64 = 30.0;

/// Longer than a race for throughput: there is little of everything.
const MEASURE: Duration = Duration::from_secs(15);

/// Until the SKU has earned its grants.
const WARM_UP: Duration = Duration::from_secs(5);

/// What so many replicas came to together.
struct Seen {
    orders_per_second: f64,
    p99_ms: f64,
    stock_updates: f64,
    commits: f64,
}

/// Runs one replica and many in turn, and says what came of it.
///
/// # Errors
/// When a turn fails.
pub fn run(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<Findings> {
    let mut seen: [Vec<Seen>; 2] = Default::default();
    for round in 0..options.repeat.max(1) {
        for (all, count) in seen.iter_mut().zip([1, MANY]) {
            let one = take(house, options, count, live)?;
            eprintln!(
                "  replicas round {}: {count} with {:.1} orders/s, p99 {:.1} ms, {:.1} stock \
                 updates per 1,000 orders",
                round + 1,
                one.orders_per_second,
                one.p99_ms,
                one.stock_updates,
            );
            all.push(one);
        }
    }
    let [one, many] = seen;
    let of = |seen: &[Seen], figure: fn(&Seen) -> f64| {
        Spread::of(seen.iter().map(figure)).unwrap_or_default()
    };
    let told = |seen: &[Seen]| {
        let rate = of(seen, |seen| seen.orders_per_second);
        let p99 = of(seen, |seen| seen.p99_ms);
        let updates = of(seen, |seen| seen.stock_updates);
        json!({
            "orders_per_second": rounded(rate.median),
            "p99_ms": rounded(p99.median),
            "stock_updates_per_1000_orders": rounded(updates.median),
            "commits_per_order": rounded(of(seen, |seen| seen.commits).median),
            "spread": {
                "orders_per_second": rate.range(),
                "p99_ms": p99.range(),
                "stock_updates_per_1000_orders": updates.range(),
            },
        })
    };
    let [rates, p99s] = [|seen: &Seen| seen.orders_per_second, |seen: &Seen| seen.p99_ms]
        .map(|figure: fn(&Seen) -> f64| [of(&one, figure).median, of(&many, figure).median]);
    let figures = json!({
        "rate_each": RATE,
        "one": told(&one),
        "eight": told(&many),
        "total_to_eight_times_one": rounded(rates[1] / (rates[0] * MANY as f64)),
        "p99_growth": rounded(p99s[1] / p99s[0]),
    });
    Ok(Findings::from_iter([(Race::Replicas.key().to_owned(), figures)]))
}

fn take(
    house: &mut House,
    options: &Options,
    count: usize,
    live: &Arc<Live>,
) -> anyhow::Result<Seen> {
    let stage = Stage { seconds: (WARM_UP + MEASURE).as_secs_f64(), from: RATE, to: RATE };
    let load = Load::Open { stages: vec![stage], spacing: Spacing::Poisson, most_in_flight: 1024 };
    let turning =
        Turning { load, warm_up: WARM_UP, measure: MEASURE, ..turning(Race::Replicas, options) };
    let database = house.database(Contender::Ours, turning.goods)?;
    let mut folder = house.folder()?;
    let log = folder.join("acks.jsonl");
    let acks = Arc::new(AckLog::open(&log)?);
    let mut services: Vec<(Service, Plan)> = Vec::new();
    for number in 0..count {
        let ours = house.ours(&folder, &database).with("server.replica_id", format!("r{number}"));
        let service = ours.start()?;
        let plan = Plan {
            seed: number as u64,
            run: format!("r{number}"),
            ..turning.plan(&service.target, Some(acks.clone()))
        };
        services.push((service, plan));
        folder = house.folder()?;
    }
    let mut sum = Figures::default();
    std::thread::scope(|scope| {
        let driving: Vec<_> =
            services.iter().map(|(_, plan)| scope.spawn(|| drive(plan, live))).collect();
        for one in driving {
            sum.add(one.join().map_err(|_| anyhow::anyhow!("a driver panicked"))??);
        }
        anyhow::Ok(())
    })?;
    ensure!(!live.stop.load(std::sync::atomic::Ordering::Relaxed), "interrupted");
    let failed = sum.count(Ending::Failed) + sum.count(Ending::Broken);
    let complaint = sum.complaints.first().cloned().unwrap_or_default();
    ensure!(failed == 0, "{failed} flows failed: {complaint}");
    for (service, _) in services {
        service.process.stop()?;
    }
    let counted = counters(house, &database)?;
    let acks = read_acks(&log)?;
    house.runtime.block_on(async {
        let client = house.postgres.connect(&database).await?;
        check::every_acknowledged_order_is_there(&client, &acks).await
    })?;
    let ours = house.ours(&folder, &database);
    ours.run(&["audit"]).context("the audit")?;
    house.forget(&database)?;
    let all = sum.all_orders.max(1) as f64;
    Ok(Seen {
        orders_per_second: sum.orders as f64 / MEASURE.as_secs_f64(),
        p99_ms: sum.good().millis(0.99),
        stock_updates: counted.stock_updates as f64 * 1000.0 / all,
        commits: counted.commits as f64 / all,
    })
}

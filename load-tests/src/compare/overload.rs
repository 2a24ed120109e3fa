//! Overload: twice as many buyers as ours can serve, in an open model. How much of the peak is
//! left, how fast the others hear no, and what saying no costs.

use anyhow::ensure;
use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{
    cpu,
    express::saturation,
    house::House,
    latency::steady,
    options::{Contender, Options, Race},
    race::turning,
    report::Findings,
    spread::{Spread, rounded},
    turn::{Turning, take},
};
use crate::drive::{
    connection::{Connection, Pace},
    flow::Ending,
    request::{Line, Requests, Who},
    run::{Load, drive},
    window::Live,
};

/// Buyers who are told no, over and over, while the price of a no is measured.
const TOLD_NO: usize = 64;

/// Runs, and says what came of it.
///
/// # Errors
/// When a turn fails.
pub fn run(
    house: &mut House,
    options: &Options,
    known: Option<f64>,
    live: &Arc<Live>,
) -> anyhow::Result<Findings> {
    let peak = match known {
        Some(rate) => rate,
        None => saturation(house, Contender::Ours, options, live)?.0,
    };
    let load = steady(options, peak * 2.0);
    let turning = Turning { load, ..turning(Race::Overload, options) };
    let (mut goodput, mut p99, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = 0;
    for round in 0..options.repeat.max(1) {
        let turned = take(house, Contender::Ours, 0, &turning, live)?;
        let figures = &turned.figures;
        goodput.push(figures.orders_per_second() / peak);
        refused += figures.count(Ending::Refused);
        p99.push(figures.refused().millis(0.99));
        prices.push(price_of_a_no(house, options, live)?);
        eprintln!(
            "  overload round {}: {:.0} of {peak:.0} orders/s, {} refused, p99 {:.1} ms, \
             {:.1} cpu-µs",
            round + 1,
            figures.orders_per_second(),
            figures.count(Ending::Refused),
            figures.refused().millis(0.99),
            prices.last().copied().unwrap_or_default(),
        );
    }
    let of = |figures: Vec<f64>| Spread::of(figures).unwrap_or_default();
    let (goodput, p99, price) = (of(goodput), of(p99), of(prices));
    let figures = json!({
        "peak": rounded(peak),
        "goodput_ratio": rounded(goodput.median),
        "refusal_p99_ms": rounded(p99.median),
        "cpu_us_per_refusal": rounded(price.median),
        "refused": refused,
        "spread": {
            "goodput_ratio": goodput.range(),
            "refusal_p99_ms": p99.range(),
            "cpu_us_per_refusal": price.range(),
        },
    });
    Ok(Findings::from_iter([(Race::Overload.key().to_owned(), figures)]))
}

/// Processor time of the service per refusal, in microseconds. The only place inside is taken by an
/// order whose gateway takes its time, so saying no is all that the service does meanwhile.
fn price_of_a_no(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<f64> {
    let turning = Turning {
        load: Load::Closed { in_flight: TOLD_NO },
        warm_up: Duration::from_millis(500),
        measure: Duration::from_secs(2),
        ..turning(Race::Overload, options)
    };
    let folder = house.folder()?;
    let database = house.database(Contender::Ours, turning.goods)?;
    let minute = Duration::from_secs(60).as_millis();
    let ours = house
        .ours(&folder, &database)
        .with("limits.in_flight", 1)
        .with("limits.request_seconds", minute / 1000)
        .with("checkout.gateway_deadline_ms", minute)
        .with("payment.sandbox_slow_ms", minute);
    let service = ours.start()?;
    let occupied = occupy(house, &service.target);
    // The occupant is inside as soon as somebody else is told no.
    let plan = turning.plan(&service.target, None);
    let began = std::time::Instant::now();
    let id = service.process.id();
    let (figures, used) = std::thread::scope(|scope| {
        let driving = scope.spawn(|| drive(&plan, live));
        std::thread::sleep(plan.warm_up.saturating_sub(began.elapsed()));
        let before = cpu::of_process(id);
        std::thread::sleep((plan.warm_up + plan.measure).saturating_sub(began.elapsed()));
        let after = cpu::of_process(id);
        let figures = driving.join().map_err(|_| anyhow::anyhow!("the driver panicked"))??;
        anyhow::Ok((figures, after?.saturating_sub(before?)))
    })?;
    occupied.abort();
    // It waits for its gateway; there is nothing to be kept.
    drop(service);
    house.forget(&database)?;
    let refused = figures.count(Ending::Refused);
    let others = figures.orders + figures.count(Ending::Failed);
    ensure!(refused > 1000 && others == 0, "{refused} were told no, {others} something else");
    Ok(used.as_secs_f64() * 1e6 / refused as f64)
}

/// Takes the only place with an order whose gateway is slow, and keeps it.
fn occupy(house: &House, target: &crate::drive::target::Target) -> tokio::task::JoinHandle<()> {
    let (mut out, line) = (Vec::new(), Line { sku: 0, quantity: 1 });
    Requests::to(&target.host, None).express(
        &mut out,
        "occupant",
        &[line],
        (Who::Ada, "slow_token"),
    );
    let mut connection = Connection::to(target.address);
    let handle = house.runtime.spawn(async move {
        // It is never answered, and need not be.
        let _answer = connection.exchange(&out, Pace::Whole).await;
    });
    std::thread::sleep(Duration::from_millis(300));
    handle
}

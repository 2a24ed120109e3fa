//! The last thousand units of one SKU: how fast 256 buyers get them of one replica, of eight over
//! one ledger, and of N2; and whether anybody hears "sold out" too early.
//!
//! A sale lasts from its first request to the last of the 1,000 acknowledged orders, and until then
//! everybody who was told no asks again. The first sale of each turn, over a SKU of its own, opens
//! connections and has statements planned, and is not counted.
//!
//! **A false "sold out"** is an answer that was there before somebody sent the request that got a
//! unit. Nobody gives a unit back here, so that unit was free when there was said to be none. (An
//! answer that came while the last units were on their way to others is right: they had asked
//! before.) A sale in which a unit is left does not end well either: the buyers go on asking for
//! it, and the turn fails. See [`judge`].

use anyhow::{Context, ensure};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

use super::{
    crowd::{Crowd, Sold},
    house::{Goods, House},
    options::{Contender, Options, Race},
    race::{best_connections, turning},
    report::Findings,
    spread::{Spread, rounded},
};
use crate::{
    chaos::last_units::judge,
    check,
    drive::{
        acks::{AckLog, read_acks},
        target::Target,
        window::Live,
    },
    servers::shop::{Doorbuster, Service},
};

/// Units of each SKU.
const UNITS: u32 = 1_000;

/// Sales of a turn that are counted, each of its own SKU.
const SALES: u32 = 4;

/// Replicas over one ledger.
const MANY: usize = 8;

/// Who sells, and to whom buyers turn.
#[derive(Debug, Clone, Copy)]
struct Way {
    name: &'static str,
    replicas: usize,
    /// Whether each request goes to the next replica, or each checkout.
    hops: bool,
    contender: Contender,
}

const WAYS: [Way; 4] = [
    Way { name: "n2", replicas: 1, hops: false, contender: Contender::N2 },
    Way { name: "one", replicas: 1, hops: false, contender: Contender::Ours },
    Way { name: "eight", replicas: MANY, hops: false, contender: Contender::Ours },
    Way { name: "eight_hopping", replicas: MANY, hops: true, contender: Contender::Ours },
];

/// What the sales of one way came to.
#[derive(Debug, Default)]
struct Seen {
    rates: Vec<f64>,
    told: u64,
    wrong: u64,
}

/// Races, and says what came of it.
///
/// # Errors
/// When a sale does not sell out exactly.
pub fn run(house: &mut House, options: &Options, live: &Arc<Live>) -> anyhow::Result<Findings> {
    let mut seen: [Seen; 4] = Default::default();
    for round in 0..options.repeat.max(1) {
        for (way, all) in WAYS.iter().zip(&mut seen) {
            let sales = take(house, options, *way, live)?;
            for sold in &sales {
                let came = judge(&sold.asked, u64::from(UNITS), 0);
                all.rates.push(f64::from(UNITS) / sold.took.as_secs_f64());
                all.told += came.refused;
                all.wrong += came.wrong;
            }
            let rates = &all.rates[all.rates.len() - sales.len()..];
            let rate = Spread::of(rates.iter().copied()).unwrap_or_default();
            eprintln!(
                "  last_units round {}: {:<13} {:>6.0} orders/s ({:.0} – {:.0})",
                round + 1,
                way.name,
                rate.median,
                rate.min,
                rate.max,
            );
        }
    }
    Ok(findings(&seen))
}

fn findings(seen: &[Seen; 4]) -> Findings {
    let rates = seen.each_ref().map(|seen| Spread::of(seen.rates.iter().copied()));
    let rates = rates.map(Option::unwrap_or_default);
    let mut figures = serde_json::Map::new();
    for ((way, rate), seen) in WAYS.iter().zip(&rates).zip(seen) {
        let told = json!({
            "orders_per_second": rounded(rate.median),
            "ratio_to_n2": rounded(rate.median / rates[0].median),
            "told_sold_out": seen.told,
            "false_sold_out": seen.wrong,
            "spread": rate.range(),
        });
        figures.insert(way.name.to_owned(), told);
    }
    Findings::from_iter([(Race::LastUnits.key().to_owned(), figures.into())])
}

/// One way's sales, on a fresh database.
fn take(
    house: &mut House,
    options: &Options,
    way: Way,
    live: &Arc<Live>,
) -> anyhow::Result<Vec<Sold>> {
    let goods = Goods { skus: SALES + 1, units: UNITS, lines: 1 };
    let usual = turning(Race::HotSku, options);
    let connections = best_connections(house, way.contender, options, &usual, live)?;
    let folder = house.folder()?;
    let log = folder.join("acks.jsonl");
    let acks = AckLog::open(&log)?;
    let (services, database, ours) = open(house, way, goods, connections)?;
    let targets: Vec<Target> = services.iter().map(|service| service.target.clone()).collect();
    let mut crowd = Crowd::new(targets, way.hops, options.in_flight, acks)?;
    let mut sales = Vec::new();
    for sku in 0..goods.skus {
        let sold = crowd.buy(sku, UNITS, &live.stop)?;
        ensure!(!live.stop.load(Ordering::Relaxed), "interrupted");
        sales.push(sold);
    }
    drop(crowd);
    for service in services {
        service.process.stop()?;
    }
    let acks = read_acks(&log)?;
    let all = u64::from(goods.skus * UNITS);
    ensure!(acks.len() as u64 == all, "{} orders were acknowledged of {all} units", acks.len());
    house.runtime.block_on(async {
        let client = house.postgres.connect(&database).await?;
        check::every_acknowledged_order_is_there(&client, &acks).await?;
        let there: i64 = client.query_one("select count(*) from orders", &[]).await?.try_get(0)?;
        ensure!(there.unsigned_abs() == all, "{there} orders of {all} units");
        Ok(())
    })?;
    if let Some(ours) = ours {
        ours.run(&["audit"]).context("the audit")?;
    }
    house.forget(&database)?;
    Ok(sales.split_off(1))
}

/// Starts whoever sells.
fn open(
    house: &mut House,
    way: Way,
    goods: Goods,
    connections: usize,
) -> anyhow::Result<(Vec<Service>, String, Option<Doorbuster>)> {
    if way.contender != Contender::Ours {
        let turn = house.start(way.contender, goods, connections)?;
        return Ok((vec![turn.service], turn.database, None));
    }
    let database = house.database(way.contender, goods)?;
    let mut services = Vec::new();
    for number in 0..way.replicas {
        let folder = house.folder()?;
        let ours = house.ours(&folder, &database).with("server.replica_id", format!("r{number}"));
        services.push(ours.start()?);
    }
    let folder = house.folder()?;
    let ours = house.ours(&folder, &database);
    Ok((services, database, Some(ours)))
}

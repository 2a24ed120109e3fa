//! Turns of those who talk to PostgreSQL without a service between.

use anyhow::ensure;
use std::time::Duration;

use super::{
    house::{Goods, House, PLANS, with_index_scans},
    options::Contender,
    turn::{Turned, Turning, counters},
    wal::Wal,
};
use crate::{
    contend::{
        batch,
        pgbench::{Bench, bench},
    },
    drive::{cart::Picker, figures::Figures},
};

/// Lets P or B take a turn.
///
/// # Errors
/// When it fails, or PostgreSQL has other orders than it says.
pub fn take(
    house: &mut House,
    contender: Contender,
    connections: usize,
    turning: &Turning,
) -> anyhow::Result<Turned> {
    let folder = house.folder()?;
    let database = house.database(contender, turning.goods)?;
    let Goods { skus, lines, .. } = turning.goods;
    let (warm_up, measure) = (turning.warm_up, turning.measure);
    let (rate, all) = if contender == Contender::P {
        let bench_it = Bench {
            program: &house.postgres.client_program("pgbench"),
            url: &house.postgres.url(&database),
            options: PLANS,
            folder: &folder,
            goods: (skus, lines),
            pick: turning.pick,
            clients: connections.max(1),
        };
        bench(&bench_it, warm_up, measure)?
    } else {
        let picker = Picker::new(turning.pick, skus, lines, 1);
        let url = with_index_scans(&house.postgres.url(&database));
        house.runtime.block_on(batch::bench(&url, &picker, lines, warm_up, measure))?
    };
    let there: i64 = house.runtime.block_on(async {
        let client = house.postgres.connect(&database).await?;
        anyhow::Ok(client.query_one("select count(*) from orders", &[]).await?.try_get(0)?)
    })?;
    // pgbench does not count what its last moment cut off.
    ensure!(there.unsigned_abs() >= all, "{contender} says {all} orders, there are {there}");
    let counted = counters(house, &database)?;
    house.forget(&database)?;
    let figures = Figures {
        all_orders: there.unsigned_abs(),
        orders: (rate * measure.as_secs_f64()).round() as u64,
        window: measure,
        ..Figures::default()
    };
    let (service_cpu, postgres_cpu) = (Duration::ZERO, Duration::ZERO);
    let (wal, metrics) = (Wal::default(), String::new());
    Ok(Turned { figures, service_cpu, postgres_cpu, counted, wal, metrics })
}

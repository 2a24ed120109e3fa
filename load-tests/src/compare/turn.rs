//! One turn: a contender starts on a fresh database, is driven, and is looked at from all sides.

use anyhow::{Context, ensure};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    cpu,
    house::{Goods, House, Turn},
    judging,
    options::Contender,
    wal::Wal,
};
use crate::{
    check,
    drive::{
        acks::{AckLog, read_acks},
        buyer::Manners,
        cart::{Pick, Picker},
        connection::Pace,
        figures::Figures,
        flow::{Ending, Flow},
        run::{Load, Plan, drive},
        target::Target,
        window::Live,
    },
    servers::{pgbouncer::PgBouncer, shop::Doorbuster},
};

/// SKUs at most that the audit is asked about: it takes two minutes over a million.
const AUDITED: u32 = 100_000;

/// The profile of a platform that nobody reaches: its orders are kept for it, and tried again.
const PLATFORM: &str = "https://load.example/profile";

/// A turn's load.
#[derive(Debug, Clone)]
pub struct Turning {
    /// What is sold.
    pub goods: Goods,
    /// How buyers choose.
    pub pick: Pick,
    /// What they do.
    pub flow: Flow,
    /// How they come.
    pub load: Load,
    /// How long before measuring.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measure: Duration,
    /// Driver threads.
    pub threads: usize,
    /// How many different people the buyers are; without any, always the same one.
    pub people: u32,
}

/// What a turn came to.
#[derive(Debug)]
pub struct Turned {
    /// What the driver saw.
    pub figures: Figures,
    /// Processor time of the service while it was measured, and of the pooler before its database.
    pub service_cpu: Duration,
    /// The same of PostgreSQL.
    pub postgres_cpu: Duration,
    /// What PostgreSQL counted in the whole turn.
    pub counted: Counted,
    /// What its log took in while it was measured.
    pub wal: Wal,
    /// What ours told at `/metrics` at the end; of others, nothing.
    pub metrics: String,
}

/// What PostgreSQL counted of one database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Commits.
    pub commits: i64,
    /// Updates of stock rows.
    pub stock_updates: i64,
    /// Rows inserted, updated and deleted.
    pub rows_written: i64,
    /// Rows that index scans fetched.
    pub tuples_fetched: i64,
}

impl Turned {
    /// Processor time per order, in microseconds.
    pub fn cpu_micros_per_order(&self) -> f64 {
        self.micros_per_order(self.service_cpu + self.postgres_cpu)
    }

    /// A part of it: this processor time, per order that was measured.
    pub fn micros_per_order(&self, used: Duration) -> f64 {
        used.as_secs_f64() * 1e6 / self.figures.orders.max(1) as f64
    }

    fn per_order(&self, count: i64) -> f64 {
        count as f64 / self.figures.all_orders.max(1) as f64
    }

    /// Commits per order.
    pub fn commits_per_order(&self) -> f64 {
        self.per_order(self.counted.commits)
    }

    /// Updates of stock rows per 1,000 orders.
    pub fn stock_updates_per_thousand(&self) -> f64 {
        self.per_order(self.counted.stock_updates) * 1000.0
    }

    /// Rows inserted, updated and deleted per order.
    pub fn rows_written_per_order(&self) -> f64 {
        self.per_order(self.counted.rows_written)
    }

    /// Bytes of PostgreSQL's log per order that was measured.
    pub fn wal_bytes_per_order(&self) -> f64 {
        self.wal.bytes as f64 / self.figures.orders.max(1) as f64
    }

    /// Records of PostgreSQL's log per order that was measured.
    pub fn wal_records_per_order(&self) -> f64 {
        self.wal.records as f64 / self.figures.orders.max(1) as f64
    }

    /// Rows that index scans fetched per order. More of them with each order that stands means a
    /// plan that reads tables from end to end.
    pub fn tuples_fetched_per_order(&self) -> f64 {
        self.per_order(self.counted.tuples_fetched)
    }
}

impl Turning {
    /// A plan to drive this load at a target.
    pub fn plan(&self, target: &Target, acks: Option<Arc<AckLog>>) -> Plan {
        let Goods { skus, lines, .. } = self.goods;
        Plan {
            target: target.clone(),
            api_key: None,
            platform: None,
            load: self.load.clone(),
            flows: vec![(self.flow, 1)],
            picker: Picker::new(self.pick, skus, lines, 1),
            manners: Manners {
                copies: 2,
                slow: Pace::Whole,
                retries: 0,
                patience: Duration::from_secs(20),
                people: self.people,
            },
            warm_up: self.warm_up,
            measure: self.measure,
            most_flows: u64::MAX,
            threads: self.threads,
            seed: 1,
            run: "r".to_owned(),
            acks,
        }
    }
}

/// Lets a contender take a turn, and checks what it left behind.
///
/// # Errors
/// When it fails, or its books do not bear out what it acknowledged.
pub fn take(
    house: &mut House,
    contender: Contender,
    connections: usize,
    turning: &Turning,
    live: &Arc<Live>,
) -> anyhow::Result<Turned> {
    if matches!(contender, Contender::P | Contender::Batch) {
        return super::sql::take(house, contender, connections, turning);
    }
    let turn = house.start(contender, turning.goods, connections)?;
    let log = turn.folder.join("acks.jsonl");
    let acks = (contender != Contender::Echo).then(|| AckLog::open(&log)).transpose()?;
    let platform = house.for_platform.then(|| PLATFORM.to_owned());
    let plan = Plan { platform, ..turning.plan(&turn.service.target, acks.map(Arc::new)) };
    let (figures, [service_cpu, postgres_cpu], wal) = watch(house, &turn, &plan, live)?;
    ensure!(!live.stop.load(std::sync::atomic::Ordering::Relaxed), "interrupted");
    let complaint = figures.complaints.first().cloned().unwrap_or_default();
    let failed = figures.count(Ending::Failed) + figures.count(Ending::Broken);
    ensure!(failed == 0, "{contender}: {failed} flows failed: {complaint}");
    let metrics = (contender == Contender::Ours).then(|| judging::metrics(&turn.service.target));
    let metrics = metrics.transpose()?.unwrap_or_default();
    let Turn { service, database, pooler, ours, .. } = turn;
    service.process.stop()?;
    pooler.map_or(Ok(()), PgBouncer::stop)?;
    let counted = counters(house, &database)?;
    if contender != Contender::Echo {
        let acks = read_acks(&log)?;
        house.runtime.block_on(async {
            let client = house.postgres.connect(&database).await?;
            check::every_acknowledged_order_is_there(&client, &acks).await
        })?;
        if let Some(ours) = ours {
            audit(house, &ours, &database, turning.goods)?;
        }
    }
    house.forget(&database)?;
    Ok(Turned { figures, service_cpu, postgres_cpu, counted, wal, metrics })
}

/// Has the audit look at every SKU, one after the other; of very many, PostgreSQL sums them up.
fn audit(house: &House, ours: &Doorbuster, database: &str, goods: Goods) -> anyhow::Result<()> {
    if goods.skus <= AUDITED {
        return ours.run(&["audit"]).map(drop).context("the audit");
    }
    house.runtime.block_on(async {
        let client = house.postgres.connect(database).await?;
        check::units_add_up(&client).await
    })
}

/// Drives, and reads the processor's clocks at the beginning and at the end of what is measured.
fn watch(
    house: &House,
    turn: &Turn,
    plan: &Plan,
    live: &Arc<Live>,
) -> anyhow::Result<(Figures, [Duration; 2], Wal)> {
    let wal = || Wal::so_far(house, &turn.database);
    let read = || -> anyhow::Result<[Duration; 2]> {
        let service = cpu::of_process(turn.service.process.id())?;
        let pooler = turn.pooler.as_ref().map(|pooler| cpu::of_process(pooler.process().id()));
        Ok([
            service + pooler.transpose()?.unwrap_or_default(),
            cpu::of_family(house.postgres.id())?,
        ])
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        let driving = scope.spawn(|| drive(plan, live));
        let sleep_until = |then: Duration| {
            std::thread::sleep(then.saturating_sub(began.elapsed()));
        };
        sleep_until(plan.warm_up);
        let before = (read(), wal());
        sleep_until(plan.warm_up + plan.measure);
        let after = (read(), wal());
        let figures = driving.join().map_err(|_| anyhow::anyhow!("the driver panicked"))??;
        let wal = after.1?.since(before.1?);
        let (before, after) = (before.0?, after.0?);
        let used = [after[0].saturating_sub(before[0]), after[1].saturating_sub(before[1])];
        Ok((figures, used, wal))
    })
}

/// What PostgreSQL counted of a database whose connections have ended.
pub(super) fn counters(house: &House, database: &str) -> anyhow::Result<Counted> {
    house.runtime.block_on(async {
        let client = house.postgres.connect(database).await?;
        let row = client
            .query_one(
                "select xact_commit, coalesce((select n_tup_upd from pg_stat_user_tables
                        where relname = 'stock'), 0),
                        tup_inserted + tup_updated + tup_deleted, tup_fetched
                 from pg_stat_database where datname = $1",
                &[&database],
            )
            .await?;
        Ok(Counted {
            commits: row.try_get(0)?,
            stock_updates: row.try_get(1)?,
            rows_written: row.try_get(2)?,
            tuples_fetched: row.try_get(3)?,
        })
    })
}

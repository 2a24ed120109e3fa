//! `load-tests run`: one scenario, at a service of its own or at one that runs already.

use anyhow::{Context, ensure};
use clap::Args;
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc::channel},
    time::Duration,
};
use tempfile::TempDir;

use crate::{
    check,
    drive::{
        acks::{AckLog, read_acks},
        figures::Figures,
        flow::{Ending, Flow},
        picture, progress,
        run::{Load, Plan, drive},
        summary::Summary,
        target::Target,
        window::Live,
    },
    scenario::Scenario,
    servers::{
        postgres::{Postgres, find_programs},
        redis::Redis,
        shop::{Doorbuster, Service, find_doorbuster},
    },
};

/// Runs a scenario. Without --target a service of its own is started on a PostgreSQL of its own,
/// and audited afterwards.
#[derive(Debug, Args)]
pub struct Run {
    /// A scenario's file, or its name in load-tests/scenarios
    pub scenario: String,
    /// A service that runs already, on this machine, with the scenario's SKUs (see `shelves`)
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Its API key, in production mode
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,
    /// Its PostgreSQL, to look acknowledged orders up in afterwards
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Where acknowledged orders are noted, one line each; appended to
    #[arg(long, value_name = "FILE")]
    pub acks: Option<PathBuf>,
    /// Where the picture goes (SVG)
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Driver threads
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Sessions of its own service in Redis instead of in its process
    #[arg(long)]
    pub redis_sessions: bool,
    /// Doorbuster's binary, instead of building it
    #[arg(long, value_name = "FILE")]
    pub service: Option<PathBuf>,
}

/// A shop of our own: everything in it ends with it. Fields drop in order: the service first.
struct Shop {
    service: Option<Service>,
    ours: Doorbuster,
    postgres: Postgres,
    _redis: Option<Redis>,
    scratch: TempDir,
}

impl Shop {
    fn open(arguments: &Run, scenario: &Scenario) -> anyhow::Result<Self> {
        let binary = find_doorbuster(arguments.service.as_deref())?;
        let scratch = tempfile::Builder::new().prefix("load-").tempdir()?;
        let postgres = Postgres::start(&find_programs()?, scratch.path())?;
        let redis = arguments.redis_sessions.then(|| Redis::start(scratch.path())).transpose()?;
        let mut ours = Doorbuster::new(&binary, scratch.path(), &postgres.url("postgres"));
        if let Some(redis) = &redis {
            ours = ours.with("storage.redis", redis.url());
        }
        for (key, value) in &scenario.settings {
            ours = ours.with(key, value);
        }
        ours.fill(scenario.shelves.skus, scenario.shelves.units)?;
        let service = Some(ours.start()?);
        Ok(Self { service, ours, postgres, _redis: redis, scratch })
    }
}

/// Runs a scenario and says what came of it.
///
/// # Errors
/// When something does not start, a healthy service would have answered otherwise, or the ledger
/// does not bear out what was acknowledged.
pub fn run(arguments: &Run, live: &Arc<Live>, out: &mut dyn Write) -> anyhow::Result<()> {
    let scenario = Scenario::read(&find(&arguments.scenario))?;
    let target = arguments.target.as_deref().map(Target::parse).transpose()?;
    let mut shop = match target {
        Some(_) => None,
        None => Some(Shop::open(arguments, &scenario)?),
    };
    let service = shop.as_ref().and_then(|shop| shop.service.as_ref());
    let target = target.or_else(|| service.map(|service| service.target.clone()));
    let target = target.context("nothing to drive load at")?;
    let log = match (&arguments.acks, &shop) {
        (Some(file), _) => file.clone(),
        (None, Some(shop)) => shop.scratch.path().join("acks.jsonl"),
        (None, None) => std::env::temp_dir().join("doorbuster-acks.jsonl"),
    };
    writeln!(out, "{}: {}", scenario.name, scenario.about.trim())?;
    let plan = plan(arguments, &scenario, target, &log)?;
    let plan = with_peak(&scenario, plan, live)?;
    let figures = watched(&plan, live)?;
    writeln!(out, "{}", Summary(&figures))?;
    if let Some(file) = &arguments.picture {
        std::fs::write(file, picture::draw(&scenario.name, &figures))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(shop) = &mut shop {
        if let Some(service) = shop.service.take() {
            service.process.stop()?;
        }
        verify(&shop.postgres.url("postgres"), &log, out)?;
        write!(out, "{}", shop.ours.run(&["audit"]).context("the audit")?)?;
    } else if let Some(database) = &arguments.database {
        verify(database, &log, out)?;
    }
    ensure!(!live.stop.load(Ordering::Relaxed), "interrupted; the figures are of a part");
    verdict(&figures)
}

/// A file, or a scenario of ours by its name.
pub fn find(name: &str) -> PathBuf {
    let given = PathBuf::from(name);
    if given.exists() {
        return given;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    folder.join(format!("{}.toml", name.trim_end_matches(".toml")))
}

fn plan(arguments: &Run, scenario: &Scenario, target: Target, log: &Path) -> anyhow::Result<Plan> {
    let (load, warm_up, measure) = scenario.load(0.0);
    // Keys of two runs at one service must differ.
    let run = uuid::Uuid::now_v7().simple().to_string();
    Ok(Plan {
        target,
        api_key: arguments.api_key.clone(),
        platform: None,
        load,
        flows: scenario.buyers.flows.iter().map(|(flow, weight)| (*flow, *weight)).collect(),
        picker: scenario.picker(),
        manners: scenario.manners(),
        warm_up,
        measure,
        most_flows: scenario.most_flows(),
        threads: arguments.threads,
        seed: scenario.seed,
        run: run[..13].to_owned(),
        acks: Some(Arc::new(AckLog::open(log)?)),
    })
}

/// Measures the peak first, where rates are in terms of it.
fn with_peak(scenario: &Scenario, plan: Plan, live: &Arc<Live>) -> anyhow::Result<Plan> {
    if !scenario.needs_peak() {
        return Ok(plan);
    }
    let short = Plan {
        load: Load::Closed { in_flight: 256 },
        flows: vec![(Flow::Complete, 1)],
        warm_up: Duration::from_secs(2),
        measure: Duration::from_secs(4),
        run: format!("{}p", plan.run),
        ..plan.clone()
    };
    let peak = drive(&short, live)?.orders_per_second();
    eprintln!("the peak is {peak:.0} orders/s");
    let (load, warm_up, measure) = scenario.load(peak);
    Ok(Plan { load, warm_up, measure, ..plan })
}

fn watched(plan: &Plan, live: &Arc<Live>) -> anyhow::Result<Figures> {
    let (done, over) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let over = over;
            progress::watch(live, &over, &mut std::io::stderr());
        });
        let figures = drive(plan, live);
        drop(done);
        figures
    })
}

fn verify(database: &str, log: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let acks = read_acks(log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connected = tokio_postgres::connect(database, tokio_postgres::NoTls).await;
        let (client, connection) = connected.context("cannot connect to the ledger")?;
        tokio::spawn(async move {
            // The client's next call tells what went wrong.
            let _ended = connection.await;
        });
        check::every_acknowledged_order_is_there(&client, &acks).await
    })?;
    writeln!(out, "acknowledged: {} orders, every one of them in the ledger", acks.len())?;
    Ok(())
}

/// What a service in good health never does.
fn verdict(figures: &Figures) -> anyhow::Result<()> {
    for ending in [Ending::TwoAnswers, Ending::Failed, Ending::Broken] {
        let count = figures.count(ending);
        ensure!(count == 0, "{count} flows: {ending}; first: {:?}", figures.complaints.first());
    }
    Ok(())
}

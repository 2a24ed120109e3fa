//! `doorbuster replay`: a real shop's invoices, bought again over HTTP.

use anyhow::Context;
use clap::Args;
use std::{fs::File, io::BufReader, io::Write, path::PathBuf, time::Duration};

use super::{audit, open_database};
use crate::{
    base::{AnchoredClock, SystemChance},
    config::Config,
    files::decode::{STREAM_BYTES_MAX, unpacked},
    outbound::{Client, OutboundSettings},
    replay::{
        self, CONCURRENCY, Plan, Report, Shop,
        embedded::{Embedded, start_embedded},
        read,
    },
};

/// How long connecting may take. Everything is near; what is slow is a machine under load.
const CONNECT: Duration = Duration::from_secs(5);

/// Replays the UCI Online Retail invoices (or any file of those columns) as buyers, then audits.
#[derive(Debug, Args)]
pub struct Replay {
    /// The invoices: CSV, plain or gzip
    pub file: PathBuf,
    /// A running service instead of one of the replay's own. Its ledger is audited when --database
    /// names it.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Buyers in the shop at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY)]
    pub concurrency: usize,
    /// API key for a target in production mode
    #[arg(long, value_name = "KEY", requires = "target")]
    pub key: Option<String>,
    /// The sandbox's book of the target
    #[arg(long, value_name = "FILE", requires = "target")]
    pub book: Option<PathBuf>,
}

/// Replays a file, reports and audits.
///
/// # Errors
/// When the file does not read, the shop cannot be filled or the books do not add up.
pub async fn run(
    arguments: &Replay,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let plan = plan(&arguments.file)?;
    let Some(target) = &arguments.target else {
        let service = start_embedded(config).await?;
        let replayed = buy_and_audit(arguments, &service, &plan, out).await;
        service.stop().await;
        return replayed;
    };
    buy(arguments, target, &plan, out).await?;
    if config.storage.database.is_none() {
        writeln!(out, "audit: not done; name the target's ledger with --database")?;
        return Ok(());
    }
    let database = open_database(config).await.context("cannot open the target's ledger")?;
    let report = audit::check(&*database.store(), arguments.book.as_deref()).await?;
    audit::verdict(&report, out)
}

async fn buy_and_audit(
    arguments: &Replay,
    service: &Embedded,
    plan: &Plan,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    // The book of this service begins empty: orders that stand already would have no charge in it.
    let orders = service.store().figures().await?.orders;
    anyhow::ensure!(
        orders == 0,
        "the database has {orders} orders already; name one without, or replay against the service \
         that placed them with --target"
    );
    buy(arguments, &service.base_url(), plan, out).await?;
    service.settle().await?;
    let report = audit::check(&*service.store(), Some(&service.book())).await?;
    audit::verdict(&report, out)
}

fn plan(file: &PathBuf) -> anyhow::Result<Plan> {
    let name = || format!("cannot read {}", file.display());
    let opened = BufReader::new(File::open(file).with_context(name)?);
    let input = unpacked(opened, STREAM_BYTES_MAX).with_context(name)?;
    let plan = read::read(input).with_context(name)?;
    anyhow::ensure!(!plan.sales.is_empty(), "{} has no invoice to replay", file.display());
    Ok(plan)
}

async fn buy(
    arguments: &Replay,
    target: &str,
    plan: &Plan,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let settings = OutboundSettings {
        connect_ms: u64::try_from(CONNECT.as_millis()).unwrap_or(u64::MAX),
        // A checkout of a thousand lines answers with about half a megabyte.
        body_bytes: 8 * 1024 * 1024,
        idle_per_host: arguments.concurrency,
        ..OutboundSettings::default()
    };
    let client = Client::new(&settings)?;
    let shop = Shop::discover(client, target, arguments.key.clone())
        .await
        .with_context(|| format!("cannot find a shop at {target}"))?;
    let clock = AnchoredClock::from_system();
    let outcome = replay::replay(&shop, plan, arguments.concurrency, &clock, &SystemChance).await?;
    writeln!(out, "{}", Report { plan, outcome: &outcome })?;
    Ok(())
}

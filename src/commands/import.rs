//! `doorbuster import`: what a merchant sets from a file, all of it or nothing.

use anyhow::Context;
use clap::Args;
use std::{fs::File, io::BufReader, io::Write, path::PathBuf};

use super::{export, open_database};
use crate::{
    base::{AnchoredClock, Clock},
    catalog::import::{ImportError, unpacked},
    config::Config,
    exchange::{
        Format, Kind,
        import::{ImportRefused, read},
    },
};

pub use crate::exchange::counts::{Applied, apply};

/// How many errors are shown: enough to correct a column, not to scroll for.
const SHOWN: usize = 20;

/// Reads products, or anything else a merchant sets, from CSV or JSON lines, plain or gzip. Nothing
/// is saved if any row is wrong.
///
/// Columns of products: sku, title, price, currency; and, where wanted: `tax_category`,
/// `image_url`, `stock_policy` (tracked, backorder, untracked), stock, active (true, false), group,
/// description, categories, `max_per_order`, `option:<name>`, `attribute:<name>`. `stock` is the
/// counted stock: a SKU new to the ledger receives so many units; of one that is known, the
/// difference to what is on hand is received or written off. `doorbuster export` shows the columns
/// of the other kinds.
#[derive(Debug, Args)]
pub struct Import {
    /// The file
    pub file: PathBuf,
    /// What is in it: product-groups, products, stock, price-lists, discounts, shipping-rates,
    /// pickup-locations, tax-rates
    #[arg(long, default_value = "products", value_parser = export::kind)]
    pub kind: Kind,
    /// How it is written: csv, jsonl
    #[arg(long, default_value = "csv", value_parser = export::format)]
    pub format: Format,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Imports a file into the configured database.
///
/// # Errors
/// When the file is wrong (then nothing is saved), the database does not answer, or a write-off
/// would take units that are promised to buyers (then everything else is saved).
pub async fn run(
    arguments: &Import,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let Import { kind, format, .. } = *arguments;
    let now = AnchoredClock::from_system().now();
    let name = || format!("cannot read {}", arguments.file.display());
    let file = File::open(&arguments.file).with_context(name)?;
    let input = unpacked(BufReader::new(file)).with_context(name)?;
    let plan = read(kind, format, input, &config.limits, now).map_err(|errors| wrong(&errors))?;
    let (rows, counted, what) = (plan.len(), plan.counted(), kind.as_str());
    let opened = export::Opened::of(open_database(config).await?);
    let done = opened
        .with(config, async |shop| {
            plan.check(shop).await?;
            if arguments.dry_run { Ok(None) } else { plan.apply(shop, "import").await.map(Some) }
        })
        .await;
    let done = done.map_err(|refused| match refused {
        ImportRefused::Wrong(errors) => wrong(&errors),
        other => other.into(),
    })?;
    let Some(done) = done else {
        writeln!(out, "{rows} {what} read, {counted} with stock; nothing was saved")?;
        return Ok(());
    };
    let (saved, moved) = (done.saved, done.moved);
    writeln!(out, "{saved} {what} saved, stock of {moved} SKUs set")?;
    for (named, why) in &done.refused {
        match kind {
            Kind::Products | Kind::Stock => writeln!(out, "stock of {named} was not set: {why}")?,
            _ => writeln!(out, "{named} was not saved: {why}")?,
        }
    }
    let refused = done.refused.len();
    match kind {
        Kind::Products | Kind::Stock => {
            anyhow::ensure!(refused == 0, "the stock of {refused} SKUs was not set");
        }
        _ => anyhow::ensure!(refused == 0, "{refused} {what} were not saved"),
    }
    Ok(())
}

/// The errors of a file as one message.
fn wrong(errors: &[ImportError]) -> anyhow::Error {
    anyhow::anyhow!(ImportError::summary(errors, SHOWN))
}

//! `doorbuster import`: what a merchant sets from a file, all of it or nothing.

use anyhow::Context;
use clap::Args;
use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::PathBuf,
};

use super::{export, open_database};
use crate::{
    base::Currency,
    catalog::Change,
    config::Config,
    exchange::{
        Format, Kind,
        plan::{Changes, Done, ImportRefused, Plan},
        profiles::{Missing, Names, Vendor, convert},
        read::read,
    },
    files::{
        FileError,
        decode::{FILE_BYTES_MAX, text, unpacked},
    },
};

pub use crate::exchange::counts::{Applied, apply};

/// How many errors are shown: enough to correct a column, not to scroll for.
const SHOWN: usize = 20;

/// Reads products, or anything else a merchant sets, from CSV or JSON lines, plain or gzip. Nothing
/// is saved if any row is wrong. A column that the file does not have leaves what it is about as it
/// is; an empty cell clears it.
///
/// Columns of products: sku; of new ones title, price, currency; and, where wanted: `tax_category`,
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
    /// Whose product file it is: shopify, woocommerce, magento; ours when left out. Groups and
    /// products with their stock are made of it, and columns that are mapped nowhere are listed
    #[arg(long, value_name = "SHOP", value_parser = vendor)]
    #[arg(conflicts_with_all = ["kind", "format"])]
    pub from: Option<Vendor>,
    /// The currency of the prices in another shop's file
    #[arg(long, value_name = "CODE", requires = "from")]
    pub currency: Option<Currency>,
    /// Where pictures are that another shop's file names without an address
    #[arg(long, value_name = "URL", requires = "from")]
    pub images: Option<String>,
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
    let text = read_text(&arguments.file)?;
    let (plans, names) = plans(arguments, &text, config, out)?;
    let opened = export::Opened::of(open_database(config).await?);
    let done = opened
        .with(config, async |shop| {
            // Everything is looked at before anything is saved.
            let mut outlooks = Vec::new();
            for (_, plan) in &plans {
                outlooks.push(plan.check(shop).await?);
            }
            let mut done = Vec::new();
            for ((kind, plan), outlook) in plans.into_iter().zip(outlooks) {
                let (rows, counted) = (plan.len(), plan.counted());
                let applied = match arguments.dry_run {
                    true => None,
                    false => Some(plan.apply(shop, "import").await?),
                };
                done.push((kind, rows, counted, outlook, applied));
            }
            Ok(done)
        })
        .await;
    let done = done.map_err(|refused| match refused {
        ImportRefused::Wrong(errors) => wrong(&names.theirs(errors)),
        other => other.into(),
    })?;
    let mut failed = Vec::new();
    for (kind, rows, counted, outlook, applied) in done {
        let what = kind.as_str();
        match applied {
            None => {
                writeln!(out, "{rows} {what} read, {counted} with stock; nothing was saved")?;
                tell(&outlook.changes, true, out)?;
            }
            Some(done) => failed.extend(report(kind, &done, out)?),
        }
        for warning in outlook.warnings {
            writeln!(out, "warning: {warning}")?;
        }
    }
    anyhow::ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// What a file is to do, kind by kind.
fn plans(
    arguments: &Import,
    text: &str,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<(Vec<(Kind, Plan)>, Names)> {
    let Some(vendor) = arguments.from else {
        let plan = read(arguments.kind, arguments.format, text, &config.limits);
        let plan = plan.map_err(|errors| wrong(&errors))?;
        return Ok((vec![(arguments.kind, plan)], Names::default()));
    };
    let missing = Missing {
        currency: arguments.currency.context("these files name no currency; say --currency EUR")?,
        images: arguments.images.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
    };
    let converted = convert(vendor, text, &missing, &config.limits);
    let converted = converted.map_err(|errors| wrong(&errors))?;
    for (note, times) in &converted.notes {
        writeln!(out, "{note} ({times})")?;
    }
    if !converted.unmapped.is_empty() {
        writeln!(out, "columns that are mapped nowhere: {}", converted.unmapped.join(", "))?;
    }
    let plans = vec![(Kind::ProductGroups, converted.groups), (Kind::Products, converted.products)];
    Ok((plans, converted.names))
}

/// Tells what was done; what was not is the answer.
fn report(kind: Kind, done: &Done, out: &mut (dyn Write + Send)) -> anyhow::Result<Option<String>> {
    let (what, saved, moved) = (kind.as_str(), done.saved, done.moved);
    writeln!(out, "{saved} {what} saved, stock of {moved} SKUs set")?;
    tell(&done.changes, false, out)?;
    let counts = matches!(kind, Kind::Products | Kind::Stock);
    for (named, why) in &done.refused {
        match counts {
            true => writeln!(out, "stock of {named} was not set: {why}")?,
            false => writeln!(out, "{named} was not saved: {why}")?,
        }
    }
    let refused = done.refused.len();
    Ok((refused > 0).then(|| match counts {
        true => format!("the stock of {refused} SKUs was not set"),
        false => format!("{refused} {what} were not saved"),
    }))
}

/// Reads a vendor from the command line.
fn vendor(word: &str) -> Result<Vendor, String> {
    Vendor::parse(word).ok_or_else(|| "expected `shopify`, `woocommerce` or `magento`".to_owned())
}

/// The text of a file, unpacked.
fn read_text(file: &PathBuf) -> anyhow::Result<String> {
    let name = || format!("cannot read {}", file.display());
    let opened = BufReader::new(File::open(file).with_context(name)?);
    let mut bytes = Vec::new();
    let mut input = unpacked(opened, FILE_BYTES_MAX).with_context(name)?;
    input.read_to_end(&mut bytes).with_context(name)?;
    text(&bytes).map_err(|error| wrong(&[error]))
}

/// Tells what changes, or would change.
fn tell(changes: &Changes, would: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let count = |wanted: fn(&Change) -> bool| changes.iter().filter(|(_, it)| wanted(it)).count();
    let created = count(|change| *change == Change::Created);
    let unchanged = count(|change| *change == Change::Unchanged);
    let changed = changes.len() - created - unchanged;
    let were = if would { "would be " } else { "" };
    writeln!(out, "{were}created {created}, changed {changed}, unchanged {unchanged}")?;
    let told = changes.iter().filter(|(_, change)| *change != Change::Unchanged);
    for (name, change) in told.clone().take(SHOWN) {
        match change {
            Change::Changed(fields) => writeln!(out, "  {name}: {}", fields.join(", "))?,
            Change::Created | Change::Unchanged => writeln!(out, "  {name}: new")?,
        }
    }
    if let more @ 1.. = told.count().saturating_sub(SHOWN) {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}

/// The errors of a file as one message.
fn wrong(errors: &[FileError]) -> anyhow::Error {
    anyhow::anyhow!(FileError::summary(errors, SHOWN))
}

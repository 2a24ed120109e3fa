//! `doorbuster audit`: whether the books add up.

use anyhow::Context;
use clap::Args;
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use super::open_database;
use crate::{
    audit::{AuditReport, audit},
    base::Timestamp,
    config::Config,
    ledger::Store,
    payment::sandbox::{BOOK, Charge, read_book},
};

/// How often and how long an audit waits for captures that are still owed: those follow the answer
/// to the buyer, usually within milliseconds.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(100));

/// Recomputes stock, holds, orders and charges of a ledger at rest, and lists every difference.
#[derive(Debug, Args)]
pub struct Audit {
    /// The sandbox's book [default: sandbox-book.jsonl in the data folder, when it is there]
    #[arg(long, value_name = "FILE")]
    pub book: Option<PathBuf>,
}

/// Audits the configured ledger.
///
/// # Errors
/// When it cannot be read, or the books do not add up.
pub async fn run(
    arguments: &Audit,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let database = open_database(config).await.context("cannot open the ledger to be audited")?;
    let usual = config.storage.data.join(BOOK);
    let book = match &arguments.book {
        Some(book) => Some(book.as_path()),
        None => usual.exists().then_some(usual.as_path()),
    };
    let report = check(&*database.store(), book).await?;
    verdict(&report, out)
}

/// Waits until nothing is owed to the gateway any more, or patience ends, and audits.
///
/// # Errors
/// When the ledger or the book cannot be read.
pub async fn check(store: &dyn Store, book: Option<&Path>) -> anyhow::Result<AuditReport> {
    let ever = Timestamp::from_micros(i64::MAX / 2);
    let (times, pause) = PATIENCE;
    for _ in 0..times {
        if store.list_due_operations(ever, 1).await?.is_empty() {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    let charges: Option<Vec<Charge>> = book.map(read_book).transpose()?;
    Ok(audit(store, charges).await?)
}

/// Prints the report, whose last line is the verdict.
///
/// # Errors
/// When there are differences, so that the process says so by its exit code.
pub fn verdict(report: &AuditReport, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    writeln!(out, "{report}")?;
    let differences = report.differences.len();
    anyhow::ensure!(report.is_clean(), "the audit found {differences} differences");
    Ok(())
}

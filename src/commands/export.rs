//! `doorbuster export`: what a merchant has set, as a file that `doorbuster import` takes.

use anyhow::Context;
use clap::Args;
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use super::open_database;
use crate::{
    base::{AnchoredClock, Clock, SystemChance},
    catalog::Catalog,
    config::Config,
    exchange::{Format, Kind, Shop, export::part},
    ledger::{Database, Writer},
    pricing::Tariffs,
};

/// Writes what a merchant has set as CSV or JSON lines. Imported into an empty shop and exported
/// again, it is the same bytes.
#[derive(Debug, Args)]
pub struct Export {
    /// What: product-groups, products, stock, price-lists, discounts, shipping-rates,
    /// pickup-locations, tax-rates
    #[arg(value_parser = kind)]
    pub kind: Kind,
    /// How: csv, jsonl
    #[arg(long, default_value = "csv", value_parser = format)]
    pub format: Format,
    /// Where to; shown when left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Reads a kind from the command line.
pub(super) fn kind(word: &str) -> Result<Kind, String> {
    Kind::parse(word).ok_or_else(|| format!("expected one of {}", Kind::words()))
}

/// Reads a format from the command line.
pub(super) fn format(word: &str) -> Result<Format, String> {
    Format::parse(word).ok_or_else(|| "expected `csv` or `jsonl`".to_owned())
}

/// Exports from the configured database.
///
/// # Errors
/// When the database does not answer, or the file cannot be written.
pub async fn run(
    arguments: &Export,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let opened = Opened::of(open_database(config).await?);
    let mut file = match &arguments.out {
        Some(path) => {
            let name = || format!("cannot write {}", path.display());
            Some(BufWriter::new(File::create(path).with_context(name)?))
        }
        None => None,
    };
    opened
        .with(config, async |shop| {
            let mut from: Option<String> = None;
            loop {
                let part = part(shop, arguments.kind, arguments.format, from.as_deref()).await?;
                match &mut file {
                    Some(file) => file.write_all(&part.bytes)?,
                    None => out.write_all(&part.bytes)?,
                }
                let Some(next) = part.next else { break };
                from = Some(next);
            }
            if let Some(file) = &mut file {
                file.flush()?;
            }
            anyhow::Ok(())
        })
        .await
}

/// A database that is worked on, without a service around it.
pub(super) struct Opened {
    database: Database,
}

impl Opened {
    pub(super) const fn of(database: Database) -> Self {
        Self { database }
    }

    /// Works on the shop in it, and closes it.
    pub(super) async fn with<T>(
        self,
        config: &Config,
        work: impl AsyncFnOnce(&Shop<'_>) -> T,
    ) -> T {
        let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::from_system());
        let store = self.database.store();
        let (writer, task) = Writer::new(store.clone(), clock.clone(), Arc::new(|_| {}));
        let catalog = Catalog::new(self.database.clone());
        let tariffs = Tariffs::new(self.database);
        let works = async {
            let shop = Shop {
                catalog: &catalog,
                tariffs: &tariffs,
                store: &*store,
                writer: &writer,
                clock: &*clock,
                chance: &SystemChance,
                limits: &config.limits,
            };
            let done = work(&shop).await;
            // The writer's task ends with its last handle.
            drop(writer);
            done
        };
        let (done, ()) = tokio::join!(works, task);
        store.close().await;
        done
    }
}

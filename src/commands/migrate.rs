//! `doorbuster migrate`: the database's schema.

use anyhow::Context;
use clap::Args;
use std::io::Write;

use super::database_options;
use crate::{
    config::Config,
    ledger::database::{Database, SCHEMA_VERSION},
};

/// Brings the schema up to date, or takes migrations back.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Take the newest N migrations back instead. What they added is lost.
    #[arg(long, value_name = "N")]
    pub down: Option<u32>,
}

/// Migrates the configured database.
///
/// # Errors
/// When a migration fails; it is then rolled back whole.
pub async fn run(
    arguments: &Migrate,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let target = SCHEMA_VERSION - i64::from(arguments.down.unwrap_or(0));
    anyhow::ensure!(
        target >= 0,
        "there are {SCHEMA_VERSION} migrations; --down takes at most {SCHEMA_VERSION}"
    );
    let database =
        Database::open(&database_options(config)).await.context("cannot open the database")?;
    database.migrate_to(target).await?;
    writeln!(out, "the schema is at version {target}")?;
    Ok(())
}

//! `doorbuster migrate`: the database's schema.

use anyhow::Context;
use clap::Args;
use std::io::{self, IsTerminal, Write};

use super::database_options;
use crate::{
    config::Config,
    ledger::database::{Database, SCHEMA_VERSION},
};

/// Brings the schema up to date, or takes migrations back.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Take the newest N migrations back instead. What they added is lost: it is listed, and the
    /// database's name is asked for. Refused while replicas work on the database
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub down: Option<u32>,
    /// The name of the database whose migrations are taken back (of SQLite, of its folder), for
    /// scripts: nobody is asked for it then
    #[arg(long, value_name = "NAME", requires = "down")]
    pub confirm: Option<String>,
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
    let database =
        Database::open(&database_options(config)).await.context("cannot open the database")?;
    if let Some(count) = arguments.down {
        return take_back(&database, count, arguments.confirm.as_deref(), out).await;
    }
    database.migrate().await?;
    writeln!(out, "the schema is at version {}", database.schema().await?)?;
    Ok(())
}

/// Takes so many migrations back, from where the schema stands.
async fn take_back(
    database: &Database,
    count: u32,
    confirm: Option<&str>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let (found, name) = (database.schema().await?, database.name().await?);
    anyhow::ensure!(
        found <= SCHEMA_VERSION,
        "the schema is at version {found}, newer than this binary knows ({SCHEMA_VERSION}); take \
         it back with the binary that brought it there"
    );
    let target = found - i64::from(count);
    anyhow::ensure!(
        target >= 0,
        "the schema is at version {found}; --down takes at most {found} migrations back"
    );
    let beating = database.list_beating().await?;
    anyhow::ensure!(
        beating.is_empty(),
        "replicas work on the database `{name}`: {}; stop them first (one that died is forgotten \
         after ten seconds)",
        beating.join(", ")
    );
    let losses = database.list_losses(found, target).await?;
    writeln!(out, "the database `{name}` goes from version {found} back to {target} and loses")?;
    for loss in &losses {
        writeln!(out, "  {}: {} rows", loss.what, loss.rows)?;
    }
    if losses.is_empty() {
        writeln!(out, "  no rows")?;
    }
    out.flush()?;
    confirmed(confirm, &name, out)?;
    database.migrate_to(target).await?;
    writeln!(out, "the schema is at version {target}")?;
    Ok(())
}

/// Whether whoever asks for it knows which database it is.
fn confirmed(
    confirm: Option<&str>,
    name: &str,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let given = match confirm {
        Some(given) => given.to_owned(),
        None if io::stdin().is_terminal() => {
            write!(out, "its name, to go on: ")?;
            out.flush()?;
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            line.trim().to_owned()
        }
        None => anyhow::bail!(
            "nothing was changed: nobody is here to be asked; say `--confirm {name}` to go on"
        ),
    };
    anyhow::ensure!(
        given == name,
        "nothing was changed: the database is `{name}`, and `{given}` was said"
    );
    Ok(())
}

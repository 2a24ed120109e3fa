//! `doorbuster signing-keys`: what the shop signs with. With the embedded database the service must
//! be stopped meanwhile: its folder belongs to one process.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::io::Write;

use super::open_database;
use crate::{
    base::{AnchoredClock, Clock},
    config::Config,
    signing::{SigningKeys, published, signer},
};

/// Lists and changes the keys that webhooks and answers are signed with.
#[derive(Debug, Args)]
pub struct SigningKeysArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with signing keys.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the keys, and which of them signs.
    List,
    /// Make another key. Running services publish it within a minute, sign with it ten minutes
    /// later, and publish the one before it for another day.
    Rotate,
}

/// Carries out one action.
///
/// # Errors
/// When the database cannot be used.
pub async fn run(
    arguments: &SigningKeysArgs,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let database = open_database(config).await.context("cannot open the database")?;
    let keys = SigningKeys::new(database);
    let now = AnchoredClock::from_system().now();
    match arguments.action {
        Action::List => list(&keys, now, out).await,
        Action::Rotate => {
            let kid = keys.rotate(now).await?;
            writeln!(out, "made {kid}; it signs in ten minutes")?;
            Ok(())
        }
    }
}

async fn list(
    keys: &SigningKeys,
    now: crate::base::Timestamp,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let rows = keys.list().await?;
    if rows.is_empty() {
        writeln!(out, "no keys yet; the first start of the service makes one")?;
    }
    let created: Vec<_> = rows.iter().map(|row| row.created_at).collect();
    let (signs, shown) = (signer(&created, now), published(&created, now));
    for (place, row) in rows.iter().enumerate() {
        let state = match place {
            place if signs == Some(place) => "signs",
            place if shown.contains(&place) => "published",
            _ => "ended",
        };
        writeln!(out, "{}  {state:9}  made {}", row.kid, row.created_at)?;
    }
    Ok(())
}

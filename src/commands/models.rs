//! `doorbuster models`: which model scores. With the embedded database the service must be stopped
//! meanwhile: its folder belongs to one process.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::{io::Write, path::PathBuf, sync::Arc};

use super::open_database;
use crate::{
    base::AnchoredClock,
    config::Config,
    fraud::models::{ModelRow, Models},
};

/// Who changes models from the command line.
const AUTHOR: &str = "command line";

/// Registers models, watches one beside the live one, makes it live, goes back.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Copy a trained model in and register it as a candidate.
    Add {
        /// The folder that `doorbuster train` wrote.
        dir: PathBuf,
        /// What it is called from now on [default: the folder's name]
        #[arg(long)]
        version: Option<String>,
    },
    /// List all models, the newest first.
    List {
        /// As JSON, with what their training tells.
        #[arg(long)]
        json: bool,
    },
    /// Move a model on: watched beside the live one, then live. Running replicas follow within a
    /// second.
    Promote {
        /// Which.
        version: String,
    },
    /// Go back to the model before.
    Rollback,
}

/// Carries out one action.
///
/// # Errors
/// When the database or the files cannot be used, or the change is refused.
pub async fn run(
    arguments: &ModelsArgs,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let database = open_database(config).await.context("cannot open the database")?;
    let clock = Arc::new(AnchoredClock::from_system());
    let models = Models::new(database, config.models(), clock);
    match &arguments.action {
        Action::Add { dir, version } => {
            let name = match version {
                Some(version) => version.clone(),
                None => {
                    let whole = dir.canonicalize();
                    let whole = whole.with_context(|| format!("cannot read {}", dir.display()))?;
                    let name = whole.file_name().unwrap_or_default();
                    name.to_string_lossy().into_owned()
                }
            };
            let row = models.add(dir, &name, AUTHOR).await?;
            writeln!(out, "{} is registered: {}", row.version, row.sha256)?;
        }
        Action::List { json: true } => {
            let rows = models.list().await?;
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
        }
        Action::List { json: false } => {
            for row in models.list().await? {
                show(&row, out)?;
            }
        }
        Action::Promote { version } => {
            show(&models.promote(version, AUTHOR).await?, out)?;
        }
        Action::Rollback => match models.rollback(AUTHOR).await? {
            Some(row) => show(&row, out)?,
            None => writeln!(out, "the configured model scores again")?,
        },
    }
    Ok(())
}

fn show(row: &ModelRow, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let ModelRow { version, state, sha256, changed_at, changed_by, .. } = row;
    let state = format!("{state:?}").to_lowercase();
    let sha256 = sha256.get(..12).unwrap_or(sha256);
    writeln!(out, "{version:<24} {state:<10} {sha256}  {changed_at}  {changed_by}")
}

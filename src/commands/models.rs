//! `doorbuster models`: which model scores. With the embedded database the service must be stopped
//! meanwhile: its folder belongs to one process.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::open_database;
use crate::{
    base::AnchoredClock,
    config::Config,
    fraud::models::{Bundle, ModelRow, Models, Promoted, Wish},
};

/// Registers models, watches one beside the live one, makes it live, goes back.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// Who changes something, and why.
#[derive(Debug, Args)]
pub struct Who {
    /// Who changes it: a name that is recorded
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub by: String,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

impl Who {
    fn said(&self) -> (&str, &str) {
        (&self.by, &self.reason)
    }
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Take a trained model in and register it as a candidate.
    Add {
        /// The folder that `doorbuster train` wrote.
        dir: PathBuf,
        /// What it is called from now on [default: the folder's name]
        #[arg(long)]
        version: Option<String>,
    },
    /// Write a trained model as one text, for `POST /v1/models`.
    Pack {
        /// The folder that `doorbuster train` wrote.
        dir: PathBuf,
        /// Where it is written.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// List all models, the newest first.
    List {
        /// As JSON, with what their training tells.
        #[arg(long)]
        json: bool,
    },
    /// Watch a model beside the live one. Running replicas follow within a second.
    Watch {
        /// Which.
        version: String,
        /// Who, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Watch a model no longer.
    Unwatch {
        /// Which.
        version: String,
        /// Who, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Let a watched model's score decide: at once, or once a second person approves.
    Promote {
        /// Which.
        version: String,
        /// Who, and why.
        #[command(flatten)]
        who: Who,
        /// Waive what is lacking of days, orders and drift; the reason is recorded
        #[arg(long = "override")]
        waived: bool,
    },
    /// Agree, as a second person, that a model goes live.
    Approve {
        /// Which.
        version: String,
        /// Who, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Go back to the model before, at once.
    Rollback {
        /// Who, and why.
        #[command(flatten)]
        who: Who,
    },
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
    if let Action::Pack { dir, out: to } = &arguments.action {
        let text = Bundle::of_folder(dir).map_err(anyhow::Error::msg)?.to_text()?;
        return std::fs::write(to, text).with_context(|| format!("cannot write {}", to.display()));
    }
    let database = open_database(config).await.context("cannot open the database")?;
    let clock = Arc::new(AnchoredClock::from_system());
    let models = Models::new(database, config.models(), clock).with_gate(config.fraud.gate());
    match &arguments.action {
        Action::Pack { .. } => {}
        Action::Add { dir, version } => {
            let name = match version {
                Some(version) => version.clone(),
                None => name_of(dir)?,
            };
            let bundle = Bundle::of_folder(dir).map_err(anyhow::Error::msg)?;
            let row = models.add(&bundle, &name, "command line").await?;
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
        Action::Watch { version, who } => show(&models.watch(version, who.said()).await?, out)?,
        Action::Unwatch { version, who } => show(&models.unwatch(version, who.said()).await?, out)?,
        Action::Promote { version, who, waived } => {
            let wish = Wish { by: &who.by, reason: &who.reason, waived: *waived };
            match models.promote(version, wish).await? {
                Promoted::Live(row) => show(&row, out)?,
                Promoted::Asked(..) => writeln!(
                    out,
                    "{version} goes live when a second person agrees: doorbuster models approve \
                     {version} --by NAME"
                )?,
            }
        }
        Action::Approve { version, who } => show(&models.approve(version, &who.by).await?, out)?,
        Action::Rollback { who } => match models.rollback(who.said()).await? {
            Some(row) => show(&row, out)?,
            None => writeln!(out, "the configured model scores again")?,
        },
    }
    Ok(())
}

fn name_of(dir: &Path) -> anyhow::Result<String> {
    let whole = dir.canonicalize().with_context(|| format!("cannot read {}", dir.display()))?;
    Ok(whole.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

fn show(row: &ModelRow, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let ModelRow { version, state, sha256, changed_at, changed_by, .. } = row;
    let state = format!("{state:?}").to_lowercase();
    let sha256 = sha256.get(..12).unwrap_or(sha256);
    writeln!(out, "{version:<24} {state:<10} {sha256}  {changed_at}  {changed_by}")
}

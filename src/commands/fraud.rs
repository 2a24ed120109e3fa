//! `doorbuster fraud`: what judging comes to, for whoever decides about it. With the embedded
//! database the service must be stopped meanwhile.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::{io::Write, path::PathBuf, time::Duration};

use super::{
    backtest::{CostArgs, date},
    bars::Bars,
    open_database,
    train::write_file,
};
use crate::{
    base::{AnchoredClock, Clock},
    checkout::backtest::Backtest,
    config::Config,
    fraud::{
        backtest::{Proposal, outlook::Outlook},
        history::History,
        rates,
        whereabouts::Whereabouts,
    },
};

/// What is looked at unless said.
const USUAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What judging comes to.
#[derive(Debug, Args)]
pub struct FraudArgs {
    /// What to tell.
    #[command(subcommand)]
    pub action: Action,
}

/// What to tell.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Tell what `fraud.mode = "live"` would have done to the orders judged so far, and whether
    /// that is reason enough to switch.
    Outlook(OutlookArgs),
}

/// What to look at.
#[derive(Debug, Args)]
pub struct OutlookArgs {
    /// From when [default: 30 days ago]
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Until when [default: now]
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Attempts to look at, at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub most: u64,
    /// What things cost
    #[command(flatten)]
    pub costs: CostArgs,
    /// Where the result is written as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Carries out one action.
///
/// # Errors
/// When the database cannot be used, or arguments do not hold.
pub async fn run(
    arguments: &FraudArgs,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let Action::Outlook(arguments) = &arguments.action;
    let costs = arguments.costs.in_currency(config.fraud.currency)?;
    let now = AnchoredClock::from_system().now();
    let from = date(arguments.from.as_deref(), "--from")?.unwrap_or_else(|| now.minus(USUAL));
    let until = date(arguments.until.as_deref(), "--until")?.unwrap_or(now);
    let database = open_database(config).await.context("cannot open the database")?;
    let serving = config.fraud.serving()?;
    let policy = config.fraud.policy(config.mode);
    rates::install(config.fraud.rates.as_deref())?;
    let whereabouts = Whereabouts::default();
    let proposal = Proposal { thresholds: Some(policy.thresholds), ..Proposal::default() };
    let backtest = Backtest {
        proposal: &proposal,
        policy: &policy,
        serving: &serving,
        whereabouts: &whereabouts,
        from,
        until,
        costs: Some(costs),
        most: arguments.most,
        drift: Some(&serving),
        now,
    };
    let mut bars = Bars::default();
    let (report, fitted) = backtest.run(&History::new(database), &mut bars).await?;
    bars.end();
    let fitted = fitted.context("invariant: costs were given")?;
    let outlook = Outlook::of(&policy, report, fitted, serving.drift(until));
    write!(out, "{}", outlook.text())?;
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&outlook)?;
        write_file(path, (text + "\n").as_bytes())?;
    }
    Ok(())
}

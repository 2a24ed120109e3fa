//! `doorbuster backtest`: what a rule, other thresholds or another model would have done.

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use std::{io::Write, path::PathBuf, sync::Arc};

use super::{bars::Bars, open_database, train::write_file};
use crate::{
    base::{AnchoredClock, Clock, Currency, Timestamp},
    checkout::backtest::{Backtest as Run, check_costs},
    config::Config,
    fraud::{
        backtest::{
            DraftRule, Proposal,
            costs::{Costs, Fitted, Point, USUALLY_LOST, USUALLY_STOPPED},
            losses::{FittedLosses, LossPoint},
            versioned,
        },
        history::History,
        policy::{NEVER, Thresholds},
        rates,
        rules::{Action, FeatureNames, Pass, Rules},
        schema::moment::moment,
        serving::Serving,
        whereabouts::Whereabouts,
    },
};

/// Points of the cost curve that are printed.
const CURVE_SHOWN: usize = 12;

/// Judges recorded attempts again, with a rule, thresholds or a model that were not in force.
///
/// With the embedded database the service must be stopped meanwhile.
#[derive(Debug, Args)]
pub struct Backtest {
    /// From when [default: the first judgement]
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Until when [default: now]
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// A rule to try: an expression over what was known
    #[arg(long, value_name = "EXPRESSION", requires = "action")]
    pub rule: Option<String>,
    /// What the rule asks for: challenge, allow, block or review
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Thresholds to try; 1001 is never
    #[arg(long, value_name = "CHALLENGE,REVIEW,DECLINE", value_delimiter = ',', num_args = 3)]
    pub thresholds: Option<Vec<u16>>,
    /// Expected losses to try, in minor units of `fraud.currency`; 0 is never
    #[arg(long, value_name = "CHALLENGE,REVIEW", value_delimiter = ',', num_args = 2)]
    pub losses: Option<Vec<i64>>,
    /// Folder of a model to try
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
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

/// What things cost.
#[derive(Debug, Default, Args)]
pub struct CostArgs {
    /// Fit the cheapest thresholds to these costs, in this currency
    #[arg(long, value_name = "CURRENCY", alias = "cost-currency")]
    pub fit_thresholds: Option<Currency>,
    /// Of a price, what is left after the goods: 0.3
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    pub margin: f64,
    /// What a chargeback costs, in minor units
    #[arg(long, value_name = "MINOR", default_value_t = 2_000)]
    pub chargeback_fee: i64,
    /// Minutes a review takes
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0)]
    pub review_minutes: f64,
    /// What such a minute costs, in minor units
    #[arg(long, value_name = "MINOR", default_value_t = 60.0)]
    pub review_minute: f64,
    /// Orders the reviewers can look at on a day
    #[arg(long, value_name = "N", default_value_t = 100.0)]
    pub reviews_per_day: f64,
    /// Of the good buyers who are challenged, the share that gives up
    #[arg(long, value_name = "SHARE", default_value_t = USUALLY_LOST)]
    pub challenge_lost: f64,
    /// Of the frauds that are challenged, the share that fails, or is the issuer's loss
    #[arg(long, value_name = "SHARE", default_value_t = USUALLY_STOPPED)]
    pub challenge_stops: f64,
}

impl CostArgs {
    fn read(&self) -> anyhow::Result<Option<Costs>> {
        self.fit_thresholds.map(|currency| self.in_currency(currency)).transpose()
    }

    /// The costs, in the currency that is said, else in this one.
    pub(super) fn in_currency(&self, usual: Currency) -> anyhow::Result<Costs> {
        let costs = Costs {
            currency: self.fit_thresholds.unwrap_or(usual),
            margin: self.margin,
            chargeback_fee_minor: self.chargeback_fee,
            review_minutes: self.review_minutes,
            review_minute_minor: self.review_minute,
            reviews_per_day: self.reviews_per_day,
            challenge_lost: self.challenge_lost,
            challenge_stops: self.challenge_stops,
        };
        check_costs(&costs).map_err(anyhow::Error::msg)?;
        Ok(costs)
    }
}

/// Runs it and prints a table.
///
/// # Errors
/// When the database cannot be used, or what is to be tried does not do.
pub async fn run(
    arguments: &Backtest,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let costs = arguments.costs.read()?;
    let database = open_database(config).await.context("cannot open the database")?;
    let clock = Arc::new(AnchoredClock::from_system());
    let now = clock.now();
    let serving = config.fraud.serving()?;
    let rules = Rules::load(database.clone(), clock).await?;
    rules.know_features(FeatureNames::of(&serving.layout));
    let policy = config.fraud.policy(config.mode);
    let proposal = proposal((arguments, policy.thresholds), &serving, &rules, now)?;
    rates::install(config.fraud.rates.as_deref())?;
    let whereabouts = Whereabouts::open(config.fraud.ip_databases())?;
    let backtest = Run {
        proposal: &proposal,
        policy: &policy,
        serving: &serving,
        whereabouts: &whereabouts,
        from: date(arguments.from.as_deref(), "--from")?.unwrap_or(Timestamp::from_micros(0)),
        until: date(arguments.until.as_deref(), "--until")?.unwrap_or(now),
        costs,
        most: arguments.most,
        drift: None,
        now,
    };
    let mut bars = Bars::default();
    let (report, fitted) = backtest.run(&History::new(database), &mut bars).await?;
    bars.end();
    write!(out, "{}", report.table())?;
    if let Some(fitted) = &fitted {
        show(fitted, out)?;
    }
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&json!({ "report": report, "fitted": fitted }))?;
        write_file(path, (text + "\n").as_bytes())?;
    }
    Ok(())
}

fn proposal(
    (arguments, in_force): (&Backtest, Thresholds),
    serving: &Serving,
    rules: &Rules,
    now: Timestamp,
) -> anyhow::Result<Proposal> {
    let rule = match &arguments.rule {
        None => None,
        Some(expression) => {
            let action = arguments.action.as_deref().and_then(Action::find);
            let action = action.context("--action: expected challenge, allow, block or review")?;
            let program = rules.check(expression, Pass::Before)?;
            DraftRule::new((expression, action), program.uses(), &rules.current(), now)
        }
    };
    let thresholds = thresholds(arguments, in_force)?;
    let model = match &arguments.model {
        None => None,
        Some(folder) => {
            let path = folder.join("model");
            let name = || format!("cannot read {}", path.display());
            let bytes = std::fs::read(&path).with_context(name)?;
            let version = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
            Some(versioned(&version, &bytes, serving).with_context(name)?)
        }
    };
    Ok(Proposal { rule, thresholds, model })
}

/// Those that are to be tried; what is not said of them is as in force.
fn thresholds(arguments: &Backtest, in_force: Thresholds) -> anyhow::Result<Option<Thresholds>> {
    let mut tried = in_force;
    if let Some([challenge, review, decline]) = arguments.thresholds.as_deref() {
        let (challenge, review, decline) = (*challenge, *review, *decline);
        let known = [challenge, review, decline].iter().all(|score| *score <= NEVER);
        ensure!(known, "--thresholds: a score is 0 to {NEVER}");
        tried = Thresholds { challenge, review, decline, ..tried };
    }
    if let Some([challenge_loss, review_loss]) = arguments.losses.as_deref() {
        let (challenge_loss, review_loss) = (*challenge_loss, *review_loss);
        ensure!(challenge_loss >= 0 && review_loss >= 0, "--losses: a loss is 0 or more");
        tried = Thresholds { challenge_loss, review_loss, ..tried };
    }
    Ok((arguments.thresholds.is_some() || arguments.losses.is_some()).then_some(tried))
}

fn show(fitted: &Fitted, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let Fitted { review, decline, cost_minor, cost_of_approving_minor, orders, frauds, .. } =
        fitted;
    writeln!(
        out,
        "\n{:>6} {:>7} {:>12} {:>11} {:>15} {:>13}",
        "review", "decline", "cost", "reviews/day", "frauds approved", "good declined"
    )?;
    // As many as are read at a glance; `--json` has all of them.
    let step = fitted.curve.len().div_ceil(CURVE_SHOWN).max(1);
    for point in fitted.curve.iter().step_by(step) {
        show_point(point, "", out)?;
    }
    show_point(&fitted.in_force, "  in force", out)?;
    writeln!(
        out,
        "cheapest: review from {review}, decline from {decline}: {cost_minor} instead of \
         {cost_of_approving_minor} minor units without either, {:.1} reviews per day; on {orders} \
         orders with {frauds} frauds, {} left out",
        fitted.reviews_per_day, fitted.left_out
    )?;
    writeln!(
        out,
        "to have it so: `fraud.review_score = {review}`, `fraud.decline_score = {decline}`; see \
         first with `--thresholds 1001,{review},{decline} --losses 0,0` whom it stops"
    )?;
    show_losses(&fitted.by_expected_loss, out)
}

/// The same by expected loss.
fn show_losses(fitted: &FittedLosses, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    writeln!(
        out,
        "\n{:>12} {:>12} {:>12} {:>14} {:>11} {:>15}",
        "challenge at", "review at", "cost", "challenges/day", "reviews/day", "frauds approved"
    )?;
    let step = fitted.curve.len().div_ceil(CURVE_SHOWN).max(1);
    let shown = fitted.curve.iter().step_by(step).map(|point| (point, ""));
    let named = [(&fitted.in_force, "  in force"), (&fitted.cheapest, "  cheapest")];
    for (point, note) in shown.chain(named) {
        writeln!(
            out,
            "{:>12} {:>12} {:>12} {:>14.1} {:>11.1} {:>15}{note}",
            point.challenge_loss_minor,
            point.review_loss_minor,
            point.cost_minor,
            point.challenges_per_day,
            point.reviews_per_day,
            point.frauds_approved,
        )?;
    }
    let LossPoint { challenge_loss_minor, review_loss_minor, .. } = fitted.cheapest;
    writeln!(
        out,
        "by expected loss: `fraud.challenge_loss_minor = {challenge_loss_minor}`, \
         `fraud.review_loss_minor = {review_loss_minor}`; see first with `--thresholds \
         1001,1001,1001 --losses {challenge_loss_minor},{review_loss_minor}` whom it stops"
    )
}

fn show_point(point: &Point, note: &str, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let Point { review, decline, cost_minor, reviews_per_day, .. } = point;
    let (frauds, good) = (point.frauds_approved, point.good_declined);
    writeln!(
        out,
        "{review:>6} {decline:>7} {cost_minor:>12} {reviews_per_day:>11.1} {frauds:>15} \
         {good:>13}{note}"
    )
}

pub(super) fn date(raw: Option<&str>, flag: &str) -> anyhow::Result<Option<Timestamp>> {
    let read = |raw| {
        moment(raw).with_context(|| format!("{flag}: expected a date or time, found `{raw}`"))
    };
    raw.map(read).transpose()
}

//! What the score would have done to the orders that were judged while it only watched, and whether
//! that is reason enough to let it decide.

use serde::Serialize;
use std::fmt::Write;

use super::{
    costs::Fitted,
    losses::LossPoint,
    report::{Report, Side, Split},
};
use crate::{
    base::{Currency, Money},
    fraud::{
        assessment::Outcome,
        drift::{ACT, Reading},
        policy::{FraudMode, NEVER, Policy, Thresholds},
    },
};

/// Days that should be seen first: two of each weekday.
pub const DAYS_LEAST: f64 = 14.0;

/// Attempts that should be seen first: with fewer, one in a thousand says nothing.
pub const ATTEMPTS_LEAST: u64 = 1_000;

/// The share of orders in review that shops live with: above it either the queue is too long or the
/// shop's buyers are not those the model knows.
pub const REVIEWED_MOST: f64 = 0.01;

/// The share of good orders, among those known, that may be declined.
pub const GOOD_DECLINED_MOST: f64 = 0.001;

/// Points of the curve that are printed.
const CURVE_SHOWN: usize = 10;

/// One thing to hold before the score decides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// What was asked for and found, for people.
    pub says: String,
    /// Whether it holds.
    pub holds: bool,
}

/// What is to be expected of `fraud.mode = "live"`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// The mode in force.
    pub mode: FraudMode,
    /// What happened, and what would have.
    pub report: Report,
    /// The cost of other thresholds.
    pub fitted: Fitted,
    /// How far orders are from those of the training; none without a reference.
    pub drift: Option<Reading>,
    /// What should hold first.
    pub conditions: Vec<Condition>,
    #[serde(skip)]
    currency: Currency,
    #[serde(skip)]
    thresholds: Thresholds,
}

impl Outlook {
    /// The outlook of a report on the thresholds in force.
    pub fn of(policy: &Policy, report: Report, fitted: Fitted, drift: Option<Reading>) -> Self {
        let mut outlook = Self {
            mode: policy.mode,
            report,
            fitted,
            drift,
            conditions: Vec::new(),
            currency: policy.currency,
            thresholds: policy.thresholds,
        };
        outlook.conditions = outlook.conditions();
        outlook
    }

    /// Whether everything holds.
    pub fn is_ready(&self) -> bool {
        self.conditions.iter().all(|condition| condition.holds)
    }

    fn conditions(&self) -> Vec<Condition> {
        let Report { attempts, lacking, .. } = &self.report;
        let days = if *attempts == 0 { 0.0 } else { self.report.days() };
        let scored = attempts - lacking.score;
        let reviewed = share(all(&self.report.proposed, Outcome::Review), *attempts);
        let (declined, good) = (known_good(&self.report.proposed, Outcome::Decline), self.good());
        let mut conditions = vec![
            Condition {
                says: format!("{days:.0} days seen, {DAYS_LEAST:.0} are asked for"),
                holds: days.round() >= DAYS_LEAST,
            },
            Condition {
                says: format!("{scored} attempts with a score, {ATTEMPTS_LEAST} are asked for"),
                holds: scored >= ATTEMPTS_LEAST,
            },
            Condition {
                says: format!(
                    "{:.2}% of attempts in review, at most {:.0}%",
                    100.0 * reviewed,
                    100.0 * REVIEWED_MOST
                ),
                holds: reviewed <= REVIEWED_MOST,
            },
            Condition {
                says: format!(
                    "{declined} of {good} orders known to be good declined, at most {:.1}%",
                    100.0 * GOOD_DECLINED_MOST
                ),
                holds: share(declined, good) <= GOOD_DECLINED_MOST,
            },
        ];
        if let Some(psi) = self.drift.as_ref().and_then(|reading| reading.score_psi) {
            conditions.push(Condition {
                says: format!(
                    "scores of the last week are {} (stability index {psi:.2}, at most {ACT})",
                    if psi > ACT { "not those of the training" } else { "those of the training" }
                ),
                holds: psi <= ACT,
            });
        }
        conditions
    }

    fn good(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| known_good(&self.report.proposed, *outcome)).sum()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _written = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let Report { attempts, from, until, lacking, .. } = &self.report;
        let (Some(from), Some(until)) = (from, until) else {
            return writeln!(to, "nothing was judged in this span; sell something first");
        };
        writeln!(
            to,
            "{attempts} attempts judged from {from} to {until}, {} with a score",
            attempts - lacking.score
        )?;
        writeln!(to, "thresholds: {}", self.in_words())?;
        writeln!(
            to,
            "\n{:<28}{:>9}{:>9}{:>9}",
            "what live would have done", "attempts", "share", "a day"
        )?;
        for outcome in Outcome::ALL.into_iter().rev() {
            let count = all(&self.report.proposed, outcome);
            let known = frauds(&self.report.proposed, outcome);
            writeln!(
                to,
                "{:<28}{count:>9}{:>8.2}%{:>9.1}  {known} known frauds, {} known good",
                outcome.as_str(),
                100.0 * share(count, *attempts),
                count as f64 / self.report.days(),
                known_good(&self.report.proposed, outcome),
            )?;
        }
        let stricter: u64 = self.report.stricter.values().map(|cell| cell.attempts).sum();
        writeln!(to, "{stricter} of them were treated more mildly than live would have done\n")?;
        self.write_curve(to)?;
        writeln!(to, "\nbefore fraud.mode = \"live\"")?;
        for Condition { says, holds } in &self.conditions {
            writeln!(to, "  {:<4}{says}", if *holds { "yes" } else { "no" })?;
        }
        writeln!(to, "{}", self.verdict())
    }

    fn write_curve(&self, to: &mut String) -> std::fmt::Result {
        let fitted = &self.fitted.by_expected_loss;
        writeln!(
            to,
            "by expected loss, on {} orders whose end is known, {} of them fraud (minor units of \
             {})",
            fitted.orders, fitted.frauds, self.currency
        )?;
        writeln!(
            to,
            "{:>10}{:>13}{:>13}{:>16}{:>12}  fraud money in review",
            "review at", "reviews/day", "challenge at", "challenges/day", "cost"
        )?;
        let step = fitted.curve.len().div_ceil(CURVE_SHOWN).max(1);
        let shown = fitted.curve.iter().step_by(step).map(|point| (point, ""));
        for (point, note) in
            shown.chain([(&fitted.in_force, "  in force"), (&fitted.cheapest, "  cheapest")])
        {
            let LossPoint { review_loss_minor, challenge_loss_minor, cost_minor, .. } = point;
            writeln!(
                to,
                "{review_loss_minor:>10}{:>13.1}{challenge_loss_minor:>13}{:>16.1}\
                 {cost_minor:>12}  {:.0}%{note}",
                point.reviews_per_day,
                point.challenges_per_day,
                100.0 * point.fraud_money_reviewed,
            )?;
        }
        Ok(())
    }

    fn in_words(&self) -> String {
        let Thresholds { challenge, review, decline, challenge_loss, review_loss } =
            self.thresholds;
        let mut parts = Vec::new();
        for (what, score) in [("challenge", challenge), ("review", review), ("decline", decline)] {
            if score < NEVER {
                parts.push(format!("{what} from score {score}"));
            }
        }
        for (what, loss) in [("challenge", challenge_loss), ("review", review_loss)] {
            if loss > 0 {
                let loss = Money::from_minor(loss, self.currency);
                parts.push(format!("{what} from an expected loss of {loss}"));
            }
        }
        if parts.is_empty() { "none is ever reached".to_owned() } else { parts.join(", ") }
    }

    fn verdict(&self) -> &'static str {
        match (self.mode, self.is_ready()) {
            (FraudMode::Live, true) => "the score decides, and nothing speaks against it",
            (FraudMode::Live, false) => {
                "the score decides already: see above what speaks against it, and set \
                 fraud.mode = \"shadow\" or other thresholds"
            }
            (_, true) => "nothing speaks against it: set fraud.mode = \"live\" and start again",
            (_, false) => {
                "not yet: go on in shadow, set other thresholds, or train a model of your own"
            }
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn split(side: &Side, outcome: Outcome) -> Option<&Split> {
    side.outcomes.get(outcome.as_str())
}

fn all(side: &Side, outcome: Outcome) -> u64 {
    split(side, outcome).map_or(0, |split| split.values().map(|cell| cell.attempts).sum())
}

fn frauds(side: &Side, outcome: Outcome) -> u64 {
    known(side, outcome, true)
}

fn known_good(side: &Side, outcome: Outcome) -> u64 {
    known(side, outcome, false)
}

fn known(side: &Side, outcome: Outcome, fraud: bool) -> u64 {
    let Some(split) = split(side, outcome) else { return 0 };
    let of = split.iter().filter(|(truth, _)| truth.fraud() == Some(fraud));
    of.map(|(_, cell)| cell.attempts).sum()
}

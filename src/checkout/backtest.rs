//! Runs a backtest over the ledger: pages of history, each attempt judged again.

use super::assess::signals_of;
use crate::{
    base::{Currency, Timestamp},
    fraud::{
        backtest::{
            Again, Proposal,
            costs::{Bill, Costs, Fitted},
            describe,
            report::{Report, Truth},
        },
        bench::Written,
        history::{History, Past, Span},
        policy::Policy,
        progress::Progress,
        serving::Serving,
        whereabouts::Whereabouts,
    },
    ledger::LedgerFault,
};

/// Judgements read at once: a page is judged in a few milliseconds, and others get their turn.
const PAGE: u32 = 200;

/// What is to be tried, and on what.
#[derive(Debug)]
pub struct Backtest<'a> {
    /// What is tried.
    pub proposal: &'a Proposal,
    /// The policy in force.
    pub policy: &'a Policy,
    /// What serves: its features are those that can be judged again.
    pub serving: &'a Serving,
    /// Where network addresses are.
    pub whereabouts: &'a Whereabouts,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Fits thresholds to these costs, too.
    pub costs: Option<Costs>,
    /// Attempts to look at, at most.
    pub most: u64,
    /// Where every attempt is counted for the drift, if it is asked for.
    pub drift: Option<&'a Serving>,
    /// By what is known now.
    pub now: Timestamp,
}

impl Backtest<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// When the ledger cannot be reached, or a record does not read.
    pub async fn run(
        &self,
        history: &History,
        progress: &mut (dyn Progress + Send),
    ) -> Result<(Report, Option<Fitted>), LedgerFault> {
        let whole = self.proposal.needs_signals();
        let span = Span { whole, ..Span::of(self.from, self.until) };
        let total = history.count(span).await?;
        progress.stage("attempts", total.min(self.most));
        let mut report = Report { proposal: describe(self.proposal), ..Report::default() };
        let mut bill = self.costs.map(Bill::new);
        let mut cursor = None;
        'pages: loop {
            let page = history.list(span, cursor, PAGE).await?;
            let Some(last) = page.last() else { break };
            cursor = Some(last.id);
            for past in &page {
                if report.attempts == self.most {
                    report.cut = true;
                    break 'pages;
                }
                let (written, again, truth) = self.judge(past)?;
                report.add((past, &written), &again, truth);
                self.count_for_drift(past, &written);
                if let Some(bill) = &mut bill {
                    bill.add((past, &written), &again, truth);
                }
            }
            progress.advance(page.len() as u64);
        }
        report.end();
        self.note(&mut report);
        let fitted = bill.map(|bill| bill.cheapest(report.days(), self.policy.thresholds));
        Ok((report, fitted))
    }

    fn count_for_drift(&self, past: &Past, written: &Written) {
        let Written { assessment, .. } = written;
        let same = assessment.features_hash == self.serving.features_hash;
        if let Some(serving) = self.drift.filter(|_| same) {
            serving.note(past.at, &assessment.features, assessment.score);
        }
    }

    fn judge(&self, past: &Past) -> Result<(Written, Again, Truth), LedgerFault> {
        let written = past.written()?;
        let mut signals = self.proposal.needs_signals().then(|| signals_of(past)).flatten();
        if let Some(signals) = &mut signals {
            self.whereabouts.locate(signals);
        }
        let signals = signals.as_ref();
        let again = self.proposal.judge(self.policy, self.serving, (past, &written), signals);
        let truth = Truth::of(past, self.now, self.serving.layout.label_delay);
        Ok((written, again, truth))
    }

    fn note(&self, report: &mut Report) {
        if let Some(rule) = &self.proposal.rule {
            report.notes.push("Lists are taken as they stand now.".to_owned());
            if !rule.approximate.is_empty() {
                let names = rule.approximate.join(", ");
                report.notes.push(format!(
                    "{names}: taken as the session stood last, which may be after the attempt."
                ));
            }
        }
        if self.proposal.thresholds.is_some() || self.proposal.model.is_some() {
            report.notes.push(
                "What the guard against card testing said is known only where it decided."
                    .to_owned(),
            );
        }
    }
}

/// Whether costs make sense.
///
/// # Errors
/// In words.
pub fn check_costs(costs: &Costs) -> Result<(), String> {
    let shares = [costs.margin, costs.challenge_lost, costs.challenge_stops];
    let minutes = [costs.review_minutes, costs.review_minute_minor];
    if !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
        let what = "the margin, and what a challenge loses and stops, are shares from 0 to 1";
        return Err(what.to_owned());
    }
    let whole = minutes.iter().all(|number| number.is_finite() && *number >= 0.0);
    if !whole || costs.chargeback_fee_minor < 0 {
        return Err("no cost is below zero".to_owned());
    }
    if !costs.reviews_per_day.is_finite() || costs.reviews_per_day < 0.0 {
        return Err("the reviewers look at no or more orders on a day".to_owned());
    }
    if costs.currency == Currency::NONE {
        return Err("costs are of a currency".to_owned());
    }
    Ok(())
}

//! What came of a replay.

use hdrhistogram::Histogram;
use std::{collections::BTreeMap, fmt, time::Duration};

use super::{money::IN_REVIEW, plan::Plan, row::Kind, setup::CURRENCY};

/// Checkouts slower than this are counted as this: a minute is a failure, not a latency.
const SLOWEST_MICROS: u64 = 60_000_000;

/// Counts of a replay.
#[derive(Debug)]
pub struct Outcome {
    /// Orders placed.
    pub orders: u64,
    /// Their lines, one per SKU.
    pub lines: u64,
    /// The rows of the file they stand for.
    pub rows: u64,
    /// Their units.
    pub units: u64,
    /// Checkouts whose payment was declined.
    pub declined: u64,
    /// Other checkouts that came to no order, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Orders by where their money stands at the end: `captured`, `in review`, `voided`.
    pub money: BTreeMap<String, u64>,
    /// What was captured, in minor units.
    pub captured_minor: i64,
    /// What of it was given back, in minor units.
    pub refunded_minor: i64,
    /// Returns booked.
    pub returns: u64,
    /// Their units.
    pub returned_units: u64,
    /// Returns that were not booked, by reason.
    pub returns_refused: BTreeMap<String, u64>,
    /// Requests sent again with the same key.
    pub sent_again: u64,
    /// How long buyers were at it.
    pub took: Duration,
    /// From opening a checkout to its order, in microseconds.
    pub latency: Histogram<u64>,
}

impl Default for Outcome {
    fn default() -> Self {
        let latency = Histogram::new_with_bounds(1, SLOWEST_MICROS, 3);
        Self {
            orders: 0,
            lines: 0,
            rows: 0,
            units: 0,
            declined: 0,
            refused: BTreeMap::new(),
            money: BTreeMap::new(),
            captured_minor: 0,
            refunded_minor: 0,
            returns: 0,
            returned_units: 0,
            returns_refused: BTreeMap::new(),
            sent_again: 0,
            took: Duration::ZERO,
            latency: latency.expect("invariant: 1 µs to 1 min with 3 digits are valid bounds"),
        }
    }
}

impl Outcome {
    /// Notes how long one checkout took.
    pub fn took(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(SLOWEST_MICROS);
        self.latency.saturating_record(micros.clamp(1, SLOWEST_MICROS));
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    fn millis(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// The plan and what came of it, for people.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was to be done.
    pub plan: &'a Plan,
    /// What was done.
    pub outcome: &'a Outcome,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, outcome) = (self.plan, self.outcome);
        writeln!(f, "rows      {:>9} in the file", plan.tally.rows())?;
        for kind in Kind::ALL.into_iter().filter(|kind| plan.tally.of(*kind) > 0) {
            let mark = if kind.is_bad() { " (left out)" } else { "" };
            writeln!(f, "          {:>9} {kind}{mark}", plan.tally.of(kind))?;
        }
        writeln!(f, "plan      {:>9} products", plan.products.len())?;
        let lines: usize = plan.sales.iter().map(|sale| sale.lines.len()).sum();
        writeln!(f, "          {:>9} invoices, {lines} lines", plan.sales.len())?;
        writeln!(
            f,
            "          {:>9} returns, {} units come back without a sale",
            plan.returns.len(),
            plan.unmatched_units
        )?;
        writeln!(
            f,
            "orders    {:>9} placed, {} lines of {} rows, {} units",
            outcome.orders, outcome.lines, outcome.rows, outcome.units
        )?;
        writeln!(f, "          {:>9} declined", outcome.declined)?;
        reasons(f, &outcome.refused)?;
        self.money(f)?;
        writeln!(f, "returns   {:>9} booked, {} units", outcome.returns, outcome.returned_units)?;
        reasons(f, &outcome.returns_refused)?;
        self.speed(f)
    }
}

impl Report<'_> {
    /// Captured and in review are told even when they are none: either is news then.
    fn money(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome;
        let of = |word: &str| outcome.money.get(word).copied().unwrap_or(0);
        writeln!(
            f,
            "money     {:>9} orders captured, {} minor units of {CURRENCY}, {} of them refunded",
            of("captured"),
            outcome.captured_minor,
            outcome.refunded_minor
        )?;
        writeln!(f, "          {:>9} {IN_REVIEW}", of(IN_REVIEW))?;
        let others = outcome.money.iter();
        others
            .filter(|(word, _)| !["captured", IN_REVIEW].contains(&word.as_str()))
            .try_for_each(|(word, count)| writeln!(f, "          {count:>9} {word}"))
    }

    fn speed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome;
        writeln!(
            f,
            "speed     {:>9.0} orders/s, {:.0} lines/s, over {:.1} s; {} requests sent again",
            outcome.per_second(outcome.orders),
            outcome.per_second(outcome.lines),
            outcome.took.as_secs_f64(),
            outcome.sent_again
        )?;
        write!(
            f,
            "checkout  {:>9.1} ms p50, {:.1} ms p95, {:.1} ms p99",
            outcome.millis(0.5),
            outcome.millis(0.95),
            outcome.millis(0.99)
        )
    }
}

fn reasons(f: &mut fmt::Formatter<'_>, reasons: &BTreeMap<String, u64>) -> fmt::Result {
    reasons
        .iter()
        .try_for_each(|(reason, count)| writeln!(f, "          {count:>9} refused: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_each_refusal_and_each_kind_of_row_that_occurred() {
        let mut plan = Plan::default();
        plan.tally.count(Kind::Sale);
        plan.tally.count(Kind::ZeroPrice);
        let mut outcome = Outcome { orders: 3, lines: 30, ..Outcome::default() };
        outcome.took = Duration::from_secs(2);
        outcome.refused.insert("out_of_stock".into(), 7);
        outcome.money.insert("captured".into(), 2);
        outcome.money.insert("voided".into(), 1);
        (outcome.captured_minor, outcome.refunded_minor) = (900, 80);
        outcome.took(Duration::from_millis(4));
        let text = Report { plan: &plan, outcome: &outcome }.to_string();
        for part in [
            "2 in the file",
            "1 sale\n",
            "1 zero price (left out)",
            "7 refused: out_of_stock",
            "0 declined\n",
            "2 orders captured, 900 minor units of GBP, 80 of them refunded\n",
            "0 in review\n",
            "1 voided\n",
            "2 orders/s, 15 lines/s, over 2.0 s",
            "4.0 ms p50",
        ] {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
        assert!(!text.contains("postage"), "{text}");
    }
}

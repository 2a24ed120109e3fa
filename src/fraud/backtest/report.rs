//! What a backtest came to, counted attempt by attempt.

use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, time::Duration};

use super::{Again, Lacking};
use crate::{
    base::{Currency, Timestamp},
    fraud::{assessment::Outcome, bench::Written, history::Past},
};

/// What an attempt turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Fraud, by a dispute or an imported label.
    Disputed,
    /// Fraud, by a reviewer's word.
    Confirmed,
    /// Fraud, and the money was given back.
    Refunded,
    /// No order came of it: it was declined here or at the bank, or given up.
    Blocked,
    /// Good, or nothing else became known in time.
    Good,
    /// Younger than labels take.
    Undecided,
}

impl Truth {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Disputed,
        Self::Confirmed,
        Self::Refunded,
        Self::Blocked,
        Self::Good,
        Self::Undecided,
    ];

    /// What became of an attempt, by what is known at a moment.
    pub fn of(past: &Past, now: Timestamp, label_delay: Duration) -> Self {
        match &past.label {
            _ if !past.placed => Self::Blocked,
            Some(label) if label.fraud => match label.source.as_str() {
                "reviewer" => Self::Confirmed,
                "refund" => Self::Refunded,
                _ => Self::Disputed,
            },
            Some(_) => Self::Good,
            None if past.at.plus(label_delay) <= now => Self::Good,
            None => Self::Undecided,
        }
    }

    /// Whether it is known to be fraud; none when nobody knows.
    pub const fn fraud(self) -> Option<bool> {
        match self {
            Self::Disputed | Self::Confirmed | Self::Refunded => Some(true),
            Self::Good => Some(false),
            Self::Blocked | Self::Undecided => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Disputed => "disputed",
            Self::Confirmed => "confirmed",
            Self::Refunded => "refunded",
            Self::Blocked => "blocked",
            Self::Good => "good",
            Self::Undecided => "undecided",
        }
    }
}

/// Attempts, with their money in minor units of each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cell {
    /// How many.
    pub attempts: u64,
    /// Their money.
    pub money: BTreeMap<String, i64>,
    /// Those whose money is no longer known.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_money: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Cell {
    fn add(&mut self, money: Option<(&str, i64)>) {
        self.attempts += 1;
        match money {
            Some((currency, minor)) => {
                let sum = self.money.entry(currency.to_owned()).or_default();
                *sum = sum.saturating_add(minor);
            }
            None => self.without_money += 1,
        }
    }
}

/// Attempts by what they turned out to be.
pub type Split = BTreeMap<Truth, Cell>;

/// Counts an attempt among those of its kind.
pub fn count(split: &mut Split, truth: Truth, (past, written): (&Past, &Written)) {
    let money = money(past, written).map(|(currency, minor)| (currency.code(), minor));
    split.entry(truth).or_default().add(money);
}

/// What one way of judging comes to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Side {
    /// By outcome: `approve`, `challenge`, `review`, `decline`.
    pub outcomes: BTreeMap<&'static str, Split>,
    /// Orders a person would look at on a day.
    pub reviews_per_day: f64,
    /// … on the busiest day.
    pub reviews_on_busiest_day: u64,
    #[serde(skip)]
    by_day: BTreeMap<i64, u64>,
}

/// Attempts that were not judged again and kept their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lacked {
    /// Session or person are gone.
    pub facts: u64,
    /// They have other features.
    pub features: u64,
    /// They have no score.
    pub score: u64,
}

/// What a backtest came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// What was tried.
    pub proposal: BTreeMap<&'static str, String>,
    /// The first attempt.
    pub from: Option<Timestamp>,
    /// The last one.
    pub until: Option<Timestamp>,
    /// How many were looked at.
    pub attempts: u64,
    /// Whether there were more than may be looked at in one call: `until` is where it ended.
    pub cut: bool,
    /// How many the rule matched.
    pub matched: u64,
    /// Those that kept their outcome because something of them is gone.
    pub lacking: Lacked,
    /// What really happened.
    pub actual: Side,
    /// What would have happened.
    pub proposed: Side,
    /// Treated more strictly than they were.
    pub stricter: Split,
    /// Treated more mildly.
    pub milder: Split,
    /// What to know when reading it.
    pub notes: Vec<String>,
}

/// Counts a day begins with: midnight, UTC.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

impl Report {
    /// Counts one attempt.
    pub fn add(&mut self, (past, written): (&Past, &Written), again: &Again, truth: Truth) {
        self.from = Some(self.from.map_or(past.at, |from| from.min(past.at)));
        self.until = self.until.max(Some(past.at));
        self.attempts += 1;
        self.matched += u64::from(again.matched);
        match again.lacking {
            None => {}
            Some(Lacking::Facts) => self.lacking.facts += 1,
            Some(Lacking::Features) => self.lacking.features += 1,
            Some(Lacking::Score) => self.lacking.score += 1,
        }
        let money = money(past, written).map(|(currency, minor)| (currency.code(), minor));
        let day = past.at.micros().div_euclid(DAY_MICROS);
        for (side, outcome) in [(&mut self.actual, again.then), (&mut self.proposed, again.now)] {
            let split = side.outcomes.entry(outcome.as_str()).or_default();
            split.entry(truth).or_default().add(money);
            if outcome == Outcome::Review {
                *side.by_day.entry(day).or_default() += 1;
            }
        }
        if again.now > again.then {
            self.stricter.entry(truth).or_default().add(money);
        } else if again.now < again.then {
            self.milder.entry(truth).or_default().add(money);
        }
    }

    /// How many days it spans, at least one.
    pub fn days(&self) -> f64 {
        let span = self.from.zip(self.until).map_or(0.0, |(from, until)| {
            (until.micros() - from.micros()) as f64 / DAY_MICROS as f64
        });
        span.max(1.0)
    }

    /// Ends the counting.
    pub fn end(&mut self) {
        let days = self.days();
        for side in [&mut self.actual, &mut self.proposed] {
            let reviews: u64 = side.by_day.values().sum();
            side.reviews_per_day = reviews as f64 / days;
            side.reviews_on_busiest_day = side.by_day.values().copied().max().unwrap_or(0);
        }
        self.notes.push(
            "What was declined or given up has no outcome of its own: nobody knows whether it was \
             fraud."
                .to_owned(),
        );
    }

    /// For people: a table.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let when = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let _written = writeln!(
            text,
            "{} attempts from {} to {}; the rule matched {}; lacking: {} facts, {} features, {} \
             scores",
            self.attempts,
            when(self.from),
            when(self.until),
            self.matched,
            self.lacking.facts,
            self.lacking.features,
            self.lacking.score
        );
        let _written = write!(text, "{:<22}", "");
        for truth in Truth::ALL {
            let _written = write!(text, "{:>11}", truth.word());
        }
        text.push_str("  money\n");
        for outcome in Outcome::ALL {
            for (name, side) in [("actual", &self.actual), ("proposed", &self.proposed)] {
                let split = side.outcomes.get(outcome.as_str());
                row(&mut text, &format!("{} {name}", outcome.as_str()), split);
            }
        }
        row(&mut text, "stricter than before", Some(&self.stricter));
        row(&mut text, "milder than before", Some(&self.milder));
        for (name, side) in [("actual", &self.actual), ("proposed", &self.proposed)] {
            let (mean, most) = (side.reviews_per_day, side.reviews_on_busiest_day);
            let _written = writeln!(text, "reviews per day, {name}: {mean:.1}, at most {most}");
        }
        for note in &self.notes {
            let _written = writeln!(text, "note: {note}");
        }
        text
    }
}

fn row(text: &mut String, name: &str, split: Option<&Split>) {
    let none = Split::default();
    let split = split.unwrap_or(&none);
    let _written = write!(text, "{name:<22}");
    let mut money: BTreeMap<&str, i64> = BTreeMap::new();
    for truth in Truth::ALL {
        let count = split.get(&truth).map_or(0, |cell| cell.attempts);
        let _written = write!(text, "{count:>11}");
    }
    for (currency, minor) in split.values().flat_map(|cell| &cell.money) {
        *money.entry(currency).or_default() += minor;
    }
    for (currency, minor) in money {
        let _written = write!(text, "  {currency} {minor}");
    }
    text.push('\n');
}

/// What was to be paid. Declined before a payment began, the judgement knows the amount, in
/// hundredths of the order's currency or of the one that it says.
pub(super) fn money(past: &Past, written: &Written) -> Option<(Currency, i64)> {
    if let (Some(currency), Some(minor)) = (past.currency, past.minor) {
        return Some((currency, minor));
    }
    let event = written.event.as_ref()?;
    let (currency, hundredths) = (event.currency.or(past.currency)?, event.amount?);
    let minor = match currency.decimals() {
        decimals @ 0..2 => hundredths / 10_i64.pow(2 - decimals),
        decimals => hundredths.checked_mul(10_i64.checked_pow(decimals - 2)?)?,
    };
    Some((currency, minor))
}

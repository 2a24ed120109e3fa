//! What fraud work came to in a span of days: outcomes and money, rules, reviews.
//!
//! **Owns:** reading those figures back. **Invariant:** no question reads more than so many rows of
//! a kind, and what was cut says so. **Not here:** one judgement (see [`search`](super::search)).

mod postgres;
mod sqlite;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::time::Duration;

use super::cases::Cases;
use crate::{
    base::{AssessmentId, CheckoutId, Currency, OrderId, Timestamp},
    ledger::{Database, LedgerFault, review::CaseState},
};

/// Days of one overview: a quarter of a year.
pub const DAYS_MAX: u32 = 92;

/// Matches of one rule that are looked at, and reviews: the latest ones. Beyond, figures move no
/// more.
pub const LOOKED_AT_MAX: u32 = 10_000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What came out on one day, of one model, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Came {
    /// The day, from midnight UTC.
    pub day: Timestamp,
    /// `approve`, `challenge`, `review`, `decline`.
    pub outcome: String,
    /// The model that scored; none without one.
    pub model: Option<String>,
    /// The currency; none where it is not known any more.
    pub currency: Option<Currency>,
    /// How many payments.
    pub judgements: u64,
    /// What was to be paid for them, in minor units.
    pub amount_minor: i64,
}

/// What a rule came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCame {
    /// The rule.
    pub rule: String,
    /// How often it matched.
    pub hits: u64,
    /// How often of those it only watched.
    pub in_shadow: u64,
    /// How many of those are ripe: the payment became an order that is labeled, or is old enough to
    /// be taken for good.
    pub ripe: u64,
    /// How many of the ripe ones were fraud.
    pub frauds: u64,
    /// Frauds by ripe ones; none before any is ripe.
    #[serde(default)]
    pub precision: Option<f64>,
    /// Whether all matches were looked at; else the latest ten thousand.
    #[serde(default)]
    pub is_exact: bool,
}

/// How long something took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Took {
    /// Half of them took no longer.
    pub median: u64,
    /// Nine of ten took no longer.
    pub p90: u64,
}

/// What reviews of orders of these days came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Reviews {
    /// How many cases were opened.
    pub opened: u64,
    /// Those nobody has decided.
    pub open: u64,
    /// Those that a person approved.
    pub approved: u64,
    /// Those that a person declined or refunded.
    pub declined: u64,
    /// Those that time decided, or that had nothing left to decide.
    pub lapsed: u64,
    /// Of those that a person decided, the share that was approved: where the doubt was overruled.
    pub overrule_rate: Option<f64>,
    /// From opening to a person's decision.
    pub time_to_decision_seconds: Option<Took>,
    /// Whether all were looked at; else the latest ten thousand.
    pub is_exact: bool,
}

/// A review, as far as figures go.
#[derive(Debug, Clone, Deserialize)]
struct Reviewed {
    state: CaseState,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
}

/// A question to the database; each is one statement, in both dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Came,
    Rules,
    Reviews,
}

/// Figures in the ledger's database.
#[derive(Debug, Clone)]
pub struct Overview {
    database: Database,
}

impl Cases {
    /// What fraud work came to.
    pub fn overview(&self) -> Overview {
        Overview { database: self.database().clone() }
    }
}

impl Overview {
    /// What came out, by day, outcome, model and currency.
    ///
    /// # Errors
    /// When the ledger cannot be reached, as for all of these.
    pub async fn came(&self, from: Timestamp, before: Timestamp) -> Result<Vec<Came>, LedgerFault> {
        let days: Vec<Value> = days(from, before)
            .map(|(day, first, end)| {
                let ids = (AssessmentId::least_at(first), AssessmentId::least_at(end));
                json!({ "day": day, "first": ids.0, "end": ids.1 })
            })
            .collect();
        self.ask(Question::Came, json!({ "days": days })).await
    }

    /// What these rules came to. An order is old enough to be taken for good from `ripe_before` on.
    ///
    /// # Errors
    /// See [`Self::came`].
    pub async fn rules(
        &self,
        rules: &[String],
        (from, before): (Timestamp, Timestamp),
        ripe_before: Timestamp,
    ) -> Result<Vec<RuleCame>, LedgerFault> {
        let about = json!({
            "rules": rules, "first": AssessmentId::least_at(from),
            "end": AssessmentId::least_at(before), "ripe": AssessmentId::least_at(ripe_before),
            "most": LOOKED_AT_MAX,
        });
        let mut came: Vec<RuleCame> = self.ask(Question::Rules, about).await?;
        for rule in &mut came {
            rule.is_exact = rule.hits < u64::from(LOOKED_AT_MAX);
            rule.precision = (rule.ripe > 0).then(|| rule.frauds as f64 / rule.ripe as f64);
        }
        Ok(came)
    }

    /// What reviews of orders of these days came to.
    ///
    /// # Errors
    /// See [`Self::came`].
    pub async fn reviews(
        &self,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Reviews, LedgerFault> {
        let id = |at| OrderId::of(CheckoutId::least_at(at));
        let about = json!({ "first": id(from), "end": id(before), "most": LOOKED_AT_MAX });
        Ok(Reviews::of(&self.ask::<Reviewed>(Question::Reviews, about).await?))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        question: Question,
        about: Value,
    ) -> Result<Vec<T>, LedgerFault> {
        let about = about.to_string();
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, question, &about).await?,
            Database::Sqlite(database) => sqlite::ask(database, question, &about).await?,
        };
        let damaged =
            |error| LedgerFault::Broken(format!("a figure of {question:?} does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }
}

/// The days of a span, each with the part of it that counts.
fn days(
    from: Timestamp,
    before: Timestamp,
) -> impl Iterator<Item = (Timestamp, Timestamp, Timestamp)> {
    let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    let first = Timestamp::from_micros(from.micros().div_euclid(day) * day);
    let days = std::iter::successors(Some(first), |day| Some(day.plus(DAY)));
    days.take_while(move |day| *day < before)
        .map(move |day| (day, day.max(from), day.plus(DAY).min(before)))
}

impl Reviews {
    fn of(rows: &[Reviewed]) -> Self {
        let count =
            |is: fn(CaseState) -> bool| rows.iter().filter(|row| is(row.state)).count() as u64;
        let approved = count(|state| state == CaseState::Approved);
        let declined = count(|state| matches!(state, CaseState::Declined | CaseState::Refunded));
        let decided = rows.iter().filter(|row| {
            matches!(row.state, CaseState::Approved | CaseState::Declined | CaseState::Refunded)
        });
        let mut took: Vec<u64> =
            decided.filter_map(|row| Some(row.closed_at?.since(row.opened_at).as_secs())).collect();
        took.sort_unstable();
        let people = approved + declined;
        Self {
            opened: rows.len() as u64,
            open: count(|state| state == CaseState::Open),
            approved,
            declined,
            lapsed: count(|state| matches!(state, CaseState::Expired | CaseState::Canceled)),
            overrule_rate: (people > 0).then(|| approved as f64 / people as f64),
            time_to_decision_seconds: Took::of(&took),
            is_exact: rows.len() < LOOKED_AT_MAX as usize,
        }
    }
}

impl Took {
    /// Of times in their order, by the nearest rank.
    fn of(sorted: &[u64]) -> Option<Self> {
        let rank = |tenths: usize| {
            let rank = (sorted.len() * tenths).div_ceil(10).max(1) - 1;
            sorted.get(rank).copied()
        };
        Some(Self { median: rank(5)?, p90: rank(9)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: begin the first day at `from`
    #[test]
    fn days_begin_at_midnight_and_are_cut_where_the_span_is() {
        let at = |text: &str| Timestamp::parse(text).expect("a time");
        let (from, before) = (at("2026-11-27T22:00:00Z"), at("2026-11-29T01:00:00Z"));
        let days: Vec<_> = days(from, before).collect();
        let (one, two) = (at("2026-11-28T00:00:00Z"), at("2026-11-29T00:00:00Z"));
        assert_eq!(
            days,
            [(at("2026-11-27T00:00:00Z"), from, one), (one, one, two), (two, two, before)]
        );
    }

    // breaks: `rank` without `div_ceil`
    #[test]
    fn times_are_told_by_the_nearest_rank() {
        assert_eq!(Took::of(&[]), None);
        assert_eq!(Took::of(&[7]), Some(Took { median: 7, p90: 7 }));
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(Took::of(&ten), Some(Took { median: 5, p90: 9 }));
    }
}

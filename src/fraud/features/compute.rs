//! From an event and what is remembered to feature values. Reads and changes nothing.

use super::{
    Entity, MISSING, Recall, Window,
    aggregate::Aggregate,
    declared::{AS_IF_GOOD, Acquaintance, Feature, Layout, OTHERS_LEAST},
    entity::Attempts,
    payments::{Outcome, Payments, Spent},
};
use crate::{base::Timestamp, fraud::event::Event};

const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;

impl Layout {
    /// Appends the features of an event, in order, as the past alone gives them: `memory` must not
    /// have noted the event itself.
    pub fn compute(&self, event: &Event, memory: &impl Recall, out: &mut Vec<f32>) {
        let mut of: (usize, Option<&Entity>) = (usize::MAX, None);
        out.extend(self.features.iter().map(|feature| match *feature {
            Feature::Amount => event.amount.map_or(MISSING, main_units),
            Feature::Hour => event.at.micros().div_euclid(HOUR_MICROS).rem_euclid(24) as f32,
            // 1970-01-01 was a Thursday.
            Feature::Weekday => {
                (event.at.micros().div_euclid(24 * HOUR_MICROS) + 3).rem_euclid(7) as f32
            }
            Feature::Number(place) => known(event.numbers[place]),
            Feature::Acquaintance(place) => {
                let known = self.acquaintances[place].of.iter().filter_map(|kind| {
                    let entity = memory.recall(*kind, event.keys[*kind]?);
                    let first = entity.and_then(|entity| entity.first_seen(event.at));
                    Some(first.is_some_and(|first| {
                        event.at.micros() - first.micros() >= Acquaintance::AFTER_MICROS
                    }))
                });
                Acquaintance::of(known).map_or(MISSING, |known| f32::from(known as u8))
            }
            Feature::Of(kind, aggregate) => {
                if of.0 != kind {
                    of = (kind, event.keys[kind].and_then(|key| memory.recall(kind, key)));
                }
                match (event.keys[kind], aggregate) {
                    (None, _) => MISSING,
                    (
                        Some(_),
                        Aggregate::ToOthers(own, window) | Aggregate::FailureShare(own, window),
                    ) => {
                        let own = event.keys[own].and_then(|key| memory.recall(own, key));
                        let others = others(window, event.at, (of.1, own));
                        match aggregate {
                            Aggregate::ToOthers(..) => to_others(event, others),
                            _ => failure_share(others),
                        }
                    }
                    (Some(_), aggregate) => value(aggregate, of.1, event),
                }
            }
        }));
    }
}

/// A number as a feature: never NaN, and never what stands for a missing one.
fn known(number: f32) -> f32 {
    match number {
        MISSING => MISSING.next_up(),
        _ if number.is_finite() => number,
        _ => MISSING,
    }
}

/// Hundredths as main units. The division is exact to the float's own precision.
fn main_units(hundredths: i64) -> f32 {
    known((hundredths as f64 / 100.0) as f32)
}

/// What others did: the attempts of an entity without the buyer's own among them.
fn others(window: Window, now: Timestamp, of: (Option<&Entity>, Option<&Entity>)) -> Attempts {
    let attempts = |entity: Option<&Entity>| {
        entity.map(|entity| entity.attempts(window, now)).unwrap_or_default()
    };
    let (all, own) = (attempts(of.0), attempts(of.1));
    Attempts {
        count: all.count.saturating_sub(own.count),
        failures: all.failures.saturating_sub(own.failures),
        priced: all.priced.saturating_sub(own.priced),
        sum: all.sum.saturating_sub(own.sum),
        max: all.max,
    }
}

/// The amount ÷ the mean of what others spent, where they are enough for a mean.
fn to_others(event: &Event, others: Attempts) -> f32 {
    match event.amount {
        Some(amount) if others.priced >= OTHERS_LEAST && others.sum > 0 => {
            known((amount as f64 * f64::from(others.priced) / others.sum as f64) as f32)
        }
        _ => MISSING,
    }
}

fn failure_share(others: Attempts) -> f32 {
    let all = others.count.saturating_add(AS_IF_GOOD);
    (f64::from(others.failures) / f64::from(all)) as f32
}

/// An entity nobody has seen has counts of zero, and nothing to compare with.
fn value(aggregate: Aggregate, entity: Option<&Entity>, event: &Event) -> f32 {
    let now = event.at;
    let seconds = |from: Option<Timestamp>| from.map_or(MISSING, |from| seconds_since(from, now));
    let ratio =
        |above: f64, below: f64| if below > 0.0 { known((above / below) as f32) } else { MISSING };
    let amount = event.amount.map(|amount| amount as f64);
    let attempts = |window| entity.map(|entity| entity.attempts(window, now)).unwrap_or_default();
    let labels = |window| entity.map(|entity| entity.labels(window, now)).unwrap_or_default();
    match aggregate {
        Aggregate::Count(window) => attempts(window).count as f32,
        Aggregate::Failures(window) => attempts(window).failures as f32,
        Aggregate::Sum(window) => main_units(attempts(window).sum),
        Aggregate::ToMean(window) => {
            let before = attempts(window);
            let over = |amount| ratio(amount * f64::from(before.priced), before.sum as f64);
            amount.map_or(MISSING, over)
        }
        Aggregate::ToMax(window) => {
            amount.map_or(MISSING, |amount| ratio(amount, attempts(window).max as f64))
        }
        Aggregate::Distinct(of, window) => match (entity, u8::try_from(of)) {
            (Some(entity), Ok(of)) => entity.distinct(of, window, now) as f32,
            _ => 0.0,
        },
        Aggregate::Others(of, window) => match (entity, u8::try_from(of)) {
            (Some(entity), Ok(kind)) => entity.others((kind, event.keys[of]), window, now) as f32,
            _ => 0.0,
        },
        Aggregate::Unmet(of, window) => match (entity, u8::try_from(of), event.keys[of]) {
            (_, _, None) => MISSING,
            (Some(entity), Ok(kind), own) if attempts(window).count > 0 => {
                f32::from(u8::from(!entity.has_met((kind, own), window, now)))
            }
            _ => 0.0,
        },
        // These need two entities; told where both are recalled.
        Aggregate::ToOthers(..) | Aggregate::FailureShare(..) => MISSING,
        Aggregate::Frauds(window) => labels(window).frauds as f32,
        Aggregate::FraudRate(window) => {
            let learned = labels(window);
            ratio(f64::from(learned.frauds), f64::from(learned.due))
        }
        Aggregate::Since => seconds(entity.and_then(|entity| entity.last_seen(now))),
        Aggregate::Age => seconds(entity.and_then(|entity| entity.first_seen(now))),
        Aggregate::ToLifeMean
        | Aggregate::ToMedian
        | Aggregate::Deviation
        | Aggregate::Outliers(_)
        | Aggregate::SinceOutlier => {
            let payments = entity.and_then(|entity| entity.payments(now));
            of_amounts(aggregate, payments, event)
        }
        Aggregate::LastFrauds(_)
        | Aggregate::FraudStreak
        | Aggregate::SinceStreak
        | Aggregate::SinceFraud
        | Aggregate::PlainFrauds(_) => {
            let outcomes = entity.into_iter().flat_map(|entity| entity.outcomes(now));
            let spent = entity.and_then(|entity| entity.payments(now)).map(Payments::spent);
            of_outcomes(aggregate, outcomes, spent, now)
        }
    }
}

/// An amount beside those before it.
fn of_amounts(aggregate: Aggregate, payments: Option<&Payments>, event: &Event) -> f32 {
    let Some(payments) = payments else {
        return if matches!(aggregate, Aggregate::Outliers(_)) { 0.0 } else { MISSING };
    };
    let (now, spent) = (event.at, payments.spent());
    let told = |value: Option<f64>| value.map_or(MISSING, |value| known(value as f32));
    let over = |below: f64, times: f64| {
        event.amount.filter(|_| below > 0.0).map(|amount| amount as f64 * times / below)
    };
    match aggregate {
        Aggregate::ToLifeMean => told(over(spent.sum as f64, f64::from(spent.count))),
        Aggregate::ToMedian => {
            told(payments.median_doubled().and_then(|doubled| over(doubled as f64, 2.0)))
        }
        Aggregate::Deviation => told(event.amount.and_then(|amount| spent.deviation(amount))),
        Aggregate::Outliers(window) => {
            let within = |at: &&Timestamp| window.covers(window.step_of(**at), now);
            payments.outliers().iter().filter(within).count() as f32
        }
        _ => payments.outliers().iter().max().map_or(MISSING, |last| seconds_since(*last, now)),
    }
}

/// What payments of before turned out to be.
fn of_outcomes(
    aggregate: Aggregate,
    mut outcomes: impl DoubleEndedIterator<Item = Outcome>,
    spent: Option<&Spent>,
    now: Timestamp,
) -> f32 {
    let since = |outcome: Option<Outcome>| {
        outcome.map_or(MISSING, |outcome| seconds_since(outcome.paid.at, now))
    };
    match aggregate {
        Aggregate::LastFrauds(last) => {
            let (mut all, mut frauds) = (0_u8, 0_u8);
            for outcome in outcomes.rev().take(last.into()) {
                (all, frauds) = (all + 1, frauds + u8::from(outcome.fraud));
            }
            if all == 0 { MISSING } else { (f64::from(frauds) / f64::from(all)) as f32 }
        }
        Aggregate::FraudStreak => {
            let mut known = outcomes.rev().peekable();
            match known.peek() {
                None => MISSING,
                Some(_) => known.take_while(|outcome| outcome.fraud).count() as f32,
            }
        }
        Aggregate::SinceStreak => since(outcomes.rev().take_while(|outcome| outcome.fraud).last()),
        Aggregate::SinceFraud => since(outcomes.rfind(|outcome| outcome.fraud)),
        Aggregate::PlainFrauds(days) => {
            let least = now.micros() - i64::from(days) * 24 * HOUR_MICROS;
            let is_outlier = |amount| spent.is_some_and(|spent| spent.is_outlier(amount));
            let plain = |Outcome { paid, fraud }: &Outcome| {
                *fraud && paid.at.micros() > least && !paid.amount.is_some_and(is_outlier)
            };
            outcomes.filter(plain).count() as f32
        }
        _ => MISSING,
    }
}

fn seconds_since(from: Timestamp, now: Timestamp) -> f32 {
    (now.since(from).as_micros() / 1_000_000) as f32
}

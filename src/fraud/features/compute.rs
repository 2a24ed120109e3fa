//! From an event and what is remembered to feature values. Reads and changes nothing.

use super::{
    Entity, MISSING, Recall, Window,
    declared::{AS_IF_GOOD, Acquaintance, Aggregate, Feature, Layout, OTHERS_LEAST},
    entity::Attempts,
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
    let seconds = |from: Option<Timestamp>| {
        from.map_or(MISSING, |from| (now.since(from).as_micros() / 1_000_000) as f32)
    };
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
    }
}

//! Features from the raw history alone, by definition and without memory: what the engine must
//! agree with.

use super::{
    Aggregate, Feature, Layout, MISSING, Window,
    declared::{AS_IF_GOOD, OTHERS_LEAST},
    engine::RETRY_MICROS,
    entity::{LIFE_MICROS, MOST_DISTINCT},
    payments::{OUTCOMES_MOST, OUTLIERS_MOST, RECENT_MOST},
};
use crate::{
    base::Timestamp,
    fraud::event::{Event, Key, Label},
};
use std::collections::BTreeMap;

/// Everything that came before an event.
pub(super) type History<'a> = &'a [(Event, Option<Label>)];

/// The features of `event` after `before`.
pub(super) fn features(layout: &Layout, before: History<'_>, event: &Event) -> Vec<f32> {
    let counted = counted(before);
    let of = |feature: &Feature| match *feature {
        Feature::Amount => event.amount.map_or(MISSING, |amount| given(amount as f64 / 100.0)),
        Feature::Hour => f32::from(event.at.to_offset().hour()),
        Feature::Weekday => f32::from(event.at.to_offset().weekday().number_days_from_monday()),
        Feature::Number(place) if event.numbers[place].is_nan() => MISSING,
        Feature::Number(place) => given(event.numbers[place].into()),
        Feature::Acquaintance(place) => {
            let of = layout.acquaintances[place].of.iter();
            let told = of.filter(|kind| event.keys[**kind].is_some());
            let known: Vec<bool> = told
                .map(|kind| {
                    let same = |before: &&&Event| before.keys[*kind] == event.keys[*kind];
                    let attempts: Vec<&Event> = counted.iter().filter(same).copied().collect();
                    let first = life(&attempts, event.at).map(|(first, _)| first.micros());
                    first.is_some_and(|first| event.at.micros() - first >= 86_400_000_000)
                })
                .collect();
            match known.iter().filter(|known| **known).count() {
                _ if known.is_empty() => MISSING,
                0 => 1.0,
                some if some == known.len() => 0.0,
                _ => 2.0,
            }
        }
        Feature::Of(kind, aggregate) => match event.keys[kind] {
            None => MISSING,
            Some(key) => {
                let same = |event: &Event| event.keys[kind] == Some(key);
                let attempts: Vec<&Event> =
                    counted.iter().copied().filter(|event| same(event)).collect();
                let labeled: Vec<&(Event, Option<Label>)> =
                    before.iter().filter(|(event, _)| same(event)).collect();
                value(aggregate, &attempts, &labeled, event, layout)
            }
        },
    };
    layout.features.iter().map(of).collect()
}

/// A known value, which is never taken for a missing one.
fn given(value: f64) -> f32 {
    let value = value as f32;
    if value == MISSING { -0.999_999_94 } else { value }
}

/// The attempts that are no retries.
fn counted(before: History<'_>) -> Vec<&Event> {
    let mut last: BTreeMap<Key, Timestamp> = BTreeMap::new();
    let mut counted = Vec::new();
    for (event, _) in before {
        let again = event.attempt.and_then(|attempt| last.insert(attempt, event.at));
        if again.is_none_or(|last| event.at.micros() - last.micros() > RETRY_MICROS) {
            counted.push(event);
        }
    }
    counted
}

fn within(window: Window, at: Timestamp, now: Timestamp) -> bool {
    window.step_of(now) - window.step_of(at) < window.steps()
}

/// The first and the last of the attempts of a present life.
fn life(attempts: &[&Event], now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let mut start: Option<(Timestamp, Timestamp)> = None;
    for attempt in attempts {
        start = match start {
            Some((first, last)) if attempt.at.micros() - last.micros() <= LIFE_MICROS => {
                Some((first, attempt.at))
            }
            _ => Some((attempt.at, attempt.at)),
        };
    }
    start.filter(|(_, last)| now.micros() - last.micros() <= LIFE_MICROS)
}

fn value(
    aggregate: Aggregate,
    attempts: &[&Event],
    labeled: &[&(Event, Option<Label>)],
    event: &Event,
    layout: &Layout,
) -> f32 {
    let now = event.at;
    let inside = |window| attempts.iter().filter(move |event| within(window, event.at, now));
    let amounts = |window| inside(window).filter_map(|event| event.amount).collect::<Vec<i64>>();
    let life = || life(attempts, now);
    let seconds = |at: Timestamp| ((now.micros() - at.micros()) / 1_000_000) as f32;
    let learned = |window| {
        let (mut due, mut frauds) = (0, 0);
        for (event, label) in labeled {
            let Some(label) = label else { continue };
            let due_at = event.at.plus(layout.label_delay);
            let known_at = due_at.max(label.known_at.unwrap_or(due_at));
            due += u32::from(due_at <= now && within(window, due_at, now));
            frauds += u32::from(label.fraud && known_at <= now && within(window, known_at, now));
        }
        (due, frauds)
    };
    match aggregate {
        Aggregate::Count(window) => inside(window).count() as f32,
        Aggregate::Failures(window) => inside(window).filter(|event| event.failed).count() as f32,
        Aggregate::Sum(window) => given(amounts(window).iter().sum::<i64>() as f64 / 100.0),
        Aggregate::ToMean(window) => {
            let all = amounts(window);
            match (event.amount, all.iter().sum::<i64>()) {
                (Some(amount), sum @ 1..) => given(amount as f64 * all.len() as f64 / sum as f64),
                _ => MISSING,
            }
        }
        Aggregate::ToMax(window) => match (event.amount, amounts(window).into_iter().max()) {
            (Some(amount), Some(max @ 1..)) => given(amount as f64 / max as f64),
            _ => MISSING,
        },
        Aggregate::Distinct(of, window) => {
            let recent =
                attempts.iter().filter(|event| event.at.micros() > now.micros() - window.micros());
            let mut keys: Vec<Key> = recent.filter_map(|event| event.keys[of]).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.len().min(MOST_DISTINCT) as f32
        }
        Aggregate::Others(of, window)
        | Aggregate::Unmet(of, window)
        | Aggregate::ToOthers(of, window)
        | Aggregate::FailureShare(of, window) => beside(aggregate, (of, window), attempts, event),
        Aggregate::Frauds(window) => learned(window).1 as f32,
        Aggregate::FraudRate(window) => match learned(window) {
            (0, _) => MISSING,
            (due, frauds) => (f64::from(frauds) / f64::from(due)) as f32,
        },
        of_payments if Aggregate::of_payments().contains(&of_payments) => {
            payments(aggregate, attempts, labeled, event, layout)
        }
        Aggregate::Since => life().map_or(MISSING, |(_, last)| seconds(last)),
        Aggregate::Age => life().map_or(MISSING, |(first, _)| seconds(first)),
        _ => MISSING,
    }
}

/// What is told of payments one by one.
fn payments(
    aggregate: Aggregate,
    attempts: &[&Event],
    labeled: &[&(Event, Option<Label>)],
    event: &Event,
    layout: &Layout,
) -> f32 {
    let now = event.at;
    let first = life(attempts, now).map(|(first, _)| first);
    let lived = attempts.iter().skip_while(|attempt| first.is_none_or(|first| attempt.at < first));
    let paid: Vec<(Timestamp, i64)> =
        lived.filter_map(|attempt| Some((attempt.at, attempt.amount?))).collect();
    let amounts: Vec<i64> = paid.iter().map(|(_, amount)| *amount).collect();
    let outliers: Vec<Timestamp> = (0..paid.len())
        .filter(|place| deviation(&amounts[..*place], paid[*place].1).is_some_and(|z| z >= 3.0))
        .map(|place| paid[place].0)
        .collect();
    let outliers = &outliers[outliers.len().saturating_sub(OUTLIERS_MOST)..];
    let outcomes = outcomes(labeled, first, now, layout);
    let seconds = |at: Timestamp| ((now.micros() - at.micros()) / 1_000_000) as f32;
    let streak = outcomes.iter().rev().take_while(|(_, fraud, _)| *fraud).count();
    let over = |count: f64, sum: i64| match event.amount {
        Some(amount) if sum > 0 => given(amount as f64 * count / sum as f64),
        _ => MISSING,
    };
    match aggregate {
        Aggregate::ToLifeMean => over(amounts.len() as f64, amounts.iter().sum()),
        Aggregate::ToMedian => {
            let mut last = amounts[amounts.len().saturating_sub(RECENT_MOST)..].to_vec();
            last.sort_unstable();
            match last.len() {
                0 => MISSING,
                odd if odd % 2 == 1 => over(2.0, 2 * last[odd / 2]),
                even => over(2.0, last[even / 2 - 1] + last[even / 2]),
            }
        }
        Aggregate::Deviation => {
            event.amount.and_then(|amount| deviation(&amounts, amount)).map_or(MISSING, given)
        }
        Aggregate::Outliers(window) => {
            outliers.iter().filter(|at| within(window, **at, now)).count() as f32
        }
        Aggregate::SinceOutlier => outliers.last().map_or(MISSING, |at| seconds(*at)),
        Aggregate::LastFrauds(_) if outcomes.is_empty() => MISSING,
        Aggregate::LastFrauds(last) => {
            let last = &outcomes[outcomes.len().saturating_sub(last.into())..];
            (last.iter().filter(|(_, fraud, _)| *fraud).count() as f64 / last.len() as f64) as f32
        }
        Aggregate::FraudStreak if outcomes.is_empty() => MISSING,
        Aggregate::FraudStreak => streak as f32,
        Aggregate::SinceStreak if streak == 0 => MISSING,
        Aggregate::SinceStreak => seconds(outcomes[outcomes.len() - streak].0),
        Aggregate::SinceFraud => {
            let last = outcomes.iter().rfind(|(_, fraud, _)| *fraud);
            last.map_or(MISSING, |(at, ..)| seconds(*at))
        }
        Aggregate::PlainFrauds(days) => {
            let recent =
                |at: Timestamp| now.micros() - at.micros() < i64::from(days) * 86_400_000_000;
            let is_outlier = |amount| deviation(&amounts, amount).is_some_and(|z| z >= 3.0);
            let plain = outcomes.iter().filter(|(at, fraud, amount)| {
                *fraud && recent(*at) && !amount.is_some_and(is_outlier)
            });
            plain.count() as f32
        }
        _ => MISSING,
    }
}

/// The last payments of a life whose outcome is known, in the order in which was paid.
fn outcomes(
    labeled: &[&(Event, Option<Label>)],
    first: Option<Timestamp>,
    now: Timestamp,
    layout: &Layout,
) -> Vec<(Timestamp, bool, Option<i64>)> {
    let mut known: BTreeMap<(Timestamp, Option<i64>), Vec<bool>> = BTreeMap::new();
    for (event, label) in labeled {
        let due_at = event.at.plus(layout.label_delay);
        let Some(label) = label.filter(|_| due_at <= now) else { continue };
        let fraud = label.fraud && label.known_at.is_none_or(|at| at <= now);
        known.entry((event.at, event.amount)).or_default().push(fraud);
    }
    // Those of one moment and amount are remembered as one.
    let over = known.len().saturating_sub(OUTCOMES_MOST);
    let last = known.into_iter().skip(over);
    let each = last.flat_map(|((at, amount), mut frauds)| {
        frauds.sort_unstable();
        frauds.into_iter().map(move |fraud| (at, fraud, amount))
    });
    each.filter(|(at, ..)| first.is_some_and(|first| *at >= first)).collect()
}

/// How many standard deviations above the mean of others, at least a tenth of it, an amount is.
fn deviation(others: &[i64], amount: i64) -> Option<f64> {
    let count = others.len() as f64;
    let mean = others.iter().sum::<i64>() as f64 / count;
    let squares: u128 = others.iter().map(|one| u128::from(one.unsigned_abs()).pow(2)).sum();
    let variance = (squares as f64 / count - mean * mean).max(0.0);
    let deviation = variance.sqrt().max(mean.abs() / 10.0).max(1.0);
    (others.len() >= 3).then(|| (amount as f64 - mean) / deviation)
}

/// What is told beside the event's own of another kind.
fn beside(
    aggregate: Aggregate,
    (of, window): (usize, Window),
    attempts: &[&Event],
    event: &Event,
) -> f32 {
    let (now, own) = (event.at, event.keys[of]);
    let recent = || {
        let is_recent = move |before: &&&Event| before.at.micros() > now.micros() - window.micros();
        attempts.iter().filter(is_recent)
    };
    let inside: Vec<&&Event> =
        attempts.iter().filter(|before| within(window, before.at, now)).collect();
    // The kind is taken for a part of this one, as an e-mail address is of its domain.
    let is_own = |before: &Event| own.is_some() && before.keys[of] == own;
    let others: Vec<&&&Event> = inside.iter().filter(|before| !is_own(before)).collect();
    match aggregate {
        Aggregate::Others(..) => {
            let mut keys: Vec<Key> = recent().filter_map(|before| before.keys[of]).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.iter().filter(|key| Some(**key) != own).count().min(MOST_DISTINCT) as f32
        }
        Aggregate::Unmet(..) if own.is_none() => MISSING,
        Aggregate::Unmet(..) => {
            let met = recent().any(|before| before.keys[of] == own);
            f32::from(u8::from(!inside.is_empty() && !met))
        }
        Aggregate::ToOthers(..) => {
            let amounts: Vec<i64> = others.iter().filter_map(|before| before.amount).collect();
            match (event.amount, amounts.iter().sum::<i64>()) {
                (Some(amount), sum @ 1..) if amounts.len() >= OTHERS_LEAST as usize => {
                    given(amount as f64 * amounts.len() as f64 / sum as f64)
                }
                _ => MISSING,
            }
        }
        _ => {
            let failed = others.iter().filter(|before| before.failed).count();
            (failed as f64 / (others.len() as f64 + f64::from(AS_IF_GOOD))) as f32
        }
    }
}

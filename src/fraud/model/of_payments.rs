//! Sentences about payments that are remembered one by one.

use super::reasons::{plain, span};
use crate::fraud::features::Aggregate;

/// A reason as a person understands it.
pub(super) fn about(says: &str, aggregate: Aggregate, value: f32) -> String {
    match aggregate {
        Aggregate::ToLifeMean => {
            format!("the amount is {value:.1} times the mean with {says}")
        }
        Aggregate::ToMedian => format!("the amount is {value:.1} times the usual with {says}"),
        Aggregate::Deviation => {
            let (how, deviations) = match value {
                ..0.0 => ("below", -value),
                _ => ("above", value),
            };
            format!("the amount is {deviations:.1} standard deviations {how} the mean with {says}")
        }
        Aggregate::Outliers(window) => {
            let amounts = match value {
                0.0 => "no unusual amounts".to_owned(),
                1.0 => "1 unusual amount".to_owned(),
                _ => format!("{value:.0} unusual amounts"),
            };
            format!("{amounts} with {says} within {}", window.words())
        }
        Aggregate::SinceOutlier => {
            format!("the last unusual amount with {says} was {} ago", span(value))
        }
        Aggregate::LastFrauds(last) => {
            let percent = value * 100.0;
            format!("{percent:.0}% of the last {last} known payments with {says} were fraud")
        }
        Aggregate::FraudStreak => match value {
            0.0 => format!("the last known payment with {says} was no fraud"),
            1.0 => format!("the last known payment with {says} was fraud"),
            _ => format!("the last {value:.0} known payments with {says} were fraud"),
        },
        Aggregate::SinceStreak => {
            format!("payments with {says} have been fraud since {} ago", span(value))
        }
        Aggregate::SinceFraud => {
            format!("the last known fraud with {says} was paid {} ago", span(value))
        }
        Aggregate::PlainFrauds(days) => {
            let frauds = match value {
                0.0 => "no known frauds".to_owned(),
                1.0 => "1 known fraud".to_owned(),
                _ => format!("{value:.0} known frauds"),
            };
            format!("{frauds} of usual amounts with {says} in {days} days")
        }
        other => format!("{says}: {other} is {}", plain(value)),
    }
}

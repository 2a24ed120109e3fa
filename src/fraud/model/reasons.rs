//! Why a score is what it is, in sentences.

use crate::fraud::features::{Aggregate, Feature, Layout, MISSING, Window};

/// A feature that raised a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// Its place in the layout.
    pub feature: usize,
    /// Its value.
    pub value: f32,
    /// What it added to the raw score.
    pub contribution: f64,
}

/// The features that raised the score most, the strongest first.
pub fn strongest(features: &[f32], contributions: &[f64], most: usize) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::with_capacity(most + 1);
    for (feature, (&value, &contribution)) in features.iter().zip(contributions).enumerate() {
        if contribution > 0.0 {
            // Of equals the first stays before the others.
            let place = reasons.partition_point(|reason| reason.contribution >= contribution);
            reasons.insert(place, Reason { feature, value, contribution });
            reasons.truncate(most);
        }
    }
    reasons
}

impl Layout {
    /// A reason as a person understands it.
    pub fn sentence(&self, reason: &Reason) -> String {
        let value = reason.value;
        match self.features[reason.feature] {
            Feature::Amount if value == MISSING => "the amount is not known".to_owned(),
            Feature::Amount => format!("the amount is {value:.2}"),
            Feature::Hour => format!("it is {value:02.0} o'clock (UTC)"),
            Feature::Weekday => {
                const DAYS: [&str; 7] =
                    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
                format!("it is {}", DAYS[(value.clamp(0.0, 6.0)) as usize])
            }
            Feature::Number(place) if value == MISSING => {
                format!("{} is not known", self.numbers[place].name)
            }
            Feature::Number(place) => self.numbers[place].says.replace("{}", &plain(value)),
            Feature::Of(kind, aggregate) => self.about(kind, aggregate, value),
        }
    }

    fn about(&self, kind: usize, aggregate: Aggregate, value: f32) -> String {
        let says = &self.entities[kind].says;
        let count = |window: Window, one: &str, many: &str| {
            let what = if value == 1.0 { one } else { many };
            format!("{} {what} with {says} within {}", plain(value), window.words())
        };
        match aggregate {
            _ if value == MISSING => match aggregate {
                Aggregate::Since | Aggregate::Age => format!("{says} was not seen before"),
                Aggregate::ToMean(_) | Aggregate::ToMax(_) => {
                    format!("{says} has no earlier amount to compare with")
                }
                Aggregate::FraudRate(window) => {
                    format!("no outcome for {says} is known within {}", window.words())
                }
                _ => format!("{says} is not known"),
            },
            Aggregate::Count(window) => count(window, "earlier attempt", "earlier attempts"),
            Aggregate::Failures(window) => count(window, "failed payment", "failed payments"),
            Aggregate::Frauds(window) => count(window, "known fraud", "known frauds"),
            Aggregate::Sum(window) => {
                format!("{value:.2} spent before with {says} within {}", window.words())
            }
            Aggregate::ToMean(window) => {
                let window = window.words();
                format!("the amount is {value:.1} times the mean with {says} within {window}")
            }
            Aggregate::ToMax(window) => {
                let window = window.words();
                format!("the amount is {value:.1} times the largest with {says} within {window}")
            }
            Aggregate::Distinct(of, window) => {
                let of = self.entities[of].says.trim_start_matches("this ");
                let window = window.words();
                format!("{} different ones of {of} with {says} within {window}", plain(value))
            }
            Aggregate::FraudRate(window) => {
                let percent = value * 100.0;
                format!(
                    "{percent:.0}% of attempts with {says} were fraud within {}",
                    window.words()
                )
            }
            Aggregate::Since => format!("{says} was seen {} ago", span(value)),
            Aggregate::Age => format!("{says} was first seen {} ago", span(value)),
        }
    }
}

fn plain(value: f32) -> String {
    if value == value.trunc() { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn span(seconds: f32) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} seconds"),
        s if s < 7_200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::schema::Schema;

    const SCHEMA: &str = "
        [columns]
        time = \"t\"
        label = \"l\"
        amount = \"a\"
        failed = \"f\"
        [[entity]]
        name = \"card\"
        columns = [\"c\"]
        distinct = [{ of = \"ip\", windows = [\"1h\"] }]
        [[entity]]
        name = \"ip\"
        says = \"this IP address\"
        columns = [\"i\"]
        [[flag]]
        name = \"gift\"
        says = \"a gift card is among the items\"";

    #[test]
    fn every_feature_has_a_sentence_known_or_missing() {
        let layout = Schema::parse(SCHEMA).expect("a schema");
        let layout = layout.layout(std::time::Duration::ZERO).expect("it holds");
        let mut said = Vec::new();
        for feature in 0..layout.features.len() {
            // The time is always known.
            let timely = matches!(layout.features[feature], Feature::Hour | Feature::Weekday);
            for value in [MISSING, 0.0, 1.0, 3.5].into_iter().skip(usize::from(timely)) {
                said.push(layout.sentence(&Reason { feature, value, contribution: 0.1 }));
            }
        }
        let all = said.join("\n");
        assert!(!all.contains("-1") && !all.contains("{}"), "{all}");
        for part in [
            "1 earlier attempt with this card within 24 hours",
            "0 failed payments with this card within an hour",
            "the amount is 3.5 times the mean with this card within 30 days",
            "100% of attempts with this IP address were fraud within 7 days",
            "this card was not seen before",
            "1 different ones of IP address with this card within an hour",
            "a gift card is among the items",
            "gift is not known",
        ] {
            assert!(said.iter().any(|sentence| sentence == part), "{part:?} is missing in\n{all}");
        }
    }

    #[test]
    fn the_strongest_reasons_come_first_and_what_calms_is_none() {
        let places = |contributions: &[f64], most| -> Vec<usize> {
            let features = vec![1.0; contributions.len()];
            strongest(&features, contributions, most).iter().map(|reason| reason.feature).collect()
        };
        assert_eq!(places(&[0.1, -0.5, 0.3, 0.1], 3), [2, 0, 3]);
        assert_eq!(places(&[0.1, 0.3, 0.2, 0.3, 0.3, 0.4], 3), [5, 1, 3], "of equals the first");
        assert!(places(&[0.0, -0.1], 3).is_empty());
    }
}

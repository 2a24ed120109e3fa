//! Which features there are: entity × aggregate × window, plus plain ones, in one order.

use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};

use super::{
    entity::{Labels, MOST_DISTINCT},
    window::Window,
};
use crate::{
    base::Timestamp,
    fraud::event::{Event, Label},
};

/// Changes when the same declaration begins to mean other values.
const ENGINE_VERSION: u32 = 1;

/// A kind of entity: card, e-mail, address, or a pair of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityKind {
    /// Its name: `card`.
    pub name: String,
    /// How a sentence speaks of it: `this card`.
    pub says: String,
}

/// A plain fact of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberField {
    /// Its name: `units`.
    pub name: String,
    /// The sentence it gives as a reason; `{}` stands for the value.
    pub says: String,
}

/// What is counted about an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Attempts in the window.
    Count(Window),
    /// Failed ones.
    Failures(Window),
    /// Sum of their amounts, in main units.
    Sum(Window),
    /// This amount ÷ the mean amount in the window.
    ToMean(Window),
    /// This amount ÷ the largest amount in the window.
    ToMax(Window),
    /// Distinct entities of the kind at this place of [`Layout::entities`].
    Distinct(usize, Window),
    /// Frauds learned of in the window.
    Frauds(Window),
    /// The same ÷ attempts whose label came due in it.
    FraudRate(Window),
    /// Seconds since the last attempt.
    Since,
    /// Seconds since the first attempt.
    Age,
}

/// One feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The amount, in main units.
    Amount,
    /// The hour of the day in UTC, 0–23.
    Hour,
    /// The day of the week, Monday = 0.
    Weekday,
    /// The plain fact at this place of [`Layout::numbers`].
    Number(usize),
    /// Something about the entity at this place of [`Layout::entities`].
    Of(usize, Aggregate),
}

/// All features of one schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Kinds of entities; an event has one key per kind.
    pub entities: Vec<EntityKind>,
    /// Plain facts.
    pub numbers: Vec<NumberField>,
    /// The features, in the order in which a model reads them.
    pub features: Vec<Feature>,
    /// How long after an attempt its label may be used.
    pub label_delay: Duration,
}

impl Layout {
    /// The features' names, in order.
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(|feature| self.name(*feature)).collect()
    }

    /// A feature's name: `card.count.24h`.
    pub fn name(&self, feature: Feature) -> String {
        match feature {
            Feature::Amount => "amount".to_owned(),
            Feature::Hour => "hour".to_owned(),
            Feature::Weekday => "weekday".to_owned(),
            Feature::Number(place) => self.numbers[place].name.clone(),
            Feature::Of(kind, aggregate) => {
                let entity = &self.entities[kind].name;
                match aggregate {
                    Aggregate::Distinct(of, window) => {
                        format!("{entity}.distinct_{}.{window}", self.entities[of].name)
                    }
                    other => format!("{entity}.{other}"),
                }
            }
        }
    }

    /// SHA-256 of everything that gives the features their meaning: two layouts with one hash give
    /// the same values for the same events.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let delay = self.label_delay.as_micros();
        hash.update(format!("features v{ENGINE_VERSION} delay {delay} most {MOST_DISTINCT}\n"));
        for name in self.names() {
            hash.update(name);
            hash.update("\n");
        }
        hash.finalize().into()
    }

    /// Which kinds are counted as distinct partners of this one.
    pub fn partners(&self, kind: usize) -> Vec<usize> {
        let mut partners: Vec<usize> = Vec::new();
        for feature in &self.features {
            if let Feature::Of(of, Aggregate::Distinct(partner, _)) = feature
                && *of == kind
                && !partners.contains(partner)
            {
                partners.push(*partner);
            }
        }
        partners
    }

    /// Whether any feature is about this kind.
    pub fn recalls(&self, kind: usize) -> bool {
        self.features.iter().any(|feature| matches!(feature, Feature::Of(of, _) if *of == kind))
    }

    /// Whether any feature counts failures.
    pub fn counts_failures(&self) -> bool {
        let failures =
            |feature: &Feature| matches!(feature, Feature::Of(_, Aggregate::Failures(_)));
        self.features.iter().any(failures)
    }

    /// SHA-256 of what is remembered for these features: layouts with one of these may share a
    /// memory, whichever features they draw from it.
    pub fn memory_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let (delay, fails) = (self.label_delay.as_micros(), self.counts_failures());
        hash.update(format!(
            "memory v{ENGINE_VERSION} delay {delay} most {MOST_DISTINCT} {fails}\n"
        ));
        for (kind, entity) in self.entities.iter().enumerate() {
            let (recalls, learns) = (self.recalls(kind), self.learns(kind));
            let partners = self.partners(kind);
            hash.update(format!("{:?} {recalls} {learns} {partners:?}\n", entity.name));
        }
        hash.finalize().into()
    }

    /// What an event's label teaches, and when: that it is due, from its delay on; and that it was
    /// fraud, once that is known too.
    pub fn dues(&self, event: &Event, label: Label) -> Vec<(Timestamp, Labels)> {
        let due_at = event.at.plus(self.label_delay);
        let known_at = due_at.max(label.known_at.unwrap_or(due_at));
        let together = label.fraud && known_at == due_at;
        let due = (due_at, Labels { due: 1, frauds: u32::from(together) });
        let late = (label.fraud && !together).then_some((known_at, Labels { due: 0, frauds: 1 }));
        late.into_iter().chain([due]).collect()
    }

    /// What is taught by an attempt that is found out after its label was taken for good.
    pub fn found_out(&self, event: &Event, at: Timestamp) -> (Timestamp, Labels) {
        (at.max(event.at.plus(self.label_delay)), Labels { due: 0, frauds: 1 })
    }

    /// What is taught when a fraud that was found out at this moment was none after all: it is
    /// taken back where it was counted.
    pub fn taken_back(&self, event: &Event, found_at: Timestamp) -> (Timestamp, Labels) {
        (found_at.max(event.at.plus(self.label_delay)), Labels::TAKEN_BACK)
    }

    /// Whether anything about this kind depends on labels.
    pub fn learns(&self, kind: usize) -> bool {
        let learns = |feature: &Feature| {
            matches!(feature, Feature::Of(of, Aggregate::Frauds(_) | Aggregate::FraudRate(_))
                if *of == kind)
        };
        self.features.iter().any(learns)
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(window) => write!(f, "count.{window}"),
            Self::Failures(window) => write!(f, "failures.{window}"),
            Self::Sum(window) => write!(f, "sum.{window}"),
            Self::ToMean(window) => write!(f, "amount_to_mean.{window}"),
            Self::ToMax(window) => write!(f, "amount_to_max.{window}"),
            Self::Distinct(of, window) => write!(f, "distinct_{of}.{window}"),
            Self::Frauds(window) => write!(f, "frauds.{window}"),
            Self::FraudRate(window) => write!(f, "fraud_rate.{window}"),
            Self::Since => f.write_str("since"),
            Self::Age => f.write_str("age"),
        }
    }
}

//! Which features there are: entity × aggregate × window, plus plain ones, in one order.

use sha2::{Digest, Sha256};
use std::time::Duration;

use super::{
    aggregate::Aggregate,
    entity::{Labels, MOST_DISTINCT},
    payments::{self, Keeps},
};
use crate::{
    base::Timestamp,
    fraud::event::{Event, Label},
};

/// Changes when the same declaration begins to mean other values.
const ENGINE_VERSION: u32 = 1;

/// Attempts that did not fail, added to every share of failures.
pub const AS_IF_GOOD: u32 = 10;

/// Fewer amounts of others are no usual amount.
pub const OTHERS_LEAST: u32 = 20;

/// A kind of entity: card, e-mail, address, or a pair of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityKind {
    /// Its name: `card`.
    pub name: String,
    /// How a sentence speaks of it: `this card`.
    pub says: String,
    /// The columns whose values make its key. Kinds of the same columns are the same entities,
    /// whatever a schema calls them and wherever it lists them.
    pub columns: Vec<String>,
}

/// A plain fact of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberField {
    /// Its name: `units`.
    pub name: String,
    /// The sentence it gives as a reason; `{}` stands for the value.
    pub says: String,
    /// The sentence where it is 0, if another.
    pub says_none: Option<String>,
    /// The sentence where it is 1, if another.
    pub says_one: Option<String>,
    /// The sentence where nobody told.
    pub says_unknown: Option<String>,
    /// Whether it is a yes or no, and so never below zero.
    pub is_flag: bool,
}

/// Entities that belong to one buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquaintanceField {
    /// Its name: `buyer`.
    pub name: String,
    /// Places of entities.
    pub of: Vec<usize>,
}

/// How an order's own things are known. What the order does not have is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquaintance {
    /// All of them were first seen a day ago or longer.
    Known = 0,
    /// None of them was.
    Stranger = 1,
    /// Some were and some were not: a new phone, or a known account in other hands.
    Mixed = 2,
}

impl Acquaintance {
    /// A tester's things are younger than the attack.
    pub const AFTER_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

    /// By whether each thing is known; none without any.
    pub fn of(known: impl Iterator<Item = bool>) -> Option<Self> {
        let (mut some, mut all, mut any) = (false, true, false);
        for known in known {
            any = true;
            some |= known;
            all &= known;
        }
        any.then_some(match (all, some) {
            (true, _) => Self::Known,
            (false, true) => Self::Mixed,
            (false, false) => Self::Stranger,
        })
    }
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
    /// Whether those at this place of [`Layout::acquaintances`] are known together: see
    /// [`Acquaintance`].
    Acquaintance(usize),
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
    /// Entities that are known together or not.
    pub acquaintances: Vec<AcquaintanceField>,
    /// The features, in the order in which a model reads them.
    pub features: Vec<Feature>,
    /// How long after an attempt its label may be used.
    pub label_delay: Duration,
    /// How a model that is trained may read each of the features; all as it likes where this is
    /// empty. It gives features no other meaning, so the hash does not know of it.
    pub reads: Vec<Reads>,
}

/// How a model may read a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Not at all: it is there for rules.
    No,
    /// As it likes.
    Freely,
    /// More of it never lowers a score.
    Rising,
    /// More of it never raises a score.
    Falling,
    /// Whether the buyer is known. All else being the same, a score is never higher for one who is
    /// known than for a stranger.
    Known,
    /// Whether what others use, too, is known: it may be for whoever is known.
    Around,
    /// As it likes; and whoever comes back with all of their things has none of it.
    Settled,
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
            Feature::Acquaintance(place) => self.acquaintances[place].name.clone(),
            Feature::Of(kind, aggregate) => {
                let entity = &self.entities[kind].name;
                match aggregate {
                    Aggregate::Distinct(of, window) => {
                        format!("{entity}.distinct_{}.{window}", self.entities[of].name)
                    }
                    Aggregate::Others(of, window) => {
                        format!("{entity}.others_{}.{window}", self.entities[of].name)
                    }
                    Aggregate::Unmet(of, window) => {
                        format!("{entity}.unmet_{}.{window}", self.entities[of].name)
                    }
                    Aggregate::FailureShare(of, window) => {
                        format!("{entity}.failure_share_but_{}.{window}", self.entities[of].name)
                    }
                    Aggregate::ToOthers(of, window) => {
                        format!("{entity}.amount_to_others_{}.{window}", self.entities[of].name)
                    }
                    other => format!("{entity}.{other}"),
                }
            }
        }
    }

    /// How many features a model may read.
    pub fn read_count(&self) -> usize {
        let unread = self.reads.iter().filter(|reads| **reads == Reads::No).count();
        self.features.len() - unread
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
            if let Feature::Of(
                of,
                Aggregate::Distinct(partner, _)
                | Aggregate::Others(partner, _)
                | Aggregate::Unmet(partner, _),
            ) = feature
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
        self.acquaintances.iter().any(|buyer| buyer.of.contains(&kind))
            || self.features.iter().any(|feature| {
                let Feature::Of(of, aggregate) = feature else { return false };
                let own = match aggregate {
                    Aggregate::FailureShare(own, _) | Aggregate::ToOthers(own, _) => Some(*own),
                    _ => None,
                };
                *of == kind || own == Some(kind)
            })
    }

    /// Whether any feature counts failures.
    pub fn counts_failures(&self) -> bool {
        let failures = |feature: &Feature| {
            let Feature::Of(_, of) = feature else { return false };
            matches!(of, Aggregate::Failures(_) | Aggregate::FailureShare(..))
        };
        self.features.iter().any(failures)
    }

    /// What is remembered of a kind's payments one by one.
    pub fn keeps(&self, kind: usize) -> Keeps {
        let keeps = |feature: &Feature| match feature {
            Feature::Of(of, aggregate) if *of == kind => aggregate.keeps(),
            _ => Keeps::NOTHING,
        };
        self.features.iter().map(keeps).fold(Keeps::NOTHING, Keeps::and)
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
            let (partners, columns) = (self.partners(kind), &entity.columns);
            hash.update(format!("{:?} {recalls} {learns} {partners:?}\n", entity.name));
            hash.update(format!("{columns:?}\n"));
            let keeps = self.keeps(kind);
            if keeps != Keeps::NOTHING {
                hash.update(format!("payments {} {}\n", keeps.byte(), payments::MEANING));
            }
        }
        hash.finalize().into()
    }

    /// The name of a memory for these features.
    pub fn memory_name(&self) -> String {
        let hash = self.memory_hash();
        let first = hash[..8].iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        format!("fv1:{first:016x}")
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
        self.keeps(kind).has(Keeps::OUTCOMES) || self.features.iter().any(learns)
    }
}

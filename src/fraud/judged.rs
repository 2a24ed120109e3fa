//! A judgement on its way back, and as it is written down.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc};

use super::{
    assessment::{Assessment, Outcome},
    event::{Event, Key},
    links::LinkKeys,
    setup::Told,
};
use crate::base::{Currency, Timestamp};

/// A judgement, and what is needed to learn how it ended.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What becomes of the payment.
    pub outcome: Outcome,
    /// The record.
    pub assessment: Assessment,
    /// The attempt as features see it. None for a second look.
    pub event: Option<Event>,
    /// The currency of the event's amount, where it is not the order's own.
    pub currency: Option<Currency>,
    /// Whether it counted; a retry does not.
    pub counted: bool,
    /// The memories that were told of it, the live model's first. None for a second look.
    pub told: Vec<Told>,
    /// The storefront (API key) it came through; empty for one of the past.
    pub storefront: Box<str>,
    /// What its checkout may share with others. Nothing for a second look.
    pub links: LinkKeys,
}

/// A judgement as it is written down: with the event, so that memory can be built again. It owns
/// what was read, and borrows what is written: every payment is, so nothing is copied for it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Written<A = Assessment, L = LinkKeys> {
    /// The judgement.
    pub assessment: A,
    /// The event it was about.
    pub event: Option<WrittenEvent>,
    /// What its checkout may share with others.
    #[serde(default)]
    pub links: L,
}

/// An event as it is written down: digests, and nothing that names a person.
#[derive(Debug, Serialize, Deserialize)]
pub struct WrittenEvent {
    /// Hundredths of the main unit.
    pub amount: Option<i64>,
    /// Of this currency, where it is not the order's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Keys of the entities, in the order of the schema; 0 where missing.
    pub keys: Vec<u64>,
    /// Whether it counted.
    pub counted: bool,
    /// What other memories were told of it, by their names: the keys that they remember it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, Vec<u64>>,
}

impl WrittenEvent {
    /// The event again, as far as memory takes it: its plain facts are in the features.
    pub fn read(&self, at: Timestamp, failed: bool) -> Event {
        let key = |raw: &u64| NonZeroU64::new(*raw).map(Key::from_raw);
        self.with(self.keys.iter().map(key).collect(), at, failed)
    }

    /// The same with other keys.
    pub fn with(&self, keys: Box<[Option<Key>]>, at: Timestamp, failed: bool) -> Event {
        Event { at, amount: self.amount, keys, numbers: Box::default(), attempt: None, failed }
    }
}

impl Judged {
    /// The name under which the cart remembers the instrument.
    pub fn instrument(&self) -> Option<u64> {
        self.event.as_ref()?.attempt.map(Key::raw)
    }

    /// As it is written down.
    pub fn document(&self) -> Arc<RawValue> {
        let keys = |event: &Event| {
            event.keys.iter().map(|key| key.map_or(0, Key::raw)).collect::<Vec<_>>()
        };
        let others = self.told.iter().skip(1).filter(|told| told.everywhere);
        let event = self.event.as_ref().map(|event| WrittenEvent {
            amount: event.amount,
            currency: self.currency,
            keys: keys(event),
            counted: self.counted,
            others: others.map(|told| (told.memory.name().to_owned(), keys(&told.event))).collect(),
        });
        let written = Written { assessment: &self.assessment, event, links: &self.links };
        let text = serde_json::value::to_raw_value(&written);
        Arc::from(text.expect("records of text, numbers and lists serialize"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::signals::tests::bare;

    #[test]
    fn what_is_written_down_reads_back_and_is_written_the_same_again() {
        let signals = bare();
        let judged = Judged {
            outcome: Outcome::Review,
            assessment: Assessment {
                outcome: Outcome::Review,
                score: Some(995),
                features: vec![1.0, -1.0, 0.25],
                ..Assessment::default()
            },
            event: Some(Event {
                at: signals.at,
                amount: Some(4990),
                keys: [Key::of([&b"a card"[..]]), None].into(),
                numbers: Box::default(),
                attempt: None,
                failed: false,
            }),
            currency: Some(Currency::EUR),
            counted: true,
            told: Vec::new(),
            storefront: "shop".into(),
            links: LinkKeys::of(&signals),
        };
        let document = judged.document();
        let read: Written = serde_json::from_str(document.get()).expect("it reads");
        assert_eq!((&read.assessment, &read.links), (&judged.assessment, &judged.links));
        let event = read.event.as_ref().expect("an event");
        assert_eq!(event.read(signals.at, false), judged.event.expect("an event"));
        assert_eq!(serde_json::to_string(&read).expect("it is written"), document.get());
    }
}

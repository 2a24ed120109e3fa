//! A batch of attempts, sorted by entity: each entity is asked once, whoever takes part with it.

use std::{collections::HashMap, ops::Range};

use super::space::Space;
use crate::{
    base::Timestamp,
    fraud::{
        event::{Event, Key},
        features::{EntityKind, Layout, entity::Labels, packed::Unreadable, payments::Keeps},
        velocity::{
            Passing, Recalled,
            written::{Facts, Written},
        },
    },
};

/// What a layout wants to be remembered.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The name of what is remembered: layouts that remember the same share it.
    pub(super) memory: String,
    kinds: Vec<Kind>,
    failures: bool,
}

#[derive(Debug)]
struct Kind {
    name: String,
    recalls: bool,
    learns: bool,
    keeps: Keeps,
    partners: Vec<usize>,
}

/// One entity's part in a batch.
#[derive(Debug)]
pub(super) struct Share {
    kind: u8,
    key: Key,
    /// Where it is written down.
    pub(super) place: String,
    /// What is to be appended.
    pub(super) facts: Vec<u8>,
    /// The latest moment at which it is looked at.
    pub(super) now: Timestamp,
    /// Whether labels may wait for it elsewhere.
    pub(super) learns: bool,
    parts: Vec<Part>,
}

/// One event looks at an entity, and then adds its facts.
#[derive(Debug)]
struct Part {
    event: usize,
    facts: Range<usize>,
}

/// The text, and the pages that go elsewhere.
type Summary = (Vec<u8>, Vec<(Timestamp, Vec<u8>)>);

/// A summary to put in the place of what was read.
#[derive(Debug)]
pub(super) struct Summing {
    /// Where.
    pub(super) place: String,
    /// What must still stand there.
    pub(super) read: Vec<u8>,
    /// What it comes to.
    pub(super) summary: Vec<u8>,
    /// Labels that shall wait elsewhere.
    pub(super) pages: Vec<(Timestamp, Vec<u8>)>,
}

impl Wanted {
    /// What this layout wants.
    pub(super) fn by(layout: &Layout) -> Self {
        let kind = |(number, kind): (usize, &EntityKind)| Kind {
            name: kind.name.clone(),
            recalls: layout.recalls(number),
            learns: layout.learns(number),
            keeps: layout.keeps(number),
            partners: layout.partners(number),
        };
        Self {
            memory: layout.memory_name(),
            kinds: layout.entities.iter().enumerate().map(kind).collect(),
            failures: layout.counts_failures(),
        }
    }

    /// Where an entity is written down: in one hash slot, with whatever else belongs to it.
    fn place(&self, space: &Space, (kind, key): (u8, Key)) -> String {
        let name = &self.kinds[usize::from(kind)].name;
        format!("{{{}:{name}:{:016x}}}", space.prefix, key.raw())
    }

    /// The batch by entity; each entity's events in their order.
    pub(super) fn shares(&self, space: &Space, batch: &[Passing]) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        let mut known: HashMap<(u8, Key), usize> = HashMap::new();
        for (number, Passing { event, counts }) in batch.iter().enumerate() {
            for (kind, key) in self.entities(event, |kind| kind.recalls) {
                let place = *known.entry((kind, key)).or_insert_with(|| {
                    shares.push(self.share(space, (kind, key), event.at));
                    shares.len() - 1
                });
                let share = &mut shares[place];
                share.now = share.now.max(event.at);
                let start = share.facts.len();
                if *counts {
                    let mut facts = Facts::default();
                    let Kind { partners, keeps, .. } = &self.kinds[usize::from(kind)];
                    facts.note(event.at, event.amount, event.partners(partners), *keeps);
                    share.facts.extend(facts.into_bytes());
                }
                share.parts.push(Part { event: number, facts: start..share.facts.len() });
            }
        }
        shares
    }

    fn share(&self, space: &Space, (kind, key): (u8, Key), now: Timestamp) -> Share {
        let place = self.place(space, (kind, key));
        let learns = self.kinds[usize::from(kind)].learns;
        Share { kind, key, place, facts: Vec::new(), now, learns, parts: Vec::new() }
    }

    /// Where failures are to be noted, and as what.
    pub(super) fn failures(&self, space: &Space, events: &[Event]) -> Vec<(String, Vec<u8>)> {
        let events = events.iter().filter(|_| self.failures);
        let noted = events.flat_map(|event| {
            self.entities(event, |kind| kind.recalls).map(|(kind, key)| {
                let mut facts = Facts::default();
                facts.failure(event.at);
                (self.place(space, (kind, key)), facts.into_bytes())
            })
        });
        noted.collect()
    }

    /// Where a label is to be noted, and as what.
    pub(super) fn labels(
        &self,
        space: &Space,
        event: &Event,
        dues: &[(Timestamp, Labels)],
    ) -> Vec<(String, Vec<u8>)> {
        let noted = self.entities(event, |kind| kind.learns).map(|(kind, key)| {
            let mut facts = Facts::default();
            let keeps = self.kinds[usize::from(kind)].keeps;
            let paid = keeps.has(Keeps::OUTCOMES).then(|| event.paid());
            dues.iter().for_each(|(at, learned)| facts.label(*at, *learned, paid));
            (self.place(space, (kind, key)), facts.into_bytes())
        });
        noted.collect()
    }

    fn entities(
        &self,
        event: &Event,
        wanted: impl Fn(&Kind) -> bool,
    ) -> impl Iterator<Item = (u8, Key)> {
        event.entities().filter(move |(kind, _)| wanted(&self.kinds[usize::from(*kind)]))
    }
}

impl Share {
    /// What each of its events sees, from what stood before the first of them; and the summary that
    /// has become worth writing.
    ///
    /// # Errors
    /// When what stood there is none of ours. Nothing shall stand there then: else it would be in
    /// the way until it expires.
    pub(super) fn tell(
        self,
        before: Vec<u8>,
        batch: &[Passing],
        seen: &mut [Recalled],
    ) -> Result<Option<Summing>, Summing> {
        let summed = self.sum(&before, batch, seen);
        let summing = |(summary, pages)| {
            let mut read = before;
            read.extend(self.facts);
            Summing { place: self.place, read, summary, pages }
        };
        match summed {
            Ok(summed) => Ok(summed.map(summing)),
            Err(Unreadable) => Err(summing((Vec::new(), Vec::new()))),
        }
    }

    fn sum(
        &self,
        before: &[u8],
        batch: &[Passing],
        seen: &mut [Recalled],
    ) -> Result<Option<Summary>, Unreadable> {
        let mut written = Written::read(before)?;
        for Part { event, facts } in &self.parts {
            let entity = written.at(batch[*event].event.at).clone();
            seen[*event].entities.push((self.kind, self.key, entity));
            written.hear(&self.facts[facts.clone()])?;
        }
        Ok(written.is_long().then(|| written.summary()))
    }
}

//! What is written down about one entity where every replica may write: facts in the order in which
//! they arrived, behind a summary of those before them.
//!
//! ```text
//!  [summary: the entity as bytes]  fact  fact  fact …
//! ```
//! A replica that has something to say appends a fact and reads what stood before it; the store
//! decides who was first, and nothing is ever read, changed and written back. What the facts come
//! to, [`Entity`] itself says: the code that trained. When many have gathered, whoever read them
//! puts a summary in their place, and only if they still stand as they were read.
//!
//! A label is written down with the moment from which it may be used, and waits there for a reader
//! to whom that moment has come. An entity that half the shop shares has a week of labels waiting:
//! those leave the text in pages, and come back when the first of a page is due.

use crate::{
    base::Timestamp,
    fraud::{
        event::Key,
        features::{
            Entity,
            entity::Labels,
            packed::{Packer, Unpacker, Unreadable},
            payments::{Keeps, Paid},
        },
    },
};

/// The script in Redis knows it, too: pages wait only where a summary stands.
const SUMMARY: u8 = 0;
const NOTE: u8 = 1;
const PRICED_NOTE: u8 = 2;
const FAILURE: u8 = 3;
const LABEL: u8 = 4;
/// Says nothing: makes two pages differ that say the same.
const PAD: u8 = 5;
/// Says what the attempt that comes next is kept for, as a payment of its own.
const KEEPS: u8 = 6;
/// A label of a payment whose outcome is kept.
const OUTCOME: u8 = 7;

/// After so many bytes of attempts and failures, some forty of them, a summary pays: each reader
/// goes through them, and writing one costs about what reading one does.
const FACTS_MAX: usize = 512;

/// Labels on one page; fewer wait in the text when it is summed up.
const WAITING_MAX: usize = 64;

/// Facts to append.
#[derive(Debug, Default)]
pub struct Facts(Packer);

impl Facts {
    /// An attempt that counts, with the others who took part, and what is kept of it as a payment.
    pub fn note(
        &mut self,
        at: Timestamp,
        amount: Option<i64>,
        partners: impl Iterator<Item = (u8, Key)>,
        keeps: Keeps,
    ) {
        let Self(out) = self;
        if keeps != Keeps::NOTHING {
            out.byte(KEEPS);
            out.byte(keeps.byte());
        }
        out.byte(if amount.is_some() { PRICED_NOTE } else { NOTE });
        out.moment(at);
        if let Some(amount) = amount {
            out.signed(amount);
        }
        let partners: Vec<_> = partners.collect();
        out.number(partners.len() as u64);
        for (kind, key) in partners {
            out.byte(kind);
            out.key(key);
        }
    }

    /// The attempt noted at this moment failed.
    pub fn failure(&mut self, at: Timestamp) {
        self.0.byte(FAILURE);
        self.0.moment(at);
    }

    /// What is learned of earlier attempts, and when; and of which payment, where that is kept.
    pub fn label(&mut self, at: Timestamp, learned: Labels, paid: Option<Paid>) {
        self.0.byte(if paid.is_some() { OUTCOME } else { LABEL });
        self.0.moment(at);
        self.0.number(learned.due.into());
        self.0.number(learned.frauds.into());
        paid.into_iter().for_each(|paid| self.0.paid(paid));
    }

    /// The bytes to append.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// A label, from when it may be used, and the payment whose outcome it is.
type Waiting = (Timestamp, Labels, Option<Paid>);

/// What stood written about an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    entity: Entity,
    /// Labels whose moment has not come, in the order in which they arrived.
    waiting: Vec<Waiting>,
    facts: usize,
}

impl Written {
    /// Reads all that stands.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut written = Self::default();
        let mut facts = bytes;
        if bytes.first() == Some(&SUMMARY) {
            let mut from = Unpacker::new(&bytes[1..]);
            written.entity = from.entity()?;
            facts = &bytes[bytes.len() - from.left()..];
        }
        written.hear(facts)?;
        Ok(written)
    }

    /// Takes note of further facts.
    ///
    /// # Errors
    /// When they are none of ours.
    pub fn hear(&mut self, facts: &[u8]) -> Result<(), Unreadable> {
        let mut from = Unpacker::new(facts);
        while !from.is_done() {
            let left = from.left();
            let mut keeps = Keeps::NOTHING;
            let mut kind = from.byte()?;
            if kind == KEEPS {
                keeps = Keeps::from_byte(from.byte()?).ok_or(Unreadable)?;
                kind = from.byte()?;
            }
            match kind {
                kind @ (NOTE | PRICED_NOTE) => {
                    let at = from.moment()?;
                    let amount = (kind == PRICED_NOTE).then(|| from.signed()).transpose()?;
                    let partners = from.number()?;
                    let partner = |_| Ok((from.byte()?, from.key()?));
                    let partners: Vec<_> = (0..partners).map(partner).collect::<Result<_, _>>()?;
                    self.entity.note_payment(at, amount, partners.into_iter(), keeps);
                }
                FAILURE => self.entity.note_failure(from.moment()?),
                kind @ (LABEL | OUTCOME) => {
                    let at = from.moment()?;
                    let learned = Labels { due: from.count()?, frauds: from.count()? };
                    let paid = (kind == OUTCOME).then(|| from.paid()).transpose()?;
                    self.waiting.push((at, learned, paid));
                    // Those that wait stay as they are, summed up or not.
                    continue;
                }
                PAD => {}
                _ => return Err(Unreadable),
            }
            self.facts += left - from.left();
        }
        Ok(())
    }

    /// The entity as it is known at a moment: labels due by then are let in.
    pub fn at(&mut self, now: Timestamp) -> &Entity {
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(at, ..)| *at <= now);
        self.waiting = waiting;
        // Those of one moment stay in their order; what takes one back comes after all of them.
        due.sort_by_key(|(at, learned, _)| (*learned == Labels::TAKEN_BACK, *at));
        for (at, learned, paid) in due {
            self.entity.note_outcome(at, learned, paid);
        }
        &self.entity
    }

    /// Whether a summary is worth its writing.
    pub fn is_long(&self) -> bool {
        self.facts > FACTS_MAX
    }

    /// The summary of it all, and the pages that go elsewhere, each with the moment from which it
    /// is wanted back.
    pub fn summary(&self) -> (Vec<u8>, Vec<(Timestamp, Vec<u8>)>) {
        let mut out = Packer::default();
        out.byte(SUMMARY);
        out.entity(&self.entity);
        let mut waiting = self.waiting.clone();
        waiting.sort_by_key(|(at, ..)| *at);
        // Those due first stay, and as many leave as fill whole pages.
        let (stay, leave) = waiting.split_at(waiting.len() % WAITING_MAX);
        let mut text = Facts(out);
        stay.iter().for_each(|(at, learned, paid)| text.label(*at, *learned, *paid));
        let page = |labels: &[Waiting]| {
            let mut facts = Facts::default();
            labels.iter().for_each(|(at, learned, paid)| facts.label(*at, *learned, *paid));
            (labels[0].0, facts.into_bytes())
        };
        (text.into_bytes(), leave.chunks(WAITING_MAX).map(page).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    /// Everything that can be.
    const KEPT: Keeps = Keeps::OUTLIERS.and(Keeps::RECENT).and(Keeps::OUTCOMES);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(minutes * 60_000_000)
    }

    fn key(number: u64) -> Key {
        Key::from_raw(NonZeroU64::new(number).expect("a number from 1"))
    }

    /// A busy entity, written down fact by fact; and the same entity, told the same.
    fn told(minutes: i64) -> (Vec<u8>, Entity) {
        let (mut facts, mut entity) = (Facts::default(), Entity::default());
        for minute in 0..minutes {
            let (at, amount) = (at(minute), (minute % 3 > 0).then_some(minute * 100));
            let partner = (1, key(minute.unsigned_abs() % 90 + 1));
            facts.note(at, amount, [partner].into_iter(), KEPT);
            entity.note_payment(at, amount, [partner].into_iter(), KEPT);
            if minute % 4 == 0 {
                facts.failure(at);
                entity.note_failure(at);
            }
        }
        (facts.into_bytes(), entity)
    }

    #[test]
    fn facts_come_to_the_entity_that_was_told_them() {
        let (facts, mut entity) = told(500);
        let mut whole = Written::read(&facts).expect("ours");
        assert_eq!(*whole.at(at(500)), entity);
        let (mut summary, pages) = whole.summary();
        assert!(whole.is_long() && summary.len() < facts.len() && pages.is_empty());
        let mut more = Facts::default();
        more.note(at(501), None, std::iter::empty(), KEPT);
        entity.note_payment(at(501), None, std::iter::empty(), KEPT);
        summary.extend(more.into_bytes());
        let mut read = Written::read(&summary).expect("ours");
        assert!(!read.is_long());
        assert_eq!(*read.at(at(501)), entity, "a summary goes on as if it were none");
    }

    #[test]
    fn labels_wait_in_the_text_or_on_pages_until_they_are_due() {
        for count in [10, 1_000] {
            let mut facts = Facts::default();
            // Not in the order in which they are due.
            for label in 0..count {
                let due = at(1_000 + label * 7 % count);
                let paid = (label % 3 > 0).then_some(Paid { at: at(label), amount: Some(label) });
                facts.label(due, Labels { due: 1, frauds: u32::from(label % 2 == 0) }, paid);
            }
            let mut written = Written::read(&facts.into_bytes()).expect("ours");
            let nothing = written.at(at(999)).clone();
            assert_eq!(nothing, Entity::default());
            let (mut text, mut pages) = written.summary();
            assert!(text.len() < 1_000, "{} bytes for {count} labels", text.len());
            for now in [1_000, 1_003, 1_000 + count] {
                while pages.first().is_some_and(|(wanted, _)| *wanted <= at(now)) {
                    let mut page = pages.remove(0).1;
                    page.push(PAD);
                    text.extend(page);
                }
                let mut read = Written::read(&text).expect("ours");
                assert_eq!(read.at(at(now)), written.at(at(now)), "{count} labels at {now}");
            }
        }
    }

    #[test]
    fn what_is_none_of_ours_does_not_read() {
        let (facts, _) = told(3);
        for bytes in [&b"nonsense"[..], &facts[..facts.len() - 1], &[SUMMARY], &[NOTE, 0, 0]] {
            assert_eq!(Written::read(bytes), Err(Unreadable));
        }
    }
}

//! Where entities are remembered.

use std::{collections::HashMap, hash::BuildHasherDefault, hash::Hasher};

use super::entity::{Entity, LIFE_MICROS};
use crate::{base::Timestamp, fraud::event::Key};

/// Something that remembers entities, or what one round trip brought of them.
pub trait Recall {
    /// What is remembered of an entity.
    fn recall(&self, kind: usize, key: Key) -> Option<&Entity>;
}

/// A million entities take about 300 bytes each in a shop where most come once.
pub const DEFAULT_LIMIT: usize = 1_000_000;

/// Of a full memory this share goes at once: making room costs a look at everything.
const ROOM: usize = 8;

/// The memory of one process: bounded, and lost with it.
#[derive(Debug)]
pub struct InProcess {
    entities: HashMap<(u8, Key), Entity, BuildHasherDefault<Mixed>>,
    limit: usize,
    forgotten: u64,
}

impl InProcess {
    /// An empty memory of at most `limit` entities.
    pub fn new(limit: usize) -> Self {
        Self { entities: HashMap::default(), limit: limit.max(ROOM), forgotten: 0 }
    }

    /// The entity to note something about, made when there is none.
    pub fn entity(&mut self, kind: u8, key: Key, now: Timestamp) -> &mut Entity {
        if self.entities.len() >= self.limit && !self.entities.contains_key(&(kind, key)) {
            self.make_room(now);
        }
        self.entities.entry((kind, key)).or_default()
    }

    /// How many entities were forgotten before their time. Zero means that every feature is exact.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How many entities are remembered.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Forgets what is over; and if that is not enough, what was touched longest ago.
    fn make_room(&mut self, now: Timestamp) {
        let alive = |entity: &Entity| {
            entity.touched().is_some_and(|at| now.micros() - at.micros() <= LIFE_MICROS)
        };
        self.entities.retain(|_, entity| alive(entity));
        let keep = self.limit - self.limit / ROOM;
        if self.entities.len() <= keep {
            return;
        }
        let mut ages: Vec<(Option<Timestamp>, u8, Key)> =
            self.entities.iter().map(|((kind, key), e)| (e.touched(), *kind, *key)).collect();
        let over = ages.len() - keep;
        ages.select_nth_unstable(over - 1);
        for (_, kind, key) in &ages[..over] {
            self.entities.remove(&(*kind, *key));
        }
        self.forgotten += over as u64;
    }
}

impl Recall for InProcess {
    fn recall(&self, kind: usize, key: Key) -> Option<&Entity> {
        self.entities.get(&(u8::try_from(kind).ok()?, key))
    }
}

/// Keys are digests already: another hash over them buys nothing.
#[derive(Debug, Default)]
pub struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, kind: u8) {
        self.0 = self.0.rotate_left(8) ^ u64::from(kind).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    fn key(number: u64) -> Key {
        Key::from_raw(NonZeroU64::new(number).expect("a number from 1"))
    }

    #[test]
    fn a_full_memory_forgets_the_dead_first_and_then_the_oldest() {
        let mut memory = InProcess::new(16);
        let note = |memory: &mut InProcess, number: u64, at: Timestamp| {
            memory.entity(0, key(number), at).note(at, None, std::iter::empty());
        };
        let start = Timestamp::from_micros(0);
        for number in 1..=16 {
            note(&mut memory, number, start);
        }
        let season = Timestamp::from_micros(LIFE_MICROS + 1);
        note(&mut memory, 17, season);
        assert_eq!((memory.len(), memory.forgotten()), (1, 0), "all but one were over");
        for number in 18..=33 {
            note(&mut memory, number, Timestamp::from_micros(season.micros() + number as i64));
        }
        assert_eq!((memory.len(), memory.forgotten()), (15, 2));
        assert!(memory.recall(0, key(17)).is_none() && memory.recall(0, key(33)).is_some());
    }
}

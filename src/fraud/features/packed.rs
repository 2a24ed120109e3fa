//! An entity as bytes, for stores outside of this process. Nothing is rounded and nothing is lost:
//! what is unpacked goes on as if it had never been packed.

use std::num::NonZeroU64;

use super::{
    entity::{Attempts, Entity, Labels, Step},
    payments::Paid,
    window::Window,
};
use crate::{base::Timestamp, fraud::event::Key};

/// Bytes that are none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is remembered of an entity does not read")]
pub struct Unreadable;

/// Stands before an entity whose payments are remembered one by one: they come last. Another begins
/// with whether its first moment is known.
const WITH_PAYMENTS: u8 = 2;

/// Writes values one after the other.
#[derive(Debug, Default)]
pub struct Packer(Vec<u8>);

/// Reads them back in the same order.
#[derive(Debug)]
pub struct Unpacker<'a>(&'a [u8]);

impl Packer {
    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// A number, the shorter the smaller: seven bits a byte, the lowest first (LEB128).
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number that may be below zero: the sign goes to the lowest bit.
    pub fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// A moment.
    pub fn moment(&mut self, at: Timestamp) {
        self.0.extend(at.micros().to_le_bytes());
    }

    /// A moment that may be missing.
    pub fn moment_if(&mut self, at: Option<Timestamp>) {
        self.byte(u8::from(at.is_some()));
        if let Some(at) = at {
            self.moment(at);
        }
    }

    /// A key.
    pub fn key(&mut self, key: Key) {
        self.0.extend(key.raw().to_le_bytes());
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A payment that an outcome is remembered by.
    pub fn paid(&mut self, paid: Paid) {
        self.moment(paid.at);
        self.byte(u8::from(paid.amount.is_some()));
        paid.amount.into_iter().for_each(|amount| self.signed(amount));
    }

    /// An entity.
    pub fn entity(&mut self, entity: &Entity) {
        if entity.payments.is_some() {
            self.byte(WITH_PAYMENTS);
        }
        self.moment_if(entity.first);
        self.moment_if(entity.last);
        self.moment_if(entity.touched);
        self.steps(&entity.attempts, |out, count| {
            out.number(count.count.into());
            out.number(count.failures.into());
            out.number(count.priced.into());
            out.signed(count.sum);
            out.signed(count.max);
        });
        self.steps(&entity.labels, |out, count| {
            out.number(count.due.into());
            out.number(count.frauds.into());
        });
        self.number(entity.partners.len() as u64);
        for (kind, key, seen) in &entity.partners {
            self.byte(*kind);
            self.key(*key);
            self.moment(*seen);
        }
        if let Some(payments) = &entity.payments {
            self.payments(payments);
        }
    }

    fn steps<T>(&mut self, steps: &[Step<T>], count: impl Fn(&mut Self, &T)) {
        self.number(steps.len() as u64);
        for step in steps {
            self.byte(step.window as u8);
            self.signed(step.number);
            count(self, &step.count);
        }
    }
}

impl<'a> Unpacker<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all was read.
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// One byte.
    ///
    /// # Errors
    /// As all of them: when there is no such value here.
    pub fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number.
    ///
    /// # Errors
    /// When there is none.
    pub fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Unreadable);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable)
    }

    /// A number that fits a counter.
    ///
    /// # Errors
    /// When there is none.
    pub fn count(&mut self) -> Result<u32, Unreadable> {
        u32::try_from(self.number()?).map_err(|_| Unreadable)
    }

    /// A number that may be below zero.
    ///
    /// # Errors
    /// When there is none.
    pub fn signed(&mut self) -> Result<i64, Unreadable> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A moment.
    ///
    /// # Errors
    /// When there is none.
    pub fn moment(&mut self) -> Result<Timestamp, Unreadable> {
        Ok(Timestamp::from_micros(i64::from_le_bytes(self.eight()?)))
    }

    /// A moment that may be missing.
    ///
    /// # Errors
    /// When there is neither a moment nor a sign that it is missing.
    pub fn moment_if(&mut self) -> Result<Option<Timestamp>, Unreadable> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.moment().map(Some),
            _ => Err(Unreadable),
        }
    }

    /// A key.
    ///
    /// # Errors
    /// When there is none.
    pub fn key(&mut self) -> Result<Key, Unreadable> {
        let raw = NonZeroU64::new(u64::from_le_bytes(self.eight()?)).ok_or(Unreadable)?;
        Ok(Key::from_raw(raw))
    }

    /// A payment that an outcome is remembered by.
    ///
    /// # Errors
    /// When there is none.
    pub fn paid(&mut self) -> Result<Paid, Unreadable> {
        let at = self.moment()?;
        let amount = match self.byte()? {
            0 => None,
            1 => Some(self.signed()?),
            _ => return Err(Unreadable),
        };
        Ok(Paid { at, amount })
    }

    /// An entity.
    ///
    /// # Errors
    /// When there is none.
    pub fn entity(&mut self) -> Result<Entity, Unreadable> {
        let pays = self.0.first() == Some(&WITH_PAYMENTS);
        if pays {
            self.byte()?;
        }
        let first = self.moment_if()?;
        let last = self.moment_if()?;
        let touched = self.moment_if()?;
        let attempts = self.steps(|from| {
            let (count, failures, priced) = (from.count()?, from.count()?, from.count()?);
            let (sum, max) = (from.signed()?, from.signed()?);
            Ok(Attempts { count, failures, priced, sum, max })
        })?;
        let labels = self.steps(|from| Ok(Labels { due: from.count()?, frauds: from.count()? }))?;
        let partners = self.number()?;
        let partner = |_| Ok((self.byte()?, self.key()?, self.moment()?));
        let partners = (0..partners).map(partner).collect::<Result<_, _>>()?;
        let payments = pays.then(|| self.payments().map(Box::new)).transpose()?;
        Ok(Entity { attempts, labels, partners, first, last, touched, payments })
    }

    fn steps<T>(
        &mut self,
        count: impl Fn(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Vec<Step<T>>, Unreadable> {
        let steps = self.number()?;
        let step = |_| {
            let window = Window::ALL.get(usize::from(self.byte()?)).ok_or(Unreadable)?;
            Ok(Step { window: *window, number: self.signed()?, count: count(self)? })
        };
        (0..steps).map(step).collect()
    }

    fn eight(&mut self) -> Result<[u8; 8], Unreadable> {
        let (eight, rest) = self.0.split_first_chunk().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*eight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::features::payments::{Keeps, OUTCOMES_MOST};

    fn key(number: u64) -> Key {
        Key::from_raw(NonZeroU64::new(number).expect("a number from 1"))
    }

    fn unpacked(bytes: &[u8]) -> Result<Entity, Unreadable> {
        let mut from = Unpacker::new(bytes);
        let entity = from.entity()?;
        if from.is_done() { Ok(entity) } else { Err(Unreadable) }
    }

    fn packed(entity: &Entity) -> Vec<u8> {
        let mut out = Packer::default();
        out.entity(entity);
        out.into_bytes()
    }

    fn busy() -> Entity {
        let mut entity = Entity::default();
        for (minute, amount) in (0..3_000_i64).zip([0, 1, 12_345, i64::MAX, -7].into_iter().cycle())
        {
            let at = Timestamp::from_micros(1_700_000_000_000_000 + minute * 60_000_017);
            let partner = key(minute.unsigned_abs() + 1);
            entity.note(at, Some(amount), [(0, partner), (254, key(u64::MAX))].into_iter());
            entity.note_failure(at);
            entity.note_label(at, Labels { due: 1, frauds: u32::MAX / 4_000 });
        }
        entity
    }

    /// With payments, outliers and outcomes.
    fn paying() -> Entity {
        let mut entity = Entity::default();
        let keeps = Keeps::OUTLIERS.and(Keeps::RECENT).and(Keeps::OUTCOMES);
        for (minute, amount) in (0..200_i64).zip([5, 1, 12, i64::MAX, -7].into_iter().cycle()) {
            let at = Timestamp::from_micros(1_700_000_000_000_000 + minute * 60_000_017);
            entity.note_payment(at, Some(amount), std::iter::empty(), keeps);
            let paid = Paid { at, amount: (minute % 4 > 0).then_some(amount) };
            let learned = Labels { due: 1, frauds: u32::from(minute % 3 == 0) };
            entity.note_outcome(at, learned, Some(paid));
            if minute % 5 == 0 {
                entity.note_outcome(at, Labels::TAKEN_BACK, Some(paid));
            }
        }
        let payments = entity.payments.as_deref().expect("they are kept");
        assert!(!payments.outliers.is_empty() && payments.said.len() == OUTCOMES_MOST);
        entity
    }

    // breaks: `WITH_PAYMENTS` not written, or the amount of an outcome
    #[test]
    fn what_is_packed_is_unpacked() {
        for entity in [Entity::default(), busy(), paying()] {
            assert_eq!(unpacked(&packed(&entity)), Ok(entity));
        }
    }

    #[test]
    fn what_was_cut_or_is_none_of_ours_is_told() {
        for whole in [packed(&busy()), packed(&paying())] {
            for end in 0..whole.len() {
                assert_eq!(unpacked(&whole[..end]), Err(Unreadable), "cut after {end} bytes");
            }
        }
        for bytes in [&b"nonsense"[..], &[0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0; 7]] {
            assert_eq!(unpacked(bytes), Err(Unreadable));
        }
    }

    #[test]
    fn every_number_survives() {
        for number in [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1] {
            let mut out = Packer::default();
            out.signed(number);
            assert_eq!(Unpacker::new(&out.into_bytes()).signed(), Ok(number));
        }
        let over = [0xff; 9].into_iter().chain([2]).collect::<Vec<_>>();
        assert_eq!(Unpacker::new(&over).number(), Err(Unreadable), "66 bits fit nowhere");
    }
}

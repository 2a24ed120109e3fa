//! One attempt to pay, as features see it.

use sha2::{Digest, Sha256};
use std::num::NonZeroU64;

use super::features::payments::Paid;
use crate::base::Timestamp;

/// What stands for a card, an address, a device: 64 bits of SHA-256. Two values share one by
/// chance alone, and nobody can choose a value that shares a given one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(NonZeroU64);

impl Key {
    /// The key of a value, or of several that count together. Nothing, if one of them is missing.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut hash = Sha256::new();
        for part in parts {
            if part.is_empty() {
                return None;
            }
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Some(Self(NonZeroU64::new(u64::from_le_bytes(first)).unwrap_or(NonZeroU64::MIN)))
    }

    /// A key by its number, for tests and for stores that read keys back.
    pub const fn from_raw(raw: NonZeroU64) -> Self {
        Self(raw)
    }

    /// Its number.
    pub const fn raw(self) -> u64 {
        self.0.get()
    }
}

/// An attempt. What is missing is missing, not zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Amount in hundredths of the currency's main unit: whole, so that sums are exact.
    pub amount: Option<i64>,
    /// Who and what took part, one place per entity of the [`Layout`](super::features::Layout).
    pub keys: Box<[Option<Key>]>,
    /// Plain facts, one place per number of the layout; NaN where missing.
    pub numbers: Box<[f32]>,
    /// One instrument in one cart, where known: further attempts of it are retries.
    pub attempt: Option<Key>,
    /// Whether the payment failed. Known only after the features were read.
    pub failed: bool,
}

impl Event {
    /// The payment that its outcome is remembered by.
    pub const fn paid(&self) -> Paid {
        Paid { at: self.at, amount: self.amount }
    }

    /// Its entities, each under the number of its kind. A schema has fewer kinds than 255.
    pub fn entities(&self) -> impl Iterator<Item = (u8, Key)> {
        let numbered = self.keys.iter().enumerate();
        numbered.filter_map(|(kind, key)| Some((u8::try_from(kind).ok()?, (*key)?)))
    }

    /// Those of its entities that are of the kinds with these numbers.
    pub fn partners(&self, kinds: &[usize]) -> impl Iterator<Item = (u8, Key)> {
        kinds.iter().filter_map(|kind| Some((u8::try_from(*kind).ok()?, self.keys[*kind]?)))
    }
}

/// What an attempt turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Whether it was fraud.
    pub fraud: bool,
    /// When that was found out, if sooner or later than the usual delay.
    pub known_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_values_and_their_borders_apart() {
        let key = |parts: &[&str]| Key::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(key(&["a", "bc"]), key(&["a", "bc"]));
        assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
        assert_ne!(key(&["a"]), key(&["b"]));
        assert_eq!(key(&["a", ""]), None);
    }
}

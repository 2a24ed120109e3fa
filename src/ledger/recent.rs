//! A map that forgets what was written longest ago.

use std::{collections::HashMap, hash::Hash};

/// Two generations of entries: when the young one is full it becomes the old one, and what was old
/// is forgotten. So at least `capacity` of the latest entries are remembered and at most twice as
/// many, at the price of one or two look-ups.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.young.get_mut(key) {
            Some(value) => Some(value),
            None => self.old.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_no_more_than_twice_as_many() {
        let mut recent = Recent::new(100);
        for key in 0..1000 {
            recent.insert(key, key);
            let oldest = (key - 99).max(0);
            assert!((oldest..=key).all(|key| recent.get(&key) == Some(&key)), "at {key}");
            assert!((0..1000).filter(|key| recent.get(key).is_some()).count() <= 200);
        }
    }

    #[test]
    fn what_is_written_again_or_removed_has_no_older_self() {
        let mut recent = Recent::new(1);
        recent.insert('a', 1);
        recent.insert('b', 1);
        recent.insert('a', 2);
        assert_eq!(recent.get(&'a'), Some(&2));
        *recent.get_mut(&'b').expect("the generation before") = 3;
        assert_eq!(recent.get(&'b'), Some(&3));
        recent.remove(&'a');
        recent.remove(&'b');
        assert_eq!((recent.get(&'a'), recent.get(&'b')), (None, None));
    }
}

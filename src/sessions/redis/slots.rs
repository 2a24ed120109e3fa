//! Which node of a cluster has a key: hash slots, and what nodes say about them.
//!
//! The terms are those of the Redis Cluster specification: a key's slot is the CRC-16 (XMODEM) of
//! what stands between its first braces, modulo 16,384; a node that does not have a slot answers
//! `MOVED` with the one that has, or `ASK` with the one that is about to.

use std::sync::atomic::{AtomicU16, Ordering};

/// How many slots there are.
const SLOTS: u16 = 16_384;

/// Nobody is known to have the slot.
const UNKNOWN: u16 = u16::MAX;

/// The slot of a key.
pub(super) fn slot_of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let hashed = tag.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(key);
    crc16(hashed.as_bytes()) % SLOTS
}

/// Which of so many equal parts of the slots a key is in.
pub(super) fn part_of(key: &str, parts: usize) -> usize {
    usize::from(slot_of(key)) * parts / usize::from(SLOTS)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

/// Which node has which slot, as far as is known: 32 KiB. Nodes are numbers here. What is written
/// at the same moment by two callers ends as either of them, and a wrong owner says so itself.
pub(super) struct Slots(Box<[AtomicU16]>);

impl Slots {
    /// Nothing is known.
    pub(super) fn unknown() -> Self {
        Self((0..SLOTS).map(|_| AtomicU16::new(UNKNOWN)).collect())
    }

    /// The node that has a slot.
    pub(super) fn owner(&self, slot: u16) -> Option<u16> {
        let owner = self.0[usize::from(slot % SLOTS)].load(Ordering::Relaxed);
        (owner != UNKNOWN).then_some(owner)
    }

    /// A node has this slot.
    pub(super) fn learn(&self, slot: u16, node: u16) {
        let known = &self.0[usize::from(slot % SLOTS)];
        // Nearly always known already: reading leaves the other cores' copies of the line alone.
        if known.load(Ordering::Relaxed) != node {
            known.store(node, Ordering::Relaxed);
        }
    }

    /// A node is not to be trusted with anything: others shall say who has its slots now.
    pub(super) fn forget(&self, node: u16) {
        for known in &self.0 {
            let gone = (node, UNKNOWN, Ordering::Relaxed, Ordering::Relaxed);
            let _kept = known.compare_exchange(gone.0, gone.1, gone.2, gone.3);
        }
    }

    /// Every node that has slots, once.
    pub(super) fn owners(&self) -> Vec<u16> {
        let mut owners: Vec<_> = (0..SLOTS).filter_map(|slot| self.owner(slot)).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

/// Where a node sends somebody: `3999 127.0.0.1:6381`. A node that does not know its own name (it
/// leaves the host empty, or writes `?`) means itself by it.
pub(super) fn node_named(redirect: &str, by: &str) -> Option<String> {
    let address = redirect.split_ascii_whitespace().last()?;
    let (host, port) = address.rsplit_once(':')?;
    let _number: u16 = port.parse().ok()?;
    let host = match host {
        "" | "?" => by.rsplit_once(':')?.0.to_owned(),
        bare if bare.contains(':') && !bare.starts_with('[') => format!("[{bare}]"),
        host => host.to_owned(),
    };
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_the_ones_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, slot) in [("foo", 12_182), ("bar", 5_061), ("{foo}pattern", 12_182)] {
            assert_eq!(slot_of(key), slot, "{key}");
        }
        assert_eq!(slot_of("foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS, "an empty tag is none");
        assert_eq!(slot_of("foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
    }

    #[test]
    fn what_a_forgotten_node_had_is_unknown_and_the_rest_is_not() {
        let slots = Slots::unknown();
        assert_eq!(slots.owner(3), None);
        for (slot, node) in [(3, 1), (4, 2), (16_383, 1)] {
            slots.learn(slot, node);
        }
        slots.learn(3, 2);
        assert_eq!(slots.owners(), [1, 2]);
        slots.forget(1);
        let known = [3, 4, 16_383].map(|slot| slots.owner(slot));
        assert_eq!(known, [Some(2), Some(2), None]);
    }

    #[test]
    fn a_redirect_names_a_node() {
        for (redirect, named) in [
            ("3999 127.0.0.1:6381", Some("127.0.0.1:6381")),
            ("3999 shop-redis-2.internal:6381", Some("shop-redis-2.internal:6381")),
            ("3999 ::1:6381", Some("[::1]:6381")),
            ("3999 :6381", Some("home:6381")),
            ("3999 ?:6381", Some("home:6381")),
            ("3999 nonsense", None),
            ("", None),
        ] {
            assert_eq!(node_named(redirect, "home:1").as_deref(), named, "{redirect}");
        }
    }
}

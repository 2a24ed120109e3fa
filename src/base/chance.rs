//! Randomness as an argument, so that a seed reproduces any test.

use rand::{RngCore, SeedableRng, rngs::StdRng};
use std::sync::{Mutex, PoisonError};

/// A source of randomness.
pub trait Chance: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A number from 0 up to, not including, `below`; 0 when `below` is 0.
    fn below(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
    }
}

/// The thread's cryptographic generator, seeded by the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is where ambient chance enters")]
        rand::rng().fill_bytes(bytes);
    }
}

/// The same bytes for the same seed.
#[derive(Debug)]
pub struct SeededChance(Mutex<StdRng>);

impl SeededChance {
    /// A generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

//! Features of the past while serving: what is remembered of the cards, addresses and devices of an
//! attempt, read and updated in one step.
//!
//! ```text
//!  attempts of one turn ─► Velocity::pass ─► Recalled, one for each ─► Layout::compute ─► features
//!                           ├─ InProcessVelocity   the engine that trained, under a lock
//!                           └─ RedisVelocity       one round trip; every replica sees the same
//!  failures, labels ──────► Velocity::failed, learn, found_out
//! ```
//! **Owns:** the door to that memory, and its two homes. **Invariant:** the same attempts, failures
//! and labels in the same order give the features that [`Engine::pass`] gave while training, bit by
//! bit, wherever they are remembered and however many replicas wrote them down.
//! **Not here:** what counts as a retry: the cart knows its own.
//!
//! [`Engine::pass`]: super::features::Engine::pass

pub mod in_process;
pub mod redis;
pub mod written;

use async_trait::async_trait;

pub use self::redis::{RedisVelocity, VelocityLimits};
pub use in_process::InProcessVelocity;

use super::{
    event::{Event, Key, Label},
    features::{Entity, Recall},
};
use crate::base::Timestamp;

/// One attempt on its way through velocity.
#[derive(Debug, Clone, PartialEq)]
pub struct Passing {
    /// The attempt.
    pub event: Event,
    /// Whether it counts. A retry does not, of the same instrument in the same cart within
    /// [`RETRY_MICROS`](super::features::engine::RETRY_MICROS): it reads, and leaves no trace.
    pub counts: bool,
}

/// What was remembered of the entities of one event before it.
#[derive(Debug, Clone, Default)]
pub struct Recalled {
    entities: Vec<(u8, Key, Entity)>,
}

impl Recall for Recalled {
    fn recall(&self, kind: usize, key: Key) -> Option<&Entity> {
        let mut entities = self.entities.iter();
        let same = |(of, its, _): &&(u8, Key, Entity)| usize::from(*of) == kind && *its == key;
        entities.find(same).map(|(_, _, entity)| entity)
    }
}

/// The memory could not be asked or told, or not in time. Whether it took note is not known.
/// Features without it are degraded, and whoever decides has to be stricter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("velocity is unavailable: {0}")]
pub struct VelocityFault(pub String);

/// Remembers attempts by their entities.
#[async_trait]
pub trait Velocity: Send + Sync + 'static {
    /// Reads what is remembered and notes each attempt that counts, in order, in one round trip
    /// for the whole batch. An event sees those before it in the batch. After a fault nothing may
    /// be asked again: part of it may be noted.
    async fn pass(&self, batch: &[Passing]) -> Result<Vec<Recalled>, VelocityFault>;

    /// Notes that attempts that counted have failed since.
    async fn failed(&self, events: &[Event]) -> Result<(), VelocityFault>;

    /// Takes an attempt's label, once for each attempt. It is due after the layout's delay; fraud
    /// is known as such from `label.known_at` on, or from now, and not before the delay either.
    async fn learn(&self, event: &Event, label: Label, now: Timestamp)
    -> Result<(), VelocityFault>;

    /// An attempt that was learned of as good turns out to be fraud. Learning first "good", then
    /// this, comes to the same as learning at once "fraud, known at this moment".
    async fn found_out(&self, event: &Event, at: Timestamp) -> Result<(), VelocityFault>;

    /// An attempt that was fraud by what was found out at a moment is none after all: it is no
    /// longer counted as one, from now on.
    async fn taken_back(
        &self,
        event: &Event,
        found_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), VelocityFault>;

    /// Whether it answered when it was last asked. Asks nobody.
    fn is_up(&self) -> bool;

    /// Whether it is known to remember everything it was told. Asks nobody.
    fn is_whole(&self) -> bool {
        true
    }
}

/// Fraud that is learned of now was not known before.
fn known_by(label: Label, now: Timestamp) -> Label {
    Label { known_at: label.known_at.or(Some(now)), ..label }
}

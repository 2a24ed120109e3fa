//! What is remembered for one set of features: in this process, and where replicas share it.

use futures_util::future::OptionFuture;
use std::{fmt, sync::Arc};
use tokio::sync::Mutex;

use super::{
    event::{Event, Label},
    feature_set::FeatureSet,
    learning::Place,
    velocity::{InProcessVelocity, Passing, Recalled, RedisVelocity, Velocity, VelocityFault},
};
use crate::base::Timestamp;

/// What is remembered for one set of features.
pub struct Memory {
    /// The features. Others that remember the same are served, too.
    pub set: Arc<FeatureSet>,
    /// What this process remembers: all there is without Redis, and what is left when Redis is
    /// gone.
    pub local: InProcessVelocity,
    /// What all replicas remember together.
    pub shared: Option<Arc<dyn Velocity>>,
    /// The same, where it is tended.
    pub redis: Option<Redis>,
    /// Since when attempts are told to it: those of before are told from the ledger.
    pub began: Timestamp,
    /// How far labels were learned, where this process has a memory of its own.
    pub learned: Mutex<Option<Place>>,
}

/// A memory in Redis that somebody has to tend.
#[derive(Clone)]
pub struct Redis {
    /// As payments ask it.
    pub shared: Arc<RedisVelocity>,
    /// With the patience of somebody nobody waits for.
    pub writer: Arc<RedisVelocity>,
}

/// What was remembered of a batch of attempts.
#[derive(Debug, Clone, Default)]
pub struct Recollection {
    /// One for each attempt.
    pub recalled: Vec<Recalled>,
    /// Whether that is all there is to remember; if not, it is what this process knows.
    pub is_whole: bool,
}

impl Memory {
    /// A memory of this process, and one that replicas share where there is one.
    pub fn new(
        set: Arc<FeatureSet>,
        local: InProcessVelocity,
        shared: Option<Arc<dyn Velocity>>,
        began: Timestamp,
    ) -> Self {
        Self { set, local, shared, redis: None, began, learned: Mutex::default() }
    }

    /// The same with a Redis that is tended.
    #[must_use]
    pub fn with_redis(self, redis: Redis) -> Self {
        Self { shared: Some(redis.shared.clone()), redis: Some(redis), ..self }
    }

    /// The name of what is remembered.
    pub fn name(&self) -> &str {
        &self.set.memory
    }

    /// Whether it is known to remember everything.
    pub fn is_whole(&self) -> bool {
        match &self.shared {
            Some(shared) => shared.is_whole(),
            None => self.local.is_whole(),
        }
    }

    /// Recalls and notes attempts, in one round trip where replicas share the memory. They are
    /// noted here in any case, so that something is known when the others are not to be reached.
    pub async fn pass(&self, batch: &[Passing]) -> Recollection {
        let asked = self.shared.as_ref().map(|shared| shared.pass(batch));
        let asked = OptionFuture::from(asked).await;
        let local = self.pass_here(batch);
        match asked {
            Some(Ok(recalled)) if recalled.len() == batch.len() => {
                Recollection { recalled, is_whole: true }
            }
            Some(_) => Recollection { is_whole: false, ..local },
            None => local,
        }
    }

    /// The same in this process, and in the same turn.
    pub fn pass_here(&self, batch: &[Passing]) -> Recollection {
        match self.local.pass_if_whole(batch) {
            Some(recalled) => Recollection { recalled, is_whole: true },
            None => {
                let recalled = vec![Recalled::default(); batch.len()];
                Recollection { recalled, is_whole: false }
            }
        }
    }

    /// Learns of an order whose delay is over, where replicas remember.
    ///
    /// # Errors
    /// When what they share cannot be reached.
    pub async fn learn(
        &self,
        event: &Event,
        label: Label,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.learn(event, label, now).await,
            None => self.local.learn(event, label, now).await,
        }
    }

    /// An order that was learned of as good turns out to be fraud.
    ///
    /// # Errors
    /// See [`Self::learn`].
    pub async fn found_out(&self, event: &Event, at: Timestamp) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.found_out(event, at).await,
            None => self.local.found_out(event, at).await,
        }
    }

    /// An order that was fraud by what was found out at a moment is none after all.
    ///
    /// # Errors
    /// See [`Self::learn`].
    pub async fn taken_back(
        &self,
        event: &Event,
        found_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        match &self.shared {
            Some(shared) => shared.taken_back(event, found_at, now).await,
            None => self.local.taken_back(event, found_at, now).await,
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({})", self.name())
    }
}

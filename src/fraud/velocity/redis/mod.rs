//! Velocity in Redis, where every replica sees the same: on one server or on a cluster.
//!
//! One round trip per batch and server, one script for many entities; on a cluster, for one. What
//! is written down, and why nothing is lost when replicas meet, see [`written`](super::written).
//! Summaries that a batch finds worth writing travel with the next.
//!
//! Redis may vanish at any time. Nobody waits longer than fifty milliseconds for it, and after a
//! failure nobody asks for a second: features are degraded then, and decisions stricter. It may as
//! well come back empty: a [`space`] has marks by which that is seen.

mod batch;
mod scripts;
mod space;
mod tended;

use async_trait::async_trait;
use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::Instant;

use self::{
    batch::{Summing, Wanted},
    scripts::{Call, Scripts, brought},
    space::Trust,
    tended::Standing,
};
use super::{Passing, Recalled, Velocity, VelocityFault, known_by};
use crate::{
    base::{Clock, Timestamp},
    fraud::{
        event::{Event, Label},
        features::Layout,
    },
    sessions::redis::home::{Home, NodeFault, Patience, told},
};

/// Summaries that wait for the next batch at most. Those beyond come up again with the next reader.
const SUMMING_MAX: usize = 64;

/// How long Redis is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VelocityLimits {
    /// How long a batch waits, connecting included: its budget within the step's deadline, of which
    /// it leaves the other half to whoever waited for the batch before. Where processors are
    /// scarce a Redis next door takes ten milliseconds and more, and an order that is reviewed for
    /// that costs more than the wait.
    pub wait: Duration,
    /// How long nobody asks a server after it failed.
    pub pause: Duration,
    /// Late answers in a row that are no failure of the server yet. Threads ask at once, two trips
    /// each, and all are late together when the machine stalls for a moment.
    pub late_max: u32,
}

impl Default for VelocityLimits {
    fn default() -> Self {
        Self { wait: Duration::from_millis(50), pause: Duration::from_secs(1), late_max: 16 }
    }
}

/// Entities in Redis.
pub struct RedisVelocity {
    home: Home,
    scripts: Scripts,
    layout: Arc<Layout>,
    wanted: Wanted,
    summing: Mutex<Vec<Summing>>,
    standing: RwLock<Standing>,
    limits: VelocityLimits,
}

impl RedisVelocity {
    /// Entities in the Redis at `url`. Connects on first use, so that it may be down now.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn new(
        url: &str,
        layout: Arc<Layout>,
        limits: VelocityLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, VelocityFault> {
        let VelocityLimits { wait, pause, late_max } = limits;
        let home = Home::new(url, Patience { wait, pause, late_max }, clock);
        let (wanted, summing) = (Wanted::by(&layout), Mutex::default());
        let home = home.map_err(VelocityFault)?;
        let standing = RwLock::new(Standing::untended(&wanted.memory, "", &home));
        Ok(Self { home, scripts: Scripts::new(), layout, wanted, summing, standing, limits })
    }

    /// Asks whether Redis lives and is what its address says.
    ///
    /// # Errors
    /// In words, with a way out where the configuration is to blame.
    pub async fn ping(&self) -> Result<(), VelocityFault> {
        self.home.ping(self.patience()).await.map_err(VelocityFault)
    }

    /// Facts that nobody waits for.
    async fn note(&self, facts: Vec<(String, Vec<u8>)>) -> Result<(), VelocityFault> {
        let calls: Vec<Call> =
            facts.into_iter().map(|(place, facts)| Call::note(place, facts)).collect();
        if calls.is_empty() {
            return Ok(());
        }
        let answers = self.scripts.run(&self.home, &calls, Vec::new(), self.patience()).await;
        for answer in answers.map_err(|fault| said(&fault))? {
            answer.map_err(|error| said(&NodeFault::Answered(error)))?;
        }
        Ok(())
    }

    fn wait_to_sum(&self, more: Vec<Summing>) {
        let mut summing = self.summing.lock().unwrap_or_else(PoisonError::into_inner);
        summing.extend(more);
        summing.truncate(SUMMING_MAX);
    }

    fn patience(&self) -> Instant {
        Instant::now() + self.limits.wait
    }
}

fn said(fault: &NodeFault) -> VelocityFault {
    VelocityFault(told(fault))
}

#[async_trait]
impl Velocity for RedisVelocity {
    async fn pass(&self, batch: &[Passing]) -> Result<Vec<Recalled>, VelocityFault> {
        let until = self.patience();
        let standing = self.standing()?;
        let shares = self.wanted.shares(&standing.space, batch);
        let summing =
            std::mem::take(&mut *self.summing.lock().unwrap_or_else(PoisonError::into_inner));
        // Summaries first: a share of the same entity shall find it short.
        let first = summing.len();
        let mut calls: Vec<Call> = summing.into_iter().map(Call::sum).collect();
        calls.extend(shares.iter().map(Call::pass));
        if calls.is_empty() {
            return Ok(vec![Recalled::default(); batch.len()]);
        }
        // Behind the questions, so that whoever was emptied before them is found out.
        let marks = match standing.trust {
            Trust::Untended => Vec::new(),
            _ => standing.space.asked(shares.iter().map(|share| &*share.place), &self.home),
        };
        let answers = self.scripts.run(&self.home, &calls, marks, until).await;
        let mut answers = answers.map_err(|fault| said(&fault))?;
        self.are_there(&standing, answers.split_off(calls.len()))?;
        // A summary that did not come about is nobody's loss.
        let answers = answers.into_iter().skip(first);
        let mut seen = vec![Recalled::default(); batch.len()];
        let (mut more, mut fault) = (Vec::new(), None);
        for (share, answer) in shares.into_iter().zip(answers) {
            match brought(answer) {
                Ok(before) => match share.tell(before, batch, &mut seen) {
                    Ok(worth) => more.extend(worth),
                    Err(unreadable) => {
                        fault =
                            Some(VelocityFault(format!("{} is none of ours", unreadable.place)));
                        more.push(unreadable);
                    }
                },
                Err(error) => fault = Some(said(&NodeFault::Answered(error))),
            }
        }
        self.wait_to_sum(more);
        fault.map_or(Ok(seen), Err)
    }

    async fn failed(&self, events: &[Event]) -> Result<(), VelocityFault> {
        self.note(self.wanted.failures(&self.standing()?.space, events)).await
    }

    async fn learn(
        &self,
        event: &Event,
        label: Label,
        now: Timestamp,
    ) -> Result<(), VelocityFault> {
        let dues = self.layout.dues(event, known_by(label, now));
        self.note(self.wanted.labels(&self.standing()?.space, event, &dues)).await
    }

    async fn found_out(&self, event: &Event, at: Timestamp) -> Result<(), VelocityFault> {
        let found = self.layout.found_out(event, at);
        self.note(self.wanted.labels(&self.standing()?.space, event, &[found])).await
    }

    async fn taken_back(
        &self,
        event: &Event,
        found_at: Timestamp,
        _now: Timestamp,
    ) -> Result<(), VelocityFault> {
        let back = self.layout.taken_back(event, found_at);
        self.note(self.wanted.labels(&self.standing()?.space, event, &[back])).await
    }

    fn is_up(&self) -> bool {
        self.home.is_up()
    }

    fn is_whole(&self) -> bool {
        self.standing().is_ok()
    }
}

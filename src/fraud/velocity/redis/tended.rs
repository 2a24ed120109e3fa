//! A memory that somebody tends: believed while its marks are there, and only then.

use redis::{RedisResult, Value};
use std::sync::{Arc, PoisonError};

use super::{
    RedisVelocity, said,
    space::{Space, Trust},
};
use crate::{
    fraud::velocity::VelocityFault,
    sessions::redis::home::{Home, NodeFault},
};

/// Which memory is in use, and whether it is believed.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) space: Arc<Space>,
    epoch: Arc<str>,
    pub(super) trust: Trust,
}

impl Standing {
    /// A memory that nobody tends.
    pub(super) fn untended(memory: &str, epoch: &str, home: &Home) -> Self {
        let space = Arc::new(Space::new(memory, epoch, home));
        Self { space, epoch: epoch.into(), trust: Trust::Untended }
    }
}

impl RedisVelocity {
    /// The same, tended: nothing is believed before [`enter`](Self::enter) says that it is whole.
    #[must_use]
    pub fn tended(self) -> Self {
        self.change(|standing| standing.trust = Trust::Building);
        self
    }

    /// The name of what is remembered: layouts that remember the same share it.
    pub fn memory(&self) -> &str {
        &self.wanted.memory
    }

    /// From now on this epoch of the memory is in use, and believed when it is whole. One that was
    /// found to be lost stays lost.
    pub fn enter(&self, epoch: &str, whole: bool) {
        let trust = if whole { Trust::Whole } else { Trust::Building };
        let space = || Arc::new(Space::new(&self.wanted.memory, epoch, &self.home));
        self.change(|standing| {
            if &*standing.epoch != epoch {
                // Summaries of another memory are nobody's business any more.
                self.summing.lock().unwrap_or_else(PoisonError::into_inner).clear();
                *standing = Standing { space: space(), epoch: epoch.into(), trust };
            } else if standing.trust != Trust::Lost {
                standing.trust = trust;
            }
        });
    }

    /// From now on this epoch is written and nobody asks whether it is whole: it is being built.
    pub fn build(&self, epoch: &str) {
        let standing = Standing::untended(&self.wanted.memory, epoch, &self.home);
        self.change(|now| *now = standing);
    }

    /// Whether this epoch is in use here and was found to be lost.
    pub fn has_lost(&self, epoch: &str) -> bool {
        let standing = self.now();
        standing.trust == Trust::Lost && &*standing.epoch == epoch
    }

    /// Whether all marks of an epoch are there.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn holds(&self, epoch: &str) -> Result<bool, VelocityFault> {
        let space = Space::new(&self.wanted.memory, epoch, &self.home);
        let answers = self.home.ask_each(&space.asked_all(), self.patience()).await;
        all_there(answers.map_err(|fault| said(&fault))?)
    }

    /// Writes the marks of the epoch that is in use: all of it is there.
    ///
    /// # Errors
    /// When Redis cannot be told.
    pub async fn mark(&self) -> Result<(), VelocityFault> {
        let marking = self.now().space.marking();
        let answers = self.home.ask_each(&marking, self.patience()).await;
        for answer in answers.map_err(|fault| said(&fault))? {
            answer.map_err(|error| said(&NodeFault::Answered(error)))?;
        }
        Ok(())
    }

    /// The memory in use, if it is believed.
    pub(super) fn standing(&self) -> Result<Standing, VelocityFault> {
        let standing = self.now();
        match standing.trust {
            Trust::Untended | Trust::Whole => Ok(standing),
            Trust::Building => Err(VelocityFault("its memory is being built".to_owned())),
            Trust::Lost => Err(VelocityFault(LOST.to_owned())),
        }
    }

    /// Takes note of what was answered about marks.
    pub(super) fn are_there(
        &self,
        standing: &Standing,
        marks: Vec<RedisResult<Value>>,
    ) -> Result<(), VelocityFault> {
        if all_there(marks)? {
            return Ok(());
        }
        self.change(|now| {
            if now.epoch == standing.epoch && now.trust != Trust::Lost {
                now.trust = Trust::Lost;
                tracing::warn!(
                    "Redis has lost its memory of past payments; until it is built again from \
                     the ledger, each process goes by what it saw itself, and is stricter"
                );
            }
        });
        Err(VelocityFault(LOST.to_owned()))
    }

    fn now(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.standing.write().unwrap_or_else(PoisonError::into_inner));
    }
}

const LOST: &str = "it has lost its memory";

fn all_there(marks: Vec<RedisResult<Value>>) -> Result<bool, VelocityFault> {
    for mark in marks {
        match mark.map_err(|error| said(&NodeFault::Answered(error)))? {
            Value::Int(1) => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

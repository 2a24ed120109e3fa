//! This process's lifetime as a holder of grants: registered, kept alive, fenced, ended.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::registry::Stock;
use crate::{
    base::{Chance, Clock, HolderId},
    ledger::{LedgerFault, Store},
};

/// A holder this long without a heartbeat is fenced: its units are back on sale within seconds, and
/// a paused process loses only its grants.
const STALE: Duration = Duration::from_secs(4);

/// A lifetime. A process that finds itself fenced begins another one.
pub struct Holder {
    id: Mutex<HolderId>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// The process's name, for people.
    label: String,
}

impl Holder {
    /// Registers a fresh lifetime of the process that people call `label`.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn register(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        label: String,
    ) -> Result<Arc<Self>, LedgerFault> {
        let now = clock.now();
        let id = HolderId::new(now, &*chance);
        store.register_holder(id, &label, now).await?;
        tracing::info!(holder.id = %id, replica.label = label, "registered as a holder of grants");
        Ok(Arc::new(Self { id: Mutex::new(id), store, clock, chance, label }))
    }

    /// The lifetime that stands.
    pub fn id(&self) -> HolderId {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this process lives, and fences those that have stopped saying so. One that finds
    /// itself fenced begins a new lifetime: heartbeats revive nobody.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next beat tries again.
    pub async fn beat(&self, stock: &Stock) -> Result<(), LedgerFault> {
        let now = self.clock.now();
        if !self.store.heartbeat(self.id(), now).await? {
            let fresh = HolderId::new(now, &*self.chance);
            self.store.register_holder(fresh, &self.label, now).await?;
            *self.id.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
            stock.become_holder(fresh);
            tracing::warn!(holder.id = %fresh, "was fenced; goes on as a new holder");
        }
        let stale_before = now.minus(STALE);
        for holder in self.store.list_stale_holders(stale_before).await? {
            let closed = self.store.fence(holder, stale_before, now).await?;
            let grants = closed.len();
            tracing::warn!(holder.id = %holder, grants, "fenced a holder that stopped beating");
        }
        Ok(())
    }

    /// Ends this lifetime: its unused units are back on sale at once.
    pub async fn leave(&self, stock: &Stock) {
        let now = self.clock.now();
        let ended = self.store.fence(self.id(), now.plus(STALE), now).await;
        match ended {
            Ok(closed) => tracing::info!(grants = closed.len(), "gave the grants back"),
            Err(fault) => {
                tracing::warn!(%fault, "the grants are given back when this holder is fenced")
            }
        }
        stock.retire_idle(Duration::ZERO).await;
    }
}

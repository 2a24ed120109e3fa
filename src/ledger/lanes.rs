//! Connections, and who may use them for how long.
//!
//! A lane is one connection in one hand. It goes back on the shelf only when its work ended well;
//! in every other case (a deadline, a broken line, a caller that went away in the middle) it is
//! dropped, so that nobody inherits a half-read answer or an open transaction, and a dead network
//! cannot hold a slot for ever.

use futures_util::future::BoxFuture;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::store::{LedgerFault, PoolReading};

/// How a connection is opened.
pub(super) type Open<C> = Box<dyn Fn() -> BoxFuture<'static, Result<C, LedgerFault>> + Send + Sync>;

/// A fixed number of connections, opened when first needed.
pub(super) struct Lanes<C> {
    open: Open<C>,
    shelf: Mutex<Vec<C>>,
    free: Arc<Semaphore>,
    patience: Duration,
    count: usize,
}

impl<C> fmt::Debug for Lanes<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("free", &self.free).finish_non_exhaustive()
    }
}

/// One connection in use.
#[derive(Debug)]
pub(super) struct Lane<C> {
    conn: Option<C>,
    lanes: Arc<Lanes<C>>,
    /// Whether it was opened for this use rather than found on the shelf.
    pub(super) fresh: bool,
    _slot: OwnedSemaphorePermit,
}

impl<C> Lanes<C> {
    /// So many lanes; nobody waits longer than `patience` for one, or for its connection.
    pub(super) fn new(count: usize, patience: Duration, open: Open<C>) -> Self {
        let shelf = Mutex::new(Vec::with_capacity(count));
        Self { open, shelf, free: Arc::new(Semaphore::new(count)), patience, count }
    }

    /// Waits for a lane and opens its connection when none lies ready.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lane<C>, LedgerFault> {
        let slot = tokio::time::timeout(self.patience, self.free.clone().acquire_owned())
            .await
            .map_err(|_| unreachable("every connection is busy"))?
            .map_err(|_| unreachable("the ledger is closed"))?;
        let found = self.shelf().pop();
        let fresh = found.is_none();
        let conn = match found {
            Some(conn) => conn,
            None => tokio::time::timeout(self.patience, (self.open)())
                .await
                .map_err(|_| unreachable("the server does not answer"))??,
        };
        Ok(Lane { conn: Some(conn), lanes: self.clone(), fresh, _slot: slot })
    }

    /// Drops every connection that lies ready: when one broke, the server went away under all.
    pub(super) fn sweep(&self) {
        self.shelf().clear();
    }

    /// How many connections work and how many lie ready.
    pub(super) fn reading(&self) -> PoolReading {
        let busy = self.count.saturating_sub(self.free.available_permits());
        PoolReading { busy, idle: self.shelf().len() }
    }

    /// Lets nobody in any more and hands out what lies ready, to be closed.
    pub(super) fn close(&self) -> Vec<C> {
        self.free.close();
        std::mem::take(&mut *self.shelf())
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Vec<C>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Lane<C> {
    /// The connection.
    pub(super) const fn conn(&mut self) -> &mut C {
        self.conn.as_mut().expect("invariant: a lane has its connection until it is kept")
    }

    /// Puts the connection back on the shelf: its work ended well.
    pub(super) fn keep(mut self) {
        if let Some(conn) = self.conn.take().filter(|_| !self.lanes.free.is_closed()) {
            self.lanes.shelf().push(conn);
        }
    }
}

fn unreachable(why: &str) -> LedgerFault {
    LedgerFault::Unreachable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn counted(count: usize) -> (Arc<Lanes<u32>>, Arc<AtomicU32>) {
        let opened = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&opened);
        let open: Open<u32> = Box::new(move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { Ok(number) })
        });
        (Arc::new(Lanes::new(count, Duration::from_millis(20), open)), opened)
    }

    #[tokio::test]
    async fn only_a_kept_connection_is_used_again() {
        let (lanes, opened) = counted(1);
        lanes.take().await.expect("free").keep();
        drop(lanes.take().await.expect("free"));
        assert_eq!(opened.load(Ordering::SeqCst), 1, "the kept one was used again");
        let lane = lanes.take().await.expect("dropping gave the slot back");
        assert!(lane.fresh, "the dropped one was replaced");
        assert!(lanes.take().await.is_err(), "there is one lane");
    }

    #[tokio::test]
    async fn a_closed_shelf_takes_nothing_back() {
        let (lanes, _) = counted(2);
        let lane = lanes.take().await.expect("free");
        lanes.take().await.expect("free").keep();
        assert_eq!(lanes.close().len(), 1);
        lane.keep();
        assert!(lanes.close().is_empty());
        assert!(lanes.take().await.is_err());
    }
}

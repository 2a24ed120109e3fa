//! How long the units of a dead replica are out of reach.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::ledger;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// After this long nobody looks any more: they are lost.
const LOST: Duration = Duration::from_secs(60);

/// The units one kill left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranded {
    /// How many.
    pub units: i64,
    /// How long it took until they were back on sale.
    pub took: Duration,
    /// Whether PostgreSQL was away meanwhile.
    pub disturbed: bool,
}

/// Everything that is watched.
#[derive(Debug, Clone)]
pub struct Watch {
    runtime: Handle,
    url: String,
    seen: Arc<Mutex<Vec<Stranded>>>,
    watching: Arc<()>,
}

impl Watch {
    /// Watches this ledger.
    pub fn on(runtime: &Handle, url: &str) -> Self {
        Self {
            runtime: runtime.clone(),
            url: url.to_owned(),
            seen: Arc::default(),
            watching: Arc::default(),
        }
    }

    /// Watches what the dead lifetimes of a replica left behind, until it is back on sale.
    pub fn begin(&self, dead: Vec<Uuid>, since: Instant) {
        let watch = self.clone();
        self.runtime.spawn(async move {
            let (mut units, mut disturbed) = (0, false);
            let mut client = None;
            while since.elapsed() < LOST {
                let left = match &client {
                    Some(client) => ledger::stranded(client, &dead).await,
                    None => match ledger::connect(&watch.url).await {
                        Ok(fresh) => ledger::stranded(client.insert(fresh), &dead).await,
                        Err(fault) => Err(fault),
                    },
                };
                match left {
                    Ok(0) => break,
                    Ok(left) => units = units.max(left),
                    Err(_) => {
                        client = None;
                        disturbed = true;
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
            if units > 0 {
                let stranded = Stranded { units, took: since.elapsed(), disturbed };
                watch.seen.lock().unwrap_or_else(PoisonError::into_inner).push(stranded);
            }
        });
    }

    /// Waits until everything is back, and tells.
    pub fn end(self) -> Vec<Stranded> {
        while Arc::strong_count(&self.watching) > 1 {
            std::thread::sleep(LOOK);
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

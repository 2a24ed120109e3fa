//! Keeps what serves as the registry says, while payments are judged.

use std::sync::Arc;
use tokio::sync::Mutex;

use super::{ModelState, Models, ModelsRefused};
use crate::{
    fraud::{
        bench::Bench,
        serving::{Serving, Versioned},
    },
    ledger::LedgerFault,
};

/// Follows the registry.
pub struct Follower {
    models: Arc<Models>,
    bench: Arc<Bench>,
    /// The model that the configuration names: it scores when no registered one is live.
    configured: Option<Versioned>,
    /// The change that is in force here. One look at a time.
    seen: Mutex<u64>,
}

impl Follower {
    /// Follows from now on; what this bench serves is what the configuration names.
    pub fn new(models: Arc<Models>, bench: Arc<Bench>) -> Self {
        let configured = bench.serving().live().cloned();
        Self { models, bench, configured, seen: Mutex::default() }
    }

    /// Puts in force what was changed, here or elsewhere. Whether anything was. One cheap question
    /// when nothing changed. A model that cannot be served is told in the log, and the one before
    /// it stays.
    ///
    /// # Errors
    /// When the ledger cannot be reached; what serves stays.
    pub async fn follow(&self) -> Result<bool, LedgerFault> {
        let mut seen = self.seen.lock().await;
        let number = self.models.number().await?;
        if number == *seen {
            return Ok(false);
        }
        let rows = self.models.list().await?;
        let serving = self.bench.serving();
        let wanted = |state| rows.iter().find(|row| row.state == state);
        let load = |state| wanted(state).map(|row| self.models.read(row, &serving)).transpose();
        match serves(&serving, load(ModelState::Live), load(ModelState::Shadow), &self.configured) {
            Ok(next) => {
                let (live, challenger) = (next.version(), next.challenger());
                tracing::info!(live, challenger, "the fraud models changed");
                self.bench.serve(next);
            }
            Err(refused) => {
                tracing::error!(%refused, "the fraud models stay as they were: {refused}");
            }
        }
        *seen = number;
        Ok(true)
    }
}

fn serves(
    serving: &Serving,
    live: Result<Option<Versioned>, ModelsRefused>,
    challenger: Result<Option<Versioned>, ModelsRefused>,
    configured: &Option<Versioned>,
) -> Result<Serving, ModelsRefused> {
    let live = live?.or_else(|| configured.clone());
    let name = live.as_ref().map_or_else(String::new, |live| live.version.clone());
    let other = |_| ModelsRefused::OtherFeatures(name.clone());
    let next = serving.clone().with_live(live).map_err(other)?;
    next.with_challenger(challenger?).map_err(other)
}

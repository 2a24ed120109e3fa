//! Keeps what serves as the registry says, while payments are judged.

use std::sync::Arc;
use tokio::sync::Mutex;

use super::{ModelRow, ModelState, Models, ModelsRefused};
use crate::{
    fraud::{
        bench::Bench,
        feature_set::FeatureSet,
        memory::Memory,
        serving::{Serving, Versioned, Watched},
        velocity::VelocityFault,
    },
    ledger::LedgerFault,
};

/// Follows the registry.
pub struct Follower {
    models: Arc<Models>,
    bench: Arc<Bench>,
    /// The model that the configuration names: it scores when no registered one is live.
    configured: (Option<Versioned>, Arc<FeatureSet>),
    /// Opens a memory for features that are served and were not before.
    open: OpenMemory,
    /// The change that is in force here. One look at a time.
    seen: Mutex<Seen>,
}

/// How far the registry is followed.
#[derive(Debug, Default)]
struct Seen {
    /// The change that is in force here.
    number: u64,
    /// The change that could not be put in force; it is tried again with each look.
    refused: u64,
}

/// Opens a memory.
pub type OpenMemory =
    Box<dyn Fn(&Arc<FeatureSet>) -> Result<Arc<Memory>, VelocityFault> + Send + Sync>;

impl Follower {
    /// Follows from now on; what this bench serves is what the configuration names.
    pub fn new(models: Arc<Models>, bench: Arc<Bench>, open: OpenMemory) -> Self {
        let serving = bench.serving();
        let set = serving.set().clone();
        let configured = (serving.live().cloned(), set);
        Self { models, bench, configured, open, seen: Mutex::default() }
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
        if number == seen.number {
            return Ok(false);
        }
        let rows = self.models.list().await?;
        match self.put_in_force(&rows).await {
            Ok(()) => {
                let serving = self.bench.serving();
                let (live, challenger) = (serving.version(), serving.challenger());
                tracing::info!(live, challenger, "the fraud models changed");
                seen.number = number;
                Ok(true)
            }
            Err(ModelsRefused::Ledger(fault)) => Err(fault),
            Err(refused) => {
                if seen.refused != number {
                    tracing::error!(%refused, "the fraud models stay as they were: {refused}");
                }
                seen.refused = number;
                Ok(false)
            }
        }
    }

    async fn put_in_force(&self, rows: &[ModelRow]) -> Result<(), ModelsRefused> {
        let live = self.load(rows, ModelState::Live).await?;
        let watched = self.load(rows, ModelState::Shadow).await?;
        let (live, set) = match live {
            Some(Watched { versioned, set }) => (Some(versioned), set),
            None => self.configured.clone(),
        };
        let name = live.as_ref().map_or_else(String::new, |live| live.version.clone());
        let other = |_| ModelsRefused::OtherFeatures(name.clone());
        let serving = self.bench.serving();
        let same = serving.set().hash == set.hash;
        let serving = if same { Serving::clone(&serving) } else { Serving::on(set) };
        let next = serving.with_live(live).map_err(other)?;
        let next = next.with_challenger(watched).map_err(other)?;
        self.bench.serve(next, &self.open).map_err(|fault| ModelsRefused::Memory(fault.to_string()))
    }

    /// The model in this state, and its schema kept before anything is judged with it.
    async fn load(
        &self,
        rows: &[ModelRow],
        state: ModelState,
    ) -> Result<Option<Watched>, ModelsRefused> {
        let Some(row) = rows.iter().find(|row| row.state == state) else { return Ok(None) };
        let mut model = self.models.read(row).await?;
        let schemas = self.bench.schemas();
        schemas.keep(&model.set, self.bench.now()).await?;
        if let Some(known) = schemas.find(&model.set.hash) {
            model.set = known;
        }
        Ok(Some(model))
    }
}

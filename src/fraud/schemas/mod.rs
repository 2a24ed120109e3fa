//! Every schema that judgements were made with, by the hash that they name: so that what was
//! remembered, learned and recorded with one schema is not lost to another.
//!
//! **Owns:** the schemas in the ledger, and those read from it. **Invariant:** a schema is kept
//! before the first judgement is made with it, and is never changed. **Not here:** what is made of
//! one (see [`feature_set`](super::feature_set)).

mod postgres;
mod sqlite;

use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::{feature_set::FeatureSet, schema::Schema};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault},
};

/// The schemas that are known.
#[derive(Debug, Default)]
pub struct Schemas {
    known: RwLock<HashMap<String, Arc<FeatureSet>>>,
    /// Hashes that nobody kept a schema for: before schemas were kept, that is.
    lost: Mutex<HashSet<String>>,
    /// None where nothing is kept.
    database: Option<Database>,
}

#[derive(Debug, Deserialize)]
struct Row {
    hash: String,
    schema: String,
}

impl Schemas {
    /// The schemas of this database.
    pub fn of(database: Database) -> Self {
        Self { database: Some(database), ..Self::default() }
    }

    /// The schema of this hash, if it was read.
    pub fn find(&self, hash: &str) -> Option<Arc<FeatureSet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// From now on this one is known.
    pub fn know(&self, set: Arc<FeatureSet>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(set.hash.clone(), set);
    }

    /// Keeps a schema, before judgements are made with it.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn keep(&self, set: &Arc<FeatureSet>, now: Timestamp) -> Result<(), LedgerFault> {
        if self.find(&set.hash).is_some() {
            return Ok(());
        }
        if let Some(database) = &self.database {
            let schema = toml::to_string(&set.schema).map_err(|error| {
                LedgerFault::Broken(format!("a schema is not written: {error}"))
            })?;
            let row = json!({ "hash": set.hash, "schema": schema, "at": now }).to_string();
            match database {
                Database::Postgres(database) => postgres::keep(database, row).await?,
                Database::Sqlite(database) => sqlite::keep(database, row).await?,
            }
        }
        self.know(set.clone());
        Ok(())
    }

    /// Reads the schemas of these hashes that are not known yet, as those are that another replica
    /// serves.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn look_up(
        &self,
        hashes: impl IntoIterator<Item = &str> + Send,
    ) -> Result<(), LedgerFault> {
        let Some(database) = &self.database else { return Ok(()) };
        let unknown: HashSet<String> = {
            let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let unknown = |hash: &&str| !known.contains_key(*hash) && !lost.contains(*hash);
            hashes.into_iter().filter(unknown).map(str::to_owned).collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let rows = match database {
            Database::Postgres(database) => postgres::list(database).await?,
            Database::Sqlite(database) => sqlite::list(database).await?,
        };
        for row in rows {
            let damaged = |error: String| {
                LedgerFault::Broken(format!("a kept fraud schema does not read: {error}"))
            };
            let row: Row =
                serde_json::from_str(&row).map_err(|error| damaged(error.to_string()))?;
            let schema = Schema::parse(&row.schema).map_err(|error| damaged(error.to_string()))?;
            let set = FeatureSet::of(&schema).map_err(|error| damaged(error.to_string()))?;
            // Kept by a release that counts otherwise: its entities are the same.
            self.know(Arc::new(set.kept_as(row.hash)));
        }
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        for hash in unknown.into_iter().filter(|hash| self.find(hash).is_none()) {
            tracing::warn!(
                hash,
                "judgements were made with a fraud schema that nobody kept; they are not remembered"
            );
            lost.insert(hash);
        }
        Ok(())
    }
}

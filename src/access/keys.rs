//! The keys of this service, with a short memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    key::{KeyRecord, NewKey, Scope},
    postgres, sqlite,
};
use crate::{
    base::{Chance, Clock, KeyId, Timestamp},
    ledger::{Database, LedgerFault},
};

/// How long a key is remembered, and so how long a revoked one may still open the door.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many ids are remembered. Ids nobody has are remembered too, so that a wrong key in a busy
/// client does not ask the database each time; this bound keeps made-up ids from filling memory.
const REMEMBERED_IDS: usize = 10_000;

type Remembered = HashMap<KeyId, (Option<Arc<KeyRecord>>, Timestamp)>;

/// API keys in the ledger's database.
pub struct Keys {
    database: Database,
    clock: Arc<dyn Clock>,
    remembered: Mutex<Remembered>,
}

impl Keys {
    /// The keys in this database.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, remembered: Mutex::default() }
    }

    /// Makes and keeps a key. The returned text is the only copy of its secret.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn create(
        &self,
        label: &str,
        scopes: &[Scope],
        chance: &dyn Chance,
    ) -> Result<NewKey, LedgerFault> {
        let key = NewKey::make(label, scopes, self.clock.now(), chance);
        match &self.database {
            Database::Postgres(postgres) => postgres::insert_key(postgres, &key.record).await?,
            Database::Sqlite(sqlite) => sqlite::insert_key(sqlite, &key.record).await?,
        }
        self.forget(key.record.id);
        Ok(key)
    }

    /// Every key, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, LedgerFault> {
        match &self.database {
            Database::Postgres(postgres) => postgres::list_keys(postgres).await,
            Database::Sqlite(sqlite) => sqlite::list_keys(sqlite).await,
        }
    }

    /// Ends a key; `false` when there is none with this id in force. Other processes notice within
    /// five seconds.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn revoke(&self, id: KeyId) -> Result<bool, LedgerFault> {
        let now = self.clock.now();
        let revoked = match &self.database {
            Database::Postgres(postgres) => postgres::revoke_key(postgres, id, now).await?,
            Database::Sqlite(sqlite) => sqlite::revoke_key(sqlite, id, now).await?,
        };
        self.forget(id);
        Ok(revoked)
    }

    /// The key with this id, as of a few seconds ago at most.
    pub(super) async fn find(&self, id: KeyId) -> Result<Option<Arc<KeyRecord>>, LedgerFault> {
        let now = self.clock.now();
        if let Some((record, at)) = self.lock().get(&id)
            && now.since(*at) < REMEMBERED
        {
            return Ok(record.clone());
        }
        let found = match &self.database {
            Database::Postgres(postgres) => postgres::find_key(postgres, id).await?,
            Database::Sqlite(sqlite) => sqlite::find_key(sqlite, id).await?,
        };
        let found = found.map(Arc::new);
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_IDS {
            remembered.clear();
        }
        remembered.insert(id, (found.clone(), now));
        Ok(found)
    }

    fn forget(&self, id: KeyId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

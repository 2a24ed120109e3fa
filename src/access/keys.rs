//! The keys of this service, with a short memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    key::{KeyRecord, KeyWish, NewKey},
    postgres, sqlite,
};
use crate::{
    base::{Chance, Clock, KeyId, Timestamp},
    ledger::{Database, LedgerFault, keyed},
};

/// How long a key is remembered, and so how long a revoked one may still open the door.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many ids are remembered. Ids nobody has are remembered too, so that a wrong key in a busy
/// client does not ask the database each time; this bound keeps made-up ids from filling memory.
const REMEMBERED_IDS: usize = 10_000;

/// How exactly it is known when a key was last used: each use would be a write.
const NOTED: Duration = Duration::from_secs(60);

/// No key was made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeysRefused {
    /// Nobody has a key for this storefront.
    #[error("there is no storefront {0}; `keys list` shows those there are")]
    UnknownStorefront(KeyId),
    /// It would never open the door.
    #[error("the key would have ended before it is made")]
    Ended,
    /// The ledger cannot be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

type Remembered = HashMap<KeyId, (Option<Arc<KeyRecord>>, Timestamp)>;

/// API keys in the ledger's database.
pub struct Keys {
    database: Database,
    clock: Arc<dyn Clock>,
    remembered: Arc<Mutex<Remembered>>,
    /// When the use of a key was last written down.
    noted: Mutex<HashMap<KeyId, Timestamp>>,
}

impl Keys {
    /// The keys in this database.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, remembered: Arc::default(), noted: Mutex::default() }
    }

    /// Makes and keeps a key. The returned text is the only copy of its secret.
    ///
    /// # Errors
    /// When the ledger cannot be reached, there is no such storefront, or the key would have ended.
    pub async fn create(&self, wish: &KeyWish, chance: &dyn Chance) -> Result<NewKey, KeysRefused> {
        let now = self.clock.now();
        if wish.expires_at.is_some_and(|end| end <= now) {
            return Err(KeysRefused::Ended);
        }
        if let Some(storefront) = wish.storefront {
            let known = self.list().await?.iter().any(|key| key.storefront == storefront);
            if !known {
                return Err(KeysRefused::UnknownStorefront(storefront));
            }
        }
        let key = NewKey::make(wish, now, chance);
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

    /// Now, as keys begin and end.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes down that a key was used, once a minute. A ledger that cannot be written to closes
    /// the door to nobody who only wants to read.
    pub(super) async fn note_use(&self, key: &KeyRecord) {
        let now = self.clock.now();
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.get(&key.id).is_some_and(|at| now.since(*at) < NOTED) {
                return;
            }
            noted.insert(key.id, now);
        }
        let written = match &self.database {
            Database::Postgres(postgres) => postgres::note_use(postgres, key.id, now).await,
            Database::Sqlite(sqlite) => sqlite::note_use(sqlite, key.id, now).await,
        };
        if let Err(fault) = written {
            tracing::warn!(key.id = %key.id, %fault, "the use of an API key is not written down");
        }
    }

    fn forget(&self, id: KeyId) {
        let remembered = self.remembered.clone();
        keyed::at_end(move || {
            remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

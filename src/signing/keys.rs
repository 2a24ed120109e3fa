//! The shop's own signing keys: which are published, and which signs.

use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{es256::SigningKey, postgres, sqlite};
use crate::{
    base::{Sealed, Timestamp},
    ledger::{Database, LedgerFault},
};

/// How long a key is published before it signs: others may keep our profile for five minutes, and
/// a replica looks for new keys once a minute.
const PUBLISHED_FIRST: Duration = Duration::from_secs(10 * 60);

/// How long a key stays published after the next one signs: what it signed last is checked by then.
const PUBLISHED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A key as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyRow {
    /// Its name.
    pub kid: String,
    /// PKCS #8, sealed; base64 within.
    pub body: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key in use.
#[derive(Debug)]
struct Known {
    key: SigningKey,
    created_at: Timestamp,
}

/// Which of these signs, by its place: the newest that has been published long enough, else the
/// oldest. `None` when there is none. Oldest first.
pub fn signer(created: &[Timestamp], now: Timestamp) -> Option<usize> {
    let ready = created.iter().rposition(|at| now.since(*at) >= PUBLISHED_FIRST);
    ready.or_else(|| (!created.is_empty()).then_some(0))
}

/// Which of these are published: the one that signs, those after it, and those before it until
/// what they signed is read.
pub fn published(created: &[Timestamp], now: Timestamp) -> std::ops::Range<usize> {
    let ended = |place: usize| {
        let next = created.get(place + 1);
        next.is_some_and(|at| now.since(*at) >= PUBLISHED_FIRST + PUBLISHED_AFTER)
    };
    let first = (0..created.len()).find(|place| !ended(*place)).unwrap_or(created.len());
    first..created.len()
}

/// The shop's signing keys.
pub struct SigningKeys {
    database: Database,
    known: RwLock<Arc<Vec<Known>>>,
}

impl SigningKeys {
    /// The keys in this database; nothing is known of them before the first
    /// [`follow`](Self::follow).
    pub fn new(database: Database) -> Self {
        Self { database, known: RwLock::default() }
    }

    /// Reads the keys; makes the first one when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be reached, or a key does not read; those that are known stay.
    pub async fn follow(&self, now: Timestamp) -> Result<(), LedgerFault> {
        let mut rows = self.list().await?;
        if rows.is_empty() {
            self.add(now, true).await?;
            rows = self.list().await?;
        }
        let known = rows.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }

    /// Makes another key. It signs once it has been published for long enough.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn rotate(&self, now: Timestamp) -> Result<String, LedgerFault> {
        self.forget_old(now).await?;
        self.add(now, false).await
    }

    /// Every key, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn list(&self) -> Result<Vec<KeyRow>, LedgerFault> {
        match &self.database {
            Database::Postgres(postgres) => postgres::list_keys(postgres).await,
            Database::Sqlite(sqlite) => sqlite::list_keys(sqlite).await,
        }
    }

    async fn add(&self, now: Timestamp, only_first: bool) -> Result<String, LedgerFault> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let kept = SigningKey::make();
        let read = SigningKey::read(&kept).map_err(|_| damaged())?;
        let body = Sealed::seal(&STANDARD.encode(kept));
        let row = KeyRow { kid: read.kid().to_owned(), body, created_at: now };
        let mut parameter = json!(row);
        parameter["only_first"] = only_first.into();
        let parameter = parameter.to_string();
        match &self.database {
            Database::Postgres(postgres) => postgres::add_key(postgres, parameter).await?,
            Database::Sqlite(sqlite) => sqlite::add_key(sqlite, parameter).await?,
        }
        Ok(row.kid)
    }

    async fn forget_old(&self, now: Timestamp) -> Result<(), LedgerFault> {
        let rows = self.list().await?;
        let created: Vec<_> = rows.iter().map(|row| row.created_at).collect();
        for row in &rows[..published(&created, now).start] {
            let kid = row.kid.clone();
            match &self.database {
                Database::Postgres(postgres) => postgres::remove_key(postgres, kid).await?,
                Database::Sqlite(sqlite) => sqlite::remove_key(sqlite, kid).await?,
            }
        }
        Ok(())
    }

    fn known(&self) -> Arc<Vec<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What others check our signatures with, as JWKs.
    pub fn jwks(&self, now: Timestamp) -> Vec<serde_json::Value> {
        let known = self.known();
        let created: Vec<_> = known.iter().map(|known| known.created_at).collect();
        known[published(&created, now)].iter().map(|known| known.key.jwk()).collect()
    }

    /// Has the key that signs now do something. `None` when no key is known yet.
    pub fn with_signer<T>(&self, now: Timestamp, act: impl FnOnce(&SigningKey) -> T) -> Option<T> {
        let known = self.known();
        let created: Vec<_> = known.iter().map(|known| known.created_at).collect();
        signer(&created, now).map(|place| act(&known[place].key))
    }
}

/// A row as the database gives it.
pub(super) fn read(row: &str) -> Result<KeyRow, LedgerFault> {
    serde_json::from_str(row)
        .map_err(|error| LedgerFault::Broken(format!("a signing key is damaged: {error}")))
}

fn open(row: &KeyRow) -> Result<Known, LedgerFault> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = row.body.open().map_err(|_| damaged())?;
    let kept = STANDARD.decode(text).map_err(|_| damaged())?;
    let key = SigningKey::read(&kept).map_err(|_| damaged())?;
    Ok(Known { key, created_at: row.created_at })
}

fn damaged() -> LedgerFault {
    LedgerFault::Broken("a signing key does not read".to_owned())
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("known", &self.known().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_published_before_it_signs_and_after() {
        let start = Timestamp::from_micros(0);
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        let (first, day) = (PUBLISHED_FIRST.as_secs(), PUBLISHED_AFTER.as_secs());
        let alone = [start];
        assert_eq!((signer(&alone, start), published(&alone, start)), (Some(0), 0..1));
        let two = [start, after(5000)];
        for (now, signs, from) in [
            (5000, 0, 0),
            (5000 + first - 1, 0, 0),
            (5000 + first, 1, 0),
            (5000 + first + day - 1, 1, 0),
            (5000 + first + day, 1, 1),
        ] {
            assert_eq!(signer(&two, after(now)), Some(signs), "{now}");
            assert_eq!(published(&two, after(now)), from..2, "{now}");
        }
        // Two made in haste: the first signs until one has been published long enough.
        let haste = [start, after(1)];
        assert_eq!((signer(&haste, after(2)), published(&haste, after(2))), (Some(0), 0..2));
        assert_eq!((signer(&[], start), published(&[], start)), (None, 0..0));
    }
}

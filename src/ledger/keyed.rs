//! A change of a slice's own tables and the idempotency key of the request that asked for it: one
//! commit.
//!
//! Slices with tables of their own write them in transactions of their own. Inside of
//! [`Database::keyed`] these are one, and the request's key is part of it: it begins, with the key,
//! at the first thing that is written, and ends with the answer. So there is no moment at which a
//! crash leaves the change without its key, and of two requests with one key the second waits for
//! the first and writes nothing.
//!
//! What is asked before the first write is asked as ever; what is asked after it sees what was
//! written. Memory of what the database says is a matter for the [end](at_end). Facts of the ledger
//! are no part of this: each of them carries its key itself, and the
//! [writer](super::writer::Writer) refuses one that is written between begin and end.

use std::{
    fmt,
    sync::{
        Arc, Mutex as Lock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Mutex;

use super::{
    Database, LedgerFault,
    entry::{KeyWrite, StoredAnswer},
    lanes::Lane,
    postgres,
    row::KeyRow,
    sqlite,
};

tokio::task_local! {
    /// The request whose change is being made.
    static CURRENT: Current;
}

#[derive(Clone)]
enum Current {
    Postgres(Arc<Keyed<postgres::Conn>>),
    Sqlite(Arc<Keyed<sqlite::Conn>>),
}

/// What a change under a key came to.
#[derive(Debug)]
pub enum Change {
    /// It was made, and this is its answer.
    Made(StoredAnswer),
    /// Another request has the key; nothing was changed.
    Taken(KeyRow),
}

type End = Box<dyn FnOnce() + Send>;

/// A change under way, with its key.
pub(super) struct Keyed<C> {
    pub(super) key: KeyWrite,
    pub(super) stage: Mutex<Stage<C>>,
    begun: AtomicBool,
    ends: Lock<Vec<End>>,
}

/// How far it is.
pub(super) enum Stage<C> {
    /// Nothing was written.
    Waiting,
    /// Key and change are written, and not committed.
    Open(Lane<C>),
    /// Another request has the key.
    Taken(KeyRow),
    /// A statement failed, or whoever waited for it went away: nothing is written.
    Failed,
}

impl<C> fmt::Debug for Keyed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl<C> Keyed<C> {
    fn new(key: KeyWrite) -> Arc<Self> {
        let (stage, ends) = (Mutex::new(Stage::Waiting), Lock::default());
        Arc::new(Self { key, stage, begun: AtomicBool::new(false), ends })
    }

    /// Whether something was written.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// From now on what is asked is asked within the transaction.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// The row of another request that has the key, when that is why nothing was written.
    async fn taken(&self) -> Option<KeyRow> {
        match &*self.stage.lock().await {
            Stage::Taken(row) => Some(row.clone()),
            _ => None,
        }
    }

    fn at_end(&self, end: End) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
    }
}

/// However it ended.
impl<C> Drop for Keyed<C> {
    fn drop(&mut self) {
        let ends = self.ends.get_mut().unwrap_or_else(PoisonError::into_inner);
        ends.drain(..).for_each(|end| end());
    }
}

/// Nothing more can be written: see the stage for why.
pub(super) fn ended() -> LedgerFault {
    LedgerFault::Unreachable("the change was given up, and nothing of it is written".to_owned())
}

/// Whether something was written whose commit is still to come.
pub fn is_open() -> bool {
    let begun = CURRENT.try_with(|current| match current {
        Current::Postgres(keyed) => keyed.has_begun(),
        Current::Sqlite(keyed) => keyed.has_begun(),
    });
    begun.unwrap_or(false)
}

/// Does something now and, inside of a change, once more when that has ended, committed or not: for
/// memory of what the database says, which a reader may have filled between the two.
pub fn at_end(work: impl Fn() + Send + 'static) {
    work();
    // Outside of a change there is no end to wait for.
    let _outside = CURRENT.try_with(|current| match current {
        Current::Postgres(keyed) => keyed.at_end(Box::new(work)),
        Current::Sqlite(keyed) => keyed.at_end(Box::new(work)),
    });
}

pub(super) fn on_postgres() -> Option<Arc<Keyed<postgres::Conn>>> {
    let found = CURRENT.try_with(|current| match current {
        Current::Postgres(keyed) => Some(keyed.clone()),
        Current::Sqlite(_) => None,
    });
    found.ok().flatten()
}

pub(super) fn on_sqlite() -> Option<Arc<Keyed<sqlite::Conn>>> {
    let found = CURRENT.try_with(|current| match current {
        Current::Sqlite(keyed) => Some(keyed.clone()),
        Current::Postgres(_) => None,
    });
    found.ok().flatten()
}

impl Database {
    /// Makes a change, of whatever slices with tables in this database, and keeps its answer under
    /// the key of the request, in one commit. Where the work is refused nothing is written.
    ///
    /// # Errors
    /// Those of the work; and when the database cannot be reached. Whether the change was made
    /// then, the key says: sent again, the request is answered, or done.
    pub async fn keyed<E: From<LedgerFault>>(
        &self,
        key: KeyWrite,
        work: impl AsyncFnOnce() -> Result<StoredAnswer, E>,
    ) -> Result<Change, E> {
        match self {
            Self::Postgres(database) => {
                let keyed = Keyed::new(key);
                let done = CURRENT.scope(Current::Postgres(keyed.clone()), work()).await;
                if let Some(row) = keyed.taken().await {
                    return Ok(Change::Taken(row));
                }
                Ok(database.finish_keyed(&keyed, done?).await?)
            }
            Self::Sqlite(database) => {
                let keyed = Keyed::new(key);
                let done = CURRENT.scope(Current::Sqlite(keyed.clone()), work()).await;
                if let Some(row) = keyed.taken().await {
                    return Ok(Change::Taken(row));
                }
                Ok(database.finish_keyed(&keyed, done?).await?)
            }
        }
    }
}

/// A key's row as a database gives it.
pub(super) fn read(row: &str) -> Result<KeyRow, LedgerFault> {
    serde_json::from_str(row)
        .map_err(|error| LedgerFault::Broken(format!("a key does not read: {error}")))
}

/// An answer in the columns of its key: status, body, version.
pub(super) fn columns(answer: &StoredAnswer) -> Result<(i32, String, i32), LedgerFault> {
    let version = i32::try_from(answer.version)
        .map_err(|error| LedgerFault::Broken(format!("an answer's version: {error}")))?;
    Ok((i32::from(answer.status), answer.body.stored().to_owned(), version))
}

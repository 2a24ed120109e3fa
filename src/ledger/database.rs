//! Which database, how it is opened, and what must be true of it before the doors open.

use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    postgres::Postgres,
    sqlite::Sqlite,
    store::{LedgerFault, Store},
};

/// The newest migration this binary knows.
pub const SCHEMA_VERSION: i64 = 31;

/// How to reach the database.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// `postgres://…`, or a folder for the embedded SQLite. May hold a password: never printed.
    pub location: String,
    /// Connections for questions.
    pub readers: u32,
    /// Connections for commits (PostgreSQL; SQLite has one).
    pub writers: u32,
    /// How long anything may wait for a connection or an answer.
    pub deadline: Duration,
    /// Whether a server that may lose acknowledged orders is refused rather than warned about.
    pub production: bool,
    /// What stands between us and PostgreSQL.
    pub pooling: Pooling,
}

/// What a connection to PostgreSQL means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// A session of our own, for as long as the connection stands.
    #[default]
    Session,
    /// A pooler that gives each transaction any session it likes (PgBouncer's `pool_mode =
    /// transaction`): nothing outlives a transaction.
    Transaction,
}

impl DatabaseOptions {
    /// A location with the usual numbers.
    pub fn new(location: impl Into<String>) -> Self {
        let location = location.into();
        Self {
            location,
            readers: 8,
            writers: 2,
            deadline: Duration::from_secs(5),
            production: false,
            pooling: Pooling::Session,
        }
    }
}

impl fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("readers", &self.readers)
            .field("writers", &self.writers)
            .field("deadline", &self.deadline)
            .field("production", &self.production)
            .field("pooling", &self.pooling)
            .finish_non_exhaustive()
    }
}

/// The database cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseFault {
    /// The address does not read.
    #[error(
        "the database's address does not read ({0}); write `postgres://user@host/name` or a folder"
    )]
    Location(String),
    /// The folder cannot be used.
    #[error(
        "the data folder {} cannot be used: {error}; check that it may be written to",
        .folder.display()
    )]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process has the folder.
    #[error(
        "the data folder {} is in use by another process; \
         stop that one, or give this one a folder of its own",
        .folder.display()
    )]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The server is too old.
    #[error("PostgreSQL {found} is too old; {least} or newer is needed")]
    TooOld {
        /// Its major version.
        found: i32,
        /// The least that works.
        least: i32,
    },
    /// The server would lose what it acknowledged.
    #[error(
        "the server has `{setting}` off and would lose acknowledged orders in a crash; switch it on"
    )]
    NotDurable {
        /// The setting.
        setting: &'static str,
    },
    /// The schema is older than the binary.
    #[error(
        "the database's schema is at version {found}, this binary needs {needed}; \
         run `doorbuster migrate`"
    )]
    SchemaBehind {
        /// What stands; 0 for an empty database.
        found: i64,
        /// What is needed.
        needed: i64,
    },
    /// Questions are answered, and nothing can be written.
    #[error(
        "the database takes no writes: it is a standby, or `default_transaction_read_only` is on"
    )]
    TakesNoWrites,
    /// A migration failed.
    #[error("the migration failed: {0}")]
    Migration(String),
    /// The database did not answer, or failed.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

/// A newer schema serves an older binary (migrations expand first, contract later); an older one
/// does not.
pub(super) fn check_schema(found: Option<i64>) -> Result<(), DatabaseFault> {
    let (found, needed) = (found.unwrap_or(0), SCHEMA_VERSION);
    if found < needed { Err(DatabaseFault::SchemaBehind { found, needed }) } else { Ok(()) }
}

/// The database of this process. Slices with tables of their own reach them through it.
#[derive(Debug, Clone)]
pub enum Database {
    /// A folder of our own.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

impl Database {
    /// Opens the database; nothing is migrated or checked yet.
    ///
    /// # Errors
    /// When it is not there, or another process has it.
    pub async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseFault> {
        if options.location.starts_with("postgres://")
            || options.location.starts_with("postgresql://")
        {
            Ok(Self::Postgres(Postgres::open(options).await?))
        } else {
            Ok(Self::Sqlite(Sqlite::open(options).await?))
        }
    }

    /// Brings the schema to this binary's version; a newer one is left alone.
    ///
    /// # Errors
    /// When a migration fails; it is then rolled back whole.
    pub async fn migrate(&self) -> Result<(), DatabaseFault> {
        self.migrate_to(SCHEMA_VERSION).await
    }

    /// Brings the schema to the newest version, or takes it back to an older one.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn migrate_to(&self, target: i64) -> Result<(), DatabaseFault> {
        match self {
            Self::Sqlite(sqlite) => sqlite.migrate(target).await,
            Self::Postgres(postgres) => postgres.migrate(target).await,
        }
    }

    /// The ledger in this database.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(sqlite) => Arc::new(sqlite.clone()),
            Self::Postgres(postgres) => Arc::new(postgres.clone()),
        }
    }

    /// Checks that the database keeps what it acknowledges and that its schema fits this binary.
    ///
    /// # Errors
    /// When it does not; the message says what to do.
    pub async fn check(&self) -> Result<(), DatabaseFault> {
        match self {
            Self::Sqlite(sqlite) => sqlite.check().await,
            Self::Postgres(postgres) => postgres.check().await,
        }
    }
}

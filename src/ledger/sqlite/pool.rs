//! Connections to the embedded database: one writer, some readers, and a lock on the folder.

use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{
    apply::prepare,
    private::{make_folder, take_from_others},
};
use crate::{
    base::Chain,
    ledger::{
        database::{DatabaseFault, DatabaseOptions},
        lanes::{Lane, Lanes, Open},
        store::LedgerFault,
    },
};

/// Memory for pages the writer has read, in KiB (a minus sign says so). The indexes that orders
/// land in at random stay in it; with the usual 2 MiB the writer reads the same pages again and
/// again. More is not better: a commit that split a page walks the whole cache.
const WRITER_CACHE: &str = "-16384";

/// Pages in the log before they are carried over into the database, 16 MiB. A page that many
/// commits have changed is carried over once, and every carrying over waits for the disk twice.
const CHECKPOINT_PAGES: &str = "4096";

/// The embedded database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(super) readers: Arc<Lanes<SqliteConnection>>,
    pub(super) writer: Arc<Lanes<SqliteConnection>>,
    pub(super) deadline: Duration,
    /// Where the database stands.
    pub(in crate::ledger) folder: Arc<Path>,
    /// Held as long as any clone lives; the system lets go of it when the process ends.
    _lock: Arc<File>,
}

impl Sqlite {
    /// Locks the folder and opens the database in it; both are made when they are missing.
    pub(in crate::ledger) async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseFault> {
        let folder = Path::new(&options.location);
        let lock = Arc::new(lock(folder)?);
        let file = folder.join("doorbuster.db");
        take_from_others(&file).map_err(|error| unusable(folder, error))?;
        let connect = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.deadline)
            .foreign_keys(true)
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let lanes = |count: u32, open: Open<SqliteConnection>| {
            Arc::new(Lanes::new(count.max(1) as usize, options.deadline, open))
        };
        let writer = lanes(1, writer(connect.clone()));
        let readers = lanes(options.readers, reader(connect.pragma("query_only", "on")));
        let sqlite = Self {
            readers,
            writer,
            deadline: options.deadline,
            folder: folder.into(),
            _lock: lock,
        };
        // The writer makes the file before a reader looks for it.
        sqlite.writer.take().await?.keep();
        sqlite.readers.take().await?.keep();
        Ok(sqlite)
    }

    /// Asks something, within the deadline. What was committed before is seen.
    ///
    /// # Errors
    /// When the deadline passes or a statement fails.
    pub async fn read<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send,
    ) -> Result<T, LedgerFault> {
        if let Some(keyed) = self.keyed().filter(|keyed| keyed.has_begun()) {
            return self.run_keyed(&keyed, work).await;
        }
        let mut lane = self.readers.take().await?;
        let done = tokio::time::timeout(self.deadline, work(lane.conn())).await;
        settle(lane, done)
    }

    /// Writes something in one transaction, within the deadline: of its own, or that of the
    /// [request](crate::ledger::keyed) it is for.
    ///
    /// # Errors
    /// When the deadline passes or a statement fails; nothing is written then.
    pub async fn write<T: Send>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send,
    ) -> Result<T, LedgerFault> {
        if let Some(keyed) = self.keyed() {
            return self.run_keyed(&keyed, work).await;
        }
        let mut lane = self.writer.take().await?;
        let done = tokio::time::timeout(self.deadline, async {
            run(lane.conn(), "begin immediate").await?;
            let value = work(lane.conn()).await?;
            run(lane.conn(), "commit").await?;
            Ok(value)
        })
        .await;
        settle(lane, done)
    }

    /// One text parameter in, one text column out.
    pub async fn ask(
        &self,
        sql: &'static str,
        parameter: &str,
    ) -> Result<Vec<String>, LedgerFault> {
        let parameter = parameter.to_owned();
        self.read(move |conn| Box::pin(sqlx::query_scalar(sql).bind(parameter).fetch_all(conn)))
            .await
    }

    pub(super) async fn close_all(&self) {
        for conn in self.readers.close().into_iter().chain(self.writer.close()) {
            drop(conn.close().await);
        }
    }
}

/// How a writer is opened.
fn writer(connect: SqliteConnectOptions) -> Open<SqliteConnection> {
    let connect =
        connect.pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    Box::new(move || {
        let connect = connect.clone();
        Box::pin(async move {
            let mut conn = connect.connect().await.map_err(|e| fault(&e))?;
            prepare(&mut conn).await.map_err(|e| fault(&e))?;
            Ok(conn)
        })
    })
}

/// How a reader is opened.
fn reader(connect: SqliteConnectOptions) -> Open<SqliteConnection> {
    Box::new(move || {
        let connect = connect.clone();
        Box::pin(async move { connect.connect().await.map_err(|e| fault(&e)) })
    })
}

fn unusable(folder: &Path, error: std::io::Error) -> DatabaseFault {
    DatabaseFault::Folder { folder: folder.to_owned(), error }
}

/// Takes the folder for this process.
fn lock(folder: &Path) -> Result<File, DatabaseFault> {
    let unusable = |error| unusable(folder, error);
    make_folder(folder).map_err(unusable)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DatabaseFault::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Runs a statement without parameters; a query keeps it prepared, where its bare text would be
/// prepared every time.
pub(super) async fn run(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(conn).await.map(drop)
}

fn settle<T>(
    lane: Lane<SqliteConnection>,
    done: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
) -> Result<T, LedgerFault> {
    match done {
        Ok(Ok(value)) => {
            lane.keep();
            Ok(value)
        }
        Ok(Err(error)) => Err(fault(&error)),
        Err(_) => Err(LedgerFault::Unreachable("a statement passed its deadline".into())),
    }
}

/// The ledger's word for what went wrong.
pub(super) fn fault(error: &sqlx::Error) -> LedgerFault {
    match error {
        sqlx::Error::Database(inner) if !is_not_now(error) => {
            LedgerFault::Broken(inner.to_string())
        }
        sqlx::Error::Database(_) | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
            LedgerFault::Unreachable(Chain(error).to_string())
        }
        _ => LedgerFault::Broken(Chain(error).to_string()),
    }
}

/// What SQLite says when it may be well later, or elsewhere: `BUSY`, `LOCKED`, `NOMEM`, `READONLY`,
/// `INTERRUPT`, `IOERR`, `FULL`, `CANTOPEN` and `PROTOCOL` (locks taken by others).
const NOT_NOW: [u32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];

/// Whether the disk, its space, its rights or others are at fault, and not the statement.
fn is_not_now(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| NOT_NOW.contains(&code))
}

/// `SQLITE_BUSY` and its extended codes.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(5)
}

/// SQLite's code without its extension.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), LedgerFault> {
        sqlx::raw_sql(sql).execute(conn).await.map(drop).map_err(|error| fault(&error))
    }

    // breaks: take a code out of `NOT_NOW`
    #[tokio::test]
    async fn full_read_only_and_locked_are_not_now_and_a_wrong_statement_is_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let connect = SqliteConnectOptions::new()
            .filename(folder.path().join("some.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let mut one = connect.connect().await.expect("it opens");
        let mut other = connect.connect().await.expect("it opens twice");
        said(&mut one, "create table t (x unique); insert into t values (1)").await.expect("made");
        let not_now = |said: Result<(), LedgerFault>, why: &str| match said {
            Err(LedgerFault::Unreachable(text)) => assert!(text.contains(why), "{text}"),
            said => panic!("{why}: {said:?}"),
        };
        said(&mut one, "begin immediate").await.expect("begun");
        not_now(said(&mut other, "insert into t values (2)").await, "locked");
        said(&mut one, "rollback; pragma query_only = on").await.expect("set");
        not_now(said(&mut one, "insert into t values (2)").await, "readonly");
        said(&mut one, "pragma query_only = off; pragma max_page_count = 1").await.expect("set");
        let much = "insert into t select randomblob(4000) from (values (1), (2), (3), (4))";
        not_now(said(&mut one, much).await, "full");
        for wrong in ["insert into t values (1)", "select * from nowhere"] {
            let said = said(&mut one, wrong).await;
            assert!(matches!(said, Err(LedgerFault::Broken(_))), "{wrong}: {said:?}");
        }
    }

    // breaks: any of them likewise
    #[test]
    fn every_code_that_means_not_now_is_known_with_its_extensions() {
        for (code, name) in [
            (5, "BUSY"),
            (6, "LOCKED"),
            (7, "NOMEM"),
            (8, "READONLY"),
            (9, "INTERRUPT"),
            (10, "IOERR"),
            (13, "FULL"),
            (14, "CANTOPEN"),
            (15, "PROTOCOL"),
        ] {
            assert!(NOT_NOW.contains(&code), "SQLITE_{name}");
        }
        for (code, name) in [(1, "ERROR"), (11, "CORRUPT"), (19, "CONSTRAINT"), (26, "NOTADB")] {
            assert!(!NOT_NOW.contains(&code), "SQLITE_{name}");
        }
    }
}

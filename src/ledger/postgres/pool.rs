//! Connections to PostgreSQL: readers for questions, a few writers for commits, deadlines on both.

use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::ledger::{
    database::{DatabaseFault, DatabaseOptions},
    known::Known,
    lanes::{Lane, Lanes, Open},
    store::LedgerFault,
};

/// One piece of work under way on a connection.
pub(crate) type Work<'c, T> = BoxFuture<'c, Result<T, sqlx::Error>>;

/// PostgreSQL, reached through connections of our own. Clones share them.
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(super) readers: Arc<Lanes<PgConnection>>,
    pub(super) writers: Arc<Lanes<PgConnection>>,
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) deadline: Duration,
    pub(super) production: bool,
}

impl Postgres {
    /// Reads the options and opens a first connection, so that a wrong address shows at once.
    pub(in crate::ledger) async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseFault> {
        let parsed: PgConnectOptions = options
            .location
            .parse()
            .map_err(|error: sqlx::Error| DatabaseFault::Location(error.to_string()))?;
        // Everything a session must be sure of is set here, not left to the server's file.
        let connect = parsed
            .application_name("doorbuster")
            .options([("timezone", "UTC")])
            .options(given_up(options.deadline))
            .disable_statement_logging();
        let lanes = |count: u32, connect: &PgConnectOptions| {
            let connect = connect.clone();
            let open: Open<PgConnection> = Box::new(move || {
                let connect = connect.clone();
                Box::pin(async move { connect.connect().await.map_err(|e| fault(&e)) })
            });
            Arc::new(Lanes::new(count.max(1) as usize, options.deadline, open))
        };
        // The commit's statements find rows by key, whatever the statistics said when they were
        // first planned: a plan made for an empty table must not scan it when it has grown. So
        // there is nothing to learn from a batch's values, and planning anew for each would cost
        // more than running it.
        let by_key = connect.clone().options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ]);
        let readers = lanes(options.readers, &connect);
        let writers = lanes(options.writers, &by_key);
        let production = options.production;
        let known = Arc::default();
        let postgres = Self { readers, writers, known, deadline: options.deadline, production };
        postgres.warm().await?;
        Ok(postgres)
    }

    /// Opens one connection of each kind.
    async fn warm(&self) -> Result<(), LedgerFault> {
        self.writers.take().await?.keep();
        self.readers.take().await?.keep();
        Ok(())
    }

    /// Does one piece of work on a connection, within the deadline. For slices with tables of their
    /// own: one statement, or a transaction they begin and commit themselves.
    ///
    /// # Errors
    /// When there is no connection, the deadline passes or a statement fails.
    pub async fn run<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, LedgerFault> {
        let mut lane = self.sound().await?;
        let done = tokio::time::timeout(self.deadline, work(lane.conn())).await;
        self.settle(lane, done)
    }

    /// A connection that answers: work that may run only once must not meet one that died on the
    /// shelf, so those found there are asked first.
    async fn sound(&self) -> Result<Lane<'_, PgConnection>, LedgerFault> {
        let mut lane = self.readers.take().await?;
        if lane.fresh {
            return Ok(lane);
        }
        let answer = tokio::time::timeout(self.deadline, lane.conn().ping()).await;
        if matches!(answer, Ok(Ok(()))) {
            return Ok(lane);
        }
        drop(lane);
        self.readers.sweep();
        self.readers.take().await
    }

    /// One text parameter in, one text column out; asked again once when the line was dead. Only
    /// for questions: asking twice must be the same as asking once.
    pub(super) async fn ask(
        &self,
        sql: &'static str,
        parameter: &str,
    ) -> Result<Vec<String>, LedgerFault> {
        loop {
            let mut lane = self.readers.take().await?;
            let fresh = lane.fresh;
            let query = sqlx::query_scalar(sql).bind(parameter);
            let rows = tokio::time::timeout(self.deadline, query.fetch_all(lane.conn())).await;
            let dead = matches!(&rows, Ok(Err(error)) if is_broken(error));
            let settled = self.settle(lane, rows);
            if !dead || fresh {
                return settled;
            }
        }
    }

    fn settle<T>(
        &self,
        lane: Lane<'_, PgConnection>,
        done: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, LedgerFault> {
        match done {
            Ok(Ok(value)) => {
                lane.keep();
                Ok(value)
            }
            Ok(Err(error)) => {
                // A failed statement may leave a transaction open; dropping costs one reconnect.
                drop(lane);
                if is_broken(&error) {
                    self.readers.sweep();
                }
                Err(fault(&error))
            }
            Err(_) => Err(LedgerFault::Unreachable("a statement passed its deadline".into())),
        }
    }

    pub(super) async fn close_all(&self) {
        for conn in self.readers.close().into_iter().chain(self.writers.close()) {
            drop(conn.close().await);
        }
    }
}

/// What we give up on, the server gives up on as well. Behind a dead network it never hears that we
/// are gone: a transaction left there would keep its locks for hours, and every sale would wait.
fn given_up(deadline: Duration) -> [(&'static str, String); 2] {
    let milliseconds = |part: Duration| part.as_millis().to_string();
    [
        ("idle_in_transaction_session_timeout", milliseconds(deadline)),
        // Shorter: the server says so while we still listen, and nothing is in doubt.
        ("lock_timeout", milliseconds(deadline * 3 / 4)),
    ]
}

/// Whether the connection, not the statement, is at fault.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::WorkerCrashed => true,
        // Class 08: connection exceptions; 57P0x: the server stops or starts; 53300: it is full;
        // 25P03: we were frozen within a transaction, and it was ended with its connection.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08")
                || code.starts_with("57P0")
                || matches!(&*code, "53300" | "25P03")
        }),
        _ => false,
    }
}

/// Whether somebody else had a row for too long (55P03).
fn is_late(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}

/// The ledger's word for what went wrong.
pub(super) fn fault(error: &sqlx::Error) -> LedgerFault {
    if is_broken(error) || is_late(error) {
        LedgerFault::Unreachable(error.to_string())
    } else {
        LedgerFault::Broken(error.to_string())
    }
}

//! Connections to PostgreSQL: readers for questions, a few writers for commits, deadlines on both.

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::settings::{self, Begin};
use crate::{
    base::Chain,
    ledger::{
        database::{DatabaseFault, DatabaseOptions, Pooling},
        known::Known,
        lanes::{Lane, Lanes, Open},
        store::LedgerFault,
    },
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
    pub(super) pooling: Pooling,
    /// How a transaction begins.
    pub(super) begin: Begin,
}

impl Postgres {
    /// Reads the options and opens a first connection, so that a wrong address shows at once.
    pub(in crate::ledger) async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseFault> {
        let parsed: PgConnectOptions = options
            .location
            .parse()
            .map_err(|error: sqlx::Error| DatabaseFault::Location(error.to_string()))?;
        let (reading, writing) = (settings::common(options.deadline), settings::by_key());
        let writing = || reading.iter().chain(&writing);
        let connect = parsed.application_name("doorbuster").disable_statement_logging();
        // A pooler hands sessions around: there, each transaction brings its settings along.
        let (connect, by_key) = match options.pooling {
            Pooling::Session => {
                (connect.clone().options(reading.clone()), connect.options(writing().cloned()))
            }
            Pooling::Transaction => {
                let connect = connect.extra_float_digits(None);
                (connect.clone(), connect)
            }
        };
        let begin = match options.pooling {
            Pooling::Session => Begin::plain(),
            Pooling::Transaction => Begin::with(reading.iter(), writing()),
        };
        let lanes = |count: u32, connect: &PgConnectOptions| {
            let connect = connect.clone();
            let open: Open<PgConnection> = Box::new(move || {
                let connect = connect.clone();
                Box::pin(async move { connect.connect().await.map_err(|e| fault(&e)) })
            });
            Arc::new(Lanes::new(count.max(1) as usize, options.deadline, open))
        };
        let readers = lanes(options.readers, &connect);
        let writers = lanes(options.writers, &by_key);
        let production = options.production;
        let (known, deadline, pooling) = (Arc::default(), options.deadline, options.pooling);
        let postgres = Self { readers, writers, known, deadline, production, pooling, begin };
        postgres.warm().await?;
        Ok(postgres)
    }

    /// Opens one connection of each kind.
    async fn warm(&self) -> Result<(), LedgerFault> {
        self.writers.take().await?.keep();
        self.readers.take().await?.keep();
        Ok(())
    }

    /// Whether a statement that was prepared can be used again. Behind a pooler the next one may be
    /// sent to a session that has never heard of it.
    pub const fn prepares(&self) -> bool {
        matches!(self.pooling, Pooling::Session)
    }

    /// Does one piece of work on a connection, within the deadline. For slices with tables of their
    /// own: one statement; what takes several is [written](Self::write). Each statement is
    /// `.persistent(…)` as [`prepares`](Self::prepares) says.
    ///
    /// # Errors
    /// When there is no connection, the deadline passes or a statement fails.
    pub async fn run<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, LedgerFault> {
        if let Some(keyed) = self.keyed() {
            return self.run_keyed(&keyed, work).await;
        }
        let mut lane = self.sound().await?;
        let done = tokio::time::timeout(self.deadline, self.within(lane.conn(), work)).await;
        self.settle(lane, done)
    }

    /// Writes something in one transaction, within the deadline: of its own, or that of the
    /// [request](crate::ledger::keyed) it is for.
    ///
    /// # Errors
    /// When there is no connection, the deadline passes or a statement fails; nothing is written
    /// then, unless it was the answer to `commit` that did not come.
    pub async fn write<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, LedgerFault> {
        if let Some(keyed) = self.keyed() {
            return self.run_keyed(&keyed, work).await;
        }
        let mut lane = self.sound().await?;
        let done = tokio::time::timeout(self.deadline, self.together(lane.conn(), work)).await;
        self.settle(lane, done)
    }

    /// Behind a pooler, parsing a statement and running it only meet the same session inside of a
    /// transaction.
    async fn within<T>(
        &self,
        conn: &mut PgConnection,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, sqlx::Error> {
        if self.prepares() { work(conn).await } else { self.together(conn, work).await }
    }

    async fn together<T>(
        &self,
        conn: &mut PgConnection,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send,
    ) -> Result<T, sqlx::Error> {
        let mut tx = conn.begin_with(AssertSqlSafe(self.begin.reading.clone())).await?;
        let value = work(&mut tx).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// A connection that answers: work that may run only once must not meet one that died on the
    /// shelf, so those found there are asked first.
    pub(super) async fn sound(&self) -> Result<Lane<PgConnection>, LedgerFault> {
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
    pub async fn ask(
        &self,
        sql: &'static str,
        parameter: &str,
    ) -> Result<Vec<String>, LedgerFault> {
        if self.keyed().is_some_and(|keyed| keyed.has_begun()) {
            let (parameter, kept) = (parameter.to_owned(), self.prepares());
            let asked = self.run(move |conn| {
                Box::pin(sqlx::query_scalar(sql).bind(parameter).persistent(kept).fetch_all(conn))
            });
            return asked.await;
        }
        loop {
            let mut lane = self.readers.take().await?;
            let fresh = lane.fresh;
            let (parameter, kept) = (parameter.to_owned(), self.prepares());
            let asked = self.within(lane.conn(), move |conn| {
                Box::pin(sqlx::query_scalar(sql).bind(parameter).persistent(kept).fetch_all(conn))
            });
            let rows = tokio::time::timeout(self.deadline, asked).await;
            let dead = matches!(&rows, Ok(Err(error)) if is_broken(error));
            let settled = self.settle(lane, rows);
            if !dead || fresh {
                return settled;
            }
        }
    }

    fn settle<T>(
        &self,
        lane: Lane<PgConnection>,
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

/// Whether the connection, not the statement, is at fault: it is dropped, so that the next one
/// finds whoever is the primary then.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::WorkerCrashed => true,
        // Class 08: connection exceptions; 57P0x: the server stops or starts; 25P03, 25P04: we were
        // frozen within a transaction, and it was ended with its connection.
        sqlx::Error::Database(_) => {
            is_refused(error)
                || state(error).is_some_and(|state| {
                    state.starts_with("08")
                        || state.starts_with("57P0")
                        || matches!(&*state, "25P03" | "25P04")
                })
        }
        _ => false,
    }
}

/// Whether the server said in words that it writes nothing now, and so has written nothing. 25006:
/// a standby, or a primary that is fenced off; class 53: no disk, memory or connections are left.
pub(super) fn is_refused(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|state| state == "25006" || state.starts_with("53"))
}

/// Whether somebody else was in the way, on a server that is well: a row was locked for too long
/// (55P03), the statement was canceled (57014), or transactions met (40001, 40P01).
fn is_late(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|state| matches!(&*state, "55P03" | "57014" | "40001" | "40P01"))
}

/// The server's word for what happened (SQLSTATE), when it had one.
fn state(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

/// The ledger's word for what went wrong.
pub(super) fn fault(error: &sqlx::Error) -> LedgerFault {
    // What a pooler in transaction mode says to whoever wants a session.
    if error.to_string().contains("unsupported startup parameter") {
        let advice = "a pooler in transaction mode stands before the database; set \
                      `storage.pooling` to `transaction`";
        LedgerFault::Unreachable(format!("{error}: {advice}"))
    } else if is_broken(error) || is_late(error) {
        LedgerFault::Unreachable(Chain(error).to_string())
    } else {
        LedgerFault::Broken(Chain(error).to_string())
    }
}

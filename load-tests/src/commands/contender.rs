//! `load-tests contender`: serves one of the baselines, for `compare` to race against.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

use crate::contend::{book::Book, echo, http, n1::RowLock, n2::BestStatement, n3::RedisStock};

/// Which baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The row lock.
    N1,
    /// The best single statement.
    N2,
    /// Stock in Redis.
    N3,
    /// HTTP and JSON alone.
    Echo,
}

/// Serves a baseline on a free port of 127.0.0.1, and says which.
#[derive(Debug, Args)]
pub struct Contender {
    /// Which baseline
    kind: Kind,
    /// PostgreSQL with the baselines' tables
    #[arg(long, default_value = "")]
    database: String,
    /// Redis, for N3
    #[arg(long, default_value = "")]
    redis: String,
    /// Connections to PostgreSQL, over all threads
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// The gateway's book
    #[arg(long, default_value = "book.jsonl")]
    book: PathBuf,
    /// HTTP threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Lines of every checkout that echo completes
    #[arg(long, default_value_t = 1)]
    lines: u32,
}

/// Serves until the process is ended.
///
/// # Errors
/// When the port or the database cannot be had.
pub fn run(arguments: &Contender) -> anyhow::Result<()> {
    // Whoever started it may be killed; nobody else would end it then.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let workers = arguments.workers.max(1);
    let each = arguments.connections.div_ceil(workers);
    let (database, redis) = (arguments.database.clone(), arguments.redis.clone());
    let system = actix_web::rt::System::new();
    if arguments.kind == Kind::Echo {
        return system.block_on(echo::serve(workers, arguments.lines));
    }
    let book = Book::open(&arguments.book)?;
    system.block_on(async {
        match arguments.kind {
            Kind::N1 => {
                let open = async move || RowLock::open(&database, each).await;
                http::serve(book, workers, open).await
            }
            Kind::N2 => {
                let open = async move || BestStatement::open(&database, each).await;
                http::serve(book, workers, open).await
            }
            Kind::N3 => {
                let open = async move || RedisStock::open(&database, each, &redis).await;
                http::serve(book, workers, open).await
            }
            Kind::Echo => unreachable!("served above"),
        }
    })
}

//! A PgBouncer of our own, in transaction mode, before a PostgreSQL of our own.

use anyhow::Context;
use rustix::process::Signal;
use std::{fs, net::TcpStream, path::PathBuf};

use super::{free_port, postgres::Postgres, process::Process};

/// Sessions it keeps with each database at most; its own default.
const SESSIONS: u32 = 20;

/// A running PgBouncer. It ends when this is dropped.
#[derive(Debug)]
pub struct PgBouncer {
    process: Process,
    port: u16,
}

impl PgBouncer {
    /// Starts one before this PostgreSQL. It listens on a free port.
    ///
    /// # Errors
    /// When it is missing or does not come up.
    pub fn start(postgres: &Postgres) -> anyhow::Result<Self> {
        let program = find_program().context(MISSING)?;
        let (port, folder) = (free_port()?, postgres.folder());
        let file = |name: &str| folder.join(format!("pgbouncer-{port}.{name}"));
        let (users, settings) = (file("users"), file("ini"));
        fs::write(&users, "\"load\" \"\"\n")?;
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = {SESSIONS}\nmax_client_conn = 1000\n\
             log_connections = 0\nlog_disconnections = 0\n",
            postgres.port(),
            users.display(),
        );
        fs::write(&settings, text)?;
        let mut command = postgres.program(&program.display().to_string())?;
        command.arg(&settings);
        // TERM ends it at once, whoever is connected still.
        let mut process = Process::start(&mut command, &file("log"), Signal::TERM)?;
        process.ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { process, port })
    }

    /// The way through it to a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://load@127.0.0.1:{}/{database}", self.port)
    }

    /// Its process.
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it; its sessions with PostgreSQL end, too.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(self) -> anyhow::Result<()> {
        self.process.stop().map(drop)
    }
}

/// What to do about a PgBouncer that is not there.
const MISSING: &str = "PgBouncer is missing; install it (Debian: apt-get install pgbouncer)";

/// Its program. Distributions keep it where only administrators look.
pub fn find_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(more)
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.exists())
}

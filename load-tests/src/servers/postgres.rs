//! A PostgreSQL of our own, durable as in production.

use anyhow::{Context, bail};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::{
    free_port,
    process::{Process, run},
};

/// The same for everybody who races on it. Checkpoints fall between turns, not into them.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 400
shared_buffers = 512MB
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 8GB
checkpoint_timeout = 30min
jit = off
log_min_messages = warning
log_checkpoints = off
";

/// A running PostgreSQL. It ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    folder: TempDir,
    bin: PathBuf,
    port: u16,
}

impl Postgres {
    /// Makes an empty one and starts it, below `scratch`.
    ///
    /// # Errors
    /// When the programs are missing or fail.
    pub fn start(bin: &Path, scratch: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir_in(scratch)?;
        // PostgreSQL refuses to run as root, and its own user must reach the folder.
        fs::set_permissions(scratch, fs::Permissions::from_mode(0o755))?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        if let Some((user, group)) = other_user()? {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))?;
        }
        let mut own = Self { process: None, folder, bin: bin.to_owned(), port: free_port()? };
        let options = ["-U", "load", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N", "-D"];
        run(own.program("initdb")?.args(options).arg(own.data()))?;
        let file = own.data().join("postgresql.conf");
        let sockets = format!("unix_socket_directories = '{}'\n", own.folder.path().display());
        let text = fs::read_to_string(&file)? + SETTINGS + &sockets;
        fs::write(&file, text)?;
        own.start_again()?;
        Ok(own)
    }

    /// Starts it, on the same port as before.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let mut command = self.program("postgres")?;
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let log = self.folder.path().join("log");
        let process = Process::start(&mut command, &log, Signal::INT)?;
        let process = self.process.insert(process);
        let port = self.port.to_string();
        let is_ready = self.bin.join("pg_isready");
        process.ready(|| {
            let ask = Command::new(&is_ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            ask.is_ok_and(|status| status.success())
        })
    }

    /// Ends it by this signal (INT: a fast shutdown, QUIT: an immediate one) and waits.
    ///
    /// # Errors
    /// When it does not end.
    pub fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.end(signal).map(drop)
    }

    /// The process of the server; its children work for it.
    pub fn id(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::id)
    }

    /// The process, to be signaled.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://load@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A folder that the user whose data it is can read.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One of its programs, or any that is named with its folder, to be run as the user whose data
    /// it is.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn program(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(self.bin.join(name));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = other_user()? {
            command.uid(user).gid(group);
        }
        Ok(command)
    }

    /// Where one of its client programs is, which anybody may run.
    pub fn client_program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// A connection to a database.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        tokio::spawn(async move {
            // The client's next call tells what went wrong.
            let _ended = connection.await;
        });
        Ok(client)
    }

    /// How many times a second this disk makes one write durable, as `pg_test_fsync` finds.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn fsyncs_per_second(&self) -> anyhow::Result<f64> {
        let file = self.folder.path().join("fsync");
        let said = run(self.program("pg_test_fsync")?.args(["-s", "1", "-f"]).arg(&file))?;
        drop(fs::remove_file(&file));
        parse_fsyncs(&said).context("pg_test_fsync says nothing of fdatasync")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            drop(process.stop());
        }
    }
}

/// The first line about `fdatasync`: one 8 kB write.
fn parse_fsyncs(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.trim_start().starts_with("fdatasync"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whom to run as when we are root: PostgreSQL's own user, or nobody.
fn other_user() -> anyhow::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let found = find("postgres").or_else(|| find("nobody"));
    found.map(Some).context("PostgreSQL does not run as root, and there is no other user")
}

/// The newest PostgreSQL's folder of programs; distributions keep them off the PATH.
///
/// # Errors
/// When there is none.
pub fn find_programs() -> anyhow::Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (folder, tail) in [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/usr/local", "bin")] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.trim_start_matches("pgsql-").parse().unwrap_or(0);
            let bin = entry.path().join(tail);
            if bin.join("initdb").exists() && bin.join("postgres").exists() {
                found.push((version, bin));
            }
        }
    }
    let Some((_, bin)) = found.into_iter().max() else {
        bail!("PostgreSQL is missing; install it (Debian: apt-get install postgresql)");
    };
    Ok(bin)
}

#[cfg(test)]
mod tests {
    use super::parse_fsyncs;

    #[test]
    fn the_figure_of_one_write_is_found() {
        let said = "Compare file sync methods using one 8kB write:\n\
                    \x20       open_datasync                   7102.1 ops/sec     141 usecs/op\n\
                    \x20       fdatasync                       7834.543 ops/sec     128 usecs/op\n\
                    Compare file sync methods using two 8kB writes:\n\
                    \x20       fdatasync                       6000.0 ops/sec     166 usecs/op\n";
        assert_eq!(parse_fsyncs(said), Some(7834.543));
        assert_eq!(parse_fsyncs("nothing"), None);
    }
}

//! A Redis of our own. It keeps nothing on disk.

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{free_port, process::Process};

/// How long an answer may take on a loaded machine.
const ANSWERS: Duration = Duration::from_secs(10);

/// A running Redis. It ends when this is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    /// Starts one; its log goes to `scratch`.
    ///
    /// # Errors
    /// When it is missing or does not come up.
    pub fn start(scratch: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let process = start(port, scratch, &[])?;
        Ok(Self { process, port, folder: scratch.to_owned() })
    }

    /// Starts it again on the same port, empty, once it has ended.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = start(self.port, &self.folder, &[])?;
        Ok(())
    }

    /// Makes it forget everything.
    ///
    /// # Errors
    /// When it does not do so.
    pub fn flush(&self) -> anyhow::Result<()> {
        let said = say(self.port, "FLUSHALL")?;
        ensure!(said.starts_with("+OK"), "FLUSHALL: {said}");
        Ok(())
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The process, to be signaled.
    pub const fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn start(port: u16, folder: &Path, more: &[&str]) -> anyhow::Result<Process> {
    let mut command = Command::new(find_program()?);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
    command.arg(port.to_string()).arg("--dir").arg(folder).args(more);
    let mut process = Process::start(&mut command, &folder.join("redis.log"), Signal::TERM)?;
    process.ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(process)
}

/// Sends a command, and returns what comes back at once.
fn say(port: u16, command: &str) -> anyhow::Result<String> {
    let mut line = TcpStream::connect(("127.0.0.1", port))?;
    line.set_read_timeout(Some(ANSWERS))?;
    line.write_all(format!("{command}\r\n").as_bytes())?;
    let mut bytes = [0; 8192];
    let read = line.read(&mut bytes).with_context(|| format!("no answer to {command}"))?;
    Ok(String::from_utf8_lossy(&bytes[..read]).trim_end().to_owned())
}

fn find_program() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").context("there is no PATH")?;
    for name in ["redis-server", "valkey-server"] {
        if let Some(found) = std::env::split_paths(&path).map(|f| f.join(name)).find(|f| f.exists())
        {
            return Ok(found);
        }
    }
    bail!("Redis is missing; install it (Debian: apt-get install redis-server)")
}

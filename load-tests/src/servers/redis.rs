//! A Redis of our own. It keeps nothing on disk.

use anyhow::{Context, bail};
use rustix::process::Signal;
use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use super::{free_port, process::Process};

/// A running Redis. It ends when this is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// Starts one; its log goes to `scratch`.
    ///
    /// # Errors
    /// When it is missing or does not come up.
    pub fn start(scratch: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(find_program()?);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(port.to_string()).arg("--dir").arg(scratch);
        let mut process = Process::start(&mut command, &scratch.join("redis.log"), Signal::TERM)?;
        process.ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { process, port })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The process, to be signaled.
    pub const fn process(&self) -> &Process {
        &self.process
    }
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

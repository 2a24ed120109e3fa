//! A Redis of our own, alone or as a cluster of three. It keeps nothing on disk.

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

/// All 16,384 slots of a cluster, dealt to three.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10_922), (10_923, 16_383)];

/// A running Redis. It ends when this is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    folder: PathBuf,
    more: Vec<String>,
}

impl Redis {
    /// Starts one; its log goes to `scratch`.
    ///
    /// # Errors
    /// When it is missing or does not come up.
    pub fn start(scratch: &Path) -> anyhow::Result<Self> {
        Self::start_on(free_port()?, scratch, Vec::new())
    }

    fn start_on(port: u16, folder: &Path, more: Vec<String>) -> anyhow::Result<Self> {
        let process = start(port, folder, &more)?;
        Ok(Self { process, port, folder: folder.to_owned(), more })
    }

    /// Starts it again on the same port, empty, once it has ended.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = start(self.port, &self.folder, &self.more)?;
        Ok(())
    }

    /// Makes it forget everything.
    ///
    /// # Errors
    /// When it does not do so.
    pub fn flush(&self) -> anyhow::Result<()> {
        self.must("FLUSHALL")
    }

    fn must(&self, command: &str) -> anyhow::Result<()> {
        let said = say(self.port, command)?;
        ensure!(said.starts_with("+OK"), "{command}: {said}");
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

/// What replicas keep their hot copies in: one Redis, or a cluster.
#[derive(Debug)]
pub struct Caches {
    /// The servers.
    pub nodes: Vec<Redis>,
    /// Their address, for `storage.redis`.
    pub url: String,
}

impl Caches {
    /// One Redis.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn one(scratch: &Path) -> anyhow::Result<Self> {
        let redis = Redis::start(scratch)?;
        Ok(Self { url: redis.url(), nodes: vec![redis] })
    }

    /// Three masters that share the slots. One that is killed takes its slots along until it is
    /// back under its name; the others go on.
    ///
    /// # Errors
    /// When they do not come up, or do not find each other.
    pub fn cluster(scratch: &Path) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for slots in SLOTS {
            let (port, bus) = (free_port()?, free_port()?);
            let more = [
                "--cluster-enabled yes --cluster-require-full-coverage no".to_owned(),
                format!("--cluster-port {bus} --cluster-config-file nodes-{port}.conf"),
            ];
            let more = more.iter().flat_map(|words| words.split(' ')).map(str::to_owned).collect();
            let node = Redis::start_on(port, scratch, more)?;
            node.must(&format!("CLUSTER ADDSLOTSRANGE {} {}", slots.0, slots.1))?;
            if let Some((Redis { port: known, .. }, bus)) = nodes.first() {
                node.must(&format!("CLUSTER MEET 127.0.0.1 {known} {bus}"))?;
            }
            nodes.push((node, bus));
        }
        let mut nodes: Vec<Redis> = nodes.into_iter().map(|(node, _)| node).collect();
        let all = format!("cluster_known_nodes:{}\r", SLOTS.len());
        for node in &mut nodes {
            let port = node.port;
            node.process.ready(|| {
                let said = say(port, "CLUSTER INFO").unwrap_or_default();
                said.contains("cluster_state:ok") && said.contains(&all)
            })?;
        }
        let addresses: Vec<String> =
            nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        Ok(Self { url: format!("redis-cluster://{}", addresses.join(",")), nodes })
    }

    /// Makes all of them forget everything.
    ///
    /// # Errors
    /// When one does not.
    pub fn flush(&self) -> anyhow::Result<()> {
        self.nodes.iter().try_for_each(Redis::flush)
    }
}

fn start(port: u16, folder: &Path, more: &[String]) -> anyhow::Result<Process> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_masters_find_each_other_and_one_comes_back_under_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut caches = Caches::cluster(folder.path()).expect("a cluster");
        assert_eq!(caches.nodes.len(), 3);
        caches.flush().expect("flushed");
        let myself = say(caches.nodes[1].port, "CLUSTER MYID").expect("an answer");
        caches.nodes[1].process().end(Signal::KILL).expect("killed");
        caches.nodes[1].start_again().expect("started");
        assert_eq!(say(caches.nodes[1].port, "CLUSTER MYID").expect("an answer"), myself);
    }
}

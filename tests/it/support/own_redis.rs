//! A Redis that one test alone has, to kill and to silence.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

use super::servers;

/// A Redis of one test's own, to be killed and silenced, on a socket in its own folder.
pub(crate) struct Redis {
    folder: TempDir,
    process: Option<Child>,
}

impl Redis {
    /// None yet.
    pub(crate) fn not_started() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), process: None }
    }

    /// One that answers.
    pub(crate) fn started() -> Self {
        let mut redis = Self::not_started();
        redis.start();
        redis
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Its address, as the configuration has it.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Starts it, empty.
    pub(crate) fn start(&mut self) {
        let process = Command::new(servers::redis_program())
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.socket())
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; install it (Debian: redis-server)");
        self.process = Some(process);
        let answers = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            self.says("PING").is_some_and(|answer| answer.starts_with("+PONG"))
        });
        assert!(answers, "redis-server did not come up within five seconds");
    }

    /// One command on a line of its own.
    pub(crate) fn says(&self, command: &str) -> Option<String> {
        let mut line = UnixStream::connect(self.socket()).ok()?;
        line.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        let mut answer = [0; 512];
        let length = line.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("killed");
        process.wait().expect("gone");
    }

    /// Stops the process without closing anything, as a dead network would look.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

//! Servers that one test alone has, to kill and to restart.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

use super::servers::{
    as_nobody_special, free_port, postgres_programs, redis_program, run, we_are_root,
};

const RELOAD: &str = "select pg_reload_conf()";

/// A PostgreSQL of this test's own, fsync on as it comes.
pub(crate) struct OwnPostgres {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
}

impl OwnPostgres {
    /// Starts one, empty.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if we_are_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let own = Self { folder, bin: postgres_programs(), port: free_port() };
        let auth = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-instructions"];
        run(as_nobody_special(&own.bin.join("initdb")).args(auth).arg("--pgdata").arg(own.data()));
        own.start_again();
        own
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port it listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Changes a setting; connections from now on have it.
    pub(crate) async fn set(&self, setting: &str, value: &str) {
        let mut admin = PgConnection::connect(&self.url()).await.expect("it answers");
        for sql in [format!("alter system set {setting} = {value}"), RELOAD.to_owned()] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.expect("it is done");
        }
        let show = format!("show {setting}");
        let seen = async || {
            let mut fresh = PgConnection::connect(&self.url()).await.expect("it answers");
            let show = sqlx::query_scalar::<_, String>(AssertSqlSafe(show.clone()));
            show.fetch_one(&mut fresh).await.expect("it tells")
        };
        while seen().await != value {
            tokio::task::yield_now().await;
        }
    }

    /// Ends it in this mode (`fast`, `immediate`).
    pub(crate) fn end(&self, mode: &str) {
        self.control(&["-m", mode, "stop"]);
    }

    /// Starts it again, on the same port.
    pub(crate) fn start_again(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c max_connections=100",
            self.port,
            self.folder.path().display()
        );
        self.control(&["-o", &options, "start"]);
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self, arguments: &[&str]) {
        let log = self.folder.path().join("log");
        let done = as_nobody_special(&self.bin.join("pg_ctl"))
            .args(["-w", "-s", "-l"])
            .arg(&log)
            .arg("-D")
            .arg(self.data())
            .args(arguments)
            .stdout(Stdio::null())
            .status();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(done.is_ok_and(|done| done.success()), "{arguments:?}: {}", said());
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        let mut end = as_nobody_special(&self.bin.join("pg_ctl"));
        let end = end.args(["-s", "-m", "immediate", "-D"]).arg(self.data()).arg("stop");
        drop(end.stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

/// A Redis of this test's own. It keeps nothing: killed, it has forgotten everything.
pub(crate) struct OwnRedis {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl OwnRedis {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let child = redis(folder.path(), port);
        Self { folder, port, child }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Starts it again, empty, on the same port.
    pub(crate) fn start_again(&mut self) {
        self.child = redis(self.folder.path(), self.port);
    }

    /// Sends a command and returns the first line of its answer.
    pub(crate) fn says(&self, command: &str) -> String {
        let mut line = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        line.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
        line.write_all(format!("{command}\r\n").as_bytes()).expect("it reads");
        let mut bytes = [0; 256];
        let read = line.read(&mut bytes).expect("it answers");
        String::from_utf8_lossy(&bytes[..read]).trim_end().to_owned()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[expect(clippy::zombie_processes, reason = "its owner waits for it; a panic ends the run")]
fn redis(folder: &Path, port: u16) -> Child {
    let child = Command::new(redis_program())
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
        .arg(port.to_string())
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server starts; ./tests/run brings it");
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return child;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("redis-server does not listen on {port}");
}

//! The binary, started, watched and ended.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

use super::till::Till;
use crate::shop::PATIENT_JUDGE_MS;

/// How long a start may take on a loaded machine.
const START: Duration = Duration::from_secs(30);

/// How a house is set up: its folder and its settings. It can be started again and again.
#[derive(Clone)]
pub(super) struct Setup {
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

/// What a command that ended had to say.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) status: ExitStatus,
    pub(super) out: String,
    pub(super) err: String,
}

/// A running service.
pub(super) struct House {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    log: PathBuf,
    pub(super) base: String,
}

impl Setup {
    /// On a free port, with its data below `folder`, without the demo shop. A gateway that says
    /// nothing is given up after 600 ms, so that recovery is soon.
    pub(super) fn new(folder: &Path) -> Self {
        Self::bare(folder)
            .with("server.listen", "127.0.0.1:0")
            .with("storage.data", folder.join("data").display())
            .with("demo.catalogue", false)
            .with("log.filter", "warn")
            .with("checkout.gateway_deadline_ms", 600)
            .with("fraud.deadline_ms", PATIENT_JUDGE_MS)
    }

    /// As it comes, in this folder.
    pub(super) fn bare(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), settings: Vec::new() }
    }

    /// With one setting changed.
    pub(super) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// Judged and recorded only: where a third of all cards fail, a shop that judges is under
    /// attack and challenges whom it does not know.
    pub(super) fn where_cards_fail(self) -> Self {
        self.with("fraud.mode", "record")
    }

    /// Where the embedded database and the book stand.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The binary with these settings in its environment.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorbuster"));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        for (key, value) in &self.settings {
            command.env(doorbuster::config::environment_name(key), value);
        }
        command
    }

    /// A shell in which these settings count and the binary is `doorbuster`.
    pub(super) fn shell(&self, script: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_doorbuster")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", script]).current_dir(&self.folder).stdin(Stdio::null());
        for (key, value) in &self.settings {
            shell.env(doorbuster::config::environment_name(key), value);
        }
        shell.env("PATH", format!("{}:{path}", binary.display()));
        shell
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        let done = self.command(arguments).output().expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { status: done.status, out: text(&done.stdout), err: text(&done.stderr) }
    }

    /// Runs a command that must succeed.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Fills the shop from a CSV of `sku,stock` pairs.
    pub(super) fn fill(&self, stock: &[(&str, u32)]) {
        let mut csv = "sku,title,price,currency,stock\n".to_owned();
        for (sku, units) in stock {
            csv.push_str(&format!("{sku},The {sku},19.90,EUR,{units}\n"));
        }
        let file = self.folder.join("shop.csv");
        fs::write(&file, csv).expect("the folder takes a file");
        self.done(&["import", &file.display().to_string()]);
    }

    /// Audits what a stopped service left behind.
    pub(super) fn audit_is_clean(&self) -> String {
        let ran = self.run(&["audit"]);
        let last = ran.out.lines().last().unwrap_or_default();
        assert!(ran.status.success() && last == "audit: clean", "{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// Starts the service and waits until it says where it serves.
    pub(super) async fn start(&self) -> House {
        self.start_as(&[], "doorbuster serves ").await
    }

    /// Starts a command that serves, and waits until it says where, after these words.
    pub(super) async fn start_as(&self, arguments: &[&str], words: &str) -> House {
        let log = self.folder.join("log");
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        let command = &mut self.command(arguments);
        let spawned = command.stdout(Stdio::piped()).stderr(errors).spawn();
        let mut child = spawned.expect("the binary starts");
        let output = child.stdout.take().expect("standard output is piped");
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                heard.lock().expect("nobody panics here").push(line);
            }
        });
        let mut house = House { child, said, log, base: String::new() };
        let line = house.says(words).await;
        let base = line[words.len()..].split(',').next();
        house.base = base.expect("an address").to_owned();
        house
    }
}

impl House {
    /// Waits for a line on standard output that begins like this.
    pub(super) async fn says(&mut self, beginning: &str) -> String {
        let late = Instant::now() + START;
        loop {
            let lines = self.said.lock().expect("nobody panics here").clone();
            if let Some(line) = lines.into_iter().find(|line| line.starts_with(beginning)) {
                return line;
            }
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < late, "{ended:?}\n{}", self.log_tail());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Everything it has said so far on standard output.
    pub(super) fn said(&self) -> String {
        self.said.lock().expect("nobody panics here").join("\n")
    }

    /// Waits until its log has this text.
    pub(super) async fn logs(&self, text: &str) {
        let late = Instant::now() + START;
        while !fs::read_to_string(&self.log).is_ok_and(|log| log.contains(text)) {
            assert!(Instant::now() < late, "`{text}` is not logged\n{}", self.log_tail());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The end of its log, for a test that fails.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// A till that talks to it.
    pub(super) fn till(&self) -> Till {
        Till::at(&self.base)
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Sends a signal by name.
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("`kill` is there").success());
    }

    /// Whether it still runs.
    pub(super) fn lives(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Waits for its end; it must come in time.
    pub(super) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let late = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < late, "still running after {within:?}\n{}", self.log_tail());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks it to stop; it must end well.
    pub(super) async fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(20)).await;
        assert!(status.success(), "{status}\n{}", self.log_tail());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

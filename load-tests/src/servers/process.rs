//! A process of ours: started, watched, signaled, ended.

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// How long a process may take to say that it is ready: a loaded machine is slow.
const READY: Duration = Duration::from_secs(60);

/// How long a process may take to end when it is asked to, before it is killed.
const GOODBYE: Duration = Duration::from_secs(30);

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    said: Receiver<String>,
    goodbye: Signal,
}

impl Process {
    /// Starts a command. What it says on standard error goes to `log`; it is asked to end by
    /// `goodbye`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path, goodbye: Signal) -> anyhow::Result<Self> {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let errors = File::options().create(true).append(true).open(log);
        let errors = errors.with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let (tell, said) = channel();
        if let Some(output) = child.stdout.take() {
            // Reads to the end, so that the process never waits for us.
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    drop(tell.send(line));
                }
            });
        }
        Ok(Self { child, name, log: log.to_owned(), said, goodbye })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on its standard output that begins like this, and gives the rest.
    ///
    /// # Errors
    /// When it ends or takes too long.
    pub fn says(&mut self, beginning: &str) -> anyhow::Result<String> {
        let late = Instant::now() + READY;
        while Instant::now() < late {
            match self.said.recv_timeout(Duration::from_millis(20)) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(beginning) {
                        return Ok(rest.to_owned());
                    }
                }
                Err(_) => self.lives()?,
            }
        }
        bail!("{} is not ready after {READY:?}:\n{}", self.name, self.log_tail())
    }

    /// Asks until it is ready.
    ///
    /// # Errors
    /// When it ends or takes too long.
    pub fn ready(&mut self, mut is_ready: impl FnMut() -> bool) -> anyhow::Result<()> {
        let late = Instant::now() + READY;
        while Instant::now() < late {
            if is_ready() {
                return Ok(());
            }
            self.lives()?;
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("{} is not ready after {READY:?}:\n{}", self.name, self.log_tail())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it does not; with the end of its log.
    pub fn lives(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}):\n{}", self.name, self.log_tail()),
        }
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = Pid::from_raw(self.id().cast_signed()).context("a process id")?;
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Asks it to end and waits; kills it when it takes too long.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        // One that is gone already has nothing to be asked.
        let _gone = self.signal(self.goodbye);
        let late = Instant::now() + GOODBYE;
        while Instant::now() < late {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Ends it by this signal, which it must obey, and waits.
    ///
    /// # Errors
    /// When it does not end.
    pub fn end(&mut self, signal: Signal) -> anyhow::Result<ExitStatus> {
        self.signal(signal)?;
        let late = Instant::now() + GOODBYE;
        while Instant::now() < late {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("{} runs on {GOODBYE:?} after {signal:?}:\n{}", self.name, self.log_tail())
    }

    fn log_tail(&self) -> String {
        const SHOWN: usize = 20;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // One that was stopped hears nothing.
            let _awake = self.signal(Signal::CONT);
            // PostgreSQL's children end with it when it is asked, and live on when it is killed.
            let asked = self.signal(self.goodbye);
            let late = Instant::now() + Duration::from_secs(5);
            while asked.is_ok()
                && Instant::now() < late
                && matches!(self.child.try_wait(), Ok(None))
            {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails; with what it said.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output();
    let done = done.with_context(|| format!("cannot start {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !done.status.success() {
        bail!("{name} failed ({}):\n{}{}", done.status, text(&done.stdout), text(&done.stderr));
    }
    Ok(text(&done.stdout))
}

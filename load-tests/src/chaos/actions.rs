//! What is done to the house, one action after another, while the sale goes on.

use anyhow::{Context, ensure};
use rustix::process::Signal;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{
    house::House,
    ledger,
    plan::{Action, Step},
    proxy::Cut,
    sale::{Broken, Sale},
    stranded::Watch,
};

/// Orders after an action before the sale counts as going on.
const GOES_ON: u64 = 20;

/// How long it may take until it does.
const RESUMES: Duration = Duration::from_secs(60);

/// How long the others may take to fence a frozen replica. Its lease is four seconds.
const FENCED: Duration = Duration::from_secs(30);

/// Longest time that a server which was taken away stays away.
const AWAY: Duration = Duration::from_secs(1);

/// Who does it.
pub struct Hands {
    /// The house.
    pub house: House,
    /// The sale in it.
    pub sale: Arc<Sale>,
    /// Where questions run.
    pub runtime: Handle,
    /// Watches what the dead leave behind.
    pub watch: Watch,
    /// Lifetimes that were killed. Until they are fenced the ledger thinks they live, under the name
    /// of the process that took their place.
    pub killed: BTreeSet<Uuid>,
    /// How long the sale took to go on after each action, the longest of each kind.
    pub resumed: BTreeMap<Action, Vec<Duration>>,
}

impl Hands {
    /// Lets the sale go on for a moment, does what the step says, and waits until the sale goes on.
    ///
    /// # Errors
    /// When it cannot be done: then nothing was tried, and the run says so.
    pub fn take(&mut self, step: Step) -> anyhow::Result<()> {
        std::thread::sleep(step.pause);
        let at = step.victim % self.house.replicas.len();
        let done = match step.action {
            Action::Kill => self.kill(at),
            Action::Freeze => self.freeze(at),
            Action::RestartFast => self.restart(Signal::INT, step),
            Action::RestartImmediate => self.restart(Signal::QUIT, step),
            Action::FlushRedis => self.house.caches.flush(),
            Action::KillRedis => self.kill_redis(step),
            Action::CutCommit => self.cut(step),
            Action::Add => self.house.add(),
            Action::Drain => self.drain(at),
        };
        done.with_context(|| format!("{}", step.action))?;
        let since = Instant::now();
        self.goes_on(step.action);
        self.resumed.entry(step.action).or_default().push(since.elapsed());
        Ok(())
    }

    /// Waits until orders are acknowledged again.
    pub fn goes_on(&self, after: impl std::fmt::Display) {
        let (goal, late) = (self.sale.orders() + GOES_ON, Instant::now() + RESUMES);
        while self.sale.orders() < goal {
            if Instant::now() > late {
                let what = format!("the sale does not go on within {RESUMES:?} after {after}");
                return self.sale.breaks(Broken::Other, what);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn holders(&self, at: usize) -> anyhow::Result<Vec<Uuid>> {
        let (url, name) = (self.house.ledger(), &self.house.replicas[at].name);
        let mut live = self
            .runtime
            .block_on(async { ledger::live_holders(&ledger::connect(&url).await?, name).await })?;
        live.retain(|holder| !self.killed.contains(holder));
        Ok(live)
    }

    fn kill(&mut self, at: usize) -> anyhow::Result<()> {
        let holders = self.holders(at)?;
        self.house.replicas[at].service.process.end(Signal::KILL)?;
        self.killed.extend(&holders);
        self.watch.begin(holders, Instant::now());
        self.house.replace(at)
    }

    /// Stops a replica until the others have declared it dead; then it goes on where it was.
    fn freeze(&mut self, at: usize) -> anyhow::Result<()> {
        let holders = self.holders(at)?;
        ensure!(!holders.is_empty(), "a replica that runs is no holder");
        self.house.replicas[at].service.process.signal(Signal::STOP)?;
        let url = self.house.ledger();
        let late = Instant::now() + FENCED;
        let fenced = self.runtime.block_on(async {
            let client = ledger::connect(&url).await?;
            while ledger::still_live(&client, &holders).await? > 0 {
                ensure!(Instant::now() < late, "not fenced within {FENCED:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        });
        self.house.replicas[at].service.process.signal(Signal::CONT)?;
        fenced
    }

    fn restart(&mut self, signal: Signal, step: Step) -> anyhow::Result<()> {
        self.house.postgres.end(signal)?;
        std::thread::sleep(away(step));
        self.house.postgres.start_again()
    }

    fn kill_redis(&mut self, step: Step) -> anyhow::Result<()> {
        let nodes = &mut self.house.caches.nodes;
        let at = step.victim % nodes.len();
        nodes[at].process().end(Signal::KILL)?;
        std::thread::sleep(away(step));
        nodes[at].start_again()
    }

    /// Mostly the answer to a COMMIT is lost, sometimes the COMMIT itself.
    fn cut(&self, step: Step) -> anyhow::Result<()> {
        let cut = if step.luck.is_multiple_of(4) { Cut::Commit } else { Cut::Answer };
        self.house.proxy.cut(cut, 1 + step.luck / 4 % 6)
    }

    /// A replica that is told to go gives its units back before it has gone.
    fn drain(&mut self, at: usize) -> anyhow::Result<()> {
        let holders = self.holders(at)?;
        self.house.drain(at)?;
        let url = self.house.ledger();
        let left = self
            .runtime
            .block_on(async { ledger::stranded(&ledger::connect(&url).await?, &holders).await })?;
        if left != 0 {
            let what = format!("{left} units stayed with a replica that was told to go");
            self.sale.breaks(Broken::Other, what);
        }
        Ok(())
    }
}

fn away(step: Step) -> Duration {
    AWAY.mul_f64(f64::from(step.luck) / f64::from(u32::MAX))
}

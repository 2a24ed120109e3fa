//! The ledger: a server that locks, judges with the real judge, and commits, each in its own time.
//!
//! A call that has left arrives though its caller is frozen or dead. A commit whose outcome is told
//! as unknown may have happened, may never, may happen later while its locks are held, or may be
//! judged and committed later still, after the same ids were sent again.

use doorbuster::{
    base::{GrantId, HolderId, Sku, Timestamp},
    ledger::{
        BatchReply, CommitFault, Entry, Fact, LedgerFault, LedgerRefused,
        changes::Changes,
        judge::judge,
        known::{Judged, Known},
        row::AttemptState,
        world::{Ask, World},
    },
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    chaos::Chaos,
    locks::{Hold, Locks, Row},
    sabotage::Sabotage,
    tables::Tables,
};

/// The ledger all replicas share.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) chaos: Arc<Chaos>,
    pub(crate) tables: Arc<Mutex<Tables>>,
    locks: Arc<Locks>,
    /// What the process whose handle this is knows.
    pub(crate) known: Arc<Mutex<Known>>,
    /// The replica whose handle this is, and how it dies.
    pub(crate) sender: Option<(usize, mpsc::UnboundedSender<usize>)>,
}

/// How a commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Answered,
    /// Committed; the answer is lost.
    Unanswered,
    /// The connection breaks before the server has it.
    Dropped,
    /// The server commits, or gives up, long after the caller was told nothing.
    Lingers {
        commits: bool,
    },
    /// The server begins long after the caller was told nothing.
    Delayed,
}

pub(crate) fn unreachable(why: &str) -> LedgerFault {
    LedgerFault::Unreachable(why.to_owned())
}

/// Runs outside of every replica, as a server does.
#[expect(
    clippy::disallowed_methods,
    reason = "a server belongs to no replica; it ends with the run"
)]
pub(crate) fn elsewhere(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

impl Ledger {
    pub(crate) fn new(chaos: Arc<Chaos>) -> Self {
        Self {
            chaos,
            tables: Arc::default(),
            locks: Arc::default(),
            known: Arc::default(),
            sender: None,
        }
    }

    /// A question to the rows as they stand when it arrives.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Tables) -> T + Send + 'static,
    ) -> Result<T, LedgerFault> {
        if self.chaos.strikes(self.chaos.plan.rates.unreachable) {
            return Err(unreachable("the simulated ledger is away"));
        }
        let (reply, answer) = oneshot::channel();
        let ledger = self.clone();
        let there = self.way();
        elsewhere(async move {
            tokio::time::sleep(there).await;
            let _gone = reply.send(question(&mut ledger.tables.lock().unwrap()));
        });
        answer.await.map_err(|_| unreachable("the simulated ledger went away"))
    }

    /// How long a message takes.
    fn way(&self) -> Duration {
        if self.chaos.strikes(self.chaos.plan.rates.slow) {
            return self.chaos.between(200, 3000);
        }
        self.chaos.between(0, 2)
    }

    fn ending(&self, batch: &[Entry]) -> Result<Ending, CommitFault> {
        let rates = self.chaos.plan.rates;
        if self.chaos.strikes(rates.unreachable) {
            return Err(unreachable("the simulated ledger is away").into());
        }
        if self.chaos.strikes(rates.again) {
            return Err(CommitFault::Again("a simulated deadlock".into()));
        }
        if batch.len() > 1 && self.chaos.strikes(rates.broken) {
            return Err(LedgerFault::Broken("a simulated poison".into()).into());
        }
        if !self.chaos.strikes(rates.unknown) {
            return Ok(Ending::Answered);
        }
        Ok(match self.chaos.below(5) {
            0 => Ending::Unanswered,
            1 => Ending::Dropped,
            2 => Ending::Lingers { commits: true },
            3 => Ending::Lingers { commits: false },
            _ => Ending::Delayed,
        })
    }

    /// Commits a batch on known rows where it can be, else under lock: as PostgreSQL's store does.
    pub(crate) async fn send(
        &self,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, CommitFault> {
        let known = || self.known.lock().unwrap();
        let judged = known().judge(batch, now).filter(|_| !self.chaos.is(Sabotage::AnswerEarly));
        if judged.is_some() {
            match self.dispatch(batch, now, judged).await {
                Ok(Some((reply, changes))) => {
                    known().learn(&changes, &reply, now);
                    return Ok(reply);
                }
                Ok(None) => known().forget(batch),
                Err(fault) => {
                    known().forget(batch);
                    return Err(fault);
                }
            }
        }
        let done = self.dispatch(batch, now, None).await?;
        let (reply, changes) = done.expect("nothing is taken for known under lock");
        known().learn(&changes, &reply, now);
        Ok(reply)
    }

    /// Sends a batch off; the reply comes, or does not.
    async fn dispatch(
        &self,
        batch: &[Entry],
        now: Timestamp,
        judged: Option<Judged>,
    ) -> Result<Served, CommitFault> {
        let ending = self.ending(batch)?;
        if ending != Ending::Answered && self.chaos.strikes(self.chaos.plan.dies_committing) {
            // The process dies with its commit under way.
            let _over = self.sender.as_ref().map(|(number, doomed)| doomed.send(*number));
        }
        let (reply, answer) = oneshot::channel();
        let sent = Sent { batch: batch.to_vec(), now, judged };
        let ledger = self.clone();
        let (there, back) = (self.way(), self.way());
        elsewhere(async move {
            tokio::time::sleep(there).await;
            let outcome = ledger.serve(&sent, ending, reply).await;
            if let Some((reply, outcome)) = outcome {
                tokio::time::sleep(back).await;
                let _gone = reply.send(outcome);
            }
        });
        let unknown = |_| CommitFault::Unknown("the simulated connection broke".into());
        answer.await.map_err(unknown)?
    }

    /// The server's side of a commit. Gives the reply back when there is one to send.
    async fn serve(
        &self,
        sent: &Sent,
        ending: Ending,
        reply: Replier,
    ) -> Option<(Replier, Result<Served, CommitFault>)> {
        let chaos = &self.chaos;
        if ending != Ending::Answered {
            let first = sent.batch.first().map(|entry| entry.id.clone());
            chaos.tell(|| format!("{ending:?} of {} from {first:?}", sent.batch.len()));
        }
        match ending {
            Ending::Answered if chaos.is(Sabotage::AnswerEarly) => {
                self.answer_early(sent, reply).await;
                None
            }
            Ending::Answered => {
                let outcome = match self.transact(sent, Duration::ZERO, true).await {
                    Some(done) => Ok(done),
                    None => Err(unreachable("the simulated ledger waits for a row").into()),
                };
                Some((reply, outcome))
            }
            Ending::Dropped => None,
            Ending::Unanswered => {
                self.transact(sent, Duration::ZERO, true).await;
                drop(reply);
                None
            }
            Ending::Lingers { commits } => {
                let linger = chaos.between(50, 12_000);
                tokio::join!(
                    self.transact(sent, linger, commits),
                    hang_up(reply, chaos.between(10, 1000))
                );
                None
            }
            Ending::Delayed => {
                hang_up(reply, chaos.between(1, 500)).await;
                tokio::time::sleep(chaos.between(1, 12_000)).await;
                self.transact(sent, Duration::ZERO, true).await;
                None
            }
        }
    }

    /// Locks, judges, waits with the locks in hand, applies. `None` when a row could not be had;
    /// nothing is served when a row is not as it was known.
    async fn transact(&self, sent: &Sent, linger: Duration, commits: bool) -> Option<Served> {
        let Sent { batch, now, judged } = sent;
        let ask = Ask::of(batch, *now);
        let hold = self.locks.batch(&ask, &self.tables).await?;
        let (reply, changes) = match judged {
            Some(judged) => {
                let tables = self.tables.lock().unwrap();
                let judged = tables.bear_out(judged, &self.chaos).then(|| judged.clone());
                self.chaos.tell(|| format!("known: {}", judged.is_some()));
                let Some(judged) = judged else { return Some(None) };
                let judged = tables.settle_guesses(judged);
                (judged.reply, judged.changes)
            }
            None => {
                let tables = self.tables.lock().unwrap();
                let world = self.sabotaged(tables.seen(&ask), batch);
                let (reply, changes) = judge(world, batch, *now);
                self.check_refusals(&tables, batch, &reply, *now);
                (reply, changes)
            }
        };
        let answered = batch
            .iter()
            .zip(&reply.outcomes)
            .filter(|(entry, outcome)| commits && entry.resubmitted && outcome.is_err());
        let refused: Vec<_> = answered.map(|(entry, _)| entry.id.clone()).collect();
        // Others commit in between what these locks leave free.
        tokio::time::sleep(linger + self.chaos.between(0, 1)).await;
        if commits && !changes.is_empty() {
            self.commit(batch, &reply, changes.clone(), &hold);
        }
        self.tables.lock().unwrap().refused.extend(refused);
        drop(hold);
        Some(Some((reply, changes)))
    }

    fn commit(&self, batch: &[Entry], reply: &BatchReply, changes: Changes, hold: &Hold) {
        for (entry, outcome) in batch.iter().zip(&reply.outcomes) {
            self.chaos.tell(|| format!("{:?} {outcome:?}", entry.id));
        }
        let mut tables = self.tables.lock().unwrap();
        for (entry, outcome) in batch.iter().zip(&reply.outcomes) {
            if outcome.is_ok() && tables.refused.contains(&entry.id) {
                self.chaos.wrong(format!("{:?} was refused, and is accepted now", entry.id));
            }
        }
        if let Err(broken) = tables.apply(changes, &self.chaos) {
            self.chaos.wrong(broken);
        }
        let skus = hold.rows.iter().filter_map(|row| match row {
            Row::Sku(sku) => Some(sku),
            _ => None,
        });
        for sku in skus {
            if let Err(broken) = tables.check(sku) {
                self.chaos.wrong(broken);
            }
        }
    }

    /// "Sold out" and "not enough" must be the truth. Told of lone entries alone: within a batch
    /// the neighbors before it count as well.
    fn check_refusals(&self, tables: &Tables, batch: &[Entry], reply: &BatchReply, now: Timestamp) {
        let ([entry], [Err(LedgerRefused::Short(short))]) = (batch, &reply.outcomes[..]) else {
            return;
        };
        let Fact::Session(write) = &entry.fact else { return };
        if tables.entries.contains_key(&entry.id) {
            return;
        }
        for short in short {
            let held = tables.holds.get(&(write.checkout, short.sku.clone()));
            let covered = held.map_or(0, |hold| i64::from(hold.quantity));
            let could = tables.reachable(&short.sku, write.checkout, now) + covered;
            if could != i64::from(short.available) || could >= i64::from(short.wanted) {
                self.chaos.wrong(format!("told {short:?}, and could have had {could}"));
            }
        }
    }

    /// What the judge is shown when a rule is broken on purpose.
    fn sabotaged(&self, mut world: World, batch: &[Entry]) -> World {
        match self.chaos.sabotage {
            Some(Sabotage::ConsumeFromClosed) => {
                world.grants.iter_mut().for_each(|grant| grant.active = true);
            }
            Some(Sabotage::ExpirePinned) => {
                if batch.iter().all(|entry| matches!(entry.fact, Fact::Expire(_))) {
                    world.holds.iter_mut().for_each(|hold| hold.pinned_by = None);
                }
            }
            Some(Sabotage::ForgetEntries) => world.entries.clear(),
            Some(Sabotage::SettleTwice) => {
                for attempt in &mut world.attempts {
                    attempt.state = AttemptState::Pending;
                }
            }
            Some(
                Sabotage::AnswerEarly
                | Sabotage::FenceInOneStatement
                | Sabotage::ForgetRefusals
                | Sabotage::Storm
                | Sabotage::TrustMemory,
            )
            | None => {}
        }
        world
    }

    /// Broken on purpose: what the judge says leaves at once, and half of the commits fail.
    async fn answer_early(&self, sent: &Sent, reply: Replier) {
        let ask = Ask::of(&sent.batch, sent.now);
        let judged = {
            let tables = self.tables.lock().unwrap();
            judge(tables.seen(&ask), &sent.batch, sent.now)
        };
        let _gone = reply.send(Ok(Some(judged)));
        let lost = self.chaos.strikes(50);
        self.transact(sent, Duration::ZERO, !lost).await;
    }

    /// Fences a holder, as the databases do: its row first, its grants in the next statement.
    pub(crate) async fn fence(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault> {
        let (reply, answer) = oneshot::channel();
        let (ledger, there) = (self.clone(), self.way());
        if self.chaos.strikes(self.chaos.plan.rates.unreachable) {
            return Err(unreachable("the simulated ledger is away"));
        }
        elsewhere(async move {
            tokio::time::sleep(there).await;
            let closed = ledger.close_all(holder, stale_before).await;
            let late = || unreachable("the simulated ledger waits for a row");
            let _gone = reply.send(closed.ok_or_else(late));
        });
        answer.await.map_err(|_| unreachable("the simulated ledger went away"))?
    }

    async fn close_all(&self, holder: HolderId, stale_before: Timestamp) -> Option<Vec<GrantId>> {
        let seen = || self.tables.lock().unwrap().grants_of(holder);
        let early = self.chaos.is(Sabotage::FenceInOneStatement).then(seen);
        let row = self.locks.holder(holder).await?;
        let stale = {
            let tables = self.tables.lock().unwrap();
            let found = tables.lifetimes.get(&holder);
            found.is_some_and(|one| one.live && one.heartbeat < stale_before)
        };
        if !stale {
            return Some(Vec::new());
        }
        tokio::time::sleep(self.chaos.between(0, 3)).await;
        // The second statement, with a snapshot that sees a grant taken while the first one waited.
        let skus = || early.clone().unwrap_or_else(seen).into_iter().map(|(_, sku)| sku).collect();
        let stock = self.locks.skus(skus).await?;
        let mut tables = self.tables.lock().unwrap();
        let closes = early.clone().unwrap_or_else(|| tables.grants_of(holder));
        let closed = tables.close(&closes);
        if let Some(one) = tables.lifetimes.get_mut(&holder) {
            one.live = false;
        }
        self.chaos.tell(|| format!("fenced {holder}: {closed:?}"));
        let left = tables.grants_of(holder);
        if !left.is_empty() {
            self.chaos.wrong(format!("{holder} is dead and has {left:?}"));
        }
        for (_, sku) in &closes {
            if let Err(broken) = tables.check(sku) {
                self.chaos.wrong(broken);
            }
        }
        drop((tables, stock, row));
        Some(closed)
    }
}

/// What a commit came to; nothing when a row was not as it was known.
type Served = Option<(BatchReply, Changes)>;

type Replier = oneshot::Sender<Result<Served, CommitFault>>;

/// A batch on its way.
struct Sent {
    batch: Vec<Entry>,
    now: Timestamp,
    /// How it was judged, when that was on known rows.
    judged: Option<Judged>,
}

/// The connection breaks after a while.
async fn hang_up(reply: Replier, after: Duration) {
    tokio::time::sleep(after).await;
    drop(reply);
}

impl Tables {
    fn grants_of(&self, holder: HolderId) -> BTreeSet<(GrantId, Sku)> {
        let own = self.grants.values().filter(|grant| grant.active && grant.holder == holder);
        own.map(|grant| (grant.id, grant.sku.clone())).collect()
    }

    fn close(&mut self, grants: &BTreeSet<(GrantId, Sku)>) -> Vec<GrantId> {
        let mut closed = Vec::new();
        for (id, sku) in grants {
            let Some(grant) = self.grants.get_mut(id).filter(|grant| grant.active) else {
                continue;
            };
            grant.active = false;
            let left = grant.granted - grant.consumed;
            if let Some(row) = self.stock.get_mut(sku) {
                row.unallocated += left;
            }
            closed.push(*id);
        }
        closed
    }
}

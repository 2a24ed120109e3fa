//! The ledger writer: one task that commits what is queued, in groups.
//!
//! There is no timer. One waiting fact commits alone at once; while a commit is under way the next
//! group forms. So a lone request pays one commit, and a thousand share one.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span, field};

use super::{
    entry::Entry,
    keyed,
    outcome::{BatchReply, Outcome},
    store::{Commit, CommitFault, LedgerFault},
};
use crate::{base::Clock, telemetry::metrics};

/// Facts in one commit. Beyond, a longer transaction gains little and holds its locks for longer.
const BATCH_MAX: usize = 256;

/// Facts that wait. The door admits fewer requests than this; background work makes up the rest.
pub const QUEUE_BOUND: usize = 8192;

/// How often a batch that met another is judged again before its entries go one by one.
const AGAIN_MAX: u32 = 8;

/// The first pause after a fault; doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(5);

/// The longest pause between two tries: a database that is back is noticed within it.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Hears every batch's reply before its entries are answered, so that memory learns of grants
/// first.
pub type Heard = Arc<dyn Fn(&BatchReply) + Send + Sync>;

struct Queued {
    entry: Entry,
    caller: Caller,
}

/// Who waits for an entry.
struct Caller {
    reply: oneshot::Sender<Result<Outcome, LedgerFault>>,
    /// What the log knows of them.
    span: Span,
}

#[derive(Debug, Default)]
struct Gauges {
    depth: AtomicUsize,
    /// Microseconds spent committing since the share was last taken.
    busy_micros: AtomicU64,
    /// When the share was last taken, in microseconds.
    share_taken: AtomicI64,
    /// Whether a commit of unknown outcome is being settled: until then nothing new is promised.
    unsettled: AtomicBool,
}

/// A handle to the writer. Cheap to clone; the task ends when every handle is gone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Queued>,
    gauges: Arc<Gauges>,
    clock: Arc<dyn Clock>,
}

impl Writer {
    /// The handle and the task. Whoever composes the service spawns the task and awaits its end.
    pub fn new(
        store: Arc<dyn Commit>,
        clock: Arc<dyn Clock>,
        heard: Heard,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, inbox) = mpsc::channel(QUEUE_BOUND);
        let gauges = Arc::new(Gauges::default());
        let handle = Self { queue, gauges: gauges.clone(), clock: clock.clone() };
        let task = Task { store, clock, heard, inbox, gauges, carried: VecDeque::new() };
        (handle, task.run())
    }

    /// Writes one fact and waits until it is durable or refused. When the caller goes away the fact
    /// is written all the same.
    ///
    /// # Errors
    /// When the fact is known not to be written: the ledger cannot be reached, or the fact breaks a
    /// constraint no rule foresaw.
    pub async fn write(&self, entry: Entry) -> Result<Outcome, LedgerFault> {
        if self.gauges.unsettled.load(Ordering::Relaxed) {
            return Err(unreachable("the last commit's outcome is still unknown"));
        }
        if keyed::is_open() {
            let why = "a fact of the ledger is no part of a slice's change, and commits alone";
            return Err(LedgerFault::Broken(why.to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        let _waiting = Waiting::on(&self.gauges.depth);
        let caller = Caller { reply, span: Span::current() };
        let sent = self.queue.send(Queued { entry, caller }).await;
        sent.map_err(|_| unreachable("the ledger writer has stopped"))?;
        answer.await.map_err(|_| unreachable("the ledger writer has stopped"))?
    }

    /// The share of the time since this was last asked that went into commits, 0 to 1.
    pub fn take_busy_share(&self) -> f64 {
        let now = self.clock.now().micros();
        let since = self.gauges.share_taken.swap(now, Ordering::Relaxed);
        let busy = self.gauges.busy_micros.swap(0, Ordering::Relaxed);
        let passed = now.saturating_sub(since).max(1);
        (busy as f64 / passed as f64).min(1.0)
    }

    /// Facts queued or being committed.
    pub fn depth(&self) -> usize {
        self.gauges.depth.load(Ordering::Relaxed)
    }
}

/// Counts one who waits, for as long as they do: a caller may go away at any moment.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn on(depth: &'a AtomicUsize) -> Self {
        depth.fetch_add(1, Ordering::Relaxed);
        Self(depth)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unreachable(why: &str) -> LedgerFault {
    LedgerFault::Unreachable(why.to_owned())
}

struct Task {
    store: Arc<dyn Commit>,
    clock: Arc<dyn Clock>,
    heard: Heard,
    inbox: mpsc::Receiver<Queued>,
    gauges: Arc<Gauges>,
    /// Entries whose checkout already had one in the batch before.
    carried: VecDeque<Queued>,
}

impl Task {
    async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            self.settle(batch).await;
        }
    }

    /// Everything that waits, up to the bound, at most one entry per checkout.
    async fn next_batch(&mut self) -> Option<Vec<Queued>> {
        let first = match self.carried.pop_front() {
            Some(carried) => carried,
            None => self.inbox.recv().await?,
        };
        let mut checkouts: HashSet<_> = first.entry.checkout().into_iter().collect();
        let mut batch = vec![first];
        let mut waiting = std::mem::take(&mut self.carried);
        while batch.len() < BATCH_MAX {
            let Some(next) = waiting.pop_front().or_else(|| self.inbox.try_recv().ok()) else {
                break;
            };
            match next.entry.checkout() {
                Some(checkout) if !checkouts.insert(checkout) => self.carried.push_back(next),
                _ => batch.push(next),
            }
        }
        self.carried.append(&mut waiting);
        Some(batch)
    }

    /// Commits a batch and answers each entry; one that poisons it is found by going one by one.
    async fn settle(&mut self, batch: Vec<Queued>) {
        let (mut entries, callers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.entry, queued.caller)).unzip();
        let span = commit_span(&callers);
        match self.commit(&mut entries).instrument(span).await {
            Ok(outcomes) => {
                tell_committed(&entries, &callers);
                answer(callers, outcomes.into_iter().map(Ok));
            }
            Err(LedgerFault::Broken(_)) if entries.len() > 1 => {
                for (entry, caller) in entries.into_iter().zip(callers) {
                    let mut alone = [entry];
                    let outcome = self.commit(&mut alone).instrument(caller.span.clone()).await;
                    let outcome = outcome.and_then(|mut outcomes| {
                        outcomes.pop().ok_or_else(|| LedgerFault::Broken("no outcome".into()))
                    });
                    answer(vec![caller], [outcome]);
                }
            }
            Err(fault) => {
                if let (LedgerFault::Broken(why), Some(caller)) = (&fault, callers.first()) {
                    let id = entries.first().map(|entry| field::debug(&entry.id));
                    caller.span.in_scope(|| {
                        tracing::error!(entry.id = id, why, "a ledger entry failed");
                    });
                }
                let answers = std::iter::repeat_n(Err(fault), callers.len());
                answer(callers, answers);
            }
        }
    }

    /// Commits until the outcome is known. Once a commit's outcome was unknown the same ids are
    /// sent again, marked, until the ledger answers: a look-up alone could miss a backend still
    /// committing.
    async fn commit(&mut self, entries: &mut [Entry]) -> Result<Vec<Outcome>, LedgerFault> {
        let (mut pause, mut again) = (PAUSE, 0);
        loop {
            let resubmitted = entries.iter().any(|entry| entry.resubmitted);
            let began = self.clock.now();
            let committed = self.store.commit(entries, began).await;
            let took = self.clock.now().since(began);
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.gauges.busy_micros.fetch_add(micros, Ordering::Relaxed);
            metrics::ledger_committed(entries.len(), took);
            if matches!(committed, Err(CommitFault::Again(_))) {
                metrics::ledger_retried();
            }
            match committed {
                Ok(reply) => {
                    self.gauges.unsettled.store(false, Ordering::Relaxed);
                    (self.heard)(&reply);
                    return Ok(reply.outcomes);
                }
                Err(CommitFault::Again(_)) if again < AGAIN_MAX => again += 1,
                Err(CommitFault::Again(why)) => {
                    // Alone, an entry goes on trying: somebody else makes progress each time.
                    if entries.len() > 1 && !resubmitted {
                        return Err(LedgerFault::Broken(why));
                    }
                }
                Err(CommitFault::Unknown(why)) => {
                    metrics::ledger_commit_unknown();
                    tracing::warn!(
                        why,
                        "a commit's outcome is unknown; sending the same ids again"
                    );
                    self.gauges.unsettled.store(true, Ordering::Relaxed);
                    entries.iter_mut().for_each(|entry| entry.resubmitted = true);
                }
                Err(CommitFault::Fault(LedgerFault::Unreachable(why))) if resubmitted => {
                    tracing::warn!(
                        why,
                        "the ledger is unreachable; a commit's outcome stays unknown"
                    );
                }
                Err(CommitFault::Fault(fault)) => {
                    self.gauges.unsettled.store(false, Ordering::Relaxed);
                    return Err(fault);
                }
            }
            self.refuse_waiting();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// While a commit's outcome is unknown, those who wait are told so instead of waiting.
    fn refuse_waiting(&mut self) {
        if !self.gauges.unsettled.load(Ordering::Relaxed) {
            return;
        }
        let carried = std::mem::take(&mut self.carried);
        let inbox = std::iter::from_fn(|| self.inbox.try_recv().ok());
        for queued in carried.into_iter().chain(inbox) {
            let fault = unreachable("the last commit's outcome is still unknown");
            answer(vec![queued.caller], [Err(fault)]);
        }
    }
}

/// What the log knows of one commit, which follows from whatever its entries are for.
fn commit_span(callers: &[Caller]) -> Span {
    let span = tracing::debug_span!(parent: None, "commit", entries = callers.len());
    for caller in callers {
        span.follows_from(&caller.span);
    }
    span
}

/// Notes each entry where it is asked for: from here on the request that waits finds it durable.
fn tell_committed(entries: &[Entry], callers: &[Caller]) {
    for (entry, caller) in entries.iter().zip(callers) {
        let (id, together) = (&entry.id, entries.len());
        // Entered, and not named as the parent: only then does JSON show the spans above it.
        caller.span.in_scope(|| {
            tracing::debug!(entry.id = ?id, entries = together, "committed");
        });
    }
}

/// Answers each in turn; one who has gone away is no failure.
fn answer(callers: Vec<Caller>, outcomes: impl IntoIterator<Item = Result<Outcome, LedgerFault>>) {
    for (caller, outcome) in callers.into_iter().zip(outcomes) {
        let _gone = caller.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests;

//! The keeper's rounds: what must happen though nobody asks for it.

use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

use super::{lapses::Lapses, registry::Carts};
use crate::{
    base::{CheckoutId, Sku, Timestamp},
    checkout::{Checkout, CheckoutRefused, CrashPoint},
    fraud::cases::Cases,
    ledger::{Done, Entry, EntryId, Fact, LedgerFault, entry::Expire, store::RetainSince},
    telemetry::metrics::{self, HoldResult, Swept},
};

/// Rows in one look and in one commit, of each kind: nobody waits long behind either. What is due
/// beyond them follows at once.
const PAGE: u32 = 500;

/// Carts that look after themselves at once: one whose gateway is slow does not hold up the rest.
const TENDED_AT_ONCE: usize = 16;

/// Between two pages the purge rests for as many times as long as the page took: half of the time
/// when nobody writes, a tenth of it when the ledger has work. A page takes some milliseconds, so
/// that is still thousands of rows a second, more than any shop writes.
const PURGE_REST: u32 = 1;
/// The same, while facts wait to be written.
const PURGE_REST_BUSY: u32 = 9;

/// A debt the collector has not got to by then is handed to it again.
const DEBT_AGE: Duration = Duration::from_secs(10);

/// How long what is kept only for a while is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Idempotency keys.
    pub keys: Duration,
    /// Sessions that ended without an order.
    pub sessions: Duration,
    /// Sent events.
    pub events: Duration,
    /// Network addresses, devices and instruments of sessions that ended.
    pub raw_signals: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Self { keys: days(30), sessions: days(7), events: days(14), raw_signals: days(90) }
    }
}

/// Makes the rounds.
pub struct Keeper {
    /// The checkout.
    pub desk: Arc<Checkout>,
    /// The live carts.
    pub carts: Arc<Carts>,
    /// Orders in review, where the ledger's database keeps them.
    pub cases: Option<Cases>,
    /// What is kept for how long.
    pub retention: Retention,
    /// Turns `true` when the service stops: what goes on until nothing is due ends then.
    pub stop: watch::Receiver<bool>,
    /// How far authorizations have been looked after.
    pub lapses: Lapses,
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Overdue payment attempts looked after.
    pub attempts: usize,
    /// Watched attempts asked about.
    pub watched: usize,
    /// Debts handed to the collector again.
    pub debts: usize,
    /// Sessions ended.
    pub sessions: usize,
    /// Reviews ended by time.
    pub cases: usize,
    /// Authorizations told that expire, or let go that lapsed.
    pub authorizations: usize,
}

impl Keeper {
    /// The quick round, every second or so: money that waits, and carts whose time is over.
    ///
    /// # Errors
    /// When the ledger cannot be read; the next round tries again.
    pub async fn round(&self) -> Result<Round, LedgerFault> {
        let began = self.desk.now();
        let done = self.look_after_what_waits(began).await;
        metrics::sweep(done.is_ok(), self.desk.now().since(began));
        if done.is_err() {
            metrics::reconciler_fault();
        }
        done
    }

    async fn look_after_what_waits(&self, now: Timestamp) -> Result<Round, LedgerFault> {
        let store = &self.desk.store;
        let mut round = Round::default();
        let overdue = store.list_overdue_attempts(now, PAGE).await?;
        round.attempts = overdue.len();
        self.tend_all(overdue.into_iter().map(|attempt| attempt.checkout).collect()).await;
        for due in store.list_due_operations(now.minus(DEBT_AGE), PAGE).await? {
            self.desk.collector.collect(due);
            round.debts += 1;
        }
        metrics::reconciler_pending(round.attempts);
        round.sessions = self.end_expired_sessions(now).await?;
        round.cases = self.expire_cases(now).await?;
        round.authorizations = self.lapses.look_after(&self.desk, now).await?;
        Ok(round)
    }

    /// Ends sessions whose time is over until none is left.
    async fn end_expired_sessions(&self, now: Timestamp) -> Result<usize, LedgerFault> {
        let mut ended = 0;
        loop {
            let page = self.desk.store.list_expired_sessions(now, PAGE).await?;
            let (seen, done) = (page.len(), self.tend_all(page).await);
            metrics::swept(Swept::ExpiredSessions, done as u64);
            ended += done;
            if seen < PAGE as usize || done == 0 || self.is_stopping() {
                return Ok(ended);
            }
        }
    }

    /// Gives lapsed holds back until none is left, each page in a commit of its own. Returns how
    /// many. Units that wait here are off sale, so nothing else is done on this round.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round tries again.
    pub async fn free_lapsed_holds(&self) -> Result<usize, LedgerFault> {
        let mut freed = 0;
        loop {
            let holds = self.desk.store.list_expired_holds(self.desk.now(), PAGE).await?;
            let (seen, ended) = (holds.len(), self.expire(holds).await?);
            metrics::swept(Swept::Holds, ended as u64);
            freed += ended;
            // Where none of a full page had lapsed any more, another replica is at it.
            if seen < PAGE as usize || ended == 0 || self.is_stopping() {
                return Ok(freed);
            }
        }
    }

    /// Gives holds back. Whether each has still lapsed is judged again under the lock.
    async fn expire(&self, holds: Vec<(CheckoutId, Sku)>) -> Result<usize, LedgerFault> {
        if holds.is_empty() {
            return Ok(0);
        }
        self.desk.probe.reach(CrashPoint::InSweep);
        let now = self.desk.now();
        let id = EntryId::of(format_args!("expire/{}", CheckoutId::new(now, &*self.desk.chance)));
        let fact = Fact::Expire(Expire { holds, now });
        let outcome = self.desk.writer.write(Entry::new(id, fact)).await?;
        tracing::debug!(?outcome, "gave lapsed holds back");
        let Ok(Done::Ended { count }) = outcome else { return Ok(0) };
        (0..count).for_each(|_| metrics::hold(HoldResult::Expired));
        Ok(count as usize)
    }

    /// The slow round, every minute or so: late authorizations.
    ///
    /// # Errors
    /// When the ledger cannot be read; the next round tries again.
    pub async fn slow_round(&self) -> Result<Round, LedgerFault> {
        let now = self.desk.now();
        let mut round = Round::default();
        let mut cursor = None;
        loop {
            let page = self.desk.store.list_watched_attempts(now, cursor, PAGE).await?;
            let Some(last) = page.last() else { return Ok(round) };
            cursor = Some(last.id);
            for attempt in &page {
                log(attempt.checkout, self.desk.watch(attempt).await);
                round.watched += 1;
            }
        }
    }

    /// Removes what has been kept long enough, every minute or so, until nothing of it is left.
    /// Purging is in no hurry and makes room for whoever buys; it only has to be faster than rows
    /// come due.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round tries again.
    pub async fn purge(&self) -> Result<(), LedgerFault> {
        let began = self.desk.now();
        let done = self.purge_what_is_old(began).await;
        metrics::sweep(done.is_ok(), self.desk.now().since(began));
        done
    }

    async fn purge_what_is_old(&self, now: Timestamp) -> Result<(), LedgerFault> {
        let since = RetainSince {
            keys: now.minus(self.retention.keys),
            sessions: now.minus(self.retention.sessions),
            events: now.minus(self.retention.events),
        };
        loop {
            let began = self.desk.now();
            let purged = self.desk.store.purge(since, PAGE).await?;
            metrics::swept(Swept::Keys, purged.keys);
            metrics::swept(Swept::Sessions, purged.sessions);
            metrics::swept(Swept::Events, purged.events);
            if purged.most() < u64::from(PAGE) || self.is_stopping() {
                break;
            }
            self.rest_from_purging(began).await;
        }
        self.purge_raw_signals(now).await
    }

    /// Raw signals whose time is over go; hashes and features stay with the judgements.
    async fn purge_raw_signals(&self, now: Timestamp) -> Result<(), LedgerFault> {
        let before = now.minus(self.retention.raw_signals);
        loop {
            let began = self.desk.now();
            let purged = self.desk.store.purge_raw_signals(before, PAGE).await?;
            metrics::swept(Swept::RawSignals, purged);
            if purged < u64::from(PAGE) || self.is_stopping() {
                return Ok(());
            }
            self.rest_from_purging(began).await;
        }
    }

    /// Leaves the ledger to others, for longer when they wait for it.
    async fn rest_from_purging(&self, began: Timestamp) {
        let is_busy = self.desk.writer.depth() > 0;
        let rests = if is_busy { PURGE_REST_BUSY } else { PURGE_REST };
        let rest = tokio::time::sleep(self.desk.now().since(began) * rests);
        let mut stop = self.stop.clone();
        tokio::select! {
            () = rest => {}
            _ = stop.changed() => {}
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Declines orders that nobody has looked at in time.
    async fn expire_cases(&self, now: Timestamp) -> Result<usize, LedgerFault> {
        let Some(cases) = &self.cases else { return Ok(0) };
        let expired = cases.list_expired(now, PAGE).await?;
        for case in &expired {
            // Whoever decided meanwhile was first.
            let outcome = self.desk.expire_case(case).await?;
            tracing::info!(order.id = %case.order, ?outcome, "nobody decided a review in time");
        }
        Ok(expired.len())
    }

    /// Lets carts look after themselves, some at once. Returns how many could.
    async fn tend_all(&self, carts: Vec<CheckoutId>) -> usize {
        let tended = stream::iter(carts)
            .map(|checkout| async move { log(checkout, self.carts.tend(checkout).await) });
        let could = tended.buffer_unordered(TENDED_AT_ONCE);
        could.filter(|could| std::future::ready(*could)).count().await
    }
}

/// Whether a checkout was looked after. One that could not be comes up in the next round again.
fn log(checkout: CheckoutId, outcome: Result<(), CheckoutRefused>) -> bool {
    if let Err(refused) = &outcome {
        tracing::warn!(checkout.id = %checkout, %refused, "a checkout could not be looked after");
    }
    outcome.is_ok()
}

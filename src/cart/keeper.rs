//! The keeper's rounds: what must happen though nobody asks for it.

use std::{sync::Arc, time::Duration};

use super::registry::Carts;
use crate::{
    base::{Chance, CheckoutId, Timestamp},
    checkout::{Checkout, CheckoutRefused, CrashPoint},
    fraud::cases::Cases,
    ledger::{Done, Entry, EntryId, Fact, LedgerFault, entry::Expire, store::RetainSince},
    telemetry::metrics::{self, HoldResult, Swept},
};

/// Rows one round looks at, of each kind: a round stays short, and the next comes soon.
const ROUND_MAX: u32 = 500;

/// A debt the collector has not got to by then is handed to it again.
const DEBT_AGE: Duration = Duration::from_secs(10);

/// Pages of people one slow round looks at: with a round a minute, more than any shop's orders, and
/// a purge that was set late is soon done with the years before.
const SIGNAL_PAGES_MAX: usize = 20;

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
    /// Holds given back.
    pub holds: usize,
    /// Sessions ended.
    pub sessions: usize,
    /// Reviews ended by time.
    pub cases: usize,
}

impl Keeper {
    /// The quick round, every second or so: money and stock that wait.
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
        for attempt in store.list_overdue_attempts(now, ROUND_MAX).await? {
            self.tend(attempt.checkout).await;
            round.attempts += 1;
        }
        for due in store.list_due_operations(now.minus(DEBT_AGE), ROUND_MAX).await? {
            self.desk.collector.collect(due);
            round.debts += 1;
        }
        metrics::reconciler_pending(round.attempts);
        round.holds = self.expire_holds(now).await?;
        metrics::swept(Swept::Holds, round.holds as u64);
        for checkout in store.list_expired_sessions(now, ROUND_MAX).await? {
            self.tend(checkout).await;
            round.sessions += 1;
        }
        metrics::swept(Swept::ExpiredSessions, round.sessions as u64);
        round.cases = self.expire_cases(now).await?;
        Ok(round)
    }

    /// The slow round, every minute or so: late authorizations, and what has been kept long enough.
    ///
    /// # Errors
    /// When the ledger cannot be read; the next round tries again.
    pub async fn slow_round(&self) -> Result<Round, LedgerFault> {
        let began = self.desk.now();
        let done = self.look_after_what_is_old(began).await;
        metrics::sweep(done.is_ok(), self.desk.now().since(began));
        done
    }

    async fn look_after_what_is_old(&self, now: Timestamp) -> Result<Round, LedgerFault> {
        let store = &self.desk.store;
        let mut round = Round::default();
        let mut cursor = None;
        loop {
            let page = store.list_watched_attempts(now, cursor, ROUND_MAX).await?;
            let Some(last) = page.last() else { break };
            cursor = Some(last.id);
            for attempt in &page {
                log(attempt.checkout, self.desk.watch(attempt).await);
                round.watched += 1;
            }
        }
        let since = RetainSince {
            keys: now.minus(self.retention.keys),
            sessions: now.minus(self.retention.sessions),
            events: now.minus(self.retention.events),
        };
        let purged = store.purge(since, ROUND_MAX).await?;
        metrics::swept(Swept::Keys, purged.keys);
        metrics::swept(Swept::Sessions, purged.sessions);
        metrics::swept(Swept::Events, purged.events);
        self.purge_raw_signals(now).await?;
        Ok(round)
    }

    /// Raw signals whose time is over go; hashes and features stay with the judgements.
    async fn purge_raw_signals(&self, now: Timestamp) -> Result<(), LedgerFault> {
        let before = now.minus(self.retention.raw_signals);
        for _ in 0..SIGNAL_PAGES_MAX {
            let purged = self.desk.store.purge_raw_signals(before, ROUND_MAX).await?;
            metrics::swept(Swept::RawSignals, purged);
            if purged < u64::from(ROUND_MAX) {
                break;
            }
        }
        Ok(())
    }

    /// Declines orders that nobody has looked at in time.
    async fn expire_cases(&self, now: Timestamp) -> Result<usize, LedgerFault> {
        let Some(cases) = &self.cases else { return Ok(0) };
        let expired = cases.list_expired(now, ROUND_MAX).await?;
        for case in &expired {
            // Whoever decided meanwhile was first.
            let outcome = self.desk.expire_case(case).await?;
            tracing::info!(order = %case.order, ?outcome, "nobody decided a review in time");
        }
        Ok(expired.len())
    }

    /// Gives lapsed holds back. Whether each has still lapsed is judged again under the lock.
    async fn expire_holds(&self, now: Timestamp) -> Result<usize, LedgerFault> {
        let holds = self.desk.store.list_expired_holds(now, ROUND_MAX).await?;
        let count = holds.len();
        if count > 0 {
            self.desk.probe.reach(CrashPoint::InSweep);
            let chance: &dyn Chance = &*self.desk.chance;
            let id = EntryId::of(format_args!("expire/{}", CheckoutId::new(now, chance)));
            let fact = Fact::Expire(Expire { holds, now });
            let outcome = self.desk.writer.write(Entry::new(id, fact)).await?;
            if let Ok(Done::Ended { count }) = outcome {
                (0..count).for_each(|_| metrics::hold(HoldResult::Expired));
            }
            tracing::debug!(?outcome, "gave lapsed holds back");
        }
        Ok(count)
    }

    async fn tend(&self, checkout: CheckoutId) {
        log(checkout, self.carts.tend(checkout).await);
    }
}

/// One that cannot be looked after now comes up in the next round again.
fn log(checkout: CheckoutId, outcome: Result<(), CheckoutRefused>) {
    if let Err(refused) = outcome {
        tracing::warn!(%checkout, %refused, "a checkout could not be looked after");
    }
}

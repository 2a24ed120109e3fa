//! Authorizations that nobody captures: each is told before it lapses, and let go when it does.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    base::Timestamp,
    checkout::{AuthorizedSpan, Checkout, LOOK_BACK},
    ledger::LedgerFault,
    telemetry::metrics::{self, Swept},
};

/// Authorizations are looked at by the time they were asked for, an hour at once.
const SPAN: Duration = Duration::from_secs(60 * 60);

/// So many hours a round, for a process that has just started, or a test clock put forward.
const SPANS_MAX: usize = 24;

/// Until which moment authorizations were told that expire, and let go that lapsed, by the time
/// they were asked for and how long they last. A process that starts looks back; doing it again
/// does nothing.
#[derive(Debug, Default)]
pub struct Lapses(Mutex<BTreeMap<(Duration, Act), Timestamp>>);

/// What is done about an authorization that nobody captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// It is told that it lapses soon.
    Tell,
    /// It is let go.
    Void,
}

impl Lapses {
    /// Tells of authorizations that expire, and lets go those that lapsed. Returns how many.
    pub(super) async fn look_after(
        &self,
        desk: &Checkout,
        now: Timestamp,
    ) -> Result<usize, LedgerFault> {
        let mut done = 0;
        for lasts in desk.authorizations_last() {
            // Of a short time a half: a warning that comes with the order says nothing.
            let warning = desk.terms.authorization_warning.min(lasts / 2);
            let lapsed = now.minus(lasts);
            done += self.catch_up(desk, (lasts, Act::Tell), lapsed.plus(warning)).await?;
            done += self.catch_up(desk, (lasts, Act::Void), lapsed).await?;
        }
        Ok(done)
    }

    /// Goes on to this end with what lasts so long.
    async fn catch_up(
        &self,
        desk: &Checkout,
        (lasts, act): (Duration, Act),
        end: Timestamp,
    ) -> Result<usize, LedgerFault> {
        let mut from = self.at((lasts, act)).unwrap_or_else(|| end.minus(LOOK_BACK));
        let mut done = 0;
        for _ in 0..SPANS_MAX {
            if from >= end {
                break;
            }
            let until = from.plus(SPAN).min(end);
            let asked = AuthorizedSpan { from, until, lasts };
            let (what, found) = match act {
                Act::Tell => (Swept::ExpiringAuthorizations, desk.tell_expiring(asked).await?),
                Act::Void => (Swept::LapsedAuthorizations, desk.void_lapsed(asked).await?),
            };
            metrics::swept(what, found as u64);
            done += found;
            from = until;
            self.put((lasts, act), from);
        }
        Ok(done)
    }

    fn at(&self, of: (Duration, Act)) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&of).copied()
    }

    fn put(&self, of: (Duration, Act), at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(of, at);
    }
}

//! Authorizations that nobody captures: each is told before it lapses, and let go when it does.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    base::Timestamp,
    checkout::{Checkout, LOOK_BACK},
    ledger::LedgerFault,
    telemetry::metrics::{self, Swept},
};

/// Authorizations are looked at by the time they were asked for, an hour at once.
const SPAN: Duration = Duration::from_secs(60 * 60);

/// So many hours a round, for a process that has just started, or a test clock put forward.
const SPANS_MAX: usize = 24;

/// Authorizations of one span that nobody captured. More are no shop's.
const FOUND_MAX: u32 = 500;

/// Until which moment authorizations were told that expire, and let go that lapsed, by the time
/// they were asked for. A process that starts looks back; doing it again does nothing.
#[derive(Debug, Default)]
pub struct Lapses(Mutex<[Option<Timestamp>; 2]>);

impl Lapses {
    /// Tells of authorizations that expire, and lets go those that lapsed. Returns how many.
    pub(super) async fn look_after(
        &self,
        desk: &Checkout,
        now: Timestamp,
    ) -> Result<usize, LedgerFault> {
        let lapsed = now.minus(desk.terms.authorization_ttl);
        let mut done = 0;
        for (place, end) in [(0, lapsed.plus(desk.terms.authorization_warning)), (1, lapsed)] {
            let mut from = self.at(place).unwrap_or_else(|| end.minus(LOOK_BACK));
            for _ in 0..SPANS_MAX {
                if from >= end {
                    break;
                }
                let until = from.plus(SPAN).min(end);
                let (what, found) = match place {
                    0 => {
                        let told = desk.tell_expiring(from, until, FOUND_MAX).await?;
                        (Swept::ExpiringAuthorizations, told)
                    }
                    _ => {
                        let voided = desk.void_lapsed(from, until, FOUND_MAX).await?;
                        (Swept::LapsedAuthorizations, voided)
                    }
                };
                metrics::swept(what, found as u64);
                done += found;
                from = until;
                self.put(place, from);
            }
        }
        Ok(done)
    }

    fn at(&self, place: usize) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[place]
    }

    fn put(&self, place: usize, at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(at);
    }
}

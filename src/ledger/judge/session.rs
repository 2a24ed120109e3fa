//! T0 and T1: a session's next version, its holds, and the attempt that pins them.

use super::rows::Rows;
use crate::{
    base::{CheckoutId, GrantId, Sku},
    ledger::{
        changes::{AttemptInsert, SessionChange},
        entry::{HoldWanted, NewAttempt, SessionWrite, Source},
        outcome::{Done, LedgerRefused, Outcome, Shortage},
        row::{AttemptRow, AttemptState, HoldRow, SessionState},
        world::SessionHead,
    },
};

impl Rows {
    /// Writes a session's next version and makes its holds what it wants them to be.
    ///
    /// Hold: from a grant that is active, or direct from what is free. Change: the difference
    /// alone. Renew: expiry only grows. Release: to `unallocated`, never back to a grant. Pin: at
    /// T1.
    pub(super) fn write_session(&mut self, write: &SessionWrite) -> Outcome {
        self.key_is_free(write.key.as_ref())?;
        self.session_may_become(write)?;
        self.holds_can_be_met(write)?;
        for hold in self.holds_of(write.checkout) {
            let wanted = write.holds.iter().find(|wanted| wanted.sku == hold.sku);
            if wanted.is_none() {
                self.release(&hold);
            }
        }
        for wanted in &write.holds {
            self.meet(write, wanted);
        }
        self.keep_session(write);
        if let Some(attempt) = &write.attempt {
            self.begin(write, attempt);
        }
        self.changes.assessments.extend(write.assessment.clone());
        self.take_key(write.key.as_ref());
        Ok(Done::Session { version: write.version })
    }

    fn session_may_become(&self, write: &SessionWrite) -> Result<(), LedgerRefused> {
        let head = self.sessions.get(&write.checkout);
        let current = head.map_or(0, |head| head.version);
        match head.map(|head| head.state) {
            Some(SessionState::Completing) => Err(LedgerRefused::Completing),
            Some(state) if state.is_final() => Err(LedgerRefused::SessionEnded),
            _ if current.checked_add(1) != Some(write.version) => {
                Err(LedgerRefused::VersionConflict { current })
            }
            _ => Ok(()),
        }
    }

    /// Whether every wanted unit that no hold covers yet can be had; names all that cannot.
    fn holds_can_be_met(&self, write: &SessionWrite) -> Result<(), LedgerRefused> {
        let mut closed: Vec<GrantId> = Vec::new();
        let mut short: Vec<Shortage> = Vec::new();
        for wanted in &write.holds {
            let covered = self.hold(write.checkout, &wanted.sku).map_or(0, |hold| hold.quantity);
            let missing = i64::from(wanted.quantity.saturating_sub(covered));
            if missing == 0 {
                continue;
            }
            match wanted.source {
                Source::Grant(id) => {
                    // A grant of another SKU is as good as closed.
                    let grant = self.active_grant(id).filter(|grant| grant.sku == wanted.sku);
                    let left = grant.map_or(0, |grant| grant.granted - grant.consumed);
                    if left < missing {
                        closed.push(id);
                    }
                }
                Source::Direct => {
                    let free = self.reachable(&wanted.sku, write.checkout);
                    if free < missing {
                        let available =
                            u32::try_from(free + i64::from(covered)).unwrap_or(u32::MAX);
                        let (sku, wanted) = (wanted.sku.clone(), wanted.quantity);
                        short.push(Shortage { sku, wanted, available });
                    }
                }
            }
        }
        match (closed.is_empty(), short.is_empty()) {
            (false, _) => Err(LedgerRefused::GrantsClosed(closed)),
            (_, false) => Err(LedgerRefused::Short(short)),
            _ => Ok(()),
        }
    }

    /// Units a direct entry may get: free ones, those of expired holds, and those left in grants,
    /// which it closes. So a "sold out" is the truth, and a stale hold blocks nobody.
    fn reachable(&self, sku: &Sku, checkout: CheckoutId) -> i64 {
        let expired = self.expired_holds(sku, checkout);
        let expired: i64 = expired.iter().map(|hold| i64::from(hold.quantity)).sum();
        let grants = self.active_grants_of(sku);
        let granted: i64 = grants.iter().map(|grant| grant.granted - grant.consumed).sum();
        self.unallocated(sku) + expired + granted
    }

    /// Makes one hold what it should be. That it can be was checked before.
    fn meet(&mut self, write: &SessionWrite, wanted: &HoldWanted) {
        let before = self.hold(write.checkout, &wanted.sku).cloned();
        let covered = before.as_ref().map_or(0, |hold| hold.quantity);
        if wanted.quantity > covered {
            let missing = i64::from(wanted.quantity - covered);
            match wanted.source {
                Source::Grant(id) => self.consume(id, missing),
                Source::Direct => self.take_direct(&wanted.sku, missing, write.checkout),
            }
        } else if wanted.quantity < covered {
            self.add_stock(&wanted.sku, 0, i64::from(covered - wanted.quantity));
        }
        let expires_at = match before {
            // A pinned hold has no end to move; it is renewed when it is unpinned.
            Some(hold) if write.attempt.is_some() => hold.expires_at,
            Some(hold) => hold.expires_at.max(write.hold_until),
            None => write.hold_until,
        };
        self.put_hold(HoldRow {
            checkout: write.checkout,
            sku: wanted.sku.clone(),
            quantity: wanted.quantity,
            expires_at,
            pinned_by: write.attempt.as_ref().map(|attempt| attempt.id),
        });
    }

    /// Takes units from the stock row; first expired holds, then grants give theirs back to it.
    fn take_direct(&mut self, sku: &Sku, units: i64, checkout: CheckoutId) {
        for hold in self.expired_holds(sku, checkout) {
            if self.unallocated(sku) >= units {
                break;
            }
            self.release(&hold);
        }
        for grant in self.active_grants_of(sku) {
            if self.unallocated(sku) >= units {
                break;
            }
            self.close_grant(grant.id);
        }
        self.add_stock(sku, 0, -units);
    }

    /// Gives a hold's units back to the stock row.
    pub(super) fn release(&mut self, hold: &HoldRow) {
        assert!(hold.pinned_by.is_none(), "a pinned hold is never released");
        self.remove_hold(hold.checkout, &hold.sku);
        self.add_stock(&hold.sku, 0, i64::from(hold.quantity));
    }

    fn keep_session(&mut self, write: &SessionWrite) {
        let (checkout, version, state) = (write.checkout, write.version, write.state);
        self.sessions.insert(checkout, SessionHead { checkout, version, state });
        self.changes.sessions.push(SessionChange {
            checkout,
            version,
            state,
            expires_at: write.expires_at,
            body: write.body.clone(),
            personal: write.personal.clone(),
            updated_at: write.now,
        });
    }

    fn begin(&mut self, write: &SessionWrite, attempt: &NewAttempt) {
        let row = AttemptRow {
            id: attempt.id,
            checkout: write.checkout,
            order: attempt.order,
            number: attempt.number,
            state: AttemptState::Pending,
            amount_minor: attempt.amount_minor,
            currency: attempt.currency,
            gateway: attempt.gateway.clone(),
            authorization: None,
            deadline: attempt.deadline,
            watch_until: None,
            waiting: write.key.as_ref().map(|key| (key.caller.clone(), key.key.clone())),
            challenge: None,
        };
        self.attempts.insert(row.id, row.clone());
        self.changes.new_attempts.push(AttemptInsert { row, created_at: write.now });
    }
}

//! The checks of a batch that was judged on known rows: `ledger_commit`, in memory.

use doorbuster::ledger::{
    known::{Assumed, Judged},
    row::{AttemptState, HoldRow, OperationKind, OperationState, SessionState},
};

use super::{chaos::Chaos, sabotage::Sabotage, tables::Tables};

impl Tables {
    /// Whether every row stands as the batch was judged on.
    pub(crate) fn bear_out(&self, judged: &Judged, chaos: &Chaos) -> bool {
        chaos.is(Sabotage::TrustMemory)
            || (self.entries_are_new(judged, chaos)
                && self.sessions_follow(judged)
                && self.holds_stand(judged)
                && self.units_suffice(judged, chaos)
                && self.payments_follow(judged, chaos))
    }

    fn entries_are_new(&self, judged: &Judged, chaos: &Chaos) -> bool {
        let forgets = chaos.is(Sabotage::ForgetEntries);
        let changes = &judged.changes;
        changes.entries.iter().all(|entry| forgets || !self.entries.contains_key(&entry.id))
            && changes.new_keys.iter().all(|key| !self.keys.contains_key(&key.name()))
    }

    fn sessions_follow(&self, judged: &Judged) -> bool {
        let changes = &judged.changes;
        let written = changes.sessions.iter().map(|change| (change.checkout, change.version));
        let moved = changes.heads.iter().map(|change| (change.checkout, change.version));
        let follow = written.chain(moved).all(|(checkout, version)| {
            self.sessions.get(&checkout).map_or(0, |row| row.version) + 1 == version
        });
        let stands = |assumed: &Assumed| {
            let row = self.sessions.get(&assumed.checkout);
            row.is_some_and(|row| row.state == SessionState::Open)
                && self.holds_of(assumed.checkout).len() == assumed.holds
        };
        follow && judged.before.assumed.iter().all(stands)
    }

    fn holds_stand(&self, judged: &Judged) -> bool {
        let before = &judged.before.holds;
        let same = |row: Option<&HoldRow>, known: Option<&HoldRow>| match (row, known) {
            (Some(row), Some(known)) => {
                row.quantity == known.quantity && row.pinned_by == known.pinned_by
            }
            (row, known) => row.is_none() && known.is_none(),
        };
        let put = judged.changes.holds.iter().map(|hold| (hold.checkout, hold.sku.clone()));
        let mut keys = put.chain(judged.changes.gone_holds.iter().cloned());
        keys.all(|key| same(self.holds.get(&key), before.get(&key)))
    }

    fn units_suffice(&self, judged: &Judged, chaos: &Chaos) -> bool {
        let careless = chaos.is(Sabotage::ConsumeFromClosed);
        let changes = &judged.changes;
        let enough = changes.stock.iter().all(|delta| {
            self.stock.get(&delta.sku).is_some_and(|row| row.unallocated + delta.unallocated >= 0)
        });
        enough
            && changes.grants.iter().all(|delta| {
                self.grants.get(&delta.id).is_some_and(|grant| {
                    (grant.active || careless) && grant.consumed + delta.consumed <= grant.granted
                })
            })
    }

    fn payments_follow(&self, judged: &Judged, chaos: &Chaos) -> bool {
        let careless = chaos.is(Sabotage::SettleTwice);
        let changes = &judged.changes;
        let ends = |id| {
            let row = self.attempts.get(&id);
            row.is_some_and(|row| row.state == AttemptState::Pending || careless)
        };
        let ended = changes.attempts.iter().all(|change| ends(change.id));
        let begun = changes.new_attempts.iter().all(|insert| {
            let mut others =
                self.attempts.values().filter(|row| row.checkout == insert.row.checkout);
            others.all(|row| {
                row.number != insert.row.number
                    && !matches!(row.state, AttemptState::Pending | AttemptState::Authorized)
            })
        });
        let owed = changes.operations.iter().all(|change| {
            let due = judged.before.due.contains(&change.id);
            let captured = || {
                change.kind == OperationKind::Capture
                    && self.operations.values().any(|debt| {
                        let operation = &debt.row.operation;
                        operation.attempt == change.attempt
                            && operation.kind == OperationKind::Capture
                    })
            };
            match self.operations.get(&change.id) {
                Some(debt) => due && debt.row.state == OperationState::Due,
                None => !due && !captured(),
            }
        });
        let placed = changes.orders.iter().all(|row| !self.orders.contains_key(&row.order.id));
        ended && begun && owed && placed
    }

    /// Gives a judged batch what only the ledger knows: times only grow, and what is left is told
    /// as it is.
    pub(crate) fn settle_guesses(&self, judged: Judged) -> Judged {
        let Judged { mut reply, mut changes, before } = judged;
        for hold in &mut changes.holds {
            if let Some(row) = self.holds.get(&(hold.checkout, hold.sku.clone())) {
                hold.expires_at = hold.expires_at.max(row.expires_at);
            }
        }
        reply.stock.clear();
        for delta in &changes.stock {
            let row = self.stock.get(&delta.sku);
            let left = row.map_or(0, |row| row.unallocated) + delta.unallocated;
            reply.stock.push((delta.sku.clone(), left));
        }
        for seen in &mut reply.grants {
            if let Some(row) = self.grants.get(&seen.id) {
                let own = changes.grants.iter().find(|delta| delta.id == seen.id);
                let taken = own.map_or(0, |delta| delta.consumed);
                seen.left = row.granted - row.consumed - taken;
            }
        }
        Judged { reply, changes, before }
    }
}

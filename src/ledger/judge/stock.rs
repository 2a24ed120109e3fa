//! Stock that moves outside of sales: in, out, to replicas and back, and after the sale.

use super::rows::Rows;
use crate::{
    base::{CheckoutId, GrantId, Sku},
    ledger::{
        changes::MovementInsert,
        entry::{GrantWanted, MoveKind, StockMove},
        outcome::{Done, LedgerRefused, Outcome, Shortage},
        row::GrantRow,
    },
};

impl Rows {
    /// Receive, or write off: the latter only of free units, naming what is promised.
    pub(super) fn move_stock(&mut self, moved: &StockMove) -> Outcome {
        self.key_is_free(moved.key.as_ref())?;
        let units = i64::from(moved.quantity);
        let on_hand = self.stock(&moved.sku).map_or(0, |row| row.on_hand);
        let change = match moved.kind {
            MoveKind::Receive => units,
            MoveKind::WriteOff => -units,
            MoveKind::Count => units - on_hand,
        };
        let kind = if change < 0 { "write_off" } else { "receive" };
        if change < 0 {
            self.write_off(&moved.sku, -change)?;
        } else {
            on_hand.checked_add(change).ok_or(LedgerRefused::OutOfRange)?;
            self.add_stock(&moved.sku, change, change);
        }
        // Counting what was there moves nothing.
        let quantity = u32::try_from(change.abs()).map_err(|_| LedgerRefused::OutOfRange)?;
        if quantity > 0 {
            self.changes.movements.push(MovementInsert {
                id: moved.id,
                sku: moved.sku.clone(),
                kind,
                quantity,
                reason: moved.reason.clone(),
                order: None,
                line: None,
                at: moved.now,
            });
        }
        self.take_key(moved.key.as_ref());
        let row = self.stock(&moved.sku);
        let on_hand = row.map_or(0, |row| row.on_hand);
        Ok(Done::Stock { on_hand, unallocated: self.unallocated(&moved.sku) })
    }

    fn write_off(&mut self, sku: &Sku, units: i64) -> Result<(), LedgerRefused> {
        if self.stock(sku).is_none() {
            return Err(LedgerRefused::NoSuchStock { sku: sku.clone() });
        }
        let grants = self.active_grants_of(sku);
        let granted: i64 = grants.iter().map(|grant| grant.granted - grant.consumed).sum();
        let free = self.unallocated(sku) + granted;
        if free < units {
            let promised = self.promised.get(sku).copied().unwrap_or(0);
            let sku = sku.clone();
            return Err(LedgerRefused::WriteOffPromised { sku, unallocated: free, promised });
        }
        for grant in grants {
            self.close_grant(grant.id);
        }
        self.add_stock(sku, -units, -units);
        Ok(())
    }

    /// Grants a block of `unallocated / (2 × live replicas)` units, at most `at_most`; when that is
    /// less than `at_least` the SKU is near its end and every hold goes direct.
    pub(super) fn grant(&mut self, wanted: &GrantWanted) -> Outcome {
        if !self.live.contains(&wanted.holder) {
            return Err(LedgerRefused::Fenced);
        }
        let unallocated = self.unallocated(&wanted.sku);
        let share = unallocated / (2 * i64::from(self.replicas.max(1)));
        if share < i64::from(wanted.at_least.max(1)) {
            let available = u32::try_from(share).unwrap_or(u32::MAX);
            let (sku, wanted) = (wanted.sku.clone(), wanted.at_least);
            return Err(LedgerRefused::Short(vec![Shortage { sku, wanted, available }]));
        }
        let granted = share.min(i64::from(wanted.at_most));
        self.add_stock(&wanted.sku, 0, -granted);
        self.insert_grant(GrantRow {
            id: wanted.id,
            sku: wanted.sku.clone(),
            holder: wanted.holder,
            granted,
            consumed: 0,
            active: true,
        });
        Ok(Done::Granted { grant: wanted.id, granted })
    }

    /// Closes those that are active.
    pub(super) fn close_grants(&mut self, grants: &[GrantId]) -> Done {
        let mut count = 0;
        for grant in grants {
            count += u32::from(self.close_grant(*grant));
        }
        Done::Ended { count }
    }

    /// Gives back those that are unpinned and whose time is over now, under the lock.
    pub(super) fn expire(&mut self, holds: &[(CheckoutId, Sku)]) -> Done {
        let mut count = 0;
        for (checkout, sku) in holds {
            let over = self
                .hold(*checkout, sku)
                .filter(|hold| hold.pinned_by.is_none() && hold.expires_at <= self.now)
                .cloned();
            if let Some(hold) = over {
                self.release(&hold);
                count += 1;
            }
        }
        Done::Ended { count }
    }
}

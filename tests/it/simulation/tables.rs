//! The ledger's rows in memory, and the questions that can be asked of them.

use doorbuster::{
    base::{AttemptId, CheckoutId, GrantId, HolderId, OperationId, OrderId, Sku, Timestamp},
    ledger::{
        EntryId, Outcome,
        entry::NewEvent,
        row::{
            AttemptRow, AttemptState, GrantRow, HoldRow, KeyRow, OperationRow, OperationState,
            OrderRow, SessionRow, SessionState, StockLevel, StockRow,
        },
        store::{Figures, MovementRow},
    },
};
use std::collections::BTreeMap;

/// A process lifetime.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) live: bool,
    pub(crate) heartbeat: Timestamp,
}

/// A debt with the time it was recorded.
#[derive(Debug, Clone)]
pub(crate) struct Debt {
    pub(crate) row: OperationRow,
    pub(crate) created_at: Timestamp,
}

/// Every committed row.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) entries: BTreeMap<EntryId, Outcome>,
    pub(crate) lifetimes: BTreeMap<HolderId, Lifetime>,
    pub(crate) stock: BTreeMap<Sku, StockRow>,
    pub(crate) grants: BTreeMap<GrantId, GrantRow>,
    /// Their holds stand apart.
    pub(crate) sessions: BTreeMap<CheckoutId, SessionRow>,
    pub(crate) holds: BTreeMap<(CheckoutId, Sku), HoldRow>,
    pub(crate) attempts: BTreeMap<AttemptId, AttemptRow>,
    /// Their operations stand apart.
    pub(crate) orders: BTreeMap<OrderId, OrderRow>,
    pub(crate) operations: BTreeMap<OperationId, Debt>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) movements: Vec<MovementRow>,
    pub(crate) keys: BTreeMap<(String, String), KeyRow>,
}

/// The first so many.
pub(crate) fn page<T>(rows: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    rows.take(usize::try_from(limit).expect("32 bits fit")).collect()
}

impl Tables {
    pub(crate) fn holds_of(&self, checkout: CheckoutId) -> Vec<HoldRow> {
        let own = self.holds.values().filter(|hold| hold.checkout == checkout);
        own.cloned().collect()
    }

    pub(crate) fn session(&self, checkout: CheckoutId) -> Option<SessionRow> {
        let row = self.sessions.get(&checkout)?.clone();
        Some(SessionRow { holds: self.holds_of(checkout), ..row })
    }

    pub(crate) fn order(&self, order: OrderId) -> Option<OrderRow> {
        let row = self.orders.get(&order)?.clone();
        let own = self.operations.values().filter(|debt| debt.row.operation.attempt == row.attempt);
        Some(OrderRow { operations: own.map(|debt| debt.row.clone()).collect(), ..row })
    }

    pub(crate) fn level(&self, sku: &Sku) -> Option<StockLevel> {
        let row = self.stock.get(sku)?;
        let granted = self.grants.values().filter(|grant| grant.active && grant.sku == *sku);
        let held = self.holds.values().filter(|hold| hold.sku == *sku);
        let lines = self.orders.values().flat_map(|order| &order.lines);
        let sold = lines.filter(|line| line.ordered.tracked && line.ordered.sku == *sku);
        Some(StockLevel {
            sku: sku.clone(),
            on_hand: row.on_hand,
            unallocated: row.unallocated,
            granted: granted.map(|grant| grant.granted - grant.consumed).sum(),
            held: held.map(|hold| i64::from(hold.quantity)).sum(),
            sold: sold
                .map(|line| i64::from(line.ordered.quantity - line.shipped - line.restocked))
                .sum(),
        })
    }

    /// Units a direct hold of this checkout could get now, one way or another.
    pub(crate) fn reachable(&self, sku: &Sku, checkout: CheckoutId, now: Timestamp) -> i64 {
        let Some(level) = self.level(sku) else { return 0 };
        let lapsed = self.holds.values().filter(|hold| {
            hold.sku == *sku
                && hold.checkout != checkout
                && hold.pinned_by.is_none()
                && hold.expires_at <= now
        });
        level.available() + lapsed.map(|hold| i64::from(hold.quantity)).sum::<i64>()
    }

    pub(crate) fn overdue(&self, now: Timestamp) -> Vec<AttemptRow> {
        let due = |row: &&AttemptRow| row.state == AttemptState::Pending && row.deadline <= now;
        let mut rows: Vec<_> = self.attempts.values().filter(due).cloned().collect();
        rows.sort_by_key(|row| (row.deadline, row.id));
        rows
    }

    pub(crate) fn due(&self, before: Timestamp) -> Vec<OperationRow> {
        let due = |debt: &&Debt| debt.row.state == OperationState::Due && debt.created_at < before;
        let mut debts: Vec<_> = self.operations.values().filter(due).collect();
        debts.sort_by_key(|debt| (debt.created_at, debt.row.operation.id));
        debts.into_iter().map(|debt| debt.row.clone()).collect()
    }

    pub(crate) fn figures(&self) -> Figures {
        let count = |state| self.sessions.values().filter(|row| row.state == state).count() as i64;
        let completed = |checkout: &CheckoutId| {
            self.sessions.get(checkout).is_some_and(|row| row.state == SessionState::Completed)
        };
        let ordered = |checkout: &CheckoutId| self.orders.contains_key(&OrderId::of(*checkout));
        let orphans = self.sessions.keys().filter(|id| completed(id) != ordered(id)).count()
            + self.orders.keys().filter(|id| !self.sessions.contains_key(&id.checkout())).count();
        let ended = |hold: &&HoldRow| {
            self.sessions.get(&hold.checkout).is_none_or(|row| row.state.is_final())
        };
        let stray = |hold: &&HoldRow| {
            hold.pinned_by.is_some_and(|by| {
                self.attempts.get(&by).is_none_or(|row| row.state != AttemptState::Pending)
            })
        };
        let unpaid = |order: &&OrderRow| {
            let pays =
                |row: &&AttemptRow| row.order == order.id && row.state == AttemptState::Authorized;
            self.attempts.values().filter(pays).count() != 1
        };
        let lines = || self.orders.values().flat_map(|order| &order.lines);
        Figures {
            orders: self.orders.len() as i64,
            lines: lines().count() as i64,
            units: lines().map(|line| i64::from(line.ordered.quantity)).sum(),
            skus: self.stock.len() as i64,
            holds: self.holds.len() as i64,
            sessions: [
                count(SessionState::Open),
                count(SessionState::Completing),
                count(SessionState::Completed),
                count(SessionState::Canceled),
                count(SessionState::Expired),
            ],
            orphans: orphans as i64,
            dead_holds: self.holds.values().filter(ended).count() as i64,
            stray_pins: self.holds.values().filter(stray).count() as i64,
            unpaid_orders: self.orders.values().filter(unpaid).count() as i64,
        }
    }
}

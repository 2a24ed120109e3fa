//! The world in hand: rows by key, what stood before, and what has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    base::{AttemptId, CheckoutId, GrantId, HolderId, OperationId, OrderId, Sku, Timestamp},
    ledger::{
        changes::{AttemptChange, Changes, GrantDelta, LineDelta, StockDelta},
        entry::{EntryId, KeyWrite},
        outcome::{GrantSeen, LedgerRefused, Outcome},
        review::{CaseClaim, CaseHead},
        row::{AttemptRow, GrantRow, HoldRow, KeyRow, OperationRow, StockRow},
        world::{GivenSeen, LineSeen, SessionHead, World},
    },
};

type HoldKey = (CheckoutId, Sku);

/// The locked rows while a batch is judged.
pub(super) struct Rows {
    pub(super) now: Timestamp,
    pub(super) replicas: u32,
    pub(super) live: Vec<HolderId>,
    pub(super) sessions: HashMap<CheckoutId, SessionHead>,
    pub(super) attempts: HashMap<AttemptId, AttemptRow>,
    pub(super) lines: HashMap<(OrderId, u32), LineSeen>,
    pub(super) operations: HashMap<OperationId, OperationRow>,
    pub(super) cases: HashMap<OrderId, CaseHead>,
    pub(super) claims: HashMap<OrderId, CaseClaim>,
    /// What was given up of lines' money.
    pub(super) given: HashMap<(OrderId, u32), GivenSeen>,
    pub(super) keys: HashMap<(String, String), KeyRow>,
    pub(super) promised: HashMap<Sku, i64>,
    pub(super) changes: Changes,
    /// By checkout, then by SKU.
    holds: BTreeMap<CheckoutId, BTreeMap<Sku, HoldRow>>,
    stock: BTreeMap<Sku, StockRow>,
    grants: BTreeMap<GrantId, GrantRow>,
    holds_before: BTreeSet<HoldKey>,
    holds_touched: BTreeSet<HoldKey>,
    stock_before: BTreeMap<Sku, StockRow>,
    grants_before: BTreeMap<GrantId, GrantRow>,
}

impl Rows {
    /// Sorts the world by key; hands the recorded outcomes back apart.
    pub(super) fn new(world: World, now: Timestamp) -> (Self, HashMap<EntryId, Outcome>) {
        let recorded = world.entries.into_iter().map(|entry| (entry.id, entry.outcome)).collect();
        let stock: BTreeMap<_, _> =
            world.stock.into_iter().map(|row| (row.sku.clone(), row)).collect();
        let grants: BTreeMap<_, _> = world.grants.into_iter().map(|row| (row.id, row)).collect();
        let holds_before = world.holds.iter().map(|row| (row.checkout, row.sku.clone())).collect();
        let mut holds: BTreeMap<CheckoutId, BTreeMap<Sku, HoldRow>> = BTreeMap::new();
        for row in world.holds {
            holds.entry(row.checkout).or_default().insert(row.sku.clone(), row);
        }
        let rows = Self {
            now,
            replicas: world.replicas,
            live: world.live,
            sessions: world.sessions.into_iter().map(|row| (row.checkout, row)).collect(),
            attempts: world.attempts.into_iter().map(|row| (row.id, row)).collect(),
            lines: world.lines.into_iter().map(|row| ((row.order, row.line), row)).collect(),
            operations: world.operations.into_iter().map(|row| (row.operation.id, row)).collect(),
            cases: world.cases.into_iter().map(|case| (case.order, case)).collect(),
            claims: world.claims.into_iter().map(|claim| (claim.order, claim)).collect(),
            given: world.given.into_iter().map(|seen| ((seen.order, seen.line), seen)).collect(),
            keys: world.keys.into_iter().map(|seen| ((seen.caller, seen.key), seen.row)).collect(),
            promised: world.promised.into_iter().map(|row| (row.sku, row.units)).collect(),
            changes: Changes::default(),
            holds_before,
            holds_touched: BTreeSet::new(),
            stock_before: stock.clone(),
            grants_before: grants.clone(),
            holds,
            stock,
            grants,
        };
        (rows, recorded)
    }

    pub(super) fn hold(&self, checkout: CheckoutId, sku: &Sku) -> Option<&HoldRow> {
        self.holds.get(&checkout)?.get(sku)
    }

    /// The holds of one checkout, by SKU.
    pub(super) fn holds_of(&self, checkout: CheckoutId) -> Vec<HoldRow> {
        self.holds.get(&checkout).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    pub(super) fn put_hold(&mut self, hold: HoldRow) {
        self.holds_touched.insert((hold.checkout, hold.sku.clone()));
        self.holds.entry(hold.checkout).or_default().insert(hold.sku.clone(), hold);
    }

    pub(super) fn remove_hold(&mut self, checkout: CheckoutId, sku: &Sku) -> Option<HoldRow> {
        self.holds_touched.insert((checkout, sku.clone()));
        self.holds.get_mut(&checkout)?.remove(sku)
    }

    /// Unpinned holds of a SKU whose time is over, those of `except` left alone.
    pub(super) fn expired_holds(&self, sku: &Sku, except: CheckoutId) -> Vec<HoldRow> {
        let now = self.now;
        let over = |hold: &&HoldRow| {
            hold.sku == *sku
                && hold.checkout != except
                && hold.pinned_by.is_none()
                && hold.expires_at <= now
        };
        self.holds.values().flat_map(BTreeMap::values).filter(over).cloned().collect()
    }

    pub(super) fn stock(&self, sku: &Sku) -> Option<&StockRow> {
        self.stock.get(sku)
    }

    pub(super) fn unallocated(&self, sku: &Sku) -> i64 {
        self.stock.get(sku).map_or(0, |row| row.unallocated)
    }

    /// Adds to a SKU's counts. The caller has checked that nothing falls below zero.
    pub(super) fn add_stock(&mut self, sku: &Sku, on_hand: i64, unallocated: i64) {
        let empty = || StockRow { sku: sku.clone(), on_hand: 0, unallocated: 0 };
        let row = self.stock.entry(sku.clone()).or_insert_with(empty);
        row.on_hand += on_hand;
        row.unallocated += unallocated;
        assert!(row.on_hand >= 0 && row.unallocated >= 0, "counts of {sku} never fall below zero");
    }

    pub(super) fn active_grant(&self, id: GrantId) -> Option<&GrantRow> {
        self.grants.get(&id).filter(|grant| grant.active)
    }

    pub(super) fn active_grants_of(&self, sku: &Sku) -> Vec<GrantRow> {
        self.grants.values().filter(|grant| grant.active && grant.sku == *sku).cloned().collect()
    }

    pub(super) fn insert_grant(&mut self, grant: GrantRow) {
        self.grants.insert(grant.id, grant);
    }

    pub(super) fn consume(&mut self, id: GrantId, units: i64) {
        if let Some(grant) = self.grants.get_mut(&id) {
            grant.consumed += units;
            assert!(grant.consumed <= grant.granted, "a grant never gives more than it has");
        }
    }

    /// Closes a grant: what is left of it is unallocated again. Whether it was active.
    pub(super) fn close_grant(&mut self, id: GrantId) -> bool {
        let Some(grant) = self.grants.get_mut(&id).filter(|grant| grant.active) else {
            return false;
        };
        grant.active = false;
        let (sku, left) = (grant.sku.clone(), grant.granted - grant.consumed);
        self.add_stock(&sku, 0, left);
        true
    }

    /// The attempt, if it is still to be decided: T2 and unpin compete here, and one wins.
    pub(super) fn pending(&self, id: AttemptId) -> Result<&AttemptRow, LedgerRefused> {
        use crate::ledger::row::AttemptState::{Authorized, Pending};
        let attempt = self.attempts.get(&id).ok_or(LedgerRefused::NoSuchAttempt)?;
        match attempt.state {
            Pending => Ok(attempt),
            Authorized => Err(LedgerRefused::AlreadyPlaced { order: attempt.order }),
            state => Err(LedgerRefused::AlreadySettled { state }),
        }
    }

    pub(super) fn change_attempt(&mut self, change: AttemptChange) {
        if let Some(row) = self.attempts.get_mut(&change.id) {
            row.state = change.state;
        }
        self.changes.attempts.push(change);
    }

    /// Adds to an order line's counters; one row is written once.
    pub(super) fn add_line_delta(&mut self, delta: LineDelta) {
        let same = |seen: &&mut LineDelta| (seen.order, seen.line) == (delta.order, delta.line);
        match self.changes.lines.iter_mut().find(same) {
            Some(seen) => {
                seen.shipped += delta.shipped;
                seen.returned += delta.returned;
                seen.restocked += delta.restocked;
            }
            None => self.changes.lines.push(delta),
        }
    }

    /// A key that stands, answered or not, belongs to an earlier request.
    pub(super) fn key_is_free(&self, key: Option<&KeyWrite>) -> Result<(), LedgerRefused> {
        match key.and_then(|key| self.keys.get(&key.name())) {
            Some(row) => Err(LedgerRefused::KeyTaken(Box::new(row.clone()))),
            None => Ok(()),
        }
    }

    /// Takes a key that is free. It is inserted, whatever else of the batch is about the same key.
    pub(super) fn take_key(&mut self, key: Option<&KeyWrite>) {
        let Some(key) = key else { return };
        self.keys.insert(key.name(), key.row());
        self.changes.new_keys.push(key.clone());
    }

    /// Whether a key still waits for its answer. A challenge answers it while the attempt goes on:
    /// whoever did not hear of that is told what stands there.
    pub(super) fn key_waits(&self, key: Option<&KeyWrite>) -> Result<(), LedgerRefused> {
        match key.and_then(|key| self.keys.get(&key.name())) {
            Some(row) if row.answer.is_some() => {
                Err(LedgerRefused::KeyTaken(Box::new(row.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Answers the key that waits for an attempt; one that was purged meanwhile is taken anew.
    pub(super) fn answer_key(&mut self, key: Option<&KeyWrite>) {
        let Some(key) = key else { return };
        if self.keys.insert(key.name(), key.row()).is_none() {
            self.changes.new_keys.push(key.clone());
            return;
        }
        let mut new = self.changes.new_keys.iter_mut();
        match new.find(|new| new.caller == key.caller && new.key == key.key) {
            Some(new) => new.clone_from(key),
            None => self.changes.answers.push(key.clone()),
        }
    }

    /// What memory should know of the grants and stock this batch locked.
    pub(super) fn seen(&self) -> (Vec<GrantSeen>, Vec<(Sku, i64)>) {
        let grants = self.grants.values().map(|grant| GrantSeen {
            id: grant.id,
            sku: grant.sku.clone(),
            active: grant.active,
            left: grant.granted - grant.consumed,
        });
        let stock = self.stock.values().map(|row| (row.sku.clone(), row.unallocated));
        (grants.collect(), stock.collect())
    }

    /// Everything that changed, summed per row.
    pub(super) fn into_changes(mut self) -> Changes {
        for key in std::mem::take(&mut self.holds_touched) {
            match self.holds.get_mut(&key.0).and_then(|holds| holds.remove(&key.1)) {
                Some(hold) => self.changes.holds.push(hold),
                None if self.holds_before.contains(&key) => self.changes.gone_holds.push(key),
                None => {}
            }
        }
        for (sku, row) in self.stock {
            let before = self.stock_before.get(&sku);
            let on_hand = row.on_hand - before.map_or(0, |row| row.on_hand);
            let unallocated = row.unallocated - before.map_or(0, |row| row.unallocated);
            if before.is_none() || on_hand != 0 || unallocated != 0 {
                self.changes.stock.push(StockDelta { sku, on_hand, unallocated });
            }
        }
        for (id, row) in self.grants {
            match self.grants_before.get(&id) {
                None => self.changes.new_grants.push(row),
                Some(before) if *before != row => self.changes.grants.push(GrantDelta {
                    id,
                    consumed: row.consumed - before.consumed,
                    active: row.active,
                }),
                Some(_) => {}
            }
        }
        self.changes
    }
}

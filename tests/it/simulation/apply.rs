//! Writes a judged batch, with the constraints of the databases: they have the last word.

use doorbuster::{
    base::OrderId,
    ledger::{
        changes::{Changes, HeadChange, OperationChange, OrderInsert, SessionChange},
        entry::KeyWrite,
        row::{
            AttemptRow, AttemptState, HoldRow, NewOperation, OperationKind, OperationRow,
            OperationState, OrderLineRow, OrderRow, SessionRow, StockRow,
        },
        store::MovementRow,
    },
};

use super::{
    chaos::Chaos,
    sabotage::Sabotage,
    tables::{Debt, Tables},
};

/// A constraint's name.
type Broken = Result<(), String>;

fn must(holds: bool, constraint: &str) -> Broken {
    if holds { Ok(()) } else { Err(format!("the constraint {constraint} is violated")) }
}

impl Tables {
    /// Writes everything, as one transaction would. Nothing is rolled back: a violated constraint
    /// ends the run.
    pub(crate) fn apply(&mut self, changes: Changes, chaos: &Chaos) -> Broken {
        for entry in changes.entries {
            if chaos.is(Sabotage::ForgetRefusals) && entry.outcome.is_err() {
                continue;
            }
            let taken = self.entries.insert(entry.id, entry.outcome).is_some();
            must(!taken || chaos.is(Sabotage::ForgetEntries), "entries_pkey")?;
        }
        changes.sessions.into_iter().try_for_each(|change| self.write_session(change))?;
        changes.heads.into_iter().try_for_each(|change| self.write_head(change))?;
        for hold in changes.holds {
            must(hold.quantity > 0, "holds_quantity_positive")?;
            self.holds.insert((hold.checkout, hold.sku.clone()), hold);
        }
        for key in changes.gone_holds {
            must(self.holds.remove(&key).is_some(), "holds: a row to delete")?;
        }
        for delta in changes.stock {
            let row = self.stock.entry(delta.sku.clone()).or_insert_with(|| StockRow {
                sku: delta.sku,
                on_hand: 0,
                unallocated: 0,
            });
            row.on_hand += delta.on_hand;
            row.unallocated += delta.unallocated;
            must(row.on_hand >= 0, "stock_on_hand_not_negative")?;
            must(row.unallocated >= 0, "stock_unallocated_not_negative")?;
            must(row.unallocated <= row.on_hand, "stock_unallocated_within_on_hand")?;
        }
        for grant in changes.new_grants {
            must(grant.granted > 0, "stock_grants_granted_positive")?;
            must(self.lifetimes.contains_key(&grant.holder), "stock_grants_holder")?;
            must(self.grants.insert(grant.id, grant).is_none(), "stock_grants_pkey")?;
        }
        for delta in changes.grants {
            let grant = self.grants.get_mut(&delta.id).ok_or("stock_grants: a row to update")?;
            must(grant.active || chaos.is(Sabotage::ConsumeFromClosed), "stock_grants: active")?;
            grant.consumed += delta.consumed;
            grant.active = delta.active && grant.active;
            let within = (0..=grant.granted).contains(&grant.consumed);
            must(within, "stock_grants_consumed_within_granted")?;
        }
        self.apply_payments(&changes.attempts, changes.new_attempts, chaos)?;
        changes.challenges.into_iter().try_for_each(|change| self.challenge(change))?;
        changes.orders.into_iter().try_for_each(|order| self.insert_order(order))?;
        for delta in changes.lines {
            let order = self.orders.get_mut(&delta.order).ok_or("order_lines: a row to update")?;
            let line = order.lines.iter_mut().find(|line| line.ordered.line == delta.line);
            let line = line.ok_or("order_lines: a row to update")?;
            line.shipped += delta.shipped;
            line.returned += delta.returned;
            line.restocked += delta.restocked;
        }
        changes.operations.into_iter().try_for_each(|change| self.write_operation(change))?;
        self.events.extend(changes.events);
        self.movements.extend(changes.movements.into_iter().map(|moved| MovementRow {
            id: moved.id,
            sku: moved.sku,
            kind: moved.kind.to_owned(),
            quantity: moved.quantity,
            reason: moved.reason,
            order: moved.order,
            at: moved.at,
        }));
        changes.answers.into_iter().try_for_each(|key| self.answer_key(&key))?;
        changes.new_keys.into_iter().try_for_each(|key| self.insert_key(&key))
    }

    fn challenge(&mut self, change: doorbuster::ledger::changes::ChallengeChange) -> Broken {
        let row = self.attempts.get_mut(&change.attempt).ok_or("challenges: a row to update")?;
        row.deadline = change.challenge.until;
        row.challenge = Some(change.challenge);
        Ok(())
    }

    /// A key that has its answer keeps it: whoever would give it another one was told of something
    /// that nobody can ask for again.
    fn answer_key(&mut self, key: &KeyWrite) -> Broken {
        let waits = self.keys.get(&key.name()).is_some_and(|row| row.answer.is_none());
        must(waits, "an answer is given once")?;
        self.keys.insert(key.name(), key.row());
        Ok(())
    }

    fn insert_key(&mut self, key: &KeyWrite) -> Broken {
        must(!self.keys.contains_key(&key.name()), "idempotency_keys_pkey")?;
        self.keys.insert(key.name(), key.row());
        Ok(())
    }

    fn write_session(&mut self, change: SessionChange) -> Broken {
        let before = self.sessions.get(&change.checkout);
        let version = before.map_or(0, |row| row.version);
        must(version + 1 == change.version, "sessions: the version before")?;
        let personal = change.personal.or_else(|| before.and_then(|row| row.personal.clone()));
        let row = SessionRow {
            checkout: change.checkout,
            version: change.version,
            state: change.state,
            expires_at: change.expires_at,
            body: change.body,
            personal,
            holds: Vec::new(),
        };
        self.sessions.insert(change.checkout, row);
        Ok(())
    }

    fn write_head(&mut self, change: HeadChange) -> Broken {
        let row = self.sessions.get_mut(&change.checkout).ok_or("sessions: a row to update")?;
        must(row.version + 1 == change.version, "sessions: the version before")?;
        (row.version, row.state) = (change.version, change.state);
        // Where its order has the body, it is that of the order (`insert_order`).
        if let Some(body) = change.body {
            row.body = body;
        }
        Ok(())
    }

    fn apply_payments(
        &mut self,
        changed: &[doorbuster::ledger::changes::AttemptChange],
        new: Vec<doorbuster::ledger::changes::AttemptInsert>,
        chaos: &Chaos,
    ) -> Broken {
        for change in changed {
            let row = self.attempts.get_mut(&change.id).ok_or("payment_attempts: a row")?;
            let pending = row.state == AttemptState::Pending;
            must(pending || chaos.is(Sabotage::SettleTwice), "payment_attempts: pending")?;
            row.state = change.state;
            row.authorization.clone_from(&change.authorization);
            row.watch_until = change.watch_until;
            let named = row.state != AttemptState::Authorized || row.authorization.is_some();
            must(named, "payment_attempts_authorized_with_reference")?;
        }
        for insert in new {
            let row = insert.row;
            let of_checkout = |other: &&AttemptRow| other.checkout == row.checkout;
            for other in self.attempts.values().filter(of_checkout) {
                must(other.state != AttemptState::Pending, "payment_attempts_one_live")?;
                must(other.state != AttemptState::Authorized, "payment_attempts_one_live")?;
                must(other.number != row.number, "payment_attempts_number_unique")?;
            }
            must(self.attempts.insert(row.id, row).is_none(), "payment_attempts_pkey")?;
        }
        Ok(())
    }

    fn insert_order(&mut self, insert: OrderInsert) -> Broken {
        let same = |order: &OrderRow| order.attempt == insert.attempt;
        must(!self.orders.values().any(same), "orders_one_per_attempt")?;
        must(self.attempts.contains_key(&insert.attempt), "orders_attempt")?;
        must(insert.order.id == OrderId::of(insert.checkout), "orders: its checkout's bits")?;
        let session = self.sessions.get_mut(&insert.checkout);
        let personal = session.and_then(|row| {
            row.body.clone_from(&insert.order.body);
            row.personal.clone()
        });
        let line = |ordered| OrderLineRow { ordered, shipped: 0, returned: 0, restocked: 0 };
        let row = OrderRow {
            id: insert.order.id,
            total_minor: insert.order.total_minor,
            currency: insert.order.currency,
            placed_at: insert.placed_at,
            body: insert.order.body,
            personal,
            attempt: insert.attempt,
            lines: insert.order.lines.into_iter().map(line).collect(),
            changes: Vec::new(),
            operations: Vec::new(),
            uses: Vec::new(),
            case: None,
        };
        must(self.orders.insert(row.id, row).is_none(), "orders_one_per_checkout")
    }

    fn write_operation(&mut self, change: OperationChange) -> Broken {
        if let Some(debt) = self.operations.get_mut(&change.id) {
            if debt.row.state == OperationState::Due {
                debt.row.state = change.state;
            }
            return Ok(());
        }
        let attempt = self.attempts.get(&change.attempt).ok_or("payment_operations_attempt")?;
        let captures = |debt: &Debt| {
            let operation = &debt.row.operation;
            operation.attempt == change.attempt && operation.kind == OperationKind::Capture
        };
        let again = change.kind == OperationKind::Capture && self.operations.values().any(captures);
        must(!again, "payment_operations_one_capture")?;
        let row = OperationRow {
            operation: NewOperation {
                id: change.id,
                attempt: change.attempt,
                kind: change.kind,
                amount_minor: change.amount_minor,
                authorization: change.authorization,
            },
            state: change.state,
            currency: attempt.currency,
            order: attempt.order,
        };
        self.operations.insert(change.id, Debt { row, created_at: change.at });
        Ok(())
    }

    /// What must be true of a SKU after every commit.
    pub(crate) fn check(&self, sku: &doorbuster::base::Sku) -> Broken {
        let Some(level) = self.level(sku) else { return Ok(()) };
        if !level.is_conserved() {
            return Err(format!("units are not conserved: {level:?}"));
        }
        if level.held + level.sold > level.on_hand {
            return Err(format!("oversold: {level:?}"));
        }
        let pinned = |hold: &&HoldRow| hold.sku == *sku && hold.pinned_by.is_some();
        for hold in self.holds.values().filter(pinned) {
            let attempt = hold.pinned_by.and_then(|by| self.attempts.get(&by));
            if attempt.is_none_or(|row| row.state != AttemptState::Pending) {
                return Err(format!("{hold:?} is pinned by an attempt that has ended"));
            }
        }
        Ok(())
    }
}

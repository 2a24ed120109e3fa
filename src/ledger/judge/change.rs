//! What happens to an order after the sale: every unit moves once, and its money with it.

use super::{
    money::{Money, Settled},
    rows::Rows,
};
use crate::{
    base::{MovementId, OperationId, OrderId, Timestamp},
    ledger::{
        changes::{ChangeInsert, LineDelta, MovementInsert},
        entry::{
            ChangeOrder, LineMove, LineMoveKind, MoneyWish, Moved, NewEvent, OrderChange, Sale,
        },
        outcome::{Done, LedgerRefused, Outcome},
        review::{CaseChange, CaseHead, CaseState},
        row::{NewOperation, OperationKind},
        world::{GivenSeen, LineSeen},
    },
};

/// What an order's event is called when every unit of it was given up.
const CANCELED: &str = "order.canceled";

/// What it is called when units or money of it were given up.
const ADJUSTED: &str = "order.adjusted";

/// Operations that a change owes.
#[derive(Debug, Default)]
struct Owed {
    capture: Option<NewOperation>,
    void: Option<NewOperation>,
    refund: Option<NewOperation>,
}

impl Rows {
    /// Moves units of an order, and its money with them: all of it, or nothing.
    pub(super) fn change_order(&mut self, change: &ChangeOrder) -> Outcome {
        self.key_is_free(change.key.as_ref())?;
        let moves = self.moves_of(change)?;
        self.may_move(change, &moves)?;
        let money = self.money(change.order, &change.sale, &moves)?;
        let settled = self.settle_money(change, &money)?;
        let is_given_up = money.is_given_up();
        // What is canceled already is canceled once more.
        let is_nothing = change.money == MoneyWish::Cancel
            && moves.is_empty()
            && settled.refund == 0
            && !settled.voids;
        if !is_nothing {
            self.write_change(change, &moves, settled, &money)?;
            self.end_case(change, is_given_up);
            let named = |event: &NewEvent| {
                let renamed = is_given_up && event.kind == ADJUSTED;
                let kind = if renamed { CANCELED.to_owned() } else { event.kind.clone() };
                NewEvent { kind, ..event.clone() }
            };
            self.changes.events.extend(change.events.iter().map(named));
        }
        self.take_key(change.key.as_ref());
        Ok(Done::Written)
    }

    /// What moves: as it is said, or, to cancel an order, everything that has not left.
    fn moves_of(&self, change: &ChangeOrder) -> Result<Vec<LineMove>, LedgerRefused> {
        if change.money != MoneyWish::Cancel || !change.moves.is_empty() {
            return Ok(change.moves.clone());
        }
        let moves = self.still_here(change.order, &change.sale);
        let seen = |line: u32| self.lines.get(&(change.order, line));
        let mut lines = change.sale.lines.iter().filter_map(|line| seen(line.line));
        if moves.is_empty() && lines.any(|line| line.shipped > 0) {
            return Err(LedgerRefused::AllShipped);
        }
        Ok(moves)
    }

    /// Everything that has not left, on its way back on sale.
    pub(super) fn still_here(&self, order: OrderId, sale: &Sale) -> Vec<LineMove> {
        let here = |line: &LineSeen| line.quantity - line.shipped - line.restocked;
        let moves = sale.lines.iter().filter_map(|of| {
            let quantity = self.lines.get(&(order, of.line)).map_or(0, here);
            let (id, line, kind) = (of.back, of.line, LineMoveKind::Restock);
            (quantity > 0).then_some(LineMove { id, line, kind, quantity })
        });
        moves.collect()
    }

    fn settle_money(&self, change: &ChangeOrder, money: &Money) -> Result<Settled, LedgerRefused> {
        let mut settled = match change.money {
            MoneyWish::Keep => money.keep(),
            MoneyWish::Refund(minor) => money.refund(minor)?,
            MoneyWish::Cancel if money.is_given_up() => money.give_up()?,
            MoneyWish::Worth | MoneyWish::Cancel => money.worth()?,
            MoneyWish::Capture(wanted) => {
                self.may_settle_review(change.order, money)?;
                Settled { capture: money.capture(wanted)?, ..Settled::default() }
            }
            MoneyWish::Void => {
                self.may_settle_review(change.order, money)?;
                if money.funds.capturable() == 0 {
                    return Err(LedgerRefused::NothingAuthorized);
                }
                Settled { voids: true, ..Settled::default() }
            }
        };
        settled.capture += money.ship(change.shipping)?;
        Ok(settled)
    }

    /// Money of an order in review waits for the review, unless it is a refused capture that the
    /// review is about.
    fn may_settle_review(&self, order: OrderId, money: &Money) -> Result<(), LedgerRefused> {
        let waits = |case: &CaseHead| case.state == CaseState::Open;
        let is_in_review = self.cases.get(&order).is_some_and(waits) && !money.funds.refused;
        if is_in_review { Err(LedgerRefused::InReview) } else { Ok(()) }
    }

    /// Whether every unit is where it is to be taken from, those of one line taken together.
    fn may_move(&self, change: &ChangeOrder, moves: &[LineMove]) -> Result<(), LedgerRefused> {
        let waits = |case: &CaseHead| case.state == CaseState::Open;
        let ships = |moved: &LineMove| moved.kind == LineMoveKind::Ship;
        if moves.iter().any(ships) && self.cases.get(&change.order).is_some_and(waits) {
            return Err(LedgerRefused::InReview);
        }
        for moved in moves {
            let is_of_goods = change.sale.lines.iter().any(|line| line.line == moved.line);
            let line = self.lines.get(&(change.order, moved.line)).filter(|_| is_of_goods);
            let line = line.ok_or(LedgerRefused::NoSuchLine)?;
            let from_house = |kind| kind != LineMoveKind::Return;
            let available = if from_house(moved.kind) {
                line.quantity - line.shipped - line.restocked
            } else {
                line.shipped - line.returned
            };
            let same_place = |other: &&LineMove| {
                other.line == moved.line && from_house(other.kind) == from_house(moved.kind)
            };
            let wanted = moves.iter().filter(same_place);
            let wanted = wanted.fold(0_u32, |sum, other| sum.saturating_add(other.quantity));
            if available < wanted {
                return Err(match change.money {
                    MoneyWish::Cancel if available == 0 => LedgerRefused::AllShipped,
                    _ => LedgerRefused::LineShort { available },
                });
            }
        }
        Ok(())
    }

    fn write_change(
        &mut self,
        change: &ChangeOrder,
        moves: &[LineMove],
        settled: Settled,
        money: &Money,
    ) -> Result<(), LedgerRefused> {
        let (order, sale, now) = (change.order, &change.sale, change.now);
        let owed = self.owed(sale, &settled, money)?;
        let told = owed.refund.as_ref().or(owed.void.as_ref()).map(|operation| operation.id);
        self.owe_all(order, owed, now);
        self.move_units(order, sale, moves, &change.reason, now);
        let tells = !moves.is_empty() || told.is_some() || change.parcel.news.is_some();
        if tells {
            self.remember(
                order,
                OrderChange {
                    id: change.id,
                    moved: moved(moves),
                    money: told,
                    given: settled.given,
                    parcel: change.parcel.clone(),
                    reason: change.reason.clone(),
                    at: now,
                },
            );
        }
        Ok(())
    }

    /// The operations that a decision comes to. What is let go is let go once.
    fn owed(&self, sale: &Sale, settled: &Settled, money: &Money) -> Result<Owed, LedgerRefused> {
        let next = |kind, minor| self.next_operation(sale, kind, minor);
        let some = |kind, minor: i64| (minor > 0).then(|| next(kind, minor)).transpose();
        let is_new = !self
            .operations
            .contains_key(&OperationId::of(sale.attempt, OperationKind::Void.number()));
        let void = settled.voids && is_new;
        Ok(Owed {
            capture: some(OperationKind::Capture, settled.capture)?,
            void: void.then(|| next(OperationKind::Void, money.funds.capturable())).transpose()?,
            refund: some(OperationKind::Refund, settled.refund)?,
        })
    }

    fn owe_all(&mut self, order: OrderId, owed: Owed, now: Timestamp) {
        let all = [owed.capture, owed.void, owed.refund];
        all.into_iter().flatten().for_each(|operation| self.owe(order, operation, now));
    }

    /// Keeps what happened with the order; what is judged after it in this batch sees it.
    pub(super) fn remember(&mut self, order: OrderId, change: OrderChange) {
        for given in &change.given {
            let line = given.line;
            let none = GivenSeen { order, line, refunded: 0, released: 0 };
            let seen = self.given.entry((order, line)).or_insert(none);
            seen.refunded += given.refunded;
            seen.released += given.released;
        }
        self.changes.order_changes.push(ChangeInsert { order, change });
    }

    /// Ends a review about which there is nothing left to decide: with the last unit given up, or
    /// with money that is taken or let go after the gateway had refused it.
    fn end_case(&mut self, change: &ChangeOrder, is_given_up: bool) {
        let (to, by) = match change.money {
            MoneyWish::Capture(_) => (CaseState::Approved, "capture"),
            MoneyWish::Void => (CaseState::Canceled, "void"),
            _ if is_given_up => (CaseState::Canceled, "cancellation"),
            _ => return,
        };
        let case = self.cases.get(&change.order).filter(|case| case.state == CaseState::Open);
        if case.is_some() {
            self.put_case(change.order, to, (by, &change.reason), change.now);
        }
    }

    /// Ends a case. One row is written once: what a batch says last is what stands.
    pub(super) fn put_case(
        &mut self,
        order: OrderId,
        state: CaseState,
        (by, reason): (&str, &str),
        at: Timestamp,
    ) {
        let Some(known) = self.cases.get_mut(&order) else { return };
        let before = std::mem::replace(&mut known.state, state);
        let from = self.changes.cases.iter().position(|change| change.order == order);
        let from = from.map_or(before, |place| self.changes.cases.remove(place).from);
        let (by, reason) = (by.to_owned(), reason.to_owned());
        self.changes.cases.push(CaseChange { order, state, from, by, reason, at });
    }

    /// Moves units of goods; with the last one that goes back unshipped, uses of discounts too.
    pub(super) fn move_units(
        &mut self,
        order: OrderId,
        sale: &Sale,
        moves: &[LineMove],
        reason: &str,
        now: Timestamp,
    ) {
        for moved in moves {
            self.move_line(order, moved, reason, now);
        }
        let gone = |line: &LineSeen| line.restocked == line.quantity;
        let is_gone = |line: u32| self.lines.get(&(order, line)).is_none_or(gone);
        let restocks = moves.iter().any(|moved| moved.kind == LineMoveKind::Restock);
        if !restocks || !sale.lines.iter().all(|line| is_gone(line.line)) {
            return;
        }
        let left = |(line, id): &(u32, MovementId)| {
            let seen = self.lines.get(&(order, *line))?;
            let quantity = seen.quantity - seen.shipped - seen.restocked;
            let (id, line, kind) = (*id, *line, LineMoveKind::Restock);
            (quantity > 0).then_some(LineMove { id, line, kind, quantity })
        };
        let uses: Vec<LineMove> = sale.uses.iter().filter_map(left).collect();
        for moved in &uses {
            self.move_line(order, moved, reason, now);
        }
    }

    fn move_line(&mut self, order: OrderId, moved: &LineMove, reason: &str, now: Timestamp) {
        let Some(line) = self.lines.get_mut(&(order, moved.line)) else { return };
        let mut delta =
            LineDelta { order, line: moved.line, shipped: 0, returned: 0, restocked: 0 };
        let units = i64::from(moved.quantity);
        let (counter, total, on_hand, unallocated) = match moved.kind {
            LineMoveKind::Ship => (&mut delta.shipped, &mut line.shipped, -units, 0),
            LineMoveKind::Return => (&mut delta.returned, &mut line.returned, units, units),
            LineMoveKind::Restock => (&mut delta.restocked, &mut line.restocked, 0, units),
        };
        *counter = moved.quantity;
        *total += moved.quantity;
        let (sku, tracked) = (line.sku.clone(), line.tracked);
        if tracked {
            self.add_stock(&sku, on_hand, unallocated);
        }
        self.add_line_delta(delta);
        self.changes.movements.push(MovementInsert {
            id: moved.id,
            sku,
            kind: moved.kind.as_str(),
            quantity: moved.quantity,
            reason: reason.to_owned(),
            order: Some(order),
            line: Some(moved.line),
            at: now,
        });
    }
}

/// What an order remembers of moves.
pub(super) fn moved(moves: &[LineMove]) -> Vec<Moved> {
    let moved =
        |moved: &LineMove| Moved { line: moved.line, kind: moved.kind, quantity: moved.quantity };
    moves.iter().map(moved).collect()
}

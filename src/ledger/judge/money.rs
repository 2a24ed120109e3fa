//! What happens to the money of an order after the sale: no more is captured than is left of what
//! was authorized, no more given back than was captured, and for a line no more than it was paid.

use super::rows::Rows;
use crate::{
    base::{AttemptId, OperationId, OrderId, first_units, share},
    ledger::{
        entry::{Given, LineMove, LineMoveKind, Sale, Shipping},
        outcome::LedgerRefused,
        row::{Funds, NewOperation, OperationKind, OperationRow, OperationState},
        world::LineSeen,
    },
};

/// Refunds beside the one that a review may decide, for one order: each has a number in a byte of
/// its id, and the gateway knows it by that. All that this byte has room for: a wholesale customer
/// sends back what does not sell piece by piece, 57 times from one invoice of a real shop.
pub const REFUNDS_MAX: u8 = u8::MAX - 3 - CAPTURES_MAX;

/// Captures beside the first, for one order: as many as it may have parcels that are captured when
/// they leave, and tries after refusals. They are numbered as refunds are.
pub const CAPTURES_MAX: u8 = 64;

/// The number of the last capture.
const LAST_CAPTURE: u8 = OperationKind::LATER_CAPTURE + CAPTURES_MAX;

/// The numbers of an attempt's operations of one kind, in the order they are given: refunds have
/// what captures and the void leave.
fn numbers(kind: OperationKind) -> impl Iterator<Item = u8> {
    let of = |number: &u8| match *number {
        1 => OperationKind::Capture,
        2 => OperationKind::Void,
        later if later > OperationKind::LATER_CAPTURE && later <= LAST_CAPTURE => {
            OperationKind::Capture
        }
        _ => OperationKind::Refund,
    };
    (1..=u8::MAX).filter(move |number| of(number) == kind)
}

/// Every operation there may be about the money of one attempt.
pub fn money_of(attempt: AttemptId) -> impl Iterator<Item = OperationId> {
    (1..=u8::MAX).map(move |number| OperationId::of(attempt, number))
}

/// The money of an order and of its lines, before a change.
pub(super) struct Money {
    pub(super) funds: Funds,
    /// What is asked for beside the lines: delivery.
    beside: i64,
    lines: Vec<LineMoney>,
}

struct LineMoney {
    seen: LineSeen,
    paid: i64,
    refunded: i64,
    released: i64,
    /// Units that this change ships, puts back on sale, takes back.
    ships: u32,
    restocks: u32,
    returns: u32,
}

/// What a change comes to.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) capture: i64,
    pub(super) refund: i64,
    pub(super) voids: bool,
    pub(super) given: Vec<Given>,
}

impl LineMoney {
    /// What the units cost that are given up after so many: they are counted from the last one,
    /// those that stay from the first.
    fn worth(&self, gone: u32, units: u32) -> i64 {
        let until = |gone| first_units(self.paid, self.seen.quantity, self.seen.quantity - gone);
        until(gone) - until(gone + units)
    }

    const fn gone(&self) -> u32 {
        self.seen.restocked + self.seen.returned
    }

    fn restocked_worth(&self) -> i64 {
        self.worth(self.gone(), self.restocks)
    }

    fn returned_worth(&self) -> i64 {
        self.worth(self.gone() + self.restocks, self.returns)
    }

    /// What may still be given up of it.
    fn room(&self) -> i64 {
        (self.paid - self.refunded - self.released).max(0)
    }

    fn shipped_worth(&self) -> i64 {
        first_units(self.paid, self.seen.quantity, self.seen.shipped + self.ships)
    }

    const fn still_here(&self) -> u32 {
        self.seen.quantity - self.seen.shipped - self.seen.restocked
    }
}

impl Rows {
    /// The money of an order with what moves.
    pub(super) fn money(
        &self,
        order: OrderId,
        sale: &Sale,
        moves: &[LineMove],
    ) -> Result<Money, LedgerRefused> {
        let attempt = self.attempts.get(&sale.attempt).filter(|row| row.order == order);
        let attempt = attempt.ok_or(LedgerRefused::NoSuchAttempt)?;
        let mut lines = Vec::with_capacity(sale.lines.len());
        for of in &sale.lines {
            let seen = self.lines.get(&(order, of.line)).ok_or(LedgerRefused::NoSuchLine)?.clone();
            let given = self.given.get(&(order, of.line));
            let units = |kind| {
                let those = moves.iter().filter(|one| one.line == of.line && one.kind == kind);
                those.map(|one| one.quantity).sum()
            };
            lines.push(LineMoney {
                paid: of.paid_minor,
                refunded: given.map_or(0, |given| given.refunded),
                released: given.map_or(0, |given| given.released),
                ships: units(LineMoveKind::Ship),
                restocks: units(LineMoveKind::Restock),
                returns: units(LineMoveKind::Return),
                seen,
            });
        }
        let of_attempt = |row: &&OperationRow| row.operation.attempt == sale.attempt;
        let released = lines.iter().map(|line| line.released).sum();
        let operations = self.operations.values().filter(of_attempt);
        let funds = Funds::of(attempt.amount_minor, released, operations);
        let paid: i64 = sale.lines.iter().map(|line| line.paid_minor).sum();
        Ok(Money { funds, beside: (attempt.amount_minor - paid).max(0), lines })
    }

    /// The next capture or refund of an attempt that has no number yet.
    pub(super) fn next_operation(
        &self,
        sale: &Sale,
        kind: OperationKind,
        amount_minor: i64,
    ) -> Result<NewOperation, LedgerRefused> {
        let attempt = sale.attempt;
        let (taken, full) = match kind {
            OperationKind::Capture => (0, LedgerRefused::TooManyCaptures),
            OperationKind::Void => (0, LedgerRefused::NothingAuthorized),
            // The first is a review's.
            OperationKind::Refund => (1, LedgerRefused::TooManyRefunds),
        };
        let id = numbers(kind).skip(taken).find_map(|number| {
            let id = OperationId::of(attempt, number);
            (!self.operations.contains_key(&id)).then_some(id)
        });
        let authorization = sale.authorization.clone();
        Ok(NewOperation { id: id.ok_or(full)?, attempt, kind, amount_minor, authorization })
    }

    /// Owes an operation; what is judged after it in this batch sees it.
    pub(super) fn owe(
        &mut self,
        order: OrderId,
        operation: NewOperation,
        now: crate::base::Timestamp,
    ) {
        self.put_operation(&operation, OperationState::Due, "", now);
        let Some(attempt) = self.attempts.get(&operation.attempt) else { return };
        let (currency, id) = (attempt.currency, operation.id);
        let row = OperationRow { operation, state: OperationState::Due, currency, order };
        self.operations.insert(id, row);
    }
}

impl Money {
    /// Whether every unit goes back on sale and none has left.
    pub(super) fn is_given_up(&self) -> bool {
        let gone = |line: &LineMoney| line.seen.restocked + line.restocks == line.seen.quantity;
        !self.lines.is_empty() && self.lines.iter().all(gone)
    }

    /// What is not captured yet is no longer asked for when its goods go back on sale; with the
    /// last of them the authorization is let go.
    fn release(&self, settled: &mut Settled) {
        let worth: Vec<i64> = self.lines.iter().map(LineMoney::restocked_worth).collect();
        let left = self.funds.capturable();
        let minor = worth.iter().sum::<i64>().min(left);
        for (line, minor) in self.lines.iter().zip(share(minor, &worth)) {
            settled.give(line, 0, minor);
        }
        settled.voids |= self.is_given_up() && left > 0;
    }

    /// Nothing is given back; what is not captured is no longer asked for.
    pub(super) fn keep(&self) -> Settled {
        let mut settled = Settled::default();
        self.release(&mut settled);
        settled
    }

    /// Gives an amount back: for the lines that move no more than was paid for them.
    pub(super) fn refund(&self, minor: i64) -> Result<Settled, LedgerRefused> {
        // Of an order that cost nothing there is nothing to give back.
        if self.funds.captured == 0 && self.funds.authorized > 0 {
            return Err(LedgerRefused::NotCaptured);
        }
        let left = self.funds.refundable();
        if minor <= 0 || minor > left {
            return Err(LedgerRefused::RefundTooLarge { left });
        }
        let mut settled = self.keep();
        settled.refund = minor;
        let moves = |line: &&LineMoney| line.restocks + line.returns > 0;
        let lines: Vec<_> = self.lines.iter().filter(moves).collect();
        if !lines.is_empty() {
            let rooms: Vec<i64> = lines.iter().map(|line| line.room()).collect();
            let left = rooms.iter().sum();
            if minor > left {
                return Err(LedgerRefused::LineRefundTooLarge { left });
            }
            settled.give_all(&lines, minor, &rooms);
        }
        Ok(settled)
    }

    /// Gives back what the units that are given up were paid, as far as it was captured.
    pub(super) fn worth(&self) -> Result<Settled, LedgerRefused> {
        let mut settled = self.keep();
        let lines: Vec<_> = self.lines.iter().collect();
        let due = |line: &&LineMoney| {
            let released = settled.released_of(line.seen.line);
            let worth = line.restocked_worth() + line.returned_worth() - released;
            worth.clamp(0, (line.room() - released).max(0))
        };
        let due: Vec<i64> = lines.iter().map(due).collect();
        let minor = self.captured_of(due.iter().sum())?;
        settled.refund = minor;
        settled.give_all(&lines, minor, &due);
        Ok(settled)
    }

    /// Gives back everything that was captured, and lets the rest go.
    pub(super) fn give_up(&self) -> Result<Settled, LedgerRefused> {
        let mut settled = self.keep();
        let lines: Vec<_> = self.lines.iter().collect();
        let rooms: Vec<i64> = lines
            .iter()
            .map(|line| (line.room() - settled.released_of(line.seen.line)).max(0))
            .collect();
        settled.refund = self.captured_of(self.funds.capturing - self.funds.refunding)?;
        let of_lines = settled.refund.min(rooms.iter().sum());
        settled.give_all(&lines, of_lines, &rooms);
        Ok(settled)
    }

    /// So much of an amount as was captured. Money that is about to be captured is waited for.
    fn captured_of(&self, minor: i64) -> Result<i64, LedgerRefused> {
        let left = self.funds.refundable().max(0);
        if minor > left && self.funds.capturing > self.funds.captured {
            return Err(LedgerRefused::NotCaptured);
        }
        Ok(minor.min(left))
    }

    /// What has to be captured for goods to leave.
    pub(super) fn ship(&self, shipping: Shipping) -> Result<i64, LedgerRefused> {
        if !self.lines.iter().any(|line| line.ships > 0) || shipping == Shipping::Unpaid {
            return Ok(0);
        }
        let shipped: i64 = self.lines.iter().map(LineMoney::shipped_worth).sum();
        let left = self.funds.capturable();
        let capture = if shipping == Shipping::Captures {
            let stays = |line: &LineMoney| line.still_here() > line.ships;
            let is_last = !self.lines.iter().any(stays);
            let due = (shipped + self.beside - self.funds.capturing).max(0);
            if is_last { left } else { due.min(left) }
        } else {
            0
        };
        let missing = shipped - self.funds.capturing - capture;
        if missing > 0 { Err(LedgerRefused::Unpaid { missing }) } else { Ok(capture) }
    }

    /// So much of what is authorized, or all that is left of it.
    pub(super) fn capture(&self, wanted: Option<i64>) -> Result<i64, LedgerRefused> {
        match (self.funds.capturable(), wanted) {
            (0, _) => Err(LedgerRefused::NothingAuthorized),
            (left, None) => Ok(left),
            (left, Some(minor)) if (1..=left).contains(&minor) => Ok(minor),
            (left, Some(_)) => Err(LedgerRefused::CaptureTooLarge { left }),
        }
    }
}

impl Settled {
    fn give(&mut self, line: &LineMoney, refunded: i64, released: i64) {
        if refunded == 0 && released == 0 {
            return;
        }
        let number = line.seen.line;
        match self.given.iter_mut().find(|given| given.line == number) {
            Some(given) => {
                given.refunded += refunded;
                given.released += released;
            }
            None => {
                self.given.push(Given { line: number, paid: line.paid, refunded, released });
            }
        }
    }

    fn give_all(&mut self, lines: &[&LineMoney], minor: i64, weights: &[i64]) {
        for (line, minor) in lines.iter().zip(share(minor, weights)) {
            self.give(line, minor, 0);
        }
    }

    fn released_of(&self, line: u32) -> i64 {
        let given = self.given.iter().find(|given| given.line == line);
        given.map_or(0, |given| given.released)
    }
}

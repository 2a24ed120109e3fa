//! Payments one by one as bytes: a part of the entity whose they are.

use super::{
    packed::{Packer, Unpacker, Unreadable},
    payments::{OUTCOMES_MOST, OUTLIERS_MOST, Paid, Payments, RECENT_MOST, Said, Spent},
};
use crate::base::Timestamp;

/// What is said of nearly all payments. The lowest bit tells whether there is an amount.
const GOOD: u8 = 0;
const FRAUD: u8 = 2;
/// Something else: how many were due and were fraud follows.
const MORE: u8 = 4;

impl Packer {
    /// Moments from one to the next: those of one entity are near.
    pub(super) fn payments(&mut self, payments: &Payments) {
        let Spent { count, sum, squares } = payments.spent;
        self.number(count.into());
        self.signed(sum);
        self.number((squares >> u64::BITS) as u64);
        self.number(squares as u64);
        self.number(payments.recent.len() as u64);
        payments.recent.iter().for_each(|amount| self.signed(*amount));
        let mut before = 0;
        self.number(payments.outliers.len() as u64);
        for at in &payments.outliers {
            self.signed(at.micros().wrapping_sub(before));
            before = at.micros();
        }
        self.number(payments.said.len() as u64);
        for Said { paid: Paid { at, amount }, due, frauds } in &payments.said {
            self.signed(at.micros().wrapping_sub(before));
            before = at.micros();
            let says = match (due, frauds) {
                (1, 0) => GOOD,
                (1, 1) => FRAUD,
                _ => MORE,
            };
            self.byte(says | u8::from(amount.is_some()));
            if says == MORE {
                self.number((*due).into());
                self.signed((*frauds).into());
            }
            amount.iter().for_each(|amount| self.signed(*amount));
        }
    }
}

impl Unpacker<'_> {
    pub(super) fn payments(&mut self) -> Result<Payments, Unreadable> {
        let (count, sum) = (self.count()?, self.signed()?);
        let squares = u128::from(self.number()?) << u64::BITS | u128::from(self.number()?);
        let spent = Spent { count, sum, squares };
        let recent = self.at_most(RECENT_MOST)?;
        let recent = (0..recent).map(|_| self.signed()).collect::<Result<_, _>>()?;
        let mut last = 0_i64;
        let outliers = self.at_most(OUTLIERS_MOST)?;
        let outliers = (0..outliers).map(|_| self.after(&mut last)).collect::<Result<_, _>>()?;
        let count = self.at_most(OUTCOMES_MOST)?;
        let mut said = Vec::with_capacity(count);
        for _ in 0..count {
            said.push(self.said(&mut last)?);
        }
        Ok(Payments { spent, recent, outliers, said })
    }

    fn said(&mut self, last: &mut i64) -> Result<Said, Unreadable> {
        let at = self.after(last)?;
        let flags = self.byte()?;
        let (due, frauds) = match flags & !1 {
            GOOD => (1, 0),
            FRAUD => (1, 1),
            MORE => (self.count()?, i32::try_from(self.signed()?).map_err(|_| Unreadable)?),
            _ => return Err(Unreadable),
        };
        let amount = (flags & 1 != 0).then(|| self.signed()).transpose()?;
        Ok(Said { paid: Paid { at, amount }, due, frauds })
    }

    /// A moment, by how long after the last one it was.
    fn after(&mut self, last: &mut i64) -> Result<Timestamp, Unreadable> {
        *last = last.wrapping_add(self.signed()?);
        Ok(Timestamp::from_micros(*last))
    }

    fn at_most(&mut self, most: usize) -> Result<usize, Unreadable> {
        let count = self.count()? as usize;
        if count <= most { Ok(count) } else { Err(Unreadable) }
    }
}

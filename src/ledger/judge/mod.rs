//! The rules of the ledger, in plain Rust: which facts may become true, in which order, and what
//! each changes. Both databases run these same lines between locking the rows and writing them.
//!
//! **Owns:** the fact table of the design: receive, write off, grant, hold, change, renew, release,
//! expire, pin, sell, unpin, restock, ship, return, close.
//! **Invariant:** a refused entry changes nothing; `on_hand = unallocated + Σ active (granted −
//! consumed) + held + sold` before and after every entry.
//! **Not here:** SQL, time, chance: the world and `now` are arguments.

mod change;
mod money;
mod payment;
mod review;
mod rows;
mod session;
mod stock;

pub use money::{CAPTURES_MAX, REFUNDS_MAX, money_of};

use super::{
    changes::{Changes, RecordEntry},
    entry::{Entry, EntryId, Fact},
    outcome::{BatchReply, Done, Outcome},
    world::World,
};
use crate::base::Timestamp;
use rows::Rows;
use std::collections::HashMap;

/// Judges a batch in arrival order: what each entry comes to, and what all of them change together.
///
/// A recorded id answers what it recorded and changes nothing. A refusal is recorded only for a
/// resubmitted entry: the first sending of it may still be on its way, and must find its id taken.
pub fn judge(world: World, batch: &[Entry], now: Timestamp) -> (BatchReply, Changes) {
    let (mut rows, recorded) = Rows::new(world, now);
    let mut known: HashMap<EntryId, Outcome> = recorded;
    let mut outcomes = Vec::with_capacity(batch.len());
    for entry in batch {
        let outcome = match known.get(&entry.id) {
            Some(recorded) => recorded.clone(),
            None => {
                let outcome = rows.decide(&entry.fact);
                if outcome.is_ok() || entry.resubmitted {
                    known.insert(entry.id.clone(), outcome.clone());
                    let (id, outcome) = (entry.id.clone(), outcome.clone());
                    rows.changes.entries.push(RecordEntry { id, outcome, at: now });
                }
                outcome
            }
        };
        outcomes.push(outcome);
    }
    let (grants, stock) = rows.seen();
    (BatchReply { outcomes, grants, stock }, rows.into_changes())
}

impl Rows {
    fn decide(&mut self, fact: &Fact) -> Outcome {
        match fact {
            Fact::Session(write) => self.write_session(write),
            Fact::Place(place) => self.place(place),
            Fact::Settle(settle) => self.settle(settle),
            Fact::Challenge(challenge) => self.challenge(challenge),
            Fact::Operation(write) => self.operate(write),
            Fact::Answer(key) => {
                self.key_is_free(Some(key))?;
                self.take_key(Some(key));
                Ok(Done::Written)
            }
            Fact::Assess(assess) => self.assess(assess),
            Fact::Resolve(resolve) => self.resolve(resolve),
            Fact::Labels(write) => self.label(write),
            Fact::Move(moved) => self.move_stock(moved),
            Fact::Grant(wanted) => self.grant(wanted),
            Fact::CloseGrants(close) => Ok(self.close_grants(&close.grants)),
            Fact::Expire(expire) => Ok(self.expire(&expire.holds)),
            Fact::Change(change) => self.change_order(change),
        }
    }
}

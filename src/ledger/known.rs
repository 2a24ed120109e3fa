//! Rows as this process last wrote them: batches are judged on them without asking for them again.
//!
//! Most of what a checkout touches was written by the same process a moment ago. A batch all of
//! whose entries concern such rows is judged on them and sent as one statement that checks, row by
//! row, that each still stands as it was known (optimistic concurrency control: Kung and Robinson,
//! 1981). Nothing is promised on memory alone: where one row has moved, nothing is written, and the
//! batch is judged under lock like any other. Only acceptances are sent; a refusal, a replay, a
//! grant, a sweep are decided on locked rows, always.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use super::{
    changes::{Changes, OperationChange},
    entry::{Entry, Fact, KeyWrite, SessionWrite, Source},
    judge::judge,
    outcome::BatchReply,
    recent::Recent,
    row::{
        AttemptRow, AttemptState, GrantRow, HoldRow, KeyRow, NewOperation, OperationRow,
        OperationState, SessionState, StockRow,
    },
    world::{KeySeen, SessionHead, World},
};
use crate::base::{AttemptId, CheckoutId, GrantId, OperationId, Sku, Timestamp};

/// Checkouts, attempts, operations and SKUs that are remembered, of each so many: several seconds
/// of a busy sale, in less than 10 MiB. What is older is read under lock.
const REMEMBERED: usize = 8192;

/// A line that was silent for longer may be dead; a statement sent on it could not be told from one
/// that was committed. Under lock nothing is in doubt until `commit` is sent.
const SILENCE: Duration = Duration::from_secs(1);

/// Stands for units nobody counted: whether there are enough, the database says.
const PLENTY: i64 = i64::MAX / 4;

/// What the process knows of the ledger's rows.
#[derive(Debug)]
pub struct Known {
    sessions: Recent<CheckoutId, Session>,
    attempts: Recent<AttemptId, AttemptRow>,
    operations: Recent<OperationId, OperationRow>,
    /// Unallocated units, when last seen.
    stock: Recent<Sku, i64>,
    grants: HashMap<GrantId, GrantRow>,
    /// When the ledger last answered.
    heard: Timestamp,
}

#[derive(Debug)]
struct Session {
    head: SessionHead,
    holds: Vec<HoldRow>,
}

/// A batch judged on known rows, every entry accepted.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What each entry comes to, and how memory sees the grants and stock after it. The numbers are
    /// guesses until the ledger has told its own.
    pub reply: BatchReply,
    /// What it changes.
    pub changes: Changes,
    /// What must be true for it to be right.
    pub before: Before,
}

/// How the rows that a batch changes have to stand. Beyond these: versions follow each other,
/// attempts are pending, grants active and large enough, stock suffices, what is new is not there.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// Holds that stand, with their quantity and pin. Their time may only have grown.
    pub holds: BTreeMap<(CheckoutId, Sku), HoldRow>,
    /// Sessions of which nothing was known.
    pub assumed: Vec<Assumed>,
    /// Operations that are due; all others are new.
    pub due: HashSet<OperationId>,
}

/// A session taken to be open, with exactly the holds that are wanted.
#[derive(Debug, Clone)]
pub struct Assumed {
    /// Which.
    pub checkout: CheckoutId,
    /// At this version.
    pub version: u32,
    /// With so many holds.
    pub holds: usize,
}

/// What a batch is judged on.
#[derive(Default)]
struct Foreseen {
    world: World,
    before: Before,
    grants: BTreeMap<GrantId, GrantRow>,
    /// Units wanted from stock rows.
    direct: BTreeMap<Sku, i64>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            sessions: Recent::new(REMEMBERED),
            attempts: Recent::new(REMEMBERED),
            operations: Recent::new(REMEMBERED),
            stock: Recent::new(REMEMBERED),
            grants: HashMap::new(),
            heard: Timestamp::from_micros(0),
        }
    }
}

impl Known {
    /// Judges a batch on what is known. `None` where it has to be judged under lock.
    pub fn judge(&self, batch: &[Entry], now: Timestamp) -> Option<Judged> {
        if now.since(self.heard) > SILENCE {
            return None;
        }
        let mut foreseen = Foreseen::default();
        for entry in batch {
            // A first sending may have come through.
            if entry.resubmitted {
                return None;
            }
            self.foresee(&entry.fact, &mut foreseen)?;
        }
        let Foreseen { mut world, before, grants, direct } = foreseen;
        for (sku, units) in direct {
            if self.stock.get(&sku).is_some_and(|left| *left < units) {
                return None;
            }
            world.stock.push(StockRow { sku, on_hand: PLENTY, unallocated: PLENTY });
        }
        world.grants = grants.into_values().collect();
        let (reply, changes) = judge(world, batch, now);
        let accepted = reply.outcomes.iter().all(Result::is_ok);
        let plain = changes.grants.iter().all(|grant| grant.active);
        (accepted && plain).then_some(Judged { reply, changes, before })
    }

    /// Adds the rows that a fact concerns, as far as they are known.
    fn foresee(&self, fact: &Fact, to: &mut Foreseen) -> Option<()> {
        match fact {
            Fact::Session(write) => self.foresee_session(write, to),
            Fact::Place(place) => self.foresee_end(place.attempt, place.key.as_ref(), to),
            Fact::Settle(settle) => self.foresee_end(settle.attempt, settle.key.as_ref(), to),
            Fact::Operation(write) if write.case.is_some() => None,
            Fact::Operation(write) => {
                let operation = self.operations.get(&write.operation.id)?;
                let attempt = self.attempts.get(&operation.operation.attempt)?;
                to.world.attempts.push(attempt.clone());
                to.world.operations.push(operation.clone());
                to.before.due.insert(write.operation.id);
                Some(())
            }
            Fact::Answer(_) | Fact::Assess(_) => Some(()),
            Fact::Move(_)
            | Fact::Challenge(_)
            | Fact::Grant(_)
            | Fact::CloseGrants(_)
            | Fact::Expire(_)
            | Fact::Change(_)
            | Fact::Resolve(_)
            | Fact::Labels(_) => None,
        }
    }

    fn foresee_session(&self, write: &SessionWrite, to: &mut Foreseen) -> Option<()> {
        let follows =
            |session: &&Session| session.head.version.checked_add(1) == Some(write.version);
        let known = self.sessions.get(&write.checkout).filter(follows);
        let holds = match known {
            Some(session) if session.head.state == SessionState::Open => {
                to.world.sessions.push(session.head);
                session.holds.clone()
            }
            Some(_) => return None,
            None if write.version == 1 => Vec::new(),
            // A cart that comes back, or from another replica, to be paid for.
            None if write.attempt.is_some() => {
                let (checkout, version) = (write.checkout, write.version - 1);
                to.world.sessions.push(SessionHead {
                    checkout,
                    version,
                    state: SessionState::Open,
                });
                let holds = write.holds.len();
                to.before.assumed.push(Assumed { checkout, version, holds });
                wanted_holds(write)
            }
            None => return None,
        };
        for wanted in &write.holds {
            let held = holds.iter().find(|hold| hold.sku == wanted.sku);
            let covered = held.map_or(0, |hold| hold.quantity);
            if wanted.quantity <= covered {
                continue;
            }
            match wanted.source {
                Source::Grant(id) => {
                    to.grants.insert(id, self.grants.get(&id)?.clone());
                }
                Source::Direct => {
                    let units = to.direct.entry(wanted.sku.clone()).or_default();
                    *units += i64::from(wanted.quantity - covered);
                }
            }
        }
        to.stand(holds);
        Some(())
    }

    /// What ends an attempt: its session, its holds and the key that waits for it.
    fn foresee_end(
        &self,
        attempt: AttemptId,
        key: Option<&KeyWrite>,
        to: &mut Foreseen,
    ) -> Option<()> {
        let attempt = self.attempts.get(&attempt)?;
        let session = self.sessions.get(&attempt.checkout)?;
        to.world.attempts.push(attempt.clone());
        to.world.sessions.push(session.head);
        to.stand(session.holds.clone());
        // The rest of the batch has to see that it is taken: whoever asks again while the attempt
        // goes on may be committed together with what it comes to.
        to.world.keys.extend(key.filter(|key| waits(attempt, key)).map(waiting));
        Some(())
    }

    /// Remembers what a committed batch wrote, and what it saw of grants and stock.
    pub fn learn(&mut self, changes: &Changes, reply: &BatchReply, now: Timestamp) {
        self.heard = now;
        for change in &changes.sessions {
            self.put_head(change.checkout, change.version, change.state);
        }
        for change in &changes.heads {
            self.put_head(change.checkout, change.version, change.state);
        }
        // Whoever writes a session's version writes all its holds.
        for hold in &changes.holds {
            if let Some(session) = self.sessions.get_mut(&hold.checkout) {
                session.holds.push(hold.clone());
            }
        }
        for (checkout, sku) in &changes.gone_holds {
            if let Some(session) = self.sessions.get_mut(checkout) {
                session.holds.retain(|hold| hold.sku != *sku);
            }
        }
        for insert in &changes.new_attempts {
            self.attempts.insert(insert.row.id, insert.row.clone());
        }
        for change in &changes.attempts {
            match self.attempts.get_mut(&change.id) {
                Some(row) if change.state == AttemptState::Authorized => row.state = change.state,
                _ => self.attempts.remove(&change.id),
            }
        }
        // Seldom: the next fact about it is judged under lock.
        for change in &changes.challenges {
            self.sessions.remove(&change.checkout);
            self.attempts.remove(&change.attempt);
        }
        changes.operations.iter().for_each(|change| self.put_operation(change));
        self.learn_units(changes, reply);
    }

    fn learn_units(&mut self, changes: &Changes, reply: &BatchReply) {
        self.grants.extend(changes.new_grants.iter().map(|grant| (grant.id, grant.clone())));
        for seen in &reply.grants {
            match self.grants.get_mut(&seen.id) {
                Some(grant) if seen.active => grant.consumed = grant.granted - seen.left,
                _ => drop(self.grants.remove(&seen.id)),
            }
        }
        for (sku, unallocated) in &reply.stock {
            self.stock.insert(sku.clone(), *unallocated);
        }
    }

    /// Forgets everything a batch concerns: something about it is not as it was known.
    pub fn forget(&mut self, batch: &[Entry]) {
        for entry in batch {
            if let Some(checkout) = entry.checkout() {
                self.sessions.remove(&checkout);
            }
            match &entry.fact {
                Fact::Session(write) => {
                    for wanted in &write.holds {
                        self.stock.remove(&wanted.sku);
                        if let Source::Grant(id) = wanted.source {
                            self.grants.remove(&id);
                        }
                    }
                }
                Fact::Place(place) => self.attempts.remove(&place.attempt),
                Fact::Settle(settle) => self.attempts.remove(&settle.attempt),
                Fact::Challenge(challenge) => self.attempts.remove(&challenge.attempt),
                Fact::Operation(write) => self.operations.remove(&write.operation.id),
                _ => {}
            }
        }
    }

    fn put_head(&mut self, checkout: CheckoutId, version: u32, state: SessionState) {
        if state.is_final() {
            return self.sessions.remove(&checkout);
        }
        let head = SessionHead { checkout, version, state };
        self.sessions.insert(checkout, Session { head, holds: Vec::new() });
    }

    fn put_operation(&mut self, change: &OperationChange) {
        let attempt = self.attempts.get(&change.attempt);
        let Some(attempt) = attempt.filter(|_| change.state == OperationState::Due) else {
            return self.operations.remove(&change.id);
        };
        let operation = NewOperation {
            id: change.id,
            attempt: change.attempt,
            kind: change.kind,
            amount_minor: change.amount_minor,
            authorization: change.authorization.clone(),
        };
        let (currency, order) = (attempt.currency, attempt.order);
        let row = OperationRow { operation, state: change.state, currency, order };
        self.operations.insert(change.id, row);
    }
}

impl Foreseen {
    fn stand(&mut self, holds: Vec<HoldRow>) {
        let known = holds.iter().map(|hold| ((hold.checkout, hold.sku.clone()), hold.clone()));
        self.before.holds.extend(known);
        self.world.holds.extend(holds);
    }
}

/// Whether this key waits for an attempt: then it stands, unanswered until the attempt ends.
fn waits(attempt: &AttemptRow, key: &KeyWrite) -> bool {
    attempt.waiting.as_ref().is_some_and(|(caller, name)| *caller == key.caller && *name == key.key)
}

/// A key as it stands before it is answered.
fn waiting(key: &KeyWrite) -> KeySeen {
    let (caller, name) = key.name();
    KeySeen { caller, key: name, row: KeyRow { answer: None, ..key.row() } }
}

/// The holds a session wants, as if they stood.
fn wanted_holds(write: &SessionWrite) -> Vec<HoldRow> {
    let held = write.holds.iter().map(|wanted| HoldRow {
        checkout: write.checkout,
        sku: wanted.sku.clone(),
        quantity: wanted.quantity,
        expires_at: write.hold_until,
        pinned_by: None,
    });
    held.collect()
}

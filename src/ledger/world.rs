//! What a batch must see: the rows it asks for, and the rows as they stand, locked.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{
    entry::{ChangeOrder, Entry, EntryId, Fact, KeyWrite, MoveKind, Sale, Source},
    judge::money_of,
    outcome::Outcome,
    review::{CaseClaim, CaseHead, Resolve},
    row::{AttemptRow, GrantRow, HoldRow, KeyRow, OperationRow, SessionState, StockRow},
};
use crate::base::{AttemptId, CheckoutId, GrantId, HolderId, OperationId, OrderId, Sku, Timestamp};

/// The rows a batch concerns. A store locks and reads them in this order: replicas, attempts,
/// sessions, holds, stock, grants, the rest; each by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// Entry ids, to find those recorded before.
    pub entries: BTreeSet<EntryId>,
    /// Holders whose liveness matters (`for key share`).
    pub holders: BTreeSet<HolderId>,
    /// Attempts; their sessions are asked for too.
    pub attempts: BTreeSet<AttemptId>,
    /// Sessions, with all their holds.
    pub sessions: BTreeSet<CheckoutId>,
    /// Holds that sessions want. Their stock is needed where the hold does not stand yet with that
    /// quantity.
    pub wanted: Vec<Wanted>,
    /// Holds to expire.
    pub holds: BTreeSet<(CheckoutId, Sku)>,
    /// Stock rows, whatever else.
    pub stock: BTreeSet<Sku>,
    /// Grants.
    pub grants: BTreeSet<GrantId>,
    /// Those of the grants that are to be closed: their units go back to the stock row.
    pub closing: BTreeSet<GrantId>,
    /// SKUs whose active grants are all needed (write-off).
    pub grants_of: BTreeSet<Sku>,
    /// Idempotency keys, as `[caller, key]`; those attempts wait with are asked for too.
    pub keys: BTreeSet<(String, String)>,
    /// Order lines.
    pub lines: BTreeSet<(OrderId, u32)>,
    /// Operations.
    pub operations: BTreeSet<OperationId>,
    /// Cases.
    pub cases: BTreeSet<OrderId>,
    /// Those of the cases of which it matters who has claimed them. Whoever asks has them locked,
    /// and reads it after that.
    pub claims: BTreeSet<OrderId>,
    /// Orders of which it matters what was given up of their lines' money. Whoever asks has their
    /// attempt locked, and reads it after that.
    pub given: BTreeSet<OrderId>,
    /// Judged at.
    pub now: Option<Timestamp>,
}

/// A hold some session wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Which checkout.
    pub checkout: CheckoutId,
    /// Of what.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// Whether from the stock row rather than from a grant.
    pub direct: bool,
}

/// The rows as they stand, locked.
///
/// When a wanted SKU's stock row has fewer units than the batch wants directly, a store also reads
/// that SKU's active grants and its expired, unpinned holds (skipping locked ones).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct World {
    /// Recorded outcomes.
    pub entries: Vec<Recorded>,
    /// Live holders among those asked for.
    pub live: Vec<HolderId>,
    /// How many replicas are live; filled when holders are asked for.
    pub replicas: u32,
    /// Attempts.
    pub attempts: Vec<AttemptRow>,
    /// Sessions.
    pub sessions: Vec<SessionHead>,
    /// Holds.
    pub holds: Vec<HoldRow>,
    /// Stock.
    pub stock: Vec<StockRow>,
    /// Grants.
    pub grants: Vec<GrantRow>,
    /// Keys.
    pub keys: Vec<KeySeen>,
    /// Order lines.
    pub lines: Vec<LineSeen>,
    /// Operations.
    pub operations: Vec<OperationRow>,
    /// Cases.
    pub cases: Vec<CaseHead>,
    /// Who has claimed them.
    pub claims: Vec<CaseClaim>,
    /// What was given up of lines' money.
    pub given: Vec<GivenSeen>,
    /// Held and sold units of the SKUs in `grants_of`, for a refusal that names them.
    pub promised: Vec<Promised>,
}

/// A recorded entry.
#[derive(Debug, Clone, Deserialize)]
pub struct Recorded {
    /// Its id.
    pub id: EntryId,
    /// What it came to.
    pub outcome: Outcome,
}

/// What the judge needs of a session.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct SessionHead {
    /// Which.
    pub checkout: CheckoutId,
    /// Its version.
    pub version: u32,
    /// Where it stands.
    pub state: SessionState,
}

/// A stored key.
#[derive(Debug, Clone, Deserialize)]
pub struct KeySeen {
    /// Whose.
    pub caller: String,
    /// Which.
    pub key: String,
    /// What stands under it.
    #[serde(flatten)]
    pub row: KeyRow,
}

/// What the judge needs of an order line.
#[derive(Debug, Clone, Deserialize)]
pub struct LineSeen {
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: u32,
    /// What.
    pub sku: Sku,
    /// How many were ordered.
    pub quantity: u32,
    /// Whether its units are counted.
    pub tracked: bool,
    /// Shipped units.
    pub shipped: u32,
    /// Returned units.
    pub returned: u32,
    /// Restocked units.
    pub restocked: u32,
}

/// What was given up of a line's money, in minor units.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct GivenSeen {
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: u32,
    /// Given back, or about to be.
    pub refunded: i64,
    /// Authorized and not to be captured.
    pub released: i64,
}

/// Held and sold units of a SKU.
#[derive(Debug, Clone, Deserialize)]
pub struct Promised {
    /// The SKU.
    pub sku: Sku,
    /// How many.
    pub units: i64,
}

impl Ask {
    /// Everything these entries concern.
    pub fn of(batch: &[Entry], now: Timestamp) -> Self {
        let mut ask = Self { now: Some(now), ..Self::default() };
        for entry in batch {
            ask.entries.insert(entry.id.clone());
            ask.add(&entry.fact);
        }
        ask
    }

    fn add(&mut self, fact: &Fact) {
        match fact {
            Fact::Session(write) => {
                self.sessions.insert(write.checkout);
                self.add_key(write.key.as_ref());
                for hold in &write.holds {
                    let direct = hold.source == Source::Direct;
                    if let Source::Grant(grant) = hold.source {
                        self.grants.insert(grant);
                    }
                    self.wanted.push(Wanted {
                        checkout: write.checkout,
                        sku: hold.sku.clone(),
                        quantity: hold.quantity,
                        direct,
                    });
                }
            }
            Fact::Place(place) => {
                self.attempts.insert(place.attempt);
                self.add_key(place.key.as_ref());
            }
            Fact::Settle(settle) => {
                self.attempts.insert(settle.attempt);
                if !settle.reopens {
                    // Asked for as a session that wants nothing: its holds go back to the stock.
                    self.sessions.insert(settle.checkout);
                }
                self.add_key(settle.key.as_ref());
            }
            Fact::Challenge(challenge) => {
                self.attempts.insert(challenge.attempt);
                self.add_key(challenge.key.as_ref());
            }
            Fact::Operation(write) => {
                self.operations.insert(write.operation.id);
                self.attempts.insert(write.operation.attempt);
                self.cases.extend(write.case.as_ref().map(|case| case.order));
            }
            Fact::Answer(key) => self.add_key(Some(key)),
            Fact::Assess(assess) => self.add_key(Some(&assess.key)),
            Fact::Resolve(resolve) => self.add_resolve(resolve),
            Fact::Labels(write) => self.add_key(Some(&write.key)),
            Fact::Move(moved) => {
                self.stock.insert(moved.sku.clone());
                if moved.kind != MoveKind::Receive {
                    self.grants_of.insert(moved.sku.clone());
                }
                self.add_key(moved.key.as_ref());
            }
            Fact::Grant(wanted) => {
                self.holders.insert(wanted.holder);
                self.stock.insert(wanted.sku.clone());
            }
            Fact::CloseGrants(close) => {
                self.grants.extend(close.grants.iter().copied());
                self.closing.extend(close.grants.iter().copied());
            }
            Fact::Expire(expire) => self.holds.extend(expire.holds.iter().cloned()),
            Fact::Change(change) => self.add_change(change),
        }
    }

    fn add_change(&mut self, change: &ChangeOrder) {
        self.add_sale(change.order, &change.sale);
        self.lines.extend(change.moves.iter().map(|moved| (change.order, moved.line)));
        self.add_key(change.key.as_ref());
    }

    fn add_resolve(&mut self, resolve: &Resolve) {
        self.add_sale(resolve.order, &resolve.sale);
        self.claims.extend(resolve.claimed.then_some(resolve.order));
        self.add_key(resolve.key.as_ref());
    }

    /// Everything about an order and its money: what happens to it is judged one after the other,
    /// each seeing all of it.
    fn add_sale(&mut self, order: OrderId, sale: &Sale) {
        self.cases.insert(order);
        self.given.insert(order);
        self.lines.extend(sale.lines.iter().map(|line| (order, line.line)));
        self.lines.extend(sale.uses.iter().map(|(line, _)| (order, *line)));
        self.attempts.insert(sale.attempt);
        self.operations.extend(money_of(sale.attempt));
    }

    fn add_key(&mut self, key: Option<&KeyWrite>) {
        if let Some(key) = key {
            self.keys.insert((key.caller.clone(), key.key.clone()));
        }
    }
}

//! What happened to an order since it was placed, and what is still to come, in words that every
//! protocol has.

use crate::{
    base::{Address, ChangeId, OperationId, Person, Timestamp},
    ledger::{
        entry::{LineMoveKind, Moved, OrderChange, Parcel},
        row::{OperationKind, OperationRow, OperationState, OrderRow},
    },
    pricing::{Fulfillment, Method, Priced},
};

/// Units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// The line, from 1.
    pub line: u32,
    /// How many.
    pub quantity: u32,
}

/// Goods that left the house.
#[derive(Debug, Clone)]
pub struct Shipment<'a> {
    /// Its id.
    pub id: ChangeId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub units: Vec<Units>,
    /// How it travels.
    pub parcel: &'a Parcel,
}

/// Goods given up, money given back, or both.
#[derive(Debug, Clone)]
pub struct Adjustment<'a> {
    /// Its id.
    pub id: ChangeId,
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: AdjustmentKind,
    /// Where it stands.
    pub status: AdjustmentStatus,
    /// Which goods.
    pub units: Vec<Units>,
    /// Minor units given back, or no longer asked for.
    pub amount_minor: Option<i64>,
    /// Why, in words meant for the buyer.
    pub reason: &'a str,
}

/// What an adjustment is, by the strongest thing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentKind {
    /// Money is given back.
    Refund,
    /// Goods that had shipped came back.
    Return,
    /// Goods or money were given up before they moved.
    Cancellation,
}

/// Where an adjustment stands: with its money, where there is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentStatus {
    /// The gateway has not done it yet.
    Pending,
    /// It is done.
    Completed,
    /// The gateway will never do it.
    Failed,
}

/// How and where to the goods come that have not been given up.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// How.
    pub method: Method,
    /// Where to.
    pub destination: Address,
    /// In words: the option that was chosen.
    pub title: Option<String>,
    /// Not after this.
    pub latest: Option<Timestamp>,
    /// What.
    pub units: Vec<Units>,
}

/// What left the house, oldest first.
pub fn shipments(row: &OrderRow) -> impl Iterator<Item = Shipment<'_>> {
    row.changes.iter().filter_map(|change| {
        let units = units(change, |kind| kind == LineMoveKind::Ship);
        (!units.is_empty()).then_some(Shipment {
            id: change.id,
            at: change.at,
            units,
            parcel: &change.parcel,
        })
    })
}

/// Everything that has not left the house, as if it left now.
pub fn still_here(row: &OrderRow) -> Vec<Moved> {
    let left = row.lines.iter().map(|line| Moved {
        line: line.ordered.line,
        kind: LineMoveKind::Ship,
        quantity: line.ordered.quantity - line.shipped - line.restocked,
    });
    left.filter(|moved| moved.quantity > 0).collect()
}

/// Something that happened to goods on their way.
#[derive(Debug, Clone)]
pub struct Happening<'a> {
    /// Its id.
    pub id: ChangeId,
    /// When.
    pub at: Timestamp,
    /// `shipped`, or the word it came with.
    pub kind: &'a str,
    /// What it happened to.
    pub units: Vec<Units>,
    /// How they travel.
    pub parcel: &'a Parcel,
    /// More of it, in words.
    pub reason: &'a str,
}

/// What left the house and what was heard of it since, oldest first.
pub fn happenings(row: &OrderRow) -> impl Iterator<Item = Happening<'_>> {
    row.changes.iter().filter_map(|change| {
        let (kind, units) = match &change.parcel.news {
            Some(news) => {
                let units = |&(line, quantity): &(u32, u32)| Units { line, quantity };
                (&*news.kind, news.units.iter().map(units).collect())
            }
            None => ("shipped", units(change, |kind| kind == LineMoveKind::Ship)),
        };
        let (id, at, parcel, reason) = (change.id, change.at, &change.parcel, &*change.reason);
        (!units.is_empty()).then_some(Happening { id, at, kind, units, parcel, reason })
    })
}

/// What was given up, oldest first.
pub fn adjustments(row: &OrderRow) -> impl Iterator<Item = Adjustment<'_>> {
    row.changes.iter().filter_map(|change| {
        let units = units(change, |kind| kind != LineMoveKind::Ship);
        let money = change.money.and_then(|id| find(row, id));
        let returns = |moved: &Moved| moved.kind == LineMoveKind::Return;
        let kind = match money.map(|money| money.operation.kind) {
            Some(OperationKind::Refund) => AdjustmentKind::Refund,
            _ if change.moved.iter().any(returns) => AdjustmentKind::Return,
            _ => AdjustmentKind::Cancellation,
        };
        (!units.is_empty() || money.is_some()).then_some(Adjustment {
            id: change.id,
            at: change.at,
            kind,
            status: money.map_or(AdjustmentStatus::Completed, status),
            units,
            amount_minor: money.map(|money| money.operation.amount_minor),
            reason: &change.reason,
        })
    })
}

/// What is still to come, if it was said how.
pub fn expectation(row: &OrderRow, priced: Option<&Priced>) -> Option<Expectation> {
    let fulfillment = priced?.fulfillment.as_ref()?;
    let person = row.personal.as_ref().and_then(|sealed| sealed.open_json::<Person>().ok());
    let units: Vec<_> = row
        .lines
        .iter()
        .map(|line| Units {
            line: line.ordered.line,
            quantity: line.ordered.quantity - line.returned - line.restocked,
        })
        .filter(|units| units.quantity > 0)
        .collect();
    let chosen = fulfillment.chosen();
    (!units.is_empty()).then_some(Expectation {
        method: fulfillment.method,
        destination: destination(fulfillment, person.as_ref())?,
        title: chosen.map(|option| option.title.clone()),
        latest: chosen.and_then(|option| option.latest),
        units,
    })
}

fn destination(fulfillment: &Fulfillment, person: Option<&Person>) -> Option<Address> {
    let wanted = fulfillment.destination.as_deref()?;
    match fulfillment.method {
        Method::Shipping => {
            let mut all = person?.destinations.iter();
            all.find(|one| one.id == wanted).map(|one| one.address.clone())
        }
        Method::Pickup => {
            let mut all = fulfillment.places.iter();
            all.find(|one| one.id == wanted).map(|one| one.address.clone())
        }
    }
}

fn units(change: &OrderChange, wanted: impl Fn(LineMoveKind) -> bool) -> Vec<Units> {
    let moved = change.moved.iter().filter(|moved| wanted(moved.kind));
    moved.map(|moved| Units { line: moved.line, quantity: moved.quantity }).collect()
}

fn find(row: &OrderRow, id: OperationId) -> Option<&OperationRow> {
    row.operations.iter().find(|operation| operation.operation.id == id)
}

const fn status(money: &OperationRow) -> AdjustmentStatus {
    match money.state {
        OperationState::Due => AdjustmentStatus::Pending,
        OperationState::Done => AdjustmentStatus::Completed,
        OperationState::Refused => AdjustmentStatus::Failed,
    }
}

impl AdjustmentKind {
    /// The word that the protocols share.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Return => "return",
            Self::Cancellation => "cancellation",
        }
    }
}

impl AdjustmentStatus {
    /// The word that the protocols share.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

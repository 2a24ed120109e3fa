//! How units move outside a sale: into and out of the house, and after an order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{KeyWrite, NewEvent};
use crate::base::{AttemptId, ChangeId, MovementId, OperationId, OrderId, Sku, Timestamp};

/// A stock movement with its reason.
#[derive(Debug, Clone)]
pub struct StockMove {
    /// Its id.
    pub id: MovementId,
    /// The SKU.
    pub sku: Sku,
    /// Which way.
    pub kind: MoveKind,
    /// How many units; counted ones may be none.
    pub quantity: u32,
    /// Why, in the clerk's words.
    pub reason: String,
    /// The request it answers; its answer is rendered by the one who asked.
    pub key: Option<KeyWrite>,
    /// When.
    pub now: Timestamp,
}

/// Which way stock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Units came in.
    Receive,
    /// Units are lost, broken or miscounted.
    WriteOff,
    /// So many were counted: what is more than that is written off, what is missing received.
    Count,
}

/// Something that happens to an order after the sale: units leave the house, come back or go back
/// on sale; money is taken, let go or given back. All of it becomes true, or nothing.
#[derive(Debug, Clone)]
pub struct ChangeOrder {
    /// Its id.
    pub id: ChangeId,
    /// The order.
    pub order: OrderId,
    /// What the order was sold for.
    pub sale: Sale,
    /// What moves.
    pub moves: Vec<LineMove>,
    /// What becomes of the money.
    pub money: MoneyWish,
    /// What shipping goods asks of the money.
    pub shipping: Shipping,
    /// Who carries what ships.
    pub parcel: Parcel,
    /// Why.
    pub reason: String,
    /// What the world hears.
    pub events: Vec<NewEvent>,
    /// The request it answers.
    pub key: Option<KeyWrite>,
    /// When.
    pub now: Timestamp,
}

/// What an order was sold for: it never changes after the order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The attempt that pays.
    pub attempt: AttemptId,
    /// The gateway's name for the authorization.
    pub authorization: String,
    /// The lines of goods.
    pub lines: Vec<SaleLine>,
    /// The uses of discounts that were sold with them, as `(line, movement)`: they come back with
    /// the last unit of goods that comes back unshipped. No line that anybody moves.
    pub uses: Vec<(u32, MovementId)>,
}

/// A line of goods, and what was asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleLine {
    /// The line, from 1.
    pub line: u32,
    /// What the buyer pays for all of its units, in minor units, discounts and taxes shared out.
    pub paid_minor: i64,
    /// The movement by which what has not left goes back on sale, when all of it does.
    pub back: MovementId,
}

/// What somebody wants to become of an order's money. Whatever is wanted, what is not captured yet
/// is no longer asked for when its goods go back on sale unshipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyWish {
    /// Nothing is given back.
    Keep,
    /// So many minor units are given back, more than none.
    Refund(i64),
    /// What was paid for the units that are given up is given back.
    Worth,
    /// The units named are given up, or everything that has not left, and what was paid for them is
    /// given back; with the last unit of an order nothing of which has left, everything.
    Cancel,
    /// So many of the authorized minor units are taken, or all that is left of them.
    Capture(Option<i64>),
    /// What is not captured is let go.
    Void,
}

/// What shipping goods asks of the money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shipping {
    /// What leaves has to be paid: captured, or about to be.
    #[default]
    Paid,
    /// What leaves is captured with it.
    Captures,
    /// It leaves in any case.
    Unpaid,
}

/// Units of one order line move after the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMove {
    /// The movement's id.
    pub id: MovementId,
    /// The line, from 1.
    pub line: u32,
    /// Which way.
    pub kind: LineMoveKind,
    /// How many units.
    pub quantity: u32,
}

/// How goods travel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Parcel {
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Where the buyer sees where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    /// What is heard of it, where nothing moves in this house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
}

/// What is heard of goods on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// `in_transit`, `delivered`, …: whatever word it came with.
    pub kind: String,
    /// Lines, from 1, and how many units of each.
    #[schemars(with = "Vec<Vec<u32>>")]
    pub units: Vec<(u32, u32)>,
}

/// What an order remembers of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderChange {
    /// Its id.
    pub id: ChangeId,
    /// What moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// The refund or void that is owed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<OperationId>,
    /// What was given up of the lines' money by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Given>,
    /// How it travels.
    #[serde(flatten)]
    pub parcel: Parcel,
    /// Why, in words meant for the buyer; none where a person's decision is nobody else's business.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Money of a line that is given up, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// The line, from 1.
    pub line: u32,
    /// What the buyer was asked to pay for all of it.
    pub paid: i64,
    /// What is given back of it, by the refund of the same change.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refunded: i64,
    /// What was authorized for it and will not be captured.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub released: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

/// Units that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// The line, from 1.
    pub line: u32,
    /// Which way.
    pub kind: LineMoveKind,
    /// How many.
    pub quantity: u32,
}

/// Where units of an order line go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineMoveKind {
    /// Out of the house.
    Ship,
    /// Shipped units come back into stock.
    Return,
    /// Units never shipped go back on sale.
    Restock,
}

impl LineMoveKind {
    /// The word in the movements table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ship => "ship",
            Self::Return => "return",
            Self::Restock => "restock",
        }
    }
}

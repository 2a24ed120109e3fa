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
/// on sale, money is given back. All of it becomes true, or nothing.
#[derive(Debug, Clone)]
pub struct ChangeOrder {
    /// Its id.
    pub id: ChangeId,
    /// The order.
    pub order: OrderId,
    /// What moves.
    pub moves: Vec<LineMove>,
    /// What is given back.
    pub refund: Option<Refund>,
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

/// Money to be given back of what was captured for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The attempt that paid.
    pub attempt: AttemptId,
    /// The gateway's name for the authorization.
    pub authorization: String,
    /// How much, in minor units: more than nothing.
    pub amount_minor: i64,
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
    /// How it travels.
    #[serde(flatten)]
    pub parcel: Parcel,
    /// Why, in words meant for the buyer; none where a person's decision is nobody else's business.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
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

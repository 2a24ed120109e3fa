//! How units move outside a sale: into and out of the house, and after an order.

use serde::{Deserialize, Serialize};

use super::entry::{KeyWrite, NewEvent};
use crate::base::{MovementId, OrderId, Sku, Timestamp};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Units came in.
    Receive,
    /// Units are lost, broken or miscounted.
    WriteOff,
    /// So many were counted: what is more than that is written off, what is missing received.
    Count,
}

/// Units of one order line move after the sale.
#[derive(Debug, Clone)]
pub struct LineMove {
    /// Its id.
    pub id: MovementId,
    /// The order.
    pub order: OrderId,
    /// The line, from 1.
    pub line: u32,
    /// Which way.
    pub kind: LineMoveKind,
    /// How many units.
    pub quantity: u32,
    /// Why.
    pub reason: String,
    /// What the world hears.
    pub events: Vec<NewEvent>,
    /// The request it answers.
    pub key: Option<KeyWrite>,
    /// When.
    pub now: Timestamp,
}

/// Where units of an order line go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

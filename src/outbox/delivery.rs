//! One event to one receiver.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{DeliveryId, EventId, OrderId, Timestamp},
    ledger::{entry::NewEvent, row::OrderRow},
};

/// An event that waits to be handed on.
#[derive(Debug, Clone, Deserialize)]
pub struct UnsentEvent {
    /// Its place among all events.
    pub seq: i64,
    /// What happened.
    pub event: NewEvent,
    /// Its order as it stands now.
    pub order: Option<OrderRow>,
}

/// A delivery to be kept.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event; the receiver knows the delivery by it.
    pub event_id: EventId,
    /// The event's place among all events.
    pub seq: i64,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Who gets it, as [`Receiver::key`](super::Receiver::key) names them.
    pub receiver: String,
    /// `order.placed`, …
    pub kind: String,
    /// What is sent, byte for byte, each time.
    pub body: String,
    /// When it happened.
    pub stamped_at: Timestamp,
    /// Whether it is only kept, to be sent when somebody asks: its endpoint is switched off.
    pub is_kept_only: bool,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// To be tried when its time has come.
    Due,
    /// The receiver has confirmed it.
    Delivered,
    /// Given up after the last attempt; someone has to look.
    Parked,
    /// Not sent: the receiver wants no more of them, or was switched off when it happened. It can
    /// be sent again for as long as deliveries are kept.
    Disabled,
}

/// A delivery as kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event; the receiver knows the delivery by it.
    pub event_id: EventId,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Who gets it.
    pub receiver: String,
    /// `order.placed`, …
    pub kind: String,
    /// What is sent.
    pub body: String,
    /// When it happened.
    pub stamped_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts begun, this one included.
    pub attempts: u32,
    /// The status that was answered last.
    pub last_status: Option<u16>,
    /// What went wrong last.
    pub last_fault: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// There was no answer, and why.
    Failed(String),
    /// The receiver said beforehand that it wants none, and how.
    Unwanted(String),
}

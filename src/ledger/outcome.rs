//! What became of an entry.

use serde::{Deserialize, Serialize};

use super::{
    review::CaseState,
    row::{AttemptState, KeyRow},
};
use crate::base::{GrantId, OrderId, Sku};

/// A fact was recorded, or refused. Recorded outcomes are answered again for the same id.
pub type Outcome = Result<Done, LedgerRefused>;

/// What a recorded fact came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// The session stands at this version.
    Session {
        /// The version written.
        version: u32,
    },
    /// The order is placed.
    Placed {
        /// Which.
        order: OrderId,
        /// The version the session has now.
        version: u32,
    },
    /// The attempt is settled and the session open again.
    Settled {
        /// The version the session has now.
        version: u32,
    },
    /// The stock stands like this.
    Stock {
        /// Counted units.
        on_hand: i64,
        /// Units free.
        unallocated: i64,
    },
    /// The block is taken.
    Granted {
        /// Which.
        grant: GrantId,
        /// With how many units.
        granted: i64,
    },
    /// So many holds were given back, or grants closed.
    Ended {
        /// How many.
        count: u32,
    },
    /// Written.
    Written,
}

/// The ledger says no. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum LedgerRefused {
    /// Somebody else wrote the session first.
    #[error("the session is at version {current}")]
    VersionConflict {
        /// The version that stands; 0 when there is none.
        current: u32,
    },
    /// A payment attempt has the session.
    #[error("the session is completing")]
    Completing,
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// Too few units of these SKUs.
    #[error("not enough stock: {0:?}")]
    Short(Vec<Shortage>),
    /// These grants are closed; decide again through the ledger.
    #[error("grants are closed: {0:?}")]
    GrantsClosed(Vec<GrantId>),
    /// The key was used before.
    #[error("the idempotency key is taken")]
    KeyTaken(Box<KeyRow>),
    /// The attempt is unknown.
    #[error("no such payment attempt")]
    NoSuchAttempt,
    /// The attempt became an order.
    #[error("already placed as {order}")]
    AlreadyPlaced {
        /// Which.
        order: OrderId,
    },
    /// The attempt came to nothing before.
    #[error("the attempt is already settled: {state:?}")]
    AlreadySettled {
        /// How.
        state: AttemptState,
    },
    /// The holds this attempt pins are not what the order promises.
    #[error("the pinned holds differ from the order's lines")]
    PinsDiffer,
    /// The holder is dead or unknown.
    #[error("this replica has been fenced")]
    Fenced,
    /// The SKU has no stock record.
    #[error("no stock is kept of {sku}")]
    NoSuchStock {
        /// Which.
        sku: Sku,
    },
    /// A write-off would take promised units.
    #[error("only {unallocated} units of {sku} are free; {promised} are held or sold")]
    WriteOffPromised {
        /// The SKU.
        sku: Sku,
        /// Free units.
        unallocated: i64,
        /// Held or sold ones.
        promised: i64,
    },
    /// The order line does not have that many units in the needed place.
    #[error("the line has only {available} units to move")]
    LineShort {
        /// How many it has.
        available: u32,
    },
    /// No such order line.
    #[error("no such order line")]
    NoSuchLine,
    /// No case waits for this order.
    #[error("no case is open for this order")]
    NoSuchCase,
    /// Somebody, or time, has decided.
    #[error("the case is {}", state.as_str())]
    CaseEnded {
        /// How.
        state: CaseState,
    },
    /// Whoever decides has claimed the case before.
    #[error("{}", match by {
        Some(by) => format!("{by} looks at this case"),
        None => "nobody has claimed this case".to_owned(),
    })]
    CaseNotTheirs {
        /// Who looks at it, if anybody does.
        by: Option<String>,
    },
    /// Nothing ships before somebody has decided.
    #[error("the order waits for a review")]
    InReview,
    /// There is no captured money to give back.
    #[error("the order's money was not taken")]
    NotCaptured,
    /// More would be given back than was taken.
    #[error("only {left} minor units are left to give back")]
    RefundTooLarge {
        /// How much is left, in minor units.
        left: i64,
    },
    /// More would be given back for lines than the buyer paid for them.
    #[error("only {left} minor units of what was paid for these lines are left to give back")]
    LineRefundTooLarge {
        /// How much is left, in minor units.
        left: i64,
    },
    /// Everything has left: there is nothing to cancel.
    #[error("every unit has left")]
    AllShipped,
    /// Goods would leave that are not paid.
    #[error("{missing} minor units of what would leave are not captured")]
    Unpaid {
        /// How much is missing, in minor units.
        missing: i64,
    },
    /// Nothing of the authorization is left to capture, or to let go.
    #[error("nothing of the authorization is left")]
    NothingAuthorized,
    /// More would be captured than is left of the authorization.
    #[error("only {left} minor units of the authorization are left to capture")]
    CaptureTooLarge {
        /// How much is left, in minor units.
        left: i64,
    },
    /// The order has had all its captures.
    #[error("an order has at most {} captures", super::judge::CAPTURES_MAX)]
    TooManyCaptures,
    /// The order has had all its refunds.
    #[error("an order has at most {} refunds", super::judge::REFUNDS_MAX)]
    TooManyRefunds,
    /// The operation is settled already.
    #[error("the operation is already settled")]
    OperationSettled,
    /// The count would leave its range.
    #[error("the count leaves the range of 63 bits")]
    OutOfRange,
}

/// Too few units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// The SKU.
    pub sku: Sku,
    /// How many were wanted.
    pub wanted: u32,
    /// How many a buyer could have; 0 is sold out.
    pub available: u32,
}

/// What a batch came to, entry by entry, and what memory should know now.
#[derive(Debug, Clone, Default)]
pub struct BatchReply {
    /// One per entry, in their order.
    pub outcomes: Vec<Outcome>,
    /// The grants it touched.
    pub grants: Vec<GrantSeen>,
    /// The stock it touched: SKU and unallocated units.
    pub stock: Vec<(Sku, i64)>,
}

/// A grant after a batch: memory becomes this minus the units in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantSeen {
    /// Which.
    pub id: GrantId,
    /// Of what.
    pub sku: Sku,
    /// Whether it may be used.
    pub active: bool,
    /// `granted − consumed`.
    pub left: i64,
}

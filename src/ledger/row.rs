//! What stands in the ledger: the records both stores keep, in base words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::order::{Funds, OrderLineRow, OrderRow, OrderStatus};
use super::{
    authorization::Authorization,
    entry::{Document, StoredAnswer},
};
use crate::base::{
    AttemptId, CheckoutId, Currency, GrantId, HolderId, OperationId, OrderId, Sealed, Sku,
    Timestamp,
};

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// The buyer may change and complete it.
    Open,
    /// A payment attempt pins its holds; nobody changes it.
    Completing,
    /// It became an order.
    Completed,
    /// Given up by the buyer or the shop.
    Canceled,
    /// Given up by time.
    Expired,
}

impl SessionState {
    /// Whether nothing can change it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Expired)
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completing => "completing",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

/// A session as last written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRow {
    /// The checkout.
    pub checkout: CheckoutId,
    /// Its version, from 1.
    pub version: u32,
    /// Where it stands.
    pub state: SessionState,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The session as the cart keeps it.
    pub body: Document,
    /// Who it is about.
    pub personal: Option<Sealed>,
    /// Its holds.
    pub holds: Vec<HoldRow>,
}

/// Units put aside for a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRow {
    /// For whom.
    pub checkout: CheckoutId,
    /// Of what.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// Until when, unless pinned.
    pub expires_at: Timestamp,
    /// The attempt that ties it.
    pub pinned_by: Option<AttemptId>,
}

/// A SKU's stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRow {
    /// The SKU.
    pub sku: Sku,
    /// Counted units, sold ones included until they ship.
    pub on_hand: i64,
    /// Units neither held, sold nor granted.
    pub unallocated: i64,
}

/// Everything the ledger knows about one SKU's units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockLevel {
    /// The SKU.
    pub sku: Sku,
    /// Counted units.
    pub on_hand: i64,
    /// Units neither held, sold nor granted.
    pub unallocated: i64,
    /// Units in active grants that no hold consumed.
    pub granted: i64,
    /// Units put aside for checkouts.
    pub held: i64,
    /// Units promised and not yet shipped.
    pub sold: i64,
}

impl StockLevel {
    /// What a buyer may still get.
    pub const fn available(&self) -> i64 {
        self.unallocated + self.granted
    }

    /// `on_hand = unallocated + Σ active (granted − consumed) + held + sold`.
    pub const fn is_conserved(&self) -> bool {
        self.on_hand == self.unallocated + self.granted + self.held + self.sold
    }
}

/// A replica's block of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// Of what.
    pub sku: Sku,
    /// Whose.
    pub holder: HolderId,
    /// Units in it.
    pub granted: i64,
    /// Units taken from it by committed holds.
    pub consumed: i64,
    /// Whether holds may still take from it.
    pub active: bool,
}

/// Where a payment attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// The gateway may be asked, or has been; past its deadline the outcome is unknown. Or it waits
    /// for its buyer: then it has a [`challenge`](AttemptRow::challenge).
    Pending,
    /// Authorized, and the order is placed.
    Authorized,
    /// The gateway said no.
    Declined,
    /// The gateway wanted the buyer to prove who they are, and a new attempt followed: so it was
    /// until challenges became a part of the attempt that waits for them.
    Challenged,
    /// The gateway never heard of it when asked after the deadline.
    Unheard,
}

impl AttemptState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
            Self::Challenged => "challenged",
            Self::Unheard => "unheard",
        }
    }
}

/// A payment attempt as last written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Our reference at the gateway.
    pub id: AttemptId,
    /// The checkout it completes.
    pub checkout: CheckoutId,
    /// The order it pays for.
    pub order: OrderId,
    /// 1, 2, ….
    pub number: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// What it authorizes, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// Which gateway.
    pub gateway: String,
    /// What it rests on, once it is authorized.
    pub authorization: Option<Authorization>,
    /// When the caller gives up waiting.
    pub deadline: Timestamp,
    /// Until when an unheard attempt is asked about again.
    pub watch_until: Option<Timestamp>,
    /// The key of the request that waits, as `[caller, key]`.
    pub waiting: Option<(String, String)>,
    /// What it waits for, once its buyer has to confirm it.
    #[serde(default)]
    pub challenge: Option<AttemptChallenge>,
}

/// A pending attempt that waits for its buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptChallenge {
    /// The gateway's own name for the payment, where it has one.
    pub id: Option<String>,
    /// Where the buyer goes.
    pub url: String,
    /// Until when; then it is ended at the gateway.
    pub until: Timestamp,
}

/// What we owe a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Take the authorized money.
    Capture,
    /// Let the authorization go.
    Void,
    /// Give captured money back.
    Refund,
}

impl OperationKind {
    /// Below the places of captures after the first: they stand behind those of refunds.
    pub const LATER_CAPTURE: u8 = 32;

    /// The place of its first among the operations of an attempt.
    pub const fn number(self) -> u8 {
        match self {
            Self::Capture => 1,
            Self::Void => 2,
            Self::Refund => 3,
        }
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

/// Where a capture, void or refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Owed.
    Due,
    /// The gateway did it.
    Done,
    /// The gateway will never do it.
    Refused,
}

impl OperationState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// A capture, void or refund to be owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewOperation {
    /// Its id; the gateway's idempotency key comes from it.
    pub id: OperationId,
    /// The attempt whose money it moves.
    pub attempt: AttemptId,
    /// Which way.
    pub kind: OperationKind,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The gateway's name for the authorization.
    pub authorization: String,
}

impl NewOperation {
    /// Which capture or refund of its attempt it is: 0 for the capture that an order is placed
    /// with, and for the refund that a review decides. Voids have one part.
    pub const fn part(&self) -> u8 {
        let number = self.id.kind_of(self.attempt);
        match self.kind {
            OperationKind::Capture => number.saturating_sub(OperationKind::LATER_CAPTURE),
            OperationKind::Void | OperationKind::Refund => {
                number.saturating_sub(self.kind.number())
            }
        }
    }
}

/// A capture, void or refund as last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationRow {
    /// What is owed.
    #[serde(flatten)]
    pub operation: NewOperation,
    /// Where it stands.
    pub state: OperationState,
    /// The currency of the amount.
    pub currency: Currency,
    /// The order it belongs to, when one was placed by this attempt.
    pub order: OrderId,
}

/// An order to be placed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewOrder {
    /// Its id: the checkout's bits.
    pub id: OrderId,
    /// What it costs, in minor units.
    pub total_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// The completed session, without personal fields.
    pub body: Document,
    /// Its lines, numbered from 1.
    pub lines: Vec<NewOrderLine>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewOrderLine {
    /// Its number, from 1.
    pub line: u32,
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// At which price each, in minor units.
    pub unit_price_minor: i64,
    /// Whether its units are counted: backorder and digital lines are not.
    pub tracked: bool,
}

/// An idempotency key as last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Hash of method, path and canonical body.
    pub fingerprint: String,
    /// How the answer is to be written.
    pub dialect: String,
    /// The answer, once known.
    pub answer: Option<StoredAnswer>,
}

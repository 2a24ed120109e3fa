//! Orders as the ledger keeps them: goods and the uses of discounts behind them, where the money
//! stands, and the one word for all of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    entry::{Document, OrderChange},
    review::CaseState,
    row::{NewOrderLine, OperationKind, OperationRow, OperationState},
};
use crate::base::{AttemptId, Currency, OrderId, Sealed, Timestamp};

/// Where the money of an order stands, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Funds {
    /// What was authorized.
    pub authorized: i64,
    /// What is captured, or about to be.
    pub capturing: i64,
    /// What is captured.
    pub captured: i64,
    /// What is given back, or about to be.
    pub refunding: i64,
    /// What was authorized for units that were given up before it was captured.
    pub released: i64,
    /// Whether what is not captured is let go, or about to be.
    pub voided: bool,
    /// Whether the gateway refused to capture.
    pub refused: bool,
}

impl Funds {
    /// Counts these operations of one attempt.
    pub fn of<'a>(
        authorized: i64,
        released: i64,
        operations: impl IntoIterator<Item = &'a OperationRow>,
    ) -> Self {
        let mut funds = Self { authorized, released, ..Self::default() };
        for row in operations {
            let minor = row.operation.amount_minor;
            match (row.operation.kind, row.state) {
                (OperationKind::Capture, OperationState::Refused) => funds.refused = true,
                (OperationKind::Capture, state) => {
                    funds.capturing += minor;
                    funds.captured += if state == OperationState::Done { minor } else { 0 };
                }
                (OperationKind::Refund, OperationState::Due | OperationState::Done) => {
                    funds.refunding += minor;
                }
                (OperationKind::Void, OperationState::Due | OperationState::Done) => {
                    funds.voided = true;
                }
                (OperationKind::Refund | OperationKind::Void, OperationState::Refused) => {}
            }
        }
        funds
    }

    /// What may still be captured.
    pub fn capturable(&self) -> i64 {
        let left = (self.authorized - self.capturing - self.released).max(0);
        if self.voided { 0 } else { left }
    }

    /// What was captured and is neither given back nor about to be.
    pub const fn refundable(&self) -> i64 {
        self.captured - self.refunding
    }
}

/// Where an order stands, in one word for people; the lists' filter has the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Nothing has left yet.
    Placed,
    /// A person has to decide first.
    InReview,
    /// A part of what was not given up has left.
    PartlyShipped,
    /// Everything that was not given up has left.
    Shipped,
    /// Some of what had left came back.
    PartlyReturned,
    /// Everything that had left came back, and nothing is still to leave.
    Returned,
    /// Every unit was given up before it left.
    Canceled,
    /// A person, or time, has declined it.
    Declined,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Placed,
        Self::InReview,
        Self::PartlyShipped,
        Self::Shipped,
        Self::PartlyReturned,
        Self::Returned,
        Self::Canceled,
        Self::Declined,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::InReview => "in_review",
            Self::PartlyShipped => "partly_shipped",
            Self::Shipped => "shipped",
            Self::PartlyReturned => "partly_returned",
            Self::Returned => "returned",
            Self::Canceled => "canceled",
            Self::Declined => "declined",
        }
    }

    /// The status of this word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// An order as last written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "StoredOrder")]
pub struct OrderRow {
    /// Its id.
    pub id: OrderId,
    /// What it costs, in minor units.
    pub total_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The order as shown.
    pub body: Document,
    /// Who it is about.
    pub personal: Option<Sealed>,
    /// The attempt that paid for it.
    pub attempt: AttemptId,
    /// Its lines: goods, and nothing else.
    pub lines: Vec<OrderLineRow>,
    /// Uses of discounts that were sold with the goods. They are counted like goods, and nobody
    /// ships them or takes them back.
    pub uses: Vec<OrderLineRow>,
    /// What is owed or done about its money.
    pub operations: Vec<OperationRow>,
    /// What happened to it since, oldest first.
    pub changes: Vec<OrderChange>,
    /// Where its case stands, if a person has had to decide about it.
    pub case: Option<CaseState>,
}

/// An order as the database keeps it: goods and uses of discounts in one table.
#[derive(Deserialize)]
struct StoredOrder {
    id: OrderId,
    total_minor: i64,
    currency: Currency,
    placed_at: Timestamp,
    body: Document,
    personal: Option<Sealed>,
    attempt: AttemptId,
    lines: Vec<OrderLineRow>,
    operations: Vec<OperationRow>,
    #[serde(default)]
    changes: Vec<OrderChange>,
    #[serde(default)]
    case: Option<CaseState>,
}

impl From<StoredOrder> for OrderRow {
    fn from(stored: StoredOrder) -> Self {
        let of_uses = |line: &OrderLineRow| line.ordered.sku.is_of_uses();
        let (uses, lines) = stored.lines.into_iter().partition(of_uses);
        Self {
            id: stored.id,
            total_minor: stored.total_minor,
            currency: stored.currency,
            placed_at: stored.placed_at,
            body: stored.body,
            personal: stored.personal,
            attempt: stored.attempt,
            lines,
            uses,
            operations: stored.operations,
            changes: stored.changes,
            case: stored.case,
        }
    }
}

impl OrderRow {
    /// Where it stands. The view `order_rows` says the same in SQL.
    pub fn status(&self) -> OrderStatus {
        let sum = |of: fn(&OrderLineRow) -> u32| self.lines.iter().map(|l| u64::from(of(l))).sum();
        let ordered: u64 = sum(|line| line.ordered.quantity);
        let restocked: u64 = sum(|line| line.restocked);
        let shipped: u64 = sum(|line| line.shipped);
        let returned: u64 = sum(|line| line.returned);
        let kept = ordered - restocked;
        match self.case {
            Some(CaseState::Open) => OrderStatus::InReview,
            Some(CaseState::Declined | CaseState::Expired) if shipped == 0 => OrderStatus::Declined,
            _ if kept == 0 => OrderStatus::Canceled,
            _ if returned > 0 && returned == kept => OrderStatus::Returned,
            _ if returned > 0 => OrderStatus::PartlyReturned,
            _ if shipped == 0 => OrderStatus::Placed,
            _ if shipped < kept => OrderStatus::PartlyShipped,
            _ => OrderStatus::Shipped,
        }
    }

    /// Everything that was sold: goods, and the uses of discounts behind them.
    pub fn sold(&self) -> impl Iterator<Item = &OrderLineRow> {
        self.lines.iter().chain(&self.uses)
    }

    /// Where its money stands.
    pub fn funds(&self) -> Funds {
        let given = self.changes.iter().flat_map(|change| &change.given);
        let released = given.map(|given| given.released).sum();
        Funds::of(self.total_minor, released, &self.operations)
    }

    /// What was given back of a line, or is about to be, in minor units.
    pub fn refunded_of(&self, line: u32) -> i64 {
        let stands = |change: &&OrderChange| {
            let operation = change.money.and_then(|id| {
                self.operations.iter().find(|operation| operation.operation.id == id)
            });
            operation.is_some_and(|operation| operation.state != OperationState::Refused)
        };
        let given = self.changes.iter().filter(stands).flat_map(|change| &change.given);
        given.filter(|given| given.line == line).map(|given| given.refunded).sum()
    }

    /// What was authorized for a line and will not be captured, in minor units.
    pub fn released_of(&self, line: u32) -> i64 {
        let given = self.changes.iter().flat_map(|change| &change.given);
        given.filter(|given| given.line == line).map(|given| given.released).sum()
    }
}

/// One line of an order as last written. Sold = quantity − shipped − restocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLineRow {
    /// What was ordered.
    #[serde(flatten)]
    pub ordered: NewOrderLine,
    /// Units that left the house.
    pub shipped: u32,
    /// Shipped units that came back.
    pub returned: u32,
    /// Units that went back on sale unshipped.
    pub restocked: u32,
}

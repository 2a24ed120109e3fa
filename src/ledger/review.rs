//! Judgements and the cases they open: what the ledger keeps of them, in the commits that they are
//! about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::close_reason::CloseReason;
use super::entry::{Document, KeyWrite, NewEvent, Sale};
use crate::base::{AssessmentId, AttemptId, ChangeId, CheckoutId, Currency, OrderId, Timestamp};

/// A judgement of one attempt to pay. Written once, never changed.
#[derive(Debug, Clone, Serialize)]
pub struct NewAssessment {
    /// Its id.
    pub id: AssessmentId,
    /// The checkout it is about.
    pub checkout: CheckoutId,
    /// The payment attempt that began with it.
    pub attempt: Option<AttemptId>,
    /// What was decided: `approve`, `challenge`, `review`, `decline`.
    pub outcome: &'static str,
    /// 0–1000.
    pub score: Option<u16>,
    /// Whether something was not available, and the policy was stricter for it.
    pub degraded: bool,
    /// Everything it rested on, without anything that names a person.
    pub body: Document,
    /// When.
    pub at: Timestamp,
}

/// A judgement that ends a request.
#[derive(Debug, Clone)]
pub struct Assess {
    /// The judgement.
    pub assessment: NewAssessment,
    /// The answer.
    pub key: KeyWrite,
}

/// A judgement as last written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessmentRow {
    /// Its id.
    pub id: AssessmentId,
    /// The checkout it is about.
    pub checkout: CheckoutId,
    /// The payment attempt that began with it.
    pub attempt: Option<AttemptId>,
    /// What was decided.
    pub outcome: String,
    /// 0–1000.
    pub score: Option<u16>,
    /// Whether something was not available.
    pub degraded: bool,
    /// Everything it rested on.
    pub body: Document,
    /// When.
    pub at: Timestamp,
}

/// An order that waits for a person.
#[derive(Debug, Clone, Serialize)]
pub struct NewCase {
    /// The order; it has one case at most.
    pub order: OrderId,
    /// The attempt whose money it is about.
    pub attempt: AttemptId,
    /// What its loss would cost, in minor units: the greatest comes first.
    pub priority: i64,
    /// When somebody should have looked.
    pub due_at: Timestamp,
    /// When it is declined if nobody has: soon after, the authorization lapses.
    pub expires_at: Timestamp,
    /// When.
    pub opened_at: Timestamp,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Nobody has decided.
    Open,
    /// The money is taken, or owed, or taken when goods ship.
    Approved,
    /// The authorization is let go and the units are back on sale.
    Declined,
    /// The money was taken and is given back: it was fraud.
    Refunded,
    /// Declined by time.
    Expired,
    /// There was nothing left to decide: every unit was given up before.
    Canceled,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Approved, Self::Declined, Self::Refunded, Self::Expired, Self::Canceled];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }
}

/// What the judge needs of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseHead {
    /// The order.
    pub order: OrderId,
    /// The attempt whose money it is about.
    pub attempt: AttemptId,
    /// Where it stands.
    pub state: CaseState,
}

/// Who looks at an open case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseClaim {
    /// The order.
    pub order: OrderId,
    /// Who.
    pub by: String,
    /// Until when it is theirs.
    pub until: Timestamp,
}

/// Ends a case: money and units follow in the same commit, once.
#[derive(Debug, Clone)]
pub struct Resolve {
    /// The order.
    pub order: OrderId,
    /// What the order was sold for.
    pub sale: Sale,
    /// What becomes of it: any state but open.
    pub to: CaseState,
    /// Who decided.
    pub by: String,
    /// Whether an open case must be theirs by then: so it is with people, and not with time.
    pub claimed: bool,
    /// Why, in their words.
    pub reason: String,
    /// Whether an approval takes the money; else it is taken when goods ship, or when told.
    pub captures: bool,
    /// What the order remembers of it, where goods or money are given up.
    pub change: ChangeId,
    /// Whether it teaches that the order was fraud.
    pub label: Option<NewLabel>,
    /// What the world hears.
    pub events: Vec<NewEvent>,
    /// The request it answers.
    pub key: Option<KeyWrite>,
    /// When.
    pub now: Timestamp,
}

/// What was found out about an order. A later one takes the place of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewLabel {
    /// The order.
    pub order: OrderId,
    /// Whether it was fraud.
    pub fraud: bool,
    /// Who says so: `reviewer`, `dispute`, `early_warning`, `refund`, `import`.
    pub source: String,
    /// When it was found out.
    pub at: Timestamp,
    /// What else is known of it.
    #[serde(flatten)]
    pub details: LabelDetails,
}

/// What else is known of a label. Nothing is learned from it: it is for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelDetails {
    /// Who wrote it down: an API key's name, or a part of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The bank's code for why, such as `10.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it is about, where that is a part of the order.
    #[serde(flatten)]
    pub amount: Option<LabelAmount>,
}

/// How much of an order a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelAmount {
    /// In minor units.
    pub amount_minor: i64,
    /// In the order's currency.
    pub currency: Currency,
}

/// Labels with the answer to the request that brought them.
#[derive(Debug, Clone)]
pub struct LabelsWrite {
    /// What was found out, each about an order that is there.
    pub labels: Vec<NewLabel>,
    /// The answer.
    pub key: KeyWrite,
}

/// A case's change.
#[derive(Debug, Clone, Serialize)]
pub struct CaseChange {
    /// The order.
    pub order: OrderId,
    /// Its new state.
    pub state: CaseState,
    /// The state before.
    pub from: CaseState,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

//! Orders that wait for a person: who looks at which, and what was said about them.
//!
//! **Owns:** the queue, claims, notes, assignment and escalation of review cases, and the reading
//! of judgements. **Invariant:** two reviewers never have one case at the same time; a case's
//! events are only ever added to. **Not here:** its end, which moves money and units and is a fact
//! of the [`ledger`](crate::ledger::review).

mod postgres;
mod queue;
mod sqlite;

pub use queue::{CaseHead, QueueCounts, QueueFilter, QueuePlace};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};

use crate::{
    base::{AssessmentId, AttemptId, CheckoutId, Currency, OrderId, Timestamp},
    fraud::{history::History, links::Links},
    ledger::{
        Database, LedgerFault,
        review::{AssessmentRow, CaseState, CloseReason, NewLabel},
        row::OrderRow,
    },
};

/// A case as last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRow {
    /// The order.
    pub order: OrderId,
    /// The attempt whose money it is about.
    pub attempt: AttemptId,
    /// Where it stands.
    pub state: CaseState,
    /// What its loss would cost, in minor units.
    pub priority: i64,
    /// When somebody should have looked.
    pub due_at: Timestamp,
    /// When it is declined by time.
    pub expires_at: Timestamp,
    /// Since when.
    pub opened_at: Timestamp,
    /// Whether it goes before all others.
    pub escalated: bool,
    /// Whose it is to be.
    pub assignee: Option<String>,
    /// Who looks at it now.
    pub claimed_by: Option<String>,
    /// Until when it is theirs.
    pub lease_until: Option<Timestamp>,
    /// Who ended it.
    pub closed_by: Option<String>,
    /// Why, as one of a few reasons.
    #[serde(default)]
    pub close_reason: Option<CloseReason>,
    /// Why, in words.
    pub reason: Option<String>,
    /// When.
    pub closed_at: Option<Timestamp>,
}

impl CaseRow {
    /// The same with reason and words apart, which the database keeps as one text.
    fn told(mut self) -> Self {
        if let Some(text) = self.reason.take() {
            let (code, words) = CloseReason::split(&text);
            (self.close_reason, self.reason) = (code, Some(words.to_owned()));
        }
        self
    }
}

/// What happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// `opened`, `claimed`, `released`, `noted`, `assigned`, `escalated`, or how it ended.
    pub kind: String,
    /// In their words.
    pub note: String,
}

/// What a label is held against: when its order was placed, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Placed {
    /// When.
    pub at: Timestamp,
    /// How much, in minor units.
    pub total_minor: i64,
    /// In which currency.
    pub currency: Currency,
}

impl Placed {
    /// Of this order.
    pub const fn of(order: &OrderRow) -> Self {
        Self { at: order.placed_at, total_minor: order.total_minor, currency: order.currency }
    }
}

/// A judgement that is read back to build memory again.
#[derive(Debug, Clone, Deserialize)]
pub struct Remembered {
    /// The judgement.
    pub row: AssessmentRow,
    /// Whether the attempt it began was declined.
    pub failed: bool,
}

/// A question to the database; each is one statement, in both dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Case,
    Queue,
    Closed,
    Heads,
    Counts,
    Events,
    Expired,
    Assessments,
    Past,
    Labels,
    Orders,
}

/// A change; each is one statement, which returns the case as it is then where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    ClaimNext,
    Claim,
    Release,
    Assign,
    Escalate,
}

/// Review cases in the ledger's database.
#[derive(Debug, Clone)]
pub struct Cases {
    database: Database,
}

impl Cases {
    /// The cases in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// All judgements in this database, with what became of them.
    pub fn history(&self) -> History {
        History::new(self.database.clone())
    }

    /// The database they stand in.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Orders that share something, found through this database.
    pub fn links(&self) -> Links {
        Links::new(self.clone(), self.database.clone())
    }

    /// One case.
    ///
    /// # Errors
    /// When the ledger cannot be reached, as for all of these.
    pub async fn find(&self, order: OrderId) -> Result<Option<CaseRow>, LedgerFault> {
        let found = self.ask::<CaseRow>(Question::Case, json!({ "order": order })).await?.pop();
        Ok(found.map(CaseRow::told))
    }

    /// What happened to a case, in order.
    pub async fn list_events(&self, order: OrderId) -> Result<Vec<CaseEvent>, LedgerFault> {
        self.ask(Question::Events, json!({ "order": order })).await
    }

    /// Open cases whose time is over.
    pub async fn list_expired(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CaseRow>, LedgerFault> {
        self.ask(Question::Expired, json!({ "now": now, "limit": limit })).await
    }

    /// Every judgement of a checkout, the first one first.
    pub async fn list_assessments(
        &self,
        checkout: CheckoutId,
    ) -> Result<Vec<AssessmentRow>, LedgerFault> {
        self.ask(Question::Assessments, json!({ "checkout": checkout })).await
    }

    /// Judgements since a moment, in their order, after `cursor`.
    pub async fn list_past(
        &self,
        since: Timestamp,
        cursor: Option<AssessmentId>,
        limit: u32,
    ) -> Result<Vec<Remembered>, LedgerFault> {
        let about = json!({ "since": since, "after": cursor, "limit": limit });
        self.ask(Question::Past, about).await
    }

    /// What was found out about an order, the latest first.
    pub async fn list_labels(&self, order: OrderId) -> Result<Vec<NewLabel>, LedgerFault> {
        self.ask(Question::Labels, json!({ "order": order })).await
    }

    /// Which of these orders there are, when each was placed, and for how much.
    pub async fn find_orders(
        &self,
        orders: &[OrderId],
    ) -> Result<HashMap<OrderId, Placed>, LedgerFault> {
        let found: Vec<(OrderId, Placed)> =
            self.ask(Question::Orders, json!({ "orders": orders })).await?;
        Ok(found.into_iter().collect())
    }

    /// Gives a reviewer the most urgent case that nobody has, for as long as the lease runs. A case
    /// assigned to another is passed over. `None` too when they have so many claimed already.
    pub async fn claim_next(
        &self,
        reviewer: &str,
        (lease, most): (Duration, u32),
        now: Timestamp,
    ) -> Result<Option<CaseRow>, LedgerFault> {
        let until = now.plus(lease);
        let claim = json!({ "by": reviewer, "now": now, "until": until, "most": most });
        self.change(Change::ClaimNext, claim).await
    }

    /// Gives a reviewer this case, or a longer lease on it. `None` when another has it or it ended,
    /// or when they have so many claimed already.
    pub async fn claim(
        &self,
        order: OrderId,
        reviewer: &str,
        (lease, most): (Duration, u32),
        now: Timestamp,
    ) -> Result<Option<CaseRow>, LedgerFault> {
        let until = now.plus(lease);
        let claim = json!({ "order": order, "by": reviewer, "now": now, "until": until,
                            "most": most });
        self.change(Change::Claim, claim).await
    }

    /// Takes a case back from its reviewer. `None` when it is not theirs.
    pub async fn release(
        &self,
        order: OrderId,
        reviewer: &str,
        now: Timestamp,
    ) -> Result<Option<CaseRow>, LedgerFault> {
        self.change(Change::Release, json!({ "order": order, "by": reviewer, "now": now })).await
    }

    /// Says whose case it is to be. `None` when it has ended.
    pub async fn assign(
        &self,
        order: OrderId,
        (by, to): (&str, &str),
        now: Timestamp,
    ) -> Result<Option<CaseRow>, LedgerFault> {
        let assign = json!({ "order": order, "by": by, "to": to, "now": now });
        self.change(Change::Assign, assign).await
    }

    /// Puts a case before all others. `None` when it has ended.
    pub async fn escalate(
        &self,
        order: OrderId,
        (by, why): (&str, &str),
        now: Timestamp,
    ) -> Result<Option<CaseRow>, LedgerFault> {
        let escalate = json!({ "order": order, "by": by, "why": why, "now": now });
        self.change(Change::Escalate, escalate).await
    }

    /// Adds to what was said about a case.
    pub async fn note(
        &self,
        order: OrderId,
        (by, note): (&str, &str),
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        let event = json!({ "order": order, "by": by, "kind": "noted", "note": note, "now": now });
        self.add_event(event.to_string()).await
    }

    async fn add_event(&self, event: String) -> Result<(), LedgerFault> {
        match &self.database {
            Database::Postgres(database) => postgres::add_event(database, event).await,
            Database::Sqlite(database) => sqlite::add_event(database, event).await,
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        question: Question,
        about: Value,
    ) -> Result<Vec<T>, LedgerFault> {
        let about = about.to_string();
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, question, about).await?,
            Database::Sqlite(database) => sqlite::ask(database, question, about).await?,
        };
        rows.iter().map(|row| read(row)).collect()
    }

    async fn change(&self, change: Change, to: Value) -> Result<Option<CaseRow>, LedgerFault> {
        let to = to.to_string();
        let row = match &self.database {
            Database::Postgres(database) => postgres::change(database, change, to).await?,
            Database::Sqlite(database) => sqlite::change(database, change, to).await?,
        };
        row.map(|row| read(&row)).transpose()
    }
}

fn read<T: DeserializeOwned>(row: &str) -> Result<T, LedgerFault> {
    serde_json::from_str(row)
        .map_err(|error| LedgerFault::Broken(format!("a stored case does not read: {error}")))
}

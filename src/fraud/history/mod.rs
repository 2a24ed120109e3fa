//! What was judged and what became of it: the ledger read back, page by page, for those who learn.
//!
//! **Owns:** reading judgements with their payments, orders and labels. **Invariant:** one row for
//! each attempt to pay; a second look at it is a part of the row. **Not here:** what is learned
//! (see [`backtest`](super::backtest), [`learning`](super::learning)).

mod memory;
mod postgres;
mod sqlite;

pub use memory::MemoryRow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{
    base::{AssessmentId, CheckoutId, Currency, OrderId, Sealed, Timestamp},
    fraud::{assessment::Outcome, bench::Written, learning::Place},
    ledger::{Database, Document, LedgerFault},
};

/// What was found out about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Known {
    /// Whether it was fraud.
    pub fraud: bool,
    /// Who says so: `reviewer`, `dispute`, `refund`, `import`.
    pub source: String,
    /// When it was found out.
    pub at: Timestamp,
}

/// A judged attempt to pay, and what became of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Past {
    /// The judgement.
    pub id: AssessmentId,
    /// The checkout.
    pub checkout: CheckoutId,
    /// When it was judged.
    pub at: Timestamp,
    /// The judgement as it was written down.
    pub body: Document,
    /// What a second look on the issuer's words came to.
    pub later: Option<Outcome>,
    /// What was to be paid, in minor units, where a payment began.
    pub minor: Option<i64>,
    /// In which currency, as far as it is still known.
    pub currency: Option<Currency>,
    /// Whether an order was placed by it.
    pub placed: bool,
    /// Whether it was declined, here or at the gateway.
    pub failed: bool,
    /// What was found out about that order last.
    pub label: Option<Known>,
    /// The session as it was last, when it was asked for and is still there.
    pub session: Option<Document>,
    /// Who it was about, when it was asked for and is still there.
    pub personal: Option<Sealed>,
}

impl Past {
    /// The judgement, read.
    ///
    /// # Errors
    /// When it does not read.
    pub fn written(&self) -> Result<Written, LedgerFault> {
        let damaged =
            |error| LedgerFault::Broken(format!("judgement {} does not read: {error}", self.id));
        serde_json::from_str(self.body.get()).map_err(damaged)
    }
}

/// A label in the order in which labels came.
#[derive(Debug, Clone, Deserialize)]
pub struct Labeled {
    /// Its place among all labels.
    pub seq: i64,
    /// The order.
    pub order: OrderId,
    /// Whether it was fraud.
    pub fraud: bool,
    /// What was believed before.
    pub before: Option<Known>,
    /// When it was found out.
    pub at: Timestamp,
    /// The judgement of the attempt that paid for the order; none when it was never judged.
    pub judged: Option<Judgement>,
}

impl Labeled {
    /// Whether the order was taken for fraud before.
    pub fn was_fraud(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.fraud)
    }
}

/// A judgement without what became of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Judgement {
    /// Its id.
    pub id: AssessmentId,
    /// When.
    pub at: Timestamp,
    /// As it was written down.
    pub body: Document,
}

/// A span of time, and how much of each attempt is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// From here on.
    pub from: Timestamp,
    /// Before this.
    pub until: Timestamp,
    /// Labels up to this place count; all when there is none.
    pub labels_until: Option<i64>,
    /// Whether sessions and people are wanted too.
    pub whole: bool,
}

impl Span {
    /// Judgements of this span with every label.
    pub const fn of(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until, labels_until: None, whole: false }
    }

    /// Ids between which its judgements lie: they begin with their time. By them a database finds a
    /// span among millions of judgements, however few it knows of what is in them.
    fn ids(&self) -> (AssessmentId, AssessmentId) {
        let end = self.until.plus(Duration::from_millis(1));
        (AssessmentId::least_at(self.from), AssessmentId::least_at(end))
    }
}

/// A question to the database; each is one statement, in both dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Past,
    Labels,
    LastLabel,
    Count,
    Place,
    Memory,
}

/// A change; each is one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    StartPlace,
    MovePlace,
    ForgetPlace,
    BeginMemory,
    TendMemory,
    EndMemory,
}

/// Judgements in the ledger's database.
#[derive(Debug, Clone)]
pub struct History {
    database: Database,
}

impl History {
    /// The history in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Attempts of a span in their order, after `cursor`.
    ///
    /// # Errors
    /// When the ledger cannot be reached, as for all of these.
    pub async fn list(
        &self,
        span: Span,
        cursor: Option<AssessmentId>,
        limit: u32,
    ) -> Result<Vec<Past>, LedgerFault> {
        let Span { from, until, labels_until, whole } = span;
        let (first, end) = span.ids();
        let about = json!({
            "from": from, "until": until, "labels_until": labels_until, "whole": whole,
            "after": cursor.unwrap_or(first), "end": end, "limit": limit,
        });
        self.ask(Question::Past, about).await
    }

    /// About how many judgements a span has.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn count(&self, span: Span) -> Result<u64, LedgerFault> {
        let (first, end) = span.ids();
        let about = json!({ "from": span.from, "until": span.until, "after": first, "end": end });
        Ok(self.ask(Question::Count, about).await?.pop().unwrap_or(0))
    }

    /// Labels after a place and up to another, in their order.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn list_labels(
        &self,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<Labeled>, LedgerFault> {
        let about = json!({ "after": after, "until": until, "limit": limit });
        self.ask(Question::Labels, about).await
    }

    /// The place of the last label before which no other can appear any more; 0 before the first.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn last_label(&self) -> Result<i64, LedgerFault> {
        Ok(self.ask(Question::LastLabel, json!({})).await?.pop().unwrap_or(0))
    }

    /// How far labels have been learned by a memory that replicas share.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn place(&self, memory: &str) -> Result<Option<Place>, LedgerFault> {
        Ok(self.ask(Question::Place, json!({ "memory": memory })).await?.pop())
    }

    /// Writes down where learning begins, unless it has begun.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn start_place(&self, memory: &str, first: Place) -> Result<(), LedgerFault> {
        self.change(Change::StartPlace, json!({ "memory": memory, "to": first })).await.map(drop)
    }

    /// Writes down that this step is taken. Whether it was: another replica may have come first.
    ///
    /// # Errors
    /// See [`Self::list`].
    pub async fn move_place(
        &self,
        memory: &str,
        from: Place,
        to: Place,
    ) -> Result<bool, LedgerFault> {
        let step = json!({ "memory": memory, "from": from, "to": to });
        self.change(Change::MovePlace, step).await
    }

    async fn change(&self, change: Change, to: Value) -> Result<bool, LedgerFault> {
        let to = to.to_string();
        match &self.database {
            Database::Postgres(database) => postgres::change(database, change, to).await,
            Database::Sqlite(database) => sqlite::change(database, change, to).await,
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
        let damaged =
            |error| LedgerFault::Broken(format!("a stored {question:?} does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededChance;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_judged_in_a_span_lies_between_its_ids(
            from in 0_i64..10_000_000,
            lasts in 1_i64..10_000_000,
            part in 0.0_f64..1.0,
        ) {
            let until = Timestamp::from_micros(from + lasts);
            let from = Timestamp::from_micros(from);
            let (first, end) = Span::of(from, until).ids();
            for within in [0, (lasts as f64 * part) as i64, lasts - 1] {
                let at = Timestamp::from_micros(from.micros() + within);
                let id = AssessmentId::new(at, &SeededChance::new(7));
                prop_assert!(first < id && id < end, "{within} of {lasts}");
            }
        }
    }
}

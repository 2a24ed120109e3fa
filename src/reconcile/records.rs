//! What was found, and which days were compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{compare::Day, finding::Break, postgres, sqlite};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault},
};

/// A day that was compared at one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The gateway, as it is configured.
    pub gateway: String,
    /// The day, in UTC.
    pub day: String,
    /// When it was compared last.
    pub at: Timestamp,
    /// Payments of ours that were compared.
    pub compared: u64,
    /// Payments of the list that carry no name of ours.
    pub foreign: u64,
    /// What differed.
    pub breaks: u64,
}

/// A break, and how long it has been known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreakRow {
    /// What differs.
    #[serde(flatten)]
    pub found: Break,
    /// The day of the payment, in UTC.
    pub day: String,
    /// When it was found first.
    pub found_at: Timestamp,
    /// Since when the two agree again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// Which breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakFilter {
    /// Those that the two agree about again, too.
    pub closed: bool,
    /// How many, the latest first.
    pub limit: u32,
}

/// The record of comparing.
#[derive(Debug, Clone)]
pub struct Records {
    database: Database,
}

impl Records {
    /// The record in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Whether somebody has compared this day at this gateway.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn was_compared(&self, gateway: &str, day: Day) -> Result<bool, LedgerFault> {
        let ask = json!({ "gateway": gateway, "day": day.text() }).to_string();
        match &self.database {
            Database::Postgres(postgres) => postgres::was_compared(postgres, ask).await,
            Database::Sqlite(sqlite) => sqlite::was_compared(sqlite, ask).await,
        }
    }

    /// Keeps what comparing a day came to, in one commit: new breaks, and the end of those that
    /// were not found again.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn keep(&self, run: &Run, breaks: &[Break]) -> Result<(), LedgerFault> {
        let found: Vec<_> = breaks
            .iter()
            .map(|found| {
                let kind = found.finding.word();
                json!({ "payment": found.payment, "kind": kind, "body": found })
            })
            .collect();
        let write = json!({ "run": run, "found": found }).to_string();
        match &self.database {
            Database::Postgres(postgres) => postgres::keep(postgres, write).await,
            Database::Sqlite(sqlite) => sqlite::keep(sqlite, write).await,
        }
    }

    /// Breaks, the latest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn list(&self, filter: BreakFilter) -> Result<Vec<BreakRow>, LedgerFault> {
        let ask = json!({ "closed": filter.closed, "limit": filter.limit }).to_string();
        let rows = match &self.database {
            Database::Postgres(postgres) => postgres::list(postgres, ask).await?,
            Database::Sqlite(sqlite) => sqlite::list(sqlite, ask).await?,
        };
        rows.iter().map(|row| read(row)).collect()
    }

    /// The days that were compared, the latest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, LedgerFault> {
        let ask = json!({ "limit": limit }).to_string();
        let rows = match &self.database {
            Database::Postgres(postgres) => postgres::runs(postgres, ask).await?,
            Database::Sqlite(sqlite) => sqlite::runs(sqlite, ask).await?,
        };
        rows.iter().map(|row| read(row)).collect()
    }

    /// How many breaks are open.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn count_open(&self) -> Result<u64, LedgerFault> {
        let count = match &self.database {
            Database::Postgres(postgres) => postgres::count_open(postgres).await?,
            Database::Sqlite(sqlite) => sqlite::count_open(sqlite).await?,
        };
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

fn read<T: DeserializeOwned>(row: &str) -> Result<T, LedgerFault> {
    serde_json::from_str(row)
        .map_err(|error| LedgerFault::Broken(format!("a kept break does not read: {error}")))
}

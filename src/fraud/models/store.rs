//! The registry's rows, in both databases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{postgres, sqlite};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault},
};

/// Where a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// Registered.
    Candidate,
    /// It scores everything beside the live one, and decides nothing.
    Shadow,
    /// It scores.
    Live,
    /// It did.
    Retired,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelRow {
    /// Its name.
    pub version: String,
    /// Where it stands.
    pub state: ModelState,
    /// Its folder among the models.
    pub folder: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// SHA-256 of the features it was trained on.
    pub features: String,
    /// What its training tells.
    pub metrics: Value,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it moved last.
    pub changed_at: Timestamp,
    /// Who moved it.
    pub changed_by: String,
}

/// A model moves from one state to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Which.
    pub version: String,
    /// From where.
    pub from: ModelState,
    /// To where.
    pub to: ModelState,
}

impl ModelRow {
    pub(super) fn moved(&self, to: ModelState) -> Move {
        Move { version: self.version.clone(), from: self.state, to }
    }
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Number,
    Models,
    Former,
}

/// The registry in the ledger's database.
#[derive(Debug, Clone)]
pub(super) struct Store {
    database: Database,
}

type Kept<T> = Result<T, LedgerFault>;

impl Store {
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The number of the last change.
    pub(super) async fn number(&self) -> Kept<u64> {
        Ok(self.ask(Question::Number).await?.pop().unwrap_or(0))
    }

    /// All models, the newest first.
    pub(super) async fn list(&self) -> Kept<Vec<ModelRow>> {
        self.ask(Question::Models).await
    }

    /// The model that the live one took the place of.
    pub(super) async fn former(&self) -> Kept<Option<String>> {
        Ok(self.ask(Question::Former).await?.pop())
    }

    /// Registers a model as the change after this number. Whether it did.
    pub(super) async fn add(&self, number: u64, row: &ModelRow) -> Kept<bool> {
        let change = json!({ "number": number + 1, "row": row, "author": row.changed_by,
                             "at": row.created_at, "version": row.version });
        self.write(vec![change], true).await
    }

    /// Moves models, in this order, as the change after this number. Whether it did.
    pub(super) async fn change(
        &self,
        number: u64,
        moves: &[Move],
        author: &str,
        at: Timestamp,
    ) -> Kept<bool> {
        let change = |moved: &Move| {
            json!({ "number": number + 1, "version": moved.version, "from": moved.from,
                    "to": moved.to, "author": author, "at": at })
        };
        self.write(moves.iter().map(change).collect(), false).await
    }

    async fn write(&self, changes: Vec<Value>, is_new: bool) -> Kept<bool> {
        let changes: Vec<String> = changes.iter().map(Value::to_string).collect();
        match &self.database {
            Database::Postgres(database) => postgres::write(database, changes, is_new).await,
            Database::Sqlite(database) => sqlite::write(database, changes, is_new).await,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question) -> Kept<Vec<T>> {
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, question).await?,
            Database::Sqlite(database) => sqlite::ask(database, question).await?,
        };
        let damaged = |error| LedgerFault::Broken(format!("{question:?} does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }
}

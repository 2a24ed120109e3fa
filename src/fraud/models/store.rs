//! The registry's rows, in both databases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

/// One move of a model: who, why, and what was known of it then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelChange {
    /// The number of the change; moves of one change have the same.
    pub number: u64,
    /// From where; nothing when it was registered.
    pub from: Option<ModelState>,
    /// To where.
    pub to: ModelState,
    /// Who made it, or asked for it.
    pub by: String,
    /// Who agreed, where two had to.
    pub approved_by: Option<String>,
    /// Why.
    pub reason: String,
    /// What was known of the model, when it went live.
    pub evidence: Option<Value>,
    /// When.
    pub at: Timestamp,
}

/// Somebody wants a model to go live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Which.
    pub version: String,
    /// Who.
    pub asked_by: String,
    /// Why.
    pub reason: String,
    /// Whether the gate's figures are waived.
    #[serde(rename = "override")]
    pub waived: bool,
    /// When.
    pub asked_at: Timestamp,
}

/// What is written down with the moves of one change.
#[derive(Debug, Clone, Default)]
pub(super) struct Change<'a> {
    pub(super) by: &'a str,
    pub(super) reason: &'a str,
    pub(super) approved_by: Option<&'a str>,
    pub(super) evidence: Option<Value>,
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
    Changes,
    Files,
    Request,
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
        Ok(self.ask(Question::Number, "").await?.pop().unwrap_or(0))
    }

    /// All models, the newest first.
    pub(super) async fn list(&self) -> Kept<Vec<ModelRow>> {
        self.ask(Question::Models, "").await
    }

    /// The model that the live one took the place of.
    pub(super) async fn former(&self) -> Kept<Option<String>> {
        Ok(self.ask(Question::Former, "").await?.pop())
    }

    /// What happened to a model, the last change first.
    pub(super) async fn changes(&self, version: &str) -> Kept<Vec<ModelChange>> {
        self.ask(Question::Changes, version).await
    }

    /// A model's files by their names, in base64; none for one of before they were kept.
    pub(super) async fn files(&self, version: &str) -> Kept<BTreeMap<String, String>> {
        Ok(self.ask(Question::Files, version).await?.pop().unwrap_or_default())
    }

    /// Who asked last that a model goes live.
    pub(super) async fn request(&self, version: &str) -> Kept<Option<Request>> {
        Ok(self.ask(Question::Request, version).await?.pop())
    }

    /// Writes down that somebody wants a model to go live; the last one to ask is kept.
    pub(super) async fn ask_for(&self, request: &Request) -> Kept<()> {
        let request = json!(request).to_string();
        match &self.database {
            Database::Postgres(database) => postgres::ask_for(database, request).await,
            Database::Sqlite(database) => sqlite::ask_for(database, request).await,
        }
    }

    /// Registers a model with its files as the change after this number. Whether it did.
    pub(super) async fn add(
        &self,
        number: u64,
        row: &ModelRow,
        files: &BTreeMap<&'static str, String>,
    ) -> Kept<bool> {
        let change = json!({ "number": number + 1, "row": row, "author": row.changed_by,
                             "at": row.created_at, "version": row.version, "files": files });
        self.write(vec![change], true).await
    }

    /// Moves models, in this order, as the change after this number. Whether it did. Nobody asks
    /// any more that they go live.
    pub(super) async fn change(
        &self,
        number: u64,
        moves: &[Move],
        change: &Change<'_>,
        at: Timestamp,
    ) -> Kept<bool> {
        let Change { by, reason, approved_by, evidence } = change;
        let row = |moved: &Move| {
            let evidence = evidence.as_ref().filter(|_| moved.to == ModelState::Live);
            json!({ "number": number + 1, "version": moved.version, "from": moved.from,
                    "to": moved.to, "author": by, "at": at, "reason": reason,
                    "approved_by": approved_by, "evidence": evidence })
        };
        self.write(moves.iter().map(row).collect(), false).await
    }

    async fn write(&self, changes: Vec<Value>, is_new: bool) -> Kept<bool> {
        let changes: Vec<String> = changes.iter().map(Value::to_string).collect();
        match &self.database {
            Database::Postgres(database) => postgres::write(database, changes, is_new).await,
            Database::Sqlite(database) => sqlite::write(database, changes, is_new).await,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question, version: &str) -> Kept<Vec<T>> {
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, question, version).await?,
            Database::Sqlite(database) => sqlite::ask(database, question, version).await?,
        };
        let damaged = |error| LedgerFault::Broken(format!("{question:?} does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }
}

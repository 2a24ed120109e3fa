//! Where rules, lists and snoozes are kept: every change is one more row, and the number of the
//! last one is the version of the whole rulebook.
//!
//! Each question takes one JSON document and answers records as JSON, in both databases; each
//! change is one transaction that does nothing when what it asks for stands already, so that a
//! repeated request makes no second version.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    list::ListKind,
    postgres,
    rule::{Draft, ListEntry, ListHead, Name, Rule, Snooze},
    sqlite,
};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault},
};

/// What can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question {
    /// The version of the rulebook.
    Version,
    /// Every rule in its last version, by name.
    Rules,
    /// The versions of one rule, the newest first.
    Versions,
    /// Every list without its entries, by name.
    Lists,
    /// Entries of one list, by value.
    Entries,
    /// Snoozes that are not over, of one rule or of all.
    Snoozes,
}

/// What can be changed.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// Another version of a rule.
    Rule,
    /// A rule's last version, by which it is gone.
    #[serde(rename = "rule")]
    RuleRemoved,
    /// A list is made, or its note changed.
    List,
    /// A list is gone with its entries.
    #[serde(rename = "list")]
    ListRemoved,
    /// Entries are added to a list, or their ends changed.
    Entries,
    /// An entry is removed.
    EntryRemoved,
    /// A rule passes somebody over.
    Snooze,
    /// It does not any more.
    SnoozeEnded,
}

/// Who changes something, and when.
#[derive(Debug, Clone)]
pub struct By {
    /// An API key's id, or a word for ourselves.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// Rules, lists and snoozes in the ledger's database.
#[derive(Debug, Clone)]
pub struct RuleStore {
    database: Database,
}

type Kept<T> = Result<T, LedgerFault>;

impl RuleStore {
    /// The rules in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The version of the rulebook; 0 before anything was written. Cheap: one look at an index.
    ///
    /// # Errors
    /// When the ledger cannot be reached; so it is with everything here.
    pub async fn version(&self) -> Kept<u64> {
        let found: Vec<u64> = self.ask(Question::Version, json!({})).await?;
        Ok(found.first().copied().unwrap_or(0))
    }

    /// Every rule in its last version, by name.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn rules(&self) -> Kept<Vec<Rule>> {
        self.ask(Question::Rules, json!({})).await
    }

    /// A rule in its last version; none that was removed.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn find_rule(&self, name: &Name) -> Kept<Option<Rule>> {
        Ok(self.versions(name, None, 1).await?.pop().filter(|rule| !rule.removed))
    }

    /// Versions of a rule before this one, the newest first.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn versions(&self, name: &Name, before: Option<u32>, most: u32) -> Kept<Vec<Rule>> {
        let which = json!({ "name": name, "before": before, "most": most });
        self.ask(Question::Versions, which).await
    }

    /// Every list, by name.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn lists(&self) -> Kept<Vec<ListHead>> {
        self.ask(Question::Lists, json!({})).await
    }

    /// Entries of a list after this value, by value.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn entries(
        &self,
        list: &Name,
        after: Option<&str>,
        most: u32,
    ) -> Kept<Vec<ListEntry>> {
        let which = json!({ "name": list, "after": after.unwrap_or_default(), "most": most });
        self.ask(Question::Entries, which).await
    }

    /// Snoozes that are not over by then, of one rule or of all.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn snoozes(&self, rule: Option<&Name>, now: Timestamp) -> Kept<Vec<Snooze>> {
        self.ask(Question::Snoozes, json!({ "name": rule, "now": now })).await
    }

    /// Writes another version of a rule, unless it says this already, its last version is not the
    /// expected one, or one of the lists that it looks up is gone. Whether it was written.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn save_rule(
        &self,
        (draft, lists): (&Draft, &[&str]),
        expected: Option<u32>,
        by: &By,
    ) -> Kept<bool> {
        let change = json!({ "rule": draft, "lists": lists, "expected": expected });
        self.change(Change::Rule, &draft.name, by, change).await
    }

    /// Writes a rule's last version, by which it is gone. Whether there was a rule.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn remove_rule(&self, name: &Name, reason: &str, by: &By) -> Kept<bool> {
        let change = json!({ "removed": true, "reason": reason });
        self.change(Change::RuleRemoved, name, by, change).await
    }

    /// Removes a list with its entries, unless the rulebook has moved on from this version. Whether
    /// it was there and is gone.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn remove_list(&self, name: &Name, rulebook: u64, by: &By) -> Kept<bool> {
        let change = json!({ "removed": true, "rulebook": rulebook });
        self.change(Change::ListRemoved, name, by, change).await
    }

    /// Makes a list, or changes the note of one of this kind. Whether anything changed.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn save_list(&self, name: &Name, kind: ListKind, note: &str, by: &By) -> Kept<bool> {
        self.change(Change::List, name, by, json!({ "kind": kind, "note": note })).await
    }

    /// Adds entries to a list that is there; those that are there get the new end and note. Each
    /// value at most once. Whether anything changed.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn add_entries(&self, list: &Name, entries: &[ListEntry], by: &By) -> Kept<bool> {
        self.change(Change::Entries, list, by, json!({ "entries": entries })).await
    }

    /// Removes an entry. Whether it was there.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn remove_entry(&self, list: &Name, value: &str, by: &By) -> Kept<bool> {
        self.change(Change::EntryRemoved, list, by, json!({ "value": value })).await
    }

    /// Lets a rule pass somebody over until a date, or changes the date. Whether anything changed.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn snooze(&self, snooze: &Snooze, by: &By) -> Kept<bool> {
        self.change(Change::Snooze, &snooze.rule, by, json!({ "snooze": snooze })).await
    }

    /// Ends a snooze. Whether there was one.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub async fn end_snooze(
        &self,
        rule: &Name,
        kind: ListKind,
        value: &str,
        by: &By,
    ) -> Kept<bool> {
        let which = json!({ "kind": kind, "value": value });
        self.change(Change::SnoozeEnded, rule, by, which).await
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question, which: Value) -> Kept<Vec<T>> {
        let which = which.to_string();
        let found = match &self.database {
            Database::Postgres(postgres) => postgres::ask(postgres, question, which).await?,
            Database::Sqlite(sqlite) => sqlite::ask(sqlite, question, which).await?,
        };
        let read = |record: &String| {
            let damaged =
                |error| LedgerFault::Broken(format!("{question:?} does not read: {error}"));
            serde_json::from_str(record).map_err(damaged)
        };
        found.iter().map(read).collect()
    }

    async fn change(&self, what: Change, name: &Name, by: &By, change: Value) -> Kept<bool> {
        let By { author, at } = by;
        let document =
            json!({ "what": what, "name": name, "author": author, "at": at, "change": change });
        let document = document.to_string();
        match &self.database {
            Database::Postgres(postgres) => postgres::change(postgres, what, document).await,
            Database::Sqlite(sqlite) => sqlite::change(sqlite, what, document).await,
        }
    }
}

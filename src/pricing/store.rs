//! The tariff's rows, in both databases.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    postgres, sqlite,
    tariff::{Item, ItemKind},
};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault},
};

/// An item as it is kept. Its version grows with each change of any item: it is the number of the
/// change, by which replicas see that they have to read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TariffRow {
    /// Its kind.
    pub kind: ItemKind,
    /// Its id.
    pub id: String,
    /// The item.
    pub body: Value,
    /// The number of the change that made it so.
    pub version: u64,
    /// When that was.
    pub updated_at: Timestamp,
}

/// A change of one item; without a body it goes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change<'a> {
    pub kind: ItemKind,
    pub id: &'a str,
    pub body: Option<&'a Value>,
    /// The number this change takes: the one after the last.
    pub version: u64,
    pub author: &'a str,
    pub at: Timestamp,
}

impl TariffRow {
    /// The item.
    ///
    /// # Errors
    /// When it does not read: damage, or a newer version's.
    pub fn item(&self) -> Result<Item, LedgerFault> {
        self.kind.read_kept(&self.body).map_err(|invalid| {
            let (kind, id) = (self.kind.as_str(), &self.id);
            LedgerFault::Broken(format!("{kind}/{id} does not read: {invalid}"))
        })
    }
}

/// The tariff in the ledger's database.
#[derive(Debug, Clone)]
pub(super) struct Store {
    database: Database,
}

impl Store {
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The number of the last change.
    pub(super) async fn version(&self) -> Result<u64, LedgerFault> {
        let number = match &self.database {
            Database::Postgres(database) => postgres::version(database).await?,
            Database::Sqlite(database) => sqlite::version(database).await?,
        };
        Ok(number.first().and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    /// Every item, by kind and id.
    pub(super) async fn list(&self) -> Result<Vec<TariffRow>, LedgerFault> {
        let rows = match &self.database {
            Database::Postgres(database) => postgres::list(database).await?,
            Database::Sqlite(database) => sqlite::list(database).await?,
        };
        let damaged = |error| LedgerFault::Broken(format!("a tariff row does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }

    /// Makes a change. Whether it did: not when its number is taken.
    pub(super) async fn change(&self, change: &Change<'_>) -> Result<bool, LedgerFault> {
        let change = serde_json::to_string(change).expect("invariant: a change is JSON");
        match &self.database {
            Database::Postgres(database) => postgres::change(database, change).await,
            Database::Sqlite(database) => sqlite::change(database, change).await,
        }
    }
}

//! Products leave: deleted, or archived where orders name them; and SKUs that are easily taken for
//! one another.

use serde_json::json;
use std::collections::HashMap;

use super::{Catalog, Product, find::nowhere, postgres, record, sqlite};
use crate::{
    base::{OrderId, Sku, Timestamp},
    ledger::{LedgerFault, database::Database},
};

/// What became of a product that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// There was none.
    Absent,
    /// It is deleted, with its prices in other currencies.
    Deleted,
    /// It is kept for the orders that name it, and neither sold nor listed.
    Archived,
}

impl Catalog {
    /// Orders that name a SKU, so many at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn orders_of(&self, sku: &Sku, limit: u32) -> Result<Vec<OrderId>, LedgerFault> {
        let name = sku.as_str().to_owned();
        let mut orders: Vec<OrderId> = match &self.database {
            Some(Database::Postgres(database)) => {
                let ids = postgres::orders_of(database, name, limit).await?;
                ids.into_iter().map(OrderId::from_uuid).collect()
            }
            Some(Database::Sqlite(database)) => {
                let ids = sqlite::orders_of(database, name, limit).await?;
                let read = |id: &String| {
                    let broken = |_| LedgerFault::Broken(format!("`{id}` names no order"));
                    id.parse().map_err(broken)
                };
                ids.iter().map(read).collect::<Result<_, _>>()?
            }
            None => return Err(nowhere()),
        };
        orders.dedup();
        Ok(orders)
    }

    /// Deletes a product, or archives it. Removing what is not there is as good.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove(
        &self,
        sku: &Sku,
        archive: bool,
        now: Timestamp,
    ) -> Result<Removed, LedgerFault> {
        let change = json!({ "sku": sku, "at": now }).to_string();
        let was_there = match &self.database {
            Some(Database::Postgres(database)) => {
                postgres::remove(database, change, archive).await?
            }
            Some(Database::Sqlite(database)) => sqlite::remove(database, change, archive).await?,
            None => return Err(nowhere()),
        };
        self.forget([sku]);
        Ok(match (was_there, archive) {
            (false, _) => Removed::Absent,
            (true, true) => Removed::Archived,
            (true, false) => Removed::Deleted,
        })
    }

    /// Products in the archive by SKU, after `cursor`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_archived(
        &self,
        cursor: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<Product>, LedgerFault> {
        let after = cursor.map_or_else(String::new, |sku| sku.as_str().to_owned());
        let rows = match &self.database {
            Some(Database::Postgres(database)) => {
                postgres::list(database, after, true, limit).await?
            }
            Some(Database::Sqlite(database)) => sqlite::list(database, after, true, limit).await?,
            None => return Err(nowhere()),
        };
        rows.iter().map(|row| record::read(row)).collect()
    }

    /// Which of these SKUs differ from one another, or from one that is there, in their case alone.
    /// Among those that are there, only letters of ASCII are compared without it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn twins(&self, skus: &[Sku]) -> Result<Vec<(Sku, Sku)>, LedgerFault> {
        let mut named: HashMap<String, Vec<Sku>> = HashMap::new();
        let mut twins = Vec::new();
        let mut note = |one: &Sku, others: &mut Vec<Sku>| {
            twins.extend(
                others
                    .iter()
                    .filter(|other| *other != one)
                    .map(|other| (one.clone(), other.clone())),
            );
            if !others.contains(one) {
                others.push(one.clone());
            }
        };
        for sku in skus {
            note(sku, named.entry(sku.folded()).or_default());
        }
        let Some(database) = &self.database else { return Ok(twins) };
        let folded: Vec<String> =
            skus.iter().map(|sku| sku.as_str().to_ascii_lowercase()).collect();
        let folded = record::texts_to_json(&folded);
        let found = match database {
            Database::Postgres(database) => postgres::find_folded(database, folded).await?,
            Database::Sqlite(database) => sqlite::find_folded(database, folded).await?,
        };
        for found in found.iter().filter_map(|raw| Sku::parse(raw).ok()) {
            let others = named.entry(found.folded()).or_default();
            if !others.contains(&found) {
                note(&found, others);
            }
        }
        Ok(twins)
    }
}

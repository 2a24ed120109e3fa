//! Where products stand: a database, or whatever else hands them out.

use async_trait::async_trait;

use super::{Product, postgres, record, sqlite};
use crate::{
    base::Sku,
    ledger::{database::Database, store::LedgerFault},
};

/// Keeps products.
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// Products by SKU; those that do not exist are left out.
    async fn find(&self, skus: &[Sku]) -> Result<Vec<Product>, LedgerFault>;

    /// Products in the order of their SKU's bytes, after `cursor`, those in the archive left out.
    async fn list(&self, cursor: Option<&Sku>, limit: u32) -> Result<Vec<Product>, LedgerFault>;

    /// Inserts or replaces these products, all or none.
    async fn save(&self, products: &[Product]) -> Result<(), LedgerFault>;
}

#[async_trait]
impl Shelf for Database {
    async fn find(&self, skus: &[Sku]) -> Result<Vec<Product>, LedgerFault> {
        let skus = record::skus_to_json(skus);
        let rows = match self {
            Self::Sqlite(database) => sqlite::find_many(database, skus).await,
            Self::Postgres(database) => postgres::find_many(database, skus).await,
        }?;
        rows.iter().map(|row| record::read(row)).collect()
    }

    async fn list(&self, cursor: Option<&Sku>, limit: u32) -> Result<Vec<Product>, LedgerFault> {
        let after = cursor.map_or_else(String::new, |sku| sku.as_str().to_owned());
        let rows = match self {
            Self::Sqlite(database) => sqlite::list(database, after, false, limit).await,
            Self::Postgres(database) => postgres::list(database, after, false, limit).await,
        }?;
        rows.iter().map(|row| record::read(row)).collect()
    }

    async fn save(&self, products: &[Product]) -> Result<(), LedgerFault> {
        let rows = record::to_json(products.iter().map(|product| (product, None)));
        save(self, rows, true).await.map(drop)
    }
}

/// Inserts or replaces rows: all, or those that still are as they were seen; tells which.
pub(super) async fn save(
    database: &Database,
    rows: String,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    match database {
        Database::Sqlite(database) => sqlite::save(database, rows, all).await,
        Database::Postgres(database) => postgres::save(database, rows, all).await,
    }
}

//! Price lists: what products cost in further currencies. A product's own price is in its own
//! currency, and no list has one for it there.

mod postgres;
mod sqlite;

use serde::{Deserialize, Serialize};

use super::{Catalog, find::nowhere, record};
use crate::{
    base::{Currency, Money, Sku, Timestamp},
    ledger::{database::Database, store::LedgerFault},
};

/// A price in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPrice {
    /// Of what.
    pub sku: Sku,
    /// How much.
    pub price: Money,
}

/// A list, from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PriceList {
    /// The currency of its prices.
    pub currency: Currency,
    /// How many there are.
    pub prices: u64,
}

/// A row as it is written and read.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    currency: Currency,
    sku: Sku,
    amount_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
}

/// Why a price is in no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListRefused {
    /// There is no such product.
    #[error("there is no product `{0}`; save it first")]
    NoProduct(Sku),
    /// The product's own price is in this currency.
    #[error("`{0}` is priced in {1} by itself; change the product's own price")]
    OwnCurrency(Sku, Currency),
}

impl Catalog {
    /// The lists there are, by currency.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn price_lists(&self) -> Result<Vec<PriceList>, LedgerFault> {
        let rows = match &self.database {
            Some(Database::Postgres(database)) => postgres::lists(database).await?,
            Some(Database::Sqlite(database)) => sqlite::lists(database).await?,
            None => Vec::new(),
        };
        rows.iter().map(|row| record::read(row)).collect()
    }

    /// Prices by currency and SKU, after this one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_prices(
        &self,
        currency: Option<Currency>,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Vec<ListPrice>, LedgerFault> {
        let currency = currency.map(Currency::code);
        let (past, sku) = after.unwrap_or_default();
        let after = (past.to_owned(), sku.to_owned());
        let rows = match &self.database {
            Some(Database::Postgres(database)) => {
                postgres::list(database, currency, after, limit).await?
            }
            Some(Database::Sqlite(database)) => {
                sqlite::list(database, currency, after, limit).await?
            }
            None => Vec::new(),
        };
        let read = |row: &String| {
            let Row { currency, sku, amount_minor, .. } = record::read(row)?;
            Ok(ListPrice { sku, price: Money::from_minor(amount_minor, currency) })
        };
        rows.iter().map(read).collect()
    }

    /// Whether these prices may stand in lists: the first that may not, by its place.
    ///
    /// # Errors
    /// When something is not at hand and the database does not answer.
    pub async fn check_list_prices(
        &self,
        prices: &[ListPrice],
    ) -> Result<Vec<(usize, ListRefused)>, LedgerFault> {
        let skus: Vec<Sku> = prices.iter().map(|price| price.sku.clone()).collect();
        let products = self.find_many(&skus).await?;
        let wrong = |(at, ListPrice { sku, price }): (usize, &ListPrice)| {
            let currency = price.currency();
            match products.get(sku) {
                None => Some((at, ListRefused::NoProduct(sku.clone()))),
                Some(product) if product.price.currency() == currency => {
                    Some((at, ListRefused::OwnCurrency(sku.clone(), currency)))
                }
                Some(_) => None,
            }
        };
        Ok(prices.iter().enumerate().filter_map(wrong).collect())
    }

    /// Inserts or replaces prices, all or none. They count here at once, elsewhere as products do.
    ///
    /// # Errors
    /// When the database does not answer, or keeps none of them.
    pub async fn save_list_prices(
        &self,
        prices: &[ListPrice],
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        let row = |one: &ListPrice| Row {
            currency: one.price.currency(),
            sku: one.sku.clone(),
            amount_minor: one.price.minor(),
            updated_at: Some(now),
        };
        let rows: Vec<Row> = prices.iter().map(row).collect();
        let rows = serde_json::to_string(&rows).expect("invariant: prices serialize");
        match &self.database {
            Some(Database::Postgres(database)) => postgres::save(database, rows).await?,
            Some(Database::Sqlite(database)) => sqlite::save(database, rows).await?,
            None => return Err(nowhere()),
        }
        self.forget(prices.iter().map(|price| &price.sku));
        Ok(())
    }

    /// Takes a price off a list. Taking off what is not there is as good.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_list_price(
        &self,
        currency: Currency,
        sku: &Sku,
    ) -> Result<(), LedgerFault> {
        let (code, name) = (currency.code(), sku.as_str().to_owned());
        match &self.database {
            Some(Database::Postgres(database)) => postgres::remove(database, code, name).await?,
            Some(Database::Sqlite(database)) => sqlite::remove(database, code, name).await?,
            None => return Err(nowhere()),
        }
        self.forget([sku]);
        Ok(())
    }
}

//! What a file is to do to a shop: looked at first, then done.

use std::collections::HashSet;

use super::{
    Shop,
    counts::{self, Applied},
    read::Rows,
    tariff,
};
use crate::{
    base::Sku,
    catalog::{
        Change, Group, GroupPatch, ImportRow, Product, ProductPatch,
        amend::{AmendRefused, Amended},
        import,
        patch::Missing,
        price_list::{ListPrice, ListRefused},
    },
    files::FileError,
    ledger::LedgerFault,
};

/// A file that reads.
#[derive(Debug)]
pub struct Plan {
    rows: Rows,
}

/// What becomes of each row, by its name.
pub type Changes = Vec<(String, Change)>;

/// What a file would do.
#[derive(Debug, Default)]
pub struct Outlook {
    /// What would become of each row.
    pub changes: Changes,
    /// What can do nothing, or is easily taken for something else.
    pub warnings: Vec<String>,
}

/// What an import came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows that count now.
    pub saved: usize,
    /// SKUs whose stock was changed.
    pub moved: usize,
    /// Rows that the ledger refused, by name, and why. All others count.
    pub refused: Vec<(String, String)>,
    /// What became of each row that counts.
    pub changes: Changes,
}

/// An import changed nothing, or not all that it was to.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefused {
    /// The file is wrong, and nothing was changed.
    #[error("the file has errors")]
    Wrong(Vec<FileError>),
    /// Others change the same things all the time.
    #[error("others are changing the same things; try again")]
    Busy,
    /// The ledger. What was saved before stays; the same file again finishes it.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Plan {
    pub(super) const fn of(rows: Rows) -> Self {
        Self { rows }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Groups(rows) => rows.len(),
            Rows::Products(rows) => rows.len(),
            Rows::Stock(rows) => rows.len(),
            Rows::Prices(rows) => rows.len(),
            Rows::Tariff(_, rows) => rows.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that tell of counted units.
    pub fn counted(&self) -> usize {
        match &self.rows {
            Rows::Products(rows) => rows.iter().filter(|row| row.stock.is_some()).count(),
            Rows::Stock(rows) => rows.len(),
            _ => 0,
        }
    }

    /// Checks the rows against what the shop has, and tells what would become of each.
    ///
    /// # Errors
    /// What does not fit, or that the ledger does not answer.
    pub async fn check(&self, shop: &Shop<'_>) -> Result<Outlook, ImportRefused> {
        let plain = |changes| Outlook { changes, warnings: Vec::new() };
        match &self.rows {
            Rows::Groups(rows) => {
                let amended = shop.catalog.amended_groups(&patches(rows), shop.clock.now()).await;
                let amended = amended.map_err(|refused| wrong_at(refused, |at| rows[at].0))?;
                let named = |one: Amended<Group>| (one.is.id.to_string(), one.change);
                Ok(plain(amended.into_iter().map(named).collect()))
            }
            Rows::Products(rows) => {
                let changes = check_products(shop, rows).await?;
                Ok(Outlook { changes, warnings: twins(shop, rows).await? })
            }
            Rows::Stock(rows) => Ok(plain(counts::compare(&counted(rows), shop.store).await?)),
            Rows::Prices(rows) => Ok(plain(check_prices(shop, rows).await?)),
            Rows::Tariff(kind, rows) => {
                shop.tariffs.follow().await?;
                tariff::check(shop, *kind, rows).await
            }
        }
    }

    /// Takes everything in. The rows of one kind are saved at once, but for stock and tariffs,
    /// which are changed one by one.
    ///
    /// # Errors
    /// When the ledger does not answer; what was saved before stays, and the same file again
    /// finishes it.
    pub async fn apply(self, shop: &Shop<'_>, author: &str) -> Result<Done, ImportRefused> {
        let (saved, now) = (self.len(), shop.clock.now());
        let hands = (shop.clock, shop.chance);
        match self.rows {
            Rows::Groups(rows) => {
                let amended = shop.catalog.amend_groups(&patches(&rows), now).await;
                let amended = amended.map_err(|refused| wrong_at(refused, |at| rows[at].0))?;
                let named = |(group, change): (Group, Change)| (group.id.to_string(), change);
                let changes = amended.into_iter().map(named).collect();
                Ok(Done { saved, changes, ..Done::default() })
            }
            Rows::Products(rows) => {
                let (store, writer) = (shop.store, shop.writer);
                let applied = counts::apply(&rows, shop.catalog, store, writer, hands).await;
                let (changes, applied) =
                    applied.map_err(|refused| wrong_at(refused, |at| rows[at].line))?;
                Ok(told(saved, changes, applied))
            }
            Rows::Stock(rows) => {
                let counts = counted(&rows);
                let mut changes = counts::compare(&counts, shop.store).await?;
                let applied = counts::set(&counts, shop.store, shop.writer, hands).await?;
                let refused: HashSet<&str> =
                    applied.refused.iter().map(|(sku, _)| sku.as_str()).collect();
                changes.retain(|(name, _)| !refused.contains(name.as_str()));
                Ok(told(changes.len(), changes, applied))
            }
            Rows::Prices(rows) => {
                let changes = check_prices(shop, &rows).await?;
                let prices: Vec<ListPrice> = rows.into_iter().map(|(_, price)| price).collect();
                shop.catalog.save_list_prices(&prices, now).await?;
                Ok(Done { saved, changes, ..Done::default() })
            }
            Rows::Tariff(kind, rows) => tariff::apply(shop, kind, rows, author).await,
        }
    }
}

fn told(saved: usize, changes: Changes, applied: Applied) -> Done {
    let refused = applied.refused.into_iter().map(|(sku, why)| (sku.to_string(), why));
    Done { saved, moved: applied.moved.len(), refused: refused.collect(), changes }
}

fn patches(rows: &[(u64, GroupPatch)]) -> Vec<GroupPatch> {
    rows.iter().map(|(_, patch)| patch.clone()).collect()
}

fn counted(rows: &[(u64, Sku, u32)]) -> Vec<(Sku, u32)> {
    rows.iter().map(|(_, sku, count)| (sku.clone(), *count)).collect()
}

/// A refusal of the catalogue as errors of the file.
fn wrong_at(refused: AmendRefused, line: impl Fn(usize) -> u64) -> ImportRefused {
    match refused {
        AmendRefused::Missing(missing) => {
            let error = |(at, missing): (usize, Missing)| FileError {
                line: line(at),
                column: missing.field.to_owned(),
                expected: missing.expected,
            };
            ImportRefused::Wrong(missing.into_iter().map(error).collect())
        }
        AmendRefused::Busy => ImportRefused::Busy,
        AmendRefused::Ledger(fault) => ImportRefused::Ledger(fault),
    }
}

async fn check_products(shop: &Shop<'_>, rows: &[ImportRow]) -> Result<Changes, ImportRefused> {
    let said: Vec<ProductPatch> = rows.iter().map(|row| row.patch.clone()).collect();
    let amended = shop.catalog.amended(&said, shop.clock.now()).await;
    let amended = amended.map_err(|refused| wrong_at(refused, |at| rows[at].line))?;
    let misfits = rows.iter().zip(&amended).filter_map(|(row, one)| {
        let misfit = import::misfit(&one.is, row.stock, shop.limits)?;
        Some(FileError { line: row.line, ..misfit })
    });
    let errors: Vec<FileError> = misfits.collect();
    if !errors.is_empty() {
        return Err(ImportRefused::Wrong(errors));
    }
    let moved = counts::compare(&counts::of(rows), shop.store).await?;
    let moved = moved.into_iter().filter(|(_, change)| *change != Change::Unchanged);
    let moved: HashSet<String> = moved.map(|(name, _)| name).collect();
    let change = |one: Amended<Product>| {
        let name = one.is.sku.to_string();
        let change = counts::with_stock(one.change, moved.contains(&name));
        (name, change)
    };
    Ok(amended.into_iter().map(change).collect())
}

async fn check_prices(
    shop: &Shop<'_>,
    rows: &[(u64, ListPrice)],
) -> Result<Changes, ImportRefused> {
    let prices: Vec<ListPrice> = rows.iter().map(|(_, price)| price.clone()).collect();
    let wrong = |(at, refused): (usize, ListRefused)| {
        let (line, column) = (rows[at].0, "sku".to_owned());
        FileError { line, column, expected: refused.to_string() }
    };
    let refused = shop.catalog.check_list_prices(&prices).await?;
    if !refused.is_empty() {
        return Err(ImportRefused::Wrong(refused.into_iter().map(wrong).collect()));
    }
    let skus: Vec<Sku> = prices.iter().map(|price| price.sku.clone()).collect();
    let products = shop.catalog.find_many(&skus).await?;
    let change = |ListPrice { sku, price }: &ListPrice| {
        let was = products.get(sku).and_then(|product| product.price_in(price.currency()));
        let fields = if was == Some(*price) { Vec::new() } else { vec!["price"] };
        (format!("{}/{sku}", price.currency()), Change::of(was.is_none(), fields))
    };
    Ok(prices.iter().map(change).collect())
}

/// Warnings that are told: enough to see what is meant.
pub(super) const WARNINGS_SHOWN: usize = 50;

async fn twins(shop: &Shop<'_>, rows: &[ImportRow]) -> Result<Vec<String>, LedgerFault> {
    let skus: Vec<Sku> = rows.iter().map(|row| row.patch.sku.clone()).collect();
    let told = |(one, other): (Sku, Sku)| {
        format!("`{one}` and `{other}` differ in their case alone, and are two products.")
    };
    let twins = shop.catalog.twins(&skus).await?;
    Ok(twins.into_iter().take(WARNINGS_SHOWN).map(told).collect())
}

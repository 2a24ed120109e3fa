//! Products at hand: a read-through cache over the database.

use moka::sync::Cache;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use super::{Product, shelf::Shelf};
use crate::{
    base::Sku,
    ledger::{database::Database, keyed, store::LedgerFault},
};

/// How long a product, or its absence, is believed. A price changed by another replica shows up
/// within it; shorter, and every checkout of a sale would ask the database for the same SKU.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// How many SKUs are kept at hand, absent ones included: about 50 MB of large products. Beyond it
/// the least used go, so that guessing SKUs cannot fill the memory.
const KEPT_AT_MOST: u64 = 100_000;

/// The catalogue. Clones share one cache.
#[derive(Clone)]
pub struct Catalog {
    pub(super) shelf: Arc<dyn Shelf>,
    /// Where groups and the index stand; another shelf has none, and nothing is found there.
    pub(super) database: Option<Database>,
    /// `None` is kept too: asking for what is not there must cost no more than for what is.
    cache: Cache<Sku, Option<Arc<Product>>>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("cached", &self.cache.entry_count()).finish_non_exhaustive()
    }
}

impl Catalog {
    /// The catalogue in this database.
    pub fn new(database: Database) -> Self {
        Self { database: Some(database.clone()), ..Self::over(Arc::new(database)) }
    }

    /// The catalogue of the products on this shelf.
    pub fn over(shelf: Arc<dyn Shelf>) -> Self {
        let cache = Cache::builder().time_to_live(BELIEVED_FOR).max_capacity(KEPT_AT_MOST).build();
        Self { shelf, database: None, cache }
    }

    /// Products by SKU, sold ones and withdrawn ones; those that do not exist are left out. Asks
    /// the database at most once, for all that is not at hand.
    ///
    /// # Errors
    /// When something is not at hand and the database does not answer.
    pub async fn find_many(&self, skus: &[Sku]) -> Result<HashMap<Sku, Arc<Product>>, LedgerFault> {
        let mut found = HashMap::with_capacity(skus.len());
        let mut missed = Vec::new();
        for sku in skus {
            match self.cache.get(sku) {
                Some(Some(product)) => drop(found.insert(sku.clone(), product)),
                Some(None) => {}
                None => missed.push(sku.clone()),
            }
        }
        if missed.is_empty() {
            return Ok(found);
        }
        missed.sort_unstable();
        missed.dedup();
        for product in self.shelf.find(&missed).await? {
            found.insert(product.sku.clone(), Arc::new(product));
        }
        for sku in missed {
            let product = found.get(&sku).cloned();
            self.cache.insert(sku, product);
        }
        Ok(found)
    }

    /// One product, sold or withdrawn.
    ///
    /// # Errors
    /// When it is not at hand and the database does not answer.
    pub async fn find(&self, sku: &Sku) -> Result<Option<Arc<Product>>, LedgerFault> {
        Ok(self.find_many(std::slice::from_ref(sku)).await?.remove(sku))
    }

    /// Products by SKU in the order of its bytes, after `cursor`; straight from the database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        cursor: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<Product>, LedgerFault> {
        self.shelf.list(cursor, limit).await
    }

    /// Inserts or replaces these products, all or none.
    ///
    /// This replica sees them at once, others within [`BELIEVED_FOR`]; so does a reader here that
    /// asked the database just before and puts what it got into the cache just after.
    ///
    /// # Errors
    /// When the database does not answer, or keeps none of them.
    pub async fn save(&self, products: &[Product]) -> Result<(), LedgerFault> {
        self.shelf.save(products).await?;
        self.forget(products.iter().map(|product| &product.sku));
        Ok(())
    }

    /// What was known of these SKUs is asked again.
    pub(super) fn forget<'a>(&self, skus: impl IntoIterator<Item = &'a Sku>) {
        let (cache, skus) = (self.cache.clone(), skus.into_iter().cloned().collect::<Vec<_>>());
        keyed::at_end(move || skus.iter().for_each(|sku| cache.invalidate(sku)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Timestamp, catalog::demo, ledger::database::DatabaseOptions};

    async fn open(folder: &std::path::Path) -> Catalog {
        let location = folder.to_str().expect("a readable path");
        let database = Database::open(&DatabaseOptions::new(location)).await.expect("it opens");
        database.migrate().await.expect("it migrates");
        Catalog::new(database)
    }

    fn sku(code: &str) -> Sku {
        Sku::parse(code).expect("a SKU")
    }

    #[tokio::test]
    async fn products_are_found_as_they_were_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = open(folder.path()).await;
        let products: Vec<Product> = demo(Timestamp::from_micros(1_764_000_000_120_000))
            .into_iter()
            .map(|row| row.product)
            .collect();
        catalog.save(&products).await.expect("it saves");
        let mut skus: Vec<Sku> = products.iter().map(|product| product.sku.clone()).collect();
        skus.push(sku("NO-SUCH"));
        // The second time from the cache.
        for _ in 0..2 {
            let found = catalog.find_many(&skus).await.expect("it finds");
            assert_eq!(found.len(), products.len());
            assert!(products.iter().all(|product| *found[&product.sku] == *product));
        }
    }

    #[tokio::test]
    async fn what_is_at_hand_needs_no_database_and_a_save_is_seen_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = open(folder.path()).await;
        let mut mug = demo(Timestamp::from_micros(0)).swap_remove(5).product;
        assert_eq!(catalog.find(&mug.sku).await.expect("it finds"), None);
        catalog.save(std::slice::from_ref(&mug)).await.expect("it saves");
        assert_eq!(catalog.find(&mug.sku).await.expect("it finds").as_deref(), Some(&mug));
        // Changed behind its back: believed until the time is over, or something is saved here.
        let other = Catalog { cache: Cache::new(1), ..catalog.clone() };
        mug.title = "Another mug".into();
        other.save(std::slice::from_ref(&mug)).await.expect("it saves");
        let seen = catalog.find(&mug.sku).await.expect("it finds").expect("a mug");
        assert_ne!(seen.title, mug.title);
        catalog.save(std::slice::from_ref(&mug)).await.expect("it saves");
        assert_eq!(catalog.find(&mug.sku).await.expect("it finds").as_deref(), Some(&mug));
    }

    #[tokio::test]
    async fn pages_follow_one_another_without_a_gap() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = open(folder.path()).await;
        let products: Vec<Product> =
            demo(Timestamp::from_micros(0)).into_iter().map(|row| row.product).collect();
        catalog.save(&products).await.expect("it saves");
        let (mut listed, mut cursor) = (Vec::new(), None);
        loop {
            let page = catalog.list(cursor.as_ref(), 5).await.expect("it lists");
            let Some(last) = page.last() else { break };
            cursor = Some(last.sku.clone());
            listed.extend(page.into_iter().map(|product| product.sku));
        }
        let mut expected: Vec<Sku> = products.into_iter().map(|product| product.sku).collect();
        expected.sort();
        assert_eq!(listed, expected);
    }

    #[tokio::test]
    async fn one_bad_product_keeps_all_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = open(folder.path()).await;
        let mut products: Vec<Product> =
            demo(Timestamp::from_micros(0)).into_iter().map(|row| row.product).collect();
        let currency = products[0].price.currency();
        products[7].price = crate::base::Money::from_minor(-1, currency);
        catalog.save(&products).await.expect_err("a negative price");
        assert_eq!(catalog.list(None, 50).await.expect("it lists"), []);
    }
}

//! The tariff that counts now: read once, and again when somebody changed it.

use serde_json::Value;
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    store::{Change, Store, TariffRow},
    tariff::{ITEMS_MAX, Item, ItemKind, Tariff},
};
use crate::{
    base::Timestamp,
    ledger::{Database, LedgerFault, keyed},
};

/// How often a change that met another is made again.
const AGAIN_MAX: u32 = 16;

/// A tariff with its rows.
#[derive(Debug, Default)]
struct Known {
    version: u64,
    rows: Vec<TariffRow>,
    tariff: Arc<Tariff>,
}

impl Known {
    /// The rows as they stand. Read after their version, they may be newer: the next look at it
    /// finds a greater one.
    async fn read(store: &Store, version: u64) -> Result<Self, LedgerFault> {
        let rows = store.list().await?;
        let items = rows.iter().map(TariffRow::item).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { version, rows, tariff: Arc::new(Tariff::of(items)) })
    }
}

/// The tariff in force. A change counts here at once, in other replicas within a round of
/// [`follow`](Self::follow).
pub struct Tariffs {
    store: Option<Store>,
    known: RwLock<Arc<Known>>,
}

impl fmt::Debug for Tariffs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tariffs").field("version", &self.known().version).finish_non_exhaustive()
    }
}

/// A change was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TariffsRefused {
    /// There are enough.
    #[error("there are {ITEMS_MAX} of them already, and no more are kept; remove one first")]
    TooMany,
    /// Another item has the code.
    #[error("the code belongs to `{0}` already")]
    CodeTaken(String),
    /// Somebody changed the item since it was seen.
    #[error("the item was changed meanwhile; look again")]
    Moved,
    /// Others change it all the time.
    #[error("the tariff is being changed by others; try again")]
    Busy,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Tariffs {
    /// The tariff in this database; nothing is known of it before the first
    /// [`follow`](Self::follow).
    pub fn new(database: Database) -> Self {
        Self { store: Some(Store::new(database)), known: RwLock::default() }
    }

    /// A tariff that nobody changes.
    pub fn fixed(tariff: Tariff) -> Self {
        let known = Known { tariff: Arc::new(tariff), ..Known::default() };
        Self { store: None, known: RwLock::new(Arc::new(known)) }
    }

    fn known(&self) -> Arc<Known> {
        // A panic while holding it leaves the tariff from before.
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What counts now.
    pub fn current(&self) -> Arc<Tariff> {
        self.known().tariff.clone()
    }

    /// Items of a kind, by id.
    pub fn list(&self, kind: ItemKind) -> Vec<TariffRow> {
        self.known().rows.iter().filter(|row| row.kind == kind).cloned().collect()
    }

    /// One item.
    pub fn find(&self, kind: ItemKind, id: &str) -> Option<TariffRow> {
        self.known().rows.iter().find(|row| row.kind == kind && row.id == id).cloned()
    }

    /// Puts in force what was changed, here or elsewhere. One cheap question when nothing was.
    ///
    /// # Errors
    /// When the ledger cannot be reached, or an item does not read; what counts stays.
    pub async fn follow(&self) -> Result<(), LedgerFault> {
        let Some(store) = &self.store else { return Ok(()) };
        let version = store.version().await?;
        if version == self.known().version {
            return Ok(());
        }
        let known = Known::read(store, version).await?;
        let mut place = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if place.version <= version {
            *place = Arc::new(known);
        }
        Ok(())
    }

    /// Keeps an item, new or in the place of the one with its id.
    ///
    /// # Errors
    /// See [`TariffsRefused`]; nothing was changed then.
    pub async fn save(
        &self,
        item: &Item,
        body: &Value,
        author: &str,
        at: Timestamp,
    ) -> Result<TariffRow, TariffsRefused> {
        self.save_checked(item, body, author, at, |_| true).await
    }

    /// Keeps an item that was made of the one with this version, or of none.
    ///
    /// # Errors
    /// See [`TariffsRefused`]; nothing was changed then.
    pub async fn save_over(
        &self,
        item: &Item,
        body: &Value,
        author: &str,
        at: Timestamp,
        seen: Option<u64>,
    ) -> Result<TariffRow, TariffsRefused> {
        self.save_checked(item, body, author, at, |version| version == seen).await
    }

    async fn save_checked(
        &self,
        item: &Item,
        body: &Value,
        author: &str,
        at: Timestamp,
        stands: impl Fn(Option<u64>) -> bool,
    ) -> Result<TariffRow, TariffsRefused> {
        let (kind, id) = (kind_of(item), item.id());
        self.change(kind, id, Some(body), author, at, |known| {
            let same = known.rows.iter().find(|row| row.kind == kind && row.id == id);
            if !stands(same.map(|row| row.version)) {
                return Err(TariffsRefused::Moved);
            }
            let others = || known.rows.iter().filter(|row| row.kind == kind && row.id != id);
            if others().count() >= ITEMS_MAX {
                return Err(TariffsRefused::TooMany);
            }
            let Item::Discount(discount) = item else { return Ok(()) };
            let Some(code) = &discount.code else { return Ok(()) };
            let same = |row: &&TariffRow| {
                row.body["code"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(code))
            };
            match others().find(same) {
                Some(row) => Err(TariffsRefused::CodeTaken(row.id.clone())),
                None => Ok(()),
            }
        })
        .await?;
        let Some(store) = &self.store else { return Err(TariffsRefused::Busy) };
        let rows = store.list().await?;
        rows.into_iter().find(|row| row.kind == kind && row.id == id).ok_or(TariffsRefused::Busy)
    }

    /// Removes an item. What was quoted with it stays as it was quoted.
    ///
    /// # Errors
    /// See [`TariffsRefused`]; nothing was changed then.
    pub async fn remove(
        &self,
        kind: ItemKind,
        id: &str,
        author: &str,
        at: Timestamp,
    ) -> Result<(), TariffsRefused> {
        self.change(kind, id, None, author, at, |_| Ok(())).await
    }

    async fn change(
        &self,
        kind: ItemKind,
        id: &str,
        body: Option<&Value>,
        author: &str,
        at: Timestamp,
        check: impl Fn(&Known) -> Result<(), TariffsRefused>,
    ) -> Result<(), TariffsRefused> {
        let Some(store) = &self.store else { return Err(TariffsRefused::Busy) };
        for _ in 0..AGAIN_MAX {
            let known = Known::read(store, store.version().await?).await?;
            check(&known)?;
            let version = known.version + 1;
            if store.change(&Change { kind, id, body, version, author, at }).await? {
                // What may still be taken back is not in force: whoever commits follows then.
                if !keyed::is_open() {
                    self.follow().await?;
                }
                return Ok(());
            }
        }
        Err(TariffsRefused::Busy)
    }
}

const fn kind_of(item: &Item) -> ItemKind {
    match item {
        Item::Discount(_) => ItemKind::Discounts,
        Item::ShippingRate(_) => ItemKind::ShippingRates,
        Item::PickupLocation(_) => ItemKind::PickupLocations,
        Item::TaxRate(_) => ItemKind::TaxRates,
    }
}

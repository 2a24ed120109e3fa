//! Who holds which rows, and who waits for them.

use doorbuster::{
    base::{CheckoutId, HolderId, OperationId, Sku},
    ledger::{EntryId, world::Ask},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

use super::tables::Tables;

/// A server gives up waiting for a row after this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rows that belong together are locked together: a SKU stands for its stock row, its grants and
/// its holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Session(CheckoutId),
    Sku(Sku),
    Entry(EntryId),
    Key((String, String)),
    Operation(OperationId),
}

#[derive(Default)]
struct Held {
    rows: BTreeSet<Row>,
    /// Grants under way, which hold their holder's row `for key share`.
    shared: BTreeMap<HolderId, usize>,
    /// Holders being fenced.
    fenced: BTreeSet<HolderId>,
}

/// The locks of the ledger.
#[derive(Default)]
pub(crate) struct Locks {
    held: Mutex<Held>,
    freed: Notify,
}

/// Rows in hand, given back when dropped.
pub(crate) struct Hold {
    locks: Arc<Locks>,
    pub(crate) rows: BTreeSet<Row>,
    shared: BTreeSet<HolderId>,
    fenced: Option<HolderId>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.locks.held.lock().unwrap();
        held.rows.retain(|row| !self.rows.contains(row));
        for holder in &self.shared {
            if let Some(count) = held.shared.get_mut(holder) {
                *count -= 1;
            }
        }
        if let Some(holder) = self.fenced {
            held.fenced.remove(&holder);
        }
        drop(held);
        self.locks.freed.notify_waiters();
    }
}

impl Locks {
    /// Waits until `wish` can be had whole. What it wishes for may change while it waits.
    async fn take(
        self: &Arc<Self>,
        mut wish: impl FnMut() -> (BTreeSet<Row>, BTreeSet<HolderId>, Option<HolderId>),
    ) -> Option<Hold> {
        let waiting = async {
            loop {
                let mut freed = std::pin::pin!(self.freed.notified());
                freed.as_mut().enable();
                let (rows, shared, fenced) = wish();
                if self.try_take(&rows, &shared, fenced) {
                    return Hold { locks: self.clone(), rows, shared, fenced };
                }
                freed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.ok()
    }

    fn try_take(
        &self,
        rows: &BTreeSet<Row>,
        shared: &BTreeSet<HolderId>,
        fenced: Option<HolderId>,
    ) -> bool {
        let mut held = self.held.lock().unwrap();
        let asks = |holder: &HolderId| held.shared.get(holder).is_some_and(|count| *count > 0);
        let free = held.rows.is_disjoint(rows)
            && held.fenced.is_disjoint(shared)
            && fenced.is_none_or(|holder| !asks(&holder) && !held.fenced.contains(&holder));
        if free {
            held.rows.extend(rows.iter().cloned());
            for holder in shared {
                *held.shared.entry(*holder).or_default() += 1;
            }
            held.fenced.extend(fenced);
        }
        free
    }

    /// Every row a batch concerns.
    pub(crate) async fn batch(self: &Arc<Self>, ask: &Ask, tables: &Mutex<Tables>) -> Option<Hold> {
        self.take(|| (tables.lock().unwrap().rows_of(ask), ask.holders.clone(), None)).await
    }

    /// A holder's row `for update`: waits for its grants under way.
    pub(crate) async fn holder(self: &Arc<Self>, holder: HolderId) -> Option<Hold> {
        self.take(|| (BTreeSet::new(), BTreeSet::new(), Some(holder))).await
    }

    /// The stock of these SKUs.
    pub(crate) async fn skus(
        self: &Arc<Self>,
        mut skus: impl FnMut() -> BTreeSet<Sku>,
    ) -> Option<Hold> {
        let rows = move || skus().into_iter().map(Row::Sku).collect();
        let mut rows = rows;
        self.take(move || (rows(), BTreeSet::new(), None)).await
    }
}

impl Tables {
    fn rows_of(&self, ask: &Ask) -> BTreeSet<Row> {
        let mut sessions = ask.sessions.clone();
        let mut keys = ask.keys.clone();
        for attempt in ask.attempts.iter().filter_map(|id| self.attempts.get(id)) {
            sessions.insert(attempt.checkout);
            keys.extend(attempt.waiting.clone());
        }
        let mut skus: BTreeSet<Sku> = ask.stock.union(&ask.grants_of).cloned().collect();
        skus.extend(ask.wanted.iter().map(|wanted| wanted.sku.clone()));
        skus.extend(ask.holds.iter().map(|(_, sku)| sku.clone()));
        skus.extend(sessions.iter().flat_map(|id| self.holds_of(*id)).map(|hold| hold.sku));
        let grants = ask.grants.iter().filter_map(|id| self.grants.get(id));
        skus.extend(grants.map(|grant| grant.sku.clone()));
        let rows = sessions.into_iter().map(Row::Session);
        rows.chain(skus.into_iter().map(Row::Sku))
            .chain(ask.entries.iter().cloned().map(Row::Entry))
            .chain(keys.into_iter().map(Row::Key))
            .chain(ask.operations.iter().copied().map(Row::Operation))
            .collect()
    }
}

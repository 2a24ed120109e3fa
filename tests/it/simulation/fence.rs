//! Fencing in the simulated ledger, as the databases do it: the holder's row first, its grants in
//! the next statement.

use doorbuster::{
    base::{GrantId, HolderId, Sku, Timestamp},
    ledger::LedgerFault,
};
use std::collections::BTreeSet;
use tokio::sync::oneshot;

use super::{
    ledger::{Ledger, elsewhere, unreachable},
    sabotage::Sabotage,
    tables::Tables,
};

impl Ledger {
    /// Fences a holder, as the databases do: its row first, its grants in the next statement.
    pub(crate) async fn fence(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault> {
        let (reply, answer) = oneshot::channel();
        let (ledger, there) = (self.clone(), self.way());
        if self.chaos.strikes(self.chaos.plan.rates.unreachable) {
            return Err(unreachable("the simulated ledger is away"));
        }
        elsewhere(async move {
            tokio::time::sleep(there).await;
            let closed = ledger.close_all(holder, stale_before).await;
            let late = || unreachable("the simulated ledger waits for a row");
            let _gone = reply.send(closed.ok_or_else(late));
        });
        answer.await.map_err(|_| unreachable("the simulated ledger went away"))?
    }

    async fn close_all(&self, holder: HolderId, stale_before: Timestamp) -> Option<Vec<GrantId>> {
        let seen = || self.tables.lock().unwrap().grants_of(holder);
        let early = self.chaos.is(Sabotage::FenceInOneStatement).then(seen);
        let row = self.locks.holder(holder).await?;
        let stale = {
            let tables = self.tables.lock().unwrap();
            let found = tables.lifetimes.get(&holder);
            found.is_some_and(|one| one.live && one.heartbeat < stale_before)
        };
        if !stale {
            return Some(Vec::new());
        }
        tokio::time::sleep(self.chaos.between(0, 3)).await;
        // The second statement, with a snapshot that sees a grant taken while the first one waited.
        let skus = || early.clone().unwrap_or_else(seen).into_iter().map(|(_, sku)| sku).collect();
        let stock = self.locks.skus(skus).await?;
        let mut tables = self.tables.lock().unwrap();
        let closes = early.clone().unwrap_or_else(|| tables.grants_of(holder));
        let closed = tables.close(&closes);
        if let Some(one) = tables.lifetimes.get_mut(&holder) {
            one.live = false;
        }
        self.chaos.tell(|| format!("fenced {holder}: {closed:?}"));
        let left = tables.grants_of(holder);
        if !left.is_empty() {
            self.chaos.wrong(format!("{holder} is dead and has {left:?}"));
        }
        for (_, sku) in &closes {
            if let Err(broken) = tables.check(sku) {
                self.chaos.wrong(broken);
            }
        }
        drop((tables, stock, row));
        Some(closed)
    }
}

impl Tables {
    fn grants_of(&self, holder: HolderId) -> BTreeSet<(GrantId, Sku)> {
        let own = self.grants.values().filter(|grant| grant.active && grant.holder == holder);
        own.map(|grant| (grant.id, grant.sku.clone())).collect()
    }

    fn close(&mut self, grants: &BTreeSet<(GrantId, Sku)>) -> Vec<GrantId> {
        let mut closed = Vec::new();
        for (id, sku) in grants {
            let Some(grant) = self.grants.get_mut(id).filter(|grant| grant.active) else {
                continue;
            };
            grant.active = false;
            let left = grant.granted - grant.consumed;
            if let Some(row) = self.stock.get_mut(sku) {
                row.unallocated += left;
            }
            closed.push(*id);
        }
        closed
    }
}

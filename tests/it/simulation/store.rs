//! The simulated ledger as a [`Store`]: questions, answered from memory.

use async_trait::async_trait;
use doorbuster::{
    base::{AttemptId, CheckoutId, GrantId, HolderId, MovementId, OrderId, Sku, Timestamp},
    ledger::{
        BatchReply, Commit, CommitFault, Entry, LedgerFault, Store,
        database::DatabaseFault,
        entry::NewEvent,
        row::{
            AttemptRow, AttemptState, KeyRow, OperationRow, OrderRow, SessionRow, SessionState,
            StockLevel,
        },
        store::{Figures, MovementRow, OrderFilter, PoolReading, Purged, RetainSince},
    },
};

use super::{
    ledger::Ledger,
    sabotage::Sabotage,
    tables::{Lifetime, page},
};

#[async_trait]
impl Commit for Ledger {
    async fn commit(&self, batch: &[Entry], now: Timestamp) -> Result<BatchReply, CommitFault> {
        self.send(batch, now).await
    }
}

#[async_trait]
impl Store for Ledger {
    async fn now(&self) -> Result<Timestamp, LedgerFault> {
        Ok(self.chaos.now())
    }

    async fn check_ready(&self) -> Result<(), DatabaseFault> {
        Ok(())
    }

    fn pool(&self) -> PoolReading {
        PoolReading::default()
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    async fn find_session(&self, checkout: CheckoutId) -> Result<Option<SessionRow>, LedgerFault> {
        self.read(move |tables| tables.session(checkout)).await
    }

    async fn find_version(&self, checkout: CheckoutId) -> Result<Option<u32>, LedgerFault> {
        self.read(move |tables| tables.sessions.get(&checkout).map(|row| row.version)).await
    }

    async fn find_key(&self, caller: &str, key: &str) -> Result<Option<KeyRow>, LedgerFault> {
        let name = (caller.to_owned(), key.to_owned());
        self.read(move |tables| tables.keys.get(&name).cloned()).await
    }

    async fn find_order(&self, order: OrderId) -> Result<Option<OrderRow>, LedgerFault> {
        self.read(move |tables| tables.order(order)).await
    }

    /// Filters belong to the pages for people: nobody asks with one here.
    async fn list_orders(
        &self,
        filter: &OrderFilter,
        cursor: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderRow>, LedgerFault> {
        assert_eq!(*filter, OrderFilter::default(), "nobody filters in a simulation");
        self.read(move |tables| {
            let before = |id: &&OrderId| cursor.is_none_or(|cursor| **id < cursor);
            let ids = tables.orders.keys().rev().filter(before);
            page(ids.filter_map(|id| tables.order(*id)), limit)
        })
        .await
    }

    async fn find_attempt(&self, attempt: AttemptId) -> Result<Option<AttemptRow>, LedgerFault> {
        self.read(move |tables| tables.attempts.get(&attempt).cloned()).await
    }

    async fn redirect_attempt(
        &self,
        attempt: AttemptId,
        from: &str,
        to: &str,
    ) -> Result<bool, LedgerFault> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.read(move |tables| {
            let row = tables.attempts.get_mut(&attempt);
            let row = row.filter(|row| row.state == AttemptState::Pending && row.gateway == from);
            row.map(|row| row.gateway = to).is_some()
        })
        .await
    }

    async fn list_overdue_attempts(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        self.read(move |tables| page(tables.overdue(now).into_iter(), limit)).await
    }

    async fn list_watched_attempts(
        &self,
        now: Timestamp,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let watched = move |row: &&AttemptRow| {
            row.watch_until.is_some_and(|until| until > now)
                && cursor.is_none_or(|cursor| row.id > cursor)
        };
        self.read(move |tables| page(tables.attempts.values().filter(watched).cloned(), limit))
            .await
    }

    /// Everything of the simulation is captured at once.
    async fn list_uncaptured(
        &self,
        _after: AttemptId,
        _until: AttemptId,
        _limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        Ok(Vec::new())
    }

    async fn list_due_operations(
        &self,
        older_than: Timestamp,
        limit: u32,
    ) -> Result<Vec<OperationRow>, LedgerFault> {
        self.read(move |tables| page(tables.due(older_than).into_iter(), limit)).await
    }

    async fn list_expired_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(CheckoutId, Sku)>, LedgerFault> {
        let careless = self.chaos.is(Sabotage::ExpirePinned);
        self.read(move |tables| {
            let holds = tables
                .holds
                .values()
                .filter(|hold| (hold.pinned_by.is_none() || careless) && hold.expires_at <= now);
            page(holds.map(|hold| (hold.checkout, hold.sku.clone())), limit)
        })
        .await
    }

    async fn list_expired_sessions(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CheckoutId>, LedgerFault> {
        self.read(move |tables| {
            let over = tables
                .sessions
                .values()
                .filter(|row| row.state == SessionState::Open && row.expires_at <= now);
            page(over.map(|row| row.checkout), limit)
        })
        .await
    }

    async fn find_stock(&self, skus: &[Sku]) -> Result<Vec<StockLevel>, LedgerFault> {
        let skus = skus.to_vec();
        self.read(move |tables| skus.iter().filter_map(|sku| tables.level(sku)).collect()).await
    }

    async fn list_stock(
        &self,
        cursor: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<StockLevel>, LedgerFault> {
        let cursor = cursor.cloned();
        self.read(move |tables| {
            let after = |sku: &&Sku| cursor.as_ref().is_none_or(|cursor| *sku > cursor);
            let skus = tables.stock.keys().filter(after);
            page(skus.filter_map(|sku| tables.level(sku)), limit)
        })
        .await
    }

    async fn list_movements(
        &self,
        sku: &Sku,
        cursor: Option<MovementId>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, LedgerFault> {
        let sku = sku.clone();
        self.read(move |tables| {
            let wanted =
                |row: &&MovementRow| row.sku == sku && cursor.is_none_or(|cursor| row.id < cursor);
            let mut rows: Vec<_> = tables.movements.iter().filter(wanted).cloned().collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.id));
            page(rows.into_iter(), limit)
        })
        .await
    }

    async fn list_unsent_events(&self, limit: u32) -> Result<Vec<NewEvent>, LedgerFault> {
        self.read(move |tables| page(tables.events.iter().cloned(), limit)).await
    }

    async fn register_holder(
        &self,
        holder: HolderId,
        _label: &str,
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        self.read(move |tables| {
            tables.lifetimes.entry(holder).or_insert(Lifetime { live: true, heartbeat: now });
        })
        .await
    }

    async fn heartbeat(&self, holder: HolderId, now: Timestamp) -> Result<bool, LedgerFault> {
        self.read(move |tables| {
            let live = tables.lifetimes.get_mut(&holder).filter(|one| one.live);
            live.map(|one| one.heartbeat = one.heartbeat.max(now)).is_some()
        })
        .await
    }

    async fn fence(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
        _now: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault> {
        Self::fence(self, holder, stale_before).await
    }

    async fn list_stale_holders(
        &self,
        stale_before: Timestamp,
    ) -> Result<Vec<HolderId>, LedgerFault> {
        self.read(move |tables| {
            let stale =
                |(_, one): &(&HolderId, &Lifetime)| one.live && one.heartbeat < stale_before;
            tables.lifetimes.iter().filter(stale).map(|(id, _)| *id).collect()
        })
        .await
    }

    /// No run lasts for days: nothing has been kept long enough.
    async fn purge(&self, _since: RetainSince, _limit: u32) -> Result<Purged, LedgerFault> {
        Ok(Purged::default())
    }

    /// Nor this.
    async fn purge_raw_signals(&self, _before: Timestamp, _limit: u32) -> Result<u64, LedgerFault> {
        Ok(0)
    }

    async fn figures(&self) -> Result<Figures, LedgerFault> {
        self.read(|tables| tables.figures()).await
    }

    async fn list_attempts(
        &self,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let after = move |row: &&AttemptRow| cursor.is_none_or(|cursor| row.id > cursor);
        self.read(move |tables| page(tables.attempts.values().filter(after).cloned(), limit)).await
    }

    async fn close(&self) {}
}

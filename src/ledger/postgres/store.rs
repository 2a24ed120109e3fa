//! The [`Store`] in PostgreSQL: one statement a question, the records as JSON.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Postgres;
use crate::{
    base::{AttemptId, CheckoutId, GrantId, HolderId, MovementId, OrderId, Sku, Timestamp},
    ledger::{
        database::DatabaseFault,
        entry::{Entry, NewEvent},
        outcome::BatchReply,
        row::{AttemptRow, KeyRow, OperationRow, OrderRow, SessionRow, StockLevel},
        store::{
            Commit, CommitFault, Figures, FoundBy, LedgerFault, MovementRow, OrderFilter,
            PoolReading, Purged, RetainSince, Store,
        },
    },
};

/// The orders that a first condition finds by an index, if they are as asked for.
macro_rules! find_orders {
    ($first:literal) => {
        concat!(
            "select o.record::text from order_rows o where ",
            $first,
            "
      and ($1::jsonb->>'sku' is null or exists (
            select from order_lines l where l.order_id = o.id and l.sku = $1::jsonb->>'sku'))
      and ($1::jsonb->>'placed_from' is null
           or o.placed_at >= ($1::jsonb->>'placed_from')::timestamptz)
      and ($1::jsonb->>'placed_before' is null
           or o.placed_at < ($1::jsonb->>'placed_before')::timestamptz)
      and ($1::jsonb->>'payment' is null or exists (
            select from payment_operations p
            where p.attempt_id = o.attempt_id and p.state = $1::jsonb->>'payment'))
      and (coalesce($1::jsonb->>'name', $1::jsonb->>'email', $1::jsonb->>'min_minor',
                $1::jsonb->>'max_minor', $1::jsonb->>'currency') is null
           or exists (
            select from orders t left join checkout_people p
                on p.checkout_id = t.checkout_id and substr(p.personal, 1, 7) = 'plain:{'
            where t.id = o.id
              and t.total_minor between coalesce(($1::jsonb->>'min_minor')::bigint, 0)
                and coalesce(($1::jsonb->>'max_minor')::bigint, 9223372036854775807)
              and t.currency = coalesce($1::jsonb->>'currency', t.currency)
              and ($1::jsonb->>'email' is null
                or lower((substr(p.personal, 7)::json #>> '{buyer,email}') collate \"C\")
                    = $1::jsonb->>'email')
              and ($1::jsonb->>'name' is null or $1::jsonb->>'name' in (
                lower(coalesce(substr(p.personal, 7)::json #>> '{buyer,last_name}',
                    substr(p.personal, 7)::json #>> '{buyer,first_name}') collate \"C\"),
                lower(concat_ws(' ', substr(p.personal, 7)::json #>> '{buyer,first_name}',
                    substr(p.personal, 7)::json #>> '{buyer,last_name}') collate \"C\")))))
      and ($1::jsonb->>'status' is null or o.status = $1::jsonb->>'status')
      and ($1::jsonb->>'cursor' is null or o.id < right($1::jsonb->>'cursor', 32)::uuid)
    order by o.id desc limit ($1::jsonb->>'limit')::bigint"
        )
    };
}

const FIND_ORDERS: &str = find_orders!("true");
const FIND_ORDER_OF_ID: &str = find_orders!("o.id = right($1::jsonb->>'id', 32)::uuid");
const FIND_ORDERS_OF_EMAIL: &str = find_orders!(
    "o.id in (select p.checkout_id from checkout_people p
        where substr(p.personal, 1, 7) = 'plain:{'
          and lower((substr(p.personal, 7)::json #>> '{buyer,email}') collate \"C\")
            = $1::jsonb->>'email')"
);
const FIND_ORDERS_OF_NAME: &str = find_orders!(
    "o.id in (select p.checkout_id from checkout_people p
        where substr(p.personal, 1, 7) = 'plain:{'
          and lower(coalesce(substr(p.personal, 7)::json #>> '{buyer,last_name}',
                substr(p.personal, 7)::json #>> '{buyer,first_name}') collate \"C\")
            = $1::jsonb->>'family')"
);

impl Postgres {
    /// The records a statement finds.
    async fn list<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        parameter: Value,
    ) -> Result<Vec<T>, LedgerFault> {
        let rows = self.ask(sql, &parameter.to_string()).await?;
        let read = rows.iter().map(|row| serde_json::from_str(row));
        read.collect::<Result<_, _>>()
            .map_err(|error| LedgerFault::Broken(format!("a stored record does not read: {error}")))
    }

    /// The one record a statement finds.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        parameter: Value,
    ) -> Result<Option<T>, LedgerFault> {
        Ok(self.list(sql, parameter).await?.pop())
    }
}

#[async_trait]
impl Commit for Postgres {
    async fn commit(&self, batch: &[Entry], now: Timestamp) -> Result<BatchReply, CommitFault> {
        self.commit_batch(batch, now).await
    }
}

#[async_trait]
impl Store for Postgres {
    async fn now(&self) -> Result<Timestamp, LedgerFault> {
        let sql = "select to_json(clock_timestamp())::text where $1 is not null";
        let now = self.find(sql, json!({})).await?;
        now.ok_or_else(|| LedgerFault::Broken("the server does not tell the time".into()))
    }

    async fn check_ready(&self) -> Result<(), DatabaseFault> {
        let ready = self.is_ready().await;
        if matches!(ready, Err(DatabaseFault::TakesNoWrites)) {
            // Another may be the primary already: nobody waits for the first order to find out.
            self.readers.sweep();
            self.writers.sweep();
        }
        ready
    }

    fn pool(&self) -> PoolReading {
        let (readers, writers) = (self.readers.reading(), self.writers.reading());
        PoolReading { busy: readers.busy + writers.busy, idle: readers.idle + writers.idle }
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    async fn find_session(&self, checkout: CheckoutId) -> Result<Option<SessionRow>, LedgerFault> {
        let sql = "select record::text from session_rows
                   where id = right($1::jsonb->>'id', 32)::uuid";
        self.find(sql, json!({ "id": checkout })).await
    }

    async fn find_version(&self, checkout: CheckoutId) -> Result<Option<u32>, LedgerFault> {
        let sql = "select version::text from sessions where id = right($1::jsonb->>'id', 32)::uuid";
        self.find(sql, json!({ "id": checkout })).await
    }

    async fn find_key(&self, caller: &str, key: &str) -> Result<Option<KeyRow>, LedgerFault> {
        let sql = "select record::text from key_rows
                   where caller = $1::jsonb->>'caller' and key = $1::jsonb->>'key'";
        self.find(sql, json!({ "caller": caller, "key": key })).await
    }

    async fn find_order(&self, order: OrderId) -> Result<Option<OrderRow>, LedgerFault> {
        let sql = "select record::text from order_rows
                   where id = right($1::jsonb->>'id', 32)::uuid";
        self.find(sql, json!({ "id": order })).await
    }

    async fn list_orders(
        &self,
        filter: &OrderFilter,
        cursor: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderRow>, LedgerFault> {
        let sql = match filter.found_by() {
            FoundBy::Id => FIND_ORDER_OF_ID,
            FoundBy::Email => FIND_ORDERS_OF_EMAIL,
            FoundBy::Name => FIND_ORDERS_OF_NAME,
            FoundBy::Time => FIND_ORDERS,
        };
        self.list(sql, filter.parameter(cursor, limit)).await
    }

    async fn find_attempt(&self, attempt: AttemptId) -> Result<Option<AttemptRow>, LedgerFault> {
        let sql = "select record::text from attempt_rows
                   where id = right($1::jsonb->>'id', 32)::uuid";
        self.find(sql, json!({ "id": attempt })).await
    }

    async fn redirect_attempt(
        &self,
        attempt: AttemptId,
        from: &str,
        to: &str,
    ) -> Result<bool, LedgerFault> {
        self.update_gateway(attempt, from.to_owned(), to.to_owned()).await
    }

    async fn list_overdue_attempts(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let sql = "select record::text from attempt_rows
                   where state = 'pending' and deadline <= ($1::jsonb->>'now')::timestamptz
                   order by deadline, id limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "now": now, "limit": limit })).await
    }

    async fn list_watched_attempts(
        &self,
        now: Timestamp,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let sql = "select record::text from attempt_rows
                   where watch_until > ($1::jsonb->>'now')::timestamptz
                     and ($1::jsonb->>'cursor' is null
                          or id > right($1::jsonb->>'cursor', 32)::uuid)
                   order by id limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "now": now, "cursor": cursor, "limit": limit })).await
    }

    async fn list_uncaptured(
        &self,
        after: AttemptId,
        until: AttemptId,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let sql = "select a.record::text from attempt_rows a
                   join payment_attempts p on p.id = a.id
                   where a.id > right($1::jsonb->>'after', 32)::uuid
                     and a.id <= right($1::jsonb->>'until', 32)::uuid
                     and p.state = 'authorized' and p.amount_minor > (
                        select coalesce(sum(o.amount_minor), 0) from payment_operations o
                        where o.attempt_id = a.id and o.kind = 'capture' and o.state <> 'refused')
                     and not exists (select from payment_operations o
                        where o.attempt_id = a.id and o.kind = 'void' and o.state <> 'refused')
                   order by a.id limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "after": after, "until": until, "limit": limit })).await
    }

    async fn list_due_operations(
        &self,
        older_than: Timestamp,
        limit: u32,
    ) -> Result<Vec<OperationRow>, LedgerFault> {
        let sql = "select record::text from operation_rows
                   where state = 'due' and created_at < ($1::jsonb->>'before')::timestamptz
                   order by created_at, id limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "before": older_than, "limit": limit })).await
    }

    async fn list_expired_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(CheckoutId, Sku)>, LedgerFault> {
        let sql = "select json_build_array(checkout_id, sku)::text from holds
                   where pinned_by is null and expires_at <= ($1::jsonb->>'now')::timestamptz
                   order by expires_at limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "now": now, "limit": limit })).await
    }

    async fn list_expired_sessions(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CheckoutId>, LedgerFault> {
        let sql = "select to_json(id)::text from sessions
                   where live and state = 'open' and expires_at <= ($1::jsonb->>'now')::timestamptz
                   order by expires_at limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "now": now, "limit": limit })).await
    }

    async fn find_stock(&self, skus: &[Sku]) -> Result<Vec<StockLevel>, LedgerFault> {
        let sql = "select record::text from stock_levels
                   where sku = any(ledger_texts($1::jsonb)) order by sku";
        self.list(sql, json!(skus)).await
    }

    async fn list_stock(
        &self,
        cursor: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<StockLevel>, LedgerFault> {
        let sql = "select record::text from stock_levels
                   where $1::jsonb->>'cursor' is null or sku > $1::jsonb->>'cursor'
                   order by sku limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "cursor": cursor, "limit": limit })).await
    }

    async fn list_movements(
        &self,
        sku: &Sku,
        cursor: Option<MovementId>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, LedgerFault> {
        let sql = "select record::text from movement_rows
                   where sku = $1::jsonb->>'sku' and ($1::jsonb->>'cursor' is null
                         or id < right($1::jsonb->>'cursor', 32)::uuid)
                   order by id desc limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "sku": sku, "cursor": cursor, "limit": limit })).await
    }

    async fn list_unsent_events(&self, limit: u32) -> Result<Vec<NewEvent>, LedgerFault> {
        let sql = "select record::text from event_rows where sent_at is null
                   order by seq limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "limit": limit })).await
    }

    async fn register_holder(
        &self,
        holder: HolderId,
        label: &str,
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        self.insert_holder(holder, label.to_owned(), now).await
    }

    async fn heartbeat(&self, holder: HolderId, now: Timestamp) -> Result<bool, LedgerFault> {
        self.record_heartbeat(holder, now).await
    }

    async fn fence(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault> {
        self.fence_holder(holder, stale_before, now).await
    }

    async fn list_stale_holders(
        &self,
        stale_before: Timestamp,
    ) -> Result<Vec<HolderId>, LedgerFault> {
        let sql = "select to_json(id)::text from replicas
                   where state = 'live' and heartbeat_at < ($1::jsonb->>'before')::timestamptz
                   order by heartbeat_at";
        self.list(sql, json!({ "before": stale_before })).await
    }

    async fn purge(&self, since: RetainSince, limit: u32) -> Result<Purged, LedgerFault> {
        self.purge_old(since, limit).await
    }

    async fn purge_raw_signals(&self, before: Timestamp, limit: u32) -> Result<u64, LedgerFault> {
        self.purge_signals(before, limit).await
    }

    async fn figures(&self) -> Result<Figures, LedgerFault> {
        self.count_all().await
    }

    async fn list_attempts(
        &self,
        cursor: Option<AttemptId>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerFault> {
        let sql = "select record::text from attempt_rows where $1::jsonb->>'cursor' is null
                      or id > right($1::jsonb->>'cursor', 32)::uuid
                   order by id limit ($1::jsonb->>'limit')::bigint";
        self.list(sql, json!({ "cursor": cursor, "limit": limit })).await
    }

    async fn close(&self) {
        self.close_all().await;
    }
}

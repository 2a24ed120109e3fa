//! Replicas: who lives, and how one is fenced.

use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

use super::Postgres;
use crate::{
    base::{GrantId, HolderId, Timestamp},
    ledger::store::LedgerFault,
};

impl Postgres {
    pub(super) async fn insert_holder(
        &self,
        holder: HolderId,
        label: String,
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "insert into replicas (id, label, state, registered_at, heartbeat_at)
                           values ($1, $2, 'live', $3, $3) on conflict (id) do nothing";
                let query = sqlx::query(sql).bind(holder.uuid()).bind(label).bind(now.to_offset());
                query.persistent(kept).execute(conn).await.map(drop)
            })
        })
        .await
    }

    /// A heartbeat revives nobody: a dead row stays dead.
    pub(super) async fn record_heartbeat(
        &self,
        holder: HolderId,
        now: Timestamp,
    ) -> Result<bool, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "update replicas set heartbeat_at = greatest(heartbeat_at, $2)
                           where id = $1 and state = 'live'";
                let query = sqlx::query(sql).bind(holder.uuid()).bind(now.to_offset());
                query.persistent(kept).execute(conn).await.map(|done| done.rows_affected() == 1)
            })
        })
        .await
    }

    pub(super) async fn fence_holder(
        &self,
        holder: HolderId,
        stale_before: Timestamp,
        _now: Timestamp,
    ) -> Result<Vec<GrantId>, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| Box::pin(fence(conn, holder, stale_before, kept))).await
    }
}

/// Marks dead, then closes: two statements, because the second needs a snapshot that sees a grant
/// taken while the first one waited. `for update` waits for a grant in flight (it holds the row
/// `for key share`), a plain update would not.
async fn fence(
    conn: &mut PgConnection,
    holder: HolderId,
    stale_before: Timestamp,
    kept: bool,
) -> Result<Vec<GrantId>, sqlx::Error> {
    let mut tx = conn.begin().await?;
    let stale = "select id from replicas where id = $1 and state = 'live' and heartbeat_at < $2
                 for update";
    let found: Option<uuid::Uuid> = sqlx::query_scalar(stale)
        .bind(holder.uuid())
        .bind(stale_before.to_offset())
        .persistent(kept)
        .fetch_optional(&mut *tx)
        .await?;
    if found.is_none() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    sqlx::query("update replicas set state = 'dead' where id = $1")
        .bind(holder.uuid())
        .persistent(kept)
        .execute(&mut *tx)
        .await?;
    // Stock before grants, as everybody locks.
    let stock = "select sku from stock where sku in (
                     select sku from stock_grants where holder = $1 and active)
                 order by sku for update";
    sqlx::query(stock).bind(holder.uuid()).persistent(kept).execute(&mut *tx).await?;
    let close = "update stock_grants set active = false where id in (
                     select id from stock_grants where holder = $1 and active
                     order by id for update)
                 returning id";
    let closed: Vec<uuid::Uuid> =
        sqlx::query_scalar(close).bind(holder.uuid()).persistent(kept).fetch_all(&mut *tx).await?;
    let give_back = "update stock s set unallocated = s.unallocated + g.units from (
                         select sku, sum(granted - consumed)::bigint as units from stock_grants
                         where id = any($1) group by sku) g
                     where g.sku = s.sku";
    sqlx::query(give_back).bind(&closed).persistent(kept).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(closed.into_iter().map(GrantId::from_uuid).collect())
}

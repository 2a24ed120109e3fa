//! Replicas: here one at a time, but those that died keep grants until they are fenced.

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;

use super::Sqlite;
use crate::{
    base::{GrantId, HolderId, Timestamp},
    ledger::store::LedgerFault,
};

impl Sqlite {
    pub(super) async fn insert_holder(
        &self,
        holder: HolderId,
        label: String,
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        self.write(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "insert into replicas (id, label, state, registered_at, heartbeat_at)
                           values ($1, $2, 'live', $3, $3) on conflict (id) do nothing";
                let query = sqlx::query(sql).bind(holder.to_string()).bind(label);
                query.bind(now.to_string()).execute(conn).await.map(drop)
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
        self.write(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "update replicas set heartbeat_at = max(heartbeat_at, $2)
                           where id = $1 and state = 'live'";
                let query = sqlx::query(sql).bind(holder.to_string()).bind(now.to_string());
                query.execute(conn).await.map(|done| done.rows_affected() == 1)
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
        let closed = self
            .write(move |conn| -> BoxFuture<'_, _> {
                Box::pin(fence(conn, holder.to_string(), stale_before.to_string()))
            })
            .await?;
        let read = closed.iter().map(|id| id.parse());
        read.collect::<Result<_, _>>().map_err(|_| LedgerFault::Broken("a grant's id".into()))
    }
}

/// Marks dead, then closes, as on PostgreSQL.
async fn fence(
    conn: &mut SqliteConnection,
    holder: String,
    stale_before: String,
) -> Result<Vec<String>, sqlx::Error> {
    let mark = "update replicas set state = 'dead'
                where id = $1 and state = 'live' and heartbeat_at < $2";
    let marked = sqlx::query(mark).bind(&holder).bind(stale_before).execute(&mut *conn).await?;
    if marked.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    let give_back = "update stock set unallocated = unallocated + g.units from (
                         select sku as of_sku, sum(granted - consumed) as units from stock_grants
                         where holder = $1 and active group by sku) g
                     where sku = g.of_sku";
    sqlx::query(give_back).bind(&holder).execute(&mut *conn).await?;
    let close = "update stock_grants set active = 0 where holder = $1 and active returning id";
    sqlx::query_scalar(close).bind(&holder).fetch_all(conn).await
}

//! The ledger, asked in plain SQL.

use anyhow::Context;
use std::{collections::BTreeMap, time::Duration};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// How long a question may take.
const ANSWERS: Duration = Duration::from_secs(10);

/// One SKU's units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    /// Counted.
    pub on_hand: i64,
    /// Put aside for checkouts.
    pub held: i64,
    /// Promised to orders.
    pub sold: i64,
}

/// An order with the attempt that paid for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub order: Uuid,
    /// The payment attempt.
    pub attempt: Uuid,
    /// Minor units.
    pub total: i64,
}

/// Opens a connection of our own, past the fault proxy.
///
/// # Errors
/// When the server is not there.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let connecting = tokio_postgres::connect(url, NoTls);
    let connected = tokio::time::timeout(ANSWERS, connecting).await?;
    let (client, connection) = connected.context("cannot connect to the ledger")?;
    tokio::spawn(async move {
        // The client's next call tells what went wrong.
        let _ended = connection.await;
    });
    Ok(client)
}

/// The lifetimes of a replica that are thought to live.
///
/// # Errors
/// When the ledger does not answer.
pub async fn live_holders(client: &Client, label: &str) -> anyhow::Result<Vec<Uuid>> {
    let sql = "select id from replicas where label = $1 and state = 'live'";
    let rows = client.query(sql, &[&label]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How many of these lifetimes are thought to live.
///
/// # Errors
/// When the ledger does not answer.
pub async fn still_live(client: &Client, holders: &[Uuid]) -> anyhow::Result<i64> {
    let sql = "select count(*) from replicas where id = any($1) and state = 'live'";
    Ok(client.query_one(sql, &[&holders]).await?.try_get(0)?)
}

/// Units granted to these lifetimes and not yet promised to anybody.
///
/// # Errors
/// When the ledger does not answer.
pub async fn stranded(client: &Client, holders: &[Uuid]) -> anyhow::Result<i64> {
    let sql = "select coalesce(sum(granted - consumed), 0)::bigint from stock_grants
               where active and holder = any($1)";
    Ok(client.query_one(sql, &[&holders]).await?.try_get(0)?)
}

/// Every SKU's units, counted from the rows themselves.
///
/// # Errors
/// When the ledger does not answer.
pub async fn units(client: &Client) -> anyhow::Result<BTreeMap<String, Units>> {
    let sql = "select s.sku, s.on_hand, coalesce(h.units, 0)::bigint, coalesce(o.units, 0)::bigint
               from stock s
               left join (select sku, sum(quantity) as units from holds group by sku) h
                   on h.sku = s.sku
               left join (select sku, sum(quantity) as units from order_lines group by sku) o
                   on o.sku = s.sku";
    let rows = client.query(sql, &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        let units =
            Units { on_hand: row.try_get(1)?, held: row.try_get(2)?, sold: row.try_get(3)? };
        Ok((row.try_get(0)?, units))
    };
    rows.iter().map(read).collect()
}

/// Every order.
///
/// # Errors
/// When the ledger does not answer.
pub async fn orders(client: &Client) -> anyhow::Result<Vec<Placed>> {
    let rows = client.query("select id, attempt_id, total_minor from orders", &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Placed { order: row.try_get(0)?, attempt: row.try_get(1)?, total: row.try_get(2)? })
    };
    rows.iter().map(read).collect()
}

/// The checkout of every payment attempt.
///
/// # Errors
/// When the ledger does not answer.
pub async fn attempts(client: &Client) -> anyhow::Result<BTreeMap<Uuid, Uuid>> {
    let rows = client.query("select id, checkout_id from payment_attempts", &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What every open checkout holds, SKU by SKU.
///
/// # Errors
/// When the ledger does not answer.
pub async fn holds(client: &Client) -> anyhow::Result<BTreeMap<Uuid, BTreeMap<String, i32>>> {
    let rows = client.query("select checkout_id, sku, quantity from holds", &[]).await?;
    let mut holds: BTreeMap<Uuid, BTreeMap<String, i32>> = BTreeMap::new();
    for row in rows {
        holds.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
    }
    Ok(holds)
}

/// Payments and captures whose end is open: attempts pending, operations due.
///
/// # Errors
/// When the ledger does not answer.
pub async fn unfinished(client: &Client) -> anyhow::Result<i64> {
    let sql = "select (select count(*) from payment_attempts where state = 'pending')
               + (select count(*) from payment_operations where state = 'due')";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

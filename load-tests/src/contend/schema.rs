//! The baselines' tables.

use anyhow::Context;
use tokio_postgres::Client;

/// Makes the tables and puts units on the shelf.
///
/// # Errors
/// When the database refuses.
pub async fn fill(client: &Client, skus: u32, units: i64) -> anyhow::Result<()> {
    client.batch_execute(include_str!("schema.sql")).await.context("the schema")?;
    let fill = "insert into stock select 'SKU-' || lpad(n::text, 8, '0'), $2
                from generate_series(0, $1::bigint - 1) n";
    client.execute(fill, &[&i64::from(skus), &units]).await.context("the stock")?;
    client.batch_execute("vacuum analyze stock").await.context("statistics")
}

//! `load-tests shelves`: a scenario's SKUs as CSV, for `doorbuster import`; and more SKUs than that
//! reads in a reasonable time.

use anyhow::Context;
use clap::Args;
use std::io::Write;
use tokio_postgres::Client;

use super::run::find;
use crate::{drive::request::sku, scenario::Scenario};

/// Prints a scenario's SKUs as CSV, to be imported into a service that runs already.
#[derive(Debug, Args)]
pub struct Shelves {
    /// A scenario's file, or its name in load-tests/scenarios
    scenario: String,
}

/// Prints them.
///
/// # Errors
/// When the scenario does not hold, or nobody reads.
pub fn run(arguments: &Shelves, out: &mut dyn Write) -> anyhow::Result<()> {
    let scenario = Scenario::read(&find(&arguments.scenario))?;
    catalogue(scenario.shelves.skus, scenario.shelves.units, out)
}

/// Writes so many SKUs with so many units each.
///
/// # Errors
/// When it cannot be written.
pub fn catalogue(skus: u32, units: u32, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "sku,title,price,currency,stock")?;
    for number in 0..skus {
        let sku = sku(number);
        writeln!(out, "{sku},The {sku},19.90,EUR,{units}")?;
    }
    Ok(())
}

/// Every row that an import leaves of the first SKU, once more for each of the others: its product,
/// its stock, the movement that brought it, and the entry that the ledger knows the movement by.
const MULTIPLY: [&str; 5] = [
    "create temporary table more on commit drop as
        select 'SKU-' || lpad(n::text, 8, '0') as sku, gen_random_uuid() as id
        from generate_series(1, $1::bigint - 1) n",
    "insert into products
        select m.sku, 'The ' || m.sku, p.price_minor, p.currency, p.tax_category, p.image_url,
               p.attributes, p.stock_policy, p.active, p.updated_at
        from products p, more m where p.sku = $1",
    "insert into stock
        select m.sku, s.on_hand, s.unallocated from stock s, more m where s.sku = $1",
    "insert into entries (id, outcome, at)
        select 'mov_' || replace(m.id::text, '-', ''), e.outcome, e.at
        from stock_movements v, entries e, more m
        where v.sku = $1 and e.id = 'mov_' || replace(v.id::text, '-', '')",
    "insert into stock_movements (id, sku, kind, quantity, reason, at)
        select m.id, m.sku, v.kind, v.quantity, v.reason, v.at
        from stock_movements v, more m where v.sku = $1",
];

/// Makes so many SKUs of the one that was imported, with everything that belongs to them.
///
/// # Errors
/// When the database refuses, or another row comes of it than one of each kind for each SKU.
pub async fn multiply(client: &mut Client, skus: u32) -> anyhow::Result<()> {
    let first = sku(0);
    let sale = client.transaction().await?;
    let [make, copies @ ..] = MULTIPLY;
    sale.execute(make, &[&i64::from(skus)]).await.context("the new SKUs")?;
    for copy in copies {
        let copied = sale.execute(copy, &[&first]).await.with_context(|| copy.to_owned())?;
        anyhow::ensure!(copied == u64::from(skus) - 1, "{copied} rows by: {copy}");
    }
    sale.commit().await?;
    client.batch_execute("vacuum analyze").await.context("statistics")
}

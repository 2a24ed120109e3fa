//! After a run: whether the ledger bears out what the driver was told.

use anyhow::{bail, ensure};
use std::collections::HashMap;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::drive::{acks::Ack, request::sku};

/// Orders looked up at once.
const PER_QUESTION: usize = 10_000;

/// Looks every acknowledged order up in `orders` and `order_lines`: it must be there, and hold
/// units of the SKUs that were asked for, at most as many. Two acknowledgements of different
/// requests never name the same order.
///
/// # Errors
/// When one is missing or other than asked; names the first few.
pub async fn every_acknowledged_order_is_there(
    client: &Client,
    acks: &[Ack],
) -> anyhow::Result<()> {
    let mut keys: HashMap<&str, &str> = HashMap::new();
    for ack in acks {
        if let Some(other) = keys.insert(&ack.order, &ack.key) {
            ensure!(other == ack.key, "{} answers two keys: {other}, {}", ack.order, ack.key);
        }
    }
    let mut wrong = Vec::new();
    for page in acks.chunks(PER_QUESTION) {
        let ids = page.iter().map(id).collect::<anyhow::Result<Vec<Uuid>>>()?;
        let rows = client
            .query(
                "select o.id, l.sku, l.quantity from unnest($1::uuid[]) as wanted(id)
                 join orders o on o.id = wanted.id join order_lines l on l.order_id = o.id",
                &[&ids],
            )
            .await?;
        let mut found: HashMap<Uuid, Vec<(String, i32)>> = HashMap::new();
        for row in rows {
            found.entry(row.try_get(0)?).or_default().push((row.try_get(1)?, row.try_get(2)?));
        }
        for (ack, id) in page.iter().zip(&ids) {
            match found.get(id) {
                None => wrong.push(format!("{} was acknowledged and is not there", ack.order)),
                Some(lines) if !is_as_asked(ack, lines) => {
                    wrong.push(format!("{} is {lines:?}, asked was {:?}", ack.order, ack.lines));
                }
                Some(_) => {}
            }
        }
    }
    if !wrong.is_empty() {
        let count = wrong.len();
        wrong.truncate(10);
        bail!("{count} acknowledged orders are wrong:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// Whether of every SKU's stock each unit is in one place: free, granted, held or sold; and what is
/// sold is what the orders say.
///
/// # Errors
/// When some are not; says how many.
pub async fn units_add_up(client: &Client) -> anyhow::Result<()> {
    let sums = "
        with granted as (select sku, sum(granted - consumed) as units
                         from stock_grants where active group by sku),
        held as (select sku, sum(quantity) as units from holds group by sku),
        sold as (select sku, sum(quantity) as units from order_lines where tracked group by sku)
        select count(*) from stock
        left join granted using (sku) left join held using (sku) left join sold using (sku)
        where on_hand <> unallocated + coalesce(granted.units, 0) + coalesce(held.units, 0)
                         + coalesce(sold.units, 0)";
    let wrong: i64 = client.query_one(sums, &[]).await?.try_get(0)?;
    ensure!(wrong == 0, "the units of {wrong} SKUs do not add up");
    Ok(())
}

fn id(ack: &Ack) -> anyhow::Result<Uuid> {
    let digits = ack.order.strip_prefix("ord_").and_then(|digits| Uuid::try_parse(digits).ok());
    digits.ok_or_else(|| anyhow::anyhow!("`{}` is no order id", ack.order))
}

fn is_as_asked(ack: &Ack, lines: &[(String, i32)]) -> bool {
    let asked = |name: &str| ack.lines.iter().find(|(number, _)| sku(*number) == name);
    lines.iter().all(|(name, quantity)| {
        asked(name).is_some_and(|(_, most)| (1..=i64::from(*most)).contains(&i64::from(*quantity)))
    })
}

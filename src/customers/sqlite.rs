//! Addresses in SQLite.

use crate::{
    base::Timestamp,
    ledger::{LedgerFault, sqlite::Sqlite},
};

const LIST: &str = "select json_object('id', id, 'address', address, 'used_at', used_at)
    from customer_addresses where customer = $1 order by kept_at, id";
const KEEP: &str = "insert into customer_addresses (customer, id, address, kept_at, used_at)
    select $1->>'customer', $1->>'id', $1->>'address', $1->>'at', $1->>'at' where true
    on conflict do nothing";
const FORGET: &str = "delete from customer_addresses where customer = $1 and id not in (
    select id from customer_addresses where customer = $1 order by kept_at desc, id limit $2)";
const SEEN: &str =
    "update customer_addresses set used_at = $2 where customer = $1 and used_at < $2";
const FORGET_UNUSED: &str = "delete from customer_addresses where (customer, id) in (
    select customer, id from customer_addresses where used_at < $1 order by used_at limit $2)";

pub(super) async fn list(database: &Sqlite, customer: String) -> Result<Vec<String>, LedgerFault> {
    database
        .read(move |conn| Box::pin(sqlx::query_scalar(LIST).bind(customer).fetch_all(conn)))
        .await
}

pub(super) async fn keep(
    database: &Sqlite,
    rows: Vec<String>,
    customer: String,
    most: usize,
    now: Timestamp,
) -> Result<(), LedgerFault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database
        .write(move |conn| {
            let (rows, customer) = (rows.clone(), customer.clone());
            Box::pin(async move {
                for row in rows {
                    sqlx::query(KEEP).bind(row).execute(&mut *conn).await?;
                }
                sqlx::query(FORGET).bind(&customer).bind(most).execute(&mut *conn).await?;
                let seen = sqlx::query(SEEN).bind(customer).bind(now.to_string());
                seen.execute(conn).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn forget_unused(
    database: &Sqlite,
    before: Timestamp,
    limit: u32,
) -> Result<u64, LedgerFault> {
    database
        .write(move |conn| {
            Box::pin(async move {
                let forget = sqlx::query(FORGET_UNUSED).bind(before.to_string());
                Ok(forget.bind(i64::from(limit)).execute(conn).await?.rows_affected())
            })
        })
        .await
}

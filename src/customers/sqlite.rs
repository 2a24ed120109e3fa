//! Addresses in SQLite.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

const LIST: &str = "select json_object('id', id, 'address', address)
    from customer_addresses where customer = $1 order by kept_at, id";
const KEEP: &str = "insert into customer_addresses (customer, id, address, kept_at)
    select $1->>'customer', $1->>'id', $1->>'address', $1->>'at' where true
    on conflict do nothing";
const FORGET: &str = "delete from customer_addresses where customer = $1 and id not in (
    select id from customer_addresses where customer = $1 order by kept_at desc, id limit $2)";

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
) -> Result<(), LedgerFault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database
        .write(move |conn| {
            let (rows, customer) = (rows.clone(), customer.clone());
            Box::pin(async move {
                for row in rows {
                    sqlx::query(KEEP).bind(row).execute(&mut *conn).await?;
                }
                sqlx::query(FORGET).bind(customer).bind(most).execute(&mut *conn).await?;
                Ok(())
            })
        })
        .await
}

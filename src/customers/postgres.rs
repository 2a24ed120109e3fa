//! Addresses in PostgreSQL.

use crate::{
    base::Timestamp,
    ledger::{LedgerFault, postgres::Postgres},
};

const LIST: &str =
    "select json_build_object('id', id, 'address', address, 'used_at', used_at)::text
    from customer_addresses where customer = $1 order by kept_at, id";
const KEEP: &str = "insert into customer_addresses (customer, id, address, kept_at, used_at)
    select c->>'customer', c->>'id', c->>'address', (c->>'at')::timestamptz,
        (c->>'at')::timestamptz
    from json_array_elements($1::json) c
    on conflict do nothing";
const FORGET: &str = "delete from customer_addresses where customer = $1 and id not in (
    select id from customer_addresses where customer = $1 order by kept_at desc, id limit $2)";
const SEEN: &str =
    "update customer_addresses set used_at = $2 where customer = $1 and used_at < $2";
const FORGET_UNUSED: &str = "delete from customer_addresses where (customer, id) in (
    select customer, id from customer_addresses where used_at < $1
    order by used_at limit $2 for update skip locked)";

pub(super) async fn list(
    database: &Postgres,
    customer: String,
) -> Result<Vec<String>, LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |conn| {
            let query = sqlx::query_scalar(LIST).bind(customer).persistent(kept);
            Box::pin(query.fetch_all(conn))
        })
        .await
}

pub(super) async fn keep(
    database: &Postgres,
    rows: Vec<String>,
    customer: String,
    most: usize,
    now: Timestamp,
) -> Result<(), LedgerFault> {
    let (kept, most) = (database.prepares(), i64::try_from(most).unwrap_or(i64::MAX));
    let rows = format!("[{}]", rows.join(","));
    database
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(KEEP).bind(rows).persistent(kept).execute(&mut *tx).await?;
                let forget = sqlx::query(FORGET).bind(&customer).bind(most);
                forget.persistent(kept).execute(&mut *tx).await?;
                let seen = sqlx::query(SEEN).bind(customer).bind(now.to_offset());
                seen.persistent(kept).execute(tx).await.map(drop)
            })
        })
        .await
}

pub(super) async fn forget_unused(
    database: &Postgres,
    before: Timestamp,
    limit: u32,
) -> Result<u64, LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |conn| {
            Box::pin(async move {
                let forget = sqlx::query(FORGET_UNUSED).bind(before.to_offset());
                let forget = forget.bind(i64::from(limit)).persistent(kept);
                Ok(forget.execute(conn).await?.rows_affected())
            })
        })
        .await
}

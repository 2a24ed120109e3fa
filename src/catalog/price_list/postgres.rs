//! Price lists in PostgreSQL.

use crate::ledger::{postgres::Postgres, store::LedgerFault};

pub(super) async fn lists(database: &Postgres) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select json_build_object('currency', currency, 'prices', count(*))::text
        from list_prices group by currency order by currency";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(sqlx::query_scalar(SQL).persistent(kept).fetch_all(connection))
        })
        .await
}

pub(super) async fn list(
    database: &Postgres,
    currency: Option<&'static str>,
    (past, sku): (String, String),
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select json_build_object('currency', currency, 'sku', sku,
            'amount_minor', amount_minor)::text
        from list_prices
        where ($1::text is null or currency = $1) and (currency, sku) > ($2, $3)
        order by currency, sku limit $4";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL)
                    .bind(currency)
                    .bind(past)
                    .bind(sku)
                    .bind(i64::from(limit))
                    .persistent(kept)
                    .fetch_all(connection)
                    .await
            })
        })
        .await
}

pub(super) async fn save(database: &Postgres, rows: String) -> Result<(), LedgerFault> {
    const SQL: &str = "
        insert into list_prices (currency, sku, amount_minor, updated_at)
        select currency, sku, amount_minor, updated_at
        from jsonb_to_recordset($1::jsonb) as
             r (currency text, sku text, amount_minor bigint, updated_at timestamptz)
        order by currency, sku
        on conflict (currency, sku) do update
        set amount_minor = excluded.amount_minor, updated_at = excluded.updated_at";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query(SQL).bind(rows).persistent(kept).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn remove(
    database: &Postgres,
    currency: &'static str,
    sku: String,
) -> Result<(), LedgerFault> {
    const SQL: &str = "delete from list_prices where currency = $1 and sku = $2";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(SQL).bind(currency).bind(sku).persistent(kept);
                query.execute(connection).await?;
                Ok(())
            })
        })
        .await
}

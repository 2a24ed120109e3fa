//! Price lists in SQLite.

use crate::ledger::{sqlite::Sqlite, store::LedgerFault};

pub(super) async fn lists(database: &Sqlite) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select json_object('currency', currency, 'prices', count(*))
        from list_prices where $1 = '' group by currency order by currency";
    database.ask(SQL, "").await
}

pub(super) async fn list(
    database: &Sqlite,
    currency: Option<&'static str>,
    (past, sku): (String, String),
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select json_object('currency', currency, 'sku', sku, 'amount_minor', amount_minor)
        from list_prices
        where ($1 is null or currency = $1) and (currency, sku) > ($2, $3)
        order by currency, sku limit $4";
    database
        .read(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL)
                    .bind(currency)
                    .bind(past)
                    .bind(sku)
                    .bind(limit)
                    .fetch_all(connection)
                    .await
            })
        })
        .await
}

pub(super) async fn save(database: &Sqlite, rows: String) -> Result<(), LedgerFault> {
    const SQL: &str = "
        insert into list_prices (currency, sku, amount_minor, updated_at)
        select value ->> '$.currency', value ->> '$.sku', value ->> '$.amount_minor',
               value ->> '$.updated_at'
        from json_each($1)
        where true
        on conflict (currency, sku) do update
        set amount_minor = excluded.amount_minor, updated_at = excluded.updated_at";
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(SQL).bind(rows).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn remove(
    database: &Sqlite,
    currency: &'static str,
    sku: String,
) -> Result<(), LedgerFault> {
    const SQL: &str = "delete from list_prices where currency = $1 and sku = $2";
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(SQL).bind(currency).bind(sku).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

//! Products in PostgreSQL.

use super::record::Row;
use crate::ledger::{postgres::Postgres, store::LedgerFault};

pub(super) async fn find_many(database: &Postgres, skus: String) -> Result<Vec<Row>, LedgerFault> {
    const SQL: &str = r#"
        select sku, title, price_minor, currency::text, tax_category, image_url, attributes::text,
               stock_policy::text, active,
               to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        from products
        where sku = any (array(select jsonb_array_elements_text($1::jsonb)))"#;
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_as(SQL).bind(skus).persistent(kept).fetch_all(connection).await
            })
        })
        .await
}

pub(super) async fn list(
    database: &Postgres,
    after: String,
    limit: u32,
) -> Result<Vec<Row>, LedgerFault> {
    const SQL: &str = r#"
        select sku, title, price_minor, currency::text, tax_category, image_url, attributes::text,
               stock_policy::text, active,
               to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        from products
        where sku > $1
        order by sku
        limit $2"#;
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_as(SQL)
                    .bind(after)
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
        insert into products (sku, title, price_minor, currency, tax_category, image_url,
                              attributes, stock_policy, active, updated_at)
        select sku, title, price_minor, currency, tax_category, image_url,
               attributes, stock_policy, active, updated_at
        from jsonb_to_recordset($1::jsonb) as
             r (sku text, title text, price_minor bigint, currency text, tax_category text,
                image_url text, attributes jsonb, stock_policy text, active boolean,
                updated_at timestamptz)
        order by sku
        on conflict (sku) do update
        set title = excluded.title, price_minor = excluded.price_minor,
            currency = excluded.currency, tax_category = excluded.tax_category,
            image_url = excluded.image_url, attributes = excluded.attributes,
            stock_policy = excluded.stock_policy, active = excluded.active,
            updated_at = excluded.updated_at";
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

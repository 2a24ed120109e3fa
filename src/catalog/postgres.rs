//! Products in PostgreSQL.

use crate::ledger::{postgres::Postgres, store::LedgerFault};

pub(super) async fn find_many(
    database: &Postgres,
    skus: String,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select record::text from product_rows
        where sku = any (array(select jsonb_array_elements_text($1::jsonb)))";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(skus).persistent(kept).fetch_all(connection).await
            })
        })
        .await
}

pub(super) async fn list(
    database: &Postgres,
    after: String,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select record::text from product_rows where sku > $1 order by sku limit $2";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL)
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
                              attributes, stock_policy, active, updated_at,
                              group_id, options, description, categories, max_per_order)
        select sku, title, price_minor, currency, tax_category, image_url,
               attributes, stock_policy, active, updated_at,
               group_id, options, description, categories, max_per_order
        from jsonb_to_recordset($1::jsonb) as
             r (sku text, title text, price_minor bigint, currency text, tax_category text,
                image_url text, attributes jsonb, stock_policy text, active boolean,
                updated_at timestamptz, group_id text, options jsonb, description text,
                categories jsonb, max_per_order bigint)
        order by sku
        on conflict (sku) do update
        set title = excluded.title, price_minor = excluded.price_minor,
            currency = excluded.currency, tax_category = excluded.tax_category,
            image_url = excluded.image_url, attributes = excluded.attributes,
            stock_policy = excluded.stock_policy, active = excluded.active,
            updated_at = excluded.updated_at, group_id = excluded.group_id,
            options = excluded.options, description = excluded.description,
            categories = excluded.categories, max_per_order = excluded.max_per_order";
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

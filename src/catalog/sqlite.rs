//! Products in SQLite.

use crate::ledger::{sqlite::Sqlite, store::LedgerFault};

pub(super) async fn find_many(database: &Sqlite, skus: String) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select record from product_rows where sku in (select value from json_each($1))";
    database.ask(SQL, &skus).await
}

pub(super) async fn list(
    database: &Sqlite,
    after: String,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select record from product_rows where sku > $1 order by sku limit $2";
    database
        .read(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(after).bind(limit).fetch_all(connection).await
            })
        })
        .await
}

pub(super) async fn save(database: &Sqlite, rows: String) -> Result<(), LedgerFault> {
    // `where true` tells the parser that `on conflict` does not belong to a join.
    const SQL: &str = "
        insert into products (sku, title, price_minor, currency, tax_category, image_url,
                              attributes, stock_policy, active, updated_at,
                              group_id, options, description, categories, max_per_order)
        select value ->> '$.sku', value ->> '$.title', value ->> '$.price_minor',
               value ->> '$.currency', value ->> '$.tax_category', value ->> '$.image_url',
               value -> '$.attributes', value ->> '$.stock_policy', value ->> '$.active',
               value ->> '$.updated_at', value ->> '$.group_id', value -> '$.options',
               value ->> '$.description', value -> '$.categories',
               value ->> '$.max_per_order'
        from json_each($1)
        where true
        on conflict (sku) do update
        set title = excluded.title, price_minor = excluded.price_minor,
            currency = excluded.currency, tax_category = excluded.tax_category,
            image_url = excluded.image_url, attributes = excluded.attributes,
            stock_policy = excluded.stock_policy, active = excluded.active,
            updated_at = excluded.updated_at, group_id = excluded.group_id,
            options = excluded.options, description = excluded.description,
            categories = excluded.categories, max_per_order = excluded.max_per_order";
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(SQL).bind(rows).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

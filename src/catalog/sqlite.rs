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
    archived: bool,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select record from product_rows
        where sku > $1 and (archived_at is not null) = $3
        order by sku limit $2";
    database
        .read(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(SQL).bind(after).bind(limit).bind(archived);
                query.fetch_all(connection).await
            })
        })
        .await
}

/// Inserts or replaces: all, or those that still are as they were seen. Tells which.
pub(super) async fn save(
    database: &Sqlite,
    rows: String,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        insert into products (sku, title, price_minor, currency, tax_category, image_url,
                              attributes, stock_policy, active, updated_at,
                              group_id, options, description, categories, max_per_order,
                              archived_at)
        select value ->> '$.sku', value ->> '$.title', value ->> '$.price_minor',
               value ->> '$.currency', value ->> '$.tax_category', value ->> '$.image_url',
               value -> '$.attributes', value ->> '$.stock_policy', value ->> '$.active',
               value ->> '$.updated_at', value ->> '$.group_id', value -> '$.options',
               value ->> '$.description', value -> '$.categories',
               value ->> '$.max_per_order', value ->> '$.archived_at'
        from json_each($1)
        where $2 or (select p.updated_at from products p where p.sku = value ->> '$.sku')
              is value ->> '$.seen'
        on conflict (sku) do update
        set title = excluded.title, price_minor = excluded.price_minor,
            currency = excluded.currency, tax_category = excluded.tax_category,
            image_url = excluded.image_url, attributes = excluded.attributes,
            stock_policy = excluded.stock_policy, active = excluded.active,
            updated_at = excluded.updated_at, group_id = excluded.group_id,
            options = excluded.options, description = excluded.description,
            categories = excluded.categories, max_per_order = excluded.max_per_order,
            archived_at = excluded.archived_at
        returning sku";
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(rows).bind(all).fetch_all(connection).await
            })
        })
        .await
}

/// SKUs that are one of these in small letters.
pub(super) async fn find_folded(
    database: &Sqlite,
    folded: String,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select sku from products where lower(sku) in (select value from json_each($1))";
    database.ask(SQL, &folded).await
}

/// Orders that name a SKU, so many at most.
pub(super) async fn orders_of(
    database: &Sqlite,
    sku: String,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select order_id from order_lines where sku = $1 limit $2";
    database
        .read(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(sku).bind(limit).fetch_all(connection).await
            })
        })
        .await
}

/// Deletes a product with its prices, or archives it; tells of one that there was.
pub(super) async fn remove(
    database: &Sqlite,
    change: String,
    archive: bool,
) -> Result<bool, LedgerFault> {
    const DELETE_PRICES: &str = "delete from list_prices where sku = $1 ->> '$.sku'";
    const DELETE: &str = "delete from products where sku = $1 ->> '$.sku'";
    const ARCHIVE: &str = "
        update products
        set active = 0, archived_at = coalesce(archived_at, $1 ->> '$.at'),
            updated_at = $1 ->> '$.at'
        where sku = $1 ->> '$.sku'";
    database
        .write(move |connection| {
            Box::pin(async move {
                if !archive {
                    sqlx::query(DELETE_PRICES).bind(&change).execute(&mut *connection).await?;
                }
                let sql = if archive { ARCHIVE } else { DELETE };
                let done = sqlx::query(sql).bind(&change).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
}

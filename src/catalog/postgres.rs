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
    archived: bool,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select record::text from product_rows
        where sku > $1 and (archived_at is not null) = $3
        order by sku limit $2";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL)
                    .bind(after)
                    .bind(i64::from(limit))
                    .bind(archived)
                    .persistent(kept)
                    .fetch_all(connection)
                    .await
            })
        })
        .await
}

/// Inserts or replaces: all, or those that still are as they were seen. Tells which.
///
/// Rows that stand are locked first, so that none changes between the look and the write; one that
/// comes into being meanwhile is none of those that stood, and is left alone.
pub(super) async fn save(
    database: &Postgres,
    rows: String,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        with r as (
            select * from jsonb_to_recordset($1::jsonb) as
                 r (sku text, title text, price_minor bigint, currency text, tax_category text,
                    image_url text, attributes jsonb, stock_policy text, active boolean,
                    updated_at timestamptz, group_id text, options jsonb, description text,
                    categories jsonb, max_per_order bigint, archived_at timestamptz,
                    seen timestamptz)),
        stood as (
            select p.sku, p.updated_at from products p where p.sku in (select sku from r)
            order by p.sku for update)
        insert into products (sku, title, price_minor, currency, tax_category, image_url,
                              attributes, stock_policy, active, updated_at,
                              group_id, options, description, categories, max_per_order,
                              archived_at)
        select r.sku, title, price_minor, currency, tax_category, image_url,
               attributes, stock_policy, active, r.updated_at,
               group_id, options, description, categories, max_per_order, archived_at
        from r left join stood on stood.sku = r.sku
        where $2 or stood.updated_at is not distinct from r.seen
        order by r.sku
        on conflict (sku) do update
        set title = excluded.title, price_minor = excluded.price_minor,
            currency = excluded.currency, tax_category = excluded.tax_category,
            image_url = excluded.image_url, attributes = excluded.attributes,
            stock_policy = excluded.stock_policy, active = excluded.active,
            updated_at = excluded.updated_at, group_id = excluded.group_id,
            options = excluded.options, description = excluded.description,
            categories = excluded.categories, max_per_order = excluded.max_per_order,
            archived_at = excluded.archived_at
        where $2 or excluded.sku in (select sku from stood)
        returning products.sku";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(SQL).bind(rows).bind(all);
                query.persistent(kept).fetch_all(connection).await
            })
        })
        .await
}

/// SKUs that are one of these in small letters.
pub(super) async fn find_folded(
    database: &Postgres,
    folded: String,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select sku from products
        where lower(sku) = any (array(select jsonb_array_elements_text($1::jsonb)))";
    ask(database, SQL, folded).await
}

/// Orders that name a SKU, so many at most.
pub(super) async fn orders_of(
    database: &Postgres,
    sku: String,
    limit: u32,
) -> Result<Vec<uuid::Uuid>, LedgerFault> {
    const SQL: &str = "select order_id from order_lines where sku = $1 limit $2";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(SQL).bind(sku).bind(i64::from(limit));
                query.persistent(kept).fetch_all(connection).await
            })
        })
        .await
}

/// Deletes a product with its prices, or archives it; tells of one that there was.
pub(super) async fn remove(
    database: &Postgres,
    change: String,
    archive: bool,
) -> Result<bool, LedgerFault> {
    const DELETE: &str = "
        with gone as (delete from list_prices where sku = $1::jsonb->>'sku')
        delete from products where sku = $1::jsonb->>'sku' returning sku";
    const ARCHIVE: &str = "
        update products
        set active = false, archived_at = coalesce(archived_at, ($1::jsonb->>'at')::timestamptz),
            updated_at = ($1::jsonb->>'at')::timestamptz
        where sku = $1::jsonb->>'sku' returning sku";
    let sql = if archive { ARCHIVE } else { DELETE };
    Ok(!ask(database, sql, change).await?.is_empty())
}

async fn ask(
    database: &Postgres,
    sql: &'static str,
    value: String,
) -> Result<Vec<String>, LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(sql).bind(value).persistent(kept).fetch_all(connection).await
            })
        })
        .await
}

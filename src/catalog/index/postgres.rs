//! The index in PostgreSQL: words in `tsvector` under GIN, and categories beside it.

use super::{Terms, Through, part};
use crate::{
    catalog::search::Part,
    ledger::{postgres::Postgres, store::LedgerFault},
};

/// A page out of what a statement goes through: at most `$9` listings are looked at, at most `$8`
/// found among them.
macro_rules! page {
    ($through:literal) => {
        concat!(
            "with seen as materialized (",
            $through,
            "),
            hits as (
                select s.no, s.id from seen s
                where ($4::jsonb is null or exists (
                        select 1 from listing_categories c
                        where c.no = s.no and c.category = any (
                            array(select jsonb_array_elements_text($4::jsonb)))))
                    and ($6::bigint is null or exists (
                        select 1 from products p
                        where p.listing = s.id and (p.active or $3)
                            and case when $5::text is null or p.currency = $5 then p.price_minor
                                else (select l.amount_minor from list_prices l
                                      where l.currency = $5 and l.sku = p.sku) end
                                between $6 and $7::bigint))
                order by s.no limit $8)
            select (select coalesce(json_agg(json_build_array(no, id) order by no), '[]')::text
                    from hits),
                   (select max(no) from seen), (select count(*) from seen)"
        )
    };
}

const BY_TITLE: &str = page!(
    "select l.no, l.id from listings l
     where l.titled @@ catalog_query($1::text) and l.no > $2 and (l.active or $3)
     order by l.no limit $9"
);
const BEYOND_TITLES: &str = page!(
    "select l.no, l.id from listings l
     where l.worded @@ catalog_query($1::text) and not l.titled @@ catalog_query($1::text)
         and l.no > $2 and (l.active or $3)
     order by l.no limit $9"
);
const BY_CATEGORY: &str = page!(
    "select distinct c.no, l.id from listing_categories c join listings l on l.no = c.no
     where $1::text is null
         and c.category = any (array(select jsonb_array_elements_text($4::jsonb)))
         and c.no > $2 and (l.active or $3)
     order by c.no limit $9"
);
const ALL: &str = page!(
    "select l.no, l.id from listings l
     where $1::text is null and l.no > $2 and (l.active or $3)
     order by l.no limit $9"
);

pub(super) async fn page(
    database: &Postgres,
    through: Through,
    terms: Terms,
) -> Result<Part, LedgerFault> {
    let sql = match through {
        Through::Titles => BY_TITLE,
        Through::Beyond => BEYOND_TITLES,
        Through::Categories => BY_CATEGORY,
        Through::All => ALL,
    };
    let row = database
        .run(move |connection| {
            Box::pin(async move {
                // Planned for these words each time: a plan for any words would not know how few
                // listings have them.
                sqlx::query_as(sql)
                    .bind(terms.words)
                    .bind(terms.after)
                    .bind(terms.all)
                    .bind(terms.categories)
                    .bind(terms.currency)
                    .bind(terms.min)
                    .bind(terms.max)
                    .bind(terms.limit)
                    .bind(terms.seen_max)
                    .persistent(false)
                    .fetch_one(connection)
                    .await
            })
        })
        .await?;
    part(row)
}

pub(super) async fn variants(
    database: &Postgres,
    ids: String,
    most: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select r.record::text from (
            select sku, row_number() over (partition by listing order by sku) as nth
            from products
            where listing = any (array(select jsonb_array_elements_text($1::jsonb)))) n
        join product_rows r on r.sku = n.sku
        where n.nth <= $2
        order by r.listing, r.sku";
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL)
                    .bind(ids)
                    .bind(i64::from(most))
                    .persistent(kept)
                    .fetch_all(connection)
                    .await
            })
        })
        .await
}

pub(super) async fn groups(database: &Postgres, ids: String) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select record::text from product_group_rows
        where id = any (array(select jsonb_array_elements_text($1::jsonb)))";
    ask(database, SQL, ids).await
}

pub(super) async fn named(database: &Postgres, ids: String) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select listing from products
        where sku = any (array(select jsonb_array_elements_text($1::jsonb)))
        union
        select id from listings
        where id = any (array(select jsonb_array_elements_text($1::jsonb)))
        order by 1";
    ask(database, SQL, ids).await
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

pub(super) async fn list_groups(
    database: &Postgres,
    after: String,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select record::text from product_group_rows
        where id > $1 order by id limit $2";
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

/// Inserts or replaces: all, or those that still are as they were seen. Tells which; see how
/// products are saved.
pub(super) async fn save_groups(
    database: &Postgres,
    rows: String,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        with r as (
            select * from jsonb_to_recordset($1::jsonb) as
                 r (id text, title text, description text, image_url text, categories jsonb,
                    updated_at timestamptz, seen timestamptz)),
        stood as (
            select g.id, g.updated_at from product_groups g where g.id in (select id from r)
            order by g.id for update)
        insert into product_groups (id, title, description, image_url, categories, updated_at)
        select r.id, title, description, image_url, categories, r.updated_at
        from r left join stood on stood.id = r.id
        where $2 or stood.updated_at is not distinct from r.seen
        order by r.id
        on conflict (id) do update
        set title = excluded.title, description = excluded.description,
            image_url = excluded.image_url, categories = excluded.categories,
            updated_at = excluded.updated_at
        where $2 or excluded.id in (select id from stood)
        returning product_groups.id";
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

pub(super) async fn remove_group(database: &Postgres, id: String) -> Result<(), LedgerFault> {
    const SQL: &str = "delete from product_groups where id = $1";
    write(database, SQL, id).await
}

async fn write(database: &Postgres, sql: &'static str, value: String) -> Result<(), LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |connection| {
            Box::pin(async move {
                sqlx::query(sql).bind(value).persistent(kept).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

//! The index in SQLite: FTS5, and categories beside it.

use super::{Terms, Through, part};
use crate::{
    catalog::search::Part,
    ledger::{sqlite::Sqlite, store::LedgerFault},
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
                where ($4 is null or exists (
                        select 1 from listing_categories c
                        where c.no = s.no and c.category in (select value from json_each($4))))
                    and ($6 is null or exists (
                        select 1 from products p
                        where p.listing = s.id and (p.active or $3)
                            and case when $5 is null or p.currency = $5 then p.price_minor
                                else (select l.amount_minor from list_prices l
                                      where l.currency = $5 and l.sku = p.sku) end
                                between $6 and $7))
                order by s.no limit $8)
            select (select json_group_array(json_array(no, id) order by no) from hits),
                   (select max(no) from seen), (select count(*) from seen)"
        )
    };
}

const BY_WORDS: &str = page!(
    "select w.rowid as no, l.id from listing_words w join listings l on l.no = w.rowid
     where listing_words match $1 and w.rowid > $2 and (l.active or $3)
     order by w.rowid limit $9"
);
const BY_CATEGORY: &str = page!(
    "select distinct c.no, l.id from listing_categories c join listings l on l.no = c.no
     where $1 is null and c.category in (select value from json_each($4)) and c.no > $2
         and (l.active or $3)
     order by c.no limit $9"
);
const ALL: &str = page!(
    "select l.no, l.id from listings l
     where $1 is null and l.no > $2 and (l.active or $3)
     order by l.no limit $9"
);

pub(super) async fn page(
    database: &Sqlite,
    through: Through,
    terms: Terms,
) -> Result<Part, LedgerFault> {
    let sql = match through {
        Through::Titles | Through::Beyond => BY_WORDS,
        Through::Categories => BY_CATEGORY,
        Through::All => ALL,
    };
    let row = database
        .read(move |connection| {
            Box::pin(async move {
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
                    .fetch_one(connection)
                    .await
            })
        })
        .await?;
    part(row)
}

pub(super) async fn variants(
    database: &Sqlite,
    ids: String,
    most: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select r.record from (
            select sku, row_number() over (partition by listing order by sku) as nth
            from products where listing in (select value from json_each($1))) n
        join product_rows r on r.sku = n.sku
        where n.nth <= $2
        order by r.listing, r.sku";
    database
        .read(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(ids).bind(most).fetch_all(connection).await
            })
        })
        .await
}

pub(super) async fn groups(database: &Sqlite, ids: String) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select record from product_group_rows
        where id in (select value from json_each($1))";
    database.ask(SQL, &ids).await
}

pub(super) async fn named(database: &Sqlite, ids: String) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        select listing from products where sku in (select value from json_each($1))
        union
        select id from listings where id in (select value from json_each($1))
        order by 1";
    database.ask(SQL, &ids).await
}

pub(super) async fn list_groups(
    database: &Sqlite,
    after: String,
    limit: u32,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "select record from product_group_rows where id > $1 order by id limit $2";
    database
        .read(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(after).bind(limit).fetch_all(connection).await
            })
        })
        .await
}

/// Inserts or replaces: all, or those that still are as they were seen. Tells which.
pub(super) async fn save_groups(
    database: &Sqlite,
    rows: String,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    const SQL: &str = "
        insert into product_groups (id, title, description, image_url, categories, updated_at)
        select value ->> '$.id', value ->> '$.title', value ->> '$.description',
               value ->> '$.image_url', value -> '$.categories', value ->> '$.updated_at'
        from json_each($1)
        where $2 or (select g.updated_at from product_groups g where g.id = value ->> '$.id')
              is value ->> '$.seen'
        on conflict (id) do update
        set title = excluded.title, description = excluded.description,
            image_url = excluded.image_url, categories = excluded.categories,
            updated_at = excluded.updated_at
        returning id";
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query_scalar(SQL).bind(rows).bind(all).fetch_all(connection).await
            })
        })
        .await
}

pub(super) async fn remove_group(database: &Sqlite, id: String) -> Result<(), LedgerFault> {
    const SQL: &str = "delete from product_groups where id = $1";
    write(database, SQL, id).await
}

async fn write(database: &Sqlite, sql: &'static str, value: String) -> Result<(), LedgerFault> {
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(sql).bind(value).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

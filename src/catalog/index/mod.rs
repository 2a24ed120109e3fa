//! The index of listings, in both databases: what a search finds without reading the catalogue.
//! Triggers of the databases keep it (`migrations/*/0013_catalog.up.sql`), whoever writes products.

mod postgres;
mod sqlite;

use std::collections::HashMap;

use super::{
    Group, Listing, Product,
    group::GroupId,
    record,
    search::{Found, Part, Place, Search, words},
};
use crate::{
    base::{Currency, Timestamp},
    ledger::{database::Database, store::LedgerFault},
};

/// Parameters of a page, as both databases take them.
#[derive(Debug, Clone)]
struct Terms {
    /// The words: as they came for PostgreSQL, as an expression of FTS5 for SQLite.
    words: Option<String>,
    after: i64,
    all: bool,
    /// A JSON array.
    categories: Option<String>,
    currency: Option<&'static str>,
    min: Option<i64>,
    max: Option<i64>,
    limit: i64,
    seen_max: i64,
}

/// What a page goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    /// Listings with the words in their title.
    Titles,
    /// Listings with the words elsewhere.
    Beyond,
    /// Listings of the categories.
    Categories,
    /// All listings.
    All,
}

/// Finds listings: at most so many, from this place on, among so many that are looked at.
pub(super) async fn search(
    database: &Database,
    search: &Search,
    place: Place,
    limit: u32,
    seen_max: u32,
) -> Result<Found, LedgerFault> {
    let text = search.text.as_deref().map(words);
    if text.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Found::default());
    }
    let (mut place, mut hits) = (place, Vec::new());
    loop {
        let through = match (&text, search.categories.is_empty()) {
            (Some(_), _) if place.beyond_titles => Through::Beyond,
            (Some(_), _) => Through::Titles,
            (None, false) => Through::Categories,
            (None, true) => Through::All,
        };
        // One more than wanted tells that there are more.
        let missing = limit as usize + 1 - hits.len();
        let mut terms = terms(database, search, text.as_deref(), through, place, missing);
        terms.seen_max = i64::from(seen_max);
        let part = match database {
            Database::Postgres(database) => postgres::page(database, through, terms).await,
            Database::Sqlite(database) => sqlite::page(database, through, terms).await,
        }?;
        let at = |(no, id): (i64, String)| (Place { after: no, ..place }, id);
        hits.extend(part.hits.into_iter().map(at));
        if hits.len() > limit as usize {
            hits.truncate(limit as usize);
            return Ok(found(hits.last().map(|(place, _)| *place), hits));
        }
        if part.seen >= i64::from(seen_max) {
            let next = part.end.map(|after| Place { after, ..place });
            return Ok(found(next, hits));
        }
        if through != Through::Titles {
            return Ok(found(None, hits));
        }
        place = Place { beyond_titles: true, after: 0 };
    }
}

fn found(next: Option<Place>, hits: Vec<(Place, String)>) -> Found {
    Found { next, ids: hits.into_iter().map(|(_, id)| id).collect() }
}

fn terms(
    database: &Database,
    search: &Search,
    text: Option<&[String]>,
    through: Through,
    place: Place,
    limit: usize,
) -> Terms {
    let words = text.map(|words| match database {
        Database::Postgres(_) => words.join(" "),
        Database::Sqlite(_) => expression(words, through),
    });
    let categories = Some(&search.categories).filter(|categories| !categories.is_empty());
    Terms {
        words,
        after: place.after,
        all: search.all,
        categories: categories.map(|list| record::texts_to_json(list)),
        currency: search.currency.map(Currency::code),
        min: search.price.map(|range| range.min),
        max: search.price.map(|range| range.max),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
        seen_max: 0,
    }
}

/// The words in the language of FTS5: each the beginning of a word; a single letter stands for
/// itself. Words hold no quotation marks.
fn expression(words: &[String], through: Through) -> String {
    let term = |word: &String| {
        let star = if word.chars().count() > 1 { "*" } else { "" };
        format!("\"{word}\"{star}")
    };
    let all = words.iter().map(term).collect::<Vec<_>>().join(" AND ");
    match through {
        Through::Titles => format!("title : ({all})"),
        _ => format!("({all}) NOT (title : ({all}))"),
    }
}

/// Listings by id with at most so many variants each; those that do not exist are left out. The
/// order is that of `ids`.
pub(super) async fn find(
    database: &Database,
    ids: &[String],
    variants_max: u32,
) -> Result<Vec<Listing>, LedgerFault> {
    let named = record::texts_to_json(ids);
    let (products, groups) = match database {
        Database::Postgres(database) => (
            postgres::variants(database, named.clone(), variants_max).await?,
            postgres::groups(database, named).await?,
        ),
        Database::Sqlite(database) => (
            sqlite::variants(database, named.clone(), variants_max).await?,
            sqlite::groups(database, named).await?,
        ),
    };
    let mut variants: HashMap<String, Vec<Product>> = HashMap::new();
    for product in products {
        let product: Product = record::read(&product)?;
        variants.entry(product.listing().to_owned()).or_default().push(product);
    }
    let mut described: HashMap<String, Group> = HashMap::new();
    for group in groups {
        let group: Group = record::read(&group)?;
        described.insert(group.id.to_string(), group);
    }
    let listing = |id: &String| {
        let variants = variants.remove(id)?;
        Some(Listing { id: id.clone(), group: described.remove(id), variants })
    };
    Ok(ids.iter().filter_map(listing).collect())
}

/// The listings that these ids name, each the id of a listing or the SKU of a variant.
pub(super) async fn named(database: &Database, ids: &[String]) -> Result<Vec<String>, LedgerFault> {
    let named = record::texts_to_json(ids);
    match database {
        Database::Postgres(database) => postgres::named(database, named).await,
        Database::Sqlite(database) => sqlite::named(database, named).await,
    }
}

/// Groups by id, after this one.
pub(super) async fn list_groups(
    database: &Database,
    after: Option<&GroupId>,
    limit: u32,
) -> Result<Vec<Group>, LedgerFault> {
    let after = after.map_or_else(String::new, GroupId::to_string);
    let rows = match database {
        Database::Postgres(database) => postgres::list_groups(database, after, limit).await,
        Database::Sqlite(database) => sqlite::list_groups(database, after, limit).await,
    }?;
    rows.iter().map(|row| record::read(row)).collect()
}

/// One group that somebody described.
pub(super) async fn find_group(
    database: &Database,
    id: &GroupId,
) -> Result<Option<Group>, LedgerFault> {
    let named = record::texts_to_json(&[id.to_string()]);
    let rows = match database {
        Database::Postgres(database) => postgres::groups(database, named).await,
        Database::Sqlite(database) => sqlite::groups(database, named).await,
    }?;
    rows.first().map(|row| record::read(row)).transpose()
}

/// Inserts or replaces groups: all, or those that still are as they were seen; tells which.
pub(super) async fn save_groups<'a>(
    database: &Database,
    groups: impl Iterator<Item = (&'a Group, Option<Timestamp>)>,
    all: bool,
) -> Result<Vec<String>, LedgerFault> {
    let rows = record::groups_to_json(groups);
    match database {
        Database::Postgres(database) => postgres::save_groups(database, rows, all).await,
        Database::Sqlite(database) => sqlite::save_groups(database, rows, all).await,
    }
}

/// What is said of groups, those that nobody described left out.
pub(super) async fn find_groups(
    database: &Database,
    ids: &[String],
) -> Result<Vec<Group>, LedgerFault> {
    let named = record::texts_to_json(ids);
    let rows = match database {
        Database::Postgres(database) => postgres::groups(database, named).await,
        Database::Sqlite(database) => sqlite::groups(database, named).await,
    }?;
    rows.iter().map(|row| record::read(row)).collect()
}

/// Forgets what was said of a group; its products stay a group.
pub(super) async fn remove_group(database: &Database, id: &GroupId) -> Result<(), LedgerFault> {
    let id = id.to_string();
    match database {
        Database::Postgres(database) => postgres::remove_group(database, id).await,
        Database::Sqlite(database) => sqlite::remove_group(database, id).await,
    }
}

/// The part of a page in the answer of a database.
fn part((hits, end, seen): (String, Option<i64>, i64)) -> Result<Part, LedgerFault> {
    let hits = record::read(&hits)?;
    Ok(Part { hits, end, seen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Money, Sku, Timestamp},
        catalog::{Catalog, listing::PriceRange},
        ledger::database::DatabaseOptions,
    };

    #[tokio::test]
    async fn a_page_is_cut_off_and_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = folder.path().to_str().expect("a readable path");
        let database = Database::open(&DatabaseOptions::new(location)).await.expect("it opens");
        database.migrate().await.expect("it migrates");
        let product = |number: i64| {
            let sku = Sku::parse(&format!("LAMP-{number}")).expect("a SKU");
            let price = Money::from_minor(number, "EUR".parse().expect("a currency"));
            Product::new(sku, "Lamp", price, Timestamp::from_micros(0))
        };
        let products: Vec<_> = (0..10).map(product).collect();
        Catalog::new(database.clone()).save(&products).await.expect("it saves");
        let price = Some(PriceRange { min: 5, max: 8 });
        for text in [Some("lamp".to_owned()), None] {
            let wanted = Search { text, price, ..Search::default() };
            let (mut place, mut pages) = (Place::default(), Vec::new());
            loop {
                let page = search(&database, &wanted, place, 2, 3).await.expect("it finds");
                pages.push(page.ids.len());
                let Some(next) = page.next else { break };
                place = next;
            }
            assert_eq!(pages.iter().sum::<usize>(), 4, "{pages:?}");
            assert_eq!(pages[0], 0, "three were looked at, and none of them is in the range");
        }
    }
}

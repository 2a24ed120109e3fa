//! Pages of lists: `{items, next_cursor}`.

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{Limits, Sku},
    http::{kinds::Kind, problem::Problem},
};

/// Where a page starts and how long it is.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many items; the limit when absent.
    pub limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl Wanted {
    /// How many items.
    pub fn size(&self, limits: &Limits) -> Result<u32, Problem> {
        let most = limits.page_size;
        match self.limit {
            None => Ok(most.min(50)),
            Some(size) if (1..=most).contains(&size) => Ok(size),
            Some(_) => {
                let text = format!("A page has 1 to {most} items.");
                Err(Problem::new(Kind::LimitExceeded, text).at("/limit").limit(u64::from(most)))
            }
        }
    }

    /// The cursor, read back.
    pub fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        let read = |raw: &String| raw.parse().map_err(|_| stale_cursor());
        self.cursor.as_ref().map(read).transpose()
    }

    /// The cursor of a list by SKU, read back.
    pub fn after_sku(&self) -> Result<Option<Sku>, Problem> {
        let read = |raw: &String| Sku::parse(raw).map_err(|_| stale_cursor());
        self.cursor.as_ref().map(read).transpose()
    }
}

/// A cursor that is none.
pub(super) fn stale_cursor() -> Problem {
    Problem::new(Kind::Invalid, "The cursor is none of ours.")
        .at("/cursor")
        .suggest("Send next_cursor of the page before as it came, or none to start.")
}

/// A page out of one item more than it holds: the extra one tells that there is a next page.
pub fn answer<R, T: Serialize>(
    mut rows: Vec<R>,
    size: u32,
    cursor: impl FnOnce(&R) -> String,
    item: impl FnMut(R) -> T,
) -> HttpResponse {
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(cursor);
    let items = rows.into_iter().map(item).collect();
    HttpResponse::Ok().json(Page { items, next_cursor })
}

/// A parameter of the address, read.
pub fn parameter<T>(
    raw: Option<&str>,
    name: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let read = |raw| {
        read(raw).ok_or_else(|| {
            let text = format!("The parameter `{name}` must be {expected}.");
            Problem::new(Kind::Invalid, text).at(format!("/{name}"))
        })
    };
    raw.map(read).transpose()
}

//! Every judgement, found again: by when, what came out, who took part, which rule matched.
//!
//! ```text
//!  judgement ─► facts, rule hits, keys of the declined, in the background   (note.rs)
//!  question ─► one index that finds few ─► at most WALK_MAX looked at ─► those that are as asked
//! ```
//! **Owns:** the index of judgements (`assessment_facts`, `rule_hits`, `declined_links`) and the
//! search over it. **Invariant:** a question looks at [`WALK_MAX`] judgements at most, however many
//! there are, and says where to go on; nothing of the index names a person: who took part is looked
//! up by the digests that judgements have. **Not here:** which orders share something (see
//! [`links`](super::links)).

mod note;
mod postgres;
mod sqlite;

use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

use super::{
    assessment::Outcome,
    cases::Cases,
    history::Known,
    links::{LinkKey, Links},
};
use crate::{
    base::{AssessmentId, CheckoutId, Currency, Timestamp},
    ledger::{
        Database, LedgerFault,
        review::{AssessmentRow, CaseState},
    },
};

/// Judgements that one question looks at: some tens of milliseconds' work. What is rarer than that
/// is found over several pages.
pub const WALK_MAX: u32 = 10_000;

/// What is known of an order's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelIs {
    /// It was found to be fraud.
    Fraud,
    /// It was found to be none.
    Good,
    /// Nothing was found out.
    None,
}

impl LabelIs {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fraud, Self::Good, Self::None];

    /// The word in questions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Good => "good",
            Self::None => "none",
        }
    }
}

/// Which judgements. What is not asked for does not matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Filter {
    /// Of this checkout.
    pub checkout: Option<CheckoutId>,
    /// Made for this request, where it was not approved.
    pub request: Option<String>,
    /// Made then or later.
    #[serde(skip)]
    pub from: Option<Timestamp>,
    /// Made before.
    #[serde(skip)]
    pub before: Option<Timestamp>,
    /// What was decided.
    pub outcome: Option<Outcome>,
    /// A rule that matched, also one that only watched.
    pub rule: Option<String>,
    /// At least this score.
    pub score_from: Option<u16>,
    /// At most this score.
    pub score_to: Option<u16>,
    /// Who or what took part, each of them.
    pub keys: Vec<LinkKey>,
    /// The storefront they came through.
    pub storefront: Option<String>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// At least so many minor units.
    pub min_minor: Option<i64>,
    /// At most so many.
    pub max_minor: Option<i64>,
    /// What was found out about their orders.
    pub label: Option<LabelIs>,
}

/// By what judgements are found; the rest of a filter is held against those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    Checkout,
    Request,
    Key,
    Rule,
    Outcome,
    Storefront,
    Time,
}

impl Filter {
    /// The narrowest index there is for it.
    fn found_by(&self) -> FoundBy {
        match self {
            Self { checkout: Some(_), .. } => FoundBy::Checkout,
            Self { request: Some(_), .. } => FoundBy::Request,
            Self { keys, .. } if !keys.is_empty() => FoundBy::Key,
            Self { rule: Some(_), .. } => FoundBy::Rule,
            // Most are approved: no index has those.
            Self { outcome: Some(outcome), .. } if *outcome != Outcome::Approve => FoundBy::Outcome,
            Self { storefront: Some(_), .. } => FoundBy::Storefront,
            _ => FoundBy::Time,
        }
    }

    /// Whether nothing but the time is left to hold against what the index finds.
    fn is_found_by_time_alone(&self) -> bool {
        let time_alone = Self { from: self.from, before: self.before, ..Self::default() };
        *self == time_alone
    }

    /// Ids between which the judgements lie: they begin with their time.
    fn ids(&self, cursor: Option<AssessmentId>) -> (AssessmentId, AssessmentId) {
        let all = AssessmentId::from_uuid(uuid::Uuid::max());
        let first = self.from.map_or(AssessmentId::from_uuid(uuid::Uuid::nil()), |from| {
            AssessmentId::least_at(from)
        });
        let end = self.before.map_or(all, AssessmentId::least_at);
        (first, cursor.map_or(end, |cursor| cursor.min(end)))
    }
}

/// Which page of them.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Before this one.
    pub cursor: Option<AssessmentId>,
    /// So many at most.
    pub limit: u32,
    /// Whether all that are looked at are counted.
    pub counts: bool,
}

/// A judgement that was found.
#[derive(Debug, Clone, Deserialize)]
pub struct Found {
    /// The judgement.
    pub row: AssessmentRow,
    /// The storefront it came through.
    pub storefront: String,
    /// What was to be paid, in minor units, as far as it is known.
    pub amount_minor: Option<i64>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// Whether its checkout became an order.
    pub placed: bool,
    /// Where the order's case stands, if it has one.
    pub case: Option<CaseState>,
    /// What was found out about the order last.
    pub label: Option<Known>,
}

/// A page of judgements.
#[derive(Debug, Clone)]
pub struct Page {
    /// The newest first.
    pub items: Vec<Found>,
    /// Where the next page begins, when there may be more. A page may be short, or empty, and have
    /// a next one: then so many others were looked at.
    pub next: Option<AssessmentId>,
    /// How many there are by outcome, where that was asked.
    pub counts: Option<Counts>,
}

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counts {
    /// By outcome.
    pub by_outcome: BTreeMap<Outcome, u64>,
    /// In all.
    pub total: u64,
    /// Whether all were looked at from where the page begins; else at least so many.
    pub is_exact: bool,
}

/// What a statement answers.
#[derive(Debug, Deserialize)]
struct Walked {
    walked: u32,
    last: Option<AssessmentId>,
    counts: Option<BTreeMap<Outcome, u64>>,
    items: Vec<Found>,
}

/// Judgements in the ledger's database, by what they are asked by.
#[derive(Debug, Clone)]
pub struct Search {
    links: Links,
    database: Database,
}

impl Cases {
    /// All judgements, to be searched.
    pub fn search(&self) -> Search {
        Search { links: self.links(), database: self.database().clone() }
    }
}

impl Search {
    /// One page. What was judged until now is noted first, so that it is found.
    ///
    /// # Errors
    /// When the ledger cannot be reached, or what it keeps does not read.
    pub async fn page(
        &self,
        filter: &Filter,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Page, LedgerFault> {
        if let Err(fault) = self.catch_up(filter, now).await {
            tracing::warn!(%fault, "the latest judgements are found later: {fault}");
        }
        let alone = filter.is_found_by_time_alone() && !wanted.counts;
        let walk = if alone { wanted.limit + 1 } else { WALK_MAX };
        let (first, end) = filter.ids(wanted.cursor);
        let mut about = json!(filter);
        about["first"] = json!(first);
        about["end"] = json!(end);
        about["walk"] = json!(walk);
        about["limit"] = json!(wanted.limit + 1);
        about["counts"] = json!(wanted.counts);
        let found = self.ask(filter.found_by(), &about.to_string()).await?;
        Ok(found.page(wanted.limit, walk))
    }

    /// Notes what was judged until now, also in this very millisecond.
    async fn catch_up(&self, filter: &Filter, now: Timestamp) -> Result<(), LedgerFault> {
        let until = now.plus(Duration::from_millis(1));
        if filter.found_by() == FoundBy::Key {
            self.links.round(until).await?;
        }
        self.round(until).await.map(drop)
    }

    async fn ask(&self, found_by: FoundBy, about: &str) -> Result<Walked, LedgerFault> {
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, found_by, about).await?,
            Database::Sqlite(database) => sqlite::ask(database, found_by, about).await?,
        };
        let row = rows.first().map_or("", String::as_str);
        let damaged = |error| LedgerFault::Broken(format!("found judgements do not read: {error}"));
        serde_json::from_str(row).map_err(damaged)
    }
}

impl Walked {
    /// One item more than a page has tells that there is a next one; so does a walk that ended
    /// before its end.
    fn page(mut self, limit: u32, walk: u32) -> Page {
        let is_cut = self.walked >= walk;
        let has_more = self.items.len() > limit as usize;
        self.items.truncate(limit as usize);
        let next = match has_more {
            true => self.items.last().map(|found| found.row.id),
            false => self.last.filter(|_| is_cut),
        };
        let counts = self.counts.map(|by_outcome| Counts {
            total: by_outcome.values().sum(),
            by_outcome,
            is_exact: !is_cut,
        });
        Page { items: self.items, next, counts }
    }
}

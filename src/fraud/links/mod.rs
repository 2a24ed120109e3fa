//! Orders that share something with an order: its card, its buyer's address, its device.
//!
//! ```text
//!  judgement ─► LinkKeys, digests in its record            (keys.rs)
//!  records ─► index of keys and checkouts, in the background (Links::note)
//!  order ─► its keys ─► who shares one ─► whom those share with (walk.rs)
//! ```
//! **Owns:** that index and the walk over it. **Invariant:** nothing here names a person: what is
//! kept and compared are digests, and what is shown is which kind of thing is shared. An order's
//! own keys come from its judgements, so that a case is linked as soon as it opens; others are
//! found once the index has them, seconds later. **Not here:** counts of the past (see
//! [`velocity`](super::velocity)).

mod keys;
mod postgres;
mod sqlite;
pub mod walk;

pub use keys::{LinkKeys, LinkKind};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{bench::Written, cases::Cases, history::Known};
use crate::{
    base::{AssessmentId, CheckoutId, Currency, OrderId, Timestamp},
    ledger::{Database, LedgerFault, review::CaseState},
};
use walk::{FOLLOWED_MAX, KEYS_MAX, Linked, Walk};

/// Judgements that one statement notes: some milliseconds' work, so that nobody waits for it.
const PAGE: u32 = 500;

/// Pages of one round. A backlog is worked off over several rounds, and a replica that stops does
/// not wait for it.
const PAGES_MAX: u32 = 20;

/// The second reader comes this much later: a commit that took longer to become visible is not
/// known.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// One thing under its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    /// What it is.
    pub kind: LinkKind,
    /// Its digest.
    pub key: i64,
}

/// A checkout with one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Held {
    checkout: CheckoutId,
    #[serde(flatten)]
    key: LinkKey,
}

/// A key with the latest checkouts that have it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Shared {
    /// The key.
    #[serde(flatten)]
    pub key: LinkKey,
    /// The checkouts, the latest first.
    pub checkouts: Vec<CheckoutId>,
}

/// What is told of a linked order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OrderHead {
    /// The order.
    pub order: OrderId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What it cost in all, in minor units.
    pub total_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// Where its case stands, if it has one.
    pub case: Option<CaseState>,
    /// What was found out about it last.
    pub label: Option<Known>,
}

/// A question to the database; each is one statement, in both dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Keys,
    Sharing,
    Orders,
}

/// Who reads judgements to note what they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// As they come.
    First,
    /// Much later, for what became visible after the first had passed.
    Again,
}

impl Reader {
    /// The name of how far it has read.
    const fn place(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
        }
    }
}

/// The index in the ledger's database.
#[derive(Debug, Clone)]
pub struct Links {
    cases: Cases,
    database: Database,
}

impl Links {
    /// The index in this database.
    pub const fn new(cases: Cases, database: Database) -> Self {
        Self { cases, database }
    }

    /// Notes what was judged since the last round. Returns how many judgements were read.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round goes on.
    pub async fn round(&self, now: Timestamp) -> Result<u64, LedgerFault> {
        let mut read = 0;
        for (reader, until) in [(Reader::First, now), (Reader::Again, now.minus(AGAIN))] {
            for _ in 0..PAGES_MAX {
                let page = self.note(reader, until).await?;
                read += page;
                if page < u64::from(PAGE) {
                    break;
                }
            }
        }
        Ok(read)
    }

    /// Notes one page. Of replicas that come at once, one does.
    async fn note(&self, reader: Reader, until: Timestamp) -> Result<u64, LedgerFault> {
        let until = AssessmentId::least_at(until);
        let to = json!({ "place": reader.place(), "until": until, "limit": PAGE }).to_string();
        match &self.database {
            Database::Postgres(database) => postgres::note(database, reader, to).await,
            Database::Sqlite(database) => sqlite::note(database, to).await,
        }
    }

    /// Orders that share something with this one, and those that share something with them. None
    /// when it was never judged.
    ///
    /// # Errors
    /// When the ledger cannot be reached, or what it keeps does not read.
    pub async fn of(&self, order: OrderId) -> Result<Option<Linked>, LedgerFault> {
        let Some(own) = self.own_keys(order.checkout()).await? else { return Ok(None) };
        let mut walk = Walk::from(order, own);
        let shared = self.sharing(walk.keys(), walk::PER_KEY_MAX).await?;
        walk.found(shared);
        let first = walk.candidates();
        let heads = self.orders(&first).await?;
        let followed = walk.keep_first(heads);
        let keys = self.keys_of(&followed).await?;
        let keys = walk.follow(&keys);
        let shared = self.sharing(&keys, walk::PER_FOLLOWED_MAX).await?;
        let second = walk.found_beyond(shared);
        let heads = self.orders(&second).await?;
        Ok(Some(walk.end(heads)))
    }

    /// The keys of a checkout as its judgements have them.
    async fn own_keys(&self, checkout: CheckoutId) -> Result<Option<Vec<LinkKey>>, LedgerFault> {
        let rows = self.cases.list_assessments(checkout).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut keys = BTreeSet::new();
        for row in rows {
            let written: Written = serde_json::from_str(row.body.get()).map_err(|error| {
                LedgerFault::Broken(format!("judgement {} does not read: {error}", row.id))
            })?;
            keys.extend(written.links.iter());
        }
        Ok(Some(keys.into_iter().take(KEYS_MAX).collect()))
    }

    async fn keys_of(
        &self,
        checkouts: &[CheckoutId],
    ) -> Result<BTreeMap<CheckoutId, Vec<LinkKey>>, LedgerFault> {
        let mut keys: BTreeMap<CheckoutId, Vec<LinkKey>> = BTreeMap::new();
        if checkouts.is_empty() {
            return Ok(keys);
        }
        let about = json!({ "checkouts": checkouts, "limit": FOLLOWED_MAX });
        for Held { checkout, key } in self.ask::<Held>(Question::Keys, about).await? {
            keys.entry(checkout).or_default().push(key);
        }
        Ok(keys)
    }

    async fn sharing(&self, keys: &[LinkKey], most: u32) -> Result<Vec<Shared>, LedgerFault> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(Question::Sharing, json!({ "keys": keys, "most": most })).await
    }

    async fn orders(&self, checkouts: &[CheckoutId]) -> Result<Vec<OrderHead>, LedgerFault> {
        if checkouts.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(Question::Orders, json!({ "checkouts": checkouts })).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        question: Question,
        about: Value,
    ) -> Result<Vec<T>, LedgerFault> {
        let about = about.to_string();
        let rows = match &self.database {
            Database::Postgres(database) => postgres::ask(database, question, &about).await?,
            Database::Sqlite(database) => sqlite::ask(database, question, &about).await?,
        };
        let damaged =
            |error| LedgerFault::Broken(format!("a stored {question:?} does not read: {error}"));
        rows.iter().map(|row| serde_json::from_str(row).map_err(damaged)).collect()
    }
}

//! The index is written: judgements are read after they were made, a page at a time.

use serde_json::json;
use std::time::Duration;

use super::{Search, postgres, sqlite};
use crate::{
    base::{AssessmentId, Timestamp},
    ledger::{Database, LedgerFault},
};

/// Judgements that one statement notes: some milliseconds' work, so that nobody waits for it.
const PAGE: u32 = 500;

/// Pages of one round. A backlog is worked off over several rounds, and a replica that stops does
/// not wait for it.
const PAGES_MAX: u32 = 20;

/// Who reads judgements to note them, and how long after they were made: a commit may become
/// visible after later ones. Most late ones are seen within half a minute, the longest a statement
/// lives; those of a replica that was paused, within an hour.
const READERS: [(&str, Duration); 3] = [
    ("facts", Duration::ZERO),
    ("facts_soon", Duration::from_secs(30)),
    ("facts_again", Duration::from_secs(60 * 60)),
];

impl Search {
    /// Notes what was judged since the last round. Returns how many judgements were looked at.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round goes on.
    pub async fn round(&self, now: Timestamp) -> Result<u64, LedgerFault> {
        let mut read = 0;
        for (reader, after) in READERS {
            for _ in 0..PAGES_MAX {
                let page = self.note(reader, now.minus(after)).await?;
                read += page;
                if page < u64::from(PAGE) {
                    break;
                }
            }
        }
        Ok(read)
    }

    /// Notes one page. Of replicas that come at once, one does.
    async fn note(&self, reader: &str, until: Timestamp) -> Result<u64, LedgerFault> {
        let until = AssessmentId::least_at(until);
        let to = json!({ "place": reader, "until": until, "limit": PAGE }).to_string();
        match &self.database {
            Database::Postgres(database) => postgres::note(database, to).await,
            Database::Sqlite(database) => sqlite::note(database, to).await,
        }
    }
}

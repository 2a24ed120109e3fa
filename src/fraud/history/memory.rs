//! Which shared memory is in use, and who builds another: one row for each layout.

use serde::Deserialize;
use serde_json::json;

use super::{Change, History, Question};
use crate::{base::Timestamp, ledger::LedgerFault};

/// The memory that replicas share, as far as the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemoryRow {
    /// Its name among those that came before it.
    pub epoch: String,
    /// Whether it has been built to its end.
    pub whole: bool,
    /// When whoever builds it last said so.
    pub tended_at: Timestamp,
}

impl History {
    /// The memory of a layout that is in use or being built.
    ///
    /// # Errors
    /// When the ledger cannot be reached, as for all of these.
    pub async fn memory(&self, layout: &str) -> Result<Option<MemoryRow>, LedgerFault> {
        Ok(self.ask(Question::Memory, json!({ "layout": layout })).await?.pop())
    }

    /// Begins another memory in the place of `from`. Whether that is up to the caller: another
    /// replica may have come first.
    ///
    /// # Errors
    /// See [`Self::memory`].
    pub async fn begin_memory(
        &self,
        layout: &str,
        (from, epoch): (Option<&str>, &str),
        now: Timestamp,
    ) -> Result<bool, LedgerFault> {
        let to = json!({ "layout": layout, "from": from, "epoch": epoch, "now": now });
        self.change(Change::BeginMemory, to).await
    }

    /// Says that somebody still builds a memory, or with an early `now`, that nobody does. Whether
    /// it is still wanted.
    ///
    /// # Errors
    /// See [`Self::memory`].
    pub async fn tend_memory(
        &self,
        layout: &str,
        epoch: &str,
        now: Timestamp,
    ) -> Result<bool, LedgerFault> {
        let to = json!({ "layout": layout, "epoch": epoch, "now": now });
        self.change(Change::TendMemory, to).await
    }

    /// A memory has everything but labels: those are learned once more from the beginning. Whether
    /// it is still wanted.
    ///
    /// # Errors
    /// See [`Self::memory`].
    pub async fn end_memory(&self, layout: &str, epoch: &str) -> Result<bool, LedgerFault> {
        // While it is built nobody learns.
        self.change(Change::ForgetPlace, json!({ "memory": layout })).await?;
        self.change(Change::EndMemory, json!({ "layout": layout, "epoch": epoch })).await
    }
}

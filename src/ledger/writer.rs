//! The ledger writer: commits what is queued, in groups.

use super::{entry::Entry, outcome::Outcome, store::LedgerFault};

/// A handle to the writer.
#[derive(Debug, Clone)]
pub struct Writer;

impl Writer {
    /// Writes one fact and waits until it is durable or refused.
    ///
    /// # Errors
    /// When the ledger could not be reached and the fact is known not to be written.
    pub async fn write(&self, entry: Entry) -> Result<Outcome, LedgerFault> {
        drop(entry);
        Err(LedgerFault::Broken("not built yet".into()))
    }
}

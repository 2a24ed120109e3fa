//! One column of text, for people.

use sqlx::AssertSqlSafe;

use super::Sqlite;
use crate::ledger::LedgerFault;

impl Sqlite {
    /// The one column that a statement made of our own words alone answers with.
    pub(in crate::ledger) async fn texts(&self, sql: String) -> Result<Vec<String>, LedgerFault> {
        let asked = self.read(|conn| {
            Box::pin(async move { sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(conn).await })
        });
        asked.await
    }
}

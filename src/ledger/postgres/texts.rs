//! One column of text, for people.

use sqlx::AssertSqlSafe;

use super::Postgres;
use crate::ledger::LedgerFault;

impl Postgres {
    /// The one column that a statement made of our own words alone answers with.
    pub(in crate::ledger) async fn texts(&self, sql: String) -> Result<Vec<String>, LedgerFault> {
        let kept = self.prepares();
        let asked = self.run(move |conn| {
            Box::pin(async move {
                let query = sqlx::query_scalar(AssertSqlSafe(sql));
                query.persistent(kept).fetch_all(conn).await
            })
        });
        asked.await
    }
}

//! Payment attempts: where they go.

use futures_util::future::BoxFuture;

use super::Sqlite;
use crate::{base::AttemptId, ledger::store::LedgerFault};

impl Sqlite {
    /// Only a pending attempt goes anywhere, and only from where it was recorded to be.
    pub(super) async fn update_gateway(
        &self,
        attempt: AttemptId,
        from: String,
        to: String,
    ) -> Result<bool, LedgerFault> {
        self.write(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "update payment_attempts set gateway = $3
                           where id = $1 and gateway = $2 and state = 'pending'";
                let query = sqlx::query(sql).bind(attempt.to_string()).bind(from).bind(to);
                query.execute(conn).await.map(|done| done.rows_affected() == 1)
            })
        })
        .await
    }
}

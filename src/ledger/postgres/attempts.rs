//! Payment attempts: where they go, and what they wait for.

use futures_util::future::BoxFuture;

use sqlx::PgConnection;

use super::Postgres;
use crate::{
    base::AttemptId,
    ledger::{changes::ChallengeChange, store::LedgerFault},
};

const CHALLENGE: &str = "update payment_attempts a set gateway_id = x.id, challenge_url = x.url,
        challenged_until = x.until, deadline = x.until
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
        as x(attempt, id, url, until)
    where a.id = x.attempt and a.state = 'pending'";

/// Lets attempts wait for their buyers: seldom, and so in a statement of its own.
pub(super) async fn challenge(
    conn: &mut PgConnection,
    challenges: &[ChallengeChange],
    kept: bool,
) -> Result<(), sqlx::Error> {
    if challenges.is_empty() {
        return Ok(());
    }
    let (mut attempts, mut ids, mut urls, mut untils) = (vec![], vec![], vec![], vec![]);
    for ChallengeChange { attempt, challenge, .. } in challenges {
        attempts.push(attempt.uuid());
        ids.push(challenge.id.as_deref());
        urls.push(challenge.url.as_str());
        untils.push(challenge.until.to_offset());
    }
    let query = sqlx::query(CHALLENGE).persistent(kept).bind(attempts).bind(ids);
    query.bind(urls).bind(untils).execute(conn).await.map(drop)
}

impl Postgres {
    /// Only a pending attempt goes anywhere, and only from where it was recorded to be.
    pub(super) async fn update_gateway(
        &self,
        attempt: AttemptId,
        from: String,
        to: String,
    ) -> Result<bool, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let sql = "update payment_attempts set gateway = $3
                           where id = $1 and gateway = $2 and state = 'pending'";
                let query = sqlx::query(sql).bind(attempt.uuid()).bind(from).bind(to);
                query.persistent(kept).execute(conn).await.map(|done| done.rows_affected() == 1)
            })
        })
        .await
    }
}

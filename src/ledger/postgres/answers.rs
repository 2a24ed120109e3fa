//! Parts of answers in PostgreSQL.

use super::Postgres;
use crate::ledger::LedgerFault;

/// Keeps the parts that are new, and says what stands under the names of all.
const KEEP: &str = "insert into answer_parts (name, body)
    select p->>0, p->>1 from json_array_elements($1::json) p order by 1
    on conflict (name) do nothing";
const LIST: &str = "select json_build_array(a.name, a.body)::text
    from json_array_elements($1::json) p, answer_parts a where a.name = p->>0";

impl Postgres {
    /// Parts of answers, each `[name, text]`; gives those that stand under these names.
    pub(in crate::ledger) async fn keep_answer_parts(
        &self,
        parts: String,
    ) -> Result<Vec<String>, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| {
            Box::pin(async move {
                let keeping = sqlx::query(KEEP).bind(&parts).persistent(kept);
                keeping.execute(&mut *conn).await?;
                sqlx::query_scalar(LIST).bind(&parts).persistent(kept).fetch_all(conn).await
            })
        })
        .await
    }
}

//! Parts of answers in SQLite.

use super::Sqlite;
use crate::ledger::LedgerFault;

/// Keeps the parts that are new, and says what stands under the names of all.
const KEEP: &str = "insert into answer_parts (name, body)
    select value->>0, value->>1 from json_each($1) where true on conflict (name) do nothing";
const LIST: &str = "select json_array(a.name, a.body)
    from json_each($1) p join answer_parts a on a.name = p.value->>0";

impl Sqlite {
    /// Parts of answers, each `[name, text]`; gives those that stand under these names.
    pub(in crate::ledger) async fn keep_answer_parts(
        &self,
        parts: String,
    ) -> Result<Vec<String>, LedgerFault> {
        self.write(move |conn| {
            Box::pin(async move {
                sqlx::query(KEEP).bind(&parts).execute(&mut *conn).await?;
                sqlx::query_scalar(LIST).bind(&parts).fetch_all(conn).await
            })
        })
        .await
    }
}

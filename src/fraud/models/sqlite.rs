//! Models in SQLite. One writer: nothing needs a lock.

use super::store::Question;
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const NUMBER: &str = "select cast(coalesce(max(number), 0) as text) from model_changes";
const MODELS: &str = "select json_object('version', version, 'state', state, 'folder', folder,
        'sha256', sha256, 'features', features, 'metrics', json(metrics),
        'created_at', created_at, 'changed_at', changed_at, 'changed_by', changed_by)
    from models order by created_at desc, version desc";
const FORMER: &str = "select json_quote(r.version) from model_changes r
    where r.to_state = 'retired' and r.number = (
        select max(c.number) from model_changes c join models m on m.version = c.version
        where m.state = 'live' and c.to_state = 'live')
      and exists (select 1 from model_changes c join models m on m.version = c.version
        where c.number = r.number and c.to_state = 'live' and m.state = 'live')";

const IS_NEXT: &str = "select coalesce(max(number), 0) + 1 = $1->>'number' from model_changes";
const ADD: &str = "insert into models (version, state, folder, sha256, features, metrics,
        created_at, changed_at, changed_by)
    select r->>'version', r->>'state', r->>'folder', r->>'sha256', r->>'features', r->'metrics',
        r->>'created_at', r->>'changed_at', r->>'changed_by'
    from (select $1->'row' as r)
    where not exists (select 1 from models m where m.version = r->>'version')";
const MOVE: &str = "update models set state = $1->>'to', changed_at = $1->>'at',
        changed_by = $1->>'author'
    where version = $1->>'version' and state = $1->>'from'";
const RECORD: &str = "insert into model_changes (number, version, from_state, to_state, author, at)
    select $1->>'number', $1->>'version', $1->>'from', coalesce($1->>'to', 'candidate'),
        $1->>'author', $1->>'at'";

pub(super) async fn ask(database: &Sqlite, question: Question) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Number => NUMBER,
        Question::Models => MODELS,
        Question::Former => FORMER,
    };
    database.read(move |conn| Box::pin(sqlx::query_scalar(sql).fetch_all(conn))).await
}

/// All changes or none. Nothing when another one came first.
pub(super) async fn write(
    database: &Sqlite,
    changes: Vec<String>,
    is_new: bool,
) -> Result<bool, LedgerFault> {
    database
        .write(move |conn| {
            Box::pin(async move {
                let Some(first) = changes.first() else { return Ok(true) };
                let next: bool =
                    sqlx::query_scalar(IS_NEXT).bind(first).fetch_one(&mut *conn).await?;
                if !next {
                    return Ok(false);
                }
                for change in &changes {
                    let sql = if is_new { ADD } else { MOVE };
                    let written = sqlx::query(sql).bind(change).execute(&mut *conn).await?;
                    if written.rows_affected() != 1 {
                        // An error takes back what was written before it.
                        return Err(sqlx::Error::RowNotFound);
                    }
                    sqlx::query(RECORD).bind(change).execute(&mut *conn).await?;
                }
                Ok(true)
            })
        })
        .await
}

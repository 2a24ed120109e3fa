//! Models in SQLite. One writer: nothing needs a lock.

use super::store::Question;
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const NUMBER: &str = "select cast(coalesce(max(number), 0) as text) from model_changes
    where $1 is not null";
const MODELS: &str = "select json_object('version', version, 'state', state, 'folder', folder,
        'sha256', sha256, 'features', features, 'metrics', json(metrics),
        'created_at', created_at, 'changed_at', changed_at, 'changed_by', changed_by)
    from models where $1 is not null order by created_at desc, version desc";
const FORMER: &str = "select json_quote(r.version) from model_changes r
    where $1 is not null and r.to_state = 'retired' and r.number = (
        select max(c.number) from model_changes c join models m on m.version = c.version
        where m.state = 'live' and c.to_state = 'live')
      and exists (select 1 from model_changes c join models m on m.version = c.version
        where c.number = r.number and c.to_state = 'live' and m.state = 'live')";

const CHANGES: &str = "select json_object('number', number, 'from', from_state,
        'to', to_state, 'by', author, 'approved_by', approved_by, 'reason', reason,
        'evidence', json(evidence), 'at', at)
    from model_changes where version = $1 order by number desc";
const FILES: &str = "select json_group_object(name, body) from model_files
    where version = $1 having count(*) > 0";
const REQUEST: &str = "select json_object('version', version, 'asked_by', asked_by,
        'reason', reason, 'override', json(iif(waived, 'true', 'false')), 'asked_at', asked_at)
    from model_requests where version = $1";
const ASK_FOR: &str = "insert into model_requests (version, asked_by, reason, waived, asked_at)
    select $1->>'version', $1->>'asked_by', $1->>'reason', $1->>'override', $1->>'asked_at'
    where true
    on conflict (version) do update set asked_by = excluded.asked_by, reason = excluded.reason,
        waived = excluded.waived, asked_at = excluded.asked_at";

const IS_NEXT: &str = "select coalesce(max(number), 0) + 1 = $1->>'number' from model_changes";
const ADD: &str = "insert into models (version, state, folder, sha256, features, metrics,
        created_at, changed_at, changed_by)
    select r->>'version', r->>'state', r->>'folder', r->>'sha256', r->>'features', r->'metrics',
        r->>'created_at', r->>'changed_at', r->>'changed_by'
    from (select $1->'row' as r)
    where not exists (select 1 from models m where m.version = r->>'version')";
const KEEP_FILES: &str = "insert into model_files (version, name, body)
    select $1->>'version', key, value from json_each($1, '$.files')";
const FORGET_REQUEST: &str = "delete from model_requests where version = $1->>'version'";
const MOVE: &str = "update models set state = $1->>'to', changed_at = $1->>'at',
        changed_by = $1->>'author'
    where version = $1->>'version' and state = $1->>'from'";
const RECORD: &str = "insert into model_changes (number, version, from_state, to_state, author, at,
        reason, approved_by, evidence)
    select $1->>'number', $1->>'version', $1->>'from', coalesce($1->>'to', 'candidate'),
        $1->>'author', $1->>'at', coalesce($1->>'reason', ''), $1->>'approved_by',
        $1->>'evidence'";

pub(super) async fn ask(
    database: &Sqlite,
    question: Question,
    version: &str,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Number => NUMBER,
        Question::Models => MODELS,
        Question::Former => FORMER,
        Question::Changes => CHANGES,
        Question::Files => FILES,
        Question::Request => REQUEST,
    };
    database.ask(sql, version).await
}

pub(super) async fn ask_for(database: &Sqlite, request: String) -> Result<(), LedgerFault> {
    let asking = sqlx::query(ASK_FOR).bind(request);
    database.write(move |conn| Box::pin(async move { asking.execute(conn).await.map(drop) })).await
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
                    for also in [if is_new { KEEP_FILES } else { FORGET_REQUEST }, RECORD] {
                        sqlx::query(also).bind(change).execute(&mut *conn).await?;
                    }
                }
                Ok(true)
            })
        })
        .await
}

//! Models in PostgreSQL. Changes come one after another, behind a lock that readers do not feel.

use super::store::Question;
use crate::ledger::{LedgerFault, postgres::Postgres};

const NUMBER: &str = "select coalesce(max(number), 0)::text from model_changes
    where $1::text is not null";
const MODELS: &str = "select json_build_object('version', version, 'state', state,
        'folder', folder, 'sha256', sha256, 'features', features, 'metrics', metrics,
        'created_at', created_at, 'changed_at', changed_at, 'changed_by', changed_by)::text
    from models where $1::text is not null order by created_at desc, version desc";
/// Who was retired in the change that made the live one live.
const FORMER: &str = "select to_json(r.version)::text from model_changes r
    where $1::text is not null and r.to_state = 'retired' and r.number = (
        select max(c.number) from model_changes c join models m on m.version = c.version
        where m.state = 'live' and c.to_state = 'live')
      and exists (select 1 from model_changes c join models m on m.version = c.version
        where c.number = r.number and c.to_state = 'live' and m.state = 'live')";

const CHANGES: &str = "select json_build_object('number', number, 'from', from_state,
        'to', to_state, 'by', author, 'approved_by', approved_by, 'reason', reason,
        'evidence', evidence, 'at', at)::text
    from model_changes where version = $1 order by number desc";
const FILES: &str = "select json_object_agg(name, body)::text from model_files
    where version = $1 having count(*) > 0";
const REQUEST: &str = "select json_build_object('version', version, 'asked_by', asked_by,
        'reason', reason, 'override', waived, 'asked_at', asked_at)::text
    from model_requests where version = $1";
const ASK_FOR: &str = "insert into model_requests (version, asked_by, reason, waived, asked_at)
    select r->>'version', r->>'asked_by', r->>'reason', (r->>'override')::boolean,
        (r->>'asked_at')::timestamptz
    from (select $1::json as r) d
    on conflict (version) do update set asked_by = excluded.asked_by, reason = excluded.reason,
        waived = excluded.waived, asked_at = excluded.asked_at";

const LOCK: &str = "lock table model_changes in exclusive mode";
const IS_NEXT: &str = "select coalesce(max(number), 0) + 1 = ($1::json->>'number')::bigint
    from model_changes";
const ADD: &str = "insert into models (version, state, folder, sha256, features, metrics,
        created_at, changed_at, changed_by)
    select r->>'version', r->>'state', r->>'folder', r->>'sha256', r->>'features', r->'metrics',
        (r->>'created_at')::timestamptz, (r->>'changed_at')::timestamptz, r->>'changed_by'
    from (select $1::json->'row' as r) d
    where not exists (select 1 from models m where m.version = r->>'version')";
const KEEP_FILES: &str = "insert into model_files (version, name, body)
    select $1::json->>'version', key, value from json_each_text($1::json->'files')";
const FORGET_REQUEST: &str = "delete from model_requests where version = $1::json->>'version'";
const MOVE: &str = "update models set state = $1::json->>'to',
        changed_at = ($1::json->>'at')::timestamptz, changed_by = $1::json->>'author'
    where version = $1::json->>'version' and state = $1::json->>'from'";
const RECORD: &str = "insert into model_changes (number, version, from_state, to_state, author, at,
        reason, approved_by, evidence)
    select ($1::json->>'number')::bigint, $1::json->>'version', $1::json->>'from',
        coalesce($1::json->>'to', 'candidate'), $1::json->>'author',
        ($1::json->>'at')::timestamptz, coalesce($1::json->>'reason', ''),
        $1::json->>'approved_by', ($1::json->>'evidence')::json";

pub(super) async fn ask(
    database: &Postgres,
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

pub(super) async fn ask_for(database: &Postgres, request: String) -> Result<(), LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |conn| {
            let asking = sqlx::query(ASK_FOR).bind(request).persistent(kept);
            Box::pin(async move { asking.execute(conn).await.map(drop) })
        })
        .await
}

/// All changes or none. Nothing when another one came first.
pub(super) async fn write(
    database: &Postgres,
    changes: Vec<String>,
    is_new: bool,
) -> Result<bool, LedgerFault> {
    let kept = database.prepares();
    database
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(LOCK).persistent(kept).execute(&mut *tx).await?;
                let Some(first) = changes.first() else { return Ok(true) };
                let next: bool = sqlx::query_scalar(IS_NEXT)
                    .bind(first)
                    .persistent(kept)
                    .fetch_one(&mut *tx)
                    .await?;
                if !next {
                    return Ok(false);
                }
                for change in &changes {
                    let sql = if is_new { ADD } else { MOVE };
                    let written =
                        sqlx::query(sql).bind(change).persistent(kept).execute(&mut *tx).await?;
                    if written.rows_affected() != 1 {
                        // An error takes back what was written before it.
                        return Err(sqlx::Error::RowNotFound);
                    }
                    for also in [if is_new { KEEP_FILES } else { FORGET_REQUEST }, RECORD] {
                        sqlx::query(also).bind(change).persistent(kept).execute(&mut *tx).await?;
                    }
                }
                Ok(true)
            })
        })
        .await
}

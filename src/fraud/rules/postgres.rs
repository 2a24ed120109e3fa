//! Rules, lists and snoozes in PostgreSQL. Changes come one after another, behind a lock that
//! readers do not feel, so that versions become visible in their order.

use super::store::{Change, Question};
use crate::ledger::{LedgerFault, postgres::Postgres};

const fn question(question: Question) -> &'static str {
    match question {
        Question::Version => {
            "select coalesce(max(version), 0)::text from rulebook_changes where $1 <> ''"
        }
        Question::Rules => {
            "select json_build_object('name', r.name, 'version', r.version,
                 'expression', r.expression, 'action', r.action, 'pass', r.pass,
                 'mode', r.mode, 'reason', r.reason,
                 'author', r.author, 'updated_at', r.updated_at)::text
             from rule_versions r
             where $1 <> '' and not exists (
                 select 1 from rule_versions l where l.name = r.name and l.version > r.version)
               and not r.removed
             order by r.name"
        }
        Question::Versions => {
            "select json_build_object('name', name, 'version', version, 'expression', expression,
                 'action', action, 'pass', pass, 'mode', mode, 'reason', reason,
                 'author', author, 'updated_at', updated_at, 'removed', removed)::text
             from rule_versions
             where name = $1::jsonb->>'name'
               and ($1::jsonb->>'before' is null or version < ($1::jsonb->>'before')::bigint)
             order by version desc limit ($1::jsonb->>'most')::bigint"
        }
        Question::Lists => {
            "select json_build_object('name', l.name, 'kind', l.kind, 'note', l.note,
                 'author', l.author, 'created_at', l.created_at,
                 'entries', (select count(*) from rule_list_entries e where e.list = l.name),
                 'changed_in', (select coalesce(max(c.version), 0) from rulebook_changes c
                     where c.name = l.name
                       and c.what in ('list', 'entries', 'entry_removed')))::text
             from rule_lists l where $1 <> '' order by l.name"
        }
        Question::Entries => {
            "select json_build_object('value', value, 'expires_at', expires_at, 'note', note,
                 'author', author, 'added_at', added_at)::text
             from rule_list_entries
             where list = $1::jsonb->>'name' and value > $1::jsonb->>'after'
             order by value limit ($1::jsonb->>'most')::bigint"
        }
        Question::Snoozes => {
            "select json_build_object('rule', rule, 'kind', kind, 'value', value, 'until', until,
                 'reason', reason, 'author', author, 'at', at)::text
             from rule_snoozes
             where ($1::jsonb->>'name' is null or rule = $1::jsonb->>'name')
               and until > ($1::jsonb->>'now')::timestamptz
             order by rule, kind, value"
        }
    }
}

const fn statement(change: Change) -> &'static str {
    match change {
        Change::Rule => {
            "insert into rule_versions (name, version, expression, action, pass, mode, reason,
                 author, updated_at)
             select $1::jsonb->>'name', l.version + 1, r->>'expression', r->>'action', r->>'pass',
                 r->>'mode', r->>'reason', $1::jsonb->>'author', ($1::jsonb->>'at')::timestamptz
             from (select $1::jsonb->'change'->'rule' as r) d,
                 (select coalesce(max(version), 0) as version from rule_versions
                  where name = $1::jsonb->>'name') l
             where ($1::jsonb->'change'->>'expected' is null
                    or ($1::jsonb->'change'->>'expected')::bigint = l.version)
               and not exists (
                 select 1 from rule_versions o
                 where o.name = $1::jsonb->>'name' and o.version = l.version
                   and o.expression = r->>'expression' and o.action = r->>'action'
                   and o.pass = r->>'pass' and o.mode = r->>'mode' and o.reason = r->>'reason'
                   and not o.removed)
               and not exists (
                 select 1 from jsonb_array_elements_text($1::jsonb->'change'->'lists') n
                 where not exists (select 1 from rule_lists l where l.name = n))"
        }
        Change::List => {
            "insert into rule_lists (name, kind, note, author, created_at)
             select $1::jsonb->>'name', $1::jsonb->'change'->>'kind', $1::jsonb->'change'->>'note',
                 $1::jsonb->>'author', ($1::jsonb->>'at')::timestamptz
             on conflict (name) do update set note = excluded.note
             where rule_lists.kind = excluded.kind and rule_lists.note <> excluded.note"
        }
        Change::ListRemoved => REMOVE_LIST,
        Change::RuleRemoved => REMOVE_RULE,
        Change::Entries => {
            "insert into rule_list_entries (list, value, expires_at, note, author, added_at)
             select $1::jsonb->>'name', e->>'value', (e->>'expires_at')::timestamptz, e->>'note',
                 $1::jsonb->>'author', ($1::jsonb->>'at')::timestamptz
             from jsonb_array_elements($1::jsonb->'change'->'entries') e
             where exists (select 1 from rule_lists l where l.name = $1::jsonb->>'name')
             on conflict (list, value) do update
             set expires_at = excluded.expires_at, note = excluded.note,
                 author = excluded.author, added_at = excluded.added_at
             where rule_list_entries.expires_at is distinct from excluded.expires_at
                or rule_list_entries.note <> excluded.note"
        }
        Change::EntryRemoved => {
            "delete from rule_list_entries
             where list = $1::jsonb->>'name' and value = $1::jsonb->'change'->>'value'"
        }
        Change::Snooze => {
            "insert into rule_snoozes (rule, kind, value, until, reason, author, at)
             select s->>'rule', s->>'kind', s->>'value', (s->>'until')::timestamptz, s->>'reason',
                 s->>'author', (s->>'at')::timestamptz
             from (select $1::jsonb->'change'->'snooze' as s) d
             where exists (
                 select 1 from rule_versions r where r.name = s->>'rule' and not r.removed
                   and not exists (select 1 from rule_versions l
                                   where l.name = r.name and l.version > r.version))
             on conflict (rule, kind, value) do update
             set until = excluded.until, reason = excluded.reason,
                 author = excluded.author, at = excluded.at
             where rule_snoozes.until <> excluded.until or rule_snoozes.reason <> excluded.reason"
        }
        Change::SnoozeEnded => {
            "delete from rule_snoozes
             where rule = $1::jsonb->>'name' and kind = $1::jsonb->'change'->>'kind'
               and value = $1::jsonb->'change'->>'value'"
        }
    }
}

const REMOVE_LIST: &str = "delete from rule_lists where name = $1::jsonb->>'name'
               and not exists (select 1 from rule_list_entries e where e.list = $1::jsonb->>'name')
               and ($1::jsonb->'change'->>'rulebook')::bigint
                   = (select coalesce(max(version), 0) from rulebook_changes)";

const REMOVE_RULE: &str = "
    insert into rule_versions (name, version, expression, action, pass, mode, reason,
                 author, updated_at, removed)
             select o.name, o.version + 1, o.expression, o.action, o.pass, 'off',
                 $1::jsonb->'change'->>'reason', $1::jsonb->>'author',
                 ($1::jsonb->>'at')::timestamptz, true
             from rule_versions o
             where o.name = $1::jsonb->>'name' and not o.removed and not exists (
                 select 1 from rule_versions l where l.name = o.name and l.version > o.version)";

/// Its entries go before a list.
const EMPTY_LIST: &str = "delete from rule_list_entries where list = $1::jsonb->>'name'
    and ($1::jsonb->'change'->>'rulebook')::bigint
        = (select coalesce(max(version), 0) from rulebook_changes)";

const RECORD: &str = "
    insert into rulebook_changes (version, what, name, change, author, at)
    select coalesce(max(version), 0) + 1, $1::jsonb->>'what', $1::jsonb->>'name',
    $1::jsonb->'change',
        $1::jsonb->>'author', ($1::jsonb->>'at')::timestamptz
    from rulebook_changes";

const LOCK: &str = "lock table rulebook_changes in exclusive mode";

pub(super) async fn ask(
    postgres: &Postgres,
    asked: Question,
    which: String,
) -> Result<Vec<String>, LedgerFault> {
    postgres.ask(question(asked), &which).await
}

pub(super) async fn change(
    postgres: &Postgres,
    what: Change,
    document: String,
) -> Result<bool, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(LOCK).persistent(kept).execute(&mut *tx).await?;
                if matches!(what, Change::ListRemoved) {
                    let empty = sqlx::query(EMPTY_LIST).bind(&document).persistent(kept);
                    empty.execute(&mut *tx).await?;
                }
                let change = sqlx::query(statement(what)).bind(&document).persistent(kept);
                let changed = change.execute(&mut *tx).await?.rows_affected() > 0;
                if changed {
                    let record = sqlx::query(RECORD).bind(&document).persistent(kept);
                    record.execute(tx).await?;
                }
                Ok(changed)
            })
        })
        .await
}

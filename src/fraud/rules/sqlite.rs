//! Rules, lists and snoozes in SQLite. One writer: nothing needs a lock.

use super::store::{Change, Question};
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const fn question(question: Question) -> &'static str {
    match question {
        Question::Version => {
            "select cast(coalesce(max(version), 0) as text) from rulebook_changes where $1 <> ''"
        }
        Question::Rules => {
            "select json_object('name', r.name, 'version', r.version, 'expression', r.expression,
                 'action', r.action, 'pass', r.pass, 'mode', r.mode, 'reason', r.reason,
                 'author', r.author, 'updated_at', r.updated_at)
             from rule_versions r
             where $1 <> '' and not exists (
                 select 1 from rule_versions l where l.name = r.name and l.version > r.version)
               and not r.removed
             order by r.name"
        }
        Question::Versions => {
            "select json_object('name', name, 'version', version, 'expression', expression,
                 'action', action, 'pass', pass, 'mode', mode, 'reason', reason,
                 'author', author, 'updated_at', updated_at,
                 'removed', json(iif(removed, 'true', 'false')))
             from rule_versions
             where name = $1->>'name'
               and ($1->>'before' is null or version < $1->>'before')
             order by version desc limit $1->>'most'"
        }
        Question::Lists => {
            "select json_object('name', l.name, 'kind', l.kind, 'note', l.note,
                 'author', l.author, 'created_at', l.created_at,
                 'entries', (select count(*) from rule_list_entries e where e.list = l.name),
                 'changed_in', (select coalesce(max(c.version), 0) from rulebook_changes c
                     where c.name = l.name and c.what in ('list', 'entries', 'entry_removed')))
             from rule_lists l where $1 <> '' order by l.name"
        }
        Question::Entries => {
            "select json_object('value', value, 'expires_at', expires_at, 'note', note,
                 'author', author, 'added_at', added_at)
             from rule_list_entries
             where list = $1->>'name' and value > $1->>'after'
             order by value limit $1->>'most'"
        }
        Question::Snoozes => {
            "select json_object('rule', rule, 'kind', kind, 'value', value, 'until', until,
                 'reason', reason, 'author', author, 'at', at)
             from rule_snoozes
             where ($1->>'name' is null or rule = $1->>'name') and until > $1->>'now'
             order by rule, kind, value"
        }
    }
}

const fn statement(change: Change) -> &'static str {
    match change {
        Change::Rule => {
            "insert into rule_versions (name, version, expression, action, pass, mode, reason,
                 author, updated_at)
             select $1->>'name', l.version + 1, r->>'expression', r->>'action', r->>'pass',
                 r->>'mode', r->>'reason', $1->>'author', $1->>'at'
             from (select $1->'change'->'rule' as r),
                 (select coalesce(max(version), 0) as version from rule_versions
                  where name = $1->>'name') l
             where ($1->'change'->>'expected' is null or $1->'change'->>'expected' = l.version)
               and not exists (
                 select 1 from rule_versions o
                 where o.name = $1->>'name' and o.version = l.version
                   and o.expression = r->>'expression' and o.action = r->>'action'
                   and o.pass = r->>'pass' and o.mode = r->>'mode' and o.reason = r->>'reason'
                   and not o.removed)
               and not exists (
                 select 1 from json_each($1->'change'->'lists') n
                 where not exists (select 1 from rule_lists l where l.name = n.value))"
        }
        // `where true` tells the parser that `on conflict` does not belong to a join.
        Change::List => {
            "insert into rule_lists (name, kind, note, author, created_at)
             select $1->>'name', $1->'change'->>'kind', $1->'change'->>'note', $1->>'author',
                 $1->>'at'
             where true
             on conflict (name) do update set note = excluded.note
             where rule_lists.kind = excluded.kind and rule_lists.note <> excluded.note"
        }
        Change::ListRemoved => REMOVE_LIST,
        Change::RuleRemoved => REMOVE_RULE,
        Change::Entries => {
            "insert into rule_list_entries (list, value, expires_at, note, author, added_at)
             select $1->>'name', e.value->>'value', e.value->>'expires_at', e.value->>'note',
                 $1->>'author', $1->>'at'
             from json_each($1->'change'->'entries') e
             where exists (select 1 from rule_lists l where l.name = $1->>'name')
             on conflict (list, value) do update
             set expires_at = excluded.expires_at, note = excluded.note,
                 author = excluded.author, added_at = excluded.added_at
             where rule_list_entries.expires_at is not excluded.expires_at
                or rule_list_entries.note <> excluded.note"
        }
        Change::EntryRemoved => {
            "delete from rule_list_entries
             where list = $1->>'name' and value = $1->'change'->>'value'"
        }
        Change::Snooze => {
            "insert into rule_snoozes (rule, kind, value, until, reason, author, at)
             select s->>'rule', s->>'kind', s->>'value', s->>'until', s->>'reason',
                 s->>'author', s->>'at'
             from (select $1->'change'->'snooze' as s)
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
             where rule = $1->>'name' and kind = $1->'change'->>'kind'
               and value = $1->'change'->>'value'"
        }
    }
}

const REMOVE_LIST: &str = "delete from rule_lists where name = $1->>'name'
               and not exists (select 1 from rule_list_entries e where e.list = $1->>'name')
               and ($1->'change'->>'rulebook')
                   = (select coalesce(max(version), 0) from rulebook_changes)";

const REMOVE_RULE: &str =
    "insert into rule_versions (name, version, expression, action, pass, mode, reason,
                 author, updated_at, removed)
             select o.name, o.version + 1, o.expression, o.action, o.pass, 'off',
                 $1->'change'->>'reason', $1->>'author', $1->>'at', 1
             from rule_versions o
             where o.name = $1->>'name' and not o.removed and not exists (
                 select 1 from rule_versions l where l.name = o.name and l.version > o.version)";

/// Its entries go before a list.
const EMPTY_LIST: &str = "delete from rule_list_entries where list = $1->>'name'
    and ($1->'change'->>'rulebook')
        = (select coalesce(max(version), 0) from rulebook_changes)";

const RECORD: &str = "
    insert into rulebook_changes (version, what, name, change, author, at)
    select coalesce(max(version), 0) + 1, $1->>'what', $1->>'name', $1->'change', $1->>'author',
        $1->>'at'
    from rulebook_changes";

pub(super) async fn ask(
    sqlite: &Sqlite,
    asked: Question,
    which: String,
) -> Result<Vec<String>, LedgerFault> {
    sqlite.ask(question(asked), &which).await
}

pub(super) async fn change(
    sqlite: &Sqlite,
    what: Change,
    document: String,
) -> Result<bool, LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                if matches!(what, Change::ListRemoved) {
                    sqlx::query(EMPTY_LIST).bind(&document).execute(&mut *conn).await?;
                }
                let change = sqlx::query(statement(what)).bind(&document);
                let changed = change.execute(&mut *conn).await?.rows_affected() > 0;
                if changed {
                    sqlx::query(RECORD).bind(&document).execute(conn).await?;
                }
                Ok(changed)
            })
        })
        .await
}

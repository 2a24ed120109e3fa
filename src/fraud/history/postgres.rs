//! History in PostgreSQL.

use super::{Change, Question};
use crate::ledger::{LedgerFault, postgres::Postgres};

/// One row for each attempt: its first judgement, with what a second one came to.
const PAST: &str = "select json_build_object('id', a.id, 'checkout', a.checkout_id, 'at', a.at,
        'body', a.body::json, 'later', (
            select l.outcome from assessments l where l.checkout_id = a.checkout_id
              and l.attempt_id = a.attempt_id and l.id > a.id order by l.id desc limit 1),
        'minor', coalesce(o.total_minor, t.amount_minor),
        'currency', coalesce(o.currency, t.currency, s.body->>'currency'),
        'placed', o.id is not null,
        'failed', a.outcome = 'decline' or coalesce(t.state = 'declined', false), 'label', (
            select json_build_object('fraud', l.fraud, 'source', l.source, 'at', l.at)
            from labels l where l.order_id = o.id
              and ($1::json->>'labels_until' is null
                   or l.seq <= ($1::json->>'labels_until')::bigint)
            order by l.seq desc limit 1),
        'session', case when ($1::json->>'whole')::boolean then coalesce(o.body, s.body) end,
        'personal', case when ($1::json->>'whole')::boolean then p.personal end)::text
    from (
        select * from assessments f
        where f.at >= ($1::json->>'from')::timestamptz
          and f.at < ($1::json->>'until')::timestamptz
          and f.id > substr($1::json->>'after', 5)::uuid
          and f.id < substr($1::json->>'end', 5)::uuid
          and not exists (select 1 from assessments e where e.checkout_id = f.checkout_id
                          and e.attempt_id = f.attempt_id and e.id < f.id)
        order by f.id limit ($1::json->>'limit')::int) a
    left join payment_attempts t on t.id = a.attempt_id
    left join orders o on o.attempt_id = a.attempt_id
    left join session_rows s on s.id = a.checkout_id
    left join checkout_people p on p.checkout_id = a.checkout_id
    order by a.id";

const COUNT: &str = "select count(*)::text from assessments
    where at >= ($1::json->>'from')::timestamptz and at < ($1::json->>'until')::timestamptz
      and id > substr($1::json->>'after', 5)::uuid and id < substr($1::json->>'end', 5)::uuid";

const LABELS: &str = "select json_build_object('seq', l.seq, 'order', l.order_id,
        'fraud', l.fraud, 'at', l.at, 'before', (
            select json_build_object('fraud', b.fraud, 'source', b.source, 'at', b.at)
            from labels b where b.order_id = l.order_id and b.seq < l.seq
            order by b.seq desc limit 1),
        'judged', (
            select json_build_object('id', a.id, 'at', a.at, 'body', a.body::json)
            from assessments a join orders o on o.attempt_id = a.attempt_id
            where o.id = l.order_id and a.checkout_id = l.order_id
            order by a.id limit 1))::text
    from labels l where l.seq > ($1::json->>'after')::bigint
      and l.seq <= ($1::json->>'until')::bigint
    order by l.seq limit ($1::json->>'limit')::int";

/// A commit that numbered its label earlier may become visible later, but never this late: no
/// statement lives so long.
const LAST_LABEL: &str = "select coalesce(max(seq), 0)::text from labels
    where $1 <> '' and recorded_at < clock_timestamp() - interval '30 seconds'";

const PLACE: &str = "select json_build_object('round', round, 'judged_until', judged_until,
        'labels_until', labels_until)::text
    from learning_places where memory = $1::json->>'memory'";
const START_PLACE: &str = "insert into learning_places (memory, round, judged_until, labels_until)
    select $1::json->>'memory', (t->>'round')::bigint, (t->>'judged_until')::timestamptz,
        (t->>'labels_until')::bigint
    from (select $1::json->'to' as t) d on conflict (memory) do nothing";
const MOVE_PLACE: &str = "update learning_places set round = ($1::json->'to'->>'round')::bigint,
        judged_until = ($1::json->'to'->>'judged_until')::timestamptz,
        labels_until = ($1::json->'to'->>'labels_until')::bigint
    where memory = $1::json->>'memory' and round = ($1::json->'from'->>'round')::bigint";

const FORGET_PLACE: &str = "delete from learning_places where memory = $1::json->>'memory'";

const MEMORY: &str = "select json_build_object('epoch', epoch, 'whole', whole,
        'tended_at', tended_at)::text from velocity_memories where layout = $1::json->>'layout'";
/// Of those who begin at once, one does.
const BEGIN_MEMORY: &str = "insert into velocity_memories as m (layout, epoch, whole, tended_at)
    select t->>'layout', t->>'epoch', false, (t->>'now')::timestamptz from (select $1::json as t) d
    on conflict (layout) do update
        set epoch = excluded.epoch, whole = false, tended_at = excluded.tended_at
        where m.epoch = $1::json->>'from'";
const TEND_MEMORY: &str = "update velocity_memories set tended_at = ($1::json->>'now')::timestamptz
    where layout = $1::json->>'layout' and epoch = $1::json->>'epoch'";
const END_MEMORY: &str = "update velocity_memories set whole = true
    where layout = $1::json->>'layout' and epoch = $1::json->>'epoch'";

pub(super) async fn ask(
    database: &Postgres,
    question: Question,
    about: String,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Past => PAST,
        Question::Labels => LABELS,
        Question::LastLabel => LAST_LABEL,
        Question::Count => COUNT,
        Question::Place => PLACE,
        Question::Memory => MEMORY,
    };
    database.ask(sql, &about).await
}

pub(super) async fn change(
    database: &Postgres,
    change: Change,
    to: String,
) -> Result<bool, LedgerFault> {
    let sql = match change {
        Change::StartPlace => START_PLACE,
        Change::MovePlace => MOVE_PLACE,
        Change::ForgetPlace => FORGET_PLACE,
        Change::BeginMemory => BEGIN_MEMORY,
        Change::TendMemory => TEND_MEMORY,
        Change::EndMemory => END_MEMORY,
    };
    let kept = database.prepares();
    database
        .run(move |conn| {
            let changed = sqlx::query(sql).bind(to).persistent(kept);
            Box::pin(async move { Ok(changed.execute(conn).await?.rows_affected() > 0) })
        })
        .await
}

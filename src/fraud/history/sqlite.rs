//! History in SQLite: the statements of PostgreSQL in its words.

use super::{Change, Question};
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const PAST: &str = "select json_object('id', a.id, 'checkout', a.checkout_id, 'at', a.at,
        'body', json(a.body), 'later', (
            select l.outcome from assessments l where l.checkout_id = a.checkout_id
              and l.attempt_id = a.attempt_id and l.id > a.id order by l.id desc limit 1),
        'minor', coalesce(o.total_minor, t.amount_minor),
        'currency', coalesce(o.currency, t.currency, s.body->>'$.currency'),
        'placed', json(iif(o.id is not null, 'true', 'false')),
        'failed', json(iif(a.outcome = 'decline' or coalesce(t.state = 'declined', false),
            'true', 'false')), 'label', json((
            select json_object('fraud', json(iif(l.fraud, 'true', 'false')), 'source', l.source,
                'at', l.at)
            from labels l where l.order_id = o.id
              and ($1->>'$.labels_until' is null or l.seq <= $1->>'$.labels_until')
            order by l.seq desc limit 1)),
        'session', json(iif($1->>'$.whole', coalesce(o.body, s.body), null)),
        'personal', iif($1->>'$.whole', p.personal, null))
    from (
        select * from assessments f
        where f.at >= $1->>'$.from' and f.at < $1->>'$.until'
          and f.id > $1->>'$.after' and f.id < $1->>'$.end'
          and not exists (select 1 from assessments e where e.checkout_id = f.checkout_id
                          and e.attempt_id = f.attempt_id and e.id < f.id)
        order by f.id limit $1->>'$.limit') a
    left join payment_attempts t on t.id = a.attempt_id
    left join orders o on o.attempt_id = a.attempt_id
    left join session_rows s on s.id = a.checkout_id
    left join checkout_people p on p.checkout_id = a.checkout_id
    order by a.id";

const COUNT: &str = "select cast(count(*) as text) from assessments
    where at >= $1->>'$.from' and at < $1->>'$.until'
      and id > $1->>'$.after' and id < $1->>'$.end'";

const LABELS: &str = "select json_object('seq', l.seq, 'order', l.order_id,
        'fraud', json(iif(l.fraud, 'true', 'false')), 'at', l.at,
        'before', json((
            select json_object('fraud', json(iif(b.fraud, 'true', 'false')), 'source', b.source,
                'at', b.at)
            from labels b where b.order_id = l.order_id and b.seq < l.seq
            order by b.seq desc limit 1)),
        'judged', json((
            select json_object('id', a.id, 'at', a.at, 'body', json(a.body))
            from orders o join assessments a
              on a.checkout_id = o.checkout_id and a.attempt_id = o.attempt_id
            where o.id = l.order_id order by a.id limit 1)))
    from labels l where l.seq > $1->>'$.after' and l.seq <= $1->>'$.until'
    order by l.seq limit $1->>'$.limit'";

/// One writer: what is numbered later is seen later.
const LAST_LABEL: &str = "select cast(coalesce(max(seq), 0) as text) from labels where $1 <> ''";

const PLACE: &str = "select json_object('round', round, 'judged_until', judged_until,
        'labels_until', labels_until) from learning_places where memory = $1->>'$.memory'";
const START_PLACE: &str = "insert into learning_places (memory, round, judged_until, labels_until)
    select $1->>'$.memory', $1->>'$.to.round', $1->>'$.to.judged_until', $1->>'$.to.labels_until'
    where true on conflict (memory) do nothing";
const MOVE_PLACE: &str = "update learning_places set round = $1->>'$.to.round',
        judged_until = $1->>'$.to.judged_until', labels_until = $1->>'$.to.labels_until'
    where memory = $1->>'$.memory' and round = $1->>'$.from.round'";

const FORGET_PLACE: &str = "delete from learning_places where memory = $1->>'$.memory'";

const MEMORY: &str =
    "select json_object('epoch', epoch, 'whole', json(iif(whole, 'true', 'false')),
        'tended_at', tended_at) from velocity_memories where layout = $1->>'$.layout'";
const BEGIN_MEMORY: &str = "insert into velocity_memories (layout, epoch, whole, tended_at)
    select $1->>'$.layout', $1->>'$.epoch', 0, $1->>'$.now' where true
    on conflict (layout) do update
        set epoch = excluded.epoch, whole = 0, tended_at = excluded.tended_at
        where velocity_memories.epoch = $1->>'$.from'";
const TEND_MEMORY: &str = "update velocity_memories set tended_at = $1->>'$.now'
    where layout = $1->>'$.layout' and epoch = $1->>'$.epoch'";
const END_MEMORY: &str = "update velocity_memories set whole = 1
    where layout = $1->>'$.layout' and epoch = $1->>'$.epoch'";

pub(super) async fn ask(
    database: &Sqlite,
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
    database: &Sqlite,
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
    let changed = sqlx::query(sql).bind(to);
    database
        .write(move |conn| {
            Box::pin(async move { Ok(changed.execute(conn).await?.rows_affected() > 0) })
        })
        .await
}

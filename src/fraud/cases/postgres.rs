//! Cases in PostgreSQL. What is asked comes as one JSON text, so that both dialects take the same;
//! an id's prefix is cut off.

use super::{Change, Question};
use crate::ledger::{LedgerFault, postgres::Postgres};

const CASE: &str = "select record::text from case_rows
    where order_id = substr($1::json->>'order', 5)::uuid";
/// Whose it is, and whether somebody should have looked at it.
macro_rules! queue {
    ($which:literal, $order:literal) => {
        concat!(
            "select r.record::text from (
                select c.* from review_cases c
                where ",
            $which,
            "
                  and ($1::json->>'of' is null or c.assignee = $1::json->>'of'
                       or c.closed_by = $1::json->>'of'
                       or (c.claimed_by = $1::json->>'of'
                           and c.lease_until > ($1::json->>'now')::timestamptz))
                  and (not ($1::json->>'overdue')::boolean or (c.state = 'open'
                       and c.due_at <= ($1::json->>'now')::timestamptz))
                order by ",
            $order,
            " limit ($1::json->>'limit')::int) c
            cross join lateral (select * from case_rows r where r.order_id = c.order_id limit 1) r
            order by ",
            $order
        )
    };
}
const QUEUE: &str = queue!(
    "c.state = 'open' and ($1::json->>'after' is null
        or (-c.escalated::int, -c.priority, c.opened_at, c.order_id) > (
            -($1::json#>>'{after,first}')::int, -($1::json#>>'{after,priority}')::bigint,
            ($1::json#>>'{after,opened_at}')::timestamptz,
            substr($1::json#>>'{after,order}', 5)::uuid))",
    "c.escalated desc, c.priority desc, c.opened_at, c.order_id"
);
const CLOSED: &str = queue!(
    "c.state = any(array(select json_array_elements_text($1::json->'states')))
        and ($1::json->>'after' is null
             or c.order_id < substr($1::json#>>'{after,order}', 5)::uuid)",
    "c.order_id desc"
);
const HEADS: &str = "select json_build_object('order', o.id, 'total_minor', o.total_minor,
        'currency', o.currency, 'body', (
            select a.body::json from assessments a
            where a.checkout_id = o.checkout_id and a.attempt_id = o.attempt_id
            order by a.id limit 1),
        'personal', (select p.personal from checkout_people p
                     where p.checkout_id = o.checkout_id))::text
    from orders o where o.id = any(array(
        select substr(x, 5)::uuid from json_array_elements_text($1::json->'orders') x))";
const COUNTS: &str = "select json_build_object('open', count(*),
        'unclaimed', count(*) filter (where c.lease_until is null
            or c.lease_until <= ($1::json->>'now')::timestamptz),
        'mine', count(*) filter (where c.claimed_by = $1::json->>'by'
            and c.lease_until > ($1::json->>'now')::timestamptz),
        'overdue', count(*) filter (where c.due_at <= ($1::json->>'now')::timestamptz),
        'escalated', count(*) filter (where c.escalated), 'oldest_at', min(c.opened_at))::text
    from review_cases c where c.state = 'open'";
const EVENTS: &str = "select json_build_object('at', at, 'actor', actor, 'kind', kind,
        'note', note)::text from review_events
    where order_id = substr($1::json->>'order', 5)::uuid order by seq";
const EXPIRED: &str = "select record::text from case_rows
    where state = 'open' and expires_at <= ($1::json->>'now')::timestamptz
    order by expires_at limit ($1::json->>'limit')::int";
const ASSESSMENTS: &str = "select record::text from assessment_rows
    where checkout_id = substr($1::json->>'checkout', 5)::uuid order by id";
const PAST: &str = "select json_build_object('row', r.record, 'failed', p.failed)::text from (
        select a.id, a.outcome = 'decline' or coalesce(t.state = 'declined', false) as failed
        from assessments a left join payment_attempts t on t.id = a.attempt_id
        where a.at >= ($1::json->>'since')::timestamptz
          and ($1::json->>'after' is null or a.id > substr($1::json->>'after', 5)::uuid)
        order by a.id limit ($1::json->>'limit')::int) p
    join assessment_rows r on r.id = p.id order by p.id";
const LABELS: &str = "select json_build_object('order', order_id, 'fraud', fraud,
        'source', source, 'at', at, 'author', author, 'reason', reason, 'note', note,
        'amount_minor', amount_minor, 'currency', currency)::text from labels
    where order_id = substr($1::json->>'order', 5)::uuid order by seq desc";

const ORDERS: &str =
    "select json_build_array(o.id, json_build_object('at', o.placed_at, 'total_minor',
        o.total_minor, 'currency', o.currency))::text from orders o where o.id = any(array(
    select substr(x, 5)::uuid from json_array_elements_text($1::json->'orders') x))";

/// A change with its event, in one statement. `{}` is what changes, and where.
macro_rules! change {
    ($set:literal, $kind:literal, $note:literal) => {
        concat!(
            "with changed as (update review_cases c set ",
            $set,
            " returning c.order_id), told as (
                insert into review_events (order_id, at, actor, kind, note)
                select order_id, ($1::json->>'now')::timestamptz, $1::json->>'by', '",
            $kind,
            "', ",
            $note,
            " from changed)
            select order_id from changed"
        )
    };
}

/// The most urgent case that nobody has, or whose lease has run out; one that is theirs already is
/// not claimed again.
const CLAIM_NEXT: &str = change!(
    "claimed_by = $1::json->>'by', lease_until = ($1::json->>'until')::timestamptz
    where (select count(*) from review_cases m where m.state = 'open'
             and m.claimed_by = $1::json->>'by'
             and m.lease_until > ($1::json->>'now')::timestamptz) < ($1::json->>'most')::int
      and c.order_id = (
        select order_id from review_cases where state = 'open'
          and (assignee is null or assignee = $1::json->>'by')
          and (lease_until is null or lease_until <= ($1::json->>'now')::timestamptz)
        order by escalated desc, priority desc, opened_at, order_id
        limit 1 for update skip locked)",
    "claimed",
    "''"
);
const CLAIM: &str = change!(
    "claimed_by = $1::json->>'by', lease_until = ($1::json->>'until')::timestamptz
    where c.order_id = substr($1::json->>'order', 5)::uuid and c.state = 'open'
      and (c.claimed_by = $1::json->>'by' and c.lease_until > ($1::json->>'now')::timestamptz
           or (c.lease_until is null or c.lease_until <= ($1::json->>'now')::timestamptz)
           and (select count(*) from review_cases m where m.state = 'open'
                  and m.claimed_by = $1::json->>'by'
                  and m.lease_until > ($1::json->>'now')::timestamptz)
               < ($1::json->>'most')::int)",
    "claimed",
    "''"
);
const RELEASE: &str = change!(
    "claimed_by = null, lease_until = null
    where c.order_id = substr($1::json->>'order', 5)::uuid and c.claimed_by = $1::json->>'by'",
    "released",
    "''"
);
const ASSIGN: &str = change!(
    "assignee = $1::json->>'to'
    where c.order_id = substr($1::json->>'order', 5)::uuid and c.state = 'open'",
    "assigned",
    "$1::json->>'to'"
);
const ESCALATE: &str = change!(
    "escalated = true
    where c.order_id = substr($1::json->>'order', 5)::uuid and c.state = 'open'",
    "escalated",
    "$1::json->>'why'"
);

/// Two claims of one reviewer come one after the other: the second counts the first.
const ONE_AT_A_TIME: &str =
    "select pg_advisory_xact_lock(hashtextextended('case ' || ($1::json->>'by'), 0))";
const FOUND: &str = "select record::text from case_rows where order_id = $1";

const ADD_EVENT: &str = "insert into review_events (order_id, at, actor, kind, note)
    select substr($1::json->>'order', 5)::uuid, ($1::json->>'now')::timestamptz, $1::json->>'by',
           $1::json->>'kind', $1::json->>'note'";

pub(super) async fn ask(
    database: &Postgres,
    question: Question,
    about: String,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Case => CASE,
        Question::Queue => QUEUE,
        Question::Closed => CLOSED,
        Question::Heads => HEADS,
        Question::Counts => COUNTS,
        Question::Events => EVENTS,
        Question::Expired => EXPIRED,
        Question::Assessments => ASSESSMENTS,
        Question::Past => PAST,
        Question::Labels => LABELS,
        Question::Orders => ORDERS,
    };
    database.ask(sql, &about).await
}

pub(super) async fn change(
    database: &Postgres,
    change: Change,
    to: String,
) -> Result<Option<String>, LedgerFault> {
    let sql = match change {
        Change::ClaimNext => CLAIM_NEXT,
        Change::Claim => CLAIM,
        Change::Release => RELEASE,
        Change::Assign => ASSIGN,
        Change::Escalate => ESCALATE,
    };
    let kept = database.prepares();
    database
        .write(move |conn| {
            Box::pin(async move {
                if matches!(change, Change::Claim | Change::ClaimNext) {
                    let lock = sqlx::query(ONE_AT_A_TIME).bind(&to).persistent(kept);
                    lock.execute(&mut *conn).await?;
                }
                let changed: Option<uuid::Uuid> = sqlx::query_scalar(sql)
                    .bind(to)
                    .persistent(kept)
                    .fetch_optional(&mut *conn)
                    .await?;
                let Some(order) = changed else { return Ok(None) };
                let row = sqlx::query_scalar(FOUND).bind(order).persistent(kept);
                row.fetch_optional(conn).await
            })
        })
        .await
}

pub(super) async fn add_event(database: &Postgres, event: String) -> Result<(), LedgerFault> {
    let kept = database.prepares();
    database
        .run(move |conn| {
            let added = sqlx::query(ADD_EVENT).bind(event).persistent(kept);
            Box::pin(async move { added.execute(conn).await.map(drop) })
        })
        .await
}

//! Cases in SQLite: the statements of PostgreSQL in its words. One writer at a time needs no lock.

use super::{Change, Question};
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const CASE: &str = "select record from case_rows where order_id = $1->>'$.order'";
/// Whose it is, and whether somebody should have looked at it.
macro_rules! queue {
    ($which:literal, $order:literal) => {
        concat!(
            "select r.record from (
                select c.* from review_cases c
                where ",
            $which,
            "
                  and ($1->>'$.of' is null or c.assignee = $1->>'$.of' or c.closed_by = $1->>'$.of'
                       or (c.claimed_by = $1->>'$.of' and c.lease_until > $1->>'$.now'))
                  and (not $1->>'$.overdue' or (c.state = 'open' and c.due_at <= $1->>'$.now'))
                order by ",
            $order,
            " limit $1->>'$.limit') c
            cross join case_rows r on r.order_id = c.order_id
            order by ",
            $order
        )
    };
}
const QUEUE: &str = queue!(
    "c.state = 'open' and ($1->>'$.after' is null
        or (-c.escalated, -c.priority, c.opened_at, c.order_id) > (
            -($1->>'$.after.first'), -($1->>'$.after.priority'), $1->>'$.after.opened_at',
            $1->>'$.after.order'))",
    "c.escalated desc, c.priority desc, c.opened_at, c.order_id"
);
const CLOSED: &str = queue!(
    "c.state in (select value from json_each($1, '$.states'))
        and ($1->>'$.after' is null or c.order_id < $1->>'$.after.order')",
    "c.order_id desc"
);
const HEADS: &str = "select json_object('order', o.id, 'total_minor', o.total_minor,
        'currency', o.currency, 'body', json((
            select a.body from assessments a
            where a.checkout_id = o.checkout_id and a.attempt_id = o.attempt_id
            order by a.id limit 1)),
        'personal', (select p.personal from checkout_people p
                     where p.checkout_id = o.checkout_id))
    from orders o where o.id in (select value from json_each($1, '$.orders'))";
const COUNTS: &str = "select json_object('open', count(*),
        'unclaimed', count(*) filter (where c.lease_until is null
            or c.lease_until <= $1->>'$.now'),
        'mine', count(*) filter (where c.claimed_by = $1->>'$.by'
            and c.lease_until > $1->>'$.now'),
        'overdue', count(*) filter (where c.due_at <= $1->>'$.now'),
        'escalated', count(*) filter (where c.escalated), 'oldest_at', min(c.opened_at))
    from review_cases c where c.state = 'open'";
const EVENTS: &str = "select json_object('at', at, 'actor', actor, 'kind', kind, 'note', note)
    from review_events where order_id = $1->>'$.order' order by seq";
const EXPIRED: &str = "select record from case_rows
    where state = 'open' and expires_at <= $1->>'$.now'
    order by expires_at limit $1->>'$.limit'";
const ASSESSMENTS: &str =
    "select record from assessment_rows where checkout_id = $1->>'$.checkout' order by id";
const PAST: &str = "select json_object('row', json(r.record),
        'failed', json(iif(p.failed, 'true', 'false'))) from (
        select a.id, a.outcome = 'decline' or coalesce(t.state = 'declined', 0) as failed
        from assessments a left join payment_attempts t on t.id = a.attempt_id
        where a.at >= $1->>'$.since'
          and ($1->>'$.after' is null or a.id > $1->>'$.after')
        order by a.id limit $1->>'$.limit') p
    join assessment_rows r on r.id = p.id order by p.id";
const LABELS: &str = "select json_object('order', order_id,
        'fraud', json(iif(fraud, 'true', 'false')), 'source', source, 'at', at,
        'author', author, 'reason', reason, 'note', note, 'amount_minor', amount_minor,
        'currency', currency) from labels
    where order_id = $1->>'$.order' order by seq desc";

const ORDERS: &str =
    "select json_array(id, json_object('at', placed_at, 'total_minor', total_minor,
        'currency', currency)) from orders
    where id in (select value from json_each($1, '$.orders'))";

const CLAIM_NEXT: &str = "update review_cases
    set claimed_by = $1->>'$.by', lease_until = $1->>'$.until'
    where (select count(*) from review_cases m where m.state = 'open'
             and m.claimed_by = $1->>'$.by' and m.lease_until > $1->>'$.now') < $1->>'$.most'
      and order_id = (
        select order_id from review_cases where state = 'open'
          and (assignee is null or assignee = $1->>'$.by')
          and (lease_until is null or lease_until <= $1->>'$.now')
        order by escalated desc, priority desc, opened_at, order_id limit 1)
    returning order_id";
const CLAIM: &str = "update review_cases
    set claimed_by = $1->>'$.by', lease_until = $1->>'$.until'
    where order_id = $1->>'$.order' and state = 'open'
      and (claimed_by = $1->>'$.by' and lease_until > $1->>'$.now'
           or (lease_until is null or lease_until <= $1->>'$.now')
           and (select count(*) from review_cases m where m.state = 'open'
                  and m.claimed_by = $1->>'$.by' and m.lease_until > $1->>'$.now') < $1->>'$.most')
    returning order_id";
const RELEASE: &str = "update review_cases set claimed_by = null, lease_until = null
    where order_id = $1->>'$.order' and claimed_by = $1->>'$.by' returning order_id";
const ASSIGN: &str = "update review_cases set assignee = $1->>'$.to'
    where order_id = $1->>'$.order' and state = 'open' returning order_id";
const ESCALATE: &str = "update review_cases set escalated = 1
    where order_id = $1->>'$.order' and state = 'open' returning order_id";

const ADD_EVENT: &str = "insert into review_events (order_id, at, actor, kind, note)
    select $1->>'$.order', $1->>'$.now', $1->>'$.by', $1->>'$.kind', $1->>'$.note'";

pub(super) async fn ask(
    database: &Sqlite,
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
    database: &Sqlite,
    change: Change,
    to: String,
) -> Result<Option<String>, LedgerFault> {
    let (sql, kind, note) = match change {
        Change::ClaimNext => (CLAIM_NEXT, "claimed", ""),
        Change::Claim => (CLAIM, "claimed", ""),
        Change::Release => (RELEASE, "released", ""),
        Change::Assign => (ASSIGN, "assigned", "$.to"),
        Change::Escalate => (ESCALATE, "escalated", "$.why"),
    };
    database
        .write(move |conn| {
            Box::pin(async move {
                let changed: Option<String> =
                    sqlx::query_scalar(sql).bind(&to).fetch_optional(&mut *conn).await?;
                let Some(order) = changed else { return Ok(None) };
                sqlx::query(
                    "insert into review_events (order_id, at, actor, kind, note)
                     select $1, $2->>'$.now', $2->>'$.by', $3,
                            iif($4 = '', '', $2->>iif($4 = '', '$', $4))",
                )
                .bind(&order)
                .bind(&to)
                .bind(kind)
                .bind(note)
                .execute(&mut *conn)
                .await?;
                sqlx::query_scalar("select record from case_rows where order_id = $1")
                    .bind(order)
                    .fetch_optional(conn)
                    .await
            })
        })
        .await
}

pub(super) async fn add_event(database: &Sqlite, event: String) -> Result<(), LedgerFault> {
    let added = sqlx::query(ADD_EVENT).bind(event);
    database.write(move |conn| Box::pin(async move { added.execute(conn).await.map(drop) })).await
}

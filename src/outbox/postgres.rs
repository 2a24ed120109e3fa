//! Deliveries in PostgreSQL. Each is one statement, and takes and gives JSON.

use crate::ledger::{LedgerFault, postgres::Postgres};

/// Events that are not marked sent, oldest first.
pub(super) const UNSENT: &str = "
    select json_build_object('seq', seq, 'event', record)::text from event_rows
    where sent_at is null order by seq limit ($1::jsonb->>'limit')::bigint";

/// Keeps deliveries and marks their events sent. A second replica with the same events changes
/// nothing: what was rendered first stays. Both write in the order of events, so neither waits for
/// the other in a circle.
pub(super) const HAND_ON: &str = "
    with kept as (
        insert into deliveries (id, event_id, seq, order_id, receiver, kind, body, stamped_at,
                                state, next_at)
        select id, event_id, seq, order_id, receiver, kind, body, stamped_at, 'due', stamped_at
        from jsonb_to_recordset($1::jsonb->'deliveries') as
             r (id uuid, event_id uuid, seq bigint, order_id uuid, receiver text, kind text,
                body text, stamped_at timestamptz)
        order by seq, receiver
        on conflict on constraint deliveries_once do nothing)
    update events e set sent_at = ($1::jsonb->>'at')::timestamptz
    from jsonb_array_elements_text($1::jsonb->'events') as sent (seq)
    where e.seq = sent.seq::bigint and e.sent_at is null
    returning e.id::text";

/// Marks the oldest events sent that nobody wants to hear of.
pub(super) const PASS_OVER: &str = "
    update events set sent_at = ($1::jsonb->>'at')::timestamptz
    where id in (select id from events where sent_at is null order by seq
                 limit ($1::jsonb->>'limit')::bigint for update skip locked)
    returning id::text";

/// Begins attempts: who has begun one has it until its lease has ended.
pub(super) const CLAIM: &str = r#"
    update deliveries d
    set attempts = attempts + 1, next_at = ($1::jsonb->>'until')::timestamptz
    where d.id in (
        select w.id from deliveries w
        where w.state = 'due' and w.receiver = $1::jsonb->>'receiver'
          and w.next_at <= ($1::jsonb->>'now')::timestamptz
          and not exists (
              select from deliveries p
              where p.state = 'due' and p.order_id = w.order_id and p.receiver = w.receiver
                and p.seq < w.seq)
        order by w.next_at, w.seq limit ($1::jsonb->>'limit')::bigint
        for update of w skip locked)
    returning json_build_object(
        'id', id, 'event_id', event_id, 'order_id', order_id, 'receiver', receiver, 'kind', kind,
        'body', body, 'stamped_at', to_char(stamped_at at time zone 'UTC',
                                            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'state', state, 'attempts', attempts, 'last_status', last_status,
        'last_fault', last_fault)::text"#;

/// Ends an attempt, unless its lease has ended and another has begun.
pub(super) const SETTLE: &str = "
    update deliveries d
    set state = r.state, next_at = coalesce(r.next_at, d.next_at), settled_at = r.settled_at,
        last_status = r.last_status, last_fault = r.last_fault
    from jsonb_to_record($1::jsonb) as
         r (id uuid, attempts integer, state text, next_at timestamptz, settled_at timestamptz,
            last_status integer, last_fault text)
    where d.id = r.id and d.state = 'due' and d.attempts = r.attempts
    returning d.id::text";

/// Forgets deliveries that were settled long ago. Parked ones stay until someone has looked.
pub(super) const PURGE: &str = "
    delete from deliveries where id in (
        select id from deliveries
        where state <> 'due' and state <> 'parked'
          and settled_at < ($1::jsonb->>'before')::timestamptz
        order by settled_at limit ($1::jsonb->>'limit')::bigint for update skip locked)
    returning id::text";

/// Runs one of them.
pub(super) async fn run(
    postgres: &Postgres,
    sql: &'static str,
    parameter: String,
) -> Result<Vec<String>, LedgerFault> {
    let kept = postgres.prepares();
    postgres
        .run(move |connection| {
            Box::pin(sqlx::query_scalar(sql).bind(parameter).persistent(kept).fetch_all(connection))
        })
        .await
}

//! Deliveries in PostgreSQL. Each is one statement, and takes and gives JSON.

use crate::ledger::{LedgerFault, postgres::Postgres};

/// Events that are not marked sent, oldest first, each with its order.
pub(super) const UNSENT: &str = "
    select json_build_object('seq', e.seq,
        'event', e.record,
        'order', (select o.record from order_rows o where o.id = (e.record->>'order')::uuid))::text
    from event_rows e where e.sent_at is null order by e.seq limit ($1::jsonb->>'limit')::bigint";

/// Keeps deliveries and marks their events sent. A second replica with the same events changes
/// nothing: what was rendered first stays. Both write in the order of events, so neither waits for
/// the other in a circle. The parameter holds a page of bodies, and is read once.
pub(super) const HAND_ON: &str = "
    with given as materialized (
        select d, (d->>'at')::timestamptz as at from (select $1::json as d) p),
    kept as (
        insert into deliveries (id, event_id, seq, order_id, receiver, kind, body, stamped_at,
                                state, next_at, settled_at)
        select id, event_id, seq, order_id, receiver, kind, body, stamped_at,
               case when is_kept_only then 'disabled' else 'due' end, stamped_at,
               case when is_kept_only then given.at end
        from given, json_to_recordset(given.d->'deliveries') as
             r (id uuid, event_id uuid, seq bigint, order_id uuid, receiver text, kind text,
                body text, stamped_at timestamptz, is_kept_only boolean)
        order by seq, receiver
        on conflict on constraint deliveries_once do nothing)
    update events e set sent_at = given.at
    from given, json_array_elements_text(given.d->'events') as sent (seq)
    where e.seq = sent.seq::bigint and e.sent_at is null
    returning e.id::text";

/// Forgets the oldest events while there is no endpoint; those of orders that a platform placed
/// stay. Looking for the word costs less than reading the document, and finding it where it says
/// something else leaves an event that is then handed on to nobody. Rows that are locked are named
/// by where they stand: by their ids, the whole table is gone through for them.
pub(super) const PASS_OVER: &str = r#"
    delete from events where ctid = any (array(
        select e.ctid from events e
        where e.sent_at is null and not exists (
            select from orders o
            where o.id = e.order_id and strpos(o.body::text, '"platform":') > 0)
        order by e.seq limit ($1::jsonb->>'limit')::bigint for update of e skip locked))
      and not exists (select from webhook_endpoints)
    returning id::text"#;

/// Platforms to which something is due. The index gives one receiver after the other, however much
/// is due to each.
pub(super) const PLATFORMS_DUE: &str = "
    with recursive platforms (receiver) as (
        (select receiver from deliveries
         where state = 'due' and receiver >= 'ucp/' and receiver < 'ucp0'
         order by receiver limit 1)
        union all
        select (select d.receiver from deliveries d
                where d.state = 'due' and d.receiver > p.receiver and d.receiver < 'ucp0'
                order by d.receiver limit 1)
        from platforms p where p.receiver is not null)
    select receiver from platforms p
    where receiver is not null and exists (
        select from deliveries d
        where d.state = 'due' and d.receiver = p.receiver
          and d.next_at <= ($1::jsonb->>'now')::timestamptz)
    limit ($1::jsonb->>'limit')::bigint";

/// Notes that an address wants no more; what is due to its receiver is given up, and what was noted
/// too long ago to count is forgotten.
pub(super) const GONE: &str = "
    with given_up as (
        update deliveries set state = 'disabled', settled_at = ($1::jsonb->>'at')::timestamptz
        where receiver = $1::jsonb->>'receiver' and state = 'due'),
    forgotten as (
        delete from webhooks_gone where at <= ($1::jsonb->>'since')::timestamptz
        and url <> $1::jsonb->>'url')
    insert into webhooks_gone (url, at)
    values ($1::jsonb->>'url', ($1::jsonb->>'at')::timestamptz)
    on conflict (url) do update set at = excluded.at
    returning url";

/// Whether an address has wanted no more since then.
pub(super) const IS_GONE: &str = "
    select url from webhooks_gone
    where url = $1::jsonb->>'url' and at > ($1::jsonb->>'since')::timestamptz";

/// Begins attempts: who has begun one has it until its lease has ended. The oldest of an order is
/// looked up in its line: told as "none is older", all that is due is gone through for each.
pub(super) const CLAIM: &str = r#"
    update deliveries d
    set attempts = attempts + 1, next_at = ($1::jsonb->>'until')::timestamptz
    where d.id in (
        select w.id from deliveries w
        where w.state = 'due' and w.receiver = $1::jsonb->>'receiver'
          and w.next_at <= ($1::jsonb->>'now')::timestamptz
          and w.id = (
              select p.id from deliveries p
              where p.order_id = w.order_id and p.receiver = w.receiver and p.state = 'due'
              order by p.seq limit 1)
        order by w.next_at, w.seq limit ($1::jsonb->>'limit')::bigint
        for update of w skip locked)
    returning json_build_object(
        'id', id, 'event_id', event_id, 'order_id', order_id, 'receiver', receiver, 'kind', kind,
        'body', body, 'stamped_at', to_char(stamped_at at time zone 'UTC',
                                            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'state', state, 'attempts', attempts, 'last_status', last_status,
        'last_fault', last_fault)::text"#;

/// Ends an attempt, unless its lease has ended and another has begun. What stands behind one that
/// is tried again waits as long as it, so that nobody who looks for something due comes across it.
pub(super) const SETTLE: &str = "
    with settled as (
    update deliveries d
    set state = r.state, next_at = coalesce(r.next_at, d.next_at), settled_at = r.settled_at,
        last_status = r.last_status, last_fault = r.last_fault
    from jsonb_to_record($1::jsonb) as
         r (id uuid, attempts integer, state text, next_at timestamptz, settled_at timestamptz,
            last_status integer, last_fault text)
    where d.id = r.id and d.state = 'due' and d.attempts = r.attempts
    returning d.id, d.order_id, d.receiver, d.seq, d.state, d.next_at),
    behind as (
        update deliveries f set next_at = s.next_at from settled s
        where s.state = 'due' and f.order_id = s.order_id and f.receiver = s.receiver
          and f.seq > s.seq and f.state = 'due' and f.next_at < s.next_at)
    select id::text from settled";

/// Counts an attempt for what is due to a receiver that cannot be asked, without one: by the number
/// of attempts begun before, the plan says what becomes of each.
pub(super) const PUT_OFF: &str = "
    with late as (
        select id from deliveries
        where state = 'due' and receiver = $1::json->>'receiver'
          and next_at <= ($1::json->>'now')::timestamptz
        order by next_at limit ($1::json->>'limit')::bigint for update skip locked)
    update deliveries d
    set attempts = d.attempts + 1, state = p.state, next_at = coalesce(p.next_at, d.next_at),
        settled_at = p.settled_at, last_status = null, last_fault = $1::json->>'fault'
    from late, json_to_recordset($1::json->'plan') as
         p (attempts integer, state text, next_at timestamptz, settled_at timestamptz)
    where d.id = late.id and p.attempts = least(d.attempts, ($1::json->>'most')::integer)
    returning to_json(d.state)::text";

/// Forgets deliveries that were settled long ago. Parked ones stay until someone has looked.
pub(super) const PURGE: &str = "
    delete from deliveries where id in (
        select id from deliveries
        where state <> 'due' and state <> 'parked'
          and settled_at < ($1::jsonb->>'before')::timestamptz
        order by settled_at limit ($1::jsonb->>'limit')::bigint for update skip locked)
    returning id::text";

/// Deliveries, newest first.
pub(super) const LIST: &str = r#"
    select json_build_object(
        'id', id, 'event_id', event_id, 'order_id', order_id,
        'receiver', deliveries.receiver, 'kind', kind,
        'body', body, 'stamped_at', to_char(stamped_at at time zone 'UTC',
                                            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'state', state, 'attempts', attempts, 'last_status', last_status,
        'last_fault', last_fault)::text
    from deliveries, jsonb_to_record($1::jsonb) as
        w (delivery uuid, "order" uuid, receiver text, standing text, cursor uuid, most integer)
    where (w.delivery is null or id = w.delivery) and (w."order" is null or order_id = w."order")
      and (w.receiver is null or deliveries.receiver = w.receiver)
      and (w.standing is null or state = w.standing) and (w.cursor is null or id < w.cursor)
    order by id desc limit (select most from jsonb_to_record($1::jsonb) as m (most integer))"#;

/// Has a delivery tried again, whatever came of it, under the same id and with the same body.
pub(super) const SEND_AGAIN: &str = "
    update deliveries set state = 'due', attempts = 0, settled_at = null,
        next_at = ($1::jsonb->>'now')::timestamptz
    where id = ($1::jsonb->>'id')::uuid returning id::text";

/// How many wait to be tried, how many were given up, and since when the oldest waits.
pub(super) const BACKLOG: &str = r#"
    select json_build_object('due', count(*),
        'parked', (select count(*) from deliveries where state = 'parked'),
        'oldest', to_char(min(stamped_at) at time zone 'UTC',
                          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text
    from deliveries where $1::jsonb is not null and state = 'due'"#;

/// Every endpoint, oldest first.
pub(super) const ENDPOINTS: &str =
    "select body from webhook_endpoints where $1::jsonb is not null order by created_at, id";

/// Keeps an endpoint unless its id is there.
pub(super) const ADD_ENDPOINT: &str = "
    insert into webhook_endpoints (id, active, body, created_at)
    select id, active, body, created_at from jsonb_to_record($1::jsonb) as
        r (id uuid, active boolean, body text, created_at timestamptz)
    on conflict do nothing returning id::text";

/// Puts an endpoint in the place of what it was, if that still stands.
pub(super) const CHANGE_ENDPOINT: &str = "
    update webhook_endpoints e set active = r.active, body = r.body
    from jsonb_to_record($1::jsonb) as r (id uuid, active boolean, body text, before text)
    where e.id = r.id and e.body = r.before returning e.id::text";

/// Removes an endpoint; what is due to it is given up.
pub(super) const REMOVE_ENDPOINT: &str = "
    with given_up as (
        update deliveries set state = 'disabled', settled_at = ($1::jsonb->>'at')::timestamptz
        where receiver = $1::jsonb->>'receiver' and state = 'due')
    delete from webhook_endpoints where id = ($1::jsonb->>'id')::uuid returning id::text";

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

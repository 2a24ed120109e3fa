//! Deliveries in SQLite. Each is a few statements in one transaction, and takes and gives JSON.

use crate::ledger::{LedgerFault, sqlite::Sqlite};

/// Events that are not marked sent, oldest first, each with its order.
pub(super) const UNSENT: &[&str] = &["
    select json_object('seq', e.seq, 'event', json(e.record), 'order', json((
        select o.record from order_rows o where o.id = e.record->>'$.order')))
    from event_rows e
    where e.sent_at is null order by e.seq limit json_extract($1, '$.limit')"];

/// Keeps deliveries and marks their events sent; what was kept first stays.
pub(super) const HAND_ON: &[&str] = &[
    "
    insert into deliveries (id, event_id, seq, order_id, receiver, kind, body, stamped_at,
                            state, next_at, settled_at)
    select value->>'id', value->>'event_id', value->>'seq', value->>'order_id',
           value->>'receiver', value->>'kind', value->>'body', value->>'stamped_at',
           iif(value->>'is_kept_only', 'disabled', 'due'), value->>'stamped_at',
           iif(value->>'is_kept_only', json_extract($1, '$.at'), null)
    from json_each($1, '$.deliveries') where true
    on conflict (event_id, receiver) do nothing
    returning id",
    "
    update events set sent_at = json_extract($1, '$.at')
    where sent_at is null and seq in (select value from json_each($1, '$.events'))
    returning id",
];

/// Forgets the oldest events while there is no endpoint; those of orders that a platform placed
/// stay.
pub(super) const PASS_OVER: &[&str] = &[r#"
    delete from events
    where seq in (
        select e.seq from events e
        where e.sent_at is null and not exists (
            select 1 from orders o
            where o.id = e.order_id and instr(o.body, '"platform":') > 0)
        order by e.seq limit json_extract($1, '$.limit'))
      and not exists (select 1 from webhook_endpoints)
    returning id"#];

/// Platforms to which something is due. The index gives one receiver after the other, however much
/// is due to each.
pub(super) const PLATFORMS_DUE: &[&str] = &["
    with recursive platforms (receiver) as (
        select * from (
            select receiver from deliveries
            where state = 'due' and receiver >= 'ucp/' and receiver < 'ucp0'
            order by receiver limit 1)
        union all
        select (select d.receiver from deliveries d
                where d.state = 'due' and d.receiver > p.receiver and d.receiver < 'ucp0'
                order by d.receiver limit 1)
        from platforms p where p.receiver is not null)
    select receiver from platforms p
    where receiver is not null and exists (
        select 1 from deliveries d
        where d.state = 'due' and d.receiver = p.receiver
          and d.next_at <= json_extract($1, '$.now'))
    limit json_extract($1, '$.limit')"];

/// Notes that an address wants no more; what is due to its receiver is given up, and what was noted
/// too long ago to count is forgotten.
pub(super) const GONE: &[&str] = &[
    "
    update deliveries set state = 'disabled', settled_at = json_extract($1, '$.at')
    where receiver = json_extract($1, '$.receiver') and state = 'due' returning id",
    "delete from webhooks_gone where at <= json_extract($1, '$.since') returning url",
    "
    insert into webhooks_gone (url, at)
    values (json_extract($1, '$.url'), json_extract($1, '$.at'))
    on conflict (url) do update set at = excluded.at
    returning url",
];

/// Whether an address has wanted no more since then.
pub(super) const IS_GONE: &[&str] = &["
    select url from webhooks_gone
    where url = json_extract($1, '$.url') and at > json_extract($1, '$.since')"];

/// Begins attempts: who has begun one has it until its lease has ended.
pub(super) const CLAIM: &[&str] = &["
    update deliveries
    set attempts = attempts + 1, next_at = json_extract($1, '$.until')
    where id in (
        select w.id from deliveries w
        where w.state = 'due' and w.receiver = json_extract($1, '$.receiver')
          and w.next_at <= json_extract($1, '$.now')
          and w.id = (
              select p.id from deliveries p
              where p.order_id = w.order_id and p.receiver = w.receiver and p.state = 'due'
              order by p.seq limit 1)
        order by w.next_at, w.seq limit json_extract($1, '$.limit'))
    returning json_object(
        'id', id, 'event_id', event_id, 'order_id', order_id, 'receiver', receiver, 'kind', kind,
        'body', body, 'stamped_at', stamped_at, 'state', state, 'attempts', attempts,
        'last_status', last_status, 'last_fault', last_fault)"];

/// What stands behind an attempt that will be tried again waits as long as it; then the attempt
/// ends, unless its lease has ended and another has begun.
pub(super) const SETTLE: &[&str] = &[
    "
    update deliveries as f set next_at = json_extract($1, '$.next_at')
    from deliveries as d
    where d.id = json_extract($1, '$.id') and d.state = 'due'
      and d.attempts = json_extract($1, '$.attempts')
      and f.order_id = d.order_id and f.receiver = d.receiver and f.seq > d.seq
      and f.state = 'due' and f.next_at < json_extract($1, '$.next_at')
    returning id",
    "
    update deliveries
    set state = json_extract($1, '$.state'),
        next_at = coalesce(json_extract($1, '$.next_at'), next_at),
        settled_at = json_extract($1, '$.settled_at'),
        last_status = json_extract($1, '$.last_status'),
        last_fault = json_extract($1, '$.last_fault')
    where id = json_extract($1, '$.id') and state = 'due'
      and attempts = json_extract($1, '$.attempts')
    returning id",
];

/// Counts an attempt for what is due to a receiver that cannot be asked, without one: by the number
/// of attempts begun before, the plan says what becomes of each.
pub(super) const PUT_OFF: &[&str] = &["
    update deliveries
    set attempts = attempts + 1, state = p.value->>'$.state',
        next_at = coalesce(p.value->>'$.next_at', next_at),
        settled_at = p.value->>'$.settled_at', last_status = null,
        last_fault = json_extract($1, '$.fault')
    from json_each($1, '$.plan') p
    where p.value->>'$.attempts' = min(deliveries.attempts, json_extract($1, '$.most'))
      and deliveries.id in (
        select id from deliveries
        where state = 'due' and receiver = json_extract($1, '$.receiver')
          and next_at <= json_extract($1, '$.now')
        order by next_at limit json_extract($1, '$.limit'))
    returning json_quote(state)"];

/// Forgets deliveries that were settled long ago. Parked ones stay until someone has looked.
pub(super) const PURGE: &[&str] = &["
    delete from deliveries where id in (
        select id from deliveries
        where state <> 'due' and state <> 'parked' and settled_at < json_extract($1, '$.before')
        order by settled_at limit json_extract($1, '$.limit'))
    returning id"];

/// Deliveries, newest first.
pub(super) const LIST: &[&str] = &["
    select json_object(
        'id', id, 'event_id', event_id, 'order_id', order_id, 'receiver', receiver, 'kind', kind,
        'body', body, 'stamped_at', stamped_at, 'state', state, 'attempts', attempts,
        'last_status', last_status, 'last_fault', last_fault)
    from deliveries
    where coalesce(id = json_extract($1, '$.delivery'), true)
      and coalesce(order_id = json_extract($1, '$.order'), true)
      and coalesce(receiver = json_extract($1, '$.receiver'), true)
      and coalesce(state = json_extract($1, '$.standing'), true)
      and coalesce(id < json_extract($1, '$.cursor'), true)
    order by id desc limit json_extract($1, '$.most')"];

/// Has a delivery tried again, whatever came of it, under the same id and with the same body.
pub(super) const SEND_AGAIN: &[&str] = &["
    update deliveries set state = 'due', attempts = 0, settled_at = null,
        next_at = json_extract($1, '$.now')
    where id = json_extract($1, '$.id') returning id"];

/// How many wait to be tried, how many were given up, and since when the oldest waits.
pub(super) const BACKLOG: &[&str] = &["
    select json_object('due', count(*),
        'parked', (select count(*) from deliveries where state = 'parked'),
        'oldest', min(stamped_at))
    from deliveries where $1 is not null and state = 'due'"];

/// Every endpoint, oldest first.
pub(super) const ENDPOINTS: &[&str] =
    &["select body from webhook_endpoints where $1 is not null order by created_at, id"];

/// Keeps an endpoint unless its id is there.
pub(super) const ADD_ENDPOINT: &[&str] = &["
    insert into webhook_endpoints (id, active, body, created_at)
    values (json_extract($1, '$.id'), json_extract($1, '$.active'), json_extract($1, '$.body'),
            json_extract($1, '$.created_at'))
    on conflict do nothing returning id"];

/// Puts an endpoint in the place of what it was, if that still stands.
pub(super) const CHANGE_ENDPOINT: &[&str] = &["
    update webhook_endpoints
    set active = json_extract($1, '$.active'), body = json_extract($1, '$.body')
    where id = json_extract($1, '$.id') and body = json_extract($1, '$.before') returning id"];

/// Removes an endpoint; what is due to it is given up.
pub(super) const REMOVE_ENDPOINT: &[&str] = &[
    "
    update deliveries set state = 'disabled', settled_at = json_extract($1, '$.at')
    where receiver = json_extract($1, '$.receiver') and state = 'due' returning id",
    "
    delete from webhook_endpoints where id = json_extract($1, '$.id') returning id",
];

/// Runs the statements of one of them; what the last returns counts.
pub(super) async fn run(
    sqlite: &Sqlite,
    statements: &'static [&'static str],
    parameter: String,
) -> Result<Vec<String>, LedgerFault> {
    sqlite
        .write(move |conn| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for sql in statements {
                    let query = sqlx::query_scalar(*sql).bind(&parameter);
                    rows = query.fetch_all(&mut *conn).await?;
                }
                Ok(rows)
            })
        })
        .await
}

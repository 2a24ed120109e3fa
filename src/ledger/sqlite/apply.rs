//! What a judged batch writes: a statement per kind of row, the rows as one JSON array.
//!
//! `jsonb_each` hands out each row in binary: `json_each` would write it as text anew for every
//! column that is taken from it, and a session is long.

use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

use crate::ledger::changes::Changes;

const ENTRIES: &str = "insert into entries (id, outcome, at)
    select value->>'$.id', value->'$.outcome', value->>'$.at' from jsonb_each($1)";
const NEW_SESSIONS: &str =
    "insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
    select value->>'$.checkout', value->>'$.version', value->>'$.state', value->>'$.expires_at',
           value->'$.body', value->>'$.updated_at', value->>'$.updated_at' from jsonb_each($1)";
const SESSIONS: &str = "update sessions set version = x.value->>'$.version',
        state = x.value->>'$.state', expires_at = x.value->>'$.expires_at',
        body = x.value->'$.body', updated_at = x.value->>'$.updated_at'
    from jsonb_each($1) x
    where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1";
const PEOPLE: &str = "insert into checkout_people (checkout_id, personal, updated_at)
    select value->>'$.checkout', value->>'$.personal', value->>'$.updated_at' from jsonb_each($1)
    where value->>'$.personal' is not null
    on conflict (checkout_id) do update
        set personal = excluded.personal, updated_at = excluded.updated_at";
const HEADS: &str = "update sessions set version = x.value->>'$.version',
        state = x.value->>'$.state', body = x.value->'$.body',
        updated_at = x.value->>'$.updated_at'
    from jsonb_each($1) x
    where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1";
const HOLDS: &str = "insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
    select value->>'$.checkout', value->>'$.sku', value->>'$.quantity', value->>'$.expires_at',
           value->>'$.pinned_by' from jsonb_each($1) where true
    on conflict (checkout_id, sku) do update set quantity = excluded.quantity,
        expires_at = excluded.expires_at, pinned_by = excluded.pinned_by";
const GONE_HOLDS: &str = "delete from holds where (checkout_id, sku) in (
        select value->>'$[0]', value->>'$[1]' from jsonb_each($1))";
const STOCK: &str = "update stock set on_hand = on_hand + x.value->>'$.on_hand',
        unallocated = unallocated + x.value->>'$.unallocated'
    from jsonb_each($1) x where sku = x.value->>'$.sku'";
const NEW_STOCK: &str = "insert into stock (sku, on_hand, unallocated)
    select value->>'$.sku', value->>'$.on_hand', value->>'$.unallocated' from jsonb_each($1)
    where value->>'$.sku' not in (select sku from stock)";
const NEW_GRANTS: &str = "insert into stock_grants (id, sku, holder, granted, consumed, active)
    select value->>'$.id', value->>'$.sku', value->>'$.holder', value->>'$.granted',
           value->>'$.consumed', value->>'$.active' from jsonb_each($1)";
const GRANTS: &str = "update stock_grants set consumed = consumed + x.value->>'$.consumed',
        active = x.value->>'$.active'
    from jsonb_each($1) x where stock_grants.id = x.value->>'$.id' and active";
const ATTEMPTS: &str = "update payment_attempts set state = x.value->>'$.state',
        authorization_id = x.value->>'$.authorization', code = x.value->>'$.code',
        watch_until = x.value->>'$.watch_until', settled_at = x.value->>'$.settled_at'
    from jsonb_each($1) x 
    where payment_attempts.id = x.value->>'$.id' and payment_attempts.state = 'pending'";
const NEW_ATTEMPTS: &str = "insert into payment_attempts (id, checkout_id, order_id, number, state,
        amount_minor, currency, gateway, deadline, watch_until, waiting_caller, waiting_key,
        created_at)
    select value->>'$.id', value->>'$.checkout', value->>'$.order', value->>'$.number',
           value->>'$.state', value->>'$.amount_minor', value->>'$.currency', value->>'$.gateway',
           value->>'$.deadline', value->>'$.watch_until', value->>'$.waiting[0]',
           value->>'$.waiting[1]', value->>'$.created_at' from jsonb_each($1)";
const ORDERS: &str = "insert into orders (id, checkout_id, attempt_id, total_minor, currency, body,
        placed_at)
    select value->>'$.id', value->>'$.checkout', value->>'$.attempt', value->>'$.total_minor',
           value->>'$.currency', value->'$.body', value->>'$.placed_at' from jsonb_each($1)";
const ORDER_LINES: &str = "insert into order_lines (order_id, line, sku, quantity,
        unit_price_minor, tracked)
    select o.value->>'$.id', l.value->>'$.line', l.value->>'$.sku', l.value->>'$.quantity',
           l.value->>'$.unit_price_minor', l.value->>'$.tracked'
    from jsonb_each($1) o, jsonb_each(o.value, '$.lines') l";
const LINES: &str = "update order_lines set shipped = shipped + x.value->>'$.shipped',
        returned = returned + x.value->>'$.returned',
        restocked = restocked + x.value->>'$.restocked'
    from jsonb_each($1) x where order_id = x.value->>'$.order' and line = x.value->>'$.line'";
const OPERATIONS: &str = "insert into payment_operations (id, attempt_id, kind, amount_minor,
        authorization_id, state, note, created_at, updated_at)
    select value->>'$.id', value->>'$.attempt', value->>'$.kind', value->>'$.amount_minor',
           value->>'$.authorization', value->>'$.state', value->>'$.note', value->>'$.at',
           value->>'$.at' from jsonb_each($1) where true
    on conflict (id) do update set state = excluded.state, note = excluded.note,
        updated_at = excluded.updated_at
        where payment_operations.state = 'due'";
const EVENTS: &str = "insert into events (id, order_id, kind, body, at)
    select value->>'$.id', value->>'$.order', value->>'$.kind', value->'$.body', value->>'$.at'
    from jsonb_each($1) order by key";
const MOVEMENTS: &str =
    "insert into stock_movements (id, sku, kind, quantity, reason, order_id, line, at)
    select value->>'$.id', value->>'$.sku', value->>'$.kind', value->>'$.quantity',
           value->>'$.reason', value->>'$.order', value->>'$.line', value->>'$.at'
    from jsonb_each($1)";
const ANSWERS: &str = "update idempotency_keys set
        answer_status = x.value->>'$.answer.status', answer_body = x.value->>'$.answer.body',
        answer_version = x.value->>'$.answer.version', answered_at = x.value->>'$.now'
    from jsonb_each($1) x
    where caller = x.value->>'$.caller' and idempotency_keys.key = x.value->>'$.key'
      and answered_at is null
      and x.value->>'$.answer' is not null";
const NEW_KEYS: &str = "insert into idempotency_keys (caller, key, fingerprint, dialect,
        answer_status, answer_body, answer_version, created_at, answered_at)
    select value->>'$.caller', value->>'$.key', value->>'$.fingerprint', value->>'$.dialect',
           value->>'$.answer.status', value->>'$.answer.body', value->>'$.answer.version',
           value->>'$.now', iif(value->>'$.answer' is null, null, value->>'$.now')
    from jsonb_each($1)";

/// Writes the changes; the constraints have the last word. `seen_keys` are those that stood before.
pub(super) async fn apply(
    conn: &mut SqliteConnection,
    changes: &Changes,
    seen_keys: &BTreeSet<(String, String)>,
) -> Result<(), sqlx::Error> {
    put(conn, ENTRIES, &changes.entries).await?;
    let (new, old): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|row| row.version == 1);
    put(conn, NEW_SESSIONS, &new).await?;
    put(conn, SESSIONS, &old).await?;
    let people: Vec<_> = changes.sessions.iter().filter(|row| row.personal.is_some()).collect();
    put(conn, PEOPLE, &people).await?;
    put(conn, HEADS, &changes.heads).await?;
    put(conn, HOLDS, &changes.holds).await?;
    put(conn, GONE_HOLDS, &changes.gone_holds).await?;
    if put_some(conn, STOCK, &changes.stock).await? < changes.stock.len() as u64 {
        put_some(conn, NEW_STOCK, &changes.stock).await?;
    }
    put(conn, NEW_GRANTS, &changes.new_grants).await?;
    put(conn, GRANTS, &changes.grants).await?;
    // What ends goes first: one pending attempt per checkout.
    put(conn, ATTEMPTS, &changes.attempts).await?;
    put(conn, NEW_ATTEMPTS, &changes.new_attempts).await?;
    put(conn, ORDERS, &changes.orders).await?;
    put_some(conn, ORDER_LINES, &changes.orders).await?;
    put(conn, LINES, &changes.lines).await?;
    put_some(conn, OPERATIONS, &changes.operations).await?;
    put(conn, EVENTS, &changes.events).await?;
    put(conn, MOVEMENTS, &changes.movements).await?;
    let (old, new): (Vec<_>, Vec<_>) = changes
        .keys
        .iter()
        .partition(|key| seen_keys.contains(&(key.caller.clone(), key.key.clone())));
    put_some(conn, ANSWERS, &old).await?;
    put(conn, NEW_KEYS, &new).await
}

/// Writes every one of the rows. A row that was judged and cannot be found is a bug: nobody else
/// writes here.
async fn put<T: Serialize>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    rows: &[T],
) -> Result<(), sqlx::Error> {
    let written = put_some(conn, sql, rows).await?;
    if written == rows.len() as u64 {
        return Ok(());
    }
    Err(sqlx::Error::Protocol(format!("wrote {written} of {} rows: {sql}", rows.len())))
}

/// Writes those of the rows that apply; how many.
async fn put_some<T: Serialize>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    rows: &[T],
) -> Result<u64, sqlx::Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let rows = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(sqlx::query(sql).bind(rows).execute(conn).await?.rows_affected())
}

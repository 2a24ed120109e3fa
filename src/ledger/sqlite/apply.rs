//! What a judged batch writes: a statement per kind of row, the rows as one JSON array.
//!
//! All of them are one trigger on a view of the writer's own connection, so that a batch is handed
//! over once: SQLite has no stored procedures, and going back and forth between two threads for each
//! statement costs more than most of them. `jsonb_each` hands out each row in binary: `json_each`
//! would write it as text anew for every column that is taken from it, and a session is long.

use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::{collections::BTreeSet, fmt::Write};

use crate::ledger::changes::Changes;

/// A statement of the trigger.
struct Statement {
    /// The column its rows come in.
    rows: &'static str,
    sql: &'static str,
    /// Whether it must write every one of them: one that was judged and cannot be found is a bug,
    /// for nobody else writes here.
    all: bool,
}

const fn all(rows: &'static str, sql: &'static str) -> Statement {
    Statement { rows, sql, all: true }
}

const fn some(rows: &'static str, sql: &'static str) -> Statement {
    Statement { rows, sql, all: false }
}

/// The statements in their order.
const STATEMENTS: &[Statement] = &[
    all(
        "entries",
        "insert into entries (id, outcome, at)
    select value->>'$.id', value->'$.outcome', value->>'$.at' from jsonb_each(new.entries)",
    ),
    all(
        "new_sessions",
        "insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
    select value->>'$.checkout', value->>'$.version', value->>'$.state', value->>'$.expires_at',
           value->'$.body', value->>'$.updated_at', value->>'$.updated_at' from jsonb_each(new.new_sessions)",
    ),
    all(
        "sessions",
        "update sessions set version = x.value->>'$.version',
        state = x.value->>'$.state', expires_at = x.value->>'$.expires_at',
        body = x.value->'$.body', updated_at = x.value->>'$.updated_at'
    from jsonb_each(new.sessions) x
    where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1",
    ),
    all(
        "people",
        "insert into checkout_people (checkout_id, personal, updated_at)
    select value->>'$.checkout', value->>'$.personal', value->>'$.updated_at' from jsonb_each(new.people)
    where value->>'$.personal' is not null
    on conflict (checkout_id) do update
        set personal = excluded.personal, updated_at = excluded.updated_at",
    ),
    all(
        "heads",
        "update sessions set version = x.value->>'$.version',
        state = x.value->>'$.state', body = x.value->'$.body',
        updated_at = x.value->>'$.updated_at'
    from jsonb_each(new.heads) x
    where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1",
    ),
    all(
        "holds",
        "insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
    select value->>'$.checkout', value->>'$.sku', value->>'$.quantity', value->>'$.expires_at',
           value->>'$.pinned_by' from jsonb_each(new.holds) where true
    on conflict (checkout_id, sku) do update set quantity = excluded.quantity,
        expires_at = excluded.expires_at, pinned_by = excluded.pinned_by",
    ),
    all(
        "gone_holds",
        "delete from holds where (checkout_id, sku) in (
        select value->>'$[0]', value->>'$[1]' from jsonb_each(new.gone_holds))",
    ),
    some(
        "stock",
        "update stock set on_hand = on_hand + x.value->>'$.on_hand',
        unallocated = unallocated + x.value->>'$.unallocated'
    from jsonb_each(new.stock) x where sku = x.value->>'$.sku'",
    ),
    some(
        "stock",
        "insert into stock (sku, on_hand, unallocated)
    select value->>'$.sku', value->>'$.on_hand', value->>'$.unallocated' from jsonb_each(new.stock)
    where not exists (select 1 from stock where sku = value->>'$.sku')",
    ),
    all(
        "new_grants",
        "insert into stock_grants (id, sku, holder, granted, consumed, active)
    select value->>'$.id', value->>'$.sku', value->>'$.holder', value->>'$.granted',
           value->>'$.consumed', value->>'$.active' from jsonb_each(new.new_grants)",
    ),
    all(
        "grants",
        "update stock_grants set consumed = consumed + x.value->>'$.consumed',
        active = x.value->>'$.active'
    from jsonb_each(new.grants) x where stock_grants.id = x.value->>'$.id' and active",
    ),
    // What ends goes first: one pending attempt per checkout.
    all(
        "attempts",
        "update payment_attempts set state = x.value->>'$.state',
        authorization_id = x.value->>'$.authorization', code = x.value->>'$.code',
        watch_until = x.value->>'$.watch_until', settled_at = x.value->>'$.settled_at'
    from jsonb_each(new.attempts) x
    where payment_attempts.id = x.value->>'$.id' and payment_attempts.state = 'pending'",
    ),
    all(
        "new_attempts",
        "insert into payment_attempts (id, checkout_id, order_id, number, state,
        amount_minor, currency, gateway, deadline, watch_until, waiting_caller, waiting_key,
        created_at)
    select value->>'$.id', value->>'$.checkout', value->>'$.order', value->>'$.number',
           value->>'$.state', value->>'$.amount_minor', value->>'$.currency', value->>'$.gateway',
           value->>'$.deadline', value->>'$.watch_until', value->>'$.waiting[0]',
           value->>'$.waiting[1]', value->>'$.created_at' from jsonb_each(new.new_attempts)",
    ),
    all(
        "orders",
        "insert into orders (id, checkout_id, attempt_id, total_minor, currency, body,
        placed_at)
    select value->>'$.id', value->>'$.checkout', value->>'$.attempt', value->>'$.total_minor',
           value->>'$.currency', value->'$.body', value->>'$.placed_at' from jsonb_each(new.orders)",
    ),
    some(
        "orders",
        "insert into order_lines (order_id, line, sku, quantity,
        unit_price_minor, tracked)
    select o.value->>'$.id', l.value->>'$.line', l.value->>'$.sku', l.value->>'$.quantity',
           l.value->>'$.unit_price_minor', l.value->>'$.tracked'
    from jsonb_each(new.orders) o, jsonb_each(o.value, '$.lines') l",
    ),
    all(
        "lines",
        "update order_lines set shipped = shipped + x.value->>'$.shipped',
        returned = returned + x.value->>'$.returned',
        restocked = restocked + x.value->>'$.restocked'
    from jsonb_each(new.lines) x where order_id = x.value->>'$.order' and line = x.value->>'$.line'",
    ),
    some(
        "operations",
        "insert into payment_operations (id, attempt_id, kind, amount_minor,
        authorization_id, state, note, created_at, updated_at)
    select value->>'$.id', value->>'$.attempt', value->>'$.kind', value->>'$.amount_minor',
           value->>'$.authorization', value->>'$.state', value->>'$.note', value->>'$.at',
           value->>'$.at' from jsonb_each(new.operations) where true
    on conflict (id) do update set state = excluded.state, note = excluded.note,
        updated_at = excluded.updated_at
        where payment_operations.state = 'due'",
    ),
    all(
        "events",
        "insert into events (id, order_id, kind, body, at)
    select value->>'$.id', value->>'$.order', value->>'$.kind', value->'$.body', value->>'$.at'
    from jsonb_each(new.events) order by key",
    ),
    all(
        "movements",
        "insert into stock_movements (id, sku, kind, quantity, reason, order_id, line, at)
    select value->>'$.id', value->>'$.sku', value->>'$.kind', value->>'$.quantity',
           value->>'$.reason', value->>'$.order', value->>'$.line', value->>'$.at'
    from jsonb_each(new.movements)",
    ),
    some(
        "answers",
        "update idempotency_keys set
        answer_status = x.value->>'$.answer.status', answer_body = x.value->>'$.answer.body',
        answer_version = x.value->>'$.answer.version', answered_at = x.value->>'$.now'
    from jsonb_each(new.answers) x
    where caller = x.value->>'$.caller' and idempotency_keys.key = x.value->>'$.key'
      and answered_at is null
      and x.value->>'$.answer' is not null",
    ),
    all(
        "new_keys",
        "insert into idempotency_keys (caller, key, fingerprint, dialect,
        answer_status, answer_body, answer_version, created_at, answered_at)
    select value->>'$.caller', value->>'$.key', value->>'$.fingerprint', value->>'$.dialect',
           value->>'$.answer.status', value->>'$.answer.body', value->>'$.answer.version',
           value->>'$.now', iif(value->>'$.answer' is null, null, value->>'$.now')
    from jsonb_each(new.new_keys)",
    ),
];

/// The rows of a batch, in the order of [`INSERT`].
const COLUMNS: &str = "entries, new_sessions, sessions, people, heads, holds, gone_holds, stock,
    new_grants, grants, attempts, new_attempts, orders, lines, operations, events, movements,
    answers, new_keys";
const INSERT: &str = "insert into batch values (
    jsonb($1), jsonb($2), jsonb($3), jsonb($4), jsonb($5), jsonb($6), jsonb($7), jsonb($8),
    jsonb($9), jsonb($10), jsonb($11), jsonb($12), jsonb($13), jsonb($14), jsonb($15), jsonb($16),
    jsonb($17), jsonb($18), jsonb($19))";

/// Makes the view and its trigger, which live as long as the connection.
pub(super) async fn prepare(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let nothing = COLUMNS.split(',').map(|_| "null").collect::<Vec<_>>().join(", ");
    let view = format!("create temp view batch ({COLUMNS}) as select {nothing}");
    sqlx::query(AssertSqlSafe(view)).execute(&mut *conn).await?;
    let mut body = String::new();
    for Statement { rows, sql, all } in STATEMENTS {
        body.push_str(sql);
        body.push_str(";\n");
        if *all {
            let check = write!(
                body,
                "select raise(abort, 'not every row of {rows} was written')
                 where changes() <> json_array_length(new.{rows});\n"
            );
            check.map_err(|error| sqlx::Error::Encode(error.into()))?;
        }
    }
    let trigger = format!("create temp trigger apply instead of insert on batch begin {body} end");
    sqlx::query(AssertSqlSafe(trigger)).execute(conn).await.map(drop)
}

/// Writes the changes; the constraints have the last word. `seen_keys` are those that stood before.
pub(super) async fn apply(
    conn: &mut SqliteConnection,
    changes: &Changes,
    seen_keys: &BTreeSet<(String, String)>,
) -> Result<(), sqlx::Error> {
    let (new, old): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|row| row.version == 1);
    let people: Vec<_> = changes.sessions.iter().filter(|row| row.personal.is_some()).collect();
    let (answers, new_keys): (Vec<_>, Vec<_>) = changes
        .keys
        .iter()
        .partition(|key| seen_keys.contains(&(key.caller.clone(), key.key.clone())));
    let query = sqlx::query(INSERT)
        .bind(rows(&changes.entries)?)
        .bind(rows(&new)?)
        .bind(rows(&old)?)
        .bind(rows(&people)?)
        .bind(rows(&changes.heads)?)
        .bind(rows(&changes.holds)?)
        .bind(rows(&changes.gone_holds)?)
        .bind(rows(&changes.stock)?)
        .bind(rows(&changes.new_grants)?)
        .bind(rows(&changes.grants)?)
        .bind(rows(&changes.attempts)?)
        .bind(rows(&changes.new_attempts)?)
        .bind(rows(&changes.orders)?)
        .bind(rows(&changes.lines)?)
        .bind(rows(&changes.operations)?)
        .bind(rows(&changes.events)?)
        .bind(rows(&changes.movements)?)
        .bind(rows(&answers)?)
        .bind(rows(&new_keys)?);
    query.execute(conn).await.map(drop)
}

/// The rows as one array; none is null, which the statements pass over.
fn rows<T: Serialize>(rows: &[T]) -> Result<Option<String>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(rows).map(Some).map_err(|error| sqlx::Error::Encode(error.into()))
}

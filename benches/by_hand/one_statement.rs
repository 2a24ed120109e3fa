//! The same facts, each as a single statement that commits by itself: one round trip instead of
//! nine. What can be had from the database without grouping, at the price of a statement that
//! cannot say which of its parts did not apply.

use sqlx::{Executor, PgConnection};

use super::sale::Sale;

/// A unit too many breaks `stock_unallocated_not_negative`, and nothing is written.
const BEGIN: &str = "
    with entry as (insert into entries (id, outcome, at) values ($1, $2::json, $3)),
    session as (
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        values ($4, 1, 'completing', $5, $6::json, $3, $3)),
    person as (
        insert into checkout_people (checkout_id, personal, updated_at) values ($4, $7, $3)),
    hold as (
        insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
        values ($4, $8, $9, $10, $11)),
    attempt as (
        insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor,
            currency, gateway, deadline, waiting_caller, waiting_key, created_at)
        values ($11, $4, $12, 1, 'pending', $13, $14, 'sandbox', $15, $16, $17, $3)),
    key as (
        insert into idempotency_keys (caller, key, fingerprint, dialect, created_at)
        values ($16, $17, $18, $19, $3))
    update stock set unallocated = unallocated - $9 where sku = $8";

/// Without a pending attempt there is no row to make the order from, and its line's foreign key
/// breaks.
const PLACE: &str = "
    with attempt as (
        update payment_attempts set state = 'authorized', authorization_id = $2, settled_at = $3
        where id = $1 and state = 'pending' returning id),
    hold as (delete from holds where checkout_id = $4 and sku = $5 and pinned_by = $1),
    session as (
        update sessions set version = 2, state = 'completed', body = $6::json, updated_at = $3
        where id = $4 and version = 1),
    placed as (
        insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
        select $7, $4, id, $8, $9, $6::json, $3 from attempt),
    line as (
        insert into order_lines (order_id, line, sku, quantity, unit_price_minor, tracked)
        values ($7, 1, $5, $10, $11, true)),
    debt as (
        insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id,
            state, note, created_at, updated_at)
        values ($12, $1, 'capture', $8, $2, 'due', '', $3, $3)),
    event as (
        insert into events (id, order_id, kind, body, at)
        values ($13, $7, 'order.placed', $6::json, $3)),
    answer as (
        update idempotency_keys set answer_status = $14, answer_body = $15, answer_version = $16,
            answered_at = $3
        where caller = $17 and key = $18 and answered_at is null)
    insert into entries (id, outcome, at) values ($19, $20::json, $3)";

/// T1.
pub(crate) async fn begin(conn: &mut PgConnection, sale: &Sale) -> Result<(), sqlx::Error> {
    let (session, line, key) = (&sale.begun, sale.line(), &sale.key);
    let query = sqlx::query(BEGIN)
        .bind(sale.begin_id().as_str().to_owned())
        .bind(sale.begin_outcome())
        .bind(session.created_at.to_offset())
        .bind(sale.checkout().uuid())
        .bind(session.expires_at.to_offset())
        .bind(sale.begun_body.get())
        .bind(sale.personal.stored())
        .bind(line.sku.as_str())
        .bind(line.quantity.cast_signed())
        .bind(session.hold_until.to_offset())
        .bind(sale.attempt.uuid())
        .bind(sale.order().uuid())
        .bind(sale.total().minor())
        .bind(session.currency.code())
        .bind(sale.deadline().to_offset())
        .bind(&key.caller)
        .bind(&key.key)
        .bind(&key.fingerprint)
        .bind(&key.dialect);
    conn.execute(query).await.map(drop)
}

/// T2.
pub(crate) async fn place(
    conn: &mut PgConnection,
    sale: &Sale,
    authorization: &str,
) -> Result<(), sqlx::Error> {
    let line = sale.line();
    let query = sqlx::query(PLACE)
        .bind(sale.attempt.uuid())
        .bind(authorization)
        .bind(sale.done.created_at.to_offset())
        .bind(sale.checkout().uuid())
        .bind(line.sku.as_str())
        .bind(sale.done_body.get())
        .bind(sale.order().uuid())
        .bind(sale.total().minor())
        .bind(sale.done.currency.code())
        .bind(line.quantity.cast_signed())
        .bind(line.unit_price.minor())
        .bind(sale.capture(authorization).id.uuid())
        .bind(sale.event.uuid())
        .bind(i32::from(sale.answer.status))
        .bind(sale.answer.body.stored())
        .bind(sale.answer.version.cast_signed())
        .bind(&sale.key.caller)
        .bind(&sale.key.key)
        .bind(sale.place_id().as_str().to_owned())
        .bind(sale.place_outcome());
    conn.execute(query).await.map(drop)
}

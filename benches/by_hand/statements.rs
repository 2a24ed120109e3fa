//! The facts of a sale as a careful engineer writes them by hand: one transaction each, prepared
//! statements, the hot row locked last.

use sqlx::{Connection, PgConnection};

use super::sale::Sale;

const ENTRY: &str = "insert into entries (id, outcome, at) values ($1, $2::json, $3)";
const SESSION: &str = "
    insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
    values ($1, 1, 'completing', $2, $3::json, $4, $4)";
const PERSON: &str = "
    insert into checkout_people (checkout_id, personal, updated_at) values ($1, $2, $3)";
const HOLD: &str = "
    insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
    values ($1, $2, $3, $4, $5)";
const ATTEMPT: &str = "
    insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor, currency,
        gateway, deadline, waiting_caller, waiting_key, created_at)
    values ($1, $2, $3, 1, 'pending', $4, $5, 'sandbox', $6, $7, $8, $9)";
const KEY: &str = "
    insert into idempotency_keys (caller, key, fingerprint, dialect, created_at)
    values ($1, $2, $3, $4, $5)";
const TAKE: &str = "
    update stock set unallocated = unallocated - $2 where sku = $1 and unallocated >= $2";

const AUTHORIZED: &str = "
    update payment_attempts set state = 'authorized', authorization_id = $2, settled_at = $3
    where id = $1 and state = 'pending'";
const SOLD: &str = "delete from holds where checkout_id = $1 and sku = $2 and pinned_by = $3";
const COMPLETED: &str = "
    update sessions set version = 2, state = 'completed', body = $2::json, updated_at = $3
    where id = $1 and version = 1";
const ORDER: &str = "
    insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
    values ($1, $2, $3, $4, $5, $6::json, $7)";
const LINE: &str = "
    insert into order_lines (order_id, line, sku, quantity, unit_price_minor, tracked)
    values ($1, 1, $2, $3, $4, true)";
const DEBT: &str = "
    insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id, state,
        note, created_at, updated_at)
    values ($1, $2, 'capture', $3, $4, 'due', '', $5, $5)";
const EVENT: &str = "
    insert into events (id, order_id, kind, body, at) values ($1, $2, $3, $4::json, $5)";
const ANSWER: &str = "
    update idempotency_keys set answer_status = $3, answer_body = $4, answer_version = $5,
        answered_at = $6
    where caller = $1 and key = $2 and answered_at is null";
const CAPTURED: &str = "
    update payment_operations set state = 'done', updated_at = $2 where id = $1 and state = 'due'";

/// T1: session, person, hold, attempt, key and entry; the unit comes from the stock row.
pub(crate) async fn begin(conn: &mut PgConnection, sale: &Sale) -> Result<(), sqlx::Error> {
    let (session, line) = (&sale.begun, sale.line());
    let (checkout, now) = (sale.checkout().uuid(), session.created_at.to_offset());
    let quantity = line.quantity.cast_signed();
    let key = &sale.key;
    let mut tx = conn.begin().await?;
    let entry = sqlx::query(ENTRY).bind(sale.begin_id().as_str().to_owned());
    entry.bind(sale.begin_outcome()).bind(now).execute(&mut *tx).await?;
    let session_row = sqlx::query(SESSION).bind(checkout).bind(session.expires_at.to_offset());
    session_row.bind(sale.begun_body.get()).bind(now).execute(&mut *tx).await?;
    let person = sqlx::query(PERSON).bind(checkout).bind(sale.personal.stored()).bind(now);
    person.execute(&mut *tx).await?;
    let hold = sqlx::query(HOLD).bind(checkout).bind(line.sku.as_str()).bind(quantity);
    let hold = hold.bind(session.hold_until.to_offset()).bind(sale.attempt.uuid());
    hold.execute(&mut *tx).await?;
    let attempt = sqlx::query(ATTEMPT).bind(sale.attempt.uuid()).bind(checkout);
    let attempt = attempt.bind(sale.order().uuid()).bind(sale.total().minor());
    let attempt = attempt.bind(session.currency.code()).bind(sale.deadline().to_offset());
    attempt.bind(&key.caller).bind(&key.key).bind(now).execute(&mut *tx).await?;
    let claim = sqlx::query(KEY).bind(&key.caller).bind(&key.key).bind(&key.fingerprint);
    claim.bind(&key.dialect).bind(now).execute(&mut *tx).await?;
    let take = sqlx::query(TAKE).bind(line.sku.as_str()).bind(i64::from(line.quantity));
    one(take.execute(&mut *tx).await?.rows_affected())?;
    tx.commit().await
}

/// T2: the order with its line, debt and event; the hold is sold, attempt and session are settled,
/// the key is answered.
pub(crate) async fn place(
    conn: &mut PgConnection,
    sale: &Sale,
    authorization: &str,
) -> Result<(), sqlx::Error> {
    let (line, attempt, order) = (sale.line(), sale.attempt.uuid(), sale.order().uuid());
    let (checkout, now) = (sale.checkout().uuid(), sale.done.created_at.to_offset());
    let (body, total) = (sale.done_body.get(), sale.total().minor());
    let debt = sale.capture(authorization);
    let mut tx = conn.begin().await?;
    let settled = sqlx::query(AUTHORIZED).bind(attempt).bind(authorization).bind(now);
    one(settled.execute(&mut *tx).await?.rows_affected())?;
    let sold = sqlx::query(SOLD).bind(checkout).bind(line.sku.as_str()).bind(attempt);
    one(sold.execute(&mut *tx).await?.rows_affected())?;
    let completed = sqlx::query(COMPLETED).bind(checkout).bind(body).bind(now);
    one(completed.execute(&mut *tx).await?.rows_affected())?;
    let placed = sqlx::query(ORDER).bind(order).bind(checkout).bind(attempt).bind(total);
    let placed = placed.bind(sale.done.currency.code()).bind(body).bind(now);
    placed.execute(&mut *tx).await?;
    let line_row = sqlx::query(LINE).bind(order).bind(line.sku.as_str());
    let line_row = line_row.bind(line.quantity.cast_signed()).bind(line.unit_price.minor());
    line_row.execute(&mut *tx).await?;
    let owed = sqlx::query(DEBT).bind(debt.id.uuid()).bind(attempt).bind(debt.amount_minor);
    owed.bind(authorization).bind(now).execute(&mut *tx).await?;
    let event = sqlx::query(EVENT).bind(sale.event.uuid()).bind(order).bind("order.placed");
    event.bind(body).bind(now).execute(&mut *tx).await?;
    let answer = sqlx::query(ANSWER).bind(&sale.key.caller).bind(&sale.key.key);
    let answer = answer.bind(i32::from(sale.answer.status)).bind(sale.answer.body.stored());
    let answer = answer.bind(sale.answer.version.cast_signed()).bind(now);
    one(answer.execute(&mut *tx).await?.rows_affected())?;
    let entry = sqlx::query(ENTRY).bind(sale.place_id().as_str().to_owned());
    entry.bind(sale.place_outcome()).bind(now).execute(&mut *tx).await?;
    tx.commit().await
}

/// T3: the debt is paid, and the world hears of it.
pub(crate) async fn captured(
    conn: &mut PgConnection,
    sale: &Sale,
    event: uuid::Uuid,
) -> Result<(), sqlx::Error> {
    let (debt, now) = (sale.capture(""), sale.done.created_at.to_offset());
    let body = serde_json::json!({ "order": sale.order(), "amount_minor": debt.amount_minor,
        "currency": sale.done.currency });
    let mut tx = conn.begin().await?;
    let done = sqlx::query(CAPTURED).bind(debt.id.uuid()).bind(now);
    one(done.execute(&mut *tx).await?.rows_affected())?;
    let heard = sqlx::query(EVENT).bind(event).bind(sale.order().uuid());
    let heard = heard.bind("payment.captured").bind(body.to_string()).bind(now);
    heard.execute(&mut *tx).await?;
    let entry = sqlx::query(ENTRY).bind(format!("{}/payment.captured", debt.id));
    entry.bind(r#"{"Ok":"written"}"#).bind(now).execute(&mut *tx).await?;
    tx.commit().await
}

/// One row was changed; else somebody else was quicker, or there is nothing left.
fn one(changed: u64) -> Result<(), sqlx::Error> {
    if changed == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

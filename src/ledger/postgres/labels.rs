//! What was found out about orders.

use sqlx::PgConnection;

use crate::ledger::review::NewLabel;

const INSERT: &str = "insert into labels
        (order_id, fraud, source, at, author, reason, note, amount_minor, currency)
    select x.order_id, x.fraud, x.source, x.at, x.author, x.reason, x.note, x.amount, x.currency
    from unnest($1::uuid[], $2::boolean[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
        $7::text[], $8::bigint[], $9::text[])
        with ordinality as x(order_id, fraud, source, at, author, reason, note, amount, currency, n)
    order by x.n";

/// Keeps labels: seldom, and so in a statement of its own.
pub(super) async fn insert(
    conn: &mut PgConnection,
    labels: &[NewLabel],
    kept: bool,
) -> Result<(), sqlx::Error> {
    if labels.is_empty() {
        return Ok(());
    }
    let amount = |label: &NewLabel| label.details.amount.map(|amount| amount.amount_minor);
    let currency = |label: &NewLabel| label.details.amount.map(|amount| amount.currency.code());
    sqlx::query(INSERT)
        .persistent(kept)
        .bind(labels.iter().map(|label| label.order.uuid()).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.fraud).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.source.as_str()).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.at.to_offset()).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.details.author.as_deref()).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.details.reason.as_deref()).collect::<Vec<_>>())
        .bind(labels.iter().map(|label| label.details.note.as_deref()).collect::<Vec<_>>())
        .bind(labels.iter().map(amount).collect::<Vec<_>>())
        .bind(labels.iter().map(currency).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

//! What is kept only for a while, and what the ledger says about itself.

use futures_util::future::BoxFuture;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::Postgres;
use crate::{
    base::{CheckoutId, Person, Sealed, Timestamp},
    ledger::store::{Figures, LedgerFault, Purged, RetainSince},
};

const PURGE_KEYS: &str = "
    delete from idempotency_keys where (caller, key) in (
        select caller, key from idempotency_keys
        where created_at < $1 and answered_at is not null limit $2 for update skip locked)";
const PURGE_SESSIONS: &str = "
    delete from sessions where id in (
        select s.id from sessions s
        where s.ended_at < $1
          and not exists (select from orders o where o.id = s.id)
          and not exists (select from holds h where h.checkout_id = s.id)
        order by s.ended_at limit $2 for update skip locked)
    returning id";
const PURGE_PEOPLE: &str = "delete from checkout_people where checkout_id = any($1)";
const PURGE_ENTRIES: &str = "
    delete from entries where id in (select id from entries where at < $1 limit $2)";
const PURGE_EVENTS: &str = "
    delete from events where id in (
        select id from events where sent_at < $1 order by sent_at limit $2)";

const RAW_SIGNALS: &str = "
    select p.checkout_id, p.personal from checkout_people p join sessions s on s.id = p.checkout_id
    where p.raw_signals and p.checkout_id < $1
      and s.state in ('completed', 'canceled', 'expired') and s.updated_at < $2
    order by p.checkout_id limit $3 for update of p skip locked";
const WITHOUT_RAW_SIGNALS: &str = "
    update checkout_people p set personal = x.personal, raw_signals = false
    from unnest($1::uuid[], $2::text[]) as x(id, personal) where p.checkout_id = x.id";

const FIGURES: &str = "
    select json_build_object(
        'orders', (select count(*) from orders),
        'lines', (select count(*) from order_lines),
        'units', (select coalesce(sum(quantity), 0) from order_lines),
        'skus', (select count(*) from stock),
        'holds', (select count(*) from holds),
        'sessions', (select json_build_array(
            count(*) filter (where state = 'open'),
            count(*) filter (where state = 'completing'),
            count(*) filter (where state = 'completed'),
            count(*) filter (where state = 'canceled'),
            count(*) filter (where state = 'expired')) from sessions),
        'orphans', (select count(*) from sessions s full join orders o on o.id = s.id
            where (s.state = 'completed' and o.id is null)
               or (o.id is not null and s.state is distinct from 'completed')),
        'dead_holds', (select count(*) from holds h left join sessions s on s.id = h.checkout_id
            where s.id is null or s.state in ('completed', 'canceled', 'expired')),
        'stray_pins', (select count(*) from holds h
            left join payment_attempts a on a.id = h.pinned_by
            where h.pinned_by is not null and a.state is distinct from 'pending'),
        'unpaid_orders', (select count(*) from orders o where 1 <> (
            select count(*) from payment_attempts a
            where a.order_id = o.id and a.checkout_id = o.checkout_id
              and a.state = 'authorized'))
    )::text where $1 is not null";

impl Postgres {
    pub(super) async fn purge_old(
        &self,
        since: RetainSince,
        limit: u32,
    ) -> Result<Purged, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| -> BoxFuture<'_, _> { Box::pin(purge(conn, since, limit, kept)) })
            .await
    }

    pub(super) async fn purge_signals(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| -> BoxFuture<'_, _> {
            Box::pin(purge_signals(conn, before, limit, kept))
        })
        .await
    }

    pub(super) async fn count_all(&self) -> Result<Figures, LedgerFault> {
        let figures = self.find(FIGURES, json!({})).await?;
        figures.ok_or_else(|| LedgerFault::Broken("the figures are missing".into()))
    }
}

async fn purge(
    conn: &mut PgConnection,
    since: RetainSince,
    limit: u32,
    kept: bool,
) -> Result<Purged, sqlx::Error> {
    let limit = i64::from(limit);
    let cut = since.sessions.to_offset();
    let mut tx = conn.begin().await?;
    let keys = sqlx::query(PURGE_KEYS).bind(since.keys.to_offset()).bind(limit);
    let keys = keys.persistent(kept).execute(&mut *tx).await?.rows_affected();
    let ended = sqlx::query_scalar(PURGE_SESSIONS).bind(cut).bind(limit);
    let ended: Vec<uuid::Uuid> = ended.persistent(kept).fetch_all(&mut *tx).await?;
    sqlx::query(PURGE_PEOPLE).bind(&ended).persistent(kept).execute(&mut *tx).await?;
    let entries = sqlx::query(PURGE_ENTRIES).bind(cut).bind(limit).persistent(kept);
    let entries = entries.execute(&mut *tx).await?.rows_affected();
    let events = sqlx::query(PURGE_EVENTS).bind(since.events.to_offset()).bind(limit);
    let events = events.persistent(kept).execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(Purged { keys, sessions: ended.len() as u64, events, entries })
}

async fn purge_signals(
    conn: &mut PgConnection,
    before: Timestamp,
    limit: u32,
    kept: bool,
) -> Result<u64, sqlx::Error> {
    let mut tx = conn.begin().await?;
    let old = sqlx::query_as(RAW_SIGNALS)
        .bind(CheckoutId::least_at(before).uuid())
        .bind(before.to_offset())
        .bind(i64::from(limit));
    let old: Vec<(uuid::Uuid, String)> = old.persistent(kept).fetch_all(&mut *tx).await?;
    let (mut ids, mut people) = (Vec::with_capacity(old.len()), Vec::with_capacity(old.len()));
    for (id, stored) in old {
        ids.push(id);
        people.push(without_raw_signals(stored)?);
    }
    if !ids.is_empty() {
        let written = sqlx::query(WITHOUT_RAW_SIGNALS).bind(&ids).bind(&people);
        written.persistent(kept).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(ids.len() as u64)
}

fn without_raw_signals(stored: String) -> Result<String, sqlx::Error> {
    let person = Person::without_raw_signals(&Sealed::from_stored(stored));
    let person = person.map_err(|fault| sqlx::Error::Decode(fault.into()))?;
    Ok(person.stored().to_owned())
}

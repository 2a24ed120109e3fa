//! What is kept only for a while, and what the ledger says about itself.

use futures_util::future::BoxFuture;
use serde_json::json;
use sqlx::SqliteConnection;

use super::Sqlite;
use crate::{
    base::{CheckoutId, Person, Sealed, Timestamp},
    ledger::store::{Figures, LedgerFault, Purged, RetainSince},
};

const PURGE_KEYS: &str = "
    delete from idempotency_keys where (caller, key) in (
        select caller, key from idempotency_keys where answered_at < $1
        order by answered_at limit $2)";
const PURGE_SESSIONS: &str = "
    delete from sessions where id in (
        select s.id from sessions s
        where s.state in ('canceled', 'expired') and s.updated_at < $1
          and not exists (select 1 from orders o where o.checkout_id = s.id)
          and not exists (select 1 from holds h where h.checkout_id = s.id)
        order by s.updated_at limit $2)
    returning id";
const PURGE_PEOPLE: &str =
    "delete from checkout_people where checkout_id in (select value from json_each($1))";
const PURGE_ENTRIES: &str = "
    delete from entries where rowid in (
        select rowid from (select rowid, at from entries order by rowid limit $2) where at < $1)";
const PURGE_EVENTS: &str = "
    delete from events where seq in (
        select seq from events where sent_at < $1 order by sent_at limit $2)";

const RAW_SIGNALS: &str = "
    select p.checkout_id, p.personal from checkout_people p join sessions s on s.id = p.checkout_id
    where p.raw_signals and p.checkout_id < $1
      and s.state in ('completed', 'canceled', 'expired') and s.updated_at < $2
    order by p.checkout_id limit $3";
const WITHOUT_RAW_SIGNALS: &str = "
    update checkout_people set personal = x.value->>1, raw_signals = 0
    from json_each($1) x where checkout_people.checkout_id = x.value->>0";

const FIGURES: &str = "
    select json_object(
        'orders', (select count(*) from orders),
        'lines', (select count(*) from order_lines),
        'units', (select coalesce(sum(quantity), 0) from order_lines),
        'skus', (select count(*) from stock),
        'holds', (select count(*) from holds),
        'sessions', json((select json_array(
            count(*) filter (where state = 'open'),
            count(*) filter (where state = 'completing'),
            count(*) filter (where state = 'completed'),
            count(*) filter (where state = 'canceled'),
            count(*) filter (where state = 'expired')) from sessions)),
        'orphans', (select count(*) from sessions s full join orders o on o.checkout_id = s.id
            where (s.state = 'completed' and o.id is null)
               or (o.id is not null and s.state is not 'completed')),
        'dead_holds', (select count(*) from holds h left join sessions s on s.id = h.checkout_id
            where s.id is null or s.state in ('completed', 'canceled', 'expired')),
        'stray_pins', (select count(*) from holds h
            left join payment_attempts a on a.id = h.pinned_by
            where h.pinned_by is not null and a.state is not 'pending'),
        'unpaid_orders', (select count(*) from orders o where 1 <> (
            select count(*) from payment_attempts a
            where a.order_id = o.id and a.checkout_id = o.checkout_id
              and a.state = 'authorized'))
    ) where $1 is not null";

impl Sqlite {
    pub(super) async fn purge_old(
        &self,
        since: RetainSince,
        limit: u32,
    ) -> Result<Purged, LedgerFault> {
        self.write(move |conn| -> BoxFuture<'_, _> { Box::pin(purge(conn, since, limit)) }).await
    }

    pub(super) async fn purge_signals(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerFault> {
        self.write(move |conn| -> BoxFuture<'_, _> { Box::pin(purge_signals(conn, before, limit)) })
            .await
    }

    pub(super) async fn count_all(&self) -> Result<Figures, LedgerFault> {
        let figures = self.find(FIGURES, json!({})).await?;
        figures.ok_or_else(|| LedgerFault::Broken("the figures are missing".into()))
    }
}

async fn purge(
    conn: &mut SqliteConnection,
    since: RetainSince,
    limit: u32,
) -> Result<Purged, sqlx::Error> {
    let limit = i64::from(limit);
    let (keys, cut) = (since.keys.to_string(), since.sessions.to_string());
    let keys = sqlx::query(PURGE_KEYS).bind(keys).bind(limit).execute(&mut *conn).await?;
    let ended = sqlx::query_scalar(PURGE_SESSIONS).bind(&cut).bind(limit);
    let ended: Vec<String> = ended.fetch_all(&mut *conn).await?;
    let people = serde_json::json!(ended).to_string();
    sqlx::query(PURGE_PEOPLE).bind(people).execute(&mut *conn).await?;
    let entries = sqlx::query(PURGE_ENTRIES).bind(cut).bind(limit).execute(&mut *conn).await?;
    let events = sqlx::query(PURGE_EVENTS).bind(since.events.to_string()).bind(limit);
    let events = events.execute(conn).await?.rows_affected();
    Ok(Purged {
        keys: keys.rows_affected(),
        sessions: ended.len() as u64,
        events,
        entries: entries.rows_affected(),
    })
}

async fn purge_signals(
    conn: &mut SqliteConnection,
    before: Timestamp,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    let old = sqlx::query_as(RAW_SIGNALS)
        .bind(CheckoutId::least_at(before).to_string())
        .bind(before.to_string())
        .bind(i64::from(limit));
    let old: Vec<(String, String)> = old.fetch_all(&mut *conn).await?;
    let mut people = Vec::with_capacity(old.len());
    for (id, stored) in old {
        let person = Person::without_raw_signals(&Sealed::from_stored(stored));
        people.push((id, person.map_err(|fault| sqlx::Error::Decode(fault.into()))?));
    }
    let count = people.len() as u64;
    let people = serde_json::json!(people).to_string();
    sqlx::query(WITHOUT_RAW_SIGNALS).bind(people).execute(conn).await?;
    Ok(count)
}

//! What a batch must see. The one writer has the database to itself, so nothing needs a lock and
//! the order of the statements is free; those with nothing to look for are left out.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    base::{CheckoutId, Sku},
    ledger::{
        row::HoldRow,
        world::{Ask, World},
    },
};

const ENTRIES: &str = "select json_object('id', id, 'outcome', json(outcome)) from entries
    where id in (select value from json_each($1))";
const LIVE: &str = "select json_quote(id) from replicas
    where state = 'live' and id in (select value from json_each($1))";
const REPLICAS: &str =
    "select json(count(*)) from replicas where state = 'live' and $1 is not null";
const ATTEMPTS: &str =
    "select record from attempt_rows where id in (select value from json_each($1))";
const SESSIONS: &str =
    "select json_object('checkout', id, 'version', version, 'state', state) from sessions
    where id in (select value from json_each($1))";
const HOLDS: &str =
    "select record from hold_rows where checkout_id in (select value from json_each($1))";
const STALE_HOLDS: &str = "select r.record from holds h
    join hold_rows r on r.checkout_id = h.checkout_id and r.sku = h.sku
    where h.sku in (select value from json_each($1, '$.skus'))
      and h.pinned_by is null and h.expires_at <= $1->>'$.now'";
const STOCK: &str =
    "select json_object('sku', sku, 'on_hand', on_hand, 'unallocated', unallocated) from stock
    where sku in (select value from json_each($1))";
const STOCK_OF_GRANTS: &str = "select json_quote(sku) from stock_grants
    where id in (select value from json_each($1))";
const GRANTS: &str = "select record from grant_rows where id in (select value from json_each($1))";
const GRANTS_OF: &str =
    "select record from grant_rows where active and sku in (select value from json_each($1))";
const PROMISED: &str = "select json_object('sku', x.value, 'units',
        (select coalesce(sum(quantity), 0) from holds where sku = x.value)
        + (select coalesce(sum(quantity - shipped - restocked), 0) from order_lines
           where sku = x.value and tracked and shipped + restocked < quantity))
    from json_each($1) x";
const LINES: &str = "select json_object('order', l.order_id, 'line', l.line, 'sku', l.sku,
        'quantity', l.quantity, 'tracked', json(iif(l.tracked, 'true', 'false')),
        'shipped', l.shipped, 'returned', l.returned, 'restocked', l.restocked)
    from json_each($1) x
    join order_lines l on l.order_id = x.value->>'$[0]' and l.line = x.value->>'$[1]'";
const OPERATIONS: &str =
    "select record from operation_rows where id in (select value from json_each($1))";
const KEYS: &str = "select k.record from json_each($1) x
    join key_rows k on k.caller = x.value->>'$[0]' and k.key = x.value->>'$[1]'";

/// Reads everything a batch concerns.
pub(super) async fn read(conn: &mut SqliteConnection, ask: &Ask) -> Result<World, sqlx::Error> {
    let mut world =
        World { entries: among(conn, ENTRIES, &ask.entries).await?, ..World::default() };
    if !ask.holders.is_empty() {
        world.live = among(conn, LIVE, &ask.holders).await?;
        world.replicas = rows(conn, REPLICAS, &()).await?.pop().unwrap_or(0);
    }
    world.attempts = among(conn, ATTEMPTS, &ask.attempts).await?;
    let mut sessions = ask.sessions.clone();
    sessions.extend(world.attempts.iter().map(|attempt| attempt.checkout));
    world.sessions = among(conn, SESSIONS, &sessions).await?;
    let mut owners = sessions;
    owners.extend(ask.holds.iter().map(|(checkout, _)| *checkout));
    world.holds = among(conn, HOLDS, &owners).await?;
    world.lines = among(conn, LINES, &ask.lines).await?;
    world.operations = among(conn, OPERATIONS, &ask.operations).await?;
    read_stock(conn, ask, &mut world).await?;
    let mut keys = ask.keys.clone();
    keys.extend(world.attempts.iter().filter_map(|attempt| attempt.waiting.clone()));
    world.keys = among(conn, KEYS, &keys).await?;
    Ok(world)
}

async fn read_stock(
    conn: &mut SqliteConnection,
    ask: &Ask,
    world: &mut World,
) -> Result<(), sqlx::Error> {
    let mut stock = moved_stock(ask, world);
    stock.extend(among(conn, STOCK_OF_GRANTS, &ask.closing).await?);
    world.stock = among(conn, STOCK, &stock).await?;
    let short = short_stock(ask, world);
    let grants_of: BTreeSet<&Sku> = short.iter().chain(&ask.grants_of).collect();
    world.grants = among(conn, GRANTS, &ask.grants).await?;
    for grant in among(conn, GRANTS_OF, &grants_of).await? {
        if !world.grants.contains(&grant) {
            world.grants.push(grant);
        }
    }
    world.promised = among(conn, PROMISED, &ask.grants_of).await?;
    if !short.is_empty() {
        let stale = serde_json::json!({ "skus": short, "now": ask.now });
        for hold in rows::<HoldRow>(conn, STALE_HOLDS, &stale).await? {
            if !world.holds.contains(&hold) {
                world.holds.push(hold);
            }
        }
    }
    Ok(())
}

/// SKUs whose stock row the batch may write.
fn moved_stock(ask: &Ask, world: &World) -> BTreeSet<Sku> {
    let held = held(world);
    let mut skus: BTreeSet<Sku> = ask.stock.union(&ask.grants_of).cloned().collect();
    skus.extend(ask.holds.iter().map(|(_, sku)| sku.clone()));
    skus.extend(world.lines.iter().map(|line| line.sku.clone()));
    let mut kept: BTreeSet<(CheckoutId, &Sku)> = BTreeSet::new();
    for wanted in &ask.wanted {
        let covered = held.get(&(wanted.checkout, &wanted.sku)).copied().unwrap_or(0);
        if wanted.quantity < covered || (wanted.direct && wanted.quantity > covered) {
            skus.insert(wanted.sku.clone());
        }
        kept.insert((wanted.checkout, &wanted.sku));
    }
    let released = world.holds.iter().filter(|hold| {
        ask.sessions.contains(&hold.checkout) && !kept.contains(&(hold.checkout, &hold.sku))
    });
    skus.extend(released.map(|hold| hold.sku.clone()));
    skus
}

/// SKUs of which more is wanted directly than is free; also those the batch moves or grants at the
/// same time, which the sum does not see. Their grants and stale holds matter as well.
fn short_stock(ask: &Ask, world: &World) -> BTreeSet<Sku> {
    let held = held(world);
    let mut missing: BTreeMap<&Sku, i64> = BTreeMap::new();
    for wanted in ask.wanted.iter().filter(|wanted| wanted.direct) {
        let covered = held.get(&(wanted.checkout, &wanted.sku)).copied().unwrap_or(0);
        if wanted.quantity > covered {
            *missing.entry(&wanted.sku).or_default() += i64::from(wanted.quantity - covered);
        }
    }
    let free =
        |sku: &Sku| world.stock.iter().find(|row| row.sku == *sku).map_or(0, |row| row.unallocated);
    let is_short = |(sku, units): &(&Sku, i64)| *units > free(sku) || ask.stock.contains(*sku);
    missing.into_iter().filter(is_short).map(|(sku, _)| sku.clone()).collect()
}

fn held(world: &World) -> BTreeMap<(CheckoutId, &Sku), u32> {
    world.holds.iter().map(|hold| ((hold.checkout, &hold.sku), hold.quantity)).collect()
}

/// The records of these keys; nothing is asked for none.
async fn among<K: Serialize, T: DeserializeOwned>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    keys: &BTreeSet<K>,
) -> Result<Vec<T>, sqlx::Error> {
    if keys.is_empty() { Ok(Vec::new()) } else { rows(conn, sql, keys).await }
}

/// The records a statement finds.
pub(super) async fn rows<T: DeserializeOwned>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    parameter: &impl Serialize,
) -> Result<Vec<T>, sqlx::Error> {
    let parameter =
        serde_json::to_string(parameter).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let texts: Vec<String> = sqlx::query_scalar(sql).bind(parameter).fetch_all(conn).await?;
    let read = texts.iter().map(|text| serde_json::from_str(text));
    read.collect::<Result<_, _>>().map_err(|error| sqlx::Error::Decode(error.into()))
}

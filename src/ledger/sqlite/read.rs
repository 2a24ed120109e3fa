//! What a batch must see. The one writer has the database to itself, so nothing needs a lock and
//! the order of the statements is free: first what the batch names, then the stock that follows
//! from it, then, where that is too little, who has the rest.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    base::{CheckoutId, Sku},
    ledger::world::{Ask, World},
};

/// What the keys of a batch lead to. Every column gathers its records into one text: each row that
/// is handed out wakes the one who waits for it, so one row is far cheaper than a hundred.
const WORLD: &str = "
    with attempts (id, checkout, caller, key) as materialized (
        select id, checkout_id, waiting_caller, waiting_key from payment_attempts
        where id in (select value from json_each($3))),
    asked (id) as materialized (
        select value from json_each($4) union select checkout from attempts),
    owners (id) as materialized (
        select id from asked union select value from json_each($5)),
    wanted (caller, key) as materialized (
        select value->>'$[0]', value->>'$[1]' from json_each($6)
        union select caller, key from attempts where key is not null)
    select
        (select group_concat(json_object('id', id, 'outcome', json(outcome)), ' ') from entries
            where id in (select value from json_each($1))) as entries,
        (select group_concat(json_quote(id), ' ') from replicas
            where state = 'live' and id in (select value from json_each($2))) as live,
        (select count(*) from replicas where state = 'live' and $2 <> '[]') as replicas,
        (select group_concat(record, ' ') from attempt_rows
            where id in (select id from attempts)) as attempts,
        (select group_concat(json_object('checkout', id, 'version', version, 'state', state), ' ')
            from sessions where id in (select id from asked)) as sessions,
        (select group_concat(record, ' ') from hold_rows
            where checkout_id in (select id from owners)) as holds,
        (select group_concat(k.record, ' ') from wanted w
            join key_rows k on k.caller = w.caller and k.key = w.key) as keys,
        (select group_concat(json_object('order', l.order_id, 'line', l.line, 'sku', l.sku,
                'quantity', l.quantity, 'tracked', json(iif(l.tracked, 'true', 'false')),
                'shipped', l.shipped, 'returned', l.returned, 'restocked', l.restocked), ' ')
            from json_each($7) x
            join order_lines l on l.order_id = x.value->>'$[0]' and l.line = x.value->>'$[1]')
            as lines,
        (select group_concat(record, ' ') from operation_rows
            where id in (select value from json_each($8))) as operations,
        (select group_concat(record, ' ') from grant_rows
            where id in (select value from json_each($9))) as grants,
        (select group_concat(json_object('order', order_id, 'attempt', attempt_id,
                'state', state), ' ') from review_cases
            where order_id in (select value from json_each($10))) as cases";

/// What was given up of lines' money; of refunds that the gateway refused, nothing was.
const GIVEN: &str = "
    select group_concat(json_object('order', order_id, 'line', line, 'refunded', refunded,
        'released', released), ' ') as given
    from (
        select c.order_id, g.value->>'$.line' as line,
            sum(iif(p.state is 'refused', 0, coalesce(g.value->>'$.refunded', 0))) as refunded,
            sum(coalesce(g.value->>'$.released', 0)) as released
        from order_changes c
        join json_each(c.body, '$.given') g
        left join payment_operations p on p.id = c.body->>'$.money'
        where c.order_id in (select value from json_each($1))
        group by 1, 2)";

/// Who has claimed cases.
const CLAIMS: &str = "
    select group_concat(json_object('order', order_id, 'by', claimed_by, 'until', lease_until), ' ')
        as claims
    from review_cases
    where claimed_by is not null and order_id in (select value from json_each($1))";

/// Stock rows: by SKU, and of the grants that are to be closed.
const STOCK: &str = "
    select group_concat(
        json_object('sku', sku, 'on_hand', on_hand, 'unallocated', unallocated), ' ') as stock
    from stock where sku in (
        select value from json_each($1)
        union select sku from stock_grants where id in (select value from json_each($2)))";

/// What else stands in the way of SKUs: grants of those that are short, and as many of their stale
/// holds, the oldest first, as units may be missing; what is promised of those written off.
const SCARCE: &str = "
    select
        (select group_concat(record, ' ') from grant_rows
            where active and sku in (
                select value from json_each($1) union select value from json_each($2))) as grants,
        (select group_concat(r.record, ' ') from json_each($1) short
            join holds h on h.sku = short.value and h.pinned_by is null
                and h.expires_at <= coalesce((
                    select expires_at from holds
                    where sku = short.value and pinned_by is null and expires_at <= $3
                    order by expires_at limit 1 offset $4 - 1), $3)
            join hold_rows r on r.checkout_id = h.checkout_id and r.sku = h.sku) as holds,
        (select group_concat(json_object('sku', x.value, 'units',
                (select coalesce(sum(quantity), 0) from holds where sku = x.value)
                + (select coalesce(sum(quantity - shipped - restocked), 0) from order_lines
                   where sku = x.value and tracked and shipped + restocked < quantity)), ' ')
            from json_each($2) x) as promised";

/// Reads everything a batch concerns.
pub(super) async fn read(conn: &mut SqliteConnection, ask: &Ask) -> Result<World, sqlx::Error> {
    let owners: BTreeSet<_> = ask.holds.iter().map(|(checkout, _)| checkout).collect();
    let row = sqlx::query(WORLD)
        .bind(json(&ask.entries)?)
        .bind(json(&ask.holders)?)
        .bind(json(&ask.attempts)?)
        .bind(json(&ask.sessions)?)
        .bind(json(&owners)?)
        .bind(json(&ask.keys)?)
        .bind(json(&ask.lines)?)
        .bind(json(&ask.operations)?)
        .bind(json(&ask.grants)?)
        .bind(json(&ask.cases)?)
        .fetch_one(&mut *conn)
        .await?;
    let mut world = World {
        entries: records(&row, "entries")?,
        live: records(&row, "live")?,
        replicas: row.try_get("replicas")?,
        attempts: records(&row, "attempts")?,
        sessions: records(&row, "sessions")?,
        holds: records(&row, "holds")?,
        keys: records(&row, "keys")?,
        lines: records(&row, "lines")?,
        operations: records(&row, "operations")?,
        grants: records(&row, "grants")?,
        cases: records(&row, "cases")?,
        ..World::default()
    };
    if !ask.given.is_empty() {
        let found = sqlx::query(GIVEN).bind(json(&ask.given)?);
        world.given = records(&found.fetch_one(&mut *conn).await?, "given")?;
    }
    if !ask.claims.is_empty() {
        let found = sqlx::query(CLAIMS).bind(json(&ask.claims)?);
        world.claims = records(&found.fetch_one(&mut *conn).await?, "claims")?;
    }
    read_stock(conn, ask, &mut world).await?;
    Ok(world)
}

async fn read_stock(
    conn: &mut SqliteConnection,
    ask: &Ask,
    world: &mut World,
) -> Result<(), sqlx::Error> {
    let moved = moved_stock(ask, world);
    if !moved.is_empty() || !ask.closing.is_empty() {
        let found = sqlx::query(STOCK).bind(json(&moved)?).bind(json(&ask.closing)?);
        world.stock = records(&found.fetch_one(&mut *conn).await?, "stock")?;
    }
    let short = short_stock(ask, world);
    if short.is_empty() && ask.grants_of.is_empty() {
        return Ok(());
    }
    let now = ask.now.map(|now| now.to_string());
    // Each stale hold gives back one unit at least.
    let most = short.values().copied().max().unwrap_or(0);
    let skus: Vec<&Sku> = short.keys().copied().collect();
    let found = sqlx::query(SCARCE).bind(json(&skus)?).bind(json(&ask.grants_of)?);
    let found = found.bind(now).bind(most);
    let row = found.fetch_one(conn).await?;
    add_new(&mut world.grants, records(&row, "grants")?);
    add_new(&mut world.holds, records(&row, "holds")?);
    world.promised = records(&row, "promised")?;
    Ok(())
}

/// Adds what is not there yet.
fn add_new<T: PartialEq>(known: &mut Vec<T>, found: Vec<T>) {
    for row in found {
        if !known.contains(&row) {
            known.push(row);
        }
    }
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

/// SKUs of which more is wanted directly than is free, with the units wanted; also those the batch
/// moves or grants at the same time, which the sum does not see. Their grants and stale holds
/// matter as well.
fn short_stock<'a>(ask: &'a Ask, world: &World) -> BTreeMap<&'a Sku, i64> {
    let held = held(world);
    let mut missing: BTreeMap<&'a Sku, i64> = BTreeMap::new();
    for wanted in ask.wanted.iter().filter(|wanted| wanted.direct) {
        let covered = held.get(&(wanted.checkout, &wanted.sku)).copied().unwrap_or(0);
        if wanted.quantity > covered {
            *missing.entry(&wanted.sku).or_default() += i64::from(wanted.quantity - covered);
        }
    }
    let free: BTreeMap<&Sku, i64> =
        world.stock.iter().map(|row| (&row.sku, row.unallocated)).collect();
    let is_short = |(sku, units): &(&Sku, i64)| {
        *units > free.get(sku).copied().unwrap_or(0) || ask.stock.contains(*sku)
    };
    missing.into_iter().filter(is_short).collect()
}

fn held(world: &World) -> BTreeMap<(CheckoutId, &Sku), u32> {
    world.holds.iter().map(|hold| ((hold.checkout, &hold.sku), hold.quantity)).collect()
}

/// The records gathered in a column; there may be none.
fn records<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Vec<T>, sqlx::Error> {
    let text: Option<&str> = row.try_get(column)?;
    let read = serde_json::Deserializer::from_str(text.unwrap_or_default()).into_iter();
    read.collect::<Result<_, _>>().map_err(|error| sqlx::Error::Decode(error.into()))
}

fn json(value: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

//! B: the database's ceiling. One connection writes the same rows in batches of 256: each step of
//! 256 orders is one statement and one commit. No HTTP, no JSON, no gateway, nobody waits.

use anyhow::Context;
use rand::{SeedableRng, rngs::SmallRng};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls, types::ToSql};
use uuid::Uuid;

use super::{
    http::PRICE,
    lines::prepare,
    wire::{Blocks, BuyerWire, Session, SoldLine, document, in_seconds},
};
use crate::drive::{cart::Picker, request::sku};

/// Orders per batch.
const BATCH: usize = 256;

const CREATE: &str = "
    with wanted as (
        select l.sku, sum(l.quantity)::bigint as quantity
        from unnest($4::text[], $5::integer[]) as l(sku, quantity) group by l.sku order by l.sku),
    took as (
        update stock s set available = s.available - w.quantity from wanted w where s.sku = w.sku),
    opened as (
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select x.id, 1, 'open', now() + interval '6 hours', x.body::json, now(), now()
        from unnest($1::uuid[], $2::text[]) as x(id, body)),
    held as (
        insert into holds (checkout_id, sku, quantity, expires_at)
        select l.id, l.sku, l.quantity, now() + interval '10 minutes'
        from unnest($3::uuid[], $4::text[], $5::integer[]) as l(id, sku, quantity))
    insert into idempotency_keys
        (caller, key, fingerprint, answer_status, answer_body, created_at, answered_at)
    select 'shop', x.key, $7, 201, x.answer, now(), now()
    from unnest($6::text[], $8::text[]) as x(key, answer)";

const BEGIN: &str = "
    with claimed as (
        update sessions set version = version + 1, state = 'completing', updated_at = now()
        where id = any($1::uuid[]) and state = 'open'),
    pinned as (
        update holds set pinned_by = checkout_id, expires_at = now() + interval '10 minutes'
        where checkout_id = any($1::uuid[])),
    tried as (
        insert into payment_attempts
            (id, checkout_id, number, state, amount_minor, currency, deadline, created_at)
        select id, id, 1, 'pending', $2, 'EUR', now() + interval '10 seconds', now()
        from unnest($1::uuid[]) as x(id))
    insert into idempotency_keys (caller, key, fingerprint, created_at)
    select 'shop', key, $4, now() from unnest($3::text[]) as x(key)";

const PLACE: &str = "
    with settled as (
        update payment_attempts set state = 'authorized', authorization_id = 'auth_' || id,
               settled_at = now()
        where id = any($1::uuid[]) and state = 'pending'),
    closed as (
        update sessions s set version = version + 1, state = 'completed', body = x.body::json,
               updated_at = now()
        from unnest($1::uuid[], $2::text[]) as x(id, body) where s.id = x.id),
    sold as (delete from holds where checkout_id = any($1::uuid[])),
    ordered as (
        insert into orders (id, attempt_id, total_minor, currency, body, placed_at)
        select x.id, x.id, $3, 'EUR', x.body::json, now()
        from unnest($1::uuid[], $2::text[]) as x(id, body)),
    lined as (
        insert into order_lines (order_id, line, sku, quantity, unit_price_minor)
        select l.id, l.line, l.sku, l.quantity, 1990
        from unnest($4::uuid[], $5::integer[], $6::text[], $7::integer[])
            as l(id, line, sku, quantity)),
    told as (
        insert into events (id, order_id, kind, body, at)
        select x.id, x.id, 'order.placed', x.body::json, now()
        from unnest($1::uuid[], $2::text[]) as x(id, body))
    update idempotency_keys k set answer_status = 200, answer_body = x.answer, answered_at = now()
    from unnest($8::text[], $9::text[]) as x(key, answer)
    where k.caller = 'shop' and k.key = x.key";

/// Writes batches for so long. Gives the orders per second of what was measured, and all orders.
///
/// # Errors
/// When the database refuses.
pub async fn bench(
    url: &str,
    picker: &Picker,
    lines: u32,
    warm_up: Duration,
    measure: Duration,
) -> anyhow::Result<(f64, u64)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // The client's next call tells what went wrong.
        let _ended = connection.await;
    });
    let statements = prepare(&client, [CREATE, BEGIN, PLACE]).await.context("cannot prepare")?;
    let mut chance = SmallRng::seed_from_u64(1);
    let began = Instant::now();
    let (mut all, mut measured, mut start) = (0, 0, None);
    loop {
        let now = began.elapsed();
        if now >= warm_up && start.is_none() {
            start = Some(Instant::now());
        }
        if let Some(start) = start.filter(|start| start.elapsed() >= measure) {
            let rate = measured as f64 / start.elapsed().as_secs_f64();
            return Ok((rate, all));
        }
        write(&client, &statements, &Batch::new(picker, lines, &mut chance, all)).await?;
        all += BATCH as u64;
        measured += if start.is_some() { BATCH as u64 } else { 0 };
    }
}

/// The columns of one batch.
struct Batch {
    ids: Vec<Uuid>,
    bodies: Vec<String>,
    opened: Vec<String>,
    completed: Vec<String>,
    keys: [Vec<String>; 2],
    line_ids: Vec<Uuid>,
    line_numbers: Vec<i32>,
    skus: Vec<String>,
    quantities: Vec<i32>,
    total: i64,
}

impl Batch {
    fn new(picker: &Picker, lines: u32, chance: &mut SmallRng, first: u64) -> Self {
        let total = PRICE * i64::from(lines);
        let session = template(lines, total);
        let blocks = Blocks::of("http://127.0.0.1/");
        let (body, answer) = (document(&session), blocks.checkout(Uuid::nil(), &session, None));
        // An answer to complete is that much longer.
        let completed = format!("{answer}{}", " ".repeat(196));
        let key = |step: char, at: usize| format!("{step}{}", first + at as u64);
        let mut batch = Self {
            ids: (0..BATCH).map(|_| Uuid::now_v7()).collect(),
            bodies: vec![body; BATCH],
            opened: vec![answer; BATCH],
            completed: vec![completed; BATCH],
            keys: ['c', 'p'].map(|step| (0..BATCH).map(|at| key(step, at)).collect()),
            line_ids: Vec::new(),
            line_numbers: Vec::new(),
            skus: Vec::new(),
            quantities: Vec::new(),
            total,
        };
        let mut cart = Vec::new();
        for id in &batch.ids {
            picker.fill(chance, &mut cart);
            for (number, line) in (1..).zip(&cart) {
                batch.line_ids.push(*id);
                batch.line_numbers.push(number);
                batch.skus.push(sku(line.sku));
                batch.quantities.push(line.quantity.cast_signed());
            }
        }
        batch
    }
}

fn template(lines: u32, total: i64) -> Session<'static> {
    let line = |number| SoldLine {
        sku: sku(number).into(),
        title: format!("The {}", sku(number)).into(),
        quantity: 1,
        unit_price: PRICE,
    };
    Session {
        lines: (0..lines).map(line).collect(),
        buyer: Some(BuyerWire { email: "ada@example.com".into() }),
        total,
        expires_at: in_seconds(0).into(),
    }
}

async fn write(
    client: &Client,
    [create, begin, place]: &[tokio_postgres::Statement; 3],
    batch: &Batch,
) -> anyhow::Result<()> {
    type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];
    let fingerprint = "0123456789abcdef".repeat(4);
    let Batch { ids, bodies, opened, completed, keys, line_ids, skus, quantities, total, .. } =
        batch;
    let opening: Parameters<'_> =
        &[ids, bodies, line_ids, skus, quantities, &keys[0], &fingerprint, opened];
    client.execute(create, opening).await?;
    client.execute(begin, &[ids, total, &keys[1], &fingerprint]).await?;
    let placing: Parameters<'_> =
        &[ids, bodies, total, line_ids, &batch.line_numbers, skus, quantities, &keys[1], completed];
    let written = client.execute(place, placing).await?;
    anyhow::ensure!(written == BATCH as u64, "a batch placed {written} orders");
    Ok(())
}

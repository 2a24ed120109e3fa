//! N3: stock in Redis. Create is one Lua script that decrements and keeps session and answer there,
//! so holds and stock are as durable as that Redis is: not. Orders are durable: complete writes the
//! attempt to PostgreSQL before the gateway, and the order after it.

use redis::{AsyncCommands, Script, aio::MultiplexedConnection};
use tokio_postgres::{Client, Statement, types::ToSql};

use super::{
    lines::{Lines, prepare},
    shop::{Asked, Done, FIND_KEY, NewAttempt, NewCheckout, NewOrder, Shop, is_taken, known},
};

/// KEYS: the idempotency key, the session, the stock of each SKU.
/// ARGV: fingerprint and answer, session, seconds, the units of each SKU.
const TAKE: &str = "
    local known = redis.call('get', KEYS[1])
    if known then return known end
    for i = 3, #KEYS do
        local left = tonumber(redis.call('get', KEYS[i]) or '0')
        if left < tonumber(ARGV[i + 1]) then return 0 end
    end
    for i = 3, #KEYS do redis.call('decrby', KEYS[i], ARGV[i + 1]) end
    redis.call('set', KEYS[2], ARGV[2], 'EX', ARGV[3])
    redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[3])
    return 1";

/// How long Redis keeps a session and its hold.
const HOLD_SECONDS: u32 = 600;

const BEGIN: &str = "
    with tried as (
        insert into payment_attempts
            (id, checkout_id, number, state, amount_minor, currency, deadline, created_at)
        values ($1, $2, 1, 'pending', $3, 'EUR', now() + interval '10 seconds', now()))
    insert into idempotency_keys (caller, key, fingerprint, created_at)
    values ('shop', $4, $5, now())";

const PLACE: &str = "
    with settled as (
        update payment_attempts set state = 'authorized', authorization_id = $2, settled_at = now()
        where id = $1 and state = 'pending' returning checkout_id, amount_minor),
    ordered as (
        insert into orders (id, attempt_id, total_minor, currency, body, placed_at)
        select checkout_id, $1, amount_minor, 'EUR', $3::text::json, now() from settled),
    lined as (
        insert into order_lines (order_id, line, sku, quantity, unit_price_minor)
        select checkout_id, l.line, l.sku, l.quantity, l.price from settled,
            unnest($4::text[], $5::integer[], $6::bigint[]) with ordinality
                as l(sku, quantity, price, line)),
    told as (
        insert into events (id, order_id, kind, body, at)
        select $7, checkout_id, 'order.placed', $3::text::json, now() from settled)
    update idempotency_keys set answer_status = $8, answer_body = $9, answered_at = now()
    from settled where caller = 'shop' and key = $10";

/// The shop.
pub struct RedisStock {
    lines: Lines<[Statement; 3]>,
    redis: MultiplexedConnection,
    take: Script,
}

impl RedisStock {
    /// Opens its connections.
    ///
    /// # Errors
    /// When the database or Redis refuses.
    pub async fn open(url: &str, connections: usize, redis: &str) -> anyhow::Result<Self> {
        let prepare = async |client: &Client| prepare(client, [BEGIN, PLACE, FIND_KEY]).await;
        let lines = Lines::open(url, connections, prepare).await?;
        let redis = redis::Client::open(redis)?.get_multiplexed_async_connection().await?;
        Ok(Self { lines, redis, take: Script::new(TAKE) })
    }

    async fn known<T>(&self, asked: &Asked) -> anyhow::Result<Done<T>> {
        let wire = self.lines.share();
        known(asked, wire.client.query_opt(&wire.statements[2], &[&asked.key]).await?)
    }
}

fn session_key(checkout: uuid::Uuid) -> String {
    format!("session:{}", checkout.simple())
}

impl Shop for RedisStock {
    async fn create(&self, new: &NewCheckout<'_>) -> anyhow::Result<Done<()>> {
        let NewCheckout { id, skus, quantities, body, answer, asked, .. } = new;
        let mut call = self.take.prepare_invoke();
        call.key(format!("key:{}", asked.key)).key(session_key(*id));
        call.arg(format!("{}{answer}", asked.fingerprint)).arg(body).arg(HOLD_SECONDS);
        for (sku, quantity) in skus.iter().zip(quantities) {
            call.key(format!("stock:{sku}")).arg(quantity);
        }
        match call.invoke_async(&mut self.redis.clone()).await? {
            redis::Value::Int(1) => Ok(Done::With(())),
            redis::Value::Int(_) => Ok(Done::SoldOut),
            earlier => {
                let text: String = redis::from_redis_value(earlier)?;
                let Some((hash, answer)) = text.split_at_checked(asked.fingerprint.len()) else {
                    return Ok(Done::Conflict);
                };
                let same = hash == asked.fingerprint;
                Ok(if same { Done::Known(Some((201, answer.to_owned()))) } else { Done::Conflict })
            }
        }
    }

    async fn begin(&self, attempt: &NewAttempt) -> anyhow::Result<Done<String>> {
        let NewAttempt { id, checkout, asked } = attempt;
        let found: Option<String> = self.redis.clone().get_del(session_key(*checkout)).await?;
        let Some(session) = found else {
            return Ok(self.known(asked).await.unwrap_or(Done::NotOpen));
        };
        let total = serde_json::from_str::<super::wire::Session<'_>>(&session)?.total;
        let wire = self.lines.share();
        let parameters: [&(dyn ToSql + Sync); 5] =
            [id, checkout, &total, &asked.key, &asked.fingerprint];
        match wire.client.execute(&wire.statements[0], &parameters).await {
            Ok(_) => Ok(Done::With(session)),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn place(&self, order: &NewOrder<'_>) -> anyhow::Result<Done<()>> {
        let NewOrder { attempt, authorization, body, skus, quantities, prices, event, .. } = order;
        let (status, answer) = &order.answer;
        let parameters: [&(dyn ToSql + Sync); 10] = [
            attempt,
            authorization,
            body,
            skus,
            quantities,
            prices,
            event,
            status,
            answer,
            &order.key,
        ];
        let wire = self.lines.share();
        let written = wire.client.execute(&wire.statements[1], &parameters).await?;
        Ok(if written == 0 { Done::NotOpen } else { Done::With(()) })
    }

    async fn begin_express(
        &self,
        new: &NewCheckout<'_>,
        attempt: &NewAttempt,
    ) -> anyhow::Result<Done<()>> {
        match self.create(new).await? {
            Done::With(()) => {}
            done => return Ok(done),
        }
        Ok(match self.begin(attempt).await? {
            Done::With(_) => Done::With(()),
            Done::SoldOut => Done::SoldOut,
            Done::NotOpen => Done::NotOpen,
            Done::Known(answer) => Done::Known(answer),
            Done::Conflict => Done::Conflict,
        })
    }
}

/// Puts units on the shelf in Redis.
///
/// # Errors
/// When Redis refuses.
pub async fn fill(redis: &str, skus: u32, units: i64) -> anyhow::Result<()> {
    let mut redis = redis::Client::open(redis)?.get_multiplexed_async_connection().await?;
    let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await?;
    for start in (0..skus).step_by(1000) {
        let mut pipe = redis::pipe();
        for number in start..skus.min(start + 1000) {
            pipe.set(format!("stock:{}", crate::drive::request::sku(number)), units).ignore();
        }
        let _: () = pipe.query_async(&mut redis).await?;
    }
    Ok(())
}

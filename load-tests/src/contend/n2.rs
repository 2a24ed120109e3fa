//! N2: the best single statement. Each step is one statement, and so one round trip and one commit;
//! the stock is taken by a conditional update within create's.

use tokio_postgres::{Client, Statement};

use super::{
    lines::{Lines, prepare},
    shop::{Asked, Done, FIND_KEY, NewAttempt, NewCheckout, NewOrder, Shop, is_taken, known},
};

/// Takes the stock of one SKU, and writes the checkout if there was enough.
pub const CREATE: &str = "
    with took as (
        update stock set available = available - $3::integer
        where sku = $2 and available >= $3::integer
        returning sku),
    opened as (
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select $1, 1, 'open', now() + interval '6 hours', $4::text::json, now(), now() from took),
    held as (
        insert into holds (checkout_id, sku, quantity, expires_at)
        select $1, sku, $3, now() + interval '10 minutes' from took)
    insert into idempotency_keys
        (caller, key, fingerprint, answer_status, answer_body, created_at, answered_at)
    select 'shop', $5, $6, 201, $7, now(), now() from took";

/// The same for several SKUs: locks them in their order, and takes all or none.
pub const CREATE_MANY: &str = "
    with wanted as (select * from unnest($2::text[], $3::integer[]) as w(sku, quantity)),
    locked as (
        select s.sku from wanted w join stock s on s.sku = w.sku
        where s.available >= w.quantity order by s.sku for update of s),
    enough as (select 1 from locked having count(*) = cardinality($2::text[])),
    took as (
        update stock s set available = s.available - w.quantity from wanted w, enough
        where s.sku = w.sku returning s.sku, w.quantity),
    opened as (
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select $1, 1, 'open', now() + interval '6 hours', $4::text::json, now(), now() from enough),
    held as (
        insert into holds (checkout_id, sku, quantity, expires_at)
        select $1, sku, quantity, now() + interval '10 minutes' from took)
    insert into idempotency_keys
        (caller, key, fingerprint, answer_status, answer_body, created_at, answered_at)
    select 'shop', $5, $6, 201, $7, now(), now() from enough";

/// Claims the checkout for an attempt, pins its holds, and gives its session.
pub const BEGIN: &str = "
    with claimed as (
        update sessions set version = version + 1, state = 'completing', updated_at = now()
        where id = $1 and state = 'open'
          and exists (select from holds where checkout_id = $1 and expires_at > now())
        returning body),
    pinned as (
        update holds set pinned_by = $2, expires_at = now() + interval '10 minutes'
        from claimed where checkout_id = $1),
    tried as (
        insert into payment_attempts
            (id, checkout_id, number, state, amount_minor, currency, deadline, created_at)
        select $2, $1, 1, 'pending', (body->>'total')::bigint, 'EUR',
               now() + interval '10 seconds', now() from claimed),
    keyed as (
        insert into idempotency_keys (caller, key, fingerprint, created_at)
        select 'shop', $3, $4, now() from claimed)
    select body::text from claimed";

/// Opens a checkout of one SKU with its attempt, holds pinned.
const BEGIN_EXPRESS: &str = "
    with took as (
        update stock set available = available - $3::integer
        where sku = $2 and available >= $3::integer
        returning sku),
    opened as (
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select $1, 1, 'completing', now() + interval '6 hours', $4::text::json, now(), now()
        from took),
    held as (
        insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
        select $1, sku, $3, now() + interval '10 minutes', $7 from took),
    tried as (
        insert into payment_attempts
            (id, checkout_id, number, state, amount_minor, currency, deadline, created_at)
        select $7, $1, 1, 'pending', $8, 'EUR', now() + interval '10 seconds', now() from took)
    insert into idempotency_keys (caller, key, fingerprint, created_at)
    select 'shop', $5, $6, now() from took";

/// Settles the attempt and writes the order, unless somebody else settled it.
pub const PLACE: &str = "
    with settled as (
        update payment_attempts set state = 'authorized', authorization_id = $2, settled_at = now()
        where id = $1 and state = 'pending' returning checkout_id, amount_minor),
    closed as (
        update sessions set version = version + 1, state = 'completed', body = $3::text::json,
               updated_at = now() from settled where id = checkout_id and state = 'completing'),
    sold as (
        delete from holds h using settled s
        where h.checkout_id = s.checkout_id and h.pinned_by = $1),
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
pub struct BestStatement(Lines<[Statement; 6]>);

impl BestStatement {
    /// Opens its connections.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn open(url: &str, connections: usize) -> anyhow::Result<Self> {
        let texts = [CREATE, CREATE_MANY, BEGIN, BEGIN_EXPRESS, PLACE, FIND_KEY];
        let prepare = async |client: &Client| prepare(client, texts).await;
        Ok(Self(Lines::open(url, connections, prepare).await?))
    }

    async fn known<T>(&self, asked: &Asked) -> anyhow::Result<Done<T>> {
        let wire = self.0.share();
        known(asked, wire.client.query_opt(&wire.statements[5], &[&asked.key]).await?)
    }
}

impl Shop for BestStatement {
    async fn create(&self, new: &NewCheckout<'_>) -> anyhow::Result<Done<()>> {
        let NewCheckout { id, skus, quantities, body, answer, asked, .. } = new;
        let Asked { key, fingerprint } = asked;
        let wire = self.0.share();
        let [one, many, ..] = &wire.statements;
        let written = match (&skus[..], &quantities[..]) {
            ([sku], [quantity]) => {
                wire.client.execute(one, &[id, sku, quantity, body, key, fingerprint, answer]).await
            }
            _ => {
                wire.client
                    .execute(many, &[id, skus, quantities, body, key, fingerprint, answer])
                    .await
            }
        };
        match written {
            Ok(0) => Ok(Done::SoldOut),
            Ok(_) => Ok(Done::With(())),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn begin(&self, attempt: &NewAttempt) -> anyhow::Result<Done<String>> {
        let NewAttempt { id, checkout, asked } = attempt;
        let wire = self.0.share();
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [checkout, id, &asked.key, &asked.fingerprint];
        match wire.client.query_opt(&wire.statements[2], &parameters).await {
            Ok(Some(row)) => Ok(Done::With(row.try_get(0)?)),
            Ok(None) => match self.known(asked).await {
                Ok(known) => Ok(known),
                Err(_) => Ok(Done::NotOpen),
            },
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn place(&self, order: &NewOrder<'_>) -> anyhow::Result<Done<()>> {
        let wire = self.0.share();
        let NewOrder { attempt, authorization, body, skus, quantities, prices, event, .. } = order;
        let (status, answer) = &order.answer;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
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
        let written = wire.client.execute(&wire.statements[4], &parameters).await?;
        Ok(if written == 0 { Done::NotOpen } else { Done::With(()) })
    }

    async fn begin_express(
        &self,
        new: &NewCheckout<'_>,
        attempt: &NewAttempt,
    ) -> anyhow::Result<Done<()>> {
        let NewCheckout { id, skus, quantities, body, asked, total, .. } = new;
        let ([sku], [quantity]) = (&skus[..], &quantities[..]) else {
            anyhow::bail!("the express lane of the baselines takes one line");
        };
        let wire = self.0.share();
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [id, sku, quantity, body, &asked.key, &asked.fingerprint, &attempt.id, total];
        match wire.client.execute(&wire.statements[3], &parameters).await {
            Ok(0) => Ok(Done::SoldOut),
            Ok(_) => Ok(Done::With(())),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }
}

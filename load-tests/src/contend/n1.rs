//! N1: the row lock. `begin; select … for update; update; inserts; commit`, as most shops are
//! written. Statements that do not wait for each other's answer are sent together, so a step costs
//! two round trips; between them the stock row is locked.

use futures_util::future::{join, try_join, try_join_all};
use tokio_postgres::{Client, Statement, types::ToSql};

use super::{
    lines::{Lines, Wire, prepare},
    shop::{Asked, Done, FIND_KEY, NewAttempt, NewCheckout, NewOrder, Shop, is_taken, known},
};

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

const TEXTS: [&str; 14] = [
    "select sku, available from stock where sku = any($1) order by sku for update",
    "update stock s set available = s.available - w.quantity
     from unnest($1::text[], $2::integer[]) as w(sku, quantity) where s.sku = w.sku",
    "insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
     values ($1, 1, $2, now() + interval '6 hours', $3::text::json, now(), now())",
    "insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
     select $1, w.sku, w.quantity, now() + interval '10 minutes', $4
     from unnest($2::text[], $3::integer[]) as w(sku, quantity)",
    "insert into idempotency_keys
        (caller, key, fingerprint, answer_status, answer_body, created_at, answered_at)
     values ('shop', $1, $2, $3::integer, $4, now(),
             case when $3::integer is null then null else now() end)",
    "select state, body::text from sessions where id = $1 for update",
    "update sessions set version = version + 1, state = 'completing', updated_at = now()
     where id = $1",
    "update holds set pinned_by = $2, expires_at = now() + interval '10 minutes'
     where checkout_id = $1",
    "insert into payment_attempts
        (id, checkout_id, number, state, amount_minor, currency, deadline, created_at)
     values ($1, $2, 1, 'pending', $3, 'EUR', now() + interval '10 seconds', now())",
    "update payment_attempts set state = 'authorized', authorization_id = $2, settled_at = now()
     where id = $1 and state = 'pending'",
    "update sessions set version = version + 1, state = 'completed', body = $2::text::json,
            updated_at = now() where id = $1",
    "delete from holds where checkout_id = $1",
    "insert into orders (id, attempt_id, total_minor, currency, body, placed_at)
     values ($1, $2, $3, 'EUR', $4::text::json, now())",
    "insert into order_lines (order_id, line, sku, quantity, unit_price_minor)
     select $1, l.line, l.sku, l.quantity, l.price
     from unnest($2::text[], $3::integer[], $4::bigint[]) with ordinality
         as l(sku, quantity, price, line)",
];

const EVENT: &str = "insert into events (id, order_id, kind, body, at)
    values ($1, $2, 'order.placed', $3::text::json, now())";
const ANSWER: &str = "update idempotency_keys
    set answer_status = $2, answer_body = $3, answered_at = now()
    where caller = 'shop' and key = $1";

/// The statements, by what they do.
struct Statements {
    lock_stock: Statement,
    take_stock: Statement,
    open_session: Statement,
    hold: Statement,
    keep_key: Statement,
    lock_session: Statement,
    claim_session: Statement,
    pin: Statement,
    attempt: Statement,
    settle: Statement,
    complete_session: Statement,
    drop_holds: Statement,
    order: Statement,
    order_lines: Statement,
    event: Statement,
    answer: Statement,
    find_key: Statement,
}

/// The shop.
pub struct RowLock(Lines<Statements>);

impl RowLock {
    /// Opens its connections.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn open(url: &str, connections: usize) -> anyhow::Result<Self> {
        Ok(Self(Lines::open(url, connections, statements).await?))
    }

    async fn known<T>(&self, asked: &Asked) -> anyhow::Result<Done<T>> {
        let wire = self.0.share();
        known(asked, wire.client.query_opt(&wire.statements.find_key, &[&asked.key]).await?)
    }

    /// Locks the stock and looks; the transaction stays open when there is enough.
    async fn lock_stock(
        &self,
        wire: &Wire<Statements>,
        new: &NewCheckout<'_>,
    ) -> anyhow::Result<bool> {
        let Wire { client, statements, .. } = wire;
        let lock: Parameters<'_> = &[&new.skus];
        let begin = client.batch_execute("begin");
        let locked = client.query(&statements.lock_stock, lock);
        let ((), rows) = try_join(begin, locked).await?;
        let mut enough = rows.len() == new.skus.len();
        for (row, quantity) in rows.iter().zip(&new.quantities) {
            enough &= row.try_get::<_, i64>(1)? >= i64::from(*quantity);
        }
        if !enough {
            client.batch_execute("rollback").await?;
        }
        Ok(enough)
    }

    /// Sends statements together and commits; rolls back when one fails.
    async fn finish(
        wire: &Wire<Statements>,
        writes: &[(&Statement, Parameters<'_>)],
    ) -> Result<(), tokio_postgres::Error> {
        let client = &wire.client;
        let sent = try_join_all(writes.iter().map(|(text, with)| client.execute(*text, with)));
        // A commit after a statement that failed rolls back.
        let (sent, committed) = join(sent, client.batch_execute("commit")).await;
        sent?;
        committed
    }
}

async fn statements(client: &Client) -> Result<Statements, tokio_postgres::Error> {
    let [
        lock_stock,
        take_stock,
        open_session,
        hold,
        keep_key,
        lock_session,
        claim_session,
        pin,
        attempt,
        settle,
        complete_session,
        drop_holds,
        order,
        order_lines,
    ] = prepare(client, TEXTS).await?;
    let [event, answer, find_key] = prepare(client, [EVENT, ANSWER, FIND_KEY]).await?;
    Ok(Statements {
        lock_stock,
        take_stock,
        open_session,
        hold,
        keep_key,
        lock_session,
        claim_session,
        pin,
        attempt,
        settle,
        complete_session,
        drop_holds,
        order,
        order_lines,
        event,
        answer,
        find_key,
    })
}

impl Shop for RowLock {
    async fn create(&self, new: &NewCheckout<'_>) -> anyhow::Result<Done<()>> {
        let NewCheckout { id, skus, quantities, body, answer, asked, .. } = new;
        let wire = self.0.take().await;
        if !self.lock_stock(&wire, new).await? {
            return Ok(Done::SoldOut);
        }
        let s = &wire.statements;
        let nobody: Option<uuid::Uuid> = None;
        let written = Self::finish(
            &wire,
            &[
                (&s.take_stock, &[skus, quantities]),
                (&s.open_session, &[id, &"open", body]),
                (&s.hold, &[id, skus, quantities, &nobody]),
                (&s.keep_key, &[&asked.key, &asked.fingerprint, &Some(201_i32), &Some(answer)]),
            ],
        )
        .await;
        match written {
            Ok(()) => Ok(Done::With(())),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn begin(&self, attempt: &NewAttempt) -> anyhow::Result<Done<String>> {
        let NewAttempt { id, checkout, asked } = attempt;
        let wire = self.0.take().await;
        let s = &wire.statements;
        let with: Parameters<'_> = &[checkout];
        let begin = wire.client.batch_execute("begin");
        let locked = wire.client.query_opt(&s.lock_session, with);
        let ((), row) = try_join(begin, locked).await?;
        let open = match row {
            Some(row) if row.try_get::<_, &str>(0)? == "open" => row.try_get::<_, String>(1)?,
            _ => {
                wire.client.batch_execute("rollback").await?;
                return Ok(self.known(asked).await.unwrap_or(Done::NotOpen));
            }
        };
        let total = serde_json::from_str::<super::wire::Session<'_>>(&open)?.total;
        let nothing: (Option<i32>, Option<String>) = (None, None);
        let written = Self::finish(
            &wire,
            &[
                (&s.claim_session, &[checkout]),
                (&s.pin, &[checkout, id]),
                (&s.attempt, &[id, checkout, &total]),
                (&s.keep_key, &[&asked.key, &asked.fingerprint, &nothing.0, &nothing.1]),
            ],
        )
        .await;
        match written {
            Ok(()) => Ok(Done::With(open)),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn place(&self, order: &NewOrder<'_>) -> anyhow::Result<Done<()>> {
        let NewOrder { attempt, checkout, authorization, body, total, .. } = order;
        let NewOrder { skus, quantities, prices, event, key, answer, .. } = order;
        let wire = self.0.take().await;
        let s = &wire.statements;
        let settle: Parameters<'_> = &[attempt, authorization];
        let begin = wire.client.batch_execute("begin");
        let settled = wire.client.execute(&s.settle, settle);
        let ((), settled) = try_join(begin, settled).await?;
        if settled == 0 {
            wire.client.batch_execute("rollback").await?;
            return Ok(Done::NotOpen);
        }
        Self::finish(
            &wire,
            &[
                (&s.complete_session, &[checkout, body]),
                (&s.drop_holds, &[checkout]),
                (&s.order, &[checkout, attempt, total, body]),
                (&s.order_lines, &[checkout, skus, quantities, prices]),
                (&s.event, &[event, checkout, body]),
                (&s.answer, &[key, &answer.0, &answer.1]),
            ],
        )
        .await?;
        Ok(Done::With(()))
    }

    async fn begin_express(
        &self,
        new: &NewCheckout<'_>,
        attempt: &NewAttempt,
    ) -> anyhow::Result<Done<()>> {
        let NewCheckout { id, skus, quantities, body, asked, total, .. } = new;
        let wire = self.0.take().await;
        if !self.lock_stock(&wire, new).await? {
            return Ok(Done::SoldOut);
        }
        let s = &wire.statements;
        let nothing: (Option<i32>, Option<String>) = (None, None);
        let written = Self::finish(
            &wire,
            &[
                (&s.take_stock, &[skus, quantities]),
                (&s.open_session, &[id, &"completing", body]),
                (&s.hold, &[id, skus, quantities, &Some(attempt.id)]),
                (&s.attempt, &[&attempt.id, id, total]),
                (&s.keep_key, &[&asked.key, &asked.fingerprint, &nothing.0, &nothing.1]),
            ],
        )
        .await;
        match written {
            Ok(()) => Ok(Done::With(())),
            Err(error) if is_taken(&error) => self.known(asked).await,
            Err(error) => Err(error.into()),
        }
    }
}

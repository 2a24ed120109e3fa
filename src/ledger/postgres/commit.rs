//! One batch, one transaction: lock and read, judge, apply, commit.

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use uuid::Uuid;

use super::{
    Postgres,
    attempts::challenge,
    labels,
    pool::{fault, is_broken, is_refused},
    records::{KeyAnswer, LineOf, NewKey, rows},
};
use crate::{
    base::{Sku, Timestamp},
    ledger::{
        changes::{ChangeInsert, Changes, Reopened},
        entry::{Entry, EntryId},
        judge::judge,
        outcome::BatchReply,
        review::NewCase,
        store::{CommitFault, LedgerFault},
        world::{Ask, World},
    },
    telemetry::metrics::{self, JudgedOn},
};

/// Rows that two batches may insert at once; whoever comes second judges again.
const MET: [&str; 6] = [
    "entries_pkey",
    "sessions_pkey",
    "idempotency_keys_pkey",
    "holds_pkey",
    "stock_pkey",
    "payment_attempts_one_live",
];

const LOCK: &str = "select ledger_lock(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21)";
const APPLY: &str = "select ledger_apply(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, '{}')";

/// What was given up of lines' money; of refunds that the gateway refused, nothing was.
const GIVEN: &str = "select coalesce(json_agg(r), '[]')::text from (
    select c.order_id as \"order\", (g->>'line')::int as line,
        coalesce(sum((g->>'refunded')::bigint) filter (where p.state is distinct from 'refused'),
            0)::bigint as refunded,
        coalesce(sum((g->>'released')::bigint), 0)::bigint as released
    from order_changes c
    cross join json_array_elements(c.body->'given') g
    left join payment_operations p on p.id = right(c.body->>'money', 32)::uuid
    where c.order_id = any($1)
    group by 1, 2) r";

/// Who has claimed cases.
const CLAIMS: &str = "select coalesce(json_agg(json_build_object('order', order_id,
        'by', claimed_by, 'until', lease_until)), '[]')::text
    from review_cases where claimed_by is not null and order_id = any($1)";

const REOPEN: &str = "with x as (
        select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[],
            $5::timestamptz[], $6::timestamptz[], $7::text[])
            as x(order_id, attempt_id, priority, due_at, expires_at, opened_at, note)),
    opened as (
        insert into review_cases
            (order_id, attempt_id, priority, due_at, expires_at, opened_at)
        select order_id, attempt_id, priority, due_at, expires_at, opened_at from x
        on conflict (order_id) do update set state = 'open', priority = excluded.priority,
            due_at = excluded.due_at, expires_at = excluded.expires_at,
            opened_at = excluded.opened_at, closed_by = null, reason = null, closed_at = null)
    insert into review_events (order_id, at, actor, kind, note)
    select order_id, opened_at, 'payment', 'opened', note from x";

const INSERT_CHANGES: &str = "insert into order_changes (id, order_id, body, at)
    select x.id, x.order_id, x.body::json, x.at
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
        as x(id, order_id, body, at)";

/// Where a transaction stood when it failed.
enum Failed {
    /// `commit` was not sent: nothing happened.
    Before(sqlx::Error),
    /// `commit` was not answered in time, or not in words that say it failed.
    After(String),
    /// What the database said did not read.
    Unread(String),
    /// The deadline passed before `commit` was sent.
    Late,
}

impl Postgres {
    /// Commits a batch in one statement where it concerns known rows, else under lock.
    pub(super) async fn commit_batch(
        &self,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, CommitFault> {
        let judged = self.known().judge(batch, now);
        if let Some(judged) = judged {
            let committed = self.commit_judged(&judged).await;
            match &committed {
                Ok(Some(reply)) => self.known().learn(&judged.changes, reply, now),
                _ => self.known().forget(batch),
            }
            if let Some(reply) = committed? {
                metrics::ledger_judged(JudgedOn::Known);
                return Ok(reply);
            }
            metrics::ledger_judged(JudgedOn::Refuted);
        }
        metrics::ledger_judged(JudgedOn::Locked);
        self.commit_locked(batch, now).await
    }

    async fn commit_locked(
        &self,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, CommitFault> {
        loop {
            let mut lane = self.writers.take().await?;
            let fresh = lane.fresh;
            match self.transact(lane.conn(), batch, now).await {
                Ok(reply) => {
                    lane.keep();
                    return Ok(reply);
                }
                Err(Failed::Before(error)) if is_broken(&error) => {
                    drop(lane);
                    self.writers.sweep();
                    if fresh {
                        return Err(fault(&error).into());
                    }
                    // It died on the shelf; nothing was sent that could have been committed.
                }
                Err(Failed::Before(error)) => {
                    let undone = lane.conn().execute("rollback");
                    if matches!(tokio::time::timeout(self.deadline, undone).await, Ok(Ok(_))) {
                        lane.keep();
                    }
                    return Err(met(&error).unwrap_or_else(|| fault(&error).into()));
                }
                Err(Failed::After(why)) => return Err(CommitFault::Unknown(why)),
                Err(Failed::Unread(why)) => return Err(LedgerFault::Broken(why).into()),
                Err(Failed::Late) => {
                    let why = "the batch passed its deadline and was not committed".to_owned();
                    return Err(LedgerFault::Unreachable(why).into());
                }
            }
        }
    }

    async fn transact(
        &self,
        conn: &mut PgConnection,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<BatchReply, Failed> {
        let (reply, changes) =
            tokio::time::timeout(self.deadline, self.judge_locked(&mut *conn, batch, now))
                .await
                .map_err(|_| Failed::Late)??;
        let writes = !changes.is_empty();
        let end = if writes { "commit" } else { "rollback" };
        match tokio::time::timeout(self.deadline, conn.execute(end)).await {
            Ok(Ok(_)) => {
                self.known().learn(&changes, &reply, now);
                Ok(reply)
            }
            Ok(Err(error)) if !writes || met(&error).is_some() || is_refused(&error) => {
                Err(Failed::Before(error))
            }
            Ok(Err(error)) => Err(Failed::After(error.to_string())),
            Err(_) if !writes => Err(Failed::Late),
            Err(_) => Err(Failed::After("no answer within the deadline".to_owned())),
        }
    }

    /// Locks, judges and applies. Where nothing changes there is nothing to commit.
    async fn judge_locked(
        &self,
        conn: &mut PgConnection,
        batch: &[Entry],
        now: Timestamp,
    ) -> Result<(BatchReply, Changes), Failed> {
        let ask = Ask::of(batch, now);
        conn.execute(AssertSqlSafe(self.begin.writing.clone())).await?;
        let seen = lock(&mut *conn, &ask, now, self.prepares()).await?;
        let mut world: World = serde_json::from_str(&seen).map_err(unread)?;
        if !ask.given.is_empty() {
            // After the attempts are locked, so that it sees what was committed before.
            let orders: Vec<Uuid> = ask.given.iter().map(|id| id.uuid()).collect();
            let given = sqlx::query_scalar(GIVEN).persistent(self.prepares()).bind(orders);
            let given: String = given.fetch_one(&mut *conn).await?;
            world.given = serde_json::from_str(&given).map_err(unread)?;
        }
        if !ask.claims.is_empty() {
            let orders: Vec<Uuid> = ask.claims.iter().map(|id| id.uuid()).collect();
            let claims = sqlx::query_scalar(CLAIMS).persistent(self.prepares()).bind(orders);
            let claims: String = claims.fetch_one(&mut *conn).await?;
            world.claims = serde_json::from_str(&claims).map_err(unread)?;
        }
        let (reply, changes) = judge(world, batch, now);
        if !changes.is_empty() {
            apply(conn, &changes, self.prepares()).await?;
        }
        Ok((reply, changes))
    }
}

fn unread(error: serde_json::Error) -> Failed {
    Failed::Unread(format!("what was locked does not read: {error}"))
}

/// Locks what the batch concerns, and reads it.
async fn lock(
    conn: &mut PgConnection,
    ask: &Ask,
    now: Timestamp,
    kept: bool,
) -> Result<String, sqlx::Error> {
    let uuids = |ids: &mut dyn Iterator<Item = Uuid>| ids.collect::<Vec<_>>();
    let sessions = uuids(&mut ask.sessions.iter().map(|id| id.uuid()));
    let wanted = &ask.wanted;
    let units =
        wanted.iter().map(|hold| i32::try_from(hold.quantity)).collect::<Result<Vec<_>, _>>();
    let units = units.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let lines =
        ask.lines.iter().map(|(_, line)| i32::try_from(*line)).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query_scalar(LOCK)
        .persistent(kept)
        .bind(now.to_offset())
        .bind(ask.entries.iter().map(EntryId::as_str).collect::<Vec<_>>())
        .bind(uuids(&mut ask.holders.iter().map(|id| id.uuid())))
        .bind(uuids(&mut ask.attempts.iter().map(|id| id.uuid())))
        .bind(sessions)
        .bind(uuids(&mut wanted.iter().map(|hold| hold.checkout.uuid())))
        .bind(wanted.iter().map(|hold| hold.sku.as_str()).collect::<Vec<_>>())
        .bind(units)
        .bind(wanted.iter().map(|hold| hold.direct).collect::<Vec<_>>())
        .bind(uuids(&mut ask.holds.iter().map(|(checkout, _)| checkout.uuid())))
        .bind(ask.holds.iter().map(|(_, sku)| sku.as_str()).collect::<Vec<_>>())
        .bind(ask.stock.iter().map(Sku::as_str).collect::<Vec<_>>())
        .bind(uuids(&mut ask.grants.iter().map(|id| id.uuid())))
        .bind(uuids(&mut ask.closing.iter().map(|id| id.uuid())))
        .bind(ask.grants_of.iter().map(Sku::as_str).collect::<Vec<_>>())
        .bind(ask.keys.iter().map(|(caller, _)| caller.as_str()).collect::<Vec<_>>())
        .bind(ask.keys.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>())
        .bind(uuids(&mut ask.lines.iter().map(|(order, _)| order.uuid())))
        .bind(lines)
        .bind(uuids(&mut ask.operations.iter().map(|id| id.uuid())))
        .bind(uuids(&mut ask.cases.iter().map(|id| id.uuid())))
        .fetch_one(conn)
        .await
}

/// Writes the changes.
async fn apply(conn: &mut PgConnection, changes: &Changes, kept: bool) -> Result<(), sqlx::Error> {
    let (new, old): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|row| row.version == 1);
    let lines = changes
        .orders
        .iter()
        .flat_map(|row| row.order.lines.iter().map(|line| LineOf(row.order.id, line)));
    sqlx::query(APPLY)
        .persistent(kept)
        .bind(rows(&changes.entries))
        .bind(rows(new))
        .bind(rows(old))
        .bind(rows(&changes.heads))
        .bind(rows(&changes.holds))
        .bind(rows(&changes.gone_holds))
        .bind(rows(&changes.stock))
        .bind(rows(&changes.new_grants))
        .bind(rows(&changes.grants))
        .bind(rows(&changes.new_attempts))
        .bind(rows(&changes.attempts))
        .bind(rows(&changes.orders))
        .bind(rows(lines))
        .bind(rows(&changes.lines))
        .bind(rows(&changes.operations))
        .bind(rows(&changes.events))
        .bind(rows(&changes.movements))
        .bind(rows(changes.new_keys.iter().map(NewKey)))
        .bind(rows(changes.answers.iter().map(KeyAnswer)))
        .bind(rows(&changes.assessments))
        .bind(rows(&changes.new_cases))
        .bind(rows(&changes.cases))
        .execute(&mut *conn)
        .await?;
    labels::insert(&mut *conn, &changes.labels, kept).await?;
    insert_changes(&mut *conn, &changes.order_changes, kept).await?;
    challenge(&mut *conn, &changes.challenges, kept).await?;
    reopen(conn, &changes.reopened, kept).await
}

/// Opens cases, or opens them again: seldom, and so in a statement of its own.
async fn reopen(
    conn: &mut PgConnection,
    cases: &[Reopened],
    kept: bool,
) -> Result<(), sqlx::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let times = |of: fn(&NewCase) -> Timestamp| {
        cases.iter().map(|row| of(&row.case).to_offset()).collect::<Vec<_>>()
    };
    sqlx::query(REOPEN)
        .persistent(kept)
        .bind(cases.iter().map(|row| row.case.order.uuid()).collect::<Vec<_>>())
        .bind(cases.iter().map(|row| row.case.attempt.uuid()).collect::<Vec<_>>())
        .bind(cases.iter().map(|row| row.case.priority).collect::<Vec<_>>())
        .bind(times(|case| case.due_at))
        .bind(times(|case| case.expires_at))
        .bind(times(|case| case.opened_at))
        .bind(cases.iter().map(|row| row.note.as_str()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Writes what happened to orders after the sale: seldom, and so in a statement of its own.
async fn insert_changes(
    conn: &mut PgConnection,
    changes: &[ChangeInsert],
    kept: bool,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let body = |row: &ChangeInsert| serde_json::to_string(&row.change);
    let bodies = changes.iter().map(body).collect::<Result<Vec<_>, _>>();
    let bodies = bodies.map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(INSERT_CHANGES)
        .persistent(kept)
        .bind(changes.iter().map(|row| row.change.id.uuid()).collect::<Vec<_>>())
        .bind(changes.iter().map(|row| row.order.uuid()).collect::<Vec<_>>())
        .bind(bodies)
        .bind(changes.iter().map(|row| row.change.at.to_offset()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Serialization failure, deadlock, or a row that another batch inserted first.
pub(super) fn met(error: &sqlx::Error) -> Option<CommitFault> {
    let database = error.as_database_error()?;
    let code = database.code()?;
    let inserted_twice =
        code == "23505" && database.constraint().is_some_and(|name| MET.contains(&name));
    let met = code == "40001" || code == "40P01" || inserted_twice;
    met.then(|| CommitFault::Again(error.to_string()))
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Before(error)
    }
}

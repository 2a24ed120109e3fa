//! What must be true of a PostgreSQL server before it may hold a ledger.

use sqlx::{
    PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::Postgres;
use crate::ledger::{
    database::{DatabaseFault, SCHEMA_VERSION, check_schema},
    store::LedgerFault,
    undo::Steps,
};

/// The oldest server the SQL is tried on.
const OLDEST: i32 = 150_000;

/// A migration: its name, and what it does and takes back.
macro_rules! step {
    ($number:literal, $name:literal) => {{
        const UP: &str =
            include_str!(concat!("../../../migrations/postgres/", $number, "_", $name, ".up.sql"));
        const DOWN: &str = include_str!(concat!(
            "../../../migrations/postgres/",
            $number,
            "_",
            $name,
            ".down.sql"
        ));
        ($name, UP, DOWN)
    }};
}

/// Every migration, oldest first.
pub(in crate::ledger) const STEPS: Steps = [
    step!("0001", "ledger"),
    step!("0002", "rows"),
    step!("0003", "commit"),
    step!("0004", "rules"),
    step!("0005", "models"),
    step!("0006", "tariff"),
    step!("0007", "review"),
    step!("0008", "changes"),
    step!("0009", "deliveries"),
    step!("0010", "parked"),
    step!("0011", "platforms"),
    step!("0012", "addresses"),
    step!("0013", "catalog"),
    step!("0014", "links"),
    step!("0015", "lighter"),
    step!("0016", "notes"),
    step!("0017", "buyers"),
    step!("0018", "stale_holds"),
    step!("0019", "most_per_order"),
    step!("0020", "archived"),
    step!("0021", "money"),
    step!("0022", "storefronts"),
    step!("0023", "lookups"),
    step!("0024", "search"),
    step!("0025", "model_gate"),
    step!("0026", "one_body"),
    step!("0027", "answer_parts"),
    step!("0028", "challenges"),
    step!("0029", "told"),
    step!("0030", "findings"),
    step!("0031", "reconciliations"),
];

/// Carries them out.
fn migrator() -> Migrator {
    let migrations = (1_i64..).zip(STEPS).flat_map(|(version, (name, up, down))| {
        let step = |kind, sql: &'static str| {
            Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
        };
        [step(MigrationType::ReversibleUp, up), step(MigrationType::ReversibleDown, down)]
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // A newer binary may have expanded the schema already; that is no reason to stop.
    migrator.set_ignore_missing(true);
    migrator
}

impl Postgres {
    pub(in crate::ledger) async fn migrate(&self, target: i64) -> Result<(), DatabaseFault> {
        if !self.prepares() {
            return self.is_migrated(target).await;
        }
        let mut lane = self.writers.take().await?;
        let migrator = migrator();
        let done = if target == SCHEMA_VERSION {
            migrator.run_direct(None, lane.conn(), false).await
        } else {
            migrator.undo(lane.conn(), target).await
        };
        done.map_err(|error| DatabaseFault::Migration(error.to_string()))?;
        lane.keep();
        Ok(())
    }

    /// A migration holds a lock of its session from its first step to its last, which a pooler that
    /// hands sessions around does not give. There, all is well when there is nothing to do.
    async fn is_migrated(&self, target: i64) -> Result<(), DatabaseFault> {
        let schema = self.schema().await?;
        if target == SCHEMA_VERSION && schema.is_some_and(|schema| schema >= target) {
            return Ok(());
        }
        let advice = "it cannot run through a pooler in transaction mode; give `doorbuster migrate \
                      --database` the address of PostgreSQL itself, and set `storage.pooling` to \
                      `session` for it";
        Err(DatabaseFault::Migration(advice.to_owned()))
    }

    async fn facts(&self) -> Result<Facts, LedgerFault> {
        let kept = self.prepares();
        self.run(move |conn| Box::pin(facts(conn, kept))).await
    }

    /// Whether commits can be made here now. A question alone would not find out a standby, a fence
    /// or a full disk, so a message goes to the write-ahead log, which nobody reads.
    pub(super) async fn is_ready(&self) -> Result<(), DatabaseFault> {
        let kept = self.prepares();
        let written = self.run(move |conn| Box::pin(write_nothing(conn, kept))).await?;
        if !written {
            return Err(DatabaseFault::TakesNoWrites);
        }
        check_schema(self.schema().await?)
    }

    /// The schema's version, if there is one.
    pub(in crate::ledger) async fn schema(&self) -> Result<Option<i64>, LedgerFault> {
        Ok(self.facts().await?.3)
    }

    pub(in crate::ledger) async fn check(&self) -> Result<(), DatabaseFault> {
        let facts = self.facts().await?;
        let (server, fsync, synchronous_commit, schema) = facts;
        if server < OLDEST {
            return Err(DatabaseFault::TooOld { found: server / 10_000, least: OLDEST / 10_000 });
        }
        for (setting, value) in [("fsync", fsync), ("synchronous_commit", synchronous_commit)] {
            if value != "off" {
                continue;
            }
            if self.production {
                return Err(DatabaseFault::NotDurable { setting });
            }
            tracing::warn!(
                setting,
                "the server may lose acknowledged orders; fine only for trying out"
            );
        }
        check_schema(schema)
    }
}

/// Whether something could be written.
async fn write_nothing(conn: &mut PgConnection, kept: bool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select case
             when pg_is_in_recovery() or current_setting('transaction_read_only')::bool then false
             else pg_logical_emit_message(true, 'doorbuster', 'ready') is not null
         end",
    )
    .persistent(kept)
    .fetch_one(conn)
    .await
}

/// Version, `fsync`, `synchronous_commit`, and the schema's version if there is one.
type Facts = (i32, String, String, Option<i64>);

async fn facts(conn: &mut PgConnection, kept: bool) -> Result<Facts, sqlx::Error> {
    let (server, fsync, commit, migrated): (i32, String, String, bool) = sqlx::query_as(
        "select current_setting('server_version_num')::int, current_setting('fsync'),
                current_setting('synchronous_commit'), to_regclass('_sqlx_migrations') is not null",
    )
    .persistent(kept)
    .fetch_one(&mut *conn)
    .await?;
    let schema = if migrated {
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
            .persistent(kept)
            .fetch_one(conn)
            .await?
    } else {
        None
    };
    Ok((server, fsync, commit, schema))
}

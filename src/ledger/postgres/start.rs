//! What must be true of a PostgreSQL server before it may hold a ledger.

use sqlx::{
    PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::Postgres;
use crate::ledger::{
    database::{DatabaseFault, SCHEMA_VERSION, check_schema},
    store::LedgerFault,
};

/// The oldest server the SQL is tried on.
const OLDEST: i32 = 150_000;

/// Every migration, oldest first.
fn migrator() -> Migrator {
    let steps: [(&'static str, &'static str, &'static str); SCHEMA_VERSION as usize] = [
        (
            "ledger",
            include_str!("../../../migrations/postgres/0001_ledger.up.sql"),
            include_str!("../../../migrations/postgres/0001_ledger.down.sql"),
        ),
        (
            "rows",
            include_str!("../../../migrations/postgres/0002_rows.up.sql"),
            include_str!("../../../migrations/postgres/0002_rows.down.sql"),
        ),
        (
            "commit",
            include_str!("../../../migrations/postgres/0003_commit.up.sql"),
            include_str!("../../../migrations/postgres/0003_commit.down.sql"),
        ),
        (
            "rules",
            include_str!("../../../migrations/postgres/0004_rules.up.sql"),
            include_str!("../../../migrations/postgres/0004_rules.down.sql"),
        ),
        (
            "models",
            include_str!("../../../migrations/postgres/0005_models.up.sql"),
            include_str!("../../../migrations/postgres/0005_models.down.sql"),
        ),
        (
            "tariff",
            include_str!("../../../migrations/postgres/0006_tariff.up.sql"),
            include_str!("../../../migrations/postgres/0006_tariff.down.sql"),
        ),
        (
            "review",
            include_str!("../../../migrations/postgres/0007_review.up.sql"),
            include_str!("../../../migrations/postgres/0007_review.down.sql"),
        ),
        (
            "changes",
            include_str!("../../../migrations/postgres/0008_changes.up.sql"),
            include_str!("../../../migrations/postgres/0008_changes.down.sql"),
        ),
        (
            "deliveries",
            include_str!("../../../migrations/postgres/0009_deliveries.up.sql"),
            include_str!("../../../migrations/postgres/0009_deliveries.down.sql"),
        ),
        (
            "parked",
            include_str!("../../../migrations/postgres/0010_parked.up.sql"),
            include_str!("../../../migrations/postgres/0010_parked.down.sql"),
        ),
        (
            "platforms",
            include_str!("../../../migrations/postgres/0011_platforms.up.sql"),
            include_str!("../../../migrations/postgres/0011_platforms.down.sql"),
        ),
        (
            "addresses",
            include_str!("../../../migrations/postgres/0012_addresses.up.sql"),
            include_str!("../../../migrations/postgres/0012_addresses.down.sql"),
        ),
        (
            "catalog",
            include_str!("../../../migrations/postgres/0013_catalog.up.sql"),
            include_str!("../../../migrations/postgres/0013_catalog.down.sql"),
        ),
        (
            "links",
            include_str!("../../../migrations/postgres/0014_links.up.sql"),
            include_str!("../../../migrations/postgres/0014_links.down.sql"),
        ),
    ];
    let migrations = (1_i64..).zip(steps).flat_map(|(version, (name, up, down))| {
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
        let (.., schema) = self.facts().await?;
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

//! The embedded database's schema.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::Sqlite;
use crate::ledger::database::{DatabaseFault, SCHEMA_VERSION, check_schema};

/// Every migration, oldest first.
fn migrator() -> Migrator {
    let steps: [(&'static str, &'static str, &'static str); SCHEMA_VERSION as usize] = [
        (
            "ledger",
            include_str!("../../../migrations/sqlite/0001_ledger.up.sql"),
            include_str!("../../../migrations/sqlite/0001_ledger.down.sql"),
        ),
        (
            "rows",
            include_str!("../../../migrations/sqlite/0002_rows.up.sql"),
            include_str!("../../../migrations/sqlite/0002_rows.down.sql"),
        ),
        (
            "commit",
            include_str!("../../../migrations/sqlite/0003_commit.up.sql"),
            include_str!("../../../migrations/sqlite/0003_commit.down.sql"),
        ),
        (
            "rules",
            include_str!("../../../migrations/sqlite/0004_rules.up.sql"),
            include_str!("../../../migrations/sqlite/0004_rules.down.sql"),
        ),
        (
            "models",
            include_str!("../../../migrations/sqlite/0005_models.up.sql"),
            include_str!("../../../migrations/sqlite/0005_models.down.sql"),
        ),
        (
            "tariff",
            include_str!("../../../migrations/sqlite/0006_tariff.up.sql"),
            include_str!("../../../migrations/sqlite/0006_tariff.down.sql"),
        ),
        (
            "review",
            include_str!("../../../migrations/sqlite/0007_review.up.sql"),
            include_str!("../../../migrations/sqlite/0007_review.down.sql"),
        ),
        (
            "changes",
            include_str!("../../../migrations/sqlite/0008_changes.up.sql"),
            include_str!("../../../migrations/sqlite/0008_changes.down.sql"),
        ),
        (
            "deliveries",
            include_str!("../../../migrations/sqlite/0009_deliveries.up.sql"),
            include_str!("../../../migrations/sqlite/0009_deliveries.down.sql"),
        ),
        (
            "parked",
            include_str!("../../../migrations/sqlite/0010_parked.up.sql"),
            include_str!("../../../migrations/sqlite/0010_parked.down.sql"),
        ),
        (
            "platforms",
            include_str!("../../../migrations/sqlite/0011_platforms.up.sql"),
            include_str!("../../../migrations/sqlite/0011_platforms.down.sql"),
        ),
        (
            "addresses",
            include_str!("../../../migrations/sqlite/0012_addresses.up.sql"),
            include_str!("../../../migrations/sqlite/0012_addresses.down.sql"),
        ),
        (
            "catalog",
            include_str!("../../../migrations/sqlite/0013_catalog.up.sql"),
            include_str!("../../../migrations/sqlite/0013_catalog.down.sql"),
        ),
        (
            "links",
            include_str!("../../../migrations/sqlite/0014_links.up.sql"),
            include_str!("../../../migrations/sqlite/0014_links.down.sql"),
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

impl Sqlite {
    pub(in crate::ledger) async fn migrate(&self, target: i64) -> Result<(), DatabaseFault> {
        let mut lane = self.writer.take().await?;
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

    pub(in crate::ledger) async fn check(&self) -> Result<(), DatabaseFault> {
        let found = self
            .read(|conn| {
                Box::pin(async move {
                    let migrated: bool = sqlx::query_scalar(
                        "select exists (
                             select 1 from sqlite_schema where name = '_sqlx_migrations')",
                    )
                    .fetch_one(&mut *conn)
                    .await?;
                    if !migrated {
                        return Ok(None);
                    }
                    sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                        .fetch_one(conn)
                        .await
                })
            })
            .await?;
        check_schema(found)
    }
}

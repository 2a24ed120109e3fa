//! The embedded database's schema.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use std::path::Path;
use tokio::io::AsyncWriteExt;

use super::Sqlite;
use crate::ledger::{
    database::{DatabaseFault, SCHEMA_VERSION, check_schema},
    store::LedgerFault,
    undo::Steps,
};

/// A migration: its name, and what it does and takes back.
macro_rules! step {
    ($number:literal, $name:literal) => {{
        const UP: &str =
            include_str!(concat!("../../../migrations/sqlite/", $number, "_", $name, ".up.sql"));
        const DOWN: &str =
            include_str!(concat!("../../../migrations/sqlite/", $number, "_", $name, ".down.sql"));
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

    /// Whether commits can be made here now. The one writer is not asked: under load it is busy,
    /// which is no reason to send buyers away. A file beside the database tells whether the disk
    /// takes anything.
    pub(super) async fn is_ready(&self) -> Result<(), DatabaseFault> {
        self.check().await?;
        let folder = self.folder.to_path_buf();
        let probe = folder.join("probe");
        let unusable = |error| DatabaseFault::Folder { folder: folder.clone(), error };
        write_through(&probe).await.map_err(unusable)?;
        tokio::fs::remove_file(&probe).await.map_err(unusable)
    }

    pub(in crate::ledger) async fn check(&self) -> Result<(), DatabaseFault> {
        check_schema(self.schema().await?)
    }

    /// The schema's version, if there is one.
    pub(in crate::ledger) async fn schema(&self) -> Result<Option<i64>, LedgerFault> {
        self.read(|conn| {
            Box::pin(async move {
                let migrated: bool = sqlx::query_scalar(
                    "select exists (select 1 from sqlite_schema where name = '_sqlx_migrations')",
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
        .await
    }
}

/// Writes a page to the disk.
async fn write_through(probe: &Path) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create(probe).await?;
    file.write_all(&[0; 4096]).await?;
    file.sync_all().await
}

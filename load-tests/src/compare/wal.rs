//! What PostgreSQL writes ahead of everything else: its log, which is what a commit waits for.

use super::house::House;

/// What the log took in, in all or in a while.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wal {
    /// Bytes, exact.
    pub bytes: i64,
    /// Records. Backends tell them once a second, so a short while is off by some.
    pub records: i64,
}

impl Wal {
    /// What it has taken in so far, whoever wrote it.
    ///
    /// # Errors
    /// When PostgreSQL does not say.
    pub fn so_far(house: &House, database: &str) -> anyhow::Result<Self> {
        house.runtime.block_on(async {
            let client = house.postgres.connect(database).await?;
            let asked = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
                (select wal_records from pg_stat_wal)";
            let row = client.query_one(asked, &[]).await?;
            Ok(Self { bytes: row.try_get(0)?, records: row.try_get(1)? })
        })
    }

    /// What it took in since then.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self { bytes: self.bytes - before.bytes, records: self.records - before.records }
    }
}

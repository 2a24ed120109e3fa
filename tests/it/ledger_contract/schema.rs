//! Opening, migrating and checking a database.

use doorbuster::ledger::{Database, DatabaseFault, DatabaseOptions, database::SCHEMA_VERSION};

use crate::support::{
    bench::{Bench, write},
    servers,
};

on_both!(a_checked_database_has_the_schema_of_the_binary);

async fn a_checked_database_has_the_schema_of_the_binary(bench: Bench) {
    bench.database.check().await.expect("is as it should be");
    // Again is nothing to do.
    bench.database.migrate().await.expect("nothing is missing");
}

async fn goes_up_down_and_up(database: Database) {
    let behind = database.check().await.expect_err("is empty");
    assert!(matches!(behind, DatabaseFault::SchemaBehind { found: 0, .. }), "{behind}");
    assert!(behind.to_string().contains("doorbuster migrate"), "{behind}");
    database.migrate().await.expect("goes up");
    for version in (0..SCHEMA_VERSION).rev() {
        database.migrate_to(version).await.expect("goes down");
        assert!(database.check().await.is_err(), "version {version} is too old");
    }
    database.migrate().await.expect("goes up again");
    database.check().await.expect("is whole again");
}

#[tokio::test]
async fn every_migration_of_postgres_goes_up_down_and_up() {
    let options = DatabaseOptions::new(servers::empty_postgres().await);
    goes_up_down_and_up(Database::open(&options).await.expect("opens")).await;
}

#[tokio::test]
async fn every_migration_of_sqlite_goes_up_down_and_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DatabaseOptions::new(folder.path().display().to_string());
    goes_up_down_and_up(Database::open(&options).await.expect("opens")).await;
}

#[tokio::test]
async fn two_processes_cannot_share_a_data_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().display().to_string();
    let options = DatabaseOptions::new(location.clone());
    let first = Database::open(&options).await.expect("opens");
    let fault = Database::open(&options).await.expect_err("is taken");
    assert!(fault.to_string().contains(&location), "{fault}");
    assert!(matches!(fault, DatabaseFault::InUse { .. }), "{fault}");
    drop(first);
    Database::open(&options).await.expect("is free again");
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let bench = Bench::sqlite().await;
    bench.receive("TEE", 3).await;
    let checkout = bench.checkout();
    bench.one(write(bench.session(checkout, 1, &[("TEE", 1)]))).await.expect("holds");
    let bench = bench.opened_again().await;
    assert_eq!(bench.levels("TEE").await, [3, 2, 0, 1, 0]);
}

#[tokio::test]
async fn an_address_that_does_not_read_says_what_to_write() {
    let options = DatabaseOptions::new("postgres://[");
    let fault = Database::open(&options).await.expect_err("is no address");
    assert!(fault.to_string().contains("postgres://user@host/name"), "{fault}");
    let shown = format!("{:?}", DatabaseOptions::new("postgres://u:secret@h/d"));
    assert!(!shown.contains("secret"), "{shown}");
}

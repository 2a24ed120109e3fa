//! Opening, migrating and checking a database.

use doorbuster::ledger::{Database, DatabaseFault, DatabaseOptions, database::SCHEMA_VERSION};

use crate::support::{
    bench::{Bench, write},
    own_servers::OwnPostgres,
    servers,
};

on_both!(a_checked_database_has_the_schema_of_the_binary, a_newer_schema_serves_an_older_binary,);

async fn a_checked_database_has_the_schema_of_the_binary(bench: Bench) {
    bench.database.check().await.expect("is as it should be");
    // Again is nothing to do.
    bench.database.migrate().await.expect("nothing is missing");
}

/// During a rolling upgrade the new binary has migrated already, and the old one still serves.
async fn a_newer_schema_serves_an_older_binary(bench: Bench) {
    let newer = "insert into _sqlx_migrations
        (version, description, success, checksum, execution_time)
        select version + 1, 'of the next binary', success, checksum, execution_time
        from _sqlx_migrations order by version desc limit 1";
    bench.by_hand(newer).await.expect("the next binary was here");
    bench.database.check().await.expect("it has all we need");
    bench.database.migrate().await.expect("what is newer is left alone");
    bench.receive("TEE", 1).await;
    assert_eq!(bench.levels("TEE").await, [1, 1, 0, 0, 0]);
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

#[tokio::test]
async fn the_embedded_database_waits_for_the_disk() {
    let bench = Bench::sqlite().await;
    let Database::Sqlite(sqlite) = &bench.database else { panic!("this is SQLite") };
    let setting = async |pragma: &'static str| {
        let read = sqlite.write(move |connection| {
            Box::pin(
                async move { sqlx::query_scalar::<_, i64>(pragma).fetch_one(connection).await },
            )
        });
        read.await.expect("it tells")
    };
    assert_eq!(setting("select synchronous from pragma_synchronous").await, 2, "full");
    assert_eq!(setting("select foreign_keys from pragma_foreign_keys").await, 1);
    let log = "select count(*) from pragma_journal_mode where journal_mode = 'wal'";
    assert_eq!(setting(log).await, 1);
}

#[tokio::test]
async fn a_server_that_may_lose_orders_is_refused_in_production() {
    let server = OwnPostgres::start();
    let mut options = DatabaseOptions::new(server.url());
    Database::open(&options).await.expect("opens").migrate().await.expect("applies");
    for setting in ["synchronous_commit", "fsync"] {
        server.set(setting, "off").await;
        options.production = true;
        let open = async |options: &DatabaseOptions| Database::open(options).await.expect("opens");
        let fault = open(&options).await.check().await.expect_err("it may lose orders");
        assert!(matches!(&fault, DatabaseFault::NotDurable { setting: off } if *off == setting));
        assert!(fault.to_string().contains("switch it on"), "{fault}");
        options.production = false;
        open(&options).await.check().await.expect("fine for trying out");
        server.set(setting, "on").await;
    }
    options.production = true;
    Database::open(&options).await.expect("opens").check().await.expect("all is on again");
}

//! A database that takes no work now says so in many words: each is "come back", and none a fault
//! of ours. Its connections are left, so that the next ones find whoever is the primary then.

use doorbuster::ledger::{Database, DatabaseOptions, LedgerFault, database::DatabaseFault};
use sqlx::AssertSqlSafe;

use crate::support::servers;

/// Raises an error with this SQLSTATE.
async fn raised(database: &Database, state: &str) -> LedgerFault {
    let Database::Postgres(postgres) = database else { panic!("PostgreSQL") };
    let sql = format!("do $$ begin raise exception using errcode = '{state}'; end $$");
    let said = postgres.run(|conn| {
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop) })
    });
    said.await.expect_err("it is raised")
}

// breaks: leave a class out of `is_broken` or `is_refused` in `ledger::postgres::pool`
#[tokio::test]
async fn every_sqlstate_that_means_not_now_is_unreachable_and_its_connection_is_left() {
    let database = Database::open(&DatabaseOptions::new(servers::postgres().await)).await;
    let (database, [reader, writer]) = (database.expect("it opens"), [1, 1]);
    let store = database.store();
    for state in [
        "25006", "25P03", "25P04", "08000", "08001", "08003", "08004", "08006", "08007", "08P01",
        "53000", "53100", "53200", "53300", "53400", "57P01", "57P02", "57P03", "57P04", "57P05",
    ] {
        store.now().await.expect("the next connection is good");
        assert_eq!(store.pool().idle, reader + writer);
        let fault = raised(&database, state).await;
        assert!(matches!(fault, LedgerFault::Unreachable(_)), "{state}: {fault}");
        assert_eq!(store.pool().idle, writer, "{state}: the connection was kept");
    }
    for state in ["55P03", "57014", "40001", "40P01"] {
        let fault = raised(&database, state).await;
        assert!(matches!(fault, LedgerFault::Unreachable(_)), "{state}: {fault}");
    }
    for state in ["22003", "23505", "42P01", "28000", "3D000", "XX000", "58030"] {
        let fault = raised(&database, state).await;
        assert!(matches!(fault, LedgerFault::Broken(_)), "{state}: {fault}");
    }
}

// breaks: ask for `now()` instead of `check_ready`
#[tokio::test]
async fn a_database_without_our_schema_is_not_ready() {
    let url = servers::postgres().await;
    let folder = tempfile::tempdir().expect("a folder");
    for location in [url.clone(), folder.path().display().to_string()] {
        let database = Database::open(&DatabaseOptions::new(location)).await.expect("it opens");
        database.migrate().await.expect("the schema applies");
        let store = database.store();
        store.check_ready().await.expect("it is ready");
        store.now().await.expect("and answers");
        database.migrate_to(15).await.expect("taken back");
        store.now().await.expect("it still answers");
        let refused = store.check_ready().await;
        assert!(matches!(refused, Err(DatabaseFault::SchemaBehind { .. })), "{refused:?}");
    }
}

// breaks: leave `write_through` out of `Sqlite::is_ready`
#[tokio::test]
async fn a_disk_that_takes_nothing_is_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let options = DatabaseOptions::new(data.display().to_string());
    let database = Database::open(&options).await.expect("it opens");
    database.migrate().await.expect("the schema applies");
    let store = database.store();
    store.check_ready().await.expect("it is ready");
    assert!(!data.join("probe").exists(), "what was written to see is gone");
    std::fs::rename(&data, folder.path().join("gone")).expect("the disk is taken away");
    store.now().await.expect("what is open still answers");
    let refused = store.check_ready().await;
    assert!(matches!(refused, Err(DatabaseFault::Folder { .. })), "{refused:?}");
}

//! The service behind a PgBouncer in transaction mode.

use std::time::Duration;

use super::{
    house::Setup,
    reckoning::reckon,
    shoppers::{MIXED, Sale},
};
use crate::support::{pooler, servers};

const SKUS: [&str; 2] = ["TEE", "MUG"];

/// How soon a sale gets anywhere on a loaded machine.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_over_pgbouncer_in_transaction_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = pooler::to(&servers::postgres().await);
    let setup = Setup::new(folder.path())
        .where_cards_fail()
        .with("storage.database", address)
        .with("storage.pooling", "transaction");
    setup.fill(&SKUS.map(|sku| (sku, 20_000)));
    let house = setup.start().await;
    let sale = Sale::open(&house.till(), 4, 11, &SKUS, MIXED);
    sale.sells(60, SOON).await;
    let diary = sale.close(SOON).await;
    assert_eq!(diary.silences, [""; 0], "requests without an answer");
    assert_eq!(diary.refused, [Duration::ZERO; 0], "refused though all servers stand");
    reckon(&setup, house, diary, &SKUS).await;
}

#[tokio::test]
async fn a_migration_does_not_go_through_the_pooler() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = |address| {
        Setup::new(folder.path())
            .with("storage.database", address)
            .with("storage.pooling", "transaction")
    };
    let empty = servers::empty_postgres().await;
    let ran = setup(pooler::to(&empty)).run(&["migrate"]);
    assert!(
        !ran.status.success() && ran.err.contains("the address of PostgreSQL itself"),
        "{ran:?}"
    );
    setup(pooler::to(&servers::postgres().await)).done(&["migrate"]);
}

#[tokio::test]
async fn a_pooler_that_was_not_expected_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = pooler::to(&servers::postgres().await);
    let ran = Setup::new(folder.path()).with("storage.database", address).run(&["audit"]);
    assert!(ran.err.contains("set `storage.pooling` to `transaction`"), "{ran:?}");
}

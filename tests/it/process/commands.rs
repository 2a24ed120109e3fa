//! What a newcomer types: no arguments, the printed `curl`, a replay, an import, an audit.

use std::{fs, process::Command, time::Duration};

use super::house::{Ran, Setup};
use crate::support::{own_servers::OwnRedis, servers};

const INVOICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/invoices.csv");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_curl_buys_from_the_demo_shop() {
    let folder = tempfile::tempdir().expect("a folder");
    // Only the port is not the usual one: another may have that.
    let setup = Setup::bare(folder.path()).with("server.listen", "127.0.0.1:0");
    let mut house = setup.start().await;
    house.says("    -d '").await;
    let said = house.said();
    let curl = &said[said.find("curl ").expect("a curl is printed")..];
    let bought = Command::new("sh").arg("-c").arg(curl).output().expect("a shell");
    let order = String::from_utf8_lossy(&bought.stdout);
    let order: serde_json::Value = serde_json::from_str(&order).unwrap_or_default();
    assert_eq!(order["status"], "placed", "{curl}\n{bought:?}");
    assert!(folder.path().join("data").is_dir(), "the data stands in ./data");
    house.till().until("/metrics", 200, Duration::from_secs(1)).await;
    house.stop().await;
    setup.audit_is_clean();
    // A second start finds the shop as it was left.
    let house = setup.start().await;
    let id = order["id"].as_str().expect("an id");
    house.till().json(&format!("/v1/orders/{id}")).await;
    let flash = house.till().json("/v1/stock/FLASH-SNEAKER-42").await;
    assert_eq!((&flash["on_hand"], &flash["sold"]), (&100.into(), &1.into()), "{flash}");
    house.stop().await;
}

fn replayed(setup: &Setup) -> String {
    let out = setup.done(&["replay", INVOICES]);
    assert_eq!(out.lines().last(), Some("audit: clean"), "{out}");
    out
}

#[test]
fn a_replay_ends_with_clean_books_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = replayed(&Setup::new(folder.path()));
    assert!(!folder.path().join("data").exists(), "a replay leaves one's own data alone: {out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_ends_with_clean_books_on_postgres_and_redis() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = OwnRedis::start();
    let setup = Setup::new(folder.path())
        .with("storage.database", servers::postgres().await)
        .with("storage.redis", redis.url());
    replayed(&setup);
    assert_ne!(redis.says("DBSIZE"), ":0", "the replay's sessions were not kept in Redis");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_ledger_is_told_and_fails_the_audit() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::postgres().await;
    let setup = Setup::new(folder.path()).with("storage.database", &url);
    setup.fill(&[("TEE", 5), ("MUG", 7)]);
    setup.audit_is_clean();
    servers::damage(&url, "update stock set on_hand = on_hand + 1 where sku = 'MUG'").await;
    let Ran { status, out, err } = setup.run(&["audit"]);
    assert_eq!(status.code(), Some(1), "{out}{err}");
    assert!(out.contains("MUG: 8 on hand, but movements say 7"), "{out}");
    assert!(!out.contains("TEE:") && !out.contains("audit: clean"), "{out}");
    assert!(err.contains("the audit found 2 differences"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_all_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path());
    let file = folder.path().join("products.csv").display().to_string();
    let good = "sku,title,price,currency,stock\nTEE,A tee,19.90,EUR,5\nMUG,A mug,9.80,EUR,\n";
    fs::write(&file, good).expect("the folder takes a file");
    let said = setup.done(&["import", "--dry-run", &file]);
    assert!(said.contains("2 products read, 1 with stock; nothing was saved"), "{said}");
    fs::write(&file, good.replace("9.80", "9,80").replace("A mug", "\"A mug\""))
        .expect("the folder takes a file");
    let Ran { status, err, .. } = setup.run(&["import", &file]);
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(err.contains("line 3"), "{err}");
    let house = setup.start().await;
    let none = house.till().json("/v1/products").await;
    assert_eq!(none["items"].as_array().map(Vec::len), Some(0), "{none}");
    house.stop().await;
    fs::write(&file, good).expect("the folder takes a file");
    setup.done(&["import", &file]);
    let house = setup.start().await;
    let tee = house.till().json("/v1/stock/TEE").await;
    assert_eq!((&tee["on_hand"], &tee["available"]), (&5.into(), &5.into()), "{tee}");
    house.stop().await;
    setup.audit_is_clean();
}

//! Starts that must be refused say why and what to do; those that may go on, go on.

use doorbuster::ledger::database::SCHEMA_VERSION;
use serde_json::json;
use std::{fs, time::Duration};

use super::{
    house::{Ran, Setup},
    till::{Till, fresh_key},
};
use crate::support::servers;

/// A refusal to start, in words that help.
fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "`{word}` is not in: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_belongs_to_one_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path());
    let house = setup.start().await;
    refused(&setup.run(&[]), &["is in use by another process", "a folder of its own"]);
    refused(&setup.run(&["audit"]), &["is in use by another process"]);
    house.till().until("/readyz", 200, Duration::from_secs(1)).await;
    house.kill();
    // A lock that outlives its process would keep a crashed shop closed.
    setup.start().await.stop().await;
}

// breaks: serve whatever `Config::refusal_to_serve` says, or leave its notice out
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_lets_in_by_key_only_and_takes_no_test_money_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path())
        .with("mode", "production")
        .with("server.replica_id", "till-3")
        .with("log.filter", "info")
        .with("server.metrics_listen", "127.0.0.1:0");
    let no_gateway = ["`payment.gateway` is a sandbox", "payment.accept_test_money"];
    refused(&setup.run(&[]), &no_gateway);
    refused(&setup.run(&["check-config"]), &no_gateway);
    let setup = setup.with("payment.accept_test_money", true);
    let known = setup.done(&["check-config"]);
    assert!(known.contains("# note: payments go to the sandbox gateway"), "{known}");
    refused(&setup.run(&[]), &["API key, and there is none", "doorbuster keys create"]);
    let made = setup.done(&["keys", "create", "--label", "till", "--scope", "checkout"]);
    let key = made.lines().next().expect("the key is shown");
    let house = setup.start().await;
    let open: Till = house.till();
    let order = json!({
        "lines": [{"sku": "GONE", "quantity": 1}],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": "success_token"},
    });
    let status = |till: Till, path: &'static str, body: serde_json::Value| async move {
        till.post(&fresh_key(), path, &body).await.expect("it answers").status
    };
    assert!(house.log_tail().contains("replica.label=\"till-3\""), "{}", house.log_tail());
    assert_eq!(status(open.clone(), "/v1/orders", order.clone()).await, 401);
    assert_eq!(open.get("/v1/stock").await.expect("it answers").status, 401);
    let keyed = open.with_key(key);
    assert_eq!(keyed.get("/v1/stock").await.expect("it answers").status, 403);
    assert_eq!(status(keyed.clone(), "/v1/stock/movements", json!({})).await, 403);
    let sold = status(keyed, "/v1/orders", order).await;
    assert!(sold == 409 || sold == 422, "a key that may buy is let in: {sold}");
    assert!(house.log_tail().contains("no money moves"), "{}", house.log_tail());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_behind_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::empty_postgres().await;
    let setup = Setup::new(folder.path()).with("storage.database", &url);
    let production =
        setup.clone().with("mode", "production").with("payment.accept_test_money", true);
    let told = ["schema is at version 0", "run `doorbuster migrate`"];
    refused(&production.run(&[]), &told);
    refused(&setup.run(&["audit"]), &told);
    setup.done(&["migrate"]);
    refused(&setup.run(&["migrate", "--down", "1"]), &["nothing was changed", "--confirm empty_"]);
    let name = url.rsplit('/').next().expect("a name").to_owned();
    setup.done(&["migrate", "--down", "1", "--confirm", &name]);
    refused(&production.run(&[]), &["run `doorbuster migrate`"]);
    setup.done(&["migrate"]);
    setup.audit_is_clean();
}

// breaks: take `target` from the binary's version; leave `list_beating` or `confirmed` out
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_are_taken_back_by_name_one_by_one_and_under_nobodys_feet() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::postgres().await;
    let in_postgres = Setup::new(folder.path()).with("storage.database", &url);
    let postgres = url.rsplit('/').next().expect("a name").to_owned();
    for (setup, name) in [(in_postgres, &*postgres), (Setup::new(folder.path()), "data")] {
        setup.fill(&[("TEE", 5), ("MUG", 7)]);
        let down =
            |count: &str, name: &str| setup.run(&["migrate", "--down", count, "--confirm", name]);
        let house = setup.clone().with("server.replica_id", "till-3").start().await;
        let busy = down("1", name);
        let why = if name == "data" { "in use by another process" } else { "till-3" };
        refused(&busy, &[why]);
        house.stop().await;
        refused(&down("1", "another"), &["nothing was changed", name, "`another`"]);
        refused(&down("99", name), &["takes at most"]);
        refused(&setup.run(&["migrate", "--down", "16"]), &["nothing was changed"]);
        setup.audit_is_clean();
        let newest = SCHEMA_VERSION;
        for version in [newest - 1, newest - 2] {
            let Ran { status, out, err } = down("1", name);
            assert!(status.success(), "{out}{err}");
            let last = format!("the schema is at version {version}");
            assert_eq!(out.lines().last(), Some(&*last), "{out}");
        }
        let Ran { out, .. } = down(&(newest - 2).to_string(), name);
        for part in [
            &format!("`{name}` goes from version {} back to 0", newest - 2),
            "products: 2 rows",
            "stock: 2 rows",
            "orders: 0 rows",
            "the schema is at version 0",
        ] {
            assert!(out.contains(part), "{part:?} is missing in {out}");
        }
        refused(&down("1", name), &["takes at most 0"]);
        setup.done(&["migrate"]);
        setup.audit_is_clean();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_that_platforms_find_is_the_operators_choice() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path()).with("ucp.simulation_secret", "sesame");
    let arguments = ["serve", "--ucp-default", "2026-01-11"];
    let house = setup.start_as(&arguments, "doorbuster serves ").await;
    let (till, profile) = (house.till(), "/.well-known/ucp");
    let found = till.json(profile).await;
    assert_eq!(found["ucp"]["version"], "2026-01-11");
    let endpoint = &found["ucp"]["services"]["dev.ucp.shopping"]["rest"]["endpoint"];
    assert_eq!(endpoint, &format!("{}/ucp/2026-01-11", house.base));
    let ship = "/testing/simulate-shipping/ord_01a20ad0ec9975c19b1db9c581e57a24";
    let asked = till.post(&fresh_key(), ship, &json!({})).await.expect("it answers");
    assert_eq!(asked.status, 403, "the secret is asked for");
    house.stop().await;
    let house = Setup::new(folder.path()).start().await;
    assert_eq!(house.till().json(profile).await["ucp"]["version"], "2026-04-08");
    let asked = house.till().post(&fresh_key(), ship, &json!({})).await.expect("it answers");
    assert_eq!(asked.status, 404, "without a secret there is nothing");
    house.stop().await;
    let production = setup.with("mode", "production").run(&[]);
    refused(&production, &["SIMULATION_SECRET", "leave it out in production mode"]);
}

#[test]
fn a_broken_configuration_names_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path());
    let file = folder.path().join("shop.toml");
    let with_file = |text: &str| {
        fs::write(&file, text).expect("the folder takes a file");
        setup.run(&["--config", &file.display().to_string()])
    };
    refused(&with_file("[server\n"), &["shop.toml, line 1", "not valid TOML"]);
    refused(&with_file("[server]\nlisten_on = \"x\"\n"), &["shop.toml", "did you mean"]);
    refused(&with_file("[stock]\nhold_ttl_seconds = 0\n"), &["shop.toml", "hold_ttl_seconds"]);
    let unknown = setup.clone().with("stock.hold_ttl", 5).run(&["check-config"]);
    refused(&unknown, &["DOORBUSTER__STOCK__HOLD_TTL", "did you mean"]);
    let open = setup.with("server.listen", "0.0.0.0:0").run(&[]);
    refused(&open, &["loopback", "mode = \"production\""]);
}

/// Half a download is no reason to guess where buyers are.
#[test]
fn a_database_of_addresses_that_broke_off_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    std::fs::write(&path, b"half of it").expect("a file");
    let setup = Setup::new(folder.path()).with("fraud.ip_database", path.display());
    let Ran { status, err, .. } = setup.run(&["serve"]);
    assert!(!status.success() && err.contains("places.mmdb"), "{err}");
    assert!(err.contains("fetch it again"), "{err}");
}

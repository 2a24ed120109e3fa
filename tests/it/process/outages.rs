//! The servers below go away in the middle of a sale: stopped, crashed, flushed, or silent.

use doorbuster::base::{Timestamp, anchored::system_time};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::{
    house::{House, Setup},
    reckoning::reckon,
    shoppers::{Diary, MIXED, Sale},
    till::{fresh_key, text},
};
use crate::support::{
    cable::{Cable, Line},
    own_cluster::OwnCluster,
    own_servers::{OwnPostgres, OwnRedis},
    servers,
};

const SKUS: [&str; 3] = ["TEE", "MUG", "CAP"];

/// No money that makes waiting: what takes long here is the outage.
const QUICK: &[&str] = &["success_token", "success_token", "success_token", "fail_token"];

/// How long a request may take: the door's own deadline below, and what a loaded machine adds.
const REQUEST: Duration = Duration::from_secs(8 + 3);

/// How soon after a server is back the sale goes on.
const BACK: Duration = Duration::from_secs(30);

/// A setup on this database that answers each request within eight seconds.
fn on(folder: &tempfile::TempDir, database: &str) -> Setup {
    Setup::new(folder.path())
        .where_cards_fail()
        .with("storage.database", database)
        .with("limits.request_seconds", 8)
}

/// The process never left, so every request has an answer; those with 503 came in time.
fn nobody_was_left_hanging(diary: &Diary) {
    assert_eq!(diary.silences, [""; 0], "requests without an answer");
    let slowest = diary.refused.iter().max().copied().unwrap_or_default();
    assert!(slowest <= REQUEST, "a refusal took {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_flushed_mid_sale() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut redis = OwnRedis::start();
    let setup = on(&folder, &servers::postgres().await).with("storage.redis", redis.url());
    setup.fill(&SKUS.map(|sku| (sku, 20_000)));
    let house = setup.start().await;
    let sale = Sale::open(&house.till(), 4, 3, &SKUS, MIXED);
    sale.sells(10, BACK).await;
    assert_ne!(redis.says("DBSIZE"), ":0", "nothing is kept in Redis");
    assert_eq!(redis.says("FLUSHALL"), "+OK");
    sale.sells(10, BACK).await;
    redis.kill();
    sale.sells(15, BACK).await;
    redis.start_again();
    used_again(&redis).await;
    sale.sells(10, BACK).await;
    let diary = sale.close(BACK).await;
    nobody_was_left_hanging(&diary);
    assert_eq!(diary.refused, [Duration::ZERO; 0], "refused though only Redis was gone");
    reckon(&setup, house, diary, &SKUS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_cluster_master_killed_mid_sale() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cluster = OwnCluster::start();
    let setup = on(&folder, &servers::postgres().await).with("storage.redis", cluster.url());
    setup.fill(&SKUS.map(|sku| (sku, 20_000)));
    let house = setup.start().await;
    let sale = Sale::open(&house.till(), 4, 7, &SKUS, MIXED);
    sale.sells(10, BACK).await;
    for master in 0..3 {
        cluster.kill(master);
        sale.sells(15, BACK).await;
        cluster.start_again(master);
        let late = Instant::now() + BACK;
        while cluster.says(master, "DBSIZE") == ":0" {
            assert!(Instant::now() < late, "a master is back and nobody uses it");
            sleep(Duration::from_millis(50)).await;
        }
    }
    sale.sells(10, BACK).await;
    let diary = sale.close(BACK).await;
    nobody_was_left_hanging(&diary);
    assert_eq!(diary.refused, [Duration::ZERO; 0], "refused though only Redis was gone");
    reckon(&setup, house, diary, &SKUS).await;
}

async fn used_again(redis: &OwnRedis) {
    let late = Instant::now() + BACK;
    while redis.says("DBSIZE") == ":0" {
        assert!(Instant::now() < late, "Redis is back and nobody uses it");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_restart_mid_sale() {
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = OwnPostgres::start();
    let setup = on(&folder, &postgres.url());
    setup.done(&["migrate"]);
    setup.fill(&SKUS.map(|sku| (sku, 20_000)));
    let house = setup.start().await;
    let sale = Sale::open(&house.till(), 4, 4, &SKUS, QUICK);
    for mode in ["fast", "immediate"] {
        sale.sells(10, BACK).await;
        let before = sale.refusals();
        postgres.end(mode);
        sale.refuses(before, REQUEST).await;
        house.till().until("/readyz", 503, Duration::from_secs(3)).await;
        postgres.start_again();
        house.till().until("/readyz", 200, BACK).await;
        sale.sells(10, BACK).await;
    }
    let diary = sale.close(BACK).await;
    nobody_was_left_hanging(&diary);
    reckon(&setup, house, diary, &SKUS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn black_hole_in_both_directions() {
    black_hole(Line::Dark, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn black_hole_for_answers_only() {
    black_hole(Line::Mute, 6).await;
}

async fn black_hole(loss: Line, seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = OwnPostgres::start();
    let cable = Cable::to(postgres.port());
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", cable.port());
    let direct = on(&folder, &postgres.url());
    direct.done(&["migrate"]);
    direct.fill(&SKUS.map(|sku| (sku, 20_000)));
    let setup = on(&folder, &url);
    let house = setup.start().await;
    let sale = Sale::open(&house.till(), 4, seed, &SKUS, QUICK);
    let times = if std::env::var_os("DOORBUSTER_TEST_FULL").is_some() { 4 } else { 1 };
    for _ in 0..times {
        sale.sells(10, BACK).await;
        goes_dark(&cable, loss, &sale, &house).await;
        sale.sells(10, BACK).await;
    }
    let diary = sale.close(BACK).await;
    nobody_was_left_hanging(&diary);
    reckon(&setup, house, diary, &SKUS).await;
}

/// The line is lost and comes back for new connections.
async fn goes_dark(cable: &Cable, loss: Line, sale: &Sale, house: &House) {
    let before = sale.refusals();
    cable.set(loss);
    house.till().until("/readyz", 503, Duration::from_secs(3)).await;
    sale.refuses(before, REQUEST).await;
    cable.set(Line::Open);
    house.till().until("/readyz", 200, BACK).await;
}

/// What an operator does to a primary that shall write no more, and what a failover leaves behind.
async fn fence(url: &str, on: bool) {
    let name = url.rsplit('/').next().expect("a name");
    let mut hand = PgConnection::connect(url).await.expect("it answers");
    let set = if on { "set default_transaction_read_only = on" } else { "reset all" };
    let alter = format!("alter database {name} {set}");
    let leave = "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()";
    let sql = ["set default_transaction_read_only = off", &alter, if on { leave } else { "" }];
    for sql in sql {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut hand).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

// breaks: leave 25006 out of `is_refused`, or the question for writes out of `check_ready`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_primary_is_not_ready_and_refuses_until_it_writes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::postgres().await;
    let setup = on(&folder, &url);
    setup.fill(&[("TEE", 9)]);
    let house = setup.start().await;
    let till = house.till();
    let order = json!({
        "lines": [{"sku": "TEE", "quantity": 1}],
        "buyer": {"email": "ada@example.com"},
        "payment": {"token": "success_token"},
    });
    let placed = till.insists(&fresh_key(), "/v1/orders", &order).await;
    assert_eq!(placed.status, 201, "{}", text(&placed));
    till.until("/readyz", 200, BACK).await;
    fence(&url, true).await;
    till.until("/readyz", 503, BACK).await;
    let key = fresh_key();
    for _ in 0..5 {
        let refused = till.post(&key, "/v1/orders", &order).await.expect("it answers");
        assert_eq!(refused.status, 503, "{}", text(&refused));
        assert!(refused.retry_after.is_some_and(|after| !after.is_zero()), "when to come back");
    }
    fence(&url, false).await;
    // Nobody ends the connections of before: each is left when it refuses.
    till.until("/readyz", 200, BACK).await;
    let placed = till.insists(&key, "/v1/orders", &order).await;
    assert_eq!(placed.status, 201, "{}", text(&placed));
    house.stop().await;
    setup.audit_is_clean();
}

// breaks: leave `keep_time` out of `App::start`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_follows_the_clock_of_its_database_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::postgres().await;
    let setup = on(&folder, &url);
    setup.fill(&[("TEE", 9)]);
    let house = setup.start().await;
    let till = house.till();
    let figure = async |name: &str| {
        let figures = till.get("/metrics").await.expect("it answers").body;
        let figures = String::from_utf8_lossy(&figures).into_owned();
        let line = figures.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0)
    };
    assert!(figure("clock_jumps_total").await < 1.0);
    // From now on the database is half an hour later: what a machine finds that slept.
    let mut hand = PgConnection::connect(&url).await.expect("it answers");
    let name = url.rsplit('/').next().expect("a name");
    let later = format!(
        "create schema later;
         create function later.clock_timestamp() returns timestamptz language sql volatile as
             'select pg_catalog.clock_timestamp() + interval ''30 minutes''';
         alter database {name} set search_path = later, pg_catalog, public;
         select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()"
    );
    sqlx::raw_sql(AssertSqlSafe(later)).execute(&mut hand).await.expect("it is later");
    let late = Instant::now() + BACK * 2;
    while figure("clock_jumps_total").await < 1.0 {
        assert!(Instant::now() < late, "it did not follow\n{}", house.log_tail());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(house.log_tail().contains("put forward"), "{}", house.log_tail());
    let line = json!({"item": {"id": "TEE"}, "quantity": 1});
    let cart = json!({"line_items": [line], "buyer": {"email": "ada@example.com"}});
    let opened = till.insists(&fresh_key(), "/ucp/checkout-sessions", &cart).await;
    let opened: serde_json::Value = serde_json::from_slice(&opened.body).expect("JSON");
    let expires = opened["expires_at"].as_str().and_then(Timestamp::parse).expect("it expires");
    let hours = Duration::from_secs(6 * 60 * 60);
    assert!(expires > system_time().plus(hours + Duration::from_secs(25 * 60)), "{opened}");
    house.stop().await;
    setup.audit_is_clean();
}

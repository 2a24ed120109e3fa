//! Told to stop: nothing acknowledged is lost, nobody gets half an answer, and it ends in time.

use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use doorbuster::outbound::OutboundFault;

use super::{
    house::Setup,
    till::{Till, fresh_key, json, text},
};
use crate::support::servers;

/// What shoppers have when the door is shut: the orders they were told of, and the keys of requests
/// whose connection was closed just as they were sent.
#[derive(Default)]
struct Bought {
    orders: Vec<String>,
    unheard: Vec<String>,
}

/// Shoppers come until the door is shut.
async fn buys_until_the_end(till: Till, over: Arc<AtomicBool>) -> Bought {
    let mut bought = Bought::default();
    while !over.load(Ordering::SeqCst) {
        let key = fresh_key();
        match till.post(&key, "/v1/orders", &order("success_token")).await {
            Ok(answer) if answer.status == 201 => {
                bought.orders.push(json(&answer)["id"].as_str().expect("an id").to_owned());
            }
            Ok(answer) => assert_eq!(answer.status, 503, "{}", text(&answer)),
            // Refused at the door, or on a connection that was closed before anything was sent.
            Err(OutboundFault::NotSent(_)) => sleep(Duration::from_millis(5)).await,
            Err(OutboundFault::Broken(why)) if why.contains("reset") => bought.unheard.push(key),
            Err(fault) => panic!("a request was cut off: {fault}"),
        }
    }
    bought
}

fn order(token: &str) -> Value {
    json!({
        "lines": [{"sku": "TEE", "quantity": 1}],
        "buyer": {"email": "ada@example.com"},
        "payment": {"token": token},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    stopped_under_load(&Setup::new(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = servers::postgres().await;
    stopped_under_load(&Setup::new(folder.path()).with("storage.database", url)).await;
}

async fn stopped_under_load(setup: &Setup) {
    setup.fill(&[("TEE", 10_000)]);
    let mut house = setup.start().await;
    let (till, over) = (house.till(), Arc::new(AtomicBool::new(false)));
    let mut shoppers = JoinSet::new();
    for _ in 0..6 {
        shoppers.spawn(buys_until_the_end(till.clone(), over.clone()));
    }
    sold(&till, 20).await;
    house.signal("TERM");
    let status = house.ended(Duration::from_secs(20)).await;
    over.store(true, Ordering::SeqCst);
    assert!(status.success(), "{status}\n{}", house.log_tail());
    let bought: Vec<Bought> = shoppers.join_all().await;
    let orders: Vec<_> = bought.iter().flat_map(|bought| &bought.orders).collect();
    assert!(orders.len() >= 20);
    setup.audit_is_clean();
    let house = setup.start().await;
    for order in &orders {
        house.till().json(&format!("/v1/orders/{order}")).await;
    }
    // Whoever heard nothing asks again under the same key, and has one order in the end.
    let unheard: Vec<_> = bought.iter().flat_map(|bought| &bought.unheard).collect();
    assert!(unheard.len() <= 6, "each shopper may lose one connection: {unheard:?}");
    for key in &unheard {
        let answer = house.till().post(key, "/v1/orders", &order("success_token")).await;
        assert_eq!(answer.expect("an answer").status, 201);
    }
    let sold = house.till().json("/v1/stock/TEE").await["sold"].as_i64();
    assert_eq!(sold, i64::try_from(orders.len() + unheard.len()).ok());
    house.stop().await;
}

/// Waits until so many units of the tee are sold.
async fn sold(till: &Till, units: i64) {
    let late = Instant::now() + Duration::from_secs(30);
    while till.json("/v1/stock/TEE").await["sold"].as_i64() < Some(units) {
        assert!(Instant::now() < late, "the sale does not begin");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_exits_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path())
        .with("checkout.gateway_deadline_ms", 25_000)
        .with("payment.sandbox_lost_ms", 25_000);
    setup.fill(&[("TEE", 10)]);
    let mut house = setup.start().await;
    let till = house.till();
    let buyer = till.clone();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move {
        let sent = buyer.post(&fresh_key(), "/v1/orders", &order("lost_token")).await;
        assert!(
            !matches!(sent, Ok(answer) if answer.status < 300),
            "paid by a bank that is silent"
        );
    });
    held(&till).await;
    house.signal("TERM");
    shut(&till).await;
    assert!(house.lives(), "it does not wait for the payment under way");
    house.signal("TERM");
    let began = Instant::now();
    let status = house.ended(Duration::from_secs(3)).await;
    assert_eq!(status.code(), Some(1), "after {:?}", began.elapsed());
    assert!(house.log_tail().contains("stopped at once, on a second signal"));
    waiting.join_all().await;
}

/// Waits until nobody new is let in.
async fn shut(till: &Till) {
    let late = Instant::now() + Duration::from_secs(10);
    while till.get("/readyz").await.is_ok_and(|answer| answer.status == 200) {
        assert!(Instant::now() < late, "the door stays open");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the buyer's unit is held: the payment is about to be asked for.
async fn held(till: &Till) {
    let late = Instant::now() + Duration::from_secs(10);
    while till.json("/v1/stock/TEE").await["held"].as_i64() < Some(1) {
        assert!(Instant::now() < late, "the buyer does not come");
        sleep(Duration::from_millis(10)).await;
    }
}

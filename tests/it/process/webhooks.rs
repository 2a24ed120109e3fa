//! Webhooks through kills of the service, to receivers that often fail, a merchant's server and the
//! platform that placed the orders: nothing is lost, and of each order what happened first is heard
//! first.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

use super::{
    house::Setup,
    reckoning::reckon,
    shoppers::{Diary, MIXED, Sale},
    till::{Till, fresh_key, text},
};
use crate::support::servers;

const SKUS: [&str; 4] = ["TEE", "MUG", "CAP", "PEN"];

/// Of a hundred requests so many are answered with 500, …
const FAILS_PERCENT: u32 = 30;

/// … but none of one delivery more often than this: each failure makes the next wait longer.
const FAILS_MAX: usize = 3;

/// A request that came in.
#[derive(Debug, Clone)]
struct Heard {
    path: String,
    id: String,
    body: String,
    signature: String,
    confirmed: bool,
}

/// A server on this machine that keeps what it hears and often fails: a merchant's at `/hook`, a
/// platform's at `/platform`, with its profile.
struct Receiver {
    base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    fn open(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let dice = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        let (keeps, own) = (heard.clone(), base.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heard, dice, own) = (keeps.clone(), dice.clone(), own.clone());
                std::thread::spawn(move || answer(stream, &own, &heard, &dice));
            }
        });
        Self { base, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("nobody panics here").clone()
    }
}

/// One request a connection. A sender that dies in between has said nothing.
fn answer(
    stream: TcpStream,
    own: &str,
    heard: &Mutex<Vec<Heard>>,
    dice: &Mutex<StdRng>,
) -> Option<()> {
    let mut reader = BufReader::new(&stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    if path == "/profile" {
        let config = json!({ "webhook_url": format!("{own}/platform") });
        let order = json!([{ "version": "2026-04-08", "config": config }]);
        let profile = json!({ "ucp": { "capabilities": { "dev.ucp.shopping.order": order } } });
        return says(&stream, "200 OK", &profile.to_string());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let id = headers.get("webhook-id")?.clone();
    // Kept before it is answered: what is confirmed has been heard.
    let mut heard = heard.lock().expect("nobody panics here");
    let failed = heard.iter().filter(|one| one.id == id && !one.confirmed).count();
    let roll = dice.lock().expect("nobody panics here").random_range(0..100);
    let fails = roll < FAILS_PERCENT && failed < FAILS_MAX;
    let signed = ["webhook-signature", "signature"].map(|name| headers.get(name).cloned());
    heard.push(Heard {
        path,
        id,
        body: String::from_utf8(body).ok()?,
        signature: signed.into_iter().flatten().next()?,
        confirmed: !fails,
    });
    drop(heard);
    let status = if fails { "500 Internal Server Error" } else { "204 No Content" };
    says(&stream, status, "")
}

fn says(mut stream: &TcpStream, status: &str, body: &str) -> Option<()> {
    let head = format!("content-length: {}\r\nconnection: close", body.len());
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_outlive_kills_and_a_receiver_that_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path())
        .where_cards_fail()
        .with("storage.database", servers::postgres().await)
        .with("webhooks.retry_wait_percent", 1);
    let full = env::var_os("DOORBUSTER_TEST_FULL").is_some();
    let mut dice = StdRng::seed_from_u64(3);
    setup.fill(&SKUS.map(|sku| (sku, 20_000)));
    let mut house = setup.start().await;
    let till = house.till();
    let receiver = Receiver::open(5);
    let url = format!("{}/hook", receiver.base);
    let wish = json!({ "url": url, "kinds": ["order.placed", "payment.captured"] });
    let made = till.post(&fresh_key(), "/v1/webhook-endpoints", &wish).await.expect("an answer");
    assert_eq!(made.status, 201, "{}", text(&made));
    let platform = till.as_platform(&format!("{}/profile", receiver.base));
    let sale = Sale::open(&platform, 4, 3, &SKUS, MIXED);
    for _ in 0..if full { 50 } else { 4 } {
        sale.sells(5, Duration::from_secs(60)).await;
        sleep(Duration::from_millis(dice.random_range(0..1500))).await;
        house.kill();
        house = setup.start().await;
        till.moved(&house.base);
    }
    sale.sells(5, Duration::from_secs(60)).await;
    let diary = sale.close(Duration::from_secs(60)).await;
    assert!(!diary.silences.is_empty(), "no kill was noticed");
    let by_platform = of_sessions(&diary);
    assert!(!by_platform.is_empty(), "the platform bought nothing");
    nothing_is_due(full, &till, &receiver, &diary.orders, &by_platform).await;
    let heard = receiver.heard();
    assert!(heard.iter().any(|one| !one.confirmed), "nothing failed");
    in_order_and_the_same_each_time(&heard);
    reckon(&setup, house, diary, &SKUS).await;
}

/// Orders that became of sessions: those of the express lane are no platform's.
fn of_sessions(diary: &Diary) -> Vec<String> {
    let completes = diary.deeds.iter().filter(|deed| deed.path.ends_with("/complete"));
    let orders = completes.filter_map(|deed| {
        let answer: Value = serde_json::from_slice(&deed.answer).ok()?;
        Some(answer["order"]["id"].as_str()?.to_owned())
    });
    orders.collect()
}

/// Waits until every order that was acknowledged has been confirmed, and nothing is due.
async fn nothing_is_due(
    full: bool,
    till: &Till,
    receiver: &Receiver,
    orders: &[String],
    by_platform: &[String],
) {
    // An attempt that a kill ended counts, too: who was hit by several waits for minutes.
    let late = Instant::now() + Duration::from_secs(if full { 900 } else { 180 });
    loop {
        let placed: Vec<String> = receiver
            .heard()
            .iter()
            .filter(|one| one.confirmed)
            .filter_map(|one| told(one, "order.placed"))
            .collect();
        let missing = orders.iter().filter(|order| !placed.contains(order)).count();
        let shown: Vec<String> = receiver.heard().iter().filter_map(shown).collect();
        let unseen = by_platform.iter().filter(|order| !shown.contains(order)).count();
        let missing = missing + unseen;
        let due = till.json("/v1/webhook-deliveries?state=due").await;
        let due = due["items"].as_array().expect("a list").len();
        if missing == 0 && due == 0 {
            break;
        }
        assert!(Instant::now() < late, "{missing} orders are not heard of, {due} deliveries due");
        sleep(Duration::from_millis(200)).await;
    }
    for state in ["parked", "disabled"] {
        let ended = till.json(&format!("/v1/webhook-deliveries?state={state}")).await;
        assert_eq!(ended["items"], json!([]), "{state}");
    }
}

/// The order that the platform has confirmed.
fn shown(heard: &Heard) -> Option<String> {
    let is_confirmed = heard.confirmed && heard.path == "/platform";
    let body: Value = is_confirmed.then(|| serde_json::from_str(&heard.body).expect("JSON"))?;
    Some(body["id"].as_str().expect("an order").to_owned())
}

/// The order an event of this kind is about, as the merchant heard it.
fn told(heard: &Heard, kind: &str) -> Option<String> {
    if heard.path != "/hook" {
        return None;
    }
    let body: Value = serde_json::from_str(&heard.body).expect("JSON");
    let order = body["data"]["order"]["id"].as_str().expect("an order");
    (body["type"] == kind).then(|| order.to_owned())
}

fn in_order_and_the_same_each_time(heard: &[Heard]) {
    let mut bodies: BTreeMap<&str, &str> = BTreeMap::new();
    let mut placed: BTreeMap<String, usize> = BTreeMap::new();
    for (at, one) in heard.iter().enumerate() {
        let scheme = if one.path == "/hook" { "v1," } else { "sig1=:" };
        assert!(one.signature.starts_with(scheme), "{one:?}");
        let known = bodies.entry(&one.id).or_insert(&one.body);
        assert_eq!(*known, one.body, "another body under the same id");
        if let Some(order) = told(one, "order.placed").filter(|_| one.confirmed) {
            placed.entry(order).or_insert(at);
        }
    }
    for (at, one) in heard.iter().enumerate() {
        if let Some(order) = told(one, "payment.captured") {
            let first = placed.get(&order).copied().unwrap_or(usize::MAX);
            assert!(first < at, "{order} was captured before it was heard of");
        }
    }
}

//! Platforms and agents hear of their orders, each in its protocol's own words.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    base::Timestamp,
    http::{Telling, order_body},
    outbound::{GuardedClient, OutboundSettings, Reach},
    outbox::{DeliveryFilter, Relay, Sender},
    signing::{Message, PublicKey, SigningKey, Target, claims, digest_holds},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

use super::{
    http_acp,
    http_shop::{Answer, BASE_URL, Shop, fresh_key},
    http_ucp::{SESSIONS, cart, pay},
};

/// What a platform was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What a platform does with what it is sent.
#[derive(Default)]
struct Mind {
    profile: Value,
    /// Statuses it answers webhooks with, the last one from then on.
    statuses: Vec<u16>,
    heard: Vec<Heard>,
}

/// A platform on this machine: its profile, its key, and where it listens.
pub(crate) struct Platform {
    pub(crate) base: String,
    pub(crate) key: Arc<SigningKey>,
    mind: Arc<Mutex<Mind>>,
}

impl Platform {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let mind: Arc<Mutex<Mind>> = Arc::default();
        let keeps = mind.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mind = keeps.clone();
                std::thread::spawn(move || answer(stream, &mind));
            }
        });
        let key = Arc::new(SigningKey::read(&SigningKey::make()).expect("a key"));
        let platform = Self { base, key, mind };
        platform.shows(&json!({ "ucp": { "version": "2026-04-08", "capabilities": {
            "dev.ucp.shopping.order": [{ "version": "2026-04-08",
                "config": { "webhook_url": format!("{}/hook?of=shop", platform.base) } }],
        } }, "signing_keys": [platform.key.jwk()] }));
        platform.answers(&[204]);
        platform
    }

    pub(crate) fn shows(&self, profile: &Value) {
        self.mind.lock().expect("nobody panics").profile = profile.clone();
    }

    pub(crate) fn profile(&self) -> Value {
        self.mind.lock().expect("nobody panics").profile.clone()
    }

    fn answers(&self, statuses: &[u16]) {
        self.mind.lock().expect("nobody panics").statuses = statuses.to_vec();
    }

    fn heard(&self) -> Vec<Heard> {
        self.mind.lock().expect("nobody panics").heard.clone()
    }

    /// `UCP-Agent` of what it asks.
    pub(crate) fn agent(&self) -> String {
        format!("profile=\"{}/profile\"", self.base)
    }

    /// Waits until it has heard so often.
    pub(crate) async fn hears(&self, times: usize) -> Vec<Heard> {
        for _ in 0..1000 {
            let heard = self.heard();
            if heard.len() >= times {
                return heard;
            }
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("heard {} of {times}: {:?}", self.heard().len(), self.heard());
    }
}

fn answer(stream: TcpStream, mind: &Mutex<Mind>) -> Option<()> {
    let mut reader = BufReader::new(&stream);
    let (mut heard, mut line) = (Heard::default(), String::new());
    reader.read_line(&mut line).ok()?;
    let mut first = line.split(' ').map(str::to_owned);
    (heard.method, heard.path) = (first.next()?, first.next()?);
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        heard.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = heard.headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    heard.body = String::from_utf8(body).ok()?;
    let mut mind = mind.lock().expect("nobody panics");
    let (status, body) = if heard.method == "GET" {
        (200, mind.profile.to_string())
    } else {
        mind.heard.push(heard);
        let status =
            if mind.statuses.len() > 1 { mind.statuses.remove(0) } else { mind.statuses[0] };
        (status, String::new())
    };
    let length = body.len();
    let head =
        "connection: close\r\nlocation: http://127.0.0.1:9/\r\ncontent-type: application/json";
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{head}\r\n\r\n{body}");
    (&stream).write_all(answer.as_bytes()).ok()
}

/// Relays until it is dropped.
pub(crate) struct Relaying(watch::Sender<bool>);

impl Drop for Relaying {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

pub(crate) fn relaying(shop: &Shop) -> Relaying {
    let door = &shop.door;
    let reach = Reach::PublicAndLoopback;
    let client = GuardedClient::new(&OutboundSettings::default(), reach).expect("a client");
    let sender = Sender {
        client,
        platforms: door.trust.platforms.clone(),
        keys: door.trust.keys.clone(),
        profile: format!("{BASE_URL}/.well-known/ucp").into(),
        clock: door.clock.clone(),
    };
    let relay = Arc::new(Relay {
        deliveries: door.webhooks.deliveries.clone(),
        endpoints: door.webhooks.endpoints.clone(),
        sender,
        tells: Arc::new(Telling { answers: door.answers.clone(), cases: door.cases.clone() }),
        clock: door.clock.clone(),
        chance: door.chance.clone(),
        retry_wait_percent: 1,
        keep: Duration::from_secs(3600),
    });
    let (stop, stopped) = watch::channel(false);
    actix_web::rt::spawn(relay.run(stopped));
    Relaying(stop)
}

/// Asks as a platform does that names itself like this.
pub(crate) async fn says(shop: &Shop, agent: &str, path: &str, body: &Value) -> Answer {
    let text = body.to_string();
    let request = TestRequest::post()
        .uri(path)
        .insert_header(("ucp-agent", agent))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", text.len()))
        .insert_header(("idempotency-key", fresh_key()))
        .set_payload(text);
    shop.send(request).await
}

/// Buys something; gives the order's id.
pub(crate) async fn buys(shop: &Shop, agent: &str) -> String {
    let made = says(shop, agent, SESSIONS, &cart(&[("EBOOK", 2)])).await.json();
    let path = format!("{SESSIONS}/{}/complete", made["id"].as_str().expect("an id"));
    let paid = says(shop, agent, &path, &pay("success_token")).await.json();
    paid["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {paid}")).to_owned()
}

/// What became of deliveries: their states, and what was told last.
async fn fates(shop: &Shop) -> Vec<(String, Option<String>)> {
    let rows = shop.door.webhooks.deliveries.list(&DeliveryFilter::default(), 50).await;
    let fate = |row: doorbuster::outbox::Delivery| {
        let state = serde_json::to_value(row.state).expect("a word");
        (state.as_str().expect("a word").to_owned(), row.last_fault)
    };
    rows.expect("deliveries are listed").into_iter().map(fate).collect()
}

async fn waits_for(shop: &Shop, state: &str) -> Option<String> {
    for _ in 0..1000 {
        if let Some((_, fault)) = fates(shop).await.into_iter().find(|(known, _)| known == state) {
            return fault;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no delivery is {state}: {:?}", fates(shop).await);
}

/// Believes a webhook as the protocol says, by the keys the shop publishes.
async fn believe(shop: &Shop, heard: &Heard, authority: &str) {
    let profile = shop.get("/.well-known/ucp").await.json();
    let header = |name: &str| heard.headers.get(name).cloned();
    let (input, signature) = (header("signature-input"), header("signature"));
    let claim = claims(input.as_deref(), signature.as_deref()).expect("reads").remove(0);
    let keys = profile["signing_keys"].as_array().expect("keys");
    let jwk = keys.iter().find(|jwk| jwk["kid"] == claim.keyid.as_str()).expect("is published");
    let (path, query) = heard.path.split_once('?').expect("a query");
    let target = Target::Request { method: &heard.method, authority, path, query: Some(query) };
    let message = Message { target, header: &header };
    let must = [
        "@method",
        "@authority",
        "@path",
        "@query",
        "ucp-agent",
        "webhook-id",
        "webhook-timestamp",
        "content-digest",
        "content-type",
    ];
    let key = PublicKey::of_jwk(jwk).expect("a key");
    let now: Timestamp = shop.door.clock.now();
    claim.verify(&message, &key, &must, now).expect("it is believed");
    let digest = header("content-digest").expect("a digest");
    assert_eq!(digest_holds(&digest, heard.body.as_bytes()), Some(true));
}

#[actix_web::test]
async fn a_platform_hears_of_its_orders_and_believes_what_it_hears() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    platform.answers(&[500, 302, 204]);
    let order = buys(&shop, &platform.agent()).await;
    shop.collects(&order).await;
    let _relaying = relaying(&shop);
    let heard = platform.hears(3).await;
    let shown = shop.get(&format!("/ucp/orders/{order}")).await.json();
    for one in &heard {
        believe(&shop, one, platform.base.trim_start_matches("http://")).await;
        assert_eq!(one.path, "/hook?of=shop");
        assert_eq!(one.body, heard[0].body, "each attempt says the same");
        for name in ["webhook-id", "webhook-timestamp", "ucp-agent"] {
            assert_eq!(one.headers[name], heard[0].headers[name], "{name}");
        }
        assert_eq!(serde_json::from_str::<Value>(&one.body).expect("JSON"), shown);
    }
    let id = &heard[0].headers["webhook-id"];
    assert!(uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.to_string() == *id), "{id}");
    assert_eq!(heard[0].headers["ucp-agent"], format!("profile=\"{BASE_URL}/.well-known/ucp\""));
    waits_for(&shop, "delivered").await;

    // What happens later is told after it, with the whole order as it then stands.
    let ship = json!({"lines": [{"line": 1, "quantity": 1}], "carrier": "Post"});
    let shipped = shop.post(&format!("/v1/orders/{order}/shipments"), &ship).await;
    assert_eq!(shipped.status, 201, "{}", shipped.json());
    let later: Value = serde_json::from_str(&platform.hears(4).await[3].body).expect("JSON");
    assert_eq!(later["line_items"][0]["quantity"]["fulfilled"], 1, "{later}");
    assert_eq!(platform.heard().len(), 4, "a capture does not show in an order, and is not told");
}

#[actix_web::test]
async fn a_platform_that_wants_no_more_is_asked_no_more() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    platform.answers(&[410]);
    let _relaying = relaying(&shop);
    buys(&shop, &platform.agent()).await;
    platform.hears(1).await;
    waits_for(&shop, "disabled").await;
    buys(&shop, &platform.agent()).await;
    for _ in 0..1000 {
        if fates(&shop).await.iter().filter(|(state, _)| state == "disabled").count() == 2 {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    let said = Some("it answered 410 Gone before".to_owned());
    assert_eq!(fates(&shop).await[0], ("disabled".to_owned(), said));
    assert_eq!(platform.heard().len(), 1);
    // At another address it is found again.
    let mut profile = platform.profile();
    let elsewhere = json!(format!("{}/other?of=shop", platform.base));
    profile["ucp"]["capabilities"]["dev.ucp.shopping.order"][0]["config"]["webhook_url"] =
        elsewhere;
    let moved = Platform::open();
    moved.shows(&profile);
    platform.answers(&[204]);
    buys(&shop, &moved.agent()).await;
    assert_eq!(platform.hears(2).await[1].path, "/other?of=shop");
}

#[actix_web::test]
async fn a_profile_that_says_nothing_stands_in_nobodys_way() {
    let (shop, silent) = (Shop::open().await, Platform::open());
    silent.shows(&json!({ "ucp": {} }));
    let _relaying = relaying(&shop);
    buys(&shop, &silent.agent()).await;
    let fault = waits_for(&shop, "disabled").await;
    assert_eq!(fault.as_deref(), Some("its profile names no webhook_url"));
    assert_eq!(silent.heard().len(), 0);
    let nobody =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    buys(&shop, &format!("profile=\"http://{nobody}/profile\"")).await;
    for _ in 0..1000 {
        let fates = fates(&shop).await;
        if fates.len() == 2 && fates[0].1.is_some() {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    let (state, fault) = fates(&shop).await.remove(0);
    assert_eq!(state, "due", "it is tried again");
    assert!(fault.is_some_and(|fault| fault.starts_with("the profile cannot be fetched")));
}

#[actix_web::test]
async fn an_agents_endpoint_hears_of_its_orders_over_its_protocol_alone() {
    let (shop, agent) = (Shop::open().await, Platform::open());
    // The shop's own client asks nothing private; the endpoint is put there past it.
    let wish = json!({"url": "https://agent.example/hook", "format": "acp"});
    let made = shop.post("/v1/webhook-endpoints", &wish).await.json();
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let before = shop.door.webhooks.endpoints.list().await.expect("listed").remove(0);
    let mut after = before.clone();
    after.url = format!("{}/hook?of=agent", agent.base);
    shop.door.webhooks.endpoints.change(&before, &after).await.expect("changed");
    buys(&shop, "profile=\"https://other.example/profile\"").await;
    let body = http_acp::items(&[("EBOOK", 1)]);
    let session = http_acp::say(&shop, "POST", http_acp::SESSIONS, &body).await.json();
    let path =
        format!("{}/{}/complete", http_acp::SESSIONS, session["id"].as_str().expect("an id"));
    let paid = http_acp::say(&shop, "POST", &path, &http_acp::pay("success_token")).await.json();
    let order = paid["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {paid}"));
    let _relaying = relaying(&shop);
    let heard = agent.hears(1).await.remove(0);
    let said: Value = serde_json::from_str(&heard.body).expect("JSON");
    assert_eq!((&said["type"], &said["data"]["id"]), (&json!("order_create"), &json!(order)));
    let signature = &heard.headers["merchant-signature"];
    let (time, mac) = signature.split_once(',').expect("two parts");
    let time = time.strip_prefix("t=").expect("a time");
    assert_eq!(mac, format!("v1={}", hmac(&secret, &format!("{time}.{}", heard.body))));
    shop.collects(order).await;
    let ship = json!({"lines": [{"line": 1, "quantity": 1}]});
    shop.post(&format!("/v1/orders/{order}/shipments"), &ship).await;
    let later: Value = serde_json::from_str(&agent.hears(2).await[1].body).expect("JSON");
    assert_eq!(later["type"], "order_update");
    let row = order_body::find(&shop.door, order).await.expect("the order");
    assert_eq!(later["data"]["id"], row.id.to_string());
    assert_eq!(agent.heard().len(), 2, "no other order, and no capture");
}

fn hmac(secret: &str, text: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[actix_web::test]
async fn an_endpoint_has_a_format_that_is_known() {
    let shop = Shop::open().await;
    let path = "/v1/webhook-endpoints";
    let wish = json!({"url": "https://agent.example/hook", "format": "carrier-pigeon"});
    let told = shop.post(path, &wish).await.problem(422, "invalid_request");
    assert_eq!(told["pointer"], "/format");
    let wish = json!({"url": "https://agent.example/hook", "format": "acp", "opened_by": "key_1"});
    let made = shop.post(path, &wish).await.json();
    assert_eq!((&made["format"], &made["opened_by"]), (&json!("acp"), &json!("key_1")));
    let saved = json!({"url": "https://agent.example/hook"});
    let path = format!("{path}/{}", made["id"].as_str().expect("an id"));
    let saved = shop.ask(Method::PUT, &path, &saved).await.json();
    assert_eq!((&saved["format"], saved.get("opened_by")), (&json!("acp"), None));
}

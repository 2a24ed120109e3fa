//! Profiles are fetched once, kept for a while, and outlive a server that fails.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use super::*;
use crate::{
    base::{ManualClock, Protocol},
    outbound::{OutboundSettings, Reach},
};

/// A server on this machine that answers with what it was told last.
struct Host {
    url: String,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/profile", listener.local_addr().expect("an address"));
        let (answer, asked) = (Arc::<Mutex<String>>::default(), Arc::<AtomicUsize>::default());
        let (says, counts) = (answer.clone(), asked.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                counts.fetch_add(1, Ordering::SeqCst);
                let _hung_up = stream.write_all(says.lock().expect("nobody panics").as_bytes());
            }
        });
        Self { url, answer, asked }
    }

    fn answers(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().expect("nobody panics") = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\
             {headers}\r\n{body}"
        );
    }

    /// A profile with this address for webhooks.
    fn shows(&self, webhook: &str, headers: &str) {
        let config = serde_json::json!({ "webhook_url": webhook });
        let order = serde_json::json!([{ "version": "2026-04-08", "config": config }]);
        let body = serde_json::json!({ "ucp": { "capabilities": {
            "dev.ucp.shopping.order": order } } });
        self.answers("200 OK", headers, &body.to_string());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn platforms() -> (Platforms, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let settings = OutboundSettings { body_bytes: 4096, ..OutboundSettings::default() };
    let client = GuardedClient::new(&settings, Reach::PublicAndLoopback).expect("a client");
    (Platforms::new(client, clock.clone()), clock)
}

fn webhook(fetched: &Fetched) -> Option<&str> {
    fetched.as_ref().ok().and_then(|profile| profile.webhook(Protocol::Ucp))
}

#[tokio::test]
async fn a_profile_is_fetched_once_for_all_who_want_it_and_again_when_it_is_old() {
    let (host, (platforms, clock)) = (Host::open(), platforms());
    host.shows("https://a.example/1", "cache-control: max-age=300\r\n");
    let (first, second) = tokio::join!(platforms.profile(&host.url), platforms.profile(&host.url));
    assert_eq!((webhook(&first), webhook(&second)), (Some("https://a.example/1"), webhook(&first)));
    assert_eq!(host.asked(), 1);
    host.shows("https://a.example/2", "");
    clock.advance(Duration::from_secs(299));
    assert_eq!(webhook(&platforms.profile(&host.url).await), Some("https://a.example/1"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(webhook(&platforms.profile(&host.url).await), Some("https://a.example/2"));
    assert_eq!(host.asked(), 2);
    // Who misses something in it has it fetched again, a minute later at the soonest.
    clock.advance(Duration::from_secs(59));
    platforms.newer_profile(&host.url).await.expect("it is kept");
    assert_eq!(host.asked(), 2);
    clock.advance(Duration::from_secs(1));
    platforms.newer_profile(&host.url).await.expect("it is fetched");
    assert_eq!(host.asked(), 3);
}

#[tokio::test]
async fn a_profile_outlives_a_server_that_fails_for_an_hour() {
    let (host, (platforms, clock)) = (Host::open(), platforms());
    host.shows("https://a.example/1", "cache-control: max-age=0\r\n");
    platforms.profile(&host.url).await.expect("it is fetched");
    host.answers("500 Oops", "", "");
    clock.advance(Duration::from_secs(60));
    assert_eq!(webhook(&platforms.profile(&host.url).await), Some("https://a.example/1"));
    assert_eq!(host.asked(), 2);
    clock.advance(STALE_MOST);
    let gone = platforms.profile(&host.url).await;
    assert_eq!(gone, Err(ProfileFault::Unreachable("it answered 500".into())));
    // A failure is believed for a minute.
    assert_eq!(platforms.profile(&host.url).await, gone);
    assert_eq!(host.asked(), 3);
}

#[tokio::test]
async fn what_is_no_profile_says_why() {
    let (host, (platforms, clock)) = (Host::open(), platforms());
    let malformed = Err(ProfileFault::Malformed);
    host.answers("200 OK", "", "<html>");
    assert_eq!(platforms.profile(&host.url).await, malformed);
    let unreachable = |fetched: Fetched| matches!(fetched, Err(ProfileFault::Unreachable(_)));
    host.answers("302 Found", "location: http://169.254.169.254/\r\n", "");
    clock.advance(Duration::from_secs(60));
    assert!(unreachable(platforms.profile(&host.url).await), "redirects are not followed");
    host.answers("200 OK", "", &format!("{{\"x\":\"{}\"}}", "y".repeat(5000)));
    clock.advance(Duration::from_secs(60));
    assert!(unreachable(platforms.profile(&host.url).await), "a long one is not read");
    for address in ["https://10.0.0.1/profile", "ftp://a.example/", "https://u:p@a.example/"] {
        let refused = platforms.profile(address).await;
        assert!(matches!(refused, Err(ProfileFault::Address(_))), "{address}: {refused:?}");
    }
}

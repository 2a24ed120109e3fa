//! Nothing private is reached, however it is written.

use std::{
    net::{IpAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::*;

/// Addresses that must not be reached: themselves, or what they resolve to.
const PRIVATE: [&str; 84] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.20.10.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "254.1.1.1",
    "255.255.255.255",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "3232235521",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:192.168.1.1]",
    "[::127.0.0.1]",
    "[::10.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b::c0a8:1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::]",
    "[2002:a9fe:a9fe::]",
    "[3fff::1]",
    "[3fff:fff::1]",
    "[4000::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[ff05::2]",
    "[ff0e::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
];

fn never() -> Lookup {
    Arc::new(|name| panic!("{name} was looked up"))
}

fn client(reach: Reach, lookup: Lookup) -> GuardedClient {
    GuardedClient::resolving(&OutboundSettings::default(), reach, lookup).expect("a client")
}

#[test]
fn no_private_address_is_a_target_however_it_is_written() {
    let client = client(Reach::Public, never());
    for host in PRIVATE {
        for url in [format!("https://{host}/"), format!("https://{host}:8443/hook?a=b")] {
            assert_eq!(client.target(&url), Err(TargetRefused::NotPublic), "{url}");
        }
    }
    let public =
        ["93.184.216.34", "1.1.1.1", "172.32.0.1", "[2606:4700::1111]", "[64:ff9b::808:808]"];
    for host in public {
        assert!(client.target(&format!("https://{host}/")).is_ok(), "{host}");
    }
}

#[test]
fn what_is_no_plain_address_over_tls_is_refused() {
    let client = client(Reach::Public, never());
    let long = format!("https://shop.example/{}", "a".repeat(URL_BYTES_MAX));
    for (url, why) in [
        ("", TargetRefused::Malformed),
        ("shop.example", TargetRefused::Malformed),
        ("https://", TargetRefused::Malformed),
        (&*long, TargetRefused::Malformed),
        ("http://shop.example/", TargetRefused::Insecure),
        ("ftp://shop.example/", TargetRefused::Insecure),
        ("gopher://shop.example/", TargetRefused::Insecure),
        ("https://ada@shop.example/", TargetRefused::Credentials),
        ("https://ada:secret@shop.example/", TargetRefused::Credentials),
    ] {
        assert_eq!(client.target(url), Err(why), "{url}");
    }
    assert!(client.target("https://shop.example:8443/hook").is_ok());
}

/// A server on this machine that counts who comes.
fn counting() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            seen.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_name_is_connected_to_only_where_it_was_checked() {
    let (port, count) = counting();
    let answers: [&[&str]; 4] = [
        &["127.0.0.1"],
        &["::1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        // Public when it was registered, private now.
        &["10.0.0.1", "127.0.0.1"],
    ];
    for answer in answers {
        let found: Vec<IpAddr> = answer.iter().map(|ip| ip.parse().expect("an IP")).collect();
        let lookup: Lookup = Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        });
        let client = client(Reach::Public, lookup);
        let target = client.target(&format!("https://rebound.example:{port}/")).expect("a name");
        let fault = client.post(&target, &[], Vec::new(), Duration::from_secs(5)).await;
        assert!(matches!(fault, Err(OutboundFault::NotSent(_))), "{answer:?}: {fault:?}");
    }
    let client = client(Reach::Public, never());
    assert!(client.target(&format!("https://127.0.0.1:{port}/")).is_err());
    assert_eq!(count.load(Ordering::SeqCst), 0, "somebody came in");
}

#[tokio::test]
async fn development_reaches_this_machine_and_no_other_private_one() {
    let (port, count) = counting();
    let lookup: Lookup =
        Arc::new(|_| Box::pin(async { Ok(vec!["127.0.0.1".parse().expect("an IP")]) }));
    let client = client(Reach::PublicAndLoopback, lookup);
    for host in ["127.0.0.1", "hook.example"] {
        let target = client.target(&format!("http://{host}:{port}/")).expect("this machine");
        let _closed = client.post(&target, &[], Vec::new(), Duration::from_secs(5)).await;
    }
    assert!(count.load(Ordering::SeqCst) >= 2, "nobody came in");
    assert_eq!(client.target("http://10.0.0.1/"), Err(TargetRefused::NotPublic));
}

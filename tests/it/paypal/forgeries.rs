//! Notifications as PayPal signs them, and as others would.

use base64::{Engine, engine::general_purpose::STANDARD};
use doorbuster::base::Timestamp;
use flate2::Crc;
use ring::{rand::SystemRandom, signature};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};

use super::WEBHOOK;

/// The key of the certificates that the fake serves.
const KEY: &[u8] = include_bytes!("../fixtures/paypal/signing.key.pem");
/// A key of nobody's.
const OTHER: &[u8] = include_bytes!("../fixtures/paypal/other.key.pem");

/// What arrives at the shop's address.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

fn sign(key: &[u8], message: &str) -> String {
    let key = PrivatePkcs8KeyDer::from_pem_slice(key).expect("a key");
    let key = signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).expect("an RSA key");
    let mut made = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut made)
        .expect("it signs");
    STANDARD.encode(made)
}

fn message(id: &str, time: &str, webhook: &str, body: &[u8]) -> String {
    let mut checksum = Crc::new();
    checksum.update(body);
    format!("{id}|{time}|{webhook}|{}", checksum.sum())
}

const ID: &str = "69cd13f0-d67a-11e5-baa3-778b53f4ae55";

impl Signed {
    /// As PayPal, which is at this address, signs it.
    pub(super) fn new(url: &str, at: Timestamp, body: impl Into<Vec<u8>>) -> Self {
        Self::for_webhook(WEBHOOK, url, at, body)
    }

    /// The same for another webhook.
    pub(super) fn for_webhook(
        webhook: &str,
        url: &str,
        at: Timestamp,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let (body, time) = (body.into(), at.to_string());
        let signature = sign(KEY, &message(ID, &time, webhook, &body));
        let mut signed = Self {
            headers: vec![
                ("paypal-transmission-id", ID.to_owned()),
                ("paypal-transmission-time", time),
                ("paypal-transmission-sig", signature),
                ("paypal-auth-algo", "SHA256withRSA".to_owned()),
                ("paypal-cert-url", String::new()),
            ],
            body,
        };
        signed.certificate(url, "CERT-good");
        signed
    }

    /// Names another certificate of the fake's.
    pub(super) fn certificate(&mut self, url: &str, name: &str) {
        self.set("paypal-cert-url", &format!("{url}/v1/notifications/certs/{name}"));
    }

    fn set(&mut self, header: &'static str, value: &str) {
        self.headers.retain(|(name, _)| *name != header);
        if !value.is_empty() {
            self.headers.push((header, value.to_owned()));
        }
    }

    fn with(mut self, header: &'static str, value: &str) -> Self {
        self.set(header, value);
        self
    }

    fn and_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What may arrive at the address by day and night.
pub(super) fn forgeries(url: &str, now: Timestamp, event: &Value) -> Vec<(String, Signed)> {
    let good = event.to_string();
    let mut all = of_headers(url, now, &good);
    all.extend(of_bodies(url, now, event));
    all
}

fn of_headers(url: &str, now: Timestamp, good: &str) -> Vec<(String, Signed)> {
    let signed = Signed::new(url, now, good);
    let time = now.to_string();
    let mut all = Vec::new();
    for header in [
        "paypal-transmission-id",
        "paypal-transmission-time",
        "paypal-transmission-sig",
        "paypal-auth-algo",
        "paypal-cert-url",
    ] {
        all.push((format!("no {header}"), signed.clone().with(header, "")));
        all.push((format!("a long {header}"), signed.clone().with(header, &"A".repeat(4_000))));
        all.push((format!("another {header}"), signed.clone().with(header, "AAAA")));
    }
    for address in [
        format!("{url}/v1/notifications/certs/"),
        format!("{url}/v1/notifications/certs/../../oauth2/token"),
        format!("{url}/v1/notifications/certs/CERT-good?x=1"),
        format!("{url}/v1/notifications/certs/CERT-good#x"),
        format!("{url}.example.com/v1/notifications/certs/CERT-good"),
        format!("{url}@example.com/v1/notifications/certs/CERT-good"),
        "https://api.paypal.com.example.com/v1/notifications/certs/CERT-good".to_owned(),
        "http://169.254.169.254/v1/notifications/certs/CERT-good".to_owned(),
        "file:///v1/notifications/certs/CERT-good".to_owned(),
    ] {
        all.push((address.clone(), signed.clone().with("paypal-cert-url", &address)));
    }
    for name in ["CERT-none", "CERT-nonsense", "CERT-lapsed", "CERT-named", "CERT-self"] {
        let mut other = signed.clone();
        other.certificate(url, name);
        all.push((name.to_owned(), other));
    }
    let by_other = sign(OTHER, &message(ID, &time, WEBHOOK, good.as_bytes()));
    all.push(("another key".into(), signed.clone().with("paypal-transmission-sig", &by_other)));
    for algorithm in ["SHA1withRSA", "none", "HS256"] {
        all.push((algorithm.into(), signed.clone().with("paypal-auth-algo", algorithm)));
    }
    let another = Signed::for_webhook("8PT597110X687430L", url, now, good);
    all.push(("another webhook".into(), another));
    let minutes = |count: u64| std::time::Duration::from_secs(60 * count);
    all.push(("in ten minutes".into(), Signed::new(url, now.plus(minutes(10)), good)));
    all.push(("four days ago".into(), Signed::new(url, now.minus(minutes(4 * 24 * 60)), good)));
    let other_time = now.plus(minutes(1)).to_string();
    all.push(("another time".into(), signed.with("paypal-transmission-time", &other_time)));
    all
}

fn of_bodies(url: &str, now: Timestamp, event: &Value) -> Vec<(String, Signed)> {
    let good = event.to_string();
    let signed = Signed::new(url, now, good.clone());
    let mut all = vec![
        ("one byte changed".to_owned(), signed.clone().and_body(good.replace("19.90", "19.91"))),
        ("a space more".into(), signed.clone().and_body(format!("{good} "))),
        ("cut short".into(), signed.clone().and_body(&good.as_bytes()[..40])),
        ("an empty body".into(), signed.and_body(Vec::new())),
    ];
    for body in ["", "nonsense", "[]", "7", "null", &good[..80]] {
        all.push((format!("signed {body}"), Signed::new(url, now, body)));
    }
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    all.push(("deep nesting".into(), Signed::new(url, now, deep)));
    for (name, value) in [
        ("id", Value::Null),
        ("id", json!(7)),
        ("event_type", Value::Null),
        ("resource", json!("a word")),
        ("resource", json!({"id": 7})),
        ("resource", json!({"purchase_units": [{"amount": 19.9}]})),
    ] {
        let mut body = event.clone();
        body[name] = value.clone();
        all.push((format!("{name} {value}"), Signed::new(url, now, body.to_string())));
    }
    all
}

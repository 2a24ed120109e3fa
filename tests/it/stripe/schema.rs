//! What we say to Stripe, held against Stripe's own description of its API, by a judge that is not
//! ours (`@stdy/cli`, which refuses what does not fit). The description is no part of a clone:
//! `DOORBUSTER_SPEC_DIR` names its folder, and the runner leaves this out where there is none.

use doorbuster::{
    base::{AttemptId, ManualClock, Money, OrderId, SystemChance, Timestamp},
    payment::{
        AuthorizeRequest, Authorized, Credential, Gateway, MoneyRequest, Span, stripe::Stripe,
    },
};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use super::{client, fake::Fake};

/// The judge, at the version that was tried.
const JUDGE: &str = "@stdy/cli@0.22.2";

/// Looks for the judge, ten a second: it reads the whole description before it answers.
const READY_TRIES: u32 = 600;

/// The judge, for as long as it is asked.
pub(crate) struct Judge {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Judge {
    pub(crate) fn start(description: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        std::fs::write(at.join("package.json"), "{\"private\": true}").expect("written");
        let arguments =
            ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", JUDGE];
        let installed = Command::new("npm").args(arguments).current_dir(at).status();
        let installed = installed.expect("npm is there; ./tests/run installs it");
        assert!(installed.success(), "the judge is installed");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let process = Command::new(at.join("node_modules/.bin/steady"))
            .args(["--port", &port.to_string()])
            .arg("--validator-form-object-format=brackets")
            .arg("--validator-form-array-format=brackets")
            .arg("--validator-query-object-format=brackets")
            .arg("--validator-query-array-format=brackets")
            .arg(description)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut judge = Self { process: process.expect("it starts"), port, _folder: folder };
        for _ in 0..READY_TRIES {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return judge;
            }
            let ended = judge.process.try_wait().expect("it is ours");
            assert!(ended.is_none(), "the judge ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the judge did not get ready");
    }

    /// What it has against a call: nothing, where it fits.
    fn objections(&self, call: &str, fields: &BTreeMap<String, String>) -> Vec<String> {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", plain(name), plain(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let (target, body) = match method {
            "GET" if form.is_empty() => (path.to_owned(), String::new()),
            "GET" => (format!("{path}?{form}"), String::new()),
            _ => (path.to_owned(), form),
        };
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(&format!("{method} {target}"), headers, &body)
    }

    /// What it has against a request line with these headers and this body.
    pub(crate) fn ask(&self, call: &str, headers: &str, body: &str) -> Vec<String> {
        let request = format!(
            "{call} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Authorization: Bearer sk_test_shop\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the judge listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("x-steady-request-valid: "), "no verdict on {call}: {head}");
        match head.contains("x-steady-request-valid: true") {
            true => Vec::new(),
            false => {
                head.lines().filter(|line| line.contains("-error-")).map(str::to_owned).collect()
            }
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// A field as it travels in a form.
fn plain(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn description() -> PathBuf {
    description_of("stripe_")
}

/// The description whose file is named so.
pub(crate) fn description_of(name: &str) -> PathBuf {
    let root = std::env::var_os("DOORBUSTER_SPEC_DIR");
    let root = root.expect("DOORBUSTER_SPEC_DIR names the folder of the published schemas");
    let folder = PathBuf::from(root).join("vendors");
    let files = std::fs::read_dir(&folder).expect("descriptions of vendors").flatten();
    let named = |path: &PathBuf| path.to_string_lossy().contains(&format!("/{name}"));
    files.map(|file| file.path()).find(named).expect("the vendor's description")
}

/// Everything that a shop ever asks of Stripe.
async fn life(stripe: &Stripe, fake: &Fake, now: Timestamp) {
    let euros = |minor| Money::from_minor(minor, "EUR".parse().expect("a currency"));
    let chance = SystemChance;
    let request = |token: &str, authenticate| {
        let reference = AttemptId::new(now, &chance);
        AuthorizeRequest {
            reference,
            order: OrderId::from_uuid(reference.uuid()),
            amount: euros(1990),
            credential: Credential::new(token.to_owned()),
            not_after: now.plus(Duration::from_secs(60)),
            authenticate,
            return_url: format!("https://shop.example/payments/return/{reference}"),
        }
    };
    let paid = request("pm_card_visa", false);
    let Ok(Authorized::Approved { authorization, .. }) = stripe.authorize(&paid).await else {
        panic!("a good card is taken");
    };
    let part = |part, minor| MoneyRequest {
        reference: paid.reference,
        part,
        authorization: authorization.clone(),
        amount: euros(minor),
    };
    stripe.find(&paid.lookup()).await.expect("it is found");
    stripe.capture(&part(0, 1500)).await.expect("a part is captured");
    stripe.refund(&part(1, 500)).await.expect("a part is given back");
    fake.forget_keys();
    stripe.refund(&part(1, 500)).await.expect("it was given back");
    let challenged = request("pm_challenge", true);
    assert!(matches!(stripe.authorize(&challenged).await, Ok(Authorized::Challenged { .. })));
    stripe.end(&challenged.lookup()).await.expect("it ends");
    for token in ["pm_declined_insufficient_funds", "tok_visa"] {
        let _answer = stripe.authorize(&request(token, false)).await.expect("an answer");
    }
    let let_go = request("pm_card_visa", false);
    let Ok(Authorized::Approved { authorization, .. }) = stripe.authorize(&let_go).await else {
        panic!("a good card is taken");
    };
    let whole =
        MoneyRequest { reference: let_go.reference, part: 0, authorization, amount: euros(1990) };
    stripe.void(&whole).await.expect("it is let go");
    let day = Duration::from_secs(24 * 60 * 60);
    let span = Span { from: now.minus(day), until: now.plus(day), cursor: Some("pi_0000".into()) };
    stripe.list(&span).await.expect("a page");
}

// breaks: a field in `Stripe::authorize` that Stripe does not know, or an amount with a comma
#[actix_web::test]
async fn every_request_fits_stripes_own_description() {
    let (fake, now) = (Fake::start(), Timestamp::from_micros(1_764_000_000_000_000));
    let stripe = client(&fake.url, Arc::new(ManualClock::new(now)));
    life(&stripe, &fake, now).await;
    let calls = fake.state.lock().unwrap().calls.clone();
    let judge = Judge::start(&description());
    let kinds: std::collections::BTreeSet<String> = calls
        .iter()
        .map(|(call, _, fields)| format!("{call} {:?}", fields.keys().collect::<Vec<_>>()))
        .collect();
    assert!(kinds.len() >= 8, "what was asked: {kinds:#?}");
    for (call, _, fields) in &calls {
        // The description leaves cards out of what a PaymentMethod may be made of on the way.
        let is_card_token = fields.contains_key("payment_method_data[card][token]");
        let known = usize::from(is_card_token);
        let objections = judge.objections(call, fields);
        let others = objections.iter().filter(|words| words.contains("-path: "));
        let others = others.filter(|words| !words.ends_with("body.payment_method_data.type"));
        assert_eq!(others.count(), 0, "{call} {fields:?}: {objections:?}");
        let counted = objections.iter().filter(|words| words.contains("-path: ")).count();
        assert_eq!(counted, known, "{call} {fields:?}: {objections:?}");
    }
    // It sees what is wrong.
    let (call, _, fields) = &calls[0];
    for (name, wrong) in [("amount", "19,90"), ("capture_methode", "manual")] {
        let mut fields = fields.clone();
        fields.insert(name.to_owned(), wrong.to_owned());
        assert!(!judge.objections(call, &fields).is_empty(), "{name} passed");
    }
}

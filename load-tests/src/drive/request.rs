//! What buyers say over HTTP, as bytes.

use std::{fmt::Write as _, io::Write as _, sync::Arc};

/// One line of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Number of the SKU, from 0.
    pub sku: u32,
    /// Units.
    pub quantity: u32,
}

/// The SKU with this number. Eight digits, so that every request is of one size.
pub fn sku(number: u32) -> String {
    format!("SKU-{number:08}")
}

/// Who buys, as the storefront sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Always the same one, and nothing is known but an e-mail address.
    Ada,
    /// One of many: an e-mail address, a card, a device and a network of their own.
    Person(u32),
}

/// Pays with the sandbox's token that always succeeds.
const PAYMENT: &str = concat!(
    r#"{"payment":{"instruments":[{"id":"pi_1","handler_id":"sandbox","type":"card","#,
    r#""selected":true,"credential":{"type":"token","token":"success_token"}}]}}"#,
);

/// Writes requests to one server.
#[derive(Debug, Clone)]
pub struct Requests {
    host: Arc<str>,
    api_key: Option<Arc<str>>,
    agent: Arc<str>,
}

impl Requests {
    /// Requests with this `Host`, and this key if there is one.
    pub fn to(host: &str, api_key: Option<&str>) -> Self {
        let agent = r#"version="2026-04-08""#.into();
        Self { host: host.into(), api_key: api_key.map(Into::into), agent }
    }

    /// The same, from a platform with its profile at this address: it is told of its orders.
    #[must_use]
    pub fn of_platform(self, profile: Option<&str>) -> Self {
        match profile {
            Some(profile) => Self { agent: format!("profile=\"{profile}\"").into(), ..self },
            None => self,
        }
    }

    /// `POST /ucp/checkout-sessions`
    pub fn create(&self, out: &mut Vec<u8>, key: &str, lines: &[Line], who: Who) {
        self.write(out, "POST", format_args!("/ucp/checkout-sessions"), key, &cart(lines, who));
    }

    /// `PUT /ucp/checkout-sessions/{id}`
    pub fn update(&self, out: &mut Vec<u8>, key: &str, id: &str, lines: &[Line], who: Who) {
        let path = format_args!("/ucp/checkout-sessions/{id}");
        self.write(out, "PUT", path, key, &cart(lines, who));
    }

    /// `POST /ucp/checkout-sessions/{id}/complete`
    pub fn complete(&self, out: &mut Vec<u8>, key: &str, id: &str) {
        let path = format_args!("/ucp/checkout-sessions/{id}/complete");
        self.write(out, "POST", path, key, PAYMENT);
    }

    /// `POST /v1/orders`, paid with a token of the sandbox.
    pub fn express(&self, out: &mut Vec<u8>, key: &str, lines: &[Line], (who, token): (Who, &str)) {
        let mut body = String::with_capacity(480);
        body.push_str(r#"{"lines":["#);
        for (at, line) in lines.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let Line { sku, quantity } = line;
            let written = write!(body, r#"{comma}{{"sku":"SKU-{sku:08}","quantity":{quantity}}}"#);
            written.expect("a string takes what is written to it");
        }
        body.push(']');
        who.write(&mut body);
        body.push_str(r#","payment":{"token":""#);
        body.push_str(token);
        body.push_str(r#""}}"#);
        self.write(out, "POST", format_args!("/v1/orders"), key, &body);
    }

    /// `GET` of any path.
    pub fn get(&self, out: &mut Vec<u8>, path: &str) {
        out.clear();
        let written = write!(out, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        written.expect("a vector takes what is written to it");
    }

    /// A request of any kind with a JSON body.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        method: &str,
        path: std::fmt::Arguments<'_>,
        key: &str,
        body: &str,
    ) {
        out.clear();
        let written = write!(
            out,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             ucp-agent: {}\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n",
            self.host,
            self.agent,
            body.len()
        );
        written.expect("a vector takes what is written to it");
        if let Some(api_key) = &self.api_key {
            out.extend_from_slice(b"x-api-key: ");
            out.extend_from_slice(api_key.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body.as_bytes());
    }
}

/// Domains of e-mail addresses that many share.
const DOMAINS: u32 = 5;

/// Banks, each with the first digits of its cards.
const BANKS: u32 = 200;

/// People who share a network address.
const HOUSEHOLD: u32 = 3;

impl Who {
    /// Writes them as members of a body's object, after a comma.
    fn write(self, body: &mut String) {
        let Self::Person(number) = self else {
            return body.push_str(r#","buyer":{"email":"ada@example.com"}"#);
        };
        let (domain, bin, home) = (number % DOMAINS, 400_000 + number % BANKS, number / HOUSEHOLD);
        let [_, a, b, c] = home.to_be_bytes();
        let written = write!(
            body,
            concat!(
                r#","buyer":{{"email":"b{}@mail{}.example"}},"signals":{{"#,
                r#""dev.ucp.buyer_ip":"10.{}.{}.{}","dev.doorbuster.card_bin":"{}","#,
                r#""dev.doorbuster.card_fingerprint":"card-{}","#,
                r#""dev.doorbuster.device_id":"device-{}"}}"#,
            ),
            number, domain, a, b, c, bin, number, number,
        );
        written.expect("a string takes what is written to it");
    }
}

fn cart(lines: &[Line], who: Who) -> String {
    let mut body = String::with_capacity(416 + lines.len() * 64);
    body.push_str(r#"{"line_items":["#);
    for (at, Line { sku, quantity }) in lines.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let written =
            write!(body, r#"{comma}{{"item":{{"id":"SKU-{sku:08}"}},"quantity":{quantity}}}"#);
        written.expect("a string takes what is written to it");
    }
    body.push(']');
    who.write(&mut body);
    body.push_str(r#","currency":"EUR"}"#);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_and_as_long_as_announced() {
        let requests = Requests::to("127.0.0.1:1", Some("db_x"));
        let lines = [Line { sku: 1, quantity: 2 }, Line { sku: 70_000, quantity: 1 }];
        let mut out = Vec::new();
        let check = |out: &[u8]| {
            let text = String::from_utf8(out.to_vec()).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
            assert!(head.contains("idempotency-key: k") && head.contains("x-api-key: db_x"));
            serde_json::from_str::<serde_json::Value>(body).expect(body)
        };
        requests.create(&mut out, "k", &lines, Who::Person(70_000));
        assert_eq!(check(&out)["line_items"][1]["item"]["id"], sku(70_000));
        requests.update(&mut out, "k", "chk_1", &lines, Who::Ada);
        assert_eq!(check(&out)["line_items"][0]["quantity"], 2);
        requests.complete(&mut out, "k", "chk_1");
        assert_eq!(check(&out)["payment"]["instruments"][0]["selected"], true);
        requests.express(&mut out, "k", &lines, (Who::Person(1), "success_token"));
        assert_eq!(check(&out)["payment"]["token"], "success_token");
    }

    #[test]
    fn a_platform_names_its_profile_and_nobody_else_does() {
        let mut out = Vec::new();
        let plain = Requests::to("127.0.0.1:1", None);
        for (requests, agent) in [
            (plain.clone().of_platform(None), "\r\nucp-agent: version=\"2026-04-08\"\r\n"),
            (plain.of_platform(Some("https://x/p")), "\r\nucp-agent: profile=\"https://x/p\"\r\n"),
        ] {
            requests.complete(&mut out, "k", "chk_1");
            assert!(String::from_utf8_lossy(&out).contains(agent));
        }
    }
}

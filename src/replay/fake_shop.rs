//! A shop of a hundred lines, for testing the buyers: it keeps what it was asked, answers a key
//! once and says no when it is told to.

use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// One request that was carried out and changed something.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) body: Value,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    /// Answers by key.
    answered: HashMap<String, String>,
    /// Keys that were turned away once.
    turned_away: Vec<String>,
    /// Lines by checkout.
    lines: HashMap<String, Value>,
    /// Orders that somebody has looked at.
    looked_at: HashSet<String>,
}

/// The shop.
#[derive(Debug, Clone)]
pub(super) struct FakeShop {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

impl FakeShop {
    /// Opens. Each key is answered 503 once before it is carried out; `GONE` is sold out.
    pub(super) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let shop = Self { address, state: Arc::default() };
        let served = shop.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shop = served.clone();
                thread::spawn(move || shop.serve(stream));
            }
        });
        shop
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state.lock().expect("not poisoned").calls.clone()
    }

    fn serve(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().expect("a second handle");
        let mut reader = BufReader::new(stream);
        while let Some((path, key, body)) = read(&mut reader) {
            let (status, answer) = self.answer(&path, &key, &body);
            let head = format!("HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-length: ");
            let sent = write!(writer, "{head}{}\r\n\r\n{answer}", answer.len());
            if sent.is_err() {
                return;
            }
        }
    }

    fn answer(&self, path: &str, key: &str, body: &str) -> (u16, String) {
        let mut state = self.state.lock().expect("not poisoned");
        if path == "/.well-known/ucp" {
            let endpoint = format!("{}/ucp/", self.address);
            let rest = json!({"transport": "rest", "endpoint": endpoint});
            let found = json!({"ucp": {"services": {"dev.ucp.shopping": [rest]}}});
            return (200, found.to_string());
        }
        if let Some(name) = path.strip_prefix("/v1/orders/").filter(|_| body.is_empty()) {
            return (200, state.order(name).to_string());
        }
        if path.starts_with("/v1/cases/") {
            return (404, String::new());
        }
        if let Some(answer) = state.answered.get(key) {
            return (200, answer.clone());
        }
        if !state.turned_away.iter().any(|known| known == key) {
            state.turned_away.push(key.to_owned());
            return (503, String::new());
        }
        let body: Value = serde_json::from_str(body).expect("JSON");
        let answer = state.carry_out(path, &body).to_string();
        state.calls.push(Call { path: path.to_owned(), body });
        state.answered.insert(key.to_owned(), answer.clone());
        (200, answer)
    }
}

impl State {
    fn carry_out(&mut self, path: &str, body: &Value) -> Value {
        if path == "/ucp/checkout-sessions" {
            return self.open(&body["line_items"]);
        }
        let Some(id) = path.strip_prefix("/ucp/checkout-sessions/") else {
            return json!({"refused": 0});
        };
        match id.split_once('/') {
            Some((id, "complete")) => json!({
                "id": id, "status": "completed", "line_items": self.lines[id],
                "order": {"id": format!("order_{id}"), "permalink_url": "x"},
            }),
            _ => json!({"id": "x", "status": "canceled"}),
        }
    }

    /// Its capture is owed when it is looked at first, and done then.
    fn order(&mut self, name: &str) -> Value {
        let lines = name.strip_prefix("order_").map(|id| self.lines[id].clone());
        let lines = lines.unwrap_or_default();
        let numbered = lines.as_array().into_iter().flatten().zip(1..);
        let lines = numbered.map(|(_, line)| json!({"line": line, "unit_price_minor": 900}));
        let looked = self.looked_at.contains(name);
        self.looked_at.insert(name.to_owned());
        let capture = json!({"kind": "capture", "state": "done", "amount_minor": 1_500});
        json!({
            "payment": if looked { "captured" } else { "authorized" },
            "lines": lines.collect::<Vec<_>>(), "operations": [capture],
        })
    }

    fn open(&mut self, lines: &Value) -> Value {
        let id = format!("chk_{}", self.lines.len());
        self.lines.insert(id.clone(), lines.clone());
        if lines.to_string().contains("GONE") {
            let message = json!({"type": "error", "code": "out_of_stock"});
            return json!({"id": id, "status": "incomplete", "messages": [message]});
        }
        json!({"id": id, "status": "ready_for_complete", "line_items": lines})
    }
}

/// Path, idempotency key and body of the next request.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, String)> {
    let (mut path, mut key, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some(("idempotency-key", value)) => key = value.to_owned(),
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => path = line.split(' ').nth(1)?.to_owned(),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, key, String::from_utf8(body).ok()?))
}

//! A buyer who sends each request to the next replica, so that carts hop between them, and sends it
//! again under the same key until there is an answer that is one.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::time::{sleep, timeout};

use super::{
    sale::{Broken, Sale, count},
    told::{Lines, Told},
};
use crate::drive::{
    connection::{Connection, Pace},
    request::{Line, Requests, Who},
};

/// How long one sending may take before it is sent elsewhere: a frozen replica never answers.
const SENDING: Duration = Duration::from_secs(2);

/// Time between two sendings of one request, and between two looks at a payment under way.
const AGAIN: Duration = Duration::from_millis(40);

/// Payments tried for one checkout: the first may be declined, the second never is.
const PAYMENTS: u32 = 4;

/// An answer that is one.
#[derive(Debug)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// Its JSON.
    pub body: Value,
}

/// What a checkout came to.
#[derive(Debug)]
pub enum Came {
    /// An order, by its id.
    Order(String),
    /// Open, its units held: the payment was declined, or never made.
    Open,
    /// Anything else.
    Other(String),
}

/// The sale is over and no answer came: noted where it happened.
#[derive(Debug, Clone, Copy)]
pub struct Stuck;

/// A buyer.
pub struct Buyer {
    pub(super) sale: Arc<Sale>,
    pub(super) chance: SmallRng,
    name: String,
    serial: u64,
    requests: Requests,
    lines: HashMap<SocketAddr, Connection>,
    out: Vec<u8>,
}

impl Buyer {
    /// A buyer with a name of their own, and chances drawn from this seed.
    pub fn new(sale: &Arc<Sale>, name: String, seed: u64) -> Self {
        Self {
            sale: sale.clone(),
            chance: SmallRng::seed_from_u64(seed),
            name,
            serial: 0,
            requests: Requests::to("127.0.0.1", None),
            lines: HashMap::new(),
            out: Vec::new(),
        }
    }

    /// A key nobody used.
    pub(super) fn fresh_key(&mut self, step: char) -> String {
        self.serial += 1;
        format!("{}-{}{step}", self.name, self.serial)
    }

    /// Opens a checkout. `None` when nothing of it is to be had.
    pub(super) async fn create(&mut self, cart: &[Line]) -> Result<Option<(String, Heard)>, Stuck> {
        let key = self.fresh_key('c');
        self.requests.create(&mut self.out, &key, cart, Who::Ada);
        let heard = self.insist("create").await?;
        let Some(id) = heard.body["id"].as_str().map(str::to_owned) else {
            if heard.status == 200 && says(&heard.body, "out_of_stock") {
                count(&self.sale.tally.sold_out);
            } else {
                self.surprised("create", &heard);
            }
            return Ok(None);
        };
        self.holds(&id, key, &heard);
        Ok(Some((id, heard)))
    }

    /// Changes a checkout's cart.
    pub(super) async fn update(&mut self, id: &str, cart: &[Line]) -> Result<Heard, Stuck> {
        let key = self.fresh_key('u');
        self.requests.update(&mut self.out, &key, id, cart, Who::Ada);
        let heard = self.insist("update").await?;
        if heard.status == 200 {
            self.holds(id, key, &heard);
        } else {
            self.surprised("update", &heard);
        }
        Ok(heard)
    }

    fn holds(&self, id: &str, key: String, heard: &Heard) {
        self.sale.told(&Told::Hold { checkout: id.to_owned(), key, lines: lines_of(&heard.body) });
    }

    /// Gives a checkout up.
    pub(super) async fn cancel(&mut self, id: &str) -> Result<(), Stuck> {
        let key = self.fresh_key('x');
        self.write(&format!("/ucp/checkout-sessions/{id}/cancel"), &key, "{}");
        let heard = self.insist("cancel").await?;
        if heard.body["status"] == "canceled" {
            self.sale.told(&Told::Canceled { checkout: id.to_owned() });
        } else {
            self.surprised("cancel", &heard);
        }
        Ok(())
    }

    /// Pays for a checkout that holds its units, and insists on the order.
    pub(super) async fn pay(&mut self, id: &str, held: &Lines, token: &str) -> Result<(), Stuck> {
        for number in 0..PAYMENTS {
            let token = if number == 0 { token } else { "success_token" };
            let key = self.fresh_key('p');
            self.write(&format!("/ucp/checkout-sessions/{id}/complete"), &key, &payment(token));
            let heard = self.insist("complete").await?;
            match self.outcome(id, heard).await? {
                Came::Order(order) => {
                    self.sale.told(&Told::Order { order, key, lines: held.clone() });
                    return Ok(());
                }
                Came::Open => count(&self.sale.tally.declined),
                Came::Other(what) => {
                    let what = format!("{id} holds {held:?} and was told to pay: {what}");
                    self.sale.breaks(Broken::LostHold, what);
                    return Ok(());
                }
            }
        }
        let what = format!("{id} was declined {PAYMENTS} times, three of them with good money");
        self.sale.breaks(Broken::Other, what);
        Ok(())
    }

    /// Buys in one request.
    pub(super) async fn express(&mut self, cart: &[Line], token: &str) -> Result<(), Stuck> {
        let key = self.fresh_key('e');
        self.requests.express(&mut self.out, &key, cart, (Who::Ada, token));
        let heard = self.insist("express").await?;
        let lines: Lines = cart.iter().map(|line| (line.sku, line.quantity)).collect();
        match heard.status {
            201 => match heard.body["id"].as_str() {
                Some(id) => self.sale.told(&Told::Order { order: id.to_owned(), key, lines }),
                None => self.surprised("express", &heard),
            },
            202 => {
                let Some(id) = heard.body["checkout_id"].as_str().map(str::to_owned) else {
                    self.surprised("express", &heard);
                    return Ok(());
                };
                let heard = self.look(&id).await?;
                match self.outcome(&id, heard).await? {
                    Came::Order(order) => self.sale.told(&Told::Order { order, key, lines }),
                    // The payment came to nothing and the units are held: bought with good money.
                    Came::Open => self.pay(&id, &lines, "success_token").await?,
                    // Nothing was promised but that it is worked on.
                    Came::Other(_) => count(&self.sale.tally.declined),
                }
            }
            402 | 422 => count(&self.sale.tally.declined),
            409 if says(&heard.body, "out_of_stock") => count(&self.sale.tally.sold_out),
            _ => self.surprised("express", &heard),
        }
        Ok(())
    }

    /// Waits until a payment that is under way has come to something.
    async fn outcome(&mut self, id: &str, mut heard: Heard) -> Result<Came, Stuck> {
        let mut first = true;
        loop {
            match heard.body["status"].as_str() {
                Some("completed") => {
                    let order = heard.body["order"]["id"].as_str().map(str::to_owned);
                    let other = || Came::Other(format!("completed without an order: {heard:?}"));
                    return Ok(order.map_or_else(other, Came::Order));
                }
                Some("ready_for_complete") => return Ok(Came::Open),
                Some("complete_in_progress") => {}
                _ => return Ok(Came::Other(format!("{} {}", heard.status, heard.body))),
            }
            if std::mem::take(&mut first) {
                count(&self.sale.tally.unknown);
            }
            sleep(AGAIN).await;
            heard = self.look(id).await?;
        }
    }

    async fn look(&mut self, id: &str) -> Result<Heard, Stuck> {
        self.get(&format!("/ucp/checkout-sessions/{id}")).await
    }

    /// Reads.
    pub(super) async fn get(&mut self, path: &str) -> Result<Heard, Stuck> {
        self.requests.get(&mut self.out, path);
        self.insist("read").await
    }

    /// Changes something else.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<Heard, Stuck> {
        let key = self.fresh_key('m');
        self.write(path, &key, &body.to_string());
        self.insist("post").await
    }

    fn write(&mut self, path: &str, key: &str, body: &str) {
        self.requests.write(&mut self.out, "POST", format_args!("{path}"), key, body);
    }

    /// Sends what is ready to the next replica, and the next, until one answers.
    async fn insist(&mut self, step: &str) -> Result<Heard, Stuck> {
        let mut last = String::new();
        loop {
            match self.send().await {
                Ok(heard) => {
                    let Some(again) = self.again(&heard) else { return Ok(heard) };
                    count(again);
                    last.clear();
                    let written = write!(last, "{} {}", heard.status, heard.body);
                    written.expect("a string takes what is written to it");
                }
                Err(why) => {
                    count(&self.sale.tally.unanswered);
                    last = why;
                }
            }
            if self.sale.is_hopeless() {
                let head = String::from_utf8_lossy(&self.out);
                let head = head.lines().next().unwrap_or_default();
                let what = format!("{}: {step} got no answer; last: {last} ({head})", self.name);
                self.sale.breaks(Broken::Other, what);
                return Err(Stuck);
            }
            let spread = self.chance.random_range(0.5..1.5);
            sleep(AGAIN.mul_f64(spread)).await;
        }
    }

    /// Why an answer is none, if so.
    fn again(&self, heard: &Heard) -> Option<&AtomicU64> {
        let tally = &self.sale.tally;
        match heard.status {
            429 | 503 => Some(&tally.refused),
            409 if heard.body["code"] == "idempotency_in_flight" => Some(&tally.in_flight),
            500.. => Some(&tally.faults),
            _ => None,
        }
    }

    async fn send(&mut self) -> Result<Heard, String> {
        let address = self.sale.streets.next().ok_or("there is no replica")?;
        let line = self.lines.entry(address).or_insert_with(|| Connection::to(address));
        let answer = timeout(SENDING, line.exchange(&self.out, Pace::Whole)).await;
        let read = match answer {
            Ok(Ok(answer)) => match serde_json::from_slice(line.body()) {
                Ok(body) => return Ok(Heard { status: answer.status, body }),
                Err(error) => format!("{}: no JSON: {error}", answer.status),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("nothing within {SENDING:?}"),
        };
        // What comes back on this line belongs to nobody any more.
        self.lines.remove(&address);
        Err(format!("{address}: {read}"))
    }

    pub(super) fn surprised(&self, step: &str, heard: &Heard) {
        let what = format!("{}: {step} was answered {} {}", self.name, heard.status, heard.body);
        self.sale.breaks(Broken::Other, what);
    }
}

/// What a session holds, as it was told.
pub fn lines_of(session: &Value) -> Lines {
    let lines = session["line_items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let number = |line: &Value| line["item"]["id"].as_str()?.strip_prefix("SKU-")?.parse().ok();
    let units = |line: &Value| u32::try_from(line["quantity"].as_u64()?).ok();
    lines.iter().filter_map(|line| Some((number(line)?, units(line)?))).collect()
}

/// Whether an answer gives this code, in a message or as a problem.
fn says(body: &Value, code: &str) -> bool {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    body["code"] == code || messages.iter().any(|message| message["code"] == code)
}

fn payment(token: &str) -> String {
    format!(
        r#"{{"payment":{{"instruments":[{{"id":"pi_1","handler_id":"sandbox","type":"card",{}"#,
        format_args!(r#""selected":true,"credential":{{"type":"token","token":"{token}"}}}}]}}}}"#)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_told_is_read() {
        let item = json!({"item": {"id": "SKU-00000007"}, "quantity": 2});
        let session = json!({"line_items": [item], "messages": [{"code": "out_of_stock"}]});
        assert_eq!(lines_of(&session), [(7, 2)]);
        assert!(says(&session, "out_of_stock") && !says(&session, "expired"));
        assert!(says(&json!({"code": "out_of_stock"}), "out_of_stock"));
        let payment: Value = serde_json::from_str(&payment("lost_token")).expect("JSON");
        assert_eq!(payment["payment"]["instruments"][0]["credential"]["token"], "lost_token");
    }
}

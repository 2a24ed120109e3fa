//! A crowd that wants the last units: so many buyers at once, until everything is sold and
//! acknowledged.

use anyhow::{Context, bail, ensure};
use memchr::memmem;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    task::{JoinSet, LocalSet},
};

use crate::{
    chaos::last_units::Asked,
    drive::{
        acks::AckLog,
        buyer::text_after,
        connection::{Answer, Connection, Pace},
        request::{Line, Requests, Who},
        target::Target,
    },
};

/// How long a sale may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest wait of somebody who was refused at the door, whatever the server asks for.
const PAUSE: Duration = Duration::from_millis(100);

/// One sale, from its first request to its last order.
#[derive(Debug)]
pub struct Sold {
    /// How long it took.
    pub took: Duration,
    /// Every answer to somebody who wanted a unit.
    pub asked: Vec<Asked>,
}

/// The buyers. They keep their connections from sale to sale.
pub struct Crowd {
    runtime: Runtime,
    buyers: Vec<Buyer>,
    acks: Rc<AckLog>,
}

/// What the buyers of a sale share.
struct Sale {
    units: u32,
    orders: Cell<u32>,
    last_order: Cell<Instant>,
    asked: RefCell<Vec<Asked>>,
    acks: Rc<AckLog>,
}

struct Buyer {
    number: usize,
    serial: u64,
    at: usize,
    hops: bool,
    replicas: Rc<[Replica]>,
    lines: Vec<Connection>,
    out: Vec<u8>,
}

struct Replica {
    target: Target,
    requests: Requests,
}

impl Crowd {
    /// So many buyers, each with a connection to each of these replicas. With `hops` they send each
    /// request to the next one, otherwise each checkout.
    ///
    /// # Errors
    /// When there is no thread for them.
    pub fn new(
        targets: Vec<Target>,
        hops: bool,
        buyers: usize,
        acks: AckLog,
    ) -> anyhow::Result<Self> {
        let replica =
            |target: Target| Replica { requests: Requests::to(&target.host, None), target };
        let replicas: Rc<[Replica]> = targets.into_iter().map(replica).collect();
        let buyer = |number| Buyer {
            number,
            serial: 0,
            at: number,
            hops,
            replicas: replicas.clone(),
            lines: replicas.iter().map(|one| Connection::to(one.target.address)).collect(),
            out: Vec::with_capacity(1024),
        };
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            buyers: (0..buyers.max(1)).map(buyer).collect(),
            acks: Rc::new(acks),
        })
    }

    /// Buys so many units of a SKU, which are all there are, one by one.
    ///
    /// # Errors
    /// When somebody gets an answer that nobody expects, or units are left that nobody gets.
    pub fn buy(&mut self, sku: u32, units: u32, stop: &AtomicBool) -> anyhow::Result<Sold> {
        let began = Instant::now();
        let sale = Rc::new(Sale {
            units,
            orders: Cell::new(0),
            last_order: Cell::new(began),
            asked: RefCell::default(),
            acks: self.acks.clone(),
        });
        let local = LocalSet::new();
        let mut crowd = JoinSet::new();
        for mut buyer in self.buyers.drain(..) {
            let sale = sale.clone();
            let shopping = async move {
                let done = buyer.shop(&sale, sku).await;
                done.map(|()| buyer)
            };
            crowd.spawn_local_on(shopping, &local);
        }
        let all = async {
            while let Some(one) = crowd.join_next().await {
                self.buyers.push(one.context("a buyer panicked")??);
                ensure!(!stop.load(Ordering::Relaxed), "interrupted");
            }
            Ok(())
        };
        local.block_on(&self.runtime, async {
            let late = |_| anyhow::anyhow!("{} of {units} units were sold", sale.orders.get());
            tokio::time::timeout(PATIENCE, all).await.map_err(late)?
        })?;
        drop(local);
        Ok(Sold { took: sale.last_order.get() - began, asked: sale.asked.take() })
    }
}

impl Buyer {
    /// Buys one unit after another until all are sold.
    async fn shop(&mut self, sale: &Sale, sku: u32) -> anyhow::Result<()> {
        while sale.orders.get() < sale.units {
            self.serial += 1;
            self.at += 1;
            if let Some(checkout) = self.create(sale, sku).await? {
                self.at += usize::from(self.hops);
                self.pay(sale, sku, &checkout).await?;
            }
        }
        Ok(())
    }

    /// Asks for a unit; the checkout that holds it, if there was one.
    async fn create(&mut self, sale: &Sale, sku: u32) -> anyhow::Result<Option<String>> {
        let key = self.key('c');
        let cart = [Line { sku, quantity: 1 }];
        let sent = Instant::now();
        let write = |to: &Requests, out: &mut Vec<u8>| to.create(out, &key, &cart, Who::Ada);
        let Some((answer, body)) = self.exchange(sale, write).await? else { return Ok(None) };
        let held = text_after(body, br#""id":"chk_"#).map(|digits| format!("chk_{digits}"));
        ensure!(
            answer.status == 201 && held.is_some() || answer.status == 200 && held.is_none(),
            "create: {} {}",
            answer.status,
            String::from_utf8_lossy(body)
        );
        let asked = Asked { sent, answered: Instant::now(), held: held.is_some() };
        sale.asked.borrow_mut().push(asked);
        Ok(held)
    }

    async fn pay(&mut self, sale: &Sale, sku: u32, checkout: &str) -> anyhow::Result<()> {
        let key = self.key('p');
        let write = |to: &Requests, out: &mut Vec<u8>| to.complete(out, &key, checkout);
        let Some((answer, body)) = self.exchange(sale, write).await? else {
            bail!("everything is sold, and {checkout} was not paid for");
        };
        let done = memmem::find(body, br#""status":"completed""#).is_some();
        let order = text_after(body, br#""id":"ord_"#).filter(|_| done && answer.status == 200);
        let Some(digits) = order else {
            bail!("complete: {} {}", answer.status, String::from_utf8_lossy(body));
        };
        sale.acks.note(&format!("ord_{digits}"), &key, &[Line { sku, quantity: 1 }])?;
        sale.orders.set(sale.orders.get() + 1);
        sale.last_order.set(Instant::now());
        Ok(())
    }

    /// Sends a request until it is let in; `None` when everything was sold meanwhile.
    async fn exchange(
        &mut self,
        sale: &Sale,
        write: impl Fn(&Requests, &mut Vec<u8>),
    ) -> anyhow::Result<Option<(Answer, &[u8])>> {
        loop {
            let at = self.at % self.replicas.len();
            write(&self.replicas[at].requests, &mut self.out);
            let answer = self.lines[at].exchange(&self.out, Pace::Whole).await?;
            if !matches!(answer.status, 429 | 503) {
                return Ok(Some((answer, self.lines[at].body())));
            }
            if sale.orders.get() >= sale.units {
                return Ok(None);
            }
            let asked = Duration::from_millis(answer.retry_after_ms.unwrap_or(10));
            tokio::time::sleep(asked.min(PAUSE)).await;
            self.at += 1;
        }
    }

    fn key(&self, step: char) -> String {
        format!("last-{}-{}{step}", self.number, self.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chaos::last_units::judge, drive::acks::read_acks};
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    /// A shop that gives these answers to the one buyer it has, whatever is asked.
    fn shop(answers: &'static [&'static str]) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a buyer");
            let mut bytes = [0; 4096];
            for answer in answers {
                assert!(stream.read(&mut bytes).expect("a request") > 0);
                let (status, body) = answer.split_once(' ').expect("status and body");
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all((head + body).as_bytes()).expect("a buyer who listens");
            }
        });
        Target::parse(&address).expect("loopback")
    }

    const HELD: &str = r#"201 {"id":"chk_01"}"#;
    const NONE_LEFT: &str = r#"200 {"messages":[{"code":"out_of_stock"}]}"#;
    const FULL: &str = r#"503 {"code":"overloaded"}"#;
    const FIRST: &str = r#"200 {"status":"completed","order":{"id":"ord_01"}}"#;
    const SECOND: &str = r#"200 {"status":"completed","order":{"id":"ord_02"}}"#;

    fn buy(answers: &'static [&'static str], units: u32) -> (anyhow::Result<Sold>, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("acks.jsonl");
        let acks = AckLog::open(&log).expect("a log");
        let mut crowd = Crowd::new(vec![shop(answers)], false, 1, acks).expect("a crowd");
        let sold = crowd.buy(0, units, &AtomicBool::new(false));
        (sold, read_acks(&log).expect("a log").len())
    }

    #[test]
    fn a_shop_that_sells_what_it_has_told_to_be_gone_is_found_out() {
        let (sold, orders) = buy(&[HELD, FIRST, NONE_LEFT, FULL, HELD, SECOND], 2);
        let came = judge(&sold.expect("sold out").asked, 2, 0);
        assert_eq!((came.sold, came.refused, came.wrong, orders), (2, 1, 1, 2));
        let (sold, orders) = buy(&[HELD, FIRST, FULL, HELD, SECOND], 2);
        let came = judge(&sold.expect("sold out").asked, 2, 0);
        assert_eq!((came.sold, came.refused, came.wrong, orders), (2, 0, 0, 2));
    }

    #[test]
    fn an_answer_that_nobody_expects_ends_the_sale() {
        let (sold, orders) = buy(&[HELD, NONE_LEFT], 1);
        let why = sold.expect_err("no order").to_string();
        assert!(why.contains("complete: 200") && orders == 0, "{why}");
        let (sold, _) = buy(&[r#"500 {"code":"fault"}"#], 1);
        assert!(sold.expect_err("a fault").to_string().contains("create: 500"));
    }
}

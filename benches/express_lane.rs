//! The express lane over HTTP with one request in flight: our p50, against a hand-written
//! actix-web handler with the same durability on the same PostgreSQL.
//!
//! All contenders commit the attempt before the gateway and the outcome after it, write the same
//! rows, ask the same kind of sandbox with a book of its own, and capture after the answer. They
//! run in this process, each with a database of its own on one server, and one client asks them in
//! turn, block by block; a block starts when the captures of the one before are done.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod by_hand;
#[allow(dead_code, reason = "each bench uses its part")]
mod figures;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../tests/it/support/servers.rs"]
mod servers;

use actix_web::{App as Web, HttpServer, web};
use by_hand::{
    Ground, Way,
    handler::{self, Counter},
};
use doorbuster::{
    app::{App, Replaced},
    base::{Clock, Money, Sku},
    catalog::{Product, StockPolicy},
    config::{Config, SecretUrl},
    http::{Answers, Site},
    payment::sandbox::{BOOK, Sandbox, SandboxSettings},
};
use figures::{Spread, now, p50_ms};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tempfile::TempDir;

/// As the service itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BLOCKS: usize = 30;
const REQUESTS: usize = 50;
const WARM_UP: usize = 200;

/// HTTP threads of each contender, as the service has on two cores.
const WORKERS: usize = 2;

/// How long a line may be silent while the others are asked, as the service has it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Captures that are still owed are waited for so often, every 20 ms.
const PATIENCE: usize = 500;

struct Contender {
    name: &'static str,
    ground: Ground,
    address: SocketAddr,
    /// The client's connection, opened for the first request: servers hang up on one that is silent
    /// from the start.
    line: Option<BufReader<TcpStream>>,
    side: Side,
    p50s: Vec<f64>,
    _folder: TempDir,
}

enum Side {
    Ours(Box<App>),
    ByHand(web::Data<Counter>),
}

fn main() -> anyhow::Result<()> {
    let system = actix::System::with_tokio_rt(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().expect("the system gives us threads")
    });
    system.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let sync_before = figures::sync_ms()?;
    let mut contenders = vec![
        ours().await?,
        by_hand("by hand, transactions of statements", Way::Statements).await?,
        by_hand("by hand, one statement each", Way::OneStatement).await?,
    ];
    for contender in &mut contenders {
        contender.block(WARM_UP).await?;
    }
    for _ in 0..BLOCKS {
        for contender in &mut contenders {
            let took = contender.block(REQUESTS).await?;
            contender.p50s.push(p50_ms(&took));
        }
        // Nobody always comes first.
        contenders.rotate_left(1);
    }
    contenders.sort_by_key(|contender| contender.name != "ours");
    let rows = contenders[0].ground.rows_per_order(&hot()).await?;
    for contender in &contenders {
        let theirs = contender.ground.rows_per_order(&hot()).await?;
        anyhow::ensure!(theirs == rows, "{} wrote {theirs:?}, not {rows:?}", contender.name);
    }
    report(&contenders, sync_before).await?;
    for contender in contenders {
        if let Side::Ours(app) = contender.side {
            app.stop().await;
        }
    }
    Ok(())
}

async fn ours() -> anyhow::Result<Contender> {
    let (folder, ground) = (tempfile::tempdir()?, Ground::with(&hot(), 1).await?);
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.workers = WORKERS;
    config.storage.data = folder.path().to_owned();
    config.storage.database = Some(SecretUrl::new(ground.address.clone()));
    config.demo.catalogue = false;
    let app = App::start(&config, Replaced::default()).await?;
    let product = Product {
        sku: hot(),
        title: "Flash Sneaker, size 42".into(),
        price: Money::from_minor(12_900, "EUR".parse()?),
        tax_category: "standard".into(),
        image_url: None,
        attributes: Default::default(),
        stock_policy: StockPolicy::Tracked,
        active: true,
        updated_at: ground.clock.now(),
        group: None,
        options: Vec::new(),
        description: None,
        categories: Vec::new(),
        max_per_order: None,
        archived_at: None,
        list_prices: Vec::new(),
    };
    app.desk.catalog.save(&[product]).await?;
    let address = app.address;
    let side = Side::Ours(Box::new(app));
    Ok(Contender {
        name: "ours",
        ground,
        address,
        line: None,
        side,
        p50s: Vec::new(),
        _folder: folder,
    })
}

async fn by_hand(name: &'static str, way: Way) -> anyhow::Result<Contender> {
    let (folder, ground) = (tempfile::tempdir()?, Ground::with(&hot(), 1).await?);
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let clock = ground.clock.clone();
    let counter = web::Data::new(Counter {
        way,
        pool: ground.pool(16).await?,
        gateway: Sandbox::open(
            folder.path().join(BOOK),
            SandboxSettings::default(),
            clock.clone(),
        )?,
        clock,
        answers: Answers::of(Site::at(&format!("http://{address}"))),
        owed: AtomicUsize::new(0),
    });
    let shared = counter.clone();
    let server = HttpServer::new(move || {
        Web::new().app_data(shared.clone()).route("/v1/orders", web::post().to(handler::place))
    });
    let server = server.workers(WORKERS).keep_alive(KEEP_ALIVE).disable_signals();
    let server = server.listen(listener)?.run();
    actix_web::rt::spawn(server);
    let side = Side::ByHand(counter);
    Ok(Contender { name, ground, address, line: None, side, p50s: Vec::new(), _folder: folder })
}

impl Contender {
    /// So many orders, one after the other, then the captures they owe.
    async fn block(&mut self, requests: usize) -> anyhow::Result<Vec<Duration>> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => connect(self.address)?,
        };
        let asked = tokio::task::spawn_blocking(move || {
            let took = (0..requests).map(|_| buy(&mut line)).collect::<anyhow::Result<Vec<_>>>();
            took.map(|took| (line, took))
        });
        let (line, took) = asked.await??;
        self.line = Some(line);
        self.settle().await?;
        Ok(took)
    }

    /// Waits until no capture is under way.
    async fn settle(&self) -> anyhow::Result<()> {
        match &self.side {
            Side::Ours(app) => app.settle().await,
            Side::ByHand(counter) => {
                for _ in 0..PATIENCE {
                    if counter.owed.load(Ordering::Relaxed) == 0 {
                        return Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                anyhow::bail!("captures are still owed")
            }
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let line = TcpStream::connect(address)?;
    line.set_nodelay(true)?;
    line.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(BufReader::new(line))
}

/// Buys one, and tells how long it took from the first byte out to the last byte in.
fn buy(line: &mut BufReader<TcpStream>) -> anyhow::Result<Duration> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let key = NEXT.fetch_add(1, Ordering::Relaxed);
    let body = concat!(
        r#"{"lines":[{"sku":"FLASH-SNEAKER-42","quantity":1}],"#,
        r#""buyer":{"email":"ada@example.com"},"payment":{"token":"success_token"}}"#
    );
    let request = format!(
        "POST /v1/orders HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n\
         Idempotency-Key: key-{key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let began = now();
    line.get_mut().write_all(request.as_bytes())?;
    let (mut status, mut length) = (String::new(), 0);
    line.read_line(&mut status)?;
    loop {
        let mut header = String::new();
        line.read_line(&mut header)?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut answer = vec![0; length];
    line.read_exact(&mut answer)?;
    let took = began.elapsed();
    let said = String::from_utf8_lossy(&answer);
    anyhow::ensure!(status.contains(" 201 "), "{status}{said}");
    anyhow::ensure!(said.contains(r#""status":"placed""#), "{said}");
    Ok(took)
}

async fn report(contenders: &[Contender], sync_before: f64) -> anyhow::Result<()> {
    let sync_after = figures::sync_ms()?;
    println!("express_lane: {}", figures::machine());
    let server = by_hand::server().await?;
    println!("{server}, {BLOCKS} blocks of {REQUESTS} requests each, one in flight");
    println!("a durable write: {sync_before:.2} ms before, {sync_after:.2} ms after\n");
    let ours = &contenders[0];
    let row = |contender: &Contender| {
        let ratio = Spread::of_ratios(&ours.p50s, &contender.p50s);
        let p50 = Spread::of(&contender.p50s);
        vec![contender.name.to_owned(), format!("{p50:.2}"), format!("{ratio:.2}")]
    };
    let rows: Vec<_> = contenders.iter().map(row).collect();
    let heads = ["POST /v1/orders", "p50 in ms, median (min–max) of blocks", "ours ÷ this"];
    figures::print(&heads, &rows);
    Ok(())
}

fn hot() -> Sku {
    Sku::parse("FLASH-SNEAKER-42").expect("a SKU")
}

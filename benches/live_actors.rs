//! Resident memory of a shop in full swing: 100,000 live carts of two lines each and 100,000 live
//! SKU actors, or as many as are asked for (`-- CARTS SKUS`), on the embedded database.
//!
//! The carts are opened as requests open them, through [`Carts::ask`], and stay: actors, their
//! sessions, the registries, and whatever the process keeps besides (caches, page cache of the
//! database, buffers grown on the way) count.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod figures;

use anyhow::{Context, ensure};
use doorbuster::{
    app::{App, Replaced},
    base::{Buyer, CheckoutId, Email, Money, MovementId, Origin, Person, Protocol, Sku},
    cart::{Ask, Carts, Command},
    catalog::{Product, StockPolicy},
    checkout::{Asked, Draft, DraftLine, Reply},
    config::Config,
    ledger::{
        Entry, EntryId, Fact,
        entry::{MoveKind, StockMove},
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{net::SocketAddr, sync::Arc};

/// As the service itself: what an allocator keeps for later is resident too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Carts and SKUs of each, unless told otherwise.
const USUAL: usize = 100_000;

/// Requests under way at once while the shop fills: what the door admits.
const AT_ONCE: usize = 1024;

const MIB: f64 = 1024.0 * 1024.0;

fn main() -> anyhow::Result<()> {
    let system = actix::System::with_tokio_rt(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().expect("the system gives us threads")
    });
    system.block_on(run(Counts::told()?))
}

/// How many of each are to live.
#[derive(Clone, Copy)]
struct Counts {
    carts: usize,
    skus: usize,
}

impl Counts {
    /// `CARTS SKUS` on the command line; what cargo adds of its own aside.
    fn told() -> anyhow::Result<Self> {
        let told: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let number = |word: &String| {
            word.parse::<usize>().with_context(|| format!("`{word}` is no count; say CARTS SKUS"))
        };
        let [carts, skus] = match &told[..] {
            [] => [USUAL; 2],
            [carts, skus] => [number(carts)?, number(skus)?],
            _ => anyhow::bail!("say CARTS SKUS, or nothing for {USUAL} of each"),
        };
        ensure!(carts > 0 && skus > 1, "a cart has two lines of different SKUs");
        Ok(Self { carts, skus })
    }
}

async fn run(Counts { carts, skus: sku_count }: Counts) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.storage.data = folder.path().to_owned();
    config.demo.catalogue = false;
    // Nothing goes to sleep while it is counted.
    let replaced = Replaced { no_rounds: true, ..Replaced::default() };
    let app = App::start(&config, replaced).await?;
    let empty = resident();

    let skus: Vec<Sku> = (0..sku_count).map(sku).collect();
    fill_catalogue(&app, &skus).await?;
    receive(&app, &skus).await?;
    let stocked = resident();

    stream::iter(&skus)
        .for_each_concurrent(AT_ONCE, |sku| async {
            app.desk.stock.take(sku, 1).await;
        })
        .await;
    assert_eq!(app.desk.stock.live_count(), sku_count, "every SKU is live");
    let skus_live = resident();

    let opened = stream::iter(0..carts)
        .map(|number| open(&app, number, sku_count))
        .buffer_unordered(AT_ONCE);
    opened.try_collect::<()>().await?;
    assert_eq!(app.carts.live_count(), carts, "every cart is live");
    assert_eq!(app.desk.stock.live_count(), sku_count, "every SKU is live still");
    let full = resident();
    assert_eq!(held(&app, &skus).await?, 2 * carts as i64, "two lines each are held");

    println!("live_actors: {}", figures::machine());
    println!(
        "embedded SQLite, default configuration, {carts} carts of two lines, {sku_count} SKUs\n"
    );
    let row = |what: &str, bytes: f64, each: String| {
        vec![what.to_owned(), format!("{:.1}", bytes / MIB), each]
    };
    let each = |bytes: f64, of: usize| format!("{:.0} bytes each", bytes / of as f64);
    figures::print(
        &["resident", "MiB", ""],
        &[
            row("an empty shop", empty, String::new()),
            row("+ catalogue and stock written", stocked - empty, String::new()),
            row("+ live SKU actors", skus_live - stocked, each(skus_live - stocked, sku_count)),
            row("+ live carts", full - skus_live, each(full - skus_live, carts)),
            row("in all (target with 100,000 of each < 500)", full, String::new()),
            row("highest on the way", highest(), String::new()),
        ],
    );
    // Products are believed for a few seconds: the faster the carts come, the more are at hand.
    println!("\nat hand at the end: {:?}", app.desk.catalog);
    app.stop().await;
    Ok(())
}

async fn fill_catalogue(app: &App, skus: &[Sku]) -> anyhow::Result<()> {
    let product = |sku: &Sku| Product {
        sku: sku.clone(),
        title: format!("The well-known article {sku}"),
        price: Money::from_minor(1990, "EUR".parse().expect("a currency")),
        tax_category: "standard".into(),
        image_url: Some(format!("https://shop.example/pictures/{sku}.jpg")),
        attributes: [("color".into(), "red".into()), ("size".into(), "M".into())].into(),
        stock_policy: StockPolicy::Tracked,
        active: true,
        updated_at: app.desk.now(),
        group: None,
        options: Vec::new(),
        description: None,
        categories: Vec::new(),
        max_per_order: None,
        archived_at: None,
        list_prices: Vec::new(),
    };
    for some in skus.chunks(1000) {
        let products: Vec<Product> = some.iter().map(product).collect();
        app.desk.catalog.save(&products).await?;
    }
    Ok(())
}

async fn receive(app: &App, skus: &[Sku]) -> anyhow::Result<()> {
    let receive = |sku: &Sku| {
        let (now, kind) = (app.desk.now(), MoveKind::Receive);
        let id = MovementId::new(now, &*app.desk.chance);
        let (sku, reason) = (sku.clone(), "opening".to_owned());
        let moved = StockMove { id, sku, kind, quantity: 1000, reason, key: None, now };
        app.desk.writer.write(Entry::new(EntryId::of(id), Fact::Move(moved)))
    };
    let received: Vec<_> =
        stream::iter(skus).map(receive).buffer_unordered(AT_ONCE).collect().await;
    for outcome in received {
        outcome??;
    }
    Ok(())
}

/// Opens the cart with this number: two lines, a buyer with a name and an address.
async fn open(app: &App, number: usize, skus: usize) -> anyhow::Result<()> {
    let carts: &Arc<Carts> = &app.carts;
    let email = Email::parse(&format!("buyer{number}@example.com"))?;
    let buyer = Buyer {
        first_name: Some("Ada".into()),
        last_name: Some("Lovelace".into()),
        email: Some(email),
        phone_number: Some("+441234567890".into()),
        consent: None,
    };
    let lines = [2 * number, 2 * number + 1].map(|at| DraftLine {
        id: None,
        item: sku(at % skus).as_str().to_owned(),
        quantity: 1,
    });
    let person = Person { buyer: Some(Box::new(buyer)), ..Person::default() };
    let draft = Draft { lines: lines.into(), person, ..Draft::default() };
    let asked = Asked {
        caller: "anonymous".into(),
        key: format!("open-{number}"),
        fingerprint: format!("{number:064x}"),
        request: None,
        origin: Origin::of(Protocol::Ucp),
    };
    let checkout = CheckoutId::new(app.desk.now(), &*app.desk.chance);
    let command = Command::Create(Box::new(draft));
    match carts.ask(Ask { checkout, asked, if_version: None, command }).await? {
        Reply::Done(answer) if answer.status == 201 => Ok(()),
        other => anyhow::bail!("a cart did not open: {other:?}"),
    }
}

/// Units put aside for carts, asked in pages: one sum over a million rows takes SQLite too long.
async fn held(app: &App, skus: &[Sku]) -> anyhow::Result<i64> {
    let mut units = 0;
    for some in skus.chunks(500) {
        let levels = app.desk.store.find_stock(some).await?;
        units += levels.iter().map(|level| level.held).sum::<i64>();
    }
    Ok(units)
}

fn sku(number: usize) -> Sku {
    Sku::parse(&format!("ARTICLE-{number:06}-RED-M")).expect("a SKU")
}

/// Bytes of this process in memory now.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a kernel that tells");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.expect("the second number is the resident pages") * page_size()
}

/// The page size, from what the kernel says of the same memory in other words.
fn page_size() -> f64 {
    let known = figures::field("/proc/self/smaps", "KernelPageSize");
    let kilobytes = known.trim_end_matches("kB").trim().parse::<f64>();
    kilobytes.expect("a number of kB") * 1024.0
}

/// The most bytes that were in memory at once so far.
fn highest() -> f64 {
    let known = figures::field("/proc/self/status", "VmHWM");
    let kilobytes = known.trim_end_matches("kB").trim().parse::<f64>();
    kilobytes.expect("a number of kB") * 1024.0
}

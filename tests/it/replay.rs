//! A replay of an invented shop's invoices against a service of its own, on both databases: the
//! whole path from the file to the audit.

use doorbuster::{
    commands::replay::{Replay, run},
    config::Config,
    files::decode::unpacked,
    fraud::policy::FraudMode,
};
use std::{
    fmt::Write,
    io::{BufRead, BufReader},
};

use crate::support::servers;

/// Invoices of three customers, some of them buying what others sent back, with rows that are no
/// sales among them.
fn file() -> String {
    let mut file =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            .to_owned();
    for invoice in 0..30 {
        let (hour, customer) = (invoice % 24, invoice % 3);
        let day = 1 + invoice / 24;
        for line in 0..=invoice % 7 {
            let units = 1 + (invoice * line) % 5;
            let _ = writeln!(
                file,
                "{invoice},CODE {line},Thing {line},{units},2011-01-0{day} {hour:02}:00:00,1.25,\
                 {customer},UK"
            );
        }
    }
    file.push_str(
        "C90,CODE 0,Thing 0,-2,2011-02-01 08:00:00,1.25,1,UK\n\
         C91,CODE 1,Thing 1,-1,2011-02-01 08:00:00,1.25,2,UK\n\
         C92,CODE 1,Thing 1,-1,2011-02-01 08:00:00,1.25,77,UK\n\
         93,POST,Postage,1,2011-02-01 08:00:00,18,1,UK\n\
         94,CODE 1,damaged,-4,2011-02-01 08:00:00,0,,UK\n",
    );
    file
}

async fn replayed(file: &str, config: Config) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, file).expect("it is written");
    let arguments = Replay { file: path, target: None, concurrency: 8, key: None, book: None };
    let mut out = Vec::new();
    let done = run(&arguments, &config, &mut out).await;
    let out = String::from_utf8(out).expect("text");
    done.unwrap_or_else(|error| panic!("{error:#}\n{out}"));
    out
}

fn assert_told(report: &str) {
    for part in [
        "30 placed, 115 lines",
        "2 booked, 3 units",
        "30 orders captured, ",
        " minor units of GBP, 375 of them refunded\n",
        "0 in review\n",
        "0 declined\n",
        "1 return without a sale",
        "1 postage and carriage (left out)",
        "1 stock adjustment (left out)",
        "30 charges in the sandbox's book",
        "30 completed",
    ] {
        assert!(report.contains(part), "{part:?} is missing in\n{report}");
    }
    assert_eq!(report.lines().last(), Some("audit: clean"));
    assert!(!report.contains("refused"), "{report}");
}

/// The service's carts live in an actor system, on threads of their own.
fn in_a_system<T>(work: impl Future<Output = T>) -> T {
    let threads = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.enable_all().build().expect("the system gives us threads")
    };
    actix::System::with_tokio_rt(threads).block_on(work)
}

// breaks: leave the refund out of `Adjustment`
#[test]
fn on_sqlite_every_invoice_becomes_an_order_and_the_books_agree() {
    assert_told(&in_a_system(replayed(&file(), Config::default())));
}

// breaks: leave the refund out of `Adjustment`
#[test]
fn on_postgres_every_invoice_becomes_an_order_and_the_books_agree() {
    let report = in_a_system(async {
        let mut config = Config::default();
        let url = serde_json::Value::String(servers::postgres().await);
        config.storage.database = serde_json::from_value(url).expect("a URL");
        replayed(&file(), config).await
    });
    assert_told(&report);
}

/// What a review decides waits for a person, and the report says so of everything that waits with
/// it.
// breaks: leave `Money::InReview` out of `Till::look`, or its line out of the report
#[test]
fn orders_in_review_are_told_with_the_returns_that_wait_for_them() {
    let mut config = Config::default();
    config.fraud.mode = FraudMode::Live;
    config.fraud.review_score = 0;
    let report = in_a_system(replayed(&file(), config));
    for part in [
        "30 placed, 115 lines",
        "0 orders captured, 0 minor units of GBP, 0 of them refunded\n",
        "30 in review\n",
        "0 booked, 0 units",
        "3 refused: its order is in review\n",
    ] {
        assert!(report.contains(part), "{part:?} is missing in\n{report}");
    }
    assert_eq!(report.lines().last(), Some("audit: clean"));
}

/// Rows of a real shop's file that are replayed here: its first day and a half.
const ROWS: usize = 5_000;

/// The first invoices of a real shop, where its file is at hand: `DOORBUSTER_INVOICES` names the
/// UCI Online Retail data as CSV, plain or gzip.
#[test]
fn the_first_invoices_of_a_real_shop_are_captured_and_its_returns_booked() {
    let Ok(path) = std::env::var("DOORBUSTER_INVOICES") else { return };
    let packed = std::fs::File::open(&path).expect("DOORBUSTER_INVOICES names a file");
    let whole = unpacked(BufReader::new(packed), 1 << 20).expect("it reads");
    let rows = BufReader::new(whole).lines().map_while(Result::ok).take(ROWS);
    let file: String = rows.flat_map(|row| [row, "\n".to_owned()]).collect();
    let report = in_a_system(replayed(&file, Config::default()));
    let count = |before: &str, after: &str| -> u64 {
        let line = report.lines().find(|line| line.starts_with(before)).expect("a line");
        let word = line[before.len()..].split(after).next().expect("a count").trim();
        word.parse().unwrap_or_else(|_| panic!("{line:?}"))
    };
    let placed = count("orders", "placed");
    assert!(placed > 100, "{report}");
    assert_eq!(count("money", "orders captured"), placed, "{report}");
    assert!(count("returns", "booked") > 0 && !report.contains("refused: "), "{report}");
    assert!(report.contains("0 in review\n") && report.contains("0 declined\n"), "{report}");
    assert_eq!(report.lines().last(), Some("audit: clean"));
}

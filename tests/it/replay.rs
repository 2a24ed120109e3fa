//! A replay of an invented shop's invoices against a service of its own, on both databases: the
//! whole path from the file to the audit.

use doorbuster::{
    commands::replay::{Replay, run},
    config::Config,
};
use std::fmt::Write;

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

async fn replayed(config: Config) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, file()).expect("it is written");
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

#[test]
fn on_sqlite_every_invoice_becomes_an_order_and_the_books_agree() {
    assert_told(&in_a_system(replayed(Config::default())));
}

#[test]
fn on_postgres_every_invoice_becomes_an_order_and_the_books_agree() {
    let report = in_a_system(async {
        let mut config = Config::default();
        let url = serde_json::Value::String(servers::postgres().await);
        config.storage.database = serde_json::from_value(url).expect("a URL");
        replayed(config).await
    });
    assert_told(&report);
}

//! What the documents tell readers to type: every `curl` line is run as it is written (only the
//! ports and the binary are others, and the judge is patient), every command line is understood.

use clap::{CommandFactory, Parser};
use doorbuster::commands::Cli;
use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use super::house::Setup;
use crate::{shop::PATIENT_JUDGE_MS, support::servers};

/// Documents that ask the service something; each has a test below.
const ASKING: [&str; 5] = [
    "README.md",
    "docs/FRAUD.md",
    "docs/MERCHANDISING.md",
    "docs/PROTOCOLS.md",
    "docs/WEBHOOKS.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Every document below this folder, by its path from the root.
fn documents(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_ours = !name.starts_with('.') && name != "target" && name != "data";
        if path.is_dir() && is_ours {
            found.extend(documents(&path));
        } else if name.ends_with(".md") {
            let path = path.strip_prefix(root()).expect("below the root");
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

/// The shell blocks of a text.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").filter_map(|block| block.strip_prefix("sh\n"))
}

/// The part of docs/FRAUD.md that is run by itself, and beside a ledger that commands read.
const DAY: &str = "## A risk lead's day\n";

/// The blocks of that part.
fn day() -> String {
    let text = read("docs/FRAUD.md");
    let (_, part) = text.split_once(DAY).expect("the day is told");
    let part = part.split("\n## ").next().unwrap_or_default();
    blocks(part).collect::<Vec<_>>().join("echo\n")
}

/// The blocks that ask the service, as one script. What starts and kills it is not among them.
fn script(document: &str) -> String {
    let text = read(document);
    let before = text.split(DAY).next().unwrap_or_default();
    let after = text.split(DAY).nth(1).and_then(|day| Some(&day[day.find("\n## ")?..]));
    let parts = blocks(before).chain(after.into_iter().flat_map(blocks));
    let asking: Vec<&str> = parts.filter(|block| block.contains("curl ")).collect();
    asking.join("echo\n")
}

/// Runs a document against a house of its own; it must tell these parts in this order.
async fn tells(document: &str, parts: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::bare(folder.path()).with("server.listen", "127.0.0.1:0");
    let setup = setup.with("fraud.deadline_ms", PATIENT_JUDGE_MS);
    let house = setup.start().await;
    let listens = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listens.local_addr().expect("an address").port().to_string();
    drop(listens);
    let script = script(document)
        .replace("http://127.0.0.1:8080", &house.base)
        .replace("target/release/doorbuster", env!("CARGO_BIN_EXE_doorbuster"))
        .replace("9191", &port);
    let mut shell = Command::new("sh");
    let ran = shell.args(["-e", "-c", &script]).current_dir(folder.path()).output();
    let ran = ran.expect("a shell");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{document}: {ran:?}");
    let mut rest = &*told;
    for part in parts {
        let found = rest.split_once(part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part} is missing in\n{told}"));
    }
    house.stop().await;
    setup.audit_is_clean();
    told
}

#[track_caller]
fn nothing_was_refused(told: &str) {
    assert!(!told.contains("/problems/") && !told.contains("invalid_request"), "{told}");
}

// breaks: write a `curl` line into docs/OPERATIONS.md, or into a block that is no `sh`
#[test]
fn every_document_that_asks_is_run() {
    let asks = |document: &String| read(document).contains("curl -");
    let asking: Vec<String> = documents(root()).into_iter().filter(asks).collect();
    assert_eq!(asking, ASKING, "each needs a test here that runs it");
    for document in ASKING {
        let (all, mut run) = (read(document), script(document));
        if all.contains(DAY) {
            run.push_str(&day());
        }
        let count = |text: &str| text.matches("curl -").count();
        assert_eq!(count(&run), count(&all), "{document}: a line stands in no block of `sh`");
    }
}

// breaks: pay with `fail_token` in README.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_buys_and_reviews() {
    let parts = [
        "\"status\":\"placed\"",
        "\"sku\":\"FLASH-SNEAKER-42\"",
        "\"items\":[",
        "\"outcome\":\"review\"",
        "\"claimed_by\":\"grace\"",
        "\"state\":\"approved\"",
    ];
    nothing_was_refused(&tells("README.md", &parts).await);
}

// breaks: ask for `TEE-RED-XXL` in docs/PROTOCOLS.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_protocols_are_spoken() {
    let parts = [
        "dev.ucp.shopping",
        "\"id\":\"harbor-tee\"",
        "\"selected\":[{\"name\":\"Color\",\"label\":\"Red\"}",
        "\nchk_",
        "\"quantity\":2",
        "\"status\":\"completed\"",
        "\"id\":\"ord_",
        "\"id\":\"crt_",
        "\"items_discount\"",
        "\"id\":\"standard\"",
        "\"status\":\"ready_for_complete\"",
        "\"Express shipping\"",
        "\"status\":\"completed\"",
        "\"uses_left\":999",
        "\"name\":\"acp\"",
        "\"items_discount\"",
        "\"status\":\"ready_for_payment\"",
        "\"status\":\"completed\"",
        "\"tracking_number\":\"00340\"",
        "\"type\":\"order\",\"id\":\"ord_",
        "\"Express shipping\"",
        "its signature was not checked\n",
        "\"order_create\"",
        "its signature was not checked\n",
        "\"order_update\"",
        "\"name\":\"dev.ucp.shopping.checkout\"",
        "\"id\":\"addr_",
        "\"id\":\"standard\"",
        "\"status\":\"ready_for_complete\"",
        "\"status\":\"completed\"",
        "\"expectation_1\"",
        "\"type\":\"shipped\"",
        "its signature is believed\n",
        "\"order_placed\"",
        "its signature is believed\n",
        "\"order_shipped\"",
        "\"ahead_seconds\":600",
    ];
    nothing_was_refused(&tells("docs/PROTOCOLS.md", &parts).await);
}

// breaks: import products as discounts in docs/MERCHANDISING.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_sets_things() {
    let parts = [
        "\"id\":\"three-for-two\"",
        "\"title\":\"Sail bag\"",
        "\"items\":[{\"sku\":\"BAG-BLUE-L\"",
        "\"amount\":1400,\"currency\":\"USD\"",
        "{\"sku\":\"BAG-BLUE-L\"",
        "\"saved\":2",
    ];
    nothing_was_refused(&tells("docs/MERCHANDISING.md", &parts).await);
}

// breaks: leave `--count` at 2 in docs/WEBHOOKS.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_and_an_endpoint_are_told() {
    let parts = [
        "\"status\":\"completed\"",
        "\"tracking_number\":\"00340\"",
        "its signature is believed\n",
        "its signature is believed\n",
        "\"shipped\"",
        "its signature is believed\n",
        "\"adjustments\": [",
        "\"secret\":\"whsec_",
        "\"items\":[",
    ];
    nothing_was_refused(&tells("docs/WEBHOOKS.md", &parts).await);
}

// breaks: let `ada` buy where `fraud-decline` does in docs/FRAUD.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fraud_is_approved_reviewed_declined_and_labeled() {
    let parts = [
        "\"outcome\":\"approve\"",
        "\"claimed_by\":\"grace\"",
        "\"state\":\"approved\"",
        "/problems/payment_declined",
        "\"items\":[]",
        "\"outcome\":\"decline\"",
        "\"by_outcome\":{\"decline\":1}",
        "\"frauds\":1",
    ];
    tells("docs/FRAUD.md", &parts).await;
}

// breaks: leave the mode of `no_pairs` in shadow, the disputes out of their file, or `approve` to
// `ada`, in docs/FRAUD.md
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_risk_lead_gets_through_the_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::bare(folder.path())
        .with("server.listen", "127.0.0.1:0")
        .with("storage.database", servers::postgres().await)
        .with("fraud.deadline_ms", PATIENT_JUDGE_MS);
    let house = setup.start().await;
    let schema = root().join("models/fraud/2/schema").display().to_string();
    let script = day()
        .replace("http://127.0.0.1:8080", &house.base)
        .replace("models/fraud/2/schema", &schema);
    let ran = setup.shell(&script).output().expect("a shell");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{told}\n{ran:?}");
    let parts = [
        "\"mode\":\"shadow\"",
        "40 attempts judged",
        "\"matched\":20",
        "\"mode\":\"shadow\"",
        "\"mode\":\"live\"",
        "\"state\":\"approved\"",
        "\"open\":0",
        "\"outcome\":\"decline\"",
        "\"rule\":\"no_pairs\"",
        "twenty of twenty were theirs",
        "\"frauds\":20",
        "\"state\":\"candidate\"",
        "\"state\":\"shadow\"",
        "\"status\":\"placed\"",
        "\"compared\":",
        "\"state\":\"live\"",
        "\"live\":null",
        "\"by\":\"ada\"",
        "\"approved_by\":\"grace\"",
    ];
    let mut rest = &*told;
    for part in parts {
        let found = rest.split_once(part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part} is missing in\n{told}"));
    }
    assert_eq!(told.matches("\"state\":\"approved\"").count(), 10, "ten cases: {told}");
    assert!(!told.contains("/problems/"), "{told}");
    house.stop().await;
    setup.audit_is_clean();
}

/// The words of each line that calls the binary: lines that go on are one, comments and what is set
/// for it alone are left out.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for block in blocks(text) {
        for line in block.replace("\\\n", " ").lines() {
            let line = line.split(" #").next().unwrap_or_default();
            let words = line.split_whitespace().map(str::to_owned);
            let words: Vec<String> = words.skip_while(|word| word.contains('=')).collect();
            if words.first().is_some_and(|first| first == "doorbuster") {
                found.push(words);
            }
        }
    }
    found
}

// breaks: call it `--reviews-a-day` in docs/FRAUD.md
#[test]
fn every_command_line_of_the_documents_is_understood() {
    let mut lines = 0;
    for document in documents(root()) {
        for words in command_lines(&read(&document)) {
            lines += 1;
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{document}: {}: {error}", words.join(" "));
            }
        }
    }
    assert!(lines >= 9, "{lines} lines are too few: are they still found?");
}

// breaks: leave `doorbuster audit` out of the table in docs/OPERATIONS.md
#[test]
fn every_command_is_in_the_table() {
    let table = read("docs/OPERATIONS.md");
    let commands: BTreeSet<String> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in commands {
        assert!(table.contains(&format!("`doorbuster {name}")), "{name} is not in the table");
    }
}

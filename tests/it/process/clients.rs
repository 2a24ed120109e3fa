//! Public tools that read our OpenAPI document: a generated client buys, and a tester finds no
//! answer that the document does not know. They are installed into a folder of their own, which
//! needs a package index; without one these tests fail.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::house::Setup;
use crate::shop::PATIENT_JUDGE_MS;

/// Generates a client from an OpenAPI document.
const GENERATOR: &str = "openapi-python-client==0.29.1";

/// Sends what an OpenAPI document allows, and what it does not.
const TESTER: &str = "schemathesis==4.32.5";

/// Requests made up for each operation: enough to meet each status, within a minute.
const MADE_UP: &str = "2";

/// What is held against the document.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

/// Runs a program to its end; what it printed.
fn done(command: &mut Command) -> String {
    let ran = command.output().unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert!(ran.status.success(), "{command:?}: {}\n{out}\n{err}", ran.status);
    out
}

/// An environment with this package; where its programs are.
fn installed(folder: &Path, package: &str) -> PathBuf {
    let venv = folder.join("venv");
    done(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let programs = venv.join("bin");
    let mut pip = Command::new(programs.join("python"));
    done(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]));
    programs
}

/// A house as it comes, with the demo shop.
fn setup(folder: &Path) -> Setup {
    let setup = Setup::bare(folder).with("server.listen", "127.0.0.1:0");
    setup.with("fraud.deadline_ms", PATIENT_JUDGE_MS).with("log.filter", "warn")
}

/// Writes the document down; where.
fn document(setup: &Setup, folder: &Path) -> PathBuf {
    let file = folder.join("openapi.json");
    fs::write(&file, setup.done(&["openapi"])).expect("the folder takes a file");
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_generated_from_the_document_buys() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = setup(folder.path());
    let file = document(&setup, folder.path());
    let programs = installed(folder.path(), GENERATOR);
    let mut generate = Command::new(programs.join("openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--output-path", "shop_client", "--path"]);
    let told = done(generate.arg(&file).current_dir(folder.path()));
    assert!(!told.contains("cannot parse"), "{told}");
    let script = folder.path().join("buys.py");
    fs::write(&script, include_str!("clients/buys.py")).expect("the folder takes a file");
    let house = setup.start().await;
    let mut buys = Command::new(programs.join("python"));
    let told = done(buys.arg(&script).arg(&house.base).current_dir(folder.path()));
    assert!(told.starts_with("bought ord_"), "{told}");
    house.stop().await;
    setup.audit_is_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_answered_as_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = setup(folder.path());
    let file = document(&setup, folder.path());
    let programs = installed(folder.path(), TESTER);
    let house = setup.start().await;
    let mut tester = Command::new(programs.join("schemathesis"));
    tester.args(["run", "--url", &house.base, "--checks", CHECKS, "--no-color"]);
    tester.args(["--phases", "examples,fuzzing", "--max-examples", MADE_UP, "--workers", "2"]);
    // Time goes on by itself: a year ahead, everything else has lapsed.
    tester.args(["--exclude-operation-id", "advance_clock"]);
    // The same requests each time.
    tester.args(["--seed", "1"]);
    done(tester.arg(&file).current_dir(folder.path()));
    house.stop().await;
}

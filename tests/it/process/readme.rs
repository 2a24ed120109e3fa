//! The README's lines, copied literally: only the ports and the binary are others, and the judge is
//! patient.

use std::{net::TcpListener, process::Command};

use super::house::Setup;
use crate::shop::PATIENT_JUDGE_MS;

/// The shell lines between these two headings.
fn lines(from: &str, to: &str) -> String {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once(from).expect("the section");
    let (section, _) = section.split_once(to).expect("its end");
    let blocks = section.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    blocks.collect::<Vec<_>>().join("echo\n")
}

/// Runs a script against a house of its own; it must tell these parts in this order.
async fn tells(script: &str, parts: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::bare(folder.path()).with("server.listen", "127.0.0.1:0");
    let setup = setup.with("fraud.deadline_ms", PATIENT_JUDGE_MS);
    let house = setup.start().await;
    let listens = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listens.local_addr().expect("an address").port().to_string();
    drop(listens);
    let script = script
        .replace("http://127.0.0.1:8080", &house.base)
        .replace("target/release/doorbuster", env!("CARGO_BIN_EXE_doorbuster"))
        .replace("9191", &port);
    let mut shell = Command::new("sh");
    let ran = shell.args(["-e", "-c", &script]).current_dir(folder.path()).output();
    let ran = ran.expect("a shell");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{ran:?}");
    let mut rest = &*told;
    for part in parts {
        let found = rest.split_once(part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part} is missing in\n{told}"));
    }
    house.stop().await;
    setup.audit_is_clean();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_curl_lines_of_the_readme_buy() {
    let script = lines("## Buy something with curl", "### Routes");
    assert!(script.matches("curl ").count() >= 7, "{script}");
    let parts = [
        "dev.ucp.shopping",
        "\"id\":\"harbor-tee\"",
        "\"selected\":[{\"name\":\"Color\",\"label\":\"Red\"}",
        "\nchk_",
        "\"quantity\":2",
        "\"status\":\"completed\"",
        "\"id\":\"ord_",
        "\"status\":\"placed\"",
        "\"sku\":\"FLASH-SNEAKER-42\"",
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
        "\"id\":\"three-for-two\"",
        "\"title\":\"Sail bag\"",
        "\"items\":[{\"sku\":\"BAG-BLUE-L\"",
        "\"amount\":1400,\"currency\":\"USD\"",
        "{\"sku\":\"BAG-BLUE-L\"",
        "\"saved\":2",
        "\"status\":\"completed\"",
        "\"tracking_number\":\"00340\"",
        "its signature is believed\n",
        "its signature is believed\n",
        "\"shipped\"",
        "its signature is believed\n",
        "\"adjustments\": [",
    ];
    let told = tells(&script, &parts).await;
    assert!(!told.contains("/problems/") && !told.contains("invalid_request"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_curl_lines_of_the_readme_show_what_is_approved_reviewed_and_declined() {
    let script = lines("## See fraud judged", "### How an outcome comes about");
    let labeled = lines("### What was fraud", "Thresholds are a matter of money");
    let script = format!("{script}echo\n{labeled}");
    let parts = [
        "\"outcome\":\"approve\"",
        "\"claimed_by\":\"grace\"",
        "\"state\":\"approved\"",
        "/problems/payment_declined",
        "\"frauds\":1",
    ];
    tells(&script, &parts).await;
}

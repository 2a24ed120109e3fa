//! The README's lines, copied literally: only the port is another.

use std::process::Command;

use super::house::Setup;

/// The shell lines under "Buy something with curl".
fn lines() -> String {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("## Buy something with curl").expect("the section");
    let (section, _) = section.split_once("### Routes").expect("its end");
    let blocks = section.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    blocks.collect::<Vec<_>>().join("echo\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_curl_lines_of_the_readme_buy() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::bare(folder.path()).with("server.listen", "127.0.0.1:0");
    let house = setup.start().await;
    let script = lines().replace("http://127.0.0.1:8080", &house.base);
    assert!(script.matches("curl ").count() >= 7, "{script}");
    let ran = Command::new("sh").args(["-e", "-c", &script]).output().expect("a shell");
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    let mut rest = &*told;
    for part in [
        "dev.ucp.shopping",
        "\nchk_",
        "\"quantity\":2",
        "\"status\":\"completed\"",
        "\"id\":\"ord_",
        "\"status\":\"placed\"",
        "\"sku\":\"FLASH-SNEAKER-42\"",
    ] {
        let found = rest.split_once(part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part} is missing in\n{told}"));
    }
    assert!(!told.contains("/problems/"), "{told}");
    house.stop().await;
    setup.audit_is_clean();
}

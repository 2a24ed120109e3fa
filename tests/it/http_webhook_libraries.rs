//! The public libraries of Standard Webhooks believe what we send, and nothing that was changed on
//! its way. They come from where everybody gets them, into a folder of this test's own.

use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

use super::{
    http_platforms::{Platform, buys, relaying},
    http_shop::Shop,
};

/// Versions that were looked at.
const PYTHON_LIBRARY: &str = "standardwebhooks==1.1.0";
const NODE_LIBRARY: &str = "standardwebhooks@1.1.1";

const PYTHON: &str = r#"
import json, sys
from standardwebhooks import Webhook
told = json.load(open(sys.argv[1]))
webhook = Webhook(told["secret"])
webhook.verify(told["body"], told["headers"])
for changed in told["changed"]:
    try:
        webhook.verify(changed["body"], changed["headers"])
    except Exception:
        continue
    sys.exit("believed what was changed: " + json.dumps(changed))
print("believed what came, and nothing else")
"#;

const NODE: &str = r#"
const { Webhook } = require("standardwebhooks");
const told = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
const webhook = new Webhook(told.secret);
webhook.verify(told.body, told.headers);
for (const changed of told.changed) {
  let believed = true;
  try { webhook.verify(changed.body, changed.headers); } catch { believed = false; }
  if (believed) { console.error("believed what was changed", changed); process.exit(1); }
}
console.log("believed what came, and nothing else");
"#;

/// A delivery as it came to a merchant's endpoint, with its secret, and changed in every part.
async fn delivery() -> Value {
    let (shop, merchant) = (Shop::open().await, Platform::open());
    let wish = json!({"url": "https://shop.example/hook"});
    let made = shop.post("/v1/webhook-endpoints", &wish).await.json();
    // The shop's own client asks nothing private; the endpoint is put there past it.
    let before = shop.door.webhooks.endpoints.list().await.expect("listed").remove(0);
    let mut after = before.clone();
    after.url = format!("{}/hook?of=merchant", merchant.base);
    shop.door.webhooks.endpoints.change(&before, &after).await.expect("changed");
    buys(&shop, "").await;
    let _relaying = relaying(&shop);
    let heard = merchant.hears(1).await.remove(0);
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!(heard.headers[*name]))).collect();
    let with = |name: &str, value: &str| {
        let mut headers = headers.clone();
        headers.insert(name.to_owned(), json!(value));
        json!({"body": heard.body, "headers": headers})
    };
    let changed = [
        json!({"body": heard.body.replace("EUR", "USD"), "headers": headers}),
        with("webhook-id", "evt_other"),
        with("webhook-timestamp", &(1 + stamp(&heard.headers)).to_string()),
        with("webhook-timestamp", "1"),
        with("webhook-signature", "v1,AAAA"),
        with("webhook-signature", ""),
    ];
    json!({"secret": made["secret"], "body": heard.body, "headers": headers, "changed": changed})
}

fn stamp(headers: &std::collections::BTreeMap<String, String>) -> i64 {
    headers["webhook-timestamp"].parse().expect("seconds")
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    let ran = ran.unwrap_or_else(|fault| panic!("{program}: {fault}; ./tests/run installs it"));
    assert!(ran.status.success(), "{program} {arguments:?}: {ran:?}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[actix_web::test]
async fn the_library_for_python_believes_our_webhooks_and_none_that_was_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    fs::write(at.join("told.json"), delivery().await.to_string()).expect("written");
    fs::write(at.join("check.py"), PYTHON).expect("written");
    run(at, "python3", &["-m", "venv", "venv"]);
    run(at, "venv/bin/pip", &["install", "--quiet", "--no-input", PYTHON_LIBRARY]);
    let said = run(at, "venv/bin/python", &["check.py", "told.json"]);
    assert_eq!(said.trim(), "believed what came, and nothing else");
}

#[actix_web::test]
async fn the_library_for_node_believes_our_webhooks_and_none_that_was_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    fs::write(at.join("told.json"), delivery().await.to_string()).expect("written");
    fs::write(at.join("check.js"), NODE).expect("written");
    fs::write(at.join("package.json"), "{\"private\": true}").expect("written");
    run(at, "npm", &["install", "--silent", "--no-audit", "--no-fund", NODE_LIBRARY]);
    let said = run(at, "node", &["check.js", "told.json"]);
    assert_eq!(said.trim(), "believed what came, and nothing else");
}

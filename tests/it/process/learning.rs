//! A small shop learns from its own orders: judged by the service, labeled over the API, then
//! trained on, backtested and put in force from the command line.

use doorbuster::{
    base::{AssessmentId, Timestamp},
    fraud::{
        history::{History, Span},
        serving::bundled,
    },
};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use uuid::Uuid;

use super::{
    house::{House, Ran, Setup},
    till::{self, fresh_key},
};
use crate::support::{bench::Bench, models::OTHER_SCHEMA};

/// How long ago the past was.
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Orders of each kind: as few as can be trained on.
const ORDERS: usize = 20;

/// Buys a tee; the order.
async fn buys(house: &House, number: usize, fraud: bool) -> String {
    let body = json!({
        "lines": [{"sku": "TEE", "quantity": if fraud { 3 } else { 1 }}],
        "buyer": {"email": format!("buyer{number}@example.com")},
        "payment": {"token": "success_token"},
        "signals": {
            "dev.doorbuster.card_fingerprint": format!("card-{number}"),
            "dev.doorbuster.device_id": if fraud { "farm".into() } else { format!("d{number}") },
        },
    });
    let placed = house.till().post(&fresh_key(), "/v1/orders", &body).await.expect("it answers");
    assert_eq!(placed.status, 201, "{}", till::text(&placed));
    till::json(&placed)["id"].as_str().expect("an id").to_owned()
}

/// Forty orders, half of them found to be fraud, a month ago.
async fn a_shop_with_a_past(folder: &Path) -> Setup {
    let setup = Setup::new(folder);
    setup.fill(&[("TEE", 999)]);
    let house = setup.start().await;
    let mut labels = Vec::new();
    for number in 0..2 * ORDERS {
        let fraud = number % 2 == 0;
        let order = buys(&house, number, fraud).await;
        labels.push(json!({"order": order, "fraud": fraud, "source": "import"}));
    }
    let labels = json!({ "labels": labels });
    let kept = house.till().post(&fresh_key(), "/v1/labels/bulk", &labels).await;
    assert_eq!(kept.expect("it answers").status, 201);
    house.stop().await;
    let bench = Bench::at(setup.data().display().to_string()).await;
    let ever = Span::of(Timestamp::from_micros(0), bench.now().plus(MONTH));
    let judged = History::new(bench.database.clone()).list(ever, None, 500).await.expect("judged");
    assert_eq!(judged.len(), 2 * ORDERS);
    for past in judged {
        // An id begins with its milliseconds.
        let then = past.id.uuid().as_u128() - (MONTH.as_millis() << 80);
        let (id, at) = (AssessmentId::from_uuid(Uuid::from_u128(then)), past.at.minus(MONTH));
        let moved =
            format!("update assessments set id = '{id}', at = '{at}' where id = '{}'", past.id);
        bench.by_hand(moved.leak()).await.expect("by hand");
    }
    bench.store.close().await;
    setup
}

fn listed(setup: &Setup) -> Vec<(String, String)> {
    let rows: Value =
        serde_json::from_str(&setup.done(&["models", "list", "--json"])).expect("JSON");
    let told = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("version"), text("state"))
    };
    rows.as_array().expect("a list").iter().map(told).collect()
}

async fn serving(setup: &Setup) -> Value {
    let house = setup.start().await;
    let serving = house.till().json("/v1/models").await["serving"].clone();
    house.stop().await;
    serving
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_learns_from_its_own_orders_and_goes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = a_shop_with_a_past(folder.path()).await;

    let small = ["--trees", "20", "--depth", "3", "--min-leaf", "2"];
    let train = |out: &str| {
        let arguments = ["train", "--from-ledger", "--out", out];
        setup.run(&[&arguments[..], &small[..]].concat())
    };
    let Ran { status, out, err } = train("first");
    assert!(status.success(), "{out}{err}");
    assert!(train("second").status.success());
    let model = |name: &str| fs::read(folder.path().join(name).join("model")).expect("a model");
    assert!(model("first") == model("second"), "the same orders give the same model");

    let schema = folder.path().join("other.toml");
    fs::write(&schema, OTHER_SCHEMA).expect("written");
    let schema = schema.display().to_string();
    let other = ["train", "--from-ledger", "--schema", &schema, "--out", "third"];
    let Ran { status, out, err } = setup.run(&[&other[..], &small[..]].concat());
    assert!(status.success(), "old judgements teach another schema: {out}{err}");
    let manifest = fs::read_to_string(folder.path().join("third/manifest")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let ledger = &manifest["source"]["ledger"];
    assert_eq!((&ledger["attempts_replayed"], &ledger["passed_over"]), (&json!(40), &json!(0)));
    assert!(!out.contains("not known"), "checkouts are known still: {out}");

    setup.done(&["models", "add", "first"]);
    setup.done(&["models", "add", "second", "--version", "later"]);
    let state = |version: &str, state: &str| (version.to_owned(), state.to_owned());
    assert_eq!(listed(&setup), [state("later", "candidate"), state("first", "candidate")]);
    setup.done(&["models", "watch", "first"]);
    assert_eq!(listed(&setup)[1], state("first", "shadow"), "it is watched first");
    assert_eq!(serving(&setup).await, bundled::VERSION);
    let hurry = ["--override", "--reason", "a test", "--by", "ada"];
    let promote = |version: &str| {
        let Ran { status, err, .. } = setup.run(&["models", "promote", version, "--reason", "x"]);
        assert!(!status.success() && err.contains("of 7 days"), "{err}");
        setup.done(&[&["models", "promote", version][..], &hurry].concat());
        let Ran { status, err, .. } = setup.run(&["models", "approve", version, "--by", "ada"]);
        assert!(!status.success() && err.contains("second person"), "{err}");
        setup.done(&["models", "approve", version, "--by", "grace"]);
    };
    promote("first");
    assert_eq!(serving(&setup).await, "first");
    setup.done(&["models", "watch", "later"]);
    promote("later");
    assert_eq!(serving(&setup).await, "later");
    let back = setup.done(&["models", "rollback"]);
    assert!(back.contains("first") && back.contains("live"), "{back}");
    assert_eq!(serving(&setup).await, "first");
    let Ran { status, err, .. } = setup.run(&["models", "promote", "nobody", "--reason", "x"]);
    assert!(!status.success() && err.contains("nobody"), "{err}");
}

// breaks: try no thresholds in the outlook, or let `Outlook::conditions` hold whatever was seen
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outlook_says_what_live_would_do_and_what_is_still_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = a_shop_with_a_past(folder.path()).await;
    let nothing = setup.done(&["fraud", "outlook"]);
    assert!(nothing.contains("nothing was judged in this span"), "{nothing}");

    let json = folder.path().join("outlook.json").display().to_string();
    let out = setup.done(&["fraud", "outlook", "--from", "2026-01-01", "--json", &json]);
    for part in [
        "40 attempts judged from ",
        "review from score 998, challenge from an expected loss of EUR 200.00, review from an \
         expected loss of EUR 500.00\n",
        "on 40 orders whose end is known, 20 of them fraud (minor units of EUR)",
        "  no  1 days seen, 14 are asked for\n",
        "  no  40 attempts with a score, 1000 are asked for\n",
        "% of attempts in review, at most 1%\n",
        "  yes 0 of 20 orders known to be good declined, at most 0.1%\n",
    ] {
        assert!(out.contains(part), "{part:?} is missing in\n{out}");
    }
    let approved = out.lines().find(|line| line.starts_with("approve")).expect("a line");
    assert!(approved.ends_with(" 20 known good"), "{out}");
    assert!(out.trim_end().ends_with("or train a model of your own"), "{out}");
    let told: Value =
        serde_json::from_str(&fs::read_to_string(&json).expect("it is written")).expect("JSON");
    assert_eq!((&told["mode"], &told["report"]["attempts"]), (&json!("shadow"), &json!(40)));

    let strict = setup.with("fraud.review_loss_minor", 1);
    let out = strict.done(&["fraud", "outlook", "--from", "2026-01-01"]);
    assert!(out.contains("review                             40  100.00%"), "{out}");
    assert!(out.contains("40 of them were treated more mildly"), "{out}");
    assert!(out.contains("  no  100.00% of attempts in review"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backtest_tells_whom_a_rule_stops_and_which_thresholds_cost_least() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = a_shop_with_a_past(folder.path()).await;
    let json = folder.path().join("told.json");
    let told = |arguments: &[&str]| -> (String, Value) {
        let json = json.display().to_string();
        let out = setup.done(&[&["backtest"], arguments, &["--json", &json]].concat());
        let text = fs::read_to_string(&json).expect("it is written");
        (out, serde_json::from_str(&text).expect("JSON"))
    };
    let rule = ["--rule", "device == \"farm\"", "--action", "block"];
    let (_, ruled) = told(&rule);
    let report = &ruled["report"];
    assert_eq!((&report["attempts"], &report["matched"]), (&json!(40), &json!(20)), "{report}");
    let stopped = &report["proposed"]["outcomes"]["decline"];
    assert_eq!(stopped["disputed"]["attempts"], 20, "{report}");
    assert_eq!(stopped["good"], Value::Null, "no good order is stopped: {report}");

    let (out, fitted) = told(&["--fit-thresholds", "EUR", "--reviews-per-day", "100"]);
    let fitted = &fitted["fitted"];
    assert_eq!((&fitted["orders"], &fitted["frauds"]), (&json!(40), &json!(20)), "{fitted}");
    let cost = |value: &Value| value.as_i64().expect("minor units");
    let curve = fitted["curve"].as_array().expect("a curve");
    let least = curve.iter().map(|point| cost(&point["cost_minor"])).min();
    assert!(least >= Some(cost(&fitted["cost_minor"])), "{fitted}");
    assert!(cost(&fitted["cost_minor"]) < cost(&fitted["cost_of_approving_minor"]), "{fitted}");
    let review = &fitted["review"];
    assert!(out.contains(&format!("`fraud.review_score = {review}`")), "{out}");
    assert!(out.contains("in force"), "{out}");

    let Ran { status, err, .. } =
        setup.run(&["backtest", "--rule", "device ==", "--action", "block"]);
    assert!(!status.success() && err.contains("column 10"), "{err}");
}

//! What those see who watch: figures that move with what happens.

use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::{
    house::Setup,
    shoppers::SESSIONS,
    till::{Till, fresh_key, json},
};

async fn buys(till: &Till, sku: &str, quantity: u32, token: &str) -> u16 {
    let body = json!({
        "lines": [{"sku": sku, "quantity": quantity}],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": token},
    });
    till.post(&fresh_key(), "/v1/orders", &body).await.expect("it answers").status
}

/// Opens a session and gives it up.
async fn looks_around(till: &Till) {
    let line = json!({"item": {"id": "TEE"}, "quantity": 1});
    let body = json!({"line_items": [line], "buyer": {"email": "ada@example.com"}});
    let session = till.post(&fresh_key(), SESSIONS, &body).await.expect("it answers");
    let cancel = format!("{SESSIONS}/{}/cancel", json(&session)["id"].as_str().expect("an id"));
    assert_eq!(till.post(&fresh_key(), &cancel, &json!({})).await.expect("answers").status, 200);
}

async fn figures(till: &Till) -> String {
    let answer = till.get("/metrics").await.expect("it answers");
    String::from_utf8(answer.body.to_vec()).expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_tell_what_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path());
    setup.fill(&[("TEE", 5), ("LAST", 1)]);
    let house = setup.start().await;
    let till = house.till();
    assert_eq!(buys(&till, "TEE", 3, "success_token").await, 201);
    assert_eq!(buys(&till, "TEE", 1, "fail_token").await, 402);
    assert_eq!(buys(&till, "LAST", 2, "success_token").await, 409);
    assert_eq!(buys(&till, "LAST", 1, "4111111111111111").await, 422);
    looks_around(&till).await;
    let expected = [
        r#"http_requests_total{route="/v1/orders",method="POST",status_class="2xx"} 1"#,
        r#"http_requests_total{route="/v1/orders",method="POST",status_class="4xx"} 3"#,
        r#"checkout_steps_total{step="quote",outcome="done"} 4"#,
        r#"checkout_steps_total{step="place",outcome="done"} 1"#,
        r#"checkout_steps_total{step="authorize",outcome="refused"} 1"#,
        r#"checkout_steps_total{step="record",outcome="done"} 1"#,
        "units_sold_total 3",
        r#"holds_total{result="direct"} 3"#,
        r#"holds_total{result="sold"} 1"#,
        r#"holds_total{result="released"} 1"#,
        r#"holds_total{result="not_enough"} 1"#,
        r#"refusals_total{reason="payment_declined"} 1"#,
        r#"refusals_total{reason="card_number"} 1"#,
        r#"live_actors{kind="sku"} 2"#,
        r#"ledger_pool{state="idle"}"#,
        "ledger_commit_duration_seconds_count",
        "sweeper_duration_seconds_count",
        "admission_in_flight 0",
        "saturation ",
    ];
    let late = Instant::now() + Duration::from_secs(20);
    loop {
        let text = figures(&till).await;
        let is_there = |figure: &&str| text.lines().any(|line| line.starts_with(*figure));
        let missing: Vec<_> = expected.iter().filter(|figure| !is_there(figure)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < late, "{missing:#?} is missing in\n{text}");
        // Levels are read once a second.
        sleep(Duration::from_millis(50)).await;
    }
    house.stop().await;
}

//! What shoppers were told, held against what the service knows and what the bank took.

use doorbuster::payment::sandbox::{BOOK, read_book};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};

use super::{
    house::{House, Setup},
    shoppers::{Diary, SESSIONS, payment},
    till::{Till, fresh_key, json, text},
};

/// How long an unknown payment may stay unknown: its deadline, and a few of the keeper's rounds.
const SETTLED: Duration = Duration::from_secs(20);

/// Everything that was acknowledged is there, every answer is given again as it was, and the books
/// add up. Ends the service.
pub(super) async fn reckon(setup: &Setup, house: House, mut diary: Diary, skus: &[&str]) {
    let till = house.till();
    for checkout in std::mem::take(&mut diary.pending) {
        settled(&till, &mut diary, checkout).await;
    }
    sell_off(&till, skus).await;
    // Nothing is left to take, so whoever was promised units can only have those.
    for checkout in std::mem::take(&mut diary.held) {
        diary.orders.push(paid(&till, &checkout).await);
    }
    same_answers(&till, &diary).await;
    let told: BTreeSet<String> = diary.orders.iter().cloned().collect();
    assert_eq!(told.len(), diary.orders.len(), "an order was acknowledged to two buyers");
    let known = listed(&till, "/v1/orders", "id").await;
    assert_eq!(told, known, "acknowledged (left) and recorded (right) orders");
    // Whoever sees less is stricter: the money of some may wait for a person.
    let reviewed = listed(&till, "/v1/cases", "order").await;
    assert!(reviewed.is_subset(&told), "a case without an order");
    for order in &told {
        till.json(&format!("/v1/orders/{order}")).await;
    }
    nothing_owed(&till).await;
    house.stop().await;
    setup.audit_is_clean();
    let book = read_book(setup.data().join(BOOK)).expect("the book reads");
    let taken = book.iter().filter(|charge| charge.paid_minor() > 0).count();
    let due = told.len() - reviewed.len();
    assert_eq!(taken, due, "charges that were taken, and orders that nobody has to look at");
}

/// Waits until a payment whose outcome was unknown is known.
async fn settled(till: &Till, diary: &mut Diary, checkout: String) {
    let late = Instant::now() + SETTLED;
    loop {
        let session = till.json(&format!("{SESSIONS}/{checkout}")).await;
        match session["status"].as_str() {
            Some("completed") => {
                let order = session["order"]["id"].as_str().expect("an order");
                return diary.orders.push(order.to_owned());
            }
            Some("ready_for_complete") => return diary.held.push(checkout),
            Some("complete_in_progress") => {}
            other => panic!("{other:?}: {session}"),
        }
        assert!(Instant::now() < late, "unknown for {SETTLED:?}: {session}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until every capture is made: one that a kill cut off is sent again after ten seconds.
pub(super) async fn nothing_owed(till: &Till) {
    let late = Instant::now() + SETTLED;
    loop {
        let due = till.json("/v1/orders?payment=due").await;
        if due["items"].as_array().is_some_and(Vec::is_empty) {
            return;
        }
        assert!(Instant::now() < late, "still owed after {SETTLED:?}: {due}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Writes off what nobody was promised.
async fn sell_off(till: &Till, skus: &[&str]) {
    for sku in skus {
        let level = till.json(&format!("/v1/stock/{sku}")).await;
        let quantity = level["available"].as_i64().expect("a number");
        assert!(quantity >= 0, "{level}");
        if quantity == 0 {
            continue;
        }
        let body = json!({
            "sku": sku, "kind": "write_off", "quantity": quantity, "reason": "nothing is left over"
        });
        let answer = till.insists(&fresh_key(), "/v1/stock/movements", &body).await;
        assert_eq!(answer.status, 201, "{}", text(&answer));
    }
}

/// Pays for a session whose units were promised.
async fn paid(till: &Till, checkout: &str) -> String {
    let path = format!("{SESSIONS}/{checkout}/complete");
    let answer = till.insists(&fresh_key(), &path, &payment("success_token")).await;
    let session = json(&answer);
    assert_eq!(session["status"], "completed", "a promised hold is gone: {session}");
    session["order"]["id"].as_str().expect("an order").to_owned()
}

/// Each key answers as it did.
async fn same_answers(till: &Till, diary: &Diary) {
    for deed in &diary.deeds {
        let again = till.insists(&deed.key, &deed.path, &deed.body).await;
        let told = String::from_utf8_lossy(&deed.answer);
        let first = format!("{} {told}", deed.status);
        assert_eq!(text(&again), first, "{} under {}", deed.path, deed.key);
    }
}

/// This field of every item of a list.
async fn listed(till: &Till, path: &str, field: &str) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = till.json(&format!("{path}?limit=200{cursor}")).await;
        let items = page["items"].as_array().expect("items");
        listed.extend(items.iter().map(|item| item[field].as_str().expect("an id").to_owned()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return listed,
        }
    }
}

//! A card number that somebody sends is refused, and then it is nowhere.

use serde_json::{Value, json};
use std::{fs, path::Path};

use super::{
    house::Setup,
    shoppers::{SESSIONS, payment},
    till::{Till, fresh_key, json, text},
};

/// As people write it, and as programs do.
const CARD: &str = "4111 1111 1111 1111";
const NUMBER: u64 = 378_282_246_310_005;

/// A SKU that happens to have the digits of a card: a typed identifier, and none of our business.
const SKU: &str = "5555555555554444";

/// Requests with a card number where none may stand, and the field that is named.
fn with_a_card() -> Vec<(&'static str, Value, &'static str)> {
    let cart = |buyer: Value, more: Value| {
        let line = json!({"item": {"id": "TEE"}, "quantity": 1});
        json!({"line_items": [line], "buyer": buyer, "more": more})
    };
    let order = |address: &str, token: &str| {
        json!({
            "lines": [{"sku": "TEE", "quantity": 1}], "buyer": {"email": "ada@example.com"},
            "shipping_address": {"street_address": address}, "payment": {"token": token},
        })
    };
    let movement =
        |reason: String| json!({"sku": "TEE", "kind": "receive", "quantity": 1, "reason": reason});
    vec![
        (SESSIONS, cart(json!({"first_name": CARD}), json!(1)), "/buyer/first_name"),
        (SESSIONS, cart(json!({}), json!({"note": NUMBER})), "/more/note"),
        (SESSIONS, cart(json!({}), json!({CARD: "x"})), "/more"),
        ("/v1/orders", order(CARD, "success_token"), "/shipping_address/street_address"),
        ("/v1/orders", order("1 Main St", &CARD.replace(' ', "-")), "/payment/token"),
        ("/v1/stock/movements", movement(format!("paid with {CARD}")), "/reason"),
    ]
}

async fn is_refused(till: &Till, path: &str, body: &Value, pointer: &str) {
    let answer = till.post(&fresh_key(), path, body).await.expect("it answers");
    let problem = json(&answer);
    let told = (answer.status, &problem["code"], &problem["pointer"]);
    assert_eq!(told, (422, &json!("card_number_refused"), &json!(pointer)), "{}", text(&answer));
    assert!(!holds_a_card(&answer.body), "the answer shows it: {}", text(&answer));
}

fn holds_a_card(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let words =
        [CARD.to_owned(), CARD.replace(' ', "-"), CARD.replace(' ', ""), NUMBER.to_string()];
    words.iter().any(|word| text.contains(word))
}

/// A shop with the SKU that looks like a card; a title that holds one is not let in.
fn imports(setup: &Setup, folder: &Path) {
    let file = folder.join("shop.csv");
    let shop = |title: &str| {
        format!("sku,title,price,currency,stock\nTEE,A tee,1,EUR,5\n{SKU},{title},1,EUR,5\n")
    };
    let name = file.display().to_string();
    fs::write(&file, shop(CARD)).expect("the folder takes a file");
    let refused = setup.run(&["import", &name]);
    assert!(refused.err.contains("line 3, column `title`"), "{refused:?}");
    assert!(!holds_a_card(refused.err.as_bytes()), "{refused:?}");
    fs::write(&file, shop("A mug")).expect("the folder takes a file");
    setup.done(&["import", &name]);
}

/// Everything the service wrote: log, database and its journal, the bank's book.
fn written(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder that can be listed") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(written(&path)),
            false => found.push((path.display().to_string(), fs::read(&path).expect("it reads"))),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn card_numbers_are_neither_logged_nor_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(folder.path()).with("log.filter", "trace");
    imports(&setup, folder.path());
    let house = setup.start().await;
    let till = house.till();
    for (path, body, pointer) in with_a_card() {
        is_refused(&till, path, &body, pointer).await;
    }
    let line = json!({"item": {"id": SKU}, "quantity": 2});
    let body = json!({"line_items": [line], "buyer": {"email": "ada@example.com"}});
    let session = json(&till.post(&fresh_key(), SESSIONS, &body).await.expect("it answers"));
    let complete = format!("{SESSIONS}/{}/complete", session["id"].as_str().expect("an id"));
    let pointer = "/payment/instruments/0/credential/token";
    is_refused(&till, &complete, &payment(CARD), pointer).await;
    let mut number = payment("x");
    number["payment"]["instruments"][0]["credential"] = json!({"number": NUMBER});
    let pointer = "/payment/instruments/0/credential/number";
    is_refused(&till, &complete, &number, pointer).await;
    let key = CARD.replace(' ', "");
    let answer = till.post(&key, &complete, &payment("success_token")).await.expect("it answers");
    assert_eq!((answer.status, &json(&answer)["code"]), (422, &json!("card_number_refused")));

    let paid = till.post(&fresh_key(), &complete, &payment("success_token")).await;
    assert_eq!(json(&paid.expect("it answers"))["status"], "completed", "a SKU is no card");
    // Looked at while it runs, journal and all, and once more when everything is on disk.
    for house in [Some(house), None] {
        let files = written(folder.path());
        assert!(files.iter().any(|(_, bytes)| contains(bytes, SKU)), "it looks in the wrong place");
        for (name, bytes) in &files {
            assert!(!holds_a_card(bytes), "{name} holds a card number");
        }
        if let Some(house) = house {
            house.stop().await;
        }
    }
    setup.audit_is_clean();
}

fn contains(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(word)
}

//! What is kept once and read where it is needed: parts of answers, and what was bought.

use doorbuster::{
    base::CheckoutId,
    ledger::{
        LedgerRefused,
        stored_answer::{AnswerParts, StoredAnswer},
    },
};

use crate::support::bench::{Bench, write};

on_both!(
    an_answer_names_its_parts_and_is_given_whole,
    a_part_that_is_missing_is_an_error,
    what_was_bought_stands_with_the_order,
);

const UCP: &str =
    r#"{"version":"2026-04-08","capabilities":{"dev.ucp.shopping.checkout":[{"é":1}]}}"#;
const LINKS: &str = r#"[{"type":"privacy_policy","url":"https://shop.example/policies/privacy"}]"#;

async fn parts(bench: &Bench) -> AnswerParts {
    let parts = AnswerParts::keep(&bench.database, [UCP, LINKS]).await;
    parts.expect("parts are kept")
}

fn text(id: &str) -> String {
    format!(r#"{{"ucp":{UCP},"note":"\u0001 é \\u0001 {id}","links":{LINKS},"payment":{{}}}}"#)
}

/// A session whose creation is answered under this key.
async fn create(bench: &Bench, parts: &AnswerParts, key: &str) -> StoredAnswer {
    let mut session = bench.session(bench.checkout(), 1, &[]);
    let body = parts.body(&text(key));
    assert!(body.stored().len() < text(key).len() - UCP.len(), "{}", body.stored());
    let answer = StoredAnswer { status: 201, body, version: 1 };
    let mut write_key = bench.key(key, None);
    write_key.answer = Some(answer.clone());
    session.key = Some(write_key);
    bench.one(write(session)).await.expect("creates");
    answer
}

// breaks: a view `key_rows` that gives the body as it is kept
async fn an_answer_names_its_parts_and_is_given_whole(bench: Bench) {
    let parts = parts(&bench).await;
    let answer = create(&bench, &parts, "k1").await;
    let row = bench.store.find_key("shop", "k1").await.expect("reads").expect("stands");
    assert_eq!(row.answer.as_ref(), Some(&answer));
    assert_eq!(answer.body.open(), Ok(&*text("k1")));
    // Asked again, by one who has not read it before.
    let mut again = bench.session(bench.checkout(), 1, &[]);
    again.key = Some(bench.key("k1", Some("another")));
    assert_eq!(bench.one(write(again)).await, Err(LedgerRefused::KeyTaken(Box::new(row))));
    // The same parts are kept once.
    let twice = AnswerParts::keep(&bench.database, [LINKS, UCP]).await.expect("stand already");
    assert_eq!(twice.body(&text("k2")).stored(), parts.body(&text("k2")).stored());
}

// breaks: `coalesce(…, '')` around the part, or a `select into` that is not strict
async fn a_part_that_is_missing_is_an_error(bench: Bench) {
    create(&bench, &parts(&bench).await, "k1").await;
    bench.by_hand("delete from answer_parts").await.expect("somebody deletes them");
    assert!(bench.store.find_key("shop", "k1").await.is_err(), "half an answer is none");
}

async fn sold(bench: &Bench) -> CheckoutId {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 1)], attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
    checkout
}

async fn is_told_whole(bench: &Bench, checkout: CheckoutId) {
    let session = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    assert_eq!((session.body.get(), session.version), (r#"{"placed":true}"#, 2));
    let events = bench.store.list_unsent_events(9).await.expect("reads");
    let bodies: Vec<&str> = events.iter().map(|event| event.body.get()).collect();
    assert_eq!(bodies, [r#"{"placed":true}"#]);
}

// breaks: views of sessions and events without their look at the order
async fn what_was_bought_stands_with_the_order(bench: Bench) {
    let checkout = sold(&bench).await;
    is_told_whole(&bench, checkout).await;
    // The copies are gone, and one that is not open keeps its own.
    let copies = "update sessions set body = '{\"wrong\": true}' where body <> 'null'";
    let of_postgres = "update sessions set body = '{\"wrong\": true}' where body::text <> 'null'";
    let sqlite = bench.by_hand(copies).await;
    if sqlite.is_err() {
        bench.by_hand(of_postgres).await.expect("one of the dialects");
    }
    is_told_whole(&bench, checkout).await;
    let open = bench.checkout();
    bench.one(write(bench.session(open, 1, &[]))).await.expect("opens");
    let row = bench.store.find_session(open).await.expect("reads").expect("is there");
    assert_eq!(row.body.get(), r#"{"v":1}"#);
}

// breaks: a `down` of 0026 or 0027 without its updates
async fn goes_back(bench: Bench) {
    let answer = create(&bench, &parts(&bench).await, "k1").await;
    let checkout = sold(&bench).await;
    bench.database.migrate_to(25).await.expect("goes back");
    let row = bench.store.find_key("shop", "k1").await.expect("reads").expect("stands");
    assert_eq!(row.answer, Some(answer));
    is_told_whole(&bench, checkout).await;
}

#[tokio::test]
async fn going_back_puts_everything_where_it_was_on_postgres() {
    goes_back(Bench::postgres().await).await;
}

#[tokio::test]
async fn going_back_puts_everything_where_it_was_on_sqlite() {
    goes_back(Bench::sqlite().await).await;
}

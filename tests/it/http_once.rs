//! A change and its key are one commit: whatever happens between the two, asked again is done once.
//! What happens here is a database that refuses answers, as it would look after a crash there.

use actix_web::http::Method;
use doorbuster::ledger::{Database, LedgerFault};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    http_fraud::buys,
    http_shop::{Answer, Shop, fresh_key, on_both},
};

on_both!(
    a_claim_sent_twice_claims_one_case,
    claims_sent_at_once_with_one_key_claim_one_case,
    what_is_changed_without_its_key_is_not_changed,
    what_is_refused_leaves_no_key,
);

/// Refuses every answer under a key.
const REFUSE: (&[&str], &[&str]) = (
    &[
        "create function no_answer() returns trigger language plpgsql as
             $$ begin raise exception 'no answer is kept'; end $$",
        "create trigger no_answer before insert or update on idempotency_keys
             for each row when (new.answer_status is not null) execute function no_answer()",
    ],
    &[
        "create trigger no_answer before update on idempotency_keys
             when new.answer_status is not null begin select raise(abort, 'no answer'); end",
        "create trigger no_new_answer before insert on idempotency_keys
             when new.answer_status is not null begin select raise(abort, 'no answer'); end",
    ],
);

/// Takes that back.
const KEEP: (&[&str], &[&str]) = (
    &["drop trigger no_answer on idempotency_keys", "drop function no_answer"],
    &["drop trigger no_answer", "drop trigger no_new_answer"],
);

async fn by_hand(
    shop: &Shop,
    (postgres, sqlite): (&'static [&'static str], &'static [&'static str]),
) {
    match &shop.door.database {
        Database::Postgres(database) => {
            for sql in postgres {
                let run = database.run(|connection| {
                    Box::pin(async { sqlx::raw_sql(*sql).execute(connection).await.map(drop) })
                });
                done(run.await);
            }
        }
        Database::Sqlite(database) => {
            for sql in sqlite {
                let run = database.write(|connection| {
                    Box::pin(async { sqlx::raw_sql(*sql).execute(connection).await.map(drop) })
                });
                done(run.await);
            }
        }
    }
}

fn done(run: Result<(), LedgerFault>) {
    run.expect("the statement runs");
}

async fn mine(shop: &Shop) -> Value {
    shop.get("/v1/cases?reviewer=grace").await.json()["counts"]["mine"].clone()
}

async fn claims_next(shop: &Shop, key: &str) -> Answer {
    shop.ask_as(key, Method::POST, "/v1/cases/claim", &json!({"reviewer": "grace"})).await
}

// breaks: make the work of `idempotency::change` before `keyed`, and `keep` its answer
async fn a_claim_sent_twice_claims_one_case(shop: Shop) {
    for _ in 0..2 {
        buys(&shop, "fraud-review@example.com").await;
    }
    let key = fresh_key();
    by_hand(&shop, REFUSE).await;
    let lost = claims_next(&shop, &key).await;
    assert!(lost.status.is_server_error(), "{}", lost.json());
    assert_eq!(mine(&shop).await, 0, "the claim went with its key");
    by_hand(&shop, KEEP).await;
    let first = claims_next(&shop, &key).await;
    let again = claims_next(&shop, &key).await;
    assert_eq!((first.status, again.status), (200.try_into().expect("ok"), first.status));
    assert!(first.json()["case"]["order"].is_string(), "{}", first.json());
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(mine(&shop).await, 1);
}

// breaks: the same
async fn claims_sent_at_once_with_one_key_claim_one_case(shop: Shop) {
    for _ in 0..4 {
        buys(&shop, "fraud-review@example.com").await;
    }
    let key = fresh_key();
    let twin = shop.twin();
    let shops = [&shop, &twin, &shop, &twin];
    let answers = join_all(shops.map(|shop| claims_next(shop, &key))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.bytes), (answers[0].status, &answers[0].bytes));
    }
    assert_eq!(answers[0].status, 200);
    assert_eq!(mine(&shop).await, 1);
}

/// Changes of tables that are no part of the ledger, and where each would be seen.
fn changes() -> Vec<(Method, &'static str, Value, &'static str)> {
    let rule = json!({"expression": "units >= 3", "action": "review", "reason": "it is tried"});
    let product = json!({"title": "Mug", "price": {"minor": 900, "currency": "EUR"}});
    let discount = json!({"title": "Summer", "code": "SUMMER",
                          "benefit": {"kind": "percent", "basis_points": 1_000}});
    let amended = json!({"products": [{"sku": "CAP", "title": "A cap of another name"}]});
    let hook = json!({"url": "https://shop.example/hook"});
    let key = json!({"label": "a till", "scopes": ["checkout"]});
    let snooze = json!({"kind": "ip", "value": "192.0.2.7", "until": "2099-01-01T00:00:00Z",
                        "reason": "our own office"});
    vec![
        (Method::PUT, "/v1/rules/tried", rule, "/v1/rules"),
        (Method::PUT, "/v1/lists/tried", json!({"kind": "ip"}), "/v1/lists"),
        (
            Method::POST,
            "/v1/lists/blocked_emails/entries",
            json!({"value": "eve@example.com"}),
            "/v1/lists/blocked_emails/entries",
        ),
        (Method::POST, "/v1/rules/tried/snoozes", snooze, "/v1/rules/tried/snoozes"),
        (Method::PUT, "/v1/discounts/summer", discount, "/v1/discounts"),
        (Method::PUT, "/v1/products/MUG", product, "/v1/products"),
        (Method::POST, "/v1/products/bulk", amended, "/v1/products/CAP"),
        (Method::DELETE, "/v1/products/EBOOK", json!({}), "/v1/products"),
        (Method::PUT, "/v1/product-groups/mugs", json!({"title": "Mugs"}), "/v1/product-groups"),
        (Method::PUT, "/v1/price-lists/USD/TEE", json!({"minor": 2100}), "/v1/price-lists/USD"),
        (Method::POST, "/v1/webhook-endpoints", hook, "/v1/webhook-endpoints"),
        (Method::POST, "/v1/keys", key, "/v1/keys"),
    ]
}

// breaks: the same; for the later look, leave `at_end` out of `Catalog::forget`
async fn what_is_changed_without_its_key_is_not_changed(shop: Shop) {
    for (method, path, body, seen) in changes() {
        let (key, before) = (fresh_key(), shop.get(seen).await);
        assert_eq!(before.status, 200, "{seen}: {}", before.json());
        by_hand(&shop, REFUSE).await;
        let lost = shop.ask_as(&key, method.clone(), path, &body).await;
        assert!(lost.status.is_server_error(), "{path}: {} {}", lost.status, lost.json());
        by_hand(&shop, KEEP).await;
        assert_eq!(shop.get(seen).await.json(), before.json(), "{method} {path}");
        let first = shop.ask_as(&key, method.clone(), path, &body).await;
        assert!(first.status.is_success(), "{path}: {}", first.json());
        let after = shop.get(seen).await.json();
        assert_ne!(after, before.json(), "{method} {path}");
        let again = shop.ask_as(&key, method.clone(), path, &body).await;
        assert_eq!(again.status, first.status, "{path}: {}", again.json());
        assert_eq!(shop.get(seen).await.json(), after, "{method} {path}");
    }
}

// breaks: keep the answer of refused work in `keyed`, or do not give its connection back
async fn what_is_refused_leaves_no_key(shop: Shop) {
    let (key, rule) = (fresh_key(), "/v1/rules/no_such_rule/mode");
    let live = json!({"mode": "live", "reason": "it is tried"});
    for _ in 0..12 {
        shop.ask_as(&key, Method::PUT, rule, &live).await.problem(404, "not_found");
    }
    let claim = json!({"reviewer": "grace"});
    let order = "/v1/cases/ord_01a20ad0ec9975c19b1db9c581e57a24/claim";
    shop.ask_as(&key, Method::POST, order, &claim).await.problem(404, "not_found");
    assert_eq!(claims_next(&shop, &key).await.status, 200, "nobody has used the key");
}

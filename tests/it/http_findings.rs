//! What was found out about orders, with who says so and about how much; and rules and lists that
//! nobody needs any more.

use actix_web::http::Method;
use doorbuster::{
    access::Scope,
    fraud::rules::{By, Name},
};
use serde_json::{Value, json};

use super::{
    http_fraud::{buys, order_of},
    http_shop::{Answer, Shop, fresh_key, on_both},
};

on_both!(
    a_label_says_who_wrote_it_and_about_how_much,
    a_table_of_labels_says_as_much,
    a_rule_that_is_removed_is_asked_no_more_and_its_versions_stay,
    a_list_goes_when_no_rule_looks_it_up,
    whoever_is_blocked_is_blocked_on_a_list_that_was_removed,
);

async fn removes(shop: &Shop, path: &str, body: &Value) -> Answer {
    shop.ask(Method::DELETE, path, body).await
}

async fn labels(shop: &Shop, order: &str) -> Value {
    shop.get(&format!("/v1/orders/{order}/labels")).await.json()["items"].clone()
}

// breaks: leave `author` out of `details`, a column out of a database's insert, or `wrong` out of
// `check`
async fn a_label_says_who_wrote_it_and_about_how_much(shop: Shop) {
    let order = order_of(&buys(&shop, "ada@example.com").await);
    let path = format!("/v1/orders/{order}/labels");
    let label = |amount: Value, currency: Value| {
        json!({"fraud": true, "source": "early_warning", "reason": "10.4",
               "note": "the issuer saw it first", "amount_minor": amount, "currency": currency})
    };
    let kept = shop.post(&path, &label(json!(500), json!("EUR"))).await;
    assert_eq!(kept.status, 201, "{}", kept.json());
    shop.post(&path, &json!({"fraud": false, "source": "reviewer"})).await;
    let items = labels(&shop, &order).await;
    let (plain, whole) = (&items[0], &items[1]);
    assert_eq!(*whole, kept.json());
    for (field, value) in [
        ("source", "early_warning"),
        ("reason", "10.4"),
        ("currency", "EUR"),
        ("note", "the issuer saw it first"),
        ("author", "anonymous"),
    ] {
        assert_eq!(whole[field], value, "{whole}");
    }
    assert_eq!(whole["amount_minor"], 500);
    assert!(plain.get("reason").is_none() && plain.get("amount_minor").is_none(), "{plain}");
    for (amount, currency, at) in [
        (json!(0), json!("EUR"), "/amount_minor"),
        (json!(1991), json!("EUR"), "/amount_minor"),
        (json!(500), json!("USD"), "/currency"),
        (json!(500), json!("NOT"), "/currency"),
    ] {
        let refused = shop.post(&path, &label(amount.clone(), currency.clone())).await;
        refused.problem(422, "invalid_request");
        assert_eq!(refused.json()["pointer"], at, "{}", refused.json());
    }
    let half = json!({"fraud": true, "source": "dispute", "amount_minor": 5});
    shop.post(&path, &half).await.problem(422, "invalid_request");
    let author = json!({"fraud": true, "source": "dispute", "author": "grace"});
    assert!(shop.post(&path, &author).await.status.is_client_error(), "no field of the body");
    assert_eq!(labels(&shop, &order).await, items, "what was refused is nowhere");
}

// breaks: leave `details` out of `label_table::label`, or the author out of `add_table`
async fn a_table_of_labels_says_as_much(shop: Shop) {
    let order = order_of(&buys(&shop, "ada@example.com").await);
    let head = "order,fraud,source,at,reason,note,amount_minor,currency";
    let table = format!("{head}\n{order},true,dispute,,4853,\"half, they say\",995,EUR\n");
    let taken = shop.posts_table(&fresh_key(), "/v1/labels/bulk", &table).await;
    assert_eq!(taken.status, 201, "{}", taken.json());
    let items = labels(&shop, &order).await;
    let expected = json!(["4853", "half, they say", 995, "EUR", "anonymous"]);
    let fields = ["reason", "note", "amount_minor", "currency", "author"];
    let shown: Vec<_> = fields.iter().map(|field| items[0][field].clone()).collect();
    assert_eq!(json!(shown), expected);
    let wrong = format!(
        "{head}\n{order},true,dispute,,,,1,USD\n{order},true,dispute,,,,5000,EUR\n\
                         {order},true,dispute,,,,7,\n"
    );
    let refused = shop.posts_table(&fresh_key(), "/v1/labels/bulk", &wrong).await;
    refused.problem(422, "invalid_request");
    assert!(refused.json()["detail"].as_str().is_some_and(|told| told.contains("line 4")));
    let wrong =
        format!("{head}\n{order},true,dispute,,,,1,USD\n{order},true,dispute,,,,5000,EUR\n");
    let told = shop.posts_table(&fresh_key(), "/v1/labels/bulk", &wrong).await.json();
    let told = told["detail"].as_str().expect("words");
    assert!(told.contains("line 2: the order was paid in EUR"), "{told}");
    assert!(told.contains("line 3: an amount"), "{told}");
}

fn rule(mode: &str, expression: &str) -> Value {
    json!({"expression": expression, "action": "review", "mode": mode, "reason": "it is tried"})
}

// breaks: leave `not r.removed` out of the rules of a database, or out of what may be written again
async fn a_rule_that_is_removed_is_asked_no_more_and_its_versions_stay(shop: Shop) {
    let path = "/v1/rules/every_unit";
    let live = rule("live", "units >= 1");
    assert_eq!(shop.ask(Method::PUT, path, &live).await.status, 200);
    let status = async |shop: &Shop| {
        let order = order_of(&buys(shop, "ada@example.com").await);
        shop.get(&format!("/v1/cases/{order}")).await.status.as_u16()
    };
    assert_eq!(status(&shop).await, 200, "it reviews everything");
    removes(&shop, path, &json!({})).await.problem(422, "invalid_request");
    let why = json!({"reason": "it finds everybody"});
    let gone = removes(&shop, path, &why).await;
    assert_eq!(gone.json(), json!({"name": "every_unit", "removed": true}));
    assert_eq!(status(&shop).await, 404, "nobody asks it");
    assert_eq!(removes(&shop, path, &why).await.json()["removed"], false, "it is gone already");
    shop.get(path).await.problem(404, "not_found");
    let mode = json!({"mode": "live", "reason": "it is tried"});
    shop.ask(Method::PUT, &format!("{path}/mode"), &mode).await.problem(404, "not_found");
    let until = json!({"kind": "ip", "value": "192.0.2.7", "until": "2099-01-01T00:00:00Z",
                       "reason": "our own office"});
    shop.post(&format!("{path}/snoozes"), &until).await.problem(404, "not_found");
    assert!(!shop.get("/v1/rules").await.json().to_string().contains("every_unit"));
    let versions = shop.get(&format!("{path}/versions")).await.json()["items"].clone();
    assert_eq!(versions.as_array().map(Vec::len), Some(2), "{versions}");
    let last = &versions[0];
    assert_eq!((&last["removed"], &last["reason"]), (&json!(true), &why["reason"]), "{last}");
    assert_eq!(last["author"], "anonymous");
    // The same again is written, though the last version says it word for word.
    let off = json!({"expression": "units >= 1", "action": "review", "mode": "off",
                     "reason": "it finds everybody"});
    let again = shop.ask(Method::PUT, path, &off).await;
    assert_eq!((again.status.as_u16(), &again.json()["version"]), (200, &json!(3)));
}

// breaks: leave the look at the rules out of `remove_list`, or a database's look at the version of
// the rulebook, or at the lists of a rule
async fn a_list_goes_when_no_rule_looks_it_up(shop: Shop) {
    let (list, asks) = ("/v1/lists/offices", "/v1/rules/from_offices");
    let made = shop.ask(Method::PUT, list, &json!({"kind": "ip"})).await;
    assert_eq!(made.status, 200);
    shop.post(&format!("{list}/entries"), &json!({"value": "192.0.2.7"})).await;
    for mode in ["live", "shadow"] {
        let saved = shop.ask(Method::PUT, asks, &rule(mode, "listed(ip, \"offices\")")).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
        let refused = removes(&shop, list, &json!({})).await;
        refused.problem(409, "list_in_use");
        assert!(refused.json()["detail"].as_str().is_some_and(|it| it.contains("from_offices")));
    }
    let name = Name::parse("offices").expect("a name");
    let by = By { author: "ada".into(), at: shop.door.clock.now() };
    let (store, offices) = (shop.door.rules.store(), [name.as_str()]);
    let draft = store.find_rule(&Name::parse("from_offices").expect("a name")).await;
    let mut draft = draft.expect("reads").expect("it is there").draft;
    draft.reason = "written meanwhile".into();
    let before = store.version().await.expect("reads");
    assert!(!store.remove_list(&name, before - 1, &by).await.expect("reads"), "it has moved on");
    assert_eq!(shop.get(&format!("{list}/entries")).await.json()["items"][0]["value"], "192.0.2.7");
    let off = json!({"mode": "off", "reason": "no more"});
    assert_eq!(shop.ask(Method::PUT, &format!("{asks}/mode"), &off).await.status, 200);
    assert_eq!(removes(&shop, list, &json!({})).await.json()["removed"], true);
    shop.get(list).await.problem(404, "not_found");
    let late = store.save_rule((&draft, &offices), None, &by).await.expect("reads");
    assert!(!late, "no rule is written that looks up what is gone");
    assert_eq!(removes(&shop, list, &json!({})).await.json()["removed"], false);
    let live = json!({"mode": "live", "reason": "again"});
    shop.ask(Method::PUT, &format!("{asks}/mode"), &live).await.problem(422, "invalid_request");
    let made = shop.ask(Method::PUT, list, &json!({"kind": "email"})).await;
    assert_eq!((made.status.as_u16(), &made.json()["entries"]), (200, &json!(0)), "it is another");
}

// breaks: leave `save_list` out of `case_blocks::keep`
async fn whoever_is_blocked_is_blocked_on_a_list_that_was_removed(shop: Shop) {
    let order = order_of(&buys(&shop, "fraud-review@example.com").await);
    for one in shop.get("/v1/rules").await.json()["items"].as_array().expect("a list") {
        if one["expression"].as_str().is_some_and(|it| it.contains("blocked_emails")) {
            let path = format!("/v1/rules/{}", one["name"].as_str().expect("a name"));
            removes(&shop, &path, &json!({"reason": "not ours"})).await;
        }
    }
    assert_eq!(
        removes(&shop, "/v1/lists/blocked_emails", &json!({})).await.json()["removed"],
        true
    );
    let claim = json!({"reviewer": "grace"});
    shop.post(&format!("/v1/cases/{order}/claim"), &claim).await;
    let decline = json!({"reviewer": "grace", "decision": "decline", "close_reason": "fraud",
                         "block": ["email"]});
    let decided = shop.post(&format!("/v1/cases/{order}/decide"), &decline).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    let entries = shop.get("/v1/lists/blocked_emails/entries").await.json();
    assert_eq!(entries["items"][0]["value"], "fraud-review@example.com");
    assert_eq!(labels(&shop, &order).await[0]["author"], "grace");
}

// breaks: take the author of a label from anything but the key
#[actix_web::test]
async fn the_author_of_a_label_is_who_the_key_says() {
    let shop = Shop::open().await;
    let order = order_of(&buys(&shop, "ada@example.com").await);
    let (shop, keys) = shop.with_keys_for(&[Scope::BackofficeWrite]).await;
    let path = format!("/v1/orders/{order}/labels");
    let request = actix_web::test::TestRequest::post().uri(&path);
    let request = request.insert_header(("authorization", format!("Bearer {}", keys[0])));
    let request = request.insert_header(("idempotency-key", fresh_key()));
    let label = shop.send(request.set_json(json!({"fraud": true, "source": "dispute"}))).await;
    assert_eq!(label.status, 201, "{}", label.json());
    assert_eq!(label.json()["author"], "storefront 0");
}

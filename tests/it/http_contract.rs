//! Merchant routes take what their documentation names, and say so of everything else; those of
//! platforms pass over what they do not know.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::http::docs::operation::Operation;
use serde_json::{Value, json};

use super::{
    http_acp,
    http_docs::operations,
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::with,
    http_ucp, http_ucp01,
    http_v1::order,
};

/// A name that no route knows.
const UNKNOWN: &str = "no_such_thing";

/// Every operation of merchants. That all that is mounted is among them, `http_docs.rs` tests.
fn ours() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.path.starts_with("/v1/"))
}

/// Its path, with something in the place of each parameter.
fn path(operation: &Operation) -> String {
    let steps = operation.path.split('/');
    steps.map(|step| if step.starts_with('{') { "1" } else { step }).collect::<Vec<_>>().join("/")
}

async fn asks(shop: &Shop, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
    let mut request = TestRequest::default().method(operation.method.clone()).uri(path);
    if let Some(body) = body {
        request = request.insert_header(("content-type", "application/json"));
        request = request.insert_header(("content-length", body.to_string().len()));
        request = request.set_payload(body.to_string());
    }
    shop.send(request.insert_header(("idempotency-key", fresh_key()))).await
}

// breaks: the wrap of `/v1` in server.rs
#[actix_web::test]
async fn no_merchant_route_takes_a_parameter_it_does_not_know() {
    let shop = Shop::open().await;
    let mut count = 0;
    for operation in ours() {
        let path = format!("{}?{UNKNOWN}=1", path(&operation));
        let answer = asks(&shop, &operation, &path, None).await;
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], format!("/{UNKNOWN}"), "{} {path}", operation.method);
        count += 1;
    }
    assert!(count > 60, "only {count} operations");
}

// breaks: `check_fields` in asking.rs
#[actix_web::test]
async fn no_merchant_route_takes_a_field_it_does_not_know() {
    let shop = Shop::open().await;
    for operation in ours().filter(|operation| !operation.method.is_safe()) {
        let example = operation.body.as_ref().map_or(json!({}), |body| body.example.clone());
        if !example.is_object() {
            continue;
        }
        let path = path(&operation);
        let answer = asks(&shop, &operation, &path, Some(&with(example, UNKNOWN, json!(1)))).await;
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], format!("/{UNKNOWN}"), "{} {path}", operation.method);
    }
}

// breaks: the suggestions; looking at the top of a body alone; matching the path as it was sent
#[actix_web::test]
async fn a_slip_of_the_pen_is_refused_where_it_stands_with_what_was_meant() {
    let shop = Shop::open().await;
    let is_told = |answer: &Answer, at: &str, meant: &str| {
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], at);
        assert_eq!(problem["suggestion"], format!("Did you mean `{meant}`?"), "{problem}");
    };
    // What looks like nothing that there is.
    let is_listed = |answer: &Answer, at: &str, one: &str| {
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(problem["pointer"], at);
        let text = problem["suggestion"].as_str().unwrap_or_default();
        let tells = text.starts_with("There are `") && text.contains(&format!("`{one}`"));
        assert!(tells, "{problem}");
    };
    is_told(&shop.get("/v1/orders?emial=p1@example.com").await, "/emial", "email");
    is_told(&shop.get("/v1/%6Frders?emial=p1@example.com").await, "/emial", "email");
    is_listed(&shop.get("/v1/stock?sku=TEE").await, "/sku", "cursor");
    shop.ask(Method::PUT, "/v1/lists/mine", &json!({"kind": "email"})).await;
    let entry = json!({"value": "eve@example.com", "expires": "2030-01-01T00:00:00Z"});
    let answer = shop.post("/v1/lists/mine/entries", &entry).await;
    is_told(&answer, "/expires", "expires_at");
    let answer = shop.post("/v1/lists/mine/entries", &json!({"entries": [entry]})).await;
    is_told(&answer, "/entries/0/expires", "expires_at");
    let entries = shop.get("/v1/lists/mine/entries").await.json();
    assert_eq!(entries["items"], json!([]), "nobody is blocked for ever");
    let mut wrong = order(&[("TEE", 1)], "success_token");
    wrong["shipping_address"]["city"] = json!("Berlin");
    let answer = shop.post("/v1/orders", &wrong).await;
    is_listed(&answer, "/shipping_address/city", "address_country");
    let mut wrong = order(&[("TEE", 1)], "success_token");
    wrong["signals"] = json!({"com.other.score": 3, "dev.doorbuster.device": "d1"});
    is_told(
        &shop.post("/v1/orders", &wrong).await,
        "/signals/dev.doorbuster.device",
        "dev.doorbuster.device_id",
    );
    wrong["signals"] = json!({"com.other.score": 3});
    assert_eq!(shop.post("/v1/orders", &wrong).await.status, 201);
}

// breaks: refusing what the address says or an answer shows
#[actix_web::test]
async fn what_was_shown_can_be_sent_back() {
    let shop = Shop::open().await;
    let shown = shop.get("/v1/products/TEE").await.json();
    let answer = shop.ask(Method::PUT, "/v1/products/TEE", &shown).await;
    assert_eq!(answer.status, 200, "{:?}", answer);
    let other = with(shown, "sku", json!("CAP"));
    let answer = shop.ask(Method::PUT, "/v1/products/TEE", &other).await;
    assert_eq!(answer.problem(422, "invalid_request")["pointer"], "/sku");
}

// breaks: `contract::admit` around every route, with every operation in its table
#[actix_web::test]
async fn platforms_may_send_more_than_is_known() {
    let shop = Shop::open().await;
    let body = with(http_ucp::cart(&[("TEE", 1)]), UNKNOWN, json!({"x": 1}));
    let path = format!("{}?{UNKNOWN}=1", http_ucp::SESSIONS);
    assert_eq!(shop.post(&path, &body).await.status, 201);
    let body = with(http_ucp01::items(&[("TEE", 1)]), UNKNOWN, json!({"x": 1}));
    let answer = shop.post(http_ucp01::SESSIONS, &body).await;
    assert_eq!(answer.status, 201);
    let body = with(http_acp::items(&[("TEE", 1)]), UNKNOWN, json!({"x": 1}));
    let answer = http_acp::say(&shop, "POST", http_acp::SESSIONS, &body).await;
    assert_eq!(answer.status, 201);
}

// breaks: any filter of `GET /v1/orders`
#[actix_web::test]
async fn orders_are_found_by_what_is_known_of_them() {
    let shop = Shop::open().await;
    let buys = async |first: &str, last: &str, email: &str, quantity| {
        let mut body = order(&[("TEE", quantity)], "success_token");
        body["buyer"] = json!({"first_name": first, "last_name": last, "email": email});
        shop.post("/v1/orders", &body).await.json()["id"].as_str().expect("an id").to_owned()
    };
    let ada = buys("Ada", "King", "Ada@example.com", 1).await;
    let bob = buys("Bob", "King", "bob+x@example.com", 2).await;
    let found = async |query: &str| {
        let answer = shop.get(&format!("/v1/orders?{query}")).await.json();
        let items = answer["items"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        let mut ids: Vec<_> =
            items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    };
    let mut both = vec![ada.clone(), bob.clone()];
    both.sort();
    for (query, ids) in [
        ("email=ada@example.com".to_owned(), vec![ada.clone()]),
        ("email=%20ADA@example.com".to_owned(), vec![ada.clone()]),
        ("email=bob%2Bx@example.com".to_owned(), vec![bob.clone()]),
        ("email=p1@example.com".to_owned(), vec![]),
        ("name=KING".to_owned(), both.clone()),
        ("name=ada%20king".to_owned(), vec![ada.clone()]),
        (format!("id={bob}"), vec![bob.clone()]),
        ("sku=TEE&email=ada@example.com".to_owned(), vec![ada.clone()]),
        ("min_minor=2500&currency=EUR".to_owned(), vec![bob.clone()]),
        ("max_minor=2500".to_owned(), vec![ada.clone()]),
        ("currency=USD".to_owned(), vec![]),
        ("sku=NO-SUCH".to_owned(), vec![]),
        ("placed_from=2999-01-01T00:00:00Z".to_owned(), vec![]),
        ("placed_before=2001-01-01T00:00:00Z".to_owned(), vec![]),
        ("status=canceled".to_owned(), vec![]),
        ("payment=refused".to_owned(), vec![]),
    ] {
        assert_eq!(found(&query).await, ids, "{query}");
    }
    let refused = shop.get("/v1/orders?email=ada").await;
    assert_eq!(refused.problem(422, "invalid_request")["pointer"], "/email");
}

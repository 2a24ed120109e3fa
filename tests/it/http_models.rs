//! A model comes in, is watched, goes live with two people, and goes back, over the API.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{access::Scope, fraud::serving::bundled};
use serde_json::{Value, json};

use super::{
    http_answer::Answer,
    http_shop::{Shop, fresh_key},
};
use crate::support::models;

/// Asks as whoever has this key.
async fn says(shop: &Shop, key: &str, path: &str, body: &Value) -> Answer {
    sends(shop, key, path, ("application/json", body.to_string())).await
}

async fn sends(shop: &Shop, key: &str, path: &str, (media, body): (&str, String)) -> Answer {
    let request = TestRequest::default().method(Method::POST).uri(path);
    let request = request
        .insert_header(("x-api-key", key))
        .insert_header(("idempotency-key", fresh_key()))
        .insert_header(("content-type", media))
        .insert_header(("content-length", body.len()));
    shop.send(request.set_payload(body)).await
}

async fn reads(shop: &Shop, key: &str, path: &str) -> Value {
    shop.send(TestRequest::get().uri(path).insert_header(("x-api-key", key))).await.json()
}

// breaks: let `Models::approve` take the one who asked
#[actix_web::test]
async fn a_model_comes_in_and_goes_live_with_two_people() {
    let scopes = [Scope::BackofficeWrite; 2];
    let (shop, keys) = Shop::open().await.with_keys_for(&scopes).await;
    let (ada, grace) = (&keys[0], &keys[1]);
    let bundle = models::bundle(bundled::SCHEMA, 0.001).to_text().expect("packed");
    let adds = async |name: &str, text: String| {
        let path = format!("/v1/models?version={name}");
        sends(&shop, ada, &path, ("application/octet-stream", text)).await
    };
    let added = adds("mine", bundle.clone()).await;
    assert_eq!((added.status.as_u16(), &added.json()["state"]), (201, &json!("candidate")));
    assert_eq!(adds("mine", bundle.clone()).await.status, 201, "the same again");
    let bad = adds("drift", bundle.clone()).await;
    assert_eq!(bad.problem(422, "invalid_request")["pointer"], "/version");
    adds("other", "{}".to_owned()).await.problem(422, "invalid_request");
    let mut apart: Value = serde_json::from_str(&bundle).expect("JSON");
    apart["schema"] = json!(models::OTHER_SCHEMA);
    let apart = adds("other", apart.to_string()).await.problem(422, "invalid_request");
    assert!(apart["detail"].as_str().expect("text").contains("other features"), "{apart}");

    let early = says(&shop, ada, "/v1/models/mine/promote", &json!({"reason": "better"})).await;
    let early = early.problem(409, "cannot_record");
    assert!(early["detail"].as_str().expect("text").contains("not watched"), "{early}");
    let watched = says(&shop, ada, "/v1/models/mine/watch", &json!({"reason": "a try"})).await;
    assert_eq!(watched.json()["state"], "shadow");
    let seen = reads(&shop, ada, "/v1/models/mine").await;
    assert_eq!(seen["gate"]["orders_needed"], 1000, "{seen}");
    assert_eq!(seen["gate"]["lacking"].as_array().expect("a list").len(), 2, "{seen}");
    let path = "/v1/models/mine/promote";
    let why = says(&shop, ada, path, &json!({"override": true})).await;
    assert_eq!(why.problem(422, "invalid_request")["pointer"], "/reason");
    let hurry = json!({"reason": "the old one lets an attack through", "override": true});
    let asked = says(&shop, ada, path, &hurry).await;
    assert_eq!(asked.status, 202, "{}", asked.json());
    assert_eq!(reads(&shop, ada, "/v1/models/mine").await["request"]["override"], true);
    let approve = "/v1/models/mine/approve";
    says(&shop, ada, approve, &json!({})).await.problem(403, "forbidden");
    let live = says(&shop, grace, approve, &json!({})).await;
    assert_eq!((live.status.as_u16(), &live.json()["live"]["state"]), (200, &json!("live")));
    let changes = reads(&shop, ada, "/v1/models/mine").await["changes"].clone();
    assert_eq!(changes[0]["reason"], "the old one lets an attack through", "{changes}");
    assert!(changes[0]["approved_by"].is_string() && changes[0]["by"].is_string(), "{changes}");
    assert_eq!(changes[0]["evidence"]["override"], true, "{changes}");
    let back = says(&shop, ada, "/v1/models/rollback", &json!({"reason": "too strict"})).await;
    assert_eq!((back.status.as_u16(), &back.json()["live"]), (200, &Value::Null));
    let listed = reads(&shop, ada, "/v1/models").await;
    assert_eq!(listed["items"][0]["state"], "retired", "{listed}");
    let again = says(&shop, ada, "/v1/models/mine/watch", &json!({})).await;
    assert_eq!(again.json()["state"], "shadow");
    let unwatched = says(&shop, ada, "/v1/models/mine/unwatch", &json!({})).await;
    assert_eq!(unwatched.json()["state"], "candidate");
}

// breaks: let `promote` take `anonymous` for a person
#[actix_web::test]
async fn where_nobody_can_be_told_apart_nobody_promotes() {
    let shop = Shop::open().await;
    let bundle = models::bundle(bundled::SCHEMA, 0.001);
    shop.door.models.add(&bundle, "mine", "ada").await.expect("added");
    let hurry = json!({"reason": "a try", "override": true});
    let refused = shop.post("/v1/models/mine/promote", &hurry).await;
    let refused = refused.problem(403, "forbidden");
    let way = refused["detail"].as_str().expect("text");
    assert!(way.contains("API key") && way.contains("fraud.promotion_people"), "{way}");
}

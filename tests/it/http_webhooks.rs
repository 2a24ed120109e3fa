//! Webhook endpoints, as a merchant meets them.

use actix_web::http::Method;
use serde_json::json;

use super::http_shop::Shop;

const ENDPOINTS: &str = "/v1/webhook-endpoints";

#[actix_web::test]
async fn an_endpoint_is_made_changed_and_removed_and_its_secret_shown_once() {
    let shop = Shop::open().await;
    let wish = json!({"url": "https://shop.example/hook", "kinds": ["order.placed"],
                      "description": "the warehouse"});
    let made = shop.ask_as("makes", Method::POST, ENDPOINTS, &wish).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let again = shop.ask_as("makes", Method::POST, ENDPOINTS, &wish).await;
    assert_eq!(again.bytes, made.bytes);
    let made = made.json();
    let secret = made["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    let path = format!("{ENDPOINTS}/{}", made["id"].as_str().expect("an id"));
    let shown = shop.get(&path).await.json();
    assert_eq!((&shown["url"], &shown["active"]), (&wish["url"], &json!(true)));
    assert_eq!(shown.get("secret"), None);
    let listed = shop.get(ENDPOINTS).await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let quiet = json!({"url": "https://shop.example/other", "active": false});
    let saved = shop.ask(Method::PUT, &path, &quiet).await.json();
    assert_eq!((&saved["active"], &saved["kinds"]), (&json!(false), &json!([])));
    let rotated = shop.post(&format!("{path}/rotate-secret"), &json!({"keep_seconds": 0})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.json());
    assert_ne!(rotated.json()["secret"], secret);
    assert_eq!(shop.ask(Method::DELETE, &path, &json!({})).await.status, 200);
    shop.get(&path).await.problem(404, "not_found");
}

#[actix_web::test]
async fn what_cannot_be_asked_or_is_unknown_is_told() {
    let shop = Shop::open().await;
    let hook = "https://shop.example/hook";
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({"url": "https://127.0.0.1/"}), "/url"),
        (json!({"url": "https://169.254.169.254/latest/meta-data"}), "/url"),
        (json!({"url": "http://shop.example/hook"}), "/url"),
        (json!({"url": hook, "kinds": ["order.lost"]}), "/kinds/0"),
    ] {
        let told = shop.post(ENDPOINTS, &body).await.problem(422, "invalid_request");
        assert_eq!(told["pointer"], pointer, "{body}");
    }
    let unknown = format!("{ENDPOINTS}/whe_1");
    shop.get(&unknown).await.problem(404, "not_found");
    shop.post(&format!("{unknown}/rotate-secret"), &json!({})).await.problem(404, "not_found");
    shop.get("/v1/webhook-deliveries/dlv_1").await.problem(404, "not_found");
    let odd = shop.get("/v1/webhook-deliveries?state=lost").await;
    assert_eq!(odd.problem(422, "invalid_request")["pointer"], "/state");
    let none = shop.get("/v1/webhook-deliveries?state=due").await.json();
    assert_eq!(none["items"], json!([]));
}

// breaks: let `OutboundFault::told` show the cause
#[test]
fn what_a_delivery_tells_of_a_fault_tells_nothing_of_the_network() {
    use doorbuster::outbound::OutboundFault::{Broken, NotSent, Status};
    let causes = [
        "dns error: no such host ledger.internal",
        "10.0.0.7 is not a public address",
        "connection refused (os error 111)",
    ];
    let told = causes.map(|cause| NotSent(cause.to_owned()).told());
    assert!(told.iter().all(|one| one == &told[0]), "{told:?}");
    for fault in [Broken(causes[0].to_owned()), Status(500, causes[0].to_owned())] {
        assert!(!fault.told().contains("internal"), "{}", fault.told());
    }
}

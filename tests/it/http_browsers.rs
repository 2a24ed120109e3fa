//! What pages in browsers may ask and read.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::{
    access::Scope,
    http::{Browsers, cors::Cors, hosts::Hosts},
};
use serde_json::json;

use super::{
    http_acp,
    http_shop::{Answer, Shop, fresh_key},
    http_ucp::{SESSIONS, cart},
};

const PAGE: &str = "https://shop.example";

async fn shop_for(origins: &str) -> Shop {
    let cors = Cors::parse(origins).expect("origins");
    Shop::open().await.with_browsers(Browsers { cors, ..Browsers::default() })
}

fn from(origin: &'static str, request: TestRequest) -> TestRequest {
    request.insert_header(("origin", origin))
}

/// What a browser asks before it asks.
fn preflight(origin: &'static str, path: &str) -> TestRequest {
    let asked = TestRequest::default().method(Method::OPTIONS).uri(path);
    from(origin, asked)
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", "content-type,idempotency-key,x-api-key"))
}

fn readable_by(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

// breaks: leave out `Grant::write` in `Memo::name`, or `Grant::preflight` in `admission::admit`
#[actix_web::test]
async fn a_storefront_of_a_configured_origin_asks_and_reads() {
    let (shop, key) = shop_for("https://shop.example, http://localhost:3000")
        .await
        .with_key_for(Scope::Checkout)
        .await;
    for path in [SESSIONS, http_acp::SESSIONS, "/v1/orders", "/ucp/2026-01-11/checkout-sessions"] {
        let answer = shop.send(preflight(PAGE, path)).await;
        assert_eq!((answer.status.as_u16(), readable_by(&answer)), (204, Some(PAGE)), "{path}");
        assert!(answer.bytes.is_empty() && answer.header("vary") == Some("origin"));
        let allowed = |name: &str| answer.header(name).expect("a list").to_owned();
        let methods = allowed("access-control-allow-methods");
        assert!(["GET", "POST", "PUT", "DELETE"].iter().all(|method| methods.contains(method)));
        let headers = allowed("access-control-allow-headers");
        for name in ["authorization", "content-type", "idempotency-key", "if-match", "x-api-key"] {
            assert!(headers.split(", ").any(|header| header == name), "{headers}");
        }
    }
    let body = cart(&[("TEE", 1)]).to_string();
    let asked = TestRequest::post()
        .uri(SESSIONS)
        .insert_header(("x-api-key", key.as_str()))
        .insert_header(("idempotency-key", fresh_key()))
        .insert_header(("content-length", body.len()))
        .set_payload(body);
    let made = shop.send(from(PAGE, asked)).await;
    assert_eq!((made.status.as_u16(), readable_by(&made)), (201, Some(PAGE)));
    let shown = made.header("access-control-expose-headers").expect("a list");
    assert!(["etag", "retry-after", "x-request-id"].iter().all(|name| shown.contains(name)));
    // A refusal is read too, whoever makes it: without a key, and where nothing is.
    for (path, status) in [(SESSIONS, 401), ("/v1/nowhere", 404), ("/healthz", 200)] {
        let refused = shop.send(from(PAGE, TestRequest::get().uri(path))).await;
        assert_eq!((refused.status.as_u16(), readable_by(&refused)), (status, Some(PAGE)));
        assert_eq!(refused.header("access-control-allow-credentials"), None);
    }
}

// breaks: compare origins by their beginning in `Cors::grant`, or name every one there
#[actix_web::test]
async fn pages_of_other_origins_read_nothing() {
    let configured = shop_for(PAGE).await;
    let off = Shop::open().await;
    for origin in
        ["https://evil.example", "https://shop.example.evil.example", "null", "http://shop.example"]
    {
        for shop in [&configured, &off] {
            let answer = shop.send(preflight(origin, SESSIONS)).await;
            assert_eq!((answer.status.as_u16(), readable_by(&answer)), (405, None), "{origin}");
            let answer = shop.send(from(origin, TestRequest::get().uri("/v1/stock"))).await;
            assert_eq!(readable_by(&answer), None, "{origin}");
        }
    }
    assert_eq!(readable_by(&off.send(preflight(PAGE, SESSIONS)).await), None, "off by default");
    assert_eq!(off.get("/v1/stock").await.header("vary"), None);
    assert_eq!(configured.get("/v1/stock").await.header("vary"), Some("origin"));
    let any = shop_for("*").await;
    let answer = any.send(from("https://evil.example", TestRequest::get().uri("/v1/stock"))).await;
    assert_eq!((readable_by(&answer), answer.header("vary")), (Some("*"), None));
}

// breaks: leave out `DISCOVERY` in `Cors::grant`
#[actix_web::test]
async fn discovery_is_for_every_page_to_read() {
    for shop in [Shop::open().await, shop_for(PAGE).await] {
        for path in [
            "/.well-known/ucp",
            "/.well-known/ucp/2026-04-08",
            "/.well-known/ucp/2026-01-11",
            "/.well-known/acp.json",
        ] {
            let asked = || TestRequest::get().uri(path);
            let answer = shop.send(from("https://agent.example", asked())).await;
            assert_eq!((answer.status.as_u16(), readable_by(&answer)), (200, Some("*")), "{path}");
            let answer = shop.send(preflight("https://agent.example", path)).await;
            assert_eq!((answer.status.as_u16(), readable_by(&answer)), (204, Some("*")), "{path}");
        }
        let spelled = shop.send(from("null", TestRequest::get().uri("/v1/.well-known/ucp"))).await;
        assert_eq!(readable_by(&spelled), None);
    }
}

// breaks: leave out the look at `hosts` in `admission::let_in`
#[actix_web::test]
async fn where_everybody_may_do_everything_only_names_of_this_machine_are_answered_to() {
    let hosts = Hosts::loopback_and("http://shop.test:8080");
    let shop = Shop::open().await.with_browsers(Browsers { hosts, ..Browsers::default() });
    let ask = async |method: Method, path: &str, host: &str| {
        let asked = TestRequest::default().method(method).uri(path).insert_header(("host", host));
        shop.send(asked.insert_header(("idempotency-key", fresh_key()))).await
    };
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.7:8080"] {
        for path in ["/v1/orders", "/v1/stock", "/docs", "/healthz", "/nowhere"] {
            ask(Method::GET, path, host).await.problem(421, "host_not_served");
        }
        ask(Method::POST, "/v1/orders", host).await.problem(421, "host_not_served");
        let acp = ask(Method::POST, http_acp::SESSIONS, host).await;
        assert_eq!((acp.status.as_u16(), &acp.json()["code"]), (421, &json!("host_not_served")));
    }
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "shop.test", "shop.localhost"] {
        assert_eq!(ask(Method::GET, "/v1/stock", host).await.status, 200, "{host}");
    }
}

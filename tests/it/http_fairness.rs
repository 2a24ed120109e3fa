//! Crowds at the door: who floods it keeps nobody else out, and who leaves is not worked for.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::base::Limits;
use serde_json::{Value, json};
use std::{
    io::Write,
    net::{Shutdown, TcpListener, TcpStream},
    rc::Rc,
    time::Duration,
};

use super::http_shop::{Answer, Shop, fresh_key};

fn order(token: &str) -> Value {
    json!({
        "lines": [{"sku": "EBOOK", "quantity": 1}],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": token}
    })
}

async fn buys(shop: &Shop, key: &str, token: &str) -> Answer {
    let body = order(token).to_string();
    let request = TestRequest::default().method(Method::POST).uri("/v1/orders");
    let request = request
        .insert_header(("x-api-key", key))
        .insert_header(("content-length", body.len()))
        .insert_header(("idempotency-key", fresh_key()));
    shop.send(request.set_payload(body)).await
}

#[actix_web::test]
async fn a_storefront_that_floods_keeps_no_other_out() {
    let limits = Limits { in_flight: 8, ..Limits::default() };
    let shop = Shop::with_slow_bank(limits, 20_000, Duration::from_millis(100)).await;
    let (shop, keys) = shop.with_keys(2).await;
    let (shop, [flooding, other]) = (Rc::new(shop), [keys[0].clone(), keys[1].clone()]);
    for _ in 0..8 {
        let (shop, key) = (shop.clone(), flooding.clone());
        actix_web::rt::spawn(async move { buys(&shop, &key, "slow_token").await });
    }
    while shop.door.working.inside() < 8 {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        let refused = buys(&shop, &flooding, "success_token").await;
        assert_eq!(refused.problem(503, "overloaded")["retry_after_ms"], 1000);
        assert_eq!(refused.header("retry-after"), Some("1"));
        let placed = buys(&shop, &other, "success_token").await;
        assert_eq!(placed.status, 201, "kept out by another one's flood");
    }
    assert_eq!(shop.door.working.inside(), 8);
}

/// A client that sends a whole order and closes the line once it is being worked on.
#[actix_web::test]
async fn a_client_that_leaves_frees_its_place_and_gets_its_order() {
    let shop = Shop::with_slow_bank(Limits::default(), 4_000, Duration::from_millis(100)).await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = doorbuster::http::server(shop.door.clone(), vec![listener], 1, |_| ());
    let server = server.expect("starts");
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let body = order("slow_token").to_string();
    let mut line = TcpStream::connect(address).expect("connects");
    let length = body.len();
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nidempotency-key: gone\r\ncontent-length: {length}"
    );
    line.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("sent");
    let until = async |wanted: usize| {
        while shop.door.working.inside() != wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    until(1).await;
    let orders = async || shop.get("/v1/orders").await.json()["items"].as_array().map(Vec::len);
    // What has only lined up is dropped with its client; what the bank was asked for has begun.
    while shop.bank.charges().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    line.shutdown(Shutdown::Both).expect("closed");
    until(0).await;
    assert_eq!(orders().await, Some(0), "its place was kept until the bank had answered");
    assert_eq!(shop.door.carts.waiting(), 0);
    let placed = async {
        while orders().await != Some(1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), placed).await.expect("what began is finished");
    handle.stop(false).await;
}

//! The door itself: what it refuses, how fast, and what it says.

use actix_web::{HttpResponse, http::Method, test::TestRequest, web};
use doorbuster::{base::Limits, http::server};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use super::http_shop::Shop;

#[actix_web::test]
async fn nothing_here_and_not_like_this_are_problems() {
    let shop = Shop::open().await;
    shop.get("/nowhere").await.problem(404, "not_found");
    shop.get("/v1/nowhere").await.problem(404, "not_found");
    shop.get("/ucp/checkout-sessions/not-an-id").await.problem(404, "not_found");
    for (method, path) in [
        (Method::DELETE, "/ucp/checkout-sessions"),
        (Method::POST, "/v1/stock"),
        (Method::POST, "/healthz"),
        (Method::PATCH, "/v1/products/TEE"),
    ] {
        let answer = shop.send(TestRequest::default().method(method).uri(path)).await;
        answer.problem(405, "method_not_allowed");
        assert!(answer.header("allow").is_some(), "{path} does not say what is allowed");
    }
}

#[actix_web::test]
async fn request_ids_are_kept_when_fit_and_made_otherwise() {
    let shop = Shop::open().await;
    let with =
        |id: &'static str| TestRequest::get().uri("/healthz").insert_header(("request-id", id));
    let kept = shop.send(with("trace-7")).await;
    assert_eq!(
        (kept.header("request-id"), kept.header("x-request-id")),
        (Some("trace-7"), Some("trace-7"))
    );
    let made = shop.send(with("bad id <script>")).await;
    assert!(made.header("request-id").is_some_and(|id| id.starts_with("req_")));
}

#[actix_web::test]
async fn a_full_house_refuses_at_once_and_lets_watchers_in() {
    let shop = Shop::with(Limits { in_flight: 1, ..Limits::default() }).await;
    let inside = shop.door.working.enter(&"anonymous".into(), 1);
    let refused = tokio::time::timeout(Duration::from_secs(30), shop.get("/v1/stock")).await;
    let refused = refused.expect("it waits for nobody to leave");
    let problem = refused.problem(503, "overloaded");
    assert_eq!(problem["retry_after_ms"], 1000);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(shop.get("/healthz").await.status, 200);
    assert_eq!(shop.get("/readyz").await.status, 200);
    drop(inside);
    assert_eq!(shop.get("/v1/stock").await.status, 200);
    assert_eq!(shop.door.working.inside(), 0);
}

#[actix_web::test]
async fn a_draining_replica_reads_but_begins_nothing() {
    let shop = Shop::open().await;
    shop.door.draining.begin();
    shop.get("/readyz").await.problem(503, "draining");
    assert_eq!(shop.get("/healthz").await.status, 200);
    assert_eq!(shop.get("/v1/stock").await.status, 200);
    shop.post("/v1/orders", &json!({})).await.problem(503, "draining");
}

#[actix_web::test]
async fn a_panic_and_a_passed_deadline_are_answered() {
    let shop = Shop::with(Limits { request_seconds: 1, ..Limits::default() }).await;
    let more = |config: &mut web::ServiceConfig| {
        let panics = web::get().to(|| async { panic!("on purpose") as HttpResponse });
        let hangs = web::get().to(std::future::pending::<HttpResponse>);
        config.route("/v1/panics", panics).route("/v1/hangs", hangs);
    };
    let answer = shop.send_with(TestRequest::get().uri("/v1/panics"), more).await;
    answer.problem(500, "internal_error");
    let answer = shop.send_with(TestRequest::get().uri("/v1/hangs"), more).await;
    let problem = answer.problem(503, "deadline_passed");
    assert_eq!(problem["limit"], 1);
    assert_eq!(shop.door.working.inside(), 0, "places are given back");
}

/// A server on a free port, for what only a real connection shows.
pub(crate) fn listen(shop: &Shop) -> (std::net::SocketAddr, actix_web::dev::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = server(shop.door.clone(), vec![listener], 1, |_| ()).expect("starts");
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

/// Sends bytes and reads until the other side closes or answers whole.
pub(crate) fn talk(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(fault) if fault.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(fault) => panic!("the line stays open and silent: {fault}"),
        }
        if answer.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8(answer).expect("text")
}

#[actix_web::test]
async fn bodies_and_heads_that_never_end_are_cut_off() {
    let limits = Limits { body_seconds: 1, header_seconds: 1, body_bytes: 64, ..Limits::default() };
    let shop = Shop::with(limits).await;
    let (address, handle) = listen(&shop);
    let head = "POST /v1/orders HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\n";
    let ask =
        |text: String| actix_web::rt::task::spawn_blocking(move || talk(address, text.as_bytes()));
    let slow = ask(format!("{head}content-length: 20\r\n\r\n{{\"lines\""));
    let huge = ask(format!("{head}content-length: 99999\r\n\r\n"));
    let body = "x".repeat(80);
    let chunked = ask(format!("{head}transfer-encoding: chunked\r\n\r\n50\r\n{body}\r\n0\r\n\r\n"));
    let endless = ask("GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned());
    let (slow, huge) = (slow.await.expect("joins"), huge.await.expect("joins"));
    let (chunked, endless) = (chunked.await.expect("joins"), endless.await.expect("joins"));
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("body_timeout"), "{slow}");
    for huge in [huge, chunked] {
        assert!(huge.starts_with("HTTP/1.1 413") && huge.contains("\"limit\":64"), "{huge}");
    }
    assert!(endless.is_empty() || endless.starts_with("HTTP/1.1 408"), "{endless}");
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_refusal_does_not_wait_for_the_body() {
    let shop = Shop::with(Limits { in_flight: 1, ..Limits::default() }).await;
    let _inside = shop.door.working.enter(&"anonymous".into(), 1);
    let (address, handle) = listen(&shop);
    let head = "POST /v1/orders HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\n";
    let text = format!("{head}content-length: 20\r\n\r\n");
    let told = actix_web::rt::task::spawn_blocking(move || talk(address, text.as_bytes()));
    let told = told.await.expect("joins");
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("overloaded"), "{told}");
    assert!(told.contains("retry-after: 1"), "{told}");
    handle.stop(false).await;
}

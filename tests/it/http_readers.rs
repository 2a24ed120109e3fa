//! Readers: those who take their time, those who take nothing, and those who have it already.

use actix_web::test::TestRequest;
use doorbuster::{
    base::Limits,
    http::{connections::WRITE_WINDOW, server},
};
use flate2::read::GzDecoder;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};
use tokio::time::Instant;

use super::{http_answer::Answer, http_shop::Shop};

/// Longer than any wait here on a busy machine: who waits so long waits in vain.
const IN_VAIN: Duration = Duration::from_secs(60);

fn listen(shop: &Shop) -> (SocketAddr, actix_web::dev::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = server(shop.door.clone(), vec![listener], 1, |_| ()).expect("starts");
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

/// A connection on which the reference was asked for so many times, and nothing read.
fn asks(address: SocketAddr, times: usize) -> TcpStream {
    let mut line = TcpStream::connect(address).expect("connects");
    line.set_read_timeout(Some(IN_VAIN)).expect("set");
    line.write_all("GET /docs HTTP/1.1\r\nhost: x\r\n\r\n".repeat(times).as_bytes()).expect("sent");
    line
}

/// Everything that is still to be had of a connection.
fn rest(mut line: TcpStream, enough: usize) -> Vec<u8> {
    let (mut read, mut chunk) = (Vec::new(), vec![0; 65_536]);
    while read.len() < enough {
        match line.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => read.extend_from_slice(&chunk[..count]),
            Err(fault) if fault.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(fault) => panic!("the line stays open and silent: {fault}"),
        }
    }
    read
}

fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let joined = actix_web::rt::task::spawn_blocking(work);
    async { joined.await.expect("joins") }
}

// breaks: leave `is_over` out of `Waiting::poll`
#[actix_web::test]
async fn whoever_reads_nothing_is_closed_where_too_much_is_unsent_and_who_reads_is_not() {
    let shop = Shop::with(Limits { unsent_bytes: 1024, ..Limits::default() }).await;
    let whole = shop.get("/docs").await.bytes.len();
    let (address, handle) = listen(&shop);
    let began = Instant::now();
    let (silent, reading) = off_thread(move || (asks(address, 40), asks(address, 40))).await;
    let read = off_thread(move || rest(reading, 40 * whole)).await;
    assert!(read.len() >= 40 * whole, "who reads gets all 40 answers, not {} bytes", read.len());
    // A line that was closed unread is reset, and takes nothing more.
    let closed = off_thread(move || {
        silent.set_write_timeout(Some(IN_VAIN)).expect("set");
        let more = b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n";
        let fault = loop {
            if let Err(fault) = (&silent).write_all(more) {
                break fault;
            }
        };
        assert_ne!(fault.kind(), std::io::ErrorKind::WouldBlock, "the line stays open");
        rest(silent, usize::MAX).len()
    });
    let closed = closed.await;
    assert!(closed < 40 * whole, "it was closed before all was sent: {closed} bytes");
    let waited = began.elapsed();
    assert!(waited < WRITE_WINDOW, "sooner than who only takes too long: {waited:?}");
    handle.stop(false).await;
}

// breaks: admit whoever comes in `Connections::admit`, or do not count them out in `Entry::drop`
#[actix_web::test]
async fn an_address_has_so_many_connections_and_another_when_one_has_gone() {
    let shop = Shop::with(Limits { connections_per_address: 2, ..Limits::default() }).await;
    let (address, handle) = listen(&shop);
    let ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let answered = move |line: &mut TcpStream| {
        let mut start = [0; 12];
        line.write_all(ask).and_then(|()| line.read_exact(&mut start)).is_ok()
            && start == *b"HTTP/1.1 200"
    };
    let connect = move || {
        let line = TcpStream::connect(address).expect("connects");
        line.set_read_timeout(Some(IN_VAIN)).expect("set");
        line
    };
    off_thread(move || {
        let (mut first, mut second) = (connect(), connect());
        assert!(answered(&mut first) && answered(&mut second));
        assert!(!answered(&mut connect()), "a third one is closed");
        drop(first);
        // Until the server has seen it go.
        let comes_in = (0..10_000).any(|_| answered(&mut connect()));
        assert!(comes_in, "there is room for another");
    })
    .await;
    handle.stop(false).await;
}

async fn reads(shop: &Shop, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let request = TestRequest::get().uri(path);
    let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
    shop.send(request).await
}

// breaks: answer 200 in `Kept::answer` whatever stands in `If-None-Match`; compress for everybody;
// or forget the suffix of the compressed text's tag
#[actix_web::test]
async fn pages_are_compressed_for_who_reads_that_and_not_sent_again() {
    let shop = Shop::open().await;
    for path in ["/docs", "/docs/errors", "/openapi.json", "/docs/postman.json"] {
        let plain = reads(&shop, path, &[]).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        assert_eq!(plain.header("vary"), Some("accept-encoding"), "{path}");
        let cached = plain.header("cache-control").expect("how long it is kept");
        assert!(cached.contains("max-age"), "{path}: {cached}");
        let refused = reads(&shop, path, &[("accept-encoding", "br, gzip;q=0")]).await;
        assert_eq!(refused.bytes, plain.bytes, "{path}");

        let zipped = reads(&shop, path, &[("accept-encoding", "br, gzip;q=0.5")]).await;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{path}");
        let mut text = Vec::new();
        GzDecoder::new(&zipped.bytes[..]).read_to_end(&mut text).expect("gzip");
        assert!(text == plain.bytes && zipped.bytes.len() * 3 < plain.bytes.len(), "{path}");

        let (tag, zipped_tag) = (plain.header("etag").unwrap(), zipped.header("etag").unwrap());
        assert_ne!(tag, zipped_tag, "{path}: two forms, two tags");
        for held in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = reads(&shop, path, &[("if-none-match", &held)]).await;
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0), "{path} {held}");
            assert_eq!(again.header("etag"), Some(tag), "{path}");
        }
        for other in ["\"x\"", zipped_tag] {
            let again = reads(&shop, path, &[("if-none-match", other)]).await;
            assert_eq!(again.status.as_u16(), 200, "{path} {other}");
        }
    }
}

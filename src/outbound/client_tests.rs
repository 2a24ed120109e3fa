//! The client against servers that answer, stay silent, break off and go on for ever.

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
};

use super::*;

const SOON: Duration = Duration::from_millis(150);
const LATER: Duration = Duration::from_secs(10);

fn client() -> Client {
    let settings = OutboundSettings { body_bytes: 4096, ..OutboundSettings::default() };
    Client::new(&settings).expect("a client")
}

/// Listens once and answers with these bytes; with none, keeps the line open in silence.
fn server(answer: &'static str, then_close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/x", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("a caller");
        let mut request = [0; 4096];
        let _ = line.read(&mut request);
        let _ = line.write_all(answer.as_bytes());
        if then_close {
            let _ = line.shutdown(Shutdown::Both);
        } else {
            // Reads until the caller hangs up.
            let _ = line.read(&mut request);
        }
    });
    url
}

async fn post(url: &str, deadline: Duration) -> Result<Value, OutboundFault> {
    client().post_json(url, &json!({ "a": 1 }), deadline).await
}

#[tokio::test]
async fn an_answer_is_read() {
    let url = server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok\":true}", false);
    assert_eq!(post(&url, LATER).await, Ok(json!({ "ok": true })));
}

#[tokio::test]
async fn nobody_listening_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/x", listener.local_addr().expect("an address"));
    drop(listener);
    let fault = post(&url, LATER).await.expect_err("nobody is there");
    assert!(matches!(fault, OutboundFault::NotSent(_)), "{fault}");
    assert!(!fault.may_have_acted());
    let malformed = post("not an address", LATER).await.expect_err("malformed");
    assert!(matches!(malformed, OutboundFault::NotSent(_)), "{malformed}");
}

#[tokio::test]
async fn silence_and_half_an_answer_end_at_the_deadline() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok"] {
        let fault = post(&server(begun, false), SOON).await.expect_err("silence");
        assert_eq!(fault, OutboundFault::TimedOut);
        assert!(fault.may_have_acted());
    }
}

#[tokio::test]
async fn a_line_that_breaks_may_have_acted() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok"] {
        let fault = post(&server(begun, true), LATER).await.expect_err("a broken line");
        assert!(matches!(fault, OutboundFault::Broken(_)), "{fault}");
        assert!(fault.may_have_acted());
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_words_and_a_redirect_is_not_followed() {
    let refused = "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno";
    let fault = post(&server(refused, false), LATER).await.expect_err("refused");
    assert_eq!(fault, OutboundFault::Status(409, "no".into()));
    assert!(!fault.may_have_acted());
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\
                     content-length: 0\r\n\r\n";
    let fault = post(&server(elsewhere, false), LATER).await.expect_err("a redirect");
    assert_eq!(fault, OutboundFault::Status(307, String::new()));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let long: &'static str =
        format!("HTTP/1.1 200 OK\r\ncontent-length: 8192\r\n\r\n\"{}\"", "a".repeat(8190)).leak();
    let fault = post(&server(long, false), LATER).await.expect_err("too long");
    assert!(matches!(&fault, OutboundFault::Broken(why) if why.contains("4096")), "{fault}");
}

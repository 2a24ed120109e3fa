//! One keep-alive connection, as lean as it gets: the driver shares the machine with what it
//! measures, so what it spends is missing there.
//!
//! A request is bytes that are ready before; an answer is its status, a few headers and its body,
//! which must come with a `Content-Length`.

use std::{io, net::SocketAddr, ops::Range, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Headers of an answer at most.
const HEADERS: usize = 48;

/// Bytes of an answer at most; ours take two kilobytes.
const LONGEST: usize = 4 << 20;

/// An answer. Its body is the connection's, until the next exchange.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// When to come back, in milliseconds, if the answer says so.
    pub retry_after_ms: Option<u64>,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// At once.
    Whole,
    /// In so many pieces with a pause between them, as a phone in a tunnel does.
    Dribbled(u32, Duration),
}

/// A connection. It opens on first use, and again when the server has closed it between requests.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    inbox: Vec<u8>,
    body: Range<usize>,
    /// How often it had to be opened again.
    pub reopened: u64,
}

struct Head {
    status: u16,
    retry_after_ms: Option<u64>,
    body: Range<usize>,
    closes: bool,
}

impl Connection {
    /// A connection that is not open yet.
    pub const fn to(address: SocketAddr) -> Self {
        Self { address, stream: None, inbox: Vec::new(), body: 0..0, reopened: 0 }
    }

    /// Sends a request and reads its answer. When a kept connection turns out to be closed before
    /// anything came back, the same bytes are sent once more on a new one: they carry their
    /// idempotency key, so that is free.
    ///
    /// # Errors
    /// When the server cannot be reached, hangs up within an answer, or answers what does not read.
    pub async fn exchange(&mut self, request: &[u8], pace: Pace) -> io::Result<Answer> {
        let kept = self.stream.is_some();
        let head = match self.ask(request, pace).await {
            Err(error) if kept && self.inbox.is_empty() && is_hang_up(&error) => {
                self.stream = None;
                self.reopened += 1;
                self.ask(request, pace).await
            }
            done => done,
        };
        let head = head.inspect_err(|_| self.stream = None)?;
        if head.closes {
            self.stream = None;
        }
        self.body = head.body;
        Ok(Answer { status: head.status, retry_after_ms: head.retry_after_ms })
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        &self.inbox[self.body.clone()]
    }

    async fn ask(&mut self, request: &[u8], pace: Pace) -> io::Result<Head> {
        self.inbox.clear();
        self.body = 0..0;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        send(stream, request, pace).await?;
        loop {
            if stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = read_head(&self.inbox)? {
                // Bytes after the body would belong to nobody: nothing is pipelined here.
                while self.inbox.len() < head.body.end {
                    if stream.read_buf(&mut self.inbox).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                return Ok(head);
            }
        }
    }
}

async fn send(stream: &mut TcpStream, request: &[u8], pace: Pace) -> io::Result<()> {
    let Pace::Dribbled(pieces, pause) = pace else { return stream.write_all(request).await };
    let size = request.len().div_ceil(pieces.max(1) as usize).max(1);
    for (at, piece) in request.chunks(size).enumerate() {
        if at > 0 {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(piece).await?;
    }
    Ok(())
}

fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// The head, once all of it has arrived.
fn read_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let broken = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| broken(&error.to_string()))?;
    let httparse::Status::Complete(start) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let mut length = matches!(status, 204 | 304).then_some(0);
    let (mut retry_after_ms, mut closes) = (None, false);
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = number(header.value);
        } else if header.name.eq_ignore_ascii_case("retry-after") {
            retry_after_ms = number(header.value).map(|seconds| seconds as u64 * 1000);
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let length = length.ok_or_else(|| broken("an answer without a Content-Length"))?;
    if length > LONGEST {
        return Err(broken("an answer of more than 4 MiB"));
    }
    Ok(Some(Head { status, retry_after_ms, body: start..start + length, closes }))
}

fn number(value: &[u8]) -> Option<usize> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\ncontent-length: 3\r\n\r\nabc";
        assert!(read_head(&text[..40]).expect("no fault").is_none());
        let head = read_head(text).expect("no fault").expect("whole");
        assert_eq!((head.status, head.retry_after_ms), (503, Some(2000)));
        assert_eq!(&text[head.body], b"abc");
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read_head(b"SSH-2.0\r\n\r\n").is_err());
    }

    /// Answers each request on its own connection and hangs up, although it promised to keep it.
    #[tokio::test]
    async fn a_connection_closed_between_requests_is_opened_again() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut bytes = [0; 64];
                let _ = stream.read(&mut bytes).expect("a request");
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").expect("sent");
            }
        });
        let mut connection = Connection::to(address);
        for _ in 0..2 {
            let answer = connection.exchange(b"GET / HTTP/1.1\r\n\r\n", Pace::Whole).await;
            assert_eq!(answer.expect("an answer").status, 200);
            assert_eq!(connection.body(), b"ok");
        }
        assert_eq!(connection.reopened, 1);
        server.join().expect("the server ends");
    }
}

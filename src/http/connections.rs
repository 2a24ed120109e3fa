//! Connections: how many an address may have, and how long an answer may lie unread.
//!
//! An answer waits in memory until its reader takes it. The framework has no limit for that:
//! whoever asks for much and reads nothing keeps it there for as long as the line stands. So each
//! connection is [watched](Watched) while it writes. One that takes less than [`LEAST_BYTES`] in
//! [`WRITE_WINDOW`] is closed; where all of them together keep more than the limit, one that has
//! taken nothing for [`TICK`] is. An address has so many connections, and those beyond are closed
//! as they come.

use actix_web::rt::net::TcpStream;
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::{base::Limits, telemetry::metrics};

/// How long a reader may take for [`LEAST_BYTES`]. The kernel takes what is sent in pieces of some
/// ten kilobytes, so a slow line may show nothing for seconds.
pub const WRITE_WINDOW: Duration = Duration::from_secs(30);

/// Bytes a reader takes within [`WRITE_WINDOW`] at least: half a kilobyte a second, an eighth of
/// what the slowest telephone does.
pub const LEAST_BYTES: usize = 16 * 1024;

/// How often a connection that waits for its reader is looked at; and how long one may take nothing
/// where too much is unsent in all.
const TICK: Duration = Duration::from_secs(1);

/// Ticks in a window.
const TICKS: u32 = 30;

/// Bytes of one connection that the kernel holds for us, which it doubles for its own book-keeping.
/// Enough for ten megabits a second at a tenth of a second's distance; as much as it likes would be
/// megabytes for each.
pub const SEND_BUFFER: usize = 64 * 1024;

/// All connections of a server.
#[derive(Debug)]
pub struct Connections {
    of_address: Mutex<HashMap<IpAddr, usize>>,
    per_address: usize,
    unsent: AtomicUsize,
    unsent_max: usize,
}

impl Connections {
    /// None yet.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            of_address: Mutex::default(),
            per_address: limits.connections_per_address,
            unsent: AtomicUsize::new(0),
            unsent_max: limits.unsent_bytes,
        })
    }

    /// Lets a connection in, unless its address has as many as it may have.
    pub fn admit(self: &Arc<Self>, stream: TcpStream) -> Option<Watched> {
        let peer = stream.peer_addr().ok()?.ip();
        {
            let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
            let theirs = of_address.entry(peer).or_default();
            if *theirs >= self.per_address {
                metrics::connection_closed(metrics::ConnectionEnd::TooMany);
                return None;
            }
            *theirs += 1;
        }
        let entry = Entry { connections: Arc::clone(self), peer, unsent: 0 };
        Some(Watched { stream, entry, waiting: None })
    }

    fn is_over(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) > self.unsent_max
    }
}

/// A connection's place in the count, and what of its answer is unsent. Given back when dropped.
#[derive(Debug)]
struct Entry {
    connections: Arc<Connections>,
    peer: IpAddr,
    unsent: usize,
}

impl Entry {
    fn set_unsent(&mut self, unsent: usize) {
        let all = &self.connections.unsent;
        all.fetch_add(unsent, Ordering::Relaxed);
        all.fetch_sub(self.unsent, Ordering::Relaxed);
        self.unsent = unsent;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.set_unsent(0);
        let of_address = &self.connections.of_address;
        let mut of_address = of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = of_address.get_mut(&self.peer) {
            *theirs -= 1;
            if *theirs == 0 {
                of_address.remove(&self.peer);
            }
        }
    }
}

/// How long a connection has waited for its reader.
#[derive(Debug)]
struct Waiting {
    tick: Pin<Box<Sleep>>,
    ticks: u32,
    /// Bytes taken in this window, and when the last tick was.
    taken: usize,
    at_tick: usize,
}

impl Waiting {
    fn begin() -> Self {
        Self { tick: Box::pin(tokio::time::sleep(TICK)), ticks: 0, taken: 0, at_tick: 0 }
    }

    /// Ready when the reader is too slow.
    fn poll(&mut self, connections: &Connections, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.tick.as_mut().poll(cx));
            let stands_still = self.taken == self.at_tick;
            self.ticks += 1;
            let is_slow = self.ticks >= TICKS && self.taken < LEAST_BYTES;
            if is_slow || (stands_still && connections.is_over()) {
                return Poll::Ready(());
            }
            self.at_tick = self.taken;
            if self.ticks >= TICKS {
                (self.ticks, self.taken, self.at_tick) = (0, 0, 0);
            }
            self.tick = Box::pin(tokio::time::sleep(TICK));
        }
    }
}

/// A connection that does not wait for ever for its reader.
#[derive(Debug)]
pub struct Watched {
    stream: TcpStream,
    entry: Entry,
    waiting: Option<Waiting>,
}

impl Watched {
    /// Whose it is.
    pub fn peer(&self) -> Option<std::net::SocketAddr> {
        self.stream.peer_addr().ok()
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(cx, buf) {
            Poll::Ready(Ok(taken)) => {
                this.entry.set_unsent(buf.len() - taken);
                match &mut this.waiting {
                    // All of it: nothing waits any more.
                    Some(_) if taken == buf.len() => this.waiting = None,
                    Some(waiting) => waiting.taken += taken,
                    None => {}
                }
                Poll::Ready(Ok(taken))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.entry.set_unsent(buf.len());
                let waiting = this.waiting.get_or_insert_with(Waiting::begin);
                ready!(waiting.poll(&this.entry.connections, cx));
                metrics::connection_closed(metrics::ConnectionEnd::SlowReader);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Both ends of a connection.
    async fn line(limits: &Limits) -> (Watched, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let server = server.expect("it comes in").0;
        let watched = Connections::new(limits).admit(server).expect("there is room");
        (watched, client.expect("connects"))
    }

    // breaks: return Pending in `Waiting::poll` whatever was taken
    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let (mut watched, client) = line(&Limits::default()).await;
        let began = tokio::time::Instant::now();
        let piece = vec![7; 1024 * 1024];
        let given_up = async {
            loop {
                if let Err(fault) = watched.write_all(&piece).await {
                    break fault;
                }
            }
        };
        let fault = tokio::time::timeout(WRITE_WINDOW * 3, given_up).await.expect("in its time");
        assert_eq!(fault.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= WRITE_WINDOW, "not before its time");
        let connections = watched.entry.connections.clone();
        assert!(connections.unsent.load(Ordering::Relaxed) > 0);
        drop((watched, client));
        assert_eq!(connections.unsent.load(Ordering::Relaxed), 0, "what it kept is counted out");
        assert!(connections.of_address.lock().unwrap().is_empty());
    }

    // breaks: keep `waiting` when all was taken
    #[tokio::test]
    async fn a_reader_who_takes_all_is_not_waited_for() {
        let (mut watched, mut client) = line(&Limits::default()).await;
        let piece = vec![7; 16 * 1024 * 1024];
        let mut taken = vec![0; piece.len()];
        let (sent, read) = tokio::join!(watched.write_all(&piece), client.read_exact(&mut taken));
        assert!(sent.is_ok() && read.is_ok());
        assert!(watched.waiting.is_none() && watched.entry.unsent == 0);
    }

    // breaks: compare with 0 instead of LEAST_BYTES; or do not begin a new window
    #[tokio::test(start_paused = true)]
    async fn a_reader_is_slow_who_takes_less_than_the_least_within_a_window() {
        let connections = Connections::new(&Limits::default());
        let mut waiting = Waiting::begin();
        let mut takes = async |bytes: usize, seconds: u64| {
            waiting.taken += bytes;
            let slow = std::future::poll_fn(|cx| waiting.poll(&connections, cx));
            tokio::time::timeout(Duration::from_millis(seconds * 1000 + 500), slow).await.is_ok()
        };
        assert!(!takes(LEAST_BYTES, 30).await, "just enough");
        assert!(!takes(LEAST_BYTES, 29).await);
        assert!(!takes(0, 1).await, "the next window begins");
        assert!(!takes(LEAST_BYTES - 1, 20).await);
        assert!(takes(0, 20).await, "a byte too few");
    }
}

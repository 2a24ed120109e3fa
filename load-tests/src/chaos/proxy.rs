//! A line to PostgreSQL that breaks at the worst moment: when COMMIT is on its way and its answer
//! is not. Whoever sent it cannot know whether it happened.

use anyhow::ensure;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};

use super::frames::Frames;

/// How long a commit may take to come by: the sale goes on, so there is one every few milliseconds.
const PASSES: Duration = Duration::from_secs(30);

/// How the line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server has the COMMIT, and its answer goes nowhere.
    Answer,
    /// The COMMIT itself goes nowhere.
    Commit,
}

#[derive(Debug, Default)]
struct Faults {
    answers: AtomicU32,
    commits: AtomicU32,
    done: AtomicU32,
}

impl Faults {
    /// Takes one of the faults that are wanted, if any is.
    fn take(&self) -> Option<Cut> {
        let take = |left: &AtomicU32| {
            let one_less = |left: u32| left.checked_sub(1);
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
        };
        let cut = if take(&self.answers) {
            Cut::Answer
        } else if take(&self.commits) {
            Cut::Commit
        } else {
            return None;
        };
        self.done.fetch_add(1, Ordering::SeqCst);
        Some(cut)
    }
}

/// The line. It ends with the runtime it was laid on.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    faults: Arc<Faults>,
}

impl Proxy {
    /// Lays a line to this server on 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(runtime: &Handle, server: u16) -> anyhow::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let port = listener.local_addr()?.port();
        let faults: Arc<Faults> = Arc::default();
        let shared = faults.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, ([127, 0, 0, 1], server).into(), shared.clone()));
            }
        });
        Ok(Self { port, faults })
    }

    /// The port to connect to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Breaks the line of the next so many commits, whoever sends them, and waits until it is done.
    ///
    /// # Errors
    /// When no commit comes by: then nothing was tried.
    pub fn cut(&self, cut: Cut, count: u32) -> anyhow::Result<()> {
        let wanted = match cut {
            Cut::Answer => &self.faults.answers,
            Cut::Commit => &self.faults.commits,
        };
        let before = self.faults.done.load(Ordering::SeqCst);
        wanted.fetch_add(count, Ordering::SeqCst);
        let late = Instant::now() + PASSES;
        while self.faults.done.load(Ordering::SeqCst) < before + count {
            ensure!(Instant::now() < late, "no COMMIT came by within {PASSES:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Carries one connection. Both sockets close when this returns.
async fn carry(mut client: TcpStream, server: SocketAddr, faults: Arc<Faults>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _without_delay = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (mut asks, mut hears) = client.split();
    let (mut answers, mut serves) = server.split();
    let asking = async {
        let (mut frames, mut bytes) = (Frames::default(), vec![0; 64 * 1024]);
        loop {
            let read = asks.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            let commit = frames.feed(&bytes[..read]);
            match commit.and_then(|commit| Some((faults.take()?, commit))) {
                None => serves.write_all(&bytes[..read]).await?,
                Some((Cut::Answer, commit)) => return serves.write_all(&bytes[..commit.end]).await,
                Some((Cut::Commit, commit)) => {
                    return serves.write_all(&bytes[..commit.start]).await;
                }
            }
        }
    };
    tokio::select! {
        // First what is asked: a line that is to break carries nothing back.
        biased;
        _ended = asking => {}
        _ended = tokio::io::copy(&mut answers, &mut hears) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net,
    };

    const OPENING: &[u8] = b"\0\0\0\x08\0\x03\0\0";
    const COMMIT: &[u8] = b"Q\0\0\0\x0bcommit\0";

    /// What a server gets and a client hears when the line breaks this way.
    fn broken(cut: Option<Cut>) -> (Vec<u8>, Vec<u8>) {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let server = net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = server.local_addr().expect("bound").port();
        let serving = std::thread::spawn(move || {
            let (mut line, _) = server.accept().expect("a client");
            let mut got = vec![0; OPENING.len()];
            line.read_exact(&mut got).expect("the opening");
            line.write_all(b"ready").expect("answered");
            let mut rest = Vec::new();
            let mut bytes = [0; 64];
            while let Ok(read @ 1..) = line.read(&mut bytes) {
                rest.extend_from_slice(&bytes[..read]);
                drop(line.write_all(b"done"));
            }
            rest
        });
        let proxy = Proxy::start(runtime.handle(), port).expect("a line");
        let mut client = net::TcpStream::connect(("127.0.0.1", proxy.port())).expect("connected");
        client.write_all(OPENING).expect("sent");
        let mut ready = [0; 5];
        client.read_exact(&mut ready).expect("ready");
        std::thread::scope(|scope| {
            let cutting = cut.map(|cut| {
                let proxy = &proxy;
                scope.spawn(move || proxy.cut(cut, 1))
            });
            while cut.is_some()
                && proxy.faults.answers.load(Ordering::SeqCst) == 0
                && proxy.faults.commits.load(Ordering::SeqCst) == 0
            {
                std::thread::yield_now();
            }
            client.write_all(COMMIT).expect("sent");
            let mut heard = vec![0; 4];
            let read = client.read(&mut heard).unwrap_or(0);
            heard.truncate(read);
            client.shutdown(net::Shutdown::Both).ok();
            if let Some(cutting) = cutting {
                cutting.join().expect("no panic").expect("cut");
            }
            (serving.join().expect("no panic"), heard)
        })
    }

    #[test]
    fn the_answer_to_a_commit_is_lost_or_the_commit_itself() {
        assert_eq!(broken(None), (COMMIT.to_vec(), b"done".to_vec()));
        assert_eq!(broken(Some(Cut::Answer)), (COMMIT.to_vec(), Vec::new()));
        assert_eq!(broken(Some(Cut::Commit)), (Vec::new(), Vec::new()));
    }
}

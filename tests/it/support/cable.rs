//! A line to a server that loses what is sent over it, as a broken network does: nothing is closed,
//! nothing is answered.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    thread,
};

/// What the line does with what is sent over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Hands it on.
    Open,
    /// Loses it in both directions.
    Dark,
    /// Hands on what is asked and loses the answers: who asked cannot know what was done.
    Mute,
}

/// The line. A connection that ever lost something stays lost, and the server never hears that its
/// client is gone.
pub(crate) struct Cable {
    port: u16,
    state: Arc<AtomicU8>,
}

/// One direction of one connection.
struct Wire {
    from: TcpStream,
    to: TcpStream,
    state: Arc<AtomicU8>,
    lost: Arc<AtomicBool>,
    answers: bool,
}

impl Cable {
    /// A line to this port of 127.0.0.1.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it has an address").port();
        let state: Arc<AtomicU8> = Arc::new(AtomicU8::new(Line::Open as u8));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    lay(&client, &server, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// The port to connect to.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Changes what the line does.
    pub(crate) fn set(&self, line: Line) {
        self.state.store(line as u8, Ordering::SeqCst);
    }
}

/// Two wires between a client and the server.
fn lay(client: &TcpStream, server: &TcpStream, state: &Arc<AtomicU8>) {
    let lost: Arc<AtomicBool> = Arc::default();
    for (from, to, answers) in [(client, server, false), (server, client, true)] {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let (state, lost) = (state.clone(), lost.clone());
        let wire = Wire { from, to, state, lost, answers };
        thread::spawn(move || wire.carry());
    }
}

impl Wire {
    fn carry(mut self) {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let read = self.from.read(&mut bytes).unwrap_or(0);
            let loses = self.loses();
            if read == 0 && self.lost.load(Ordering::SeqCst) {
                // The other end hears nothing of this one's end until the test is over.
                std::mem::forget(self);
                return;
            }
            if loses {
                continue;
            }
            if read == 0 || self.to.write_all(&bytes[..read]).is_err() {
                drop(self.to.shutdown(std::net::Shutdown::Both));
                drop(self.from.shutdown(std::net::Shutdown::Both));
                return;
            }
        }
    }

    /// Whether what comes now is lost; if so, so is all that follows.
    fn loses(&self) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        if state == Line::Dark as u8 || (self.answers && state == Line::Mute as u8) {
            self.lost.store(true, Ordering::SeqCst);
        }
        let mute_asks = state == Line::Mute as u8 && !self.answers;
        self.lost.load(Ordering::SeqCst) && !mute_asks
    }
}

//! What all buyers of one driver thread share: the server, the manners, what is measured, and the
//! figures so far.

use std::{
    cell::{Cell, RefCell},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    acks::AckLog,
    buyer::Manners,
    connection::Answer,
    figures::Figures,
    flow::{Ending, Flow},
    request::{Line, Requests},
    target::Target,
};

/// Figures that others may look at while the run goes on.
#[derive(Debug, Default)]
pub struct Live {
    /// Flows started.
    pub started: AtomicU64,
    /// Flows that ended, however.
    pub ended: AtomicU64,
    /// Orders acknowledged.
    pub orders: AtomicU64,
    /// Flows refused at the door.
    pub refused: AtomicU64,
    /// Flows that failed.
    pub failed: AtomicU64,
    /// Microseconds that good flows took, summed.
    pub good_micros: AtomicU64,
    /// Good flows.
    pub good: AtomicU64,
    /// Set to end the run early.
    pub stop: AtomicBool,
}

/// Which flows count towards latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those that were meant to start while it was measured: an open model leaves nobody out.
    Intended,
    /// Those that ended while it was measured.
    Ended,
}

/// What the buyers of one thread share.
pub struct Window {
    /// The server.
    pub target: Target,
    /// Its requests.
    pub requests: Requests,
    /// How buyers behave.
    pub manners: Manners,
    /// Looked at from outside.
    pub live: Arc<Live>,
    pub(super) acks: Option<Arc<AckLog>>,
    pub(super) counted: Counted,
    pub(super) began: Instant,
    pub(super) measured: std::ops::Range<Instant>,
    pub(super) figures: RefCell<Figures>,
    pub(super) ack_fault: Cell<Option<io::Error>>,
}

impl Window {
    fn counts(&self, intended: Instant, ended: Instant) -> bool {
        self.measured.contains(match self.counted {
            Counted::Intended => &intended,
            Counted::Ended => &ended,
        })
    }

    pub(super) fn started(&self) {
        self.live.started.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how a flow ended.
    pub(super) fn ended(&self, flow: Flow, ending: Ending, intended: Instant, units: u64) {
        let ended = Instant::now();
        let took = ended.saturating_duration_since(intended);
        self.live.ended.fetch_add(1, Ordering::Relaxed);
        let mut figures = self.figures.borrow_mut();
        if self.counts(intended, ended) {
            figures.note(flow, ending, took);
        }
        match ending {
            Ending::Ordered | Ending::OneOrder => {
                self.live.good.fetch_add(1, Ordering::Relaxed);
                self.live.good_micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
                figures.all_orders += 1;
                if self.measured.contains(&ended) {
                    figures.orders += 1;
                    figures.units += units;
                }
                let second = ended.duration_since(self.began).as_secs() as usize;
                if figures.each_second.len() <= second {
                    figures.each_second.resize(second + 1, 0);
                }
                figures.each_second[second] += 1;
            }
            Ending::Refused => {
                self.live.refused.fetch_add(1, Ordering::Relaxed);
            }
            ending if !ending.is_healthy() => {
                self.live.failed.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Notes the order before anything else happens.
    pub(super) fn acknowledge(&self, digits: &str, key: &str, cart: &[Line]) {
        self.live.orders.fetch_add(1, Ordering::Relaxed);
        let Some(acks) = &self.acks else { return };
        if let Err(error) = acks.note(&format!("ord_{digits}"), key, cart) {
            self.ack_fault.set(Some(error));
            self.live.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Notes how long a request took, counted from when it was meant to be sent.
    pub(super) fn took(&self, step: &'static str, intended: Instant) {
        let ended = Instant::now();
        if self.counts(intended, ended) {
            let took = ended.saturating_duration_since(intended);
            self.figures.borrow_mut().steps.entry(step).or_default().note(took);
        }
    }

    /// An answer that is neither broken nor a refusal.
    pub(super) fn heard(
        &self,
        step: &'static str,
        intended: Instant,
        answer: &io::Result<Answer>,
    ) -> Result<Answer, Ending> {
        match answer {
            Ok(Answer { status: 429 | 503, .. }) => Err(Ending::Refused),
            Ok(answer) => {
                self.took(step, intended);
                Ok(*answer)
            }
            Err(error) => Err(self.broke(step, error)),
        }
    }

    pub(super) fn broke(&self, step: &str, error: &io::Error) -> Ending {
        self.figures.borrow_mut().complain(format!("{step}: {error}"));
        Ending::Broken
    }

    /// An answer nobody expects of a service in good health.
    pub(super) fn failed(&self, step: &str, answer: Answer, body: &[u8]) -> Ending {
        const SHOWN: usize = 300;
        let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
        self.figures.borrow_mut().complain(format!("{step}: {} {text}", answer.status));
        Ending::Failed
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.measured.end || self.live.stop.load(Ordering::Relaxed)
    }

    pub(super) fn left(&self, now: Instant) -> Duration {
        self.measured.end.saturating_duration_since(now)
    }
}

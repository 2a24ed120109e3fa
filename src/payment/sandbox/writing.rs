//! The book's one writer: a thread that puts what is queued on disk, in groups.

use std::{
    fs::File,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// Lines per group at most, so that the first of a long queue does not wait for the last.
const GROUP: usize = 4096;

/// A line on its way to the disk, or no bytes at all: then it only waits for those before it.
struct Slip {
    line: Vec<u8>,
    durable: oneshot::Sender<Result<(), String>>,
}

/// Hands lines to the writing thread; the order of handing over is the order in the file.
#[derive(Debug)]
pub(super) struct Pen {
    queue: Option<Sender<Slip>>,
    thread: Option<JoinHandle<()>>,
    broken: Arc<AtomicBool>,
}

/// Resolves when the line, and every line before it, is on disk.
pub(super) type Durable = oneshot::Receiver<Result<(), String>>;

impl Pen {
    /// Starts the thread that writes to the end of this file.
    pub(super) fn start(file: File) -> std::io::Result<Self> {
        let (queue, slips) = channel();
        let broken = Arc::new(AtomicBool::new(false));
        let flag = broken.clone();
        let thread = std::thread::Builder::new()
            .name("sandbox-book".into())
            .spawn(move || write_groups(file, &slips, &flag))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), broken })
    }

    /// Whether a write failed. What memory says may then not be on disk, and only a restart, which
    /// reads the file, tells.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Queues a line.
    pub(super) fn put(&self, line: Vec<u8>) -> Durable {
        let (durable, wait) = oneshot::channel();
        if let Some(queue) = &self.queue {
            // A writer that is gone drops the slip, which the waiting side sees.
            let _ = queue.send(Slip { line, durable });
        }
        wait
    }
}

impl Drop for Pen {
    /// Waits for the last group, so that the file and its lock are free when the book is gone.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_groups(mut file: File, slips: &Receiver<Slip>, broken: &AtomicBool) {
    let mut text = Vec::new();
    while let Ok(first) = slips.recv() {
        let mut group = vec![first];
        group.extend(slips.try_iter().take(GROUP - 1));
        text.clear();
        for slip in &group {
            text.extend_from_slice(&slip.line);
        }
        let written = if broken.load(Ordering::Acquire) {
            Err("an earlier write to the sandbox's book failed; restart it".to_owned())
        } else {
            write_group(&mut file, &text).map_err(|error| {
                tracing::error!(
                    %error,
                    "the sandbox's book cannot be written; free the disk and restart"
                );
                broken.store(true, Ordering::Release);
                format!("the sandbox's book cannot be written: {error}")
            })
        };
        for slip in group {
            // The one who waited may have given up.
            let _ = slip.durable.send(written.clone());
        }
    }
}

fn write_group(file: &mut File, text: &[u8]) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    file.write_all(text)?;
    file.sync_data()
}

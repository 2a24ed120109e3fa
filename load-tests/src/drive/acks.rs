//! The driver's own log of what it was told: one line per acknowledged order, on its way to the
//! disk before the next request leaves. Whatever the service, its database or its replicas lose
//! afterwards, this file still says what was promised.

use anyhow::Context;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
};

use super::request::Line;

/// An acknowledged order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The order's id, as it was answered.
    pub order: String,
    /// The idempotency key of the request that was answered.
    pub key: String,
    /// SKU number and units, line by line.
    pub lines: Vec<(u32, u32)>,
}

/// The log, open for appending. Threads share it.
#[derive(Debug)]
pub struct AckLog(File);

impl AckLog {
    /// Opens the log at `path` to append to it.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(Self(file.with_context(|| format!("cannot open {}", path.display()))?))
    }

    /// Notes an order: one `write` of one line, which the system appends as a whole.
    ///
    /// # Errors
    /// When the disk fails; then nothing may be claimed about the run.
    pub fn note(&self, order: &str, key: &str, lines: &[Line]) -> std::io::Result<()> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(160);
        let head = write!(text, r#"{{"order":"{order}","key":"{key}","lines":["#);
        head.expect("a string takes what is written to it");
        for (at, Line { sku, quantity }) in lines.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let line = write!(text, "{comma}[{sku},{quantity}]");
            line.expect("a string takes what is written to it");
        }
        text.push_str("]}\n");
        (&self.0).write_all(text.as_bytes())
    }

    /// Notes anything else that was promised, in the same way.
    ///
    /// # Errors
    /// When the disk fails; then nothing may be claimed about the run.
    pub fn append(&self, told: &impl Serialize) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(told)?;
        text.push(b'\n');
        (&self.0).write_all(&text)
    }

    /// Puts everything on disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

/// Reads a log of orders.
///
/// # Errors
/// As [`read_lines`].
pub fn read_acks(path: &Path) -> anyhow::Result<Vec<Ack>> {
    read_lines(path)
}

/// Reads a log. A last line without its end was being written when the driver died; it is left out.
///
/// # Errors
/// When the file cannot be read, or a finished line does not read: a log with holes proves nothing.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut lines, mut text, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        let read = reader.read_until(b'\n', &mut text)?;
        if read == 0 || text.last() != Some(&b'\n') {
            return Ok(lines);
        }
        let line = serde_json::from_slice(&text);
        lines.push(line.with_context(|| format!("{}, line {number}", path.display()))?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_reads_back_and_a_torn_end_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acks.jsonl");
        let log = AckLog::open(&path).expect("a log");
        let lines = [Line { sku: 3, quantity: 2 }, Line { sku: 9, quantity: 1 }];
        log.note("ord_1", "a-1", &lines).expect("noted");
        drop(log);
        let log = AckLog::open(&path).expect("opens again, and keeps what is there");
        log.note("ord_2", "a-2", &lines[..1]).expect("noted");
        log.sync().expect("synced");
        let acks = read_acks(&path).expect("reads");
        assert_eq!(acks.len(), 2);
        assert_eq!(acks[0].lines, [(3, 2), (9, 1)]);
        assert_eq!((acks[1].order.as_str(), acks[1].key.as_str()), ("ord_2", "a-2"));
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, format!("{text}{{\"order\":\"ord_3")).expect("written");
        assert_eq!(read_acks(&path).expect("reads").len(), 2);
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acks.jsonl");
        std::fs::write(&path, "{\"order\":\"x\",\"key\":\"k\",\"lines\":[]}\nrubbish\n")
            .expect("ok");
        let why = read_acks(&path).expect_err("damaged").to_string();
        assert!(why.contains("line 2"), "{why}");
    }
}

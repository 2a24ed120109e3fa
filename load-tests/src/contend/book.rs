//! The gateway of the baselines: books every authorization as Doorbuster's sandbox does, one line
//! of JSON, on disk before it is answered, in groups.

use anyhow::Context;
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Lines per group at most.
const GROUP: usize = 4096;

struct Slip {
    line: String,
    durable: oneshot::Sender<bool>,
}

/// An open book. Clones share it.
#[derive(Debug, Clone)]
pub struct Book(Sender<Slip>);

impl Book {
    /// Starts an empty book at this path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let (queue, slips) = channel();
        std::thread::Builder::new().name("book".into()).spawn(move || write(file, &slips))?;
        Ok(Self(queue))
    }

    /// Authorizes: returns the authorization once it is on disk; `None` when the disk fails.
    pub async fn authorize(&self, reference: Uuid, amount_minor: i64) -> Option<String> {
        let authorization = format!("auth_{}", reference.simple());
        let line = format!(
            "{{\"reference\":\"pay_{}\",\"op\":\"authorize\",\"amount_minor\":{amount_minor},\
             \"currency\":\"EUR\",\"authorization\":\"{authorization}\",\"outcome\":\"approved\",\
             \"at\":\"{}\"}}\n",
            reference.simple(),
            super::wire::now()
        );
        let (durable, wait) = oneshot::channel();
        self.0.send(Slip { line, durable }).ok()?;
        wait.await.ok()?.then_some(authorization)
    }
}

fn write(mut file: File, slips: &Receiver<Slip>) {
    let mut text = Vec::new();
    while let Ok(first) = slips.recv() {
        let mut group = vec![first];
        group.extend(slips.try_iter().take(GROUP - 1));
        text.clear();
        group.iter().for_each(|slip| text.extend_from_slice(slip.line.as_bytes()));
        let written = file.write_all(&text).and_then(|()| file.sync_data()).is_ok();
        for slip in group {
            // The one who waited may have given up.
            let _ = slip.durable.send(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_authorized_is_in_the_book() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book.jsonl");
        let book = Book::open(&path).expect("a book");
        let reference = Uuid::now_v7();
        assert!(book.authorize(reference, 1990).await.is_some());
        let text = std::fs::read_to_string(&path).expect("text");
        let line: serde_json::Value = serde_json::from_str(text.trim()).expect("one line of JSON");
        assert_eq!(line["reference"], format!("pay_{}", reference.simple()));
        assert_eq!(line["amount_minor"], 1990);
    }
}

//! The bank's book, read without the service's own code: whatever that believes, this is what was
//! taken from buyers.

use anyhow::{Context, ensure};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use uuid::Uuid;

use crate::drive::acks::read_lines;

/// What the book says of one payment attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charged {
    /// Minor units put aside, times they were put aside.
    pub authorized: (i64, u32),
    /// Minor units taken, times they were taken.
    pub captured: (i64, u32),
    /// Whether it was let go.
    pub voided: bool,
}

#[derive(Debug, Deserialize)]
struct Line {
    reference: String,
    op: String,
    amount_minor: i64,
    outcome: String,
}

/// Reads the book, by the attempt's id.
///
/// # Errors
/// When it does not read.
pub fn read(path: &Path) -> anyhow::Result<BTreeMap<Uuid, Charged>> {
    let mut charges: BTreeMap<Uuid, Charged> = BTreeMap::new();
    for line in read_lines::<Line>(path)? {
        let digits = line.reference.rsplit('_').next().unwrap_or_default();
        let id = Uuid::try_parse(digits).with_context(|| format!("`{}`", line.reference))?;
        let charged = charges.entry(id).or_default();
        let moves = |(sum, times): (i64, u32)| (sum + line.amount_minor, times + 1);
        match (line.op.as_str(), line.outcome.as_str()) {
            ("authorize", "approved") => charged.authorized = moves(charged.authorized),
            ("capture", "done") => charged.captured = moves(charged.captured),
            ("void", "done") => charged.voided = true,
            // Nobody at this sale gives anything back after it was taken.
            ("refund", "done") => ensure!(false, "{id} was refunded"),
            _ => {}
        }
    }
    Ok(charges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moved_money_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book.jsonl");
        let line = |op: &str, outcome: &str| {
            format!(
                "{{\"reference\":\"pay_{}\",\"op\":\"{op}\",\"amount_minor\":5,\"currency\":\
                 \"EUR\",\"outcome\":\"{outcome}\",\"at\":\"x\"}}\n",
                Uuid::nil().simple()
            )
        };
        let text = [
            line("authorize", "failed"),
            line("authorize", "approved"),
            line("authorize", "repeated"),
            line("capture", "done"),
            line("capture", "repeated"),
        ];
        std::fs::write(&path, text.concat()).expect("written");
        let charged = read(&path).expect("reads")[&Uuid::nil()];
        assert_eq!(charged, Charged { authorized: (5, 1), captured: (5, 1), voided: false });
        std::fs::write(&path, text.concat() + &line("capture", "done")).expect("written");
        assert_eq!(read(&path).expect("reads")[&Uuid::nil()].captured, (10, 2));
        std::fs::write(&path, text.concat() + &line("void", "done")).expect("written");
        assert!(read(&path).expect("reads")[&Uuid::nil()].voided);
    }
}

//! What a client of PostgreSQL sends, read just closely enough to see a COMMIT go by.
//!
//! Protocol 3.0: a first message without a type (length, code), then messages of a type byte, a
//! length that includes itself, and a body. A COMMIT is a simple query (`Q`) that ends in it, or a
//! prepared one (`P`) that is bound (`B`) and takes effect with the next sync (`S`). A statement
//! that commits by itself, because it stands in no transaction, counts as well.

use std::{collections::HashSet, ops::Range};

/// Bytes of a message that are kept to be read; a COMMIT is short.
const KEPT: usize = 4096;

/// The statement in which a whole batch is judged, written and committed.
const COMMITS_ITSELF: &str = "select ledger_commit(";

/// Codes of first messages after which another first message follows: TLS and GSS encryption are
/// asked for, and refused by servers of ours.
const ASKS_FOR_ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// The messages of one connection, in the order in which its bytes come.
#[derive(Debug, Default)]
pub struct Frames {
    /// Past the first message.
    begun: bool,
    /// The head of the message under way, and the first bytes of its body.
    kept: Vec<u8>,
    /// Bytes of this message that have come.
    came: usize,
    /// Prepared statements that are a COMMIT, by name.
    prepared: HashSet<Vec<u8>>,
    /// A prepared COMMIT was bound, and waits for the sync: where it began.
    bound: Option<usize>,
    /// Bytes of all chunks before the one under way.
    before: usize,
    /// Where the message under way began, counted over all chunks.
    start: usize,
}

impl Frames {
    /// Reads on. Where a COMMIT stands complete in these bytes, that part of them is returned; its
    /// beginning may have come before, and is cut to what is here.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut at = 0;
        while at < bytes.len() {
            let wanted = self.length().map_or(1, |length| length - self.came);
            let take = wanted.min(bytes.len() - at);
            if self.came == 0 {
                self.start = self.before + at;
            }
            let room = KEPT.saturating_sub(self.kept.len()).min(take);
            self.kept.extend_from_slice(&bytes[at..at + room]);
            self.came += take;
            at += take;
            if self.length() == Some(self.came)
                && let Some(start) = self.message()
            {
                let range = start.saturating_sub(self.before)..at;
                self.before += bytes.len();
                return Some(range);
            }
        }
        self.before += bytes.len();
        None
    }

    /// Length of the message under way with its type byte, once its head is there.
    fn length(&self) -> Option<usize> {
        let head = usize::from(self.begun);
        let bytes = self.kept.get(head..head + 4)?;
        let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Some(head + (length as usize).max(4))
    }

    /// A message is complete: where the COMMIT began that it ends, if it does.
    fn message(&mut self) -> Option<usize> {
        let kept = std::mem::take(&mut self.kept);
        self.came = 0;
        if !self.begun {
            let code = kept.get(4..8).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
            self.begun = !code.is_some_and(|code| ASKS_FOR_ENCRYPTION.contains(&code));
            return None;
        }
        let body = &kept[5..];
        let mut words = body.split(|byte| *byte == 0);
        match kept[0] {
            b'Q' if is_commit(body) => return Some(self.start),
            b'P' => {
                let (name, sql) = (words.next()?, words.next()?);
                if is_commit(sql) {
                    self.prepared.insert(name.to_vec());
                } else {
                    self.prepared.remove(name);
                }
            }
            b'B' => {
                let (_portal, name) = (words.next()?, words.next()?);
                if self.prepared.contains(name) {
                    self.bound = Some(self.start);
                }
            }
            b'S' => return self.bound.take(),
            _ => {}
        }
        None
    }
}

/// Whether the last statement of this text is a COMMIT.
fn is_commit(sql: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sql);
    let text = text.trim_end_matches(|c: char| c == '\0' || c == ';' || c.is_whitespace());
    let last = text.rsplit(';').next().unwrap_or_default().trim();
    let words = ["commit", "commit work", "commit transaction", "end"];
    words.iter().any(|word| last.eq_ignore_ascii_case(word)) || last.starts_with(COMMITS_ITSELF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend(u32::try_from(body.len() + 4).expect("short").to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn first(code: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(body.len() + 8).expect("short").to_be_bytes().to_vec();
        bytes.extend(code.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// The beginning of a connection, as sqlx makes it.
    fn opening() -> Vec<u8> {
        let mut bytes = first(ASKS_FOR_ENCRYPTION[0], b"");
        bytes.extend(first(196_608, b"user\0load\0\0"));
        bytes.extend(message(b'Q', b"begin isolation level read committed read write\0"));
        bytes.extend(message(b'B', &[7; 9000]));
        bytes
    }

    #[test]
    fn a_commit_is_found_wherever_the_bytes_are_cut() {
        let mut bytes = opening();
        let begins = bytes.len();
        bytes.extend(message(b'Q', b"COMMIT;\0"));
        let ends = bytes.len();
        bytes.extend(message(b'Q', b"begin\0"));
        for cut in 0..=bytes.len() {
            let mut frames = Frames::default();
            let (left, right) = bytes.split_at(cut);
            let (one, other) = (frames.feed(left), frames.feed(right));
            let here = one.or(other.map(|found| found.start + cut..found.end + cut));
            let here = here.unwrap_or_else(|| panic!("cut at {cut}"));
            assert_eq!(here.end, ends, "cut at {cut}");
            assert_eq!(here.start, if (begins..ends).contains(&cut) { cut } else { begins });
        }
    }

    #[test]
    fn a_prepared_commit_counts_with_its_sync() {
        let mut frames = Frames::default();
        assert_eq!(frames.feed(&opening()), None);
        assert_eq!(frames.feed(&message(b'P', b"s1\0commit\0\0\0")), None);
        assert_eq!(frames.feed(&message(b'S', b"")), None);
        let mut bytes = message(b'B', b"\0s1\0\0\0\0\0\0\0");
        bytes.extend(message(b'E', b"\0\0\0\0\0"));
        bytes.extend(message(b'S', b""));
        assert_eq!(frames.feed(&bytes), Some(0..bytes.len()));
        assert_eq!(frames.feed(&message(b'S', b"")), None);
    }

    /// Otherwise what most batches are committed by would never be cut off.
    #[test]
    fn the_statement_that_commits_a_batch_is_one_and_stands_in_the_service() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/ledger/postgres");
        let files = std::fs::read_dir(folder).expect("the service's source");
        let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()));
        let says = |text: std::io::Result<String>| text.expect("text").contains(COMMITS_ITSELF);
        assert!({ texts }.any(says), "no statement says `{COMMITS_ITSELF}`");
        let mut frames = Frames::default();
        assert_eq!(frames.feed(&opening()), None);
        let sql = format!("s2\0{COMMITS_ITSELF}$1, $2)\0\0\0");
        assert_eq!(frames.feed(&message(b'P', sql.as_bytes())), None);
        assert_eq!(frames.feed(&message(b'B', b"\0s2\0\0\0\0\0\0\0")), None);
        assert_eq!(frames.feed(&message(b'S', b"")), Some(0..5));
    }

    #[test]
    fn what_only_speaks_of_a_commit_is_none() {
        let mut frames = Frames::default();
        assert_eq!(frames.feed(&opening()), None);
        for sql in ["select 'commit'\0", "rollback\0", "commit; select 1\0", "\0"] {
            assert_eq!(frames.feed(&message(b'Q', sql.as_bytes())), None, "{sql}");
        }
        let last = frames.feed(&message(b'Q', b"select apply(); commit\0"));
        assert!(last.is_some());
    }
}

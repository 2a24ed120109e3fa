//! One memory in Redis: where it stands, and the marks that say that all of it is there.
//!
//! A Redis that was emptied answers as if nobody had been seen before. So a memory that is tended
//! has marks, written when it is complete; each batch asks for them behind its own questions, in
//! the same round trip. One that is missing means that the memory was lost, and it is not believed
//! any more: another one is built under a new name (see [`rebuild`](crate::fraud::rebuild)).
//!
//! On a cluster there is a mark for each sixty-fourth of the slots, and a batch asks for those of
//! its entities: a node that has lost its keys has lost its marks. What is not seen: single keys
//! that were deleted or evicted, and the last moments that a follower had not heard of when it took
//! over.

use crate::sessions::redis::home::{Asked, Home};

/// Parts of a cluster's slots that have a mark each.
const PARTS: usize = 64;

/// Where a memory stands.
#[derive(Debug)]
pub(super) struct Space {
    /// What every key starts with: layouts that remember the same share a memory.
    pub(super) prefix: String,
    /// The mark of each part; one alone where one server has everything.
    marks: Vec<String>,
}

/// Whether what stands there is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nobody tends it: it is as it is.
    Untended,
    /// It is being built.
    Building,
    /// All of it is there, as far as its marks tell.
    Whole,
    /// A mark was missing.
    Lost,
}

impl Space {
    /// The memory of this name, in this epoch of it.
    pub(super) fn new(memory: &str, epoch: &str, home: &Home) -> Self {
        let prefix = match epoch {
            "" => memory.to_owned(),
            _ => format!("{memory}:{epoch}"),
        };
        let marks = marks(&prefix, home);
        Self { prefix, marks }
    }

    /// Asks whether the marks are there of the parts that these places are in.
    pub(super) fn asked<'a>(
        &self,
        places: impl Iterator<Item = &'a str>,
        home: &Home,
    ) -> Vec<Asked> {
        let mut parts: Vec<usize> =
            places.map(|place| home.part_of(place, self.marks.len())).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.into_iter().map(|part| command("EXISTS", &self.marks[part], None)).collect()
    }

    /// Asks for every mark.
    pub(super) fn asked_all(&self) -> Vec<Asked> {
        self.marks.iter().map(|mark| command("EXISTS", mark, None)).collect()
    }

    /// Writes every mark.
    pub(super) fn marking(&self) -> Vec<Asked> {
        self.marks.iter().map(|mark| command("SET", mark, Some("whole"))).collect()
    }
}

fn command(name: &str, key: &str, value: Option<&str>) -> Asked {
    let mut command = redis::cmd(name);
    command.arg(key);
    if let Some(value) = value {
        command.arg(value);
    }
    Asked { key: key.to_owned(), command }
}

/// A key for each part. Which part a key is in is known only from its hash, so they are tried.
fn marks(prefix: &str, home: &Home) -> Vec<String> {
    let parts = if home.is_cluster() { PARTS } else { 1 };
    let mut marks = vec![None; parts];
    let mut left = parts;
    for number in 0_u32.. {
        let mark = format!("{{{prefix}:whole:{number}}}");
        let place = &mut marks[home.part_of(&mark, parts)];
        if place.is_none() {
            *place = Some(mark);
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    marks.into_iter().flatten().collect()
}

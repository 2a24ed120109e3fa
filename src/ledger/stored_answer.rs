//! Answers as they are kept for replay: what never changes in them stands in the ledger once.
//!
//! An answer of a protocol is half constant (which version, which capabilities, the shop's links).
//! Such parts are kept under a name made of their hash before the first answer is written, and an
//! answer then names them. The database puts them back where answers are read (`key_rows`), so that
//! whoever asks again gets the same bytes from every replica, also from one that was configured
//! otherwise or is of another release.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt::Write;

use super::{Database, LedgerFault};
use crate::base::{Sealed, sealed::Unsealable};

/// Stands before the name of a part. JSON has it only escaped.
const MARK: char = '\u{1}';

/// Characters of a part's name. With 48 bits of a hash a few dozen parts do not meet.
const NAME_LENGTH: usize = 12;

/// Bytes below which naming a part saves nothing worth a look.
const PART_MIN: usize = 64;

/// An answer as it will be replayed, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body; it may name the buyer.
    pub body: AnswerBody,
    /// The session's version it shows, for the `ETag`; 0 when it shows none.
    pub version: u32,
}

/// A body, whole, and in the shorter form that is kept. Two are equal when they are as a whole.
#[derive(Debug, Clone)]
pub struct AnswerBody {
    whole: Sealed,
    kept: Option<Sealed>,
}

impl AnswerBody {
    /// The text.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open(&self) -> Result<&str, Unsealable> {
        self.whole.open()
    }

    /// As the ledger keeps it.
    pub fn stored(&self) -> &str {
        self.kept.as_ref().unwrap_or(&self.whole).stored()
    }
}

impl From<Sealed> for AnswerBody {
    fn from(whole: Sealed) -> Self {
        Self { whole, kept: None }
    }
}

impl PartialEq for AnswerBody {
    fn eq(&self, other: &Self) -> bool {
        self.whole == other.whole
    }
}

impl Eq for AnswerBody {}

impl Serialize for AnswerBody {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.stored())
    }
}

/// What is read is whole: the database has put its parts back.
impl<'de> Deserialize<'de> for AnswerBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Sealed::deserialize(from).map(Self::from)
    }
}

/// Parts of answers that stand in the ledger. Without any, bodies are kept whole.
#[derive(Debug, Clone, Default)]
pub struct AnswerParts(Vec<Part>);

#[derive(Debug, Clone)]
struct Part {
    name: String,
    text: Box<str>,
}

impl AnswerParts {
    /// Keeps these parts, so that answers may name them from now on.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn keep(
        database: &Database,
        texts: impl IntoIterator<Item = &str>,
    ) -> Result<Self, LedgerFault> {
        let parts = Self::of(texts);
        let rows = parts.0.iter().map(|part| (&*part.name, &*part.text)).collect::<Vec<_>>();
        let rows = serde_json::to_string(&rows).map_err(|fault| broken(&fault))?;
        let kept = match database {
            Database::Postgres(database) => database.keep_answer_parts(rows).await?,
            Database::Sqlite(database) => database.keep_answer_parts(rows).await?,
        };
        let kept = kept.iter().map(|row| serde_json::from_str::<(String, Box<str>)>(row));
        let kept = kept.collect::<Result<Vec<_>, _>>().map_err(|fault| broken(&fault))?;
        // One whose name another text has is not named: its answers stay whole.
        let stands =
            |part: &Part| kept.iter().any(|(n, text)| *n == part.name && *text == part.text);
        Ok(Self(parts.0.into_iter().filter(stands).collect()))
    }

    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let long = texts.into_iter().filter(|text| text.len() >= PART_MIN && !text.contains(MARK));
        let part = |text: &str| Part { name: name(text), text: text.into() };
        let mut parts: Vec<Part> = long.map(part).collect();
        // Where one stands within another, the longer one is named.
        parts.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then_with(|| a.name.cmp(&b.name)));
        parts.dedup_by(|a, b| a.name == b.name);
        Self(parts)
    }

    /// A body with the shorter form in which it is kept.
    pub fn body(&self, text: &str) -> AnswerBody {
        let kept = self.named(text).map(|kept| Sealed::seal(&kept));
        AnswerBody { whole: Sealed::seal(text), kept }
    }

    /// The text with the names of its parts in their places, each where it comes first. None where
    /// it has none.
    fn named(&self, text: &str) -> Option<String> {
        let found = |part: &'_ Part| Some((text.find(&*part.text)?, part.text.len()));
        let mut places: Vec<((usize, usize), &str)> =
            self.0.iter().filter_map(|part| Some((found(part)?, &*part.name))).collect();
        if places.is_empty() || text.contains(MARK) {
            return None;
        }
        places.sort_unstable();
        let (mut kept, mut at) = (String::with_capacity(text.len() / 2), 0);
        for ((from, length), name) in places {
            if from < at {
                continue;
            }
            kept.push_str(&text[at..from]);
            kept.push(MARK);
            kept.push_str(name);
            at = from + length;
        }
        kept.push_str(&text[at..]);
        Some(kept)
    }
}

fn broken(fault: &serde_json::Error) -> LedgerFault {
    LedgerFault::Broken(format!("parts of answers are not kept: {fault}"))
}

fn name(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut name = String::with_capacity(NAME_LENGTH);
    for byte in &digest[..NAME_LENGTH / 2] {
        write!(name, "{byte:02x}").expect("invariant: a text takes everything");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const UCP: &str =
        r#"{"version":"2026-04-08","status":"success","capabilities":{"a":[{"b":1}]}}"#;
    const LINKS: &str =
        r#"[{"type":"privacy_policy","url":"https://shop.example/policies/privacy"}]"#;

    // breaks: `named` that forgets what stands between two parts, or after the last
    #[test]
    fn parts_are_named_and_the_rest_stays() {
        let parts = AnswerParts::of([LINKS, UCP, UCP, "{}"]);
        assert_eq!(parts.0.len(), 2, "one name for one text, and none for a short one");
        let text = format!(r#"{{"ucp":{UCP},"id":"chk_1","links":{LINKS},"payment":{{}}}}"#);
        let body = parts.body(&text);
        let expected = format!(
            "plain:{{\"ucp\":\u{1}{},\"id\":\"chk_1\",\"links\":\u{1}{},\"payment\":{{}}}}",
            name(UCP),
            name(LINKS)
        );
        assert_eq!(body.stored(), expected);
        assert_eq!(body.open(), Ok(&*text), "whoever is answered gets all of it");
        assert_eq!(body, Sealed::seal(&text).into());
    }

    // breaks: `named` without its look for the mark
    #[test]
    fn what_could_be_misread_is_kept_whole() {
        let parts = AnswerParts::of([UCP]);
        for text in [format!("\u{1}0123456789ab {UCP}"), "nothing of it".to_owned()] {
            assert_eq!(parts.body(&text).stored(), format!("plain:{text}"));
        }
        let twice = format!("{UCP}{UCP}");
        assert_eq!(parts.body(&twice).stored(), format!("plain:\u{1}{}{UCP}", name(UCP)));
    }

    #[test]
    fn of_two_that_overlap_the_first_is_named() {
        let inner = &UCP[10..];
        let parts = AnswerParts::of([inner, UCP]);
        assert_eq!(parts.body(UCP).stored(), format!("plain:\u{1}{}", name(UCP)));
    }
}

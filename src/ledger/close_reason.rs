//! Why a case ended as it did: one of a few reasons, and words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a case ended. Only what was fraud teaches that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// It is fraud: the order is labeled so.
    Fraud,
    /// The buyer was asked and did not answer.
    Unreachable,
    /// The same order was placed before.
    Duplicate,
    /// The buyer does not want it any more.
    CustomerWish,
    /// The goods cannot be sent, or not there.
    Undeliverable,
    /// The shop's terms do not allow it: resale, too many, abuse of discounts.
    Policy,
    /// The buyer proved to be who they say they are.
    Verified,
    /// Something else; the words say it.
    Other,
}

/// What stands between the reason and the words, as the database keeps them together.
const BETWEEN: &str = ": ";

impl CloseReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Fraud,
        Self::Unreachable,
        Self::Duplicate,
        Self::CustomerWish,
        Self::Undeliverable,
        Self::Policy,
        Self::Verified,
        Self::Other,
    ];

    /// The word in requests and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Unreachable => "unreachable",
            Self::Duplicate => "duplicate",
            Self::CustomerWish => "customer_wish",
            Self::Undeliverable => "undeliverable",
            Self::Policy => "policy",
            Self::Verified => "verified",
            Self::Other => "other",
        }
    }

    /// The reason of this name.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// Reason and words as one text.
    pub fn join(reason: Option<Self>, words: &str) -> String {
        match reason {
            Some(reason) => format!("{}{BETWEEN}{words}", reason.as_str()),
            None => words.to_owned(),
        }
    }

    /// Reason and words of such a text. One that was written before there were reasons is words.
    pub fn split(text: &str) -> (Option<Self>, &str) {
        let parts = text.split_once(BETWEEN);
        let found = parts.and_then(|(word, words)| Some((Self::find(word)?, words)));
        found.map_or((None, text), |(reason, words)| (Some(reason), words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: split at `:` alone
    #[test]
    fn reason_and_words_read_back() {
        for reason in CloseReason::ALL {
            for words in ["", "they: said so", "fraud: no"] {
                let text = CloseReason::join(Some(reason), words);
                assert_eq!(CloseReason::split(&text), (Some(reason), words));
            }
        }
        for old in ["I called them", "a known ring: see ord_1", "fraud:no", ""] {
            assert_eq!(CloseReason::split(old), (None, old));
            assert_eq!(CloseReason::join(None, old), old);
        }
    }
}

//! What an authorized payment attempt rests on.

use serde::{Deserialize, Serialize};

/// How the database spells [`Authorization::NothingToPay`].
const NOTHING_TO_PAY: &str = "nothing_to_pay";

/// What lets an order be placed: money that a gateway keeps ready, or a total of zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Authorization {
    /// The gateway's name for it.
    Named(String),
    /// The order costs nothing: no gateway was asked, and nothing is ever captured, voided or
    /// refunded.
    NothingToPay,
}

impl Authorization {
    /// The word in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::NothingToPay => NOTHING_TO_PAY,
        }
    }

    /// The gateway's name for it; none where no gateway was asked.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::NothingToPay => None,
        }
    }
}

impl From<String> for Authorization {
    fn from(word: String) -> Self {
        if word == NOTHING_TO_PAY { Self::NothingToPay } else { Self::Named(word) }
    }
}

impl From<&str> for Authorization {
    fn from(word: &str) -> Self {
        word.to_owned().into()
    }
}

impl From<Authorization> for String {
    fn from(authorization: Authorization) -> Self {
        match authorization {
            Authorization::Named(name) => name,
            Authorization::NothingToPay => NOTHING_TO_PAY.to_owned(),
        }
    }
}

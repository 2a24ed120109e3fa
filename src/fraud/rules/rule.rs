//! A rule and the words it is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{base::Timestamp, fraud::assessment::Outcome};

/// Bytes of a name: it stands in metrics' and records' way otherwise.
const NAME_BYTES_MAX: usize = 64;

/// Words that stand where a name would in `/v1/rules/…`.
const RESERVED: &[&str] = &["check", "language"];

/// The text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to {NAME_BYTES_MAX} lower-case letters, digits and underscores, begins with a \
     letter and is none of `check`, `language`"
)]
pub struct InvalidName;

/// The name of a rule or of a list: `stop_card_testers`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String")]
#[schemars(inline)]
pub struct Name(Box<str>);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(raw: &str) -> Result<Self, InvalidName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let well_formed = (1..=NAME_BYTES_MAX).contains(&raw.len())
            && raw.starts_with(|first: char| first.is_ascii_lowercase())
            && raw.bytes().all(plain)
            && !RESERVED.contains(&raw);
        if well_formed { Ok(Self(raw.into())) } else { Err(InvalidName) }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(raw: String) -> Result<Self, InvalidName> {
        Self::parse(&raw)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident {
        $($(#[doc = $of:literal])* $variant:ident = $word:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $of])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in requests and records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What this word means.
            pub fn find(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What a rule asks for, in the order in which rules are asked.
    Action {
        /// The buyer proves who they are first.
        Challenge = "challenge",
        /// The order passes: no later rule and no threshold of the score stands in its way.
        Allow = "allow",
        /// The order is declined.
        Block = "block",
        /// A person looks at it.
        Review = "review",
    }
}

words! {
    /// When a rule is asked.
    Pass {
        /// Before the payment is authorized.
        Before = "before",
        /// After it, with what the issuer said.
        After = "after",
    }
}

words! {
    /// What a rule may do.
    Mode {
        /// It is not asked.
        Off = "off",
        /// It is asked and what it says is recorded, and decides nothing.
        Shadow = "shadow",
        /// It decides.
        Live = "live",
    }
}

impl Action {
    /// What it makes of an order.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Challenge => Outcome::Challenge,
            Self::Allow => Outcome::Approve,
            Self::Block => Outcome::Decline,
            Self::Review => Outcome::Review,
        }
    }
}

/// What a rule says, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// Its name.
    pub name: Name,
    /// When it matches.
    pub expression: String,
    /// What it asks for then.
    pub action: Action,
    /// When it is asked.
    pub pass: Pass,
    /// What it may do.
    pub mode: Mode,
    /// Why it stands.
    pub reason: String,
}

/// A rule in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// What it says.
    #[serde(flatten)]
    pub draft: Draft,
    /// Grows with each change, from 1.
    pub version: u32,
    /// Who changed it last.
    pub author: String,
    /// When.
    pub updated_at: Timestamp,
    /// Whether it was removed with this version: then it is asked no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A list, without its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListHead {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub kind: super::list::ListKind,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
    /// How many entries it has, expired ones too.
    pub entries: u64,
    /// The version of the rulebook in which it changed last.
    pub changed_in: u64,
}

/// A value in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListEntry {
    /// In the form in which it is looked up.
    pub value: String,
    /// Until when it counts; without an end, for ever.
    pub expires_at: Option<Timestamp>,
    /// Why it is there.
    pub note: String,
    /// Who added it.
    pub author: String,
    /// When.
    pub added_at: Timestamp,
}

/// A rule that passes somebody over until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snooze {
    /// Which rule.
    pub rule: Name,
    /// What the value is.
    pub kind: super::list::ListKind,
    /// For whom, in the form in which lists keep it; networks too.
    pub value: String,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_none_of_the_routes() {
        for good in ["a", "stop_card_testers", "r2"] {
            assert_eq!(Name::parse(good).expect("a name").as_str(), good);
        }
        for bad in ["", "2r", "_r", "A", "a-b", "a b", "check", "language", &"a".repeat(65)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_what_records_say() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).expect("a word"), action.as_str());
            assert_eq!(Action::find(action.as_str()), Some(*action));
        }
        assert!(Action::ALL.is_sorted(), "the order in which rules are asked");
    }
}

//! Why a payment was declined: in one vocabulary for all gateways, beside the gateway's own word.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why not, in words that are the same for every gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineCode {
    /// The issuer says no and not why.
    Declined,
    /// There is not enough money.
    InsufficientFunds,
    /// More than the card may pay at once, or in a while.
    LimitExceeded,
    /// The card's time is over.
    ExpiredCard,
    /// The number, the expiry or the name is wrong.
    InvalidInstrument,
    /// The card's code was wrong.
    IncorrectCode,
    /// The card was reported lost or stolen.
    LostOrStolen,
    /// The issuer or the gateway takes it for fraud.
    SuspectedFraud,
    /// The card does not pay for this, here, or in this currency.
    NotPermitted,
    /// The buyer did not prove who they are.
    AuthenticationFailed,
    /// The issuer could not answer.
    IssuerUnavailable,
    /// The buyer gave up, or we ended it.
    Canceled,
    /// What none of these says; the gateway's own word does.
    Other,
}

impl DeclineCode {
    const ALL: [Self; 13] = [
        Self::Declined,
        Self::InsufficientFunds,
        Self::LimitExceeded,
        Self::ExpiredCard,
        Self::InvalidInstrument,
        Self::IncorrectCode,
        Self::LostOrStolen,
        Self::SuspectedFraud,
        Self::NotPermitted,
        Self::AuthenticationFailed,
        Self::IssuerUnavailable,
        Self::Canceled,
        Self::Other,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::LimitExceeded => "limit_exceeded",
            Self::ExpiredCard => "expired_card",
            Self::InvalidInstrument => "invalid_instrument",
            Self::IncorrectCode => "incorrect_code",
            Self::LostOrStolen => "lost_or_stolen",
            Self::SuspectedFraud => "suspected_fraud",
            Self::NotPermitted => "not_permitted",
            Self::AuthenticationFailed => "authentication_failed",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::Canceled => "canceled",
            Self::Other => "other",
        }
    }

    /// Whether trying the same instrument again is of no use, whatever the buyer does.
    pub const fn is_hard(self) -> bool {
        match self {
            Self::ExpiredCard
            | Self::InvalidInstrument
            | Self::LostOrStolen
            | Self::SuspectedFraud
            | Self::NotPermitted => true,
            Self::Declined
            | Self::InsufficientFunds
            | Self::LimitExceeded
            | Self::IncorrectCode
            | Self::AuthenticationFailed
            | Self::IssuerUnavailable
            | Self::Canceled
            | Self::Other => false,
        }
    }
}

/// A no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Why, in our words.
    pub code: DeclineCode,
    /// Why, in the gateway's. Never shown to buyers: some words warn a thief.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

impl Decline {
    /// A no with the gateway's own word.
    pub fn new(code: DeclineCode, raw: impl Into<String>) -> Self {
        Self { code, raw: raw.into() }
    }

    /// A no in a word that may be one of ours.
    pub fn read(word: &str) -> Self {
        let code = DeclineCode::ALL.into_iter().find(|code| code.as_str() == word);
        Self::new(code.unwrap_or(DeclineCode::Other), word)
    }

    /// What the attempt keeps of it: our word, and behind a colon the gateway's where it differs.
    pub fn record(&self) -> String {
        match (self.code, self.raw.as_str()) {
            (DeclineCode::Other, raw) if !raw.is_empty() => raw.to_owned(),
            (code, raw) if raw.is_empty() || raw == code.as_str() => code.as_str().to_owned(),
            (code, raw) => format!("{}: {raw}", code.as_str()),
        }
    }
}

/// What the buyer reads. A card that was reported lost is just declined: whoever holds it is not
/// to learn more.
impl fmt::Display for Decline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            DeclineCode::LostOrStolen | DeclineCode::SuspectedFraud => f.write_str("declined"),
            DeclineCode::Other if !self.raw.is_empty() => f.write_str(&self.raw),
            code => f.write_str(code.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: a word that `as_str` and serde spell differently, or one that is not in `ALL`
    #[test]
    fn every_code_reads_back_from_its_word() {
        for code in DeclineCode::ALL {
            assert_eq!(Decline::read(code.as_str()).code, code);
            let json = serde_json::to_value(code).expect("a word");
            assert_eq!(json, code.as_str());
        }
        assert_eq!(Decline::read("do_not_honor_99").code, DeclineCode::Other);
    }

    // breaks: a notice that tells whoever holds a stolen card that it is known as that
    #[test]
    fn a_thief_is_told_no_more_than_that_it_was_declined() {
        let stolen = Decline::new(DeclineCode::LostOrStolen, "pickup_card");
        assert_eq!(stolen.to_string(), "declined");
        assert_eq!(stolen.record(), "lost_or_stolen: pickup_card");
    }
}

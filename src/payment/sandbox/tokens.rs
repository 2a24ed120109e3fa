//! The tokens the sandbox understands, as a processor documents its test cards.

use crate::base::Verification;

/// Every token with what it does, for pages and documentation.
pub const TOKENS: &[(&str, &str)] = &[
    ("success_token", "approved"),
    ("fail_token", "declined, code `declined`"),
    ("insufficient_funds_token", "declined, code `insufficient_funds`"),
    ("challenge_token", "the buyer must prove who they are; try again with the next token"),
    ("challenge_passed_token", "approved, as after a challenge"),
    ("address_mismatch_token", "approved; the issuer knows another address (AVS)"),
    ("code_mismatch_token", "approved; the card's code was wrong (CVC)"),
    ("slow_token", "approved at once, answered late (2 s unless configured)"),
    ("lost_token", "approved, and the answer never comes"),
    ("uncapturable_token", "approved, and every capture is refused"),
    ("flaky_token", "fails without acting the first time, approved from the second"),
];

/// A token, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `success_token`
    Success,
    /// `fail_token`
    Fail,
    /// `insufficient_funds_token`
    InsufficientFunds,
    /// `challenge_token`
    Challenge,
    /// `challenge_passed_token`
    ChallengePassed,
    /// `address_mismatch_token`
    AddressMismatch,
    /// `code_mismatch_token`
    CodeMismatch,
    /// `slow_token`
    Slow,
    /// `lost_token`
    Lost,
    /// `uncapturable_token`
    Uncapturable,
    /// `flaky_token`
    Flaky,
    /// Anything else.
    Unknown,
}

/// What a token makes of a reference seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No, and why.
    Decline(&'static str),
    /// Prove who you are.
    Challenge,
    /// Breaks before it acts, once.
    FailOnce,
}

/// When a token's answer leaves. The book is written before that in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as it is true.
    AtOnce,
    /// After the configured delay.
    Late,
    /// Not at all.
    Never,
}

impl Token {
    /// Reads a token; what the sandbox does not know is [`Token::Unknown`].
    pub fn read(raw: &str) -> Self {
        match raw {
            "success_token" => Self::Success,
            "fail_token" => Self::Fail,
            "insufficient_funds_token" => Self::InsufficientFunds,
            "challenge_token" => Self::Challenge,
            "challenge_passed_token" => Self::ChallengePassed,
            "address_mismatch_token" => Self::AddressMismatch,
            "code_mismatch_token" => Self::CodeMismatch,
            "slow_token" => Self::Slow,
            "lost_token" => Self::Lost,
            "uncapturable_token" => Self::Uncapturable,
            "flaky_token" => Self::Flaky,
            _ => Self::Unknown,
        }
    }

    /// What it makes of a reference seen for the first time.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Success
            | Self::ChallengePassed
            | Self::AddressMismatch
            | Self::CodeMismatch
            | Self::Slow
            | Self::Uncapturable
            | Self::Lost => Verdict::Approve,
            Self::Fail => Verdict::Decline("declined"),
            Self::InsufficientFunds => Verdict::Decline("insufficient_funds"),
            Self::Unknown => Verdict::Decline("unknown_token"),
            Self::Challenge => Verdict::Challenge,
            Self::Flaky => Verdict::FailOnce,
        }
    }

    /// What the issuer says about the buyer.
    pub const fn verification(self) -> Verification {
        let (address_matches, code_matches, authenticated) = match self {
            Self::ChallengePassed => (None, None, Some(true)),
            Self::AddressMismatch => (Some(false), Some(true), None),
            Self::CodeMismatch => (Some(true), Some(false), None),
            _ => (None, None, None),
        };
        Verification { address_matches, code_matches, authenticated }
    }

    /// When its answer leaves.
    pub const fn pace(self) -> Pace {
        match self {
            Self::Slow => Pace::Late,
            Self::Lost => Pace::Never,
            _ => Pace::AtOnce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_token_is_known_and_no_other() {
        for (token, _) in TOKENS {
            assert_ne!(Token::read(token), Token::Unknown, "{token} is documented, not understood");
        }
        for other in ["", "SUCCESS_TOKEN", "success_token ", "4242424242424242"] {
            assert_eq!(Token::read(other), Token::Unknown);
        }
    }
}

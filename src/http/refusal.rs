//! Which problem each slice's refusal becomes. Exhaustive: a new refusal does not compile without
//! one.

use super::{
    kinds::Kind,
    problem::{Place, Problem},
};
use crate::{
    checkout::CheckoutRefused,
    fraud::rules::RulesRefused,
    ledger::{LedgerFault, LedgerRefused},
};

impl Problem {
    /// A refused checkout command. UCP and the rest answer a used key differently.
    pub fn of_checkout(refused: &CheckoutRefused, is_ucp: bool) -> Self {
        let kind = match refused {
            CheckoutRefused::Ledger(fault) => return fault.clone().into(),
            CheckoutRefused::NotFound(_) => Kind::NotFound,
            CheckoutRefused::OtherProtocol(_) => Kind::OtherProtocol,
            CheckoutRefused::Ended(_) => Kind::CheckoutEnded,
            CheckoutRefused::Completing => Kind::CheckoutCompleting,
            CheckoutRefused::VersionMismatch { .. } => Kind::VersionMismatch,
            CheckoutRefused::KeyConflict if is_ucp => Kind::KeyConflictUcp,
            CheckoutRefused::KeyConflict => Kind::KeyConflict,
            CheckoutRefused::KeyInFlight => Kind::KeyInFlight,
            CheckoutRefused::TotalTooLarge => Kind::TotalTooLarge,
            CheckoutRefused::MeansMissing => Kind::Invalid,
            CheckoutRefused::Busy => Kind::Busy,
            CheckoutRefused::HeldTooMuch { most, .. } => {
                let text = sentence(refused);
                return Self::new(Kind::LimitExceeded, text).limit((*most).into());
            }
        };
        Self::new(kind, sentence(refused))
    }
}

impl From<LedgerFault> for Problem {
    fn from(fault: LedgerFault) -> Self {
        match fault {
            LedgerFault::Unreachable(_) => {
                Self::fault(Kind::LedgerUnreachable, fault).suggest("Ask again with the same key.")
            }
            LedgerFault::Broken(_) => Self::fault(Kind::Internal, fault),
        }
    }
}

impl From<LedgerRefused> for Problem {
    fn from(refused: LedgerRefused) -> Self {
        let kind = match &refused {
            LedgerRefused::NoSuchStock { .. } | LedgerRefused::NoSuchLine => Kind::NotFound,
            LedgerRefused::WriteOffPromised { .. } => Kind::StockPromised,
            LedgerRefused::LineShort { .. } => Kind::LineShort,
            LedgerRefused::NoSuchCase => Kind::NotFound,
            LedgerRefused::CaseEnded { .. } => Kind::CaseEnded,
            LedgerRefused::CaseNotTheirs { .. } => Kind::CaseClaimed,
            LedgerRefused::InReview => Kind::InReview,
            LedgerRefused::NotCaptured => Kind::NotCaptured,
            LedgerRefused::RefundTooLarge { .. } | LedgerRefused::LineRefundTooLarge { .. } => {
                Kind::RefundTooLarge
            }
            LedgerRefused::AllShipped => Kind::AlreadyShipped,
            LedgerRefused::Unpaid { .. } => Kind::Unpaid,
            LedgerRefused::NothingAuthorized => Kind::NothingAuthorized,
            LedgerRefused::CaptureTooLarge { .. } => Kind::CaptureTooLarge,
            LedgerRefused::TooManyRefunds | LedgerRefused::TooManyCaptures => Kind::LimitExceeded,
            LedgerRefused::OutOfRange => Kind::LimitExceeded,
            LedgerRefused::KeyTaken(_) => Kind::KeyInFlight,
            LedgerRefused::Completing => Kind::CheckoutCompleting,
            LedgerRefused::SessionEnded => Kind::CheckoutEnded,
            LedgerRefused::Short(_) => Kind::OutOfStock,
            LedgerRefused::VersionConflict { .. }
            | LedgerRefused::PinsDiffer
            | LedgerRefused::GrantsClosed(_)
            | LedgerRefused::NoSuchAttempt
            | LedgerRefused::AlreadyPlaced { .. }
            | LedgerRefused::AlreadySettled { .. }
            | LedgerRefused::Fenced
            | LedgerRefused::OperationSettled => Kind::CannotRecord,
        };
        let problem = Self::new(kind, sentence(&refused));
        match instead(&refused) {
            Some(advice) => problem.suggest(advice),
            None => problem,
        }
    }
}

/// What to do instead, where the refusal alone does not say it.
const fn instead(refused: &LedgerRefused) -> Option<&'static str> {
    Some(match refused {
        LedgerRefused::AllShipped => {
            "When the goods come back, post an adjustment of kind `return` with \
             `\"refund\": \"lines\"`."
        }
        LedgerRefused::Unpaid { .. } => {
            "Capture the money first, or send `\"unpaid\": true` to ship all the same."
        }
        LedgerRefused::InReview => "Decide the case first: /v1/cases.",
        LedgerRefused::NotCaptured => {
            "Where a capture is still under way, ask again in a moment; where there is none, \
             cancel the order or put its units back on sale: what is not captured is let go."
        }
        _ => return None,
    })
}

impl From<RulesRefused> for Problem {
    fn from(refused: RulesRefused) -> Self {
        let text = sentence(&refused);
        match refused {
            RulesRefused::Ledger(fault) => fault.into(),
            RulesRefused::Expression(refused) => {
                let (offset, line, column) = (refused.offset, refused.line, refused.column);
                let place = Place { offset, line, column, excerpt: refused.excerpt };
                Self::new(Kind::Invalid, text).at("/expression").place(place)
            }
            RulesRefused::ChallengeTooLate => Self::new(Kind::Invalid, text).at("/action"),
            RulesRefused::OtherKind { .. } => Self::new(Kind::Invalid, text).at("/kind"),
            RulesRefused::Value(_) => Self::new(Kind::Invalid, text).at("/value"),
            RulesRefused::Past => Self::new(Kind::Invalid, text).at("/until"),
            RulesRefused::NoSuchRule(_) | RulesRefused::NoSuchList(_) => {
                Self::new(Kind::NotFound, text)
            }
            RulesRefused::ListInUse { .. } => Self::new(Kind::ListInUse, text)
                .suggest("Switch the rule off, or remove it, first."),
            RulesRefused::Busy => Self::new(Kind::Busy, text),
            RulesRefused::VersionMismatch { .. } => Self::new(Kind::VersionMismatch, text),
            RulesRefused::TooMany { most, .. } => {
                Self::new(Kind::LimitExceeded, text).limit(most as u64)
            }
        }
    }
}

/// The refusal's own words as a sentence.
pub fn sentence(refused: &impl std::fmt::Display) -> String {
    let words = refused.to_string();
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CheckoutId, Protocol};

    fn status(refused: &CheckoutRefused, is_ucp: bool) -> u16 {
        Problem::of_checkout(refused, is_ucp).kind().row().status
    }

    #[test]
    fn a_used_key_is_a_conflict_in_the_protocol_and_unprocessable_elsewhere() {
        assert_eq!(status(&CheckoutRefused::KeyConflict, true), 409);
        assert_eq!(status(&CheckoutRefused::KeyConflict, false), 422);
    }

    #[test]
    fn refusals_keep_their_statuses() {
        let unknown = CheckoutRefused::NotFound(CheckoutId::from_uuid(uuid::Uuid::nil()));
        let down = CheckoutRefused::Ledger(LedgerFault::Unreachable("refused".into()));
        for (refused, expected) in [
            (unknown, 404),
            (CheckoutRefused::OtherProtocol(Protocol::Acp), 409),
            (CheckoutRefused::Ended("canceled"), 409),
            (CheckoutRefused::Completing, 409),
            (CheckoutRefused::VersionMismatch { current: 3 }, 412),
            (CheckoutRefused::KeyInFlight, 409),
            (CheckoutRefused::TotalTooLarge, 422),
            (CheckoutRefused::MeansMissing, 422),
            (CheckoutRefused::Busy, 503),
            (down, 503),
        ] {
            assert_eq!(status(&refused, true), expected, "{refused}");
        }
    }
}

//! What a buyer does, step by step, and how it can end.

use serde::Deserialize;
use std::fmt;

/// The ways through a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Create a checkout, complete it.
    Complete,
    /// Create, update to one unit more of each line, complete.
    Update,
    /// The express lane: one request.
    Express,
    /// Create, and never come back: the hold runs out by time.
    Abandon,
    /// One express order sent many times at once under one key, and once more afterwards.
    Storm,
    /// Create over a slow line, in pieces; then complete.
    Slow,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// An order was acknowledged.
    Ordered,
    /// The checkout was created and left alone, as intended.
    Abandoned,
    /// A storm came to one order, and everybody heard of the same.
    OneOrder,
    /// The units were gone.
    SoldOut,
    /// Turned away at the door, 429 or 503.
    Refused,
    /// Answered, but with no order: declined, or still under way.
    NoOrder,
    /// Any other status.
    Failed,
    /// The connection broke.
    Broken,
    /// No answer within the buyer's patience, or before the run ended.
    Unanswered,
    /// A storm got two different answers: a fault.
    TwoAnswers,
}

impl Flow {
    /// Its name in scenarios and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "create, complete",
            Self::Update => "create, update, complete",
            Self::Express => "express",
            Self::Abandon => "create, abandon",
            Self::Storm => "same-key storm",
            Self::Slow => "slow create, complete",
        }
    }
}

impl Ending {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Abandoned => "abandoned",
            Self::OneOrder => "one order",
            Self::SoldOut => "sold out",
            Self::Refused => "refused",
            Self::NoOrder => "no order",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Unanswered => "unanswered",
            Self::TwoAnswers => "TWO ANSWERS",
        }
    }

    /// Whether nothing else than this should happen to a service in good health.
    pub const fn is_healthy(self) -> bool {
        !matches!(self, Self::Failed | Self::Broken | Self::Unanswered | Self::TwoAnswers)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

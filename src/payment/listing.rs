//! A gateway's own list of payments, to be compared with ours.

use crate::base::{AttemptId, Money, Timestamp};

/// Which payments, and from where in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Begun at this moment or later.
    pub from: Timestamp,
    /// Begun before this moment.
    pub until: Timestamp,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The payments.
    pub payments: Vec<Listed>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// One payment as the gateway has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The gateway's name for it.
    pub id: String,
    /// Our name, where it carries one.
    pub reference: Option<AttemptId>,
    /// What was asked for.
    pub amount: Money,
    /// Minor units that wait to be captured.
    pub capturable_minor: i64,
    /// Minor units captured.
    pub captured_minor: i64,
    /// Minor units refunded.
    pub refunded_minor: i64,
}

//! The rules the protocol relies on, each with a switch, and how large a world is explored.

use super::state::{ATTEMPTS, BUYERS, GRANTS, HOLDERS, REPLICAS, UNKNOWNS};

/// A rule of the protocol. Dropping one must break a promise, or it would not be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Units are consumed only from an active grant.
    ConsumeFromActive,
    /// A fence marks the holder in one statement and closes its grants in the next.
    FenceInTwoStatements,
    /// A grant is given only to a holder that lives.
    GrantToTheLiving,
    /// Nothing is acknowledged before its commit is.
    AcknowledgeAfterCommit,
    /// A pinned hold does not expire.
    PinsOutliveTime,
    /// After an unknown outcome the same id is sent again: looking it up is not enough.
    Resubmit,
    /// A resubmission that is refused records the refusal.
    RecordRefusals,
    /// A recorded id answers what it recorded.
    EntryIds,
    /// A direct entry that finds too little closes the SKU's grants in its own commit.
    DirectClosesGrants,
    /// Each step of a commit sees what was committed before it locked.
    FreshSnapshot,
    /// T2 and unpin need the attempt pending: one of them wins.
    OnePendingWinner,
    /// A caller that finds its attempt sold voids nothing.
    SoldIsNotVoided,
    /// An attempt the gateway never heard of stays watched.
    WatchTheUnheard,
    /// The attempt is recorded, and the holds pinned, before the gateway is called.
    PinBeforeTheCall,
}

/// How much there is, and what may go wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// How many units each buyer wants.
    pub(crate) wants: &'static [u8],
    pub(crate) units: u8,
    pub(crate) grants: usize,
    /// Sizes a grant may have.
    pub(crate) sizes: &'static [u8],
    pub(crate) replicas: usize,
    pub(crate) attempts: u8,
    /// Whether buyers may come through the express lane.
    pub(crate) express: bool,
    pub(crate) crashes: u8,
    pub(crate) pauses: u8,
    pub(crate) unknowns: u8,
    /// How many calls to the gateway get lost.
    pub(crate) silences: u8,
    /// How many holders are fenced though their process runs.
    pub(crate) fences: u8,
    /// The rule left out.
    pub(crate) without: Option<Rule>,
}

impl Scope {
    pub(crate) const fn without(self, rule: Rule) -> Self {
        Self { without: Some(rule), ..self }
    }

    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Checks that it fits into a state.
    pub(crate) fn fits(&self) -> bool {
        let lifetimes = self.replicas + usize::from(self.crashes + self.pauses + self.fences);
        self.wants.len() <= BUYERS
            && self.grants <= GRANTS
            && self.replicas <= REPLICAS
            && lifetimes <= HOLDERS
            && usize::from(self.attempts) <= ATTEMPTS
            && usize::from(self.unknowns) <= UNKNOWNS
    }
}

//! Rules the simulated ledger can be made to break, to show that a run would notice.

/// What is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// Closed grants look active to the judge, and the constraint that would object is gone.
    ConsumeFromClosed,
    /// Pinned holds look unpinned to the sweep.
    ExpirePinned,
    /// The answer leaves before the commit, which may then fail.
    AnswerEarly,
    /// The fence closes what it saw before it waited for the holder's row.
    FenceInOneStatement,
    /// A recorded id is not looked up, and its constraint is gone.
    ForgetEntries,
    /// The refusal of a resubmission is not recorded.
    ForgetRefusals,
    /// A settled attempt looks pending to the judge, and the constraint is gone.
    SettleTwice,
    /// A batch judged on known rows is written without a look at them.
    TrustMemory,
    /// Nothing: only the weather of those that need a storm.
    Storm,
}

impl Sabotage {
    /// Whether it shows only when a process dies with its commit under way, or a late commit comes
    /// after its own refusal: seldom enough to deserve weather of its own.
    pub(crate) const fn needs_a_storm(self) -> bool {
        matches!(self, Self::FenceInOneStatement | Self::ForgetRefusals | Self::Storm)
    }
}

//! Rules the simulated ledger can be made to break, to show that a run would notice. The rarer
//! ones (fencing in one statement, a pinned hold that expires, a refusal nobody records) need
//! meetings that seeds seldom bring about; the [model](crate::model) goes through all of them.

/// What is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// Closed grants look active to the judge, and the constraint that would object is gone.
    ConsumeFromClosed,
    /// The answer leaves before the commit, which may then fail.
    AnswerEarly,
    /// A recorded id is not looked up, and its constraint is gone.
    ForgetEntries,
    /// A settled attempt looks pending to the judge, and the constraint is gone.
    SettleTwice,
}

//! What is not done to models, and why.

use crate::ledger::LedgerFault;

use super::{REASON_BYTES_MAX, moves::NAME_BYTES_MAX};

/// A change that is not made.
#[derive(Debug, thiserror::Error)]
pub enum ModelsRefused {
    /// There is no such model.
    #[error("there is no model `{0}`")]
    NoSuchModel(String),
    /// The name is taken, by another model.
    #[error("there is another model `{0}`; give this one a name of its own")]
    Taken(String),
    /// It cannot be a name.
    #[error(
        "a model's name has 1 to {NAME_BYTES_MAX} letters, digits, points, hyphens and \
         underscores, and begins with a letter or digit; `comparison`, `drift` and `rollback` are \
         taken"
    )]
    BadName,
    /// It is live already.
    #[error("the model `{0}` is live")]
    IsLive(String),
    /// It is not watched.
    #[error("the model `{0}` is not watched")]
    NotWatched(String),
    /// There is none to go back from.
    #[error("no registered model is live: there is nothing to go back from")]
    NothingLive,
    /// Nobody said why.
    #[error("say why the model goes live, in 1 to {REASON_BYTES_MAX} bytes: `reason`")]
    NoReason,
    /// Not enough is known of it.
    #[error(
        "the model `{version}` cannot go live yet: {lacking}. `override` waives this, with the \
         reason that is recorded"
    )]
    Lacking {
        /// Which.
        version: String,
        /// What is lacking.
        lacking: String,
    },
    /// Nobody asked for it.
    #[error("nobody has asked in the last 7 days that the model `{0}` goes live: promote it first")]
    NotAsked(String),
    /// Whoever asked cannot agree.
    #[error("whoever asked for it cannot agree to it: a second person has to, with their own key")]
    SamePerson,
    /// People cannot be told apart.
    #[error(
        "two people have to want a model to go live, and nobody can tell who asks: give each an \
         API key, or set `fraud.promotion_people` to 1"
    )]
    Nobody,
    /// It cannot be asked about what was recorded for another.
    #[error("the model `{0}` reads other features than those that were recorded")]
    OtherFeatures(String),
    /// What it has to remember cannot be opened.
    #[error("what the model has to remember cannot be opened: {0}")]
    Memory(String),
    /// The files do not read, or are not those that were registered.
    #[error("the files of the model `{version}` do not do: {why}")]
    Files {
        /// Which.
        version: String,
        /// Why.
        why: String,
    },
    /// Others changed the registry again and again.
    #[error("the models were changed by somebody else at the same time; try again")]
    Raced,
    /// The ledger cannot be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

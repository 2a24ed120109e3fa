//! The ledger: the durable record of the checkout path, and the only judge of what may be promised.
//!
//! **Owns:** every durable fact, the [writer] that commits them in groups, the rules by which
//! they are [judged](judge), and both databases that keep them.
//! **Invariant:** `on_hand = unallocated + Σ active (granted − consumed) + held + sold` for every
//! SKU, after every commit. A recorded entry answers what it recorded, for ever.
//! **Not here:** what a cart may do next (see [`checkout`](crate::checkout)); records are base
//! words.
//!
//! A batch goes: [`Ask`](world::Ask) names the rows it concerns → the store locks and reads them as
//! a [`World`](world::World) → [`judge`](judge::judge) decides entry by entry, in arrival order, in
//! plain Rust → the store applies the summed [`Changes`](changes::Changes) and commits. Both
//! databases share the judge; their constraints restate its rules and have the last word.
//!
//! On PostgreSQL a batch that concerns only rows this process last wrote skips the reading: it is
//! judged on what is [`Known`](known::Known), and written by one statement that checks it.

mod authorization;
pub mod changes;
mod close_reason;
pub mod database;
pub mod entry;
pub mod judge;
pub mod keyed;
pub mod known;
mod lanes;
mod moves;
mod order;
pub mod outcome;
pub mod postgres;
mod recent;
pub mod review;
pub mod row;
pub mod sqlite;
pub mod store;
pub mod stored_answer;
mod undo;
pub mod world;
pub mod writer;

pub use authorization::Authorization;
pub use database::{Database, DatabaseFault, DatabaseOptions, Pooling};
pub use entry::{Document, Entry, EntryId, Fact};
pub use outcome::{BatchReply, Done, GrantSeen, LedgerRefused, Outcome, Shortage};
pub use store::{Commit, CommitFault, LedgerFault, Store};
pub use undo::Loss;
pub use writer::Writer;

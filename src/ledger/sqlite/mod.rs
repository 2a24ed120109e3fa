//! The ledger in SQLite, inside this process.
//!
//! **Owns:** the SQL of the checkout path in SQLite's dialect, its connections, the folder's lock.
//! **Invariant:** one process, one writer; a commit is on disk before it is acknowledged.
//! **Not here:** the rules (see [`judge`](super::judge)); other slices keep their own tables' SQL.

mod answers;
mod apply;
mod attempts;
mod commit;
mod keyed;
mod pool;
mod private;
mod read;
mod replicas;
mod start;
mod store;
mod sweep;
mod texts;

pub(super) use keyed::Conn;
pub use pool::Sqlite;
pub(super) use start::STEPS;

//! The ledger in PostgreSQL.
//!
//! **Owns:** the SQL of the checkout path in PostgreSQL's dialect, and its connections.
//! **Invariant:** rows are locked in one order, each step a statement with a fresh snapshot.
//! **Not here:** the rules (see [`judge`](super::judge)); other slices keep their own tables' SQL.

mod answers;
mod attempts;
mod commit;
mod keyed;
mod known;
mod labels;
mod pool;
mod records;
mod replicas;
mod settings;
mod start;
mod store;
mod sweep;
mod texts;

pub(super) use keyed::Conn;
pub use pool::Postgres;
pub(super) use start::STEPS;

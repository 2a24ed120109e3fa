//! Hot copies of sessions: fast to read, free to lose.
//!
//! **Owns:** the cache of sessions, in Redis or in process. **Invariant:** a newer version is never
//! replaced by an older one. **Not here:** the truth (see [`ledger`](crate::ledger)).

pub mod hot;

pub use hot::{HotCopy, HotFault, HotSessions};

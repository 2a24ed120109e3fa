//! Hot copies of sessions: fast to read, free to lose.
//!
//! **Owns:** the cache of sessions in Redis. **Invariant:** a newer version is never replaced by an
//! older one. **Not here:** the truth (see [`ledger`](crate::ledger)), and a copy in this process:
//! the cart's actor has the session itself, and what it has not, one read of the ledger brings.

mod circuit;
pub mod hot;
pub mod redis;

pub use self::redis::{RedisLimits, RedisSessions, check_address};
pub use hot::{HotCopy, HotFault, HotSessions};

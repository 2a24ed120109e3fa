//! Hot copies of sessions: fast to read, free to lose.
//!
//! **Owns:** the cache of sessions, in Redis or in process. **Invariant:** a newer version is never
//! replaced by an older one. **Not here:** the truth (see [`ledger`](crate::ledger)).

mod circuit;
pub mod hot;
pub mod in_process;
pub mod redis;

pub use self::redis::{RedisLimits, RedisSessions, check_address};
pub use hot::{HotCopy, HotFault, HotSessions};
pub use in_process::{InProcessLimits, InProcessSessions};

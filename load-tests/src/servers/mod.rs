//! Servers of our own: PostgreSQL, PgBouncer, Redis, Doorbuster and the baselines, on free ports
//! of 127.0.0.1.
//!
//! **Owns:** starting, waiting until ready, signals, and the end. **Invariant:** what was started
//! here is ended here, by its process id, also when the work in between fails or is interrupted.
//! **Not here:** what is done with them.

pub mod pgbouncer;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod shop;

use std::net::TcpListener;

/// A port that was free a moment ago.
///
/// # Errors
/// When there is none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

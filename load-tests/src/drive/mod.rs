//! The load driver: buyers who come when they come, and what they saw.
//!
//! **Owns:** arrivals, flows, the connections, latencies, and the log of acknowledged orders.
//! **Invariant:** latency counts from when a buyer meant to start, so a server that stalls cannot
//! hide it by keeping buyers from coming. **Not here:** which servers run (see `servers`).

pub mod acks;
pub mod arrivals;
pub mod buyer;
pub mod cart;
pub mod clock;
pub mod connection;
pub mod figures;
pub mod flow;
pub mod picture;
pub mod progress;
pub mod request;
pub mod run;
pub mod summary;
pub mod target;
pub mod window;

#[cfg(test)]
mod run_tests;

//! Chaos: real replicas over one PostgreSQL and one Redis, under load, while everything around and
//! below them is killed, frozen, flushed and cut off; then an audit of what was promised.
//!
//! ```text
//!  crowd: buyers, each request to the next replica ─► replicas ─► proxy ─► PostgreSQL
//!    └─► told: every promise, line by line               ├──────────────► Redis
//!  plan (seed) ─► actions, one after another              └──────────────► bank: one book
//!  then: last units, sold out exactly ─► promised holds paid ─► reckoning
//! ```
//!
//! **Owns:** the plan, the actions, the crowd, the fault proxy, the reckoning. **Invariant:** the
//! verdict rests on records the service does not write: the crowd's log, the bank's book, and plain
//! SQL; the service's own audit comes on top. **Not here:** starting servers (see
//! [`servers`](crate::servers)).

pub mod actions;
pub mod book;
pub mod buyer;
pub mod crowd;
pub mod frames;
pub mod house;
pub mod last_units;
pub mod ledger;
pub mod options;
pub mod outcome;
pub mod plan;
pub mod proxy;
pub mod reckoning;
pub mod run;
pub mod sale;
pub mod stocker;
pub mod stranded;
pub mod streets;
pub mod told;

pub use options::Options;
pub use run::run;

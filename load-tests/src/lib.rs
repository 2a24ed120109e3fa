//! Drives load at Doorbuster on this machine, and races it against the ways shops are usually
//! written.
//!
//! ```text
//!  scenario ─► drive: arrivals ─► buyers ─► connections ─► a service
//!                     │                └─► acks: what was promised, line by line
//!                     └─► figures: latency from the intended start ─► summary, picture
//!  compare ─► servers: PostgreSQL, Redis, Doorbuster, contend: the baselines
//!          └─► turns, interleaved: a fresh database, warm-up, measure, check, audit
//! ```
//!
//! [`chaos`] drives load of its own kind at several replicas while it kills, freezes and cuts them
//! off, and holds what buyers were told against the ledger and the bank's book.
//!
//! [`drive`] knows no server but an address; [`servers`] starts and ends them; [`contend`] is what
//! Doorbuster is raced against; [`compare`] races; [`check`] looks acknowledged orders up in the
//! ledger; [`scenario`] reads what happens in a shop; [`commands`] is the command line.
//!
//! Latency counts from when a buyer *meant* to start. A server that stalls keeps buyers of a closed
//! loop from coming, and looks good for it (coordinated omission); here they come, and wait.

pub mod chaos;
pub mod check;
pub mod commands;
pub mod compare;
pub mod contend;
pub mod drive;
pub mod scenario;
pub mod servers;

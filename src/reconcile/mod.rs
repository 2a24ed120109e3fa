//! Reconciliation: each gateway's own list of payments, compared with the ledger day by day.
//!
//! **Owns:** what differs between the two (a *break*), the record of it, and which days were
//! compared. **Invariant:** it only compares: a break is recorded and shown until the two agree,
//! and never mended here, because a person has to decide what is true.
//! **Not here:** outcomes that are merely unknown (see [`checkout`](crate::checkout), which asks
//! the gateway about each), and the sandbox's book against the whole ledger (see
//! [`audit`](crate::audit)).

mod compare;
mod finding;
mod postgres;
mod records;
mod round;
mod sqlite;

pub use compare::{CompareFault, Day, Report};
pub use finding::{Break, Finding};
pub use records::{BreakFilter, BreakRow, Records, Run};
pub use round::Reconciler;

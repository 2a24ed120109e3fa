//! The audit: recomputes from the records whether every promise was kept.
//!
//! **Owns:** what must add up between stock, holds, sessions, orders, attempts and the sandbox's
//! book, and the report that says so. **Invariant:** it only reads; a difference is never repaired
//! here.
//! **Not here:** settling what is merely unfinished (the reconciler does).
//!
//! Exact for a ledger at rest. Beside a running service the pages are read one after another, so
//! what happens between two of them can look like a difference: run it again.

pub mod given;
pub mod money;
pub mod quoted;
pub mod report;
pub mod stock;
pub mod walk;

pub use report::{AuditReport, Difference};
pub use walk::audit;
